//! What a provider's answer means, as data: one row an error code.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use transom_adapter::{
    Balance, CheckReport, Failure, HttpFailure, HttpReply, Outcome, Reason, Scope,
};

use super::{json, received};

/// What a code means for the message it was said about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The same message will be refused again.
    Rejected,
    /// Later; the scope has to wait.
    Throttled(Scope),
    /// Not sent, and worth another attempt; under a status that leaves it open nobody knows ([`judge`]).
    Transient,
    /// Nothing would be sent.
    Misconfigured,
}

/// One row of a provider's error table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorRow {
    /// The provider's code.
    pub(crate) code: u32,
    /// What it means for an attempt.
    pub(crate) verdict: Verdict,
    /// What the user is told.
    pub(crate) reason: Reason,
}

impl ErrorRow {
    /// A row; tables read as columns.
    pub(crate) const fn new(code: u32, verdict: Verdict, reason: Reason) -> Self {
        Self {
            code,
            verdict,
            reason,
        }
    }

    /// The row of this code.
    pub(crate) fn find(table: &'static [Self], code: u32) -> Option<&'static Self> {
        table.iter().find(|row| row.code == code)
    }
}

/// The outcome of an attempt with this verdict.
pub(crate) fn outcome(verdict: Verdict, failure: Failure, after: Option<Duration>) -> Outcome {
    match verdict {
        Verdict::Rejected => Outcome::Rejected(failure),
        Verdict::Throttled(scope) => Outcome::Throttled {
            after,
            scope,
            failure,
        },
        Verdict::Transient => Outcome::Transient(failure),
        Verdict::Misconfigured => Outcome::Misconfigured(failure),
    }
}

/// The outcome of an attempt: what its answer says, or what it means that there is none.
pub(crate) fn of(
    reply: Result<HttpReply, HttpFailure>,
    says: impl FnOnce(&HttpReply) -> Outcome,
) -> Outcome {
    match reply {
        Ok(reply) => says(&reply),
        Err(error) => no_answer(&error),
    }
}

/// The outcome of an attempt that was not answered.
pub(crate) fn no_answer(error: &HttpFailure) -> Outcome {
    let failure = Failure::new(Reason::NetworkDown).with_detail(error.to_string());
    match error {
        HttpFailure::NotSent(_) => Outcome::Transient(failure),
        HttpFailure::MaybeSent(_) => Outcome::Unknown(failure),
    }
}

/// The outcome of an attempt that was answered with nothing but this status, for a provider without idempotency keys.
pub(crate) fn bare_status(status: StatusCode, headers: &HeaderMap) -> Outcome {
    let failure = |reason| Failure::new(reason).with_code(format!("HTTP {}", status.as_u16()));
    match status.as_u16() {
        // Whoever answered was not the provider's API, or does not know us.
        300..=399 | 401 | 403 | 404 | 405 | 407 | 415 => {
            Outcome::Misconfigured(failure(Reason::OurAccount))
        }
        429 => Outcome::Throttled {
            after: retry_after(headers),
            scope: Scope::Account,
            failure: failure(Reason::RateLimited),
        },
        400..=407 | 409..=499 => Outcome::Rejected(failure(Reason::Unspecified)),
        // RFC 9110 §15.6.4: it is not ready to handle the request.
        503 => Outcome::Transient(failure(Reason::NetworkDown)),
        // A timeout, a gateway that lost its upstream, or an accident half-way: it may have gone out.
        _ => Outcome::Unknown(failure(Reason::NetworkDown)),
    }
}

/// RFC 9110 §10.2.3, in seconds. A date is not read: it would need both clocks to agree.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    const SECONDS_MAX: u64 = 24 * 60 * 60;
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(SECONDS_MAX)))
}

