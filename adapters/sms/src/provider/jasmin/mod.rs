//! Jasmin: the HTTP API of one's own gateway. Facts, set-up and quirks: `docs/jasmin.md`.

mod config;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Failure, Handled, Holder, HttpClient,
    HttpReply, Outcome, Outgoing, Reason, Refused, Scope, UnixMillis, WebReply, WebRequest,
};

pub use self::{config::JasminConfig, webhook::events};
use super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit,
    answer::{self, Verdict},
    media,
    received::wire,
    signature,
};
use crate::{Country, gsm_septets};

/// `kind = "jasmin"`. Jasmin refuses what takes more than its `long_content_max_parts`, or cuts it off.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("jasmin", config::account, |section| {
        let config = section.read::<JasminConfig>();
        TextLimit::segments(config.map_or(1, |config| config.max_parts))
    })
}

/// One user of a Jasmin.
struct JasminAccount {
    name: AccountName,
    http: HttpClient,
    base_url: String,
    username: String,
    password: SecretString,
    webhook_token: SecretString,
    /// Our webhook with its token, when it is known where Jasmin reaches us.
    report_url: Option<SecretString>,
    validity: Option<Duration>,
    home: Country,
}

#[async_trait]
impl Account for JasminAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            holder: Holder::Anyone,
            ..media::capabilities(self.report_url.is_some(), None)
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let request = self.http.post(&format!("{}/send", self.base_url));
        answer::of(
            self.http.call(request.form(&self.form(message))).await,
            outcome,
        )
    }

    fn webhook(&self, request: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        signature::token(request, &self.webhook_token)?;
        // With dlr-method GET, and an httpccm of method GET, everything stands in the query.
        Ok(Handled {
            events: events(request.query, request.body, self.home)?,
            // Anything else, and Jasmin calls again until it gives up.
            stored: WebReply::ok().with_body("text/plain", "ACK/Jasmin"),
            busy: WebReply::busy(),
        })
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let form = [
            ("username", &*self.username),
            ("password", self.password.expose_secret()),
        ];
        let request = self
            .http
            .post(&format!("{}/balance", self.base_url))
            .form(&form);
        match self.http.call(request).await {
            Ok(reply) if reply.status.is_success() => {
                report
                    .findings
                    .push("Jasmin knows the user and the password".to_owned());
            }
            Ok(reply) => report.faults.push(format!(
                "Jasmin answered HTTP {}: compare username and password with its users",
                reply.status.as_u16()
            )),
            Err(error) => report.faults.push(format!("cannot reach Jasmin: {error}")),
        }
        if self.report_url.is_none() {
            let fault = "neither callback_url nor http.public_url is set: Jasmin can bring neither messages nor reports";
            report.faults.push(fault.to_owned());
        }
        report
    }
}

impl JasminAccount {
    /// The text as bytes in the encoding that is named: nothing is left for Jasmin to guess.
    fn form(&self, message: &Outgoing) -> Vec<(&'static str, String)> {
        let text = crate::normalise(&message.text);
        let (coding, bytes) = match gsm_septets(&text) {
            Some(septets) => ("0", septets),
            None => (
                "8",
                text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            ),
        };
        let mut form = vec![
            ("username", self.username.clone()),
            ("password", self.password.expose_secret().to_owned()),
            ("from", wire(message.from.as_str(), self.home)),
            ("to", wire(message.to.as_str(), self.home)),
            ("coding", coding.to_owned()),
            ("hex-content", hex::encode(bytes)),
        ];
        if let Some(validity) = self.validity {
            form.push((
                "validity-period",
                validity.as_secs().div_ceil(60).to_string(),
            ));
        }
        match &self.report_url {
            Some(url) => {
                let url = format!("{}?key={}", url.expose_secret(), message.key);
                let level = ("dlr-level", "3".to_owned());
                form.extend([("dlr", "yes".to_owned()), ("dlr-url", url), level]);
                form.push(("dlr-method", "POST".to_owned()));
            }
            None => form.push(("dlr", "no".to_owned())),
        }
        form
    }
}

/// What Jasmin says, by status and the beginning of its words: `Success "<uuid>"`, `Error "<words>"`.
fn outcome(reply: &HttpReply) -> Outcome {
    let text = String::from_utf8_lossy(&reply.body);
    let said = |word: &str| {
        let rest = text.trim().strip_prefix(word)?.trim();
        rest.strip_prefix('"')?.strip_suffix('"')
    };
    if reply.status.is_success() {
        return answer::accepted("jasmin", said("Success"), reply);
    }
    let Some(words) = said("Error") else {
        return answer::bare_status(reply.status, &reply.headers);
    };
    let status = reply.status.as_u16();
    let row = ERRORS
        .iter()
        .find(|row| row.0 == status && words.starts_with(row.1));
    match row {
        Some((_, _, verdict, reason)) => {
            let failure = Failure::new(*reason).with_code(format!("HTTP {status}"));
            let after = answer::retry_after(&reply.headers);
            answer::outcome(*verdict, failure, after)
        }
        None => answer::bare_status(reply.status, &reply.headers),
    }
}

/// Jasmin 0.11, `http-api`: status, how its words begin, what they mean. Of several rows the first that fits.
///
/// With 500 it says what went wrong before the text was put into its queue, and "Unknown error" for anything, after that too.
type ErrorRow = (u16, &'static str, Verdict, Reason);
const ERRORS: &[ErrorRow] = &[
    (
        400,
        "Value filter failed",
        Verdict::Misconfigured,
        Reason::OurAccount,
    ),
    (
        400,
        "Authorization failed",
        Verdict::Misconfigured,
        Reason::OurAccount,
    ),
    (400, "", Verdict::Rejected, Reason::Unspecified),
    (
        403,
        "User throughput exceeded",
        Verdict::Throttled(Scope::Account),
        Reason::RateLimited,
    ),
    (403, "", Verdict::Misconfigured, Reason::OurAccount),
    (412, "", Verdict::Misconfigured, Reason::OurAccount),
    (
        500,
        "Cannot send submit_sm",
        Verdict::Transient,
        Reason::NetworkDown,
    ),
    (
        500,
        "Interception specific error code",
        Verdict::Transient,
        Reason::Unspecified,
    ),
];

#[cfg(test)]
mod tests;