/// The outcome of an attempt that was answered with this status and, if the provider said one, this code; what it says by
/// words stays out of the log, for it may quote numbers and the text.
///
/// "Internal error" with 500 is as open as 500 alone, whatever the table makes of the code in a report.
pub(crate) fn judge(reply: &HttpReply, table: &'static [ErrorRow], code: Option<u32>) -> Outcome {
    let bare = bare_status(reply.status, &reply.headers);
    let Some(code) = code else { return bare };
    let after = retry_after(&reply.headers);
    let row = ErrorRow::find(table, code);
    match (row.map(|row| row.verdict), reply.status.as_u16()) {
        (Some(Verdict::Transient), _) if matches!(bare, Outcome::Unknown(_)) => {
            Outcome::Unknown(failure(table, code))
        }
        (Some(verdict), _) => outcome(verdict, failure(table, code), after),
        (None, 429) => {
            let verdict = Verdict::Throttled(Scope::Account);
            outcome(verdict, failure(table, code), after)
        }
        (None, 400 | 422) => Outcome::Rejected(failure(table, code)),
        (None, _) => bare,
    }
}

/// The failure that a code stands for.
pub(crate) fn failure(table: &'static [ErrorRow], code: u32) -> Failure {
    let row = ErrorRow::find(table, code);
    let reason = row.map_or(Reason::Unspecified, |row| row.reason);
    Failure::new(reason).with_code(code.to_string())
}

/// The outcome of an attempt whose answer says that all went well and under which id; without a good one nobody knows what was made
/// of it.
pub(crate) fn accepted(kind: &'static str, id: Option<&str>, reply: &HttpReply) -> Outcome {
    match id.and_then(|id| received::id(kind, id)) {
        Some(id) => Outcome::Accepted { ids: vec![id] },
        None => unreadable(reply),
    }
}

/// The outcome of an attempt whose answer says that all went well and not what was made of it.
pub(crate) fn unreadable(reply: &HttpReply) -> Outcome {
    Outcome::Unknown(
        Failure::new(Reason::NetworkDown)
            .with_code(format!("HTTP {}", reply.status.as_u16()))
            .with_detail("the answer is not what the provider answers"),
    )
}

/// What is left of a credit, as a provider writes it: a number, or one in quotes.
pub(crate) fn balance(amount: &Value, currency: &Value) -> Option<Balance> {
    let amount: f64 = json::text(amount)?.trim().parse().ok()?;
    let currency = json::text(currency).unwrap_or_default();
    amount.is_finite().then(|| Balance {
        amount,
        currency: currency.chars().take(8).collect(),
    })
}

/// The answer to a question of `check --live`: the document, or what went wrong in words.
///
/// # Errors
///
/// One line, without a full stop.
pub(crate) fn document(reply: Result<HttpReply, HttpFailure>) -> Result<Value, String> {
    let reply = reply.map_err(|error| error.to_string())?;
    if !reply.status.is_success() {
        return Err(format!("HTTP {}", reply.status.as_u16()));
    }
    serde_json::from_slice(&reply.body).map_err(|_| "the answer cannot be read".to_owned())
}

/// What `check --live` says of the way back to us.
pub(crate) fn check_way_back(webhook_url: Option<&str>, provider: &str, report: &mut CheckReport) {
    match webhook_url {
        Some(url) => report
            .findings
            .push(format!("{provider} has to call {url}")),
        None => report.faults.push(format!(
            "http.public_url is not set: {provider} can bring neither messages nor reports"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_alone_is_never_more_certain_than_it_is() {
        let of = |status: u16| bare_status(status.try_into().unwrap(), &HeaderMap::new());
        assert!(matches!(of(301), Outcome::Misconfigured(_)));
        assert!(matches!(of(401), Outcome::Misconfigured(_)));
        assert!(matches!(of(422), Outcome::Rejected(_)));
        assert!(matches!(of(429), Outcome::Throttled { .. }));
        assert!(matches!(of(503), Outcome::Transient(_)));
        for status in [204, 408, 500, 502, 504, 522] {
            assert!(matches!(of(status), Outcome::Unknown(_)), "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_bounded() {
        for (text, want) in [
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("999999999", Some(86400)),
            ("-1", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(
                retry_after(&headers),
                want.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
