//! Answers of the Messages resource.

use serde::Deserialize;
use transom_adapter::{
    CheckReport, ExternalId, Failure, HttpFailure, HttpReply, Outcome, Outgoing, Reason, UnixMillis,
};

use super::{errors, webhook::SID};
use crate::provider::answer;

/// Messages resource.
#[derive(Deserialize)]
struct Message {
    sid: String,
    #[serde(default)]
    status: String,
    body: Option<String>,
    /// RFC 2822.
    date_created: Option<String>,
    error_code: Option<u32>,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    code: u32,
}

/// What became of a POST to Messages.
pub(super) fn outcome(reply: &HttpReply) -> Outcome {
    if reply.status.is_success() {
        return match serde_json::from_slice::<Message>(&reply.body) {
            Ok(message) if is_sid(&message.sid) => accepted(message),
            _ => answer::unreadable(reply),
        };
    }
    // A broken answer is judged by its status alone.
    let problem = serde_json::from_slice::<Problem>(&reply.body).ok();
    answer::judge(reply, errors::TABLE, problem.map(|problem| problem.code))
}

/// The one message that this answer to a look-up shows to be the attempt that began then; `None` when there is none, or doubt. One from
/// before with the same text is another message: this one may have waited for it.
pub(super) fn find(reply: &HttpReply, ours: &Outgoing, began: UnixMillis) -> Option<Outcome> {
    // Twilio's times are whole seconds, and its clock is not ours.
    const SKEW_MILLIS: i64 = 5_000;
    let page: Page = serde_json::from_slice(&reply.body).ok()?;
    let since = UnixMillis(began.0.saturating_sub(SKEW_MILLIS));
    let text = crate::normalise(&ours.text);
    let is_new = |m: &Message| created_at(m).is_none_or(|at| at >= since);
    let is_last_page = page.next_page_uri.is_none();
    // On a full page without an older message another copy may stand on the next.
    let is_whole = is_last_page || page.messages.iter().any(|message| !is_new(message));
    let mut matches = page.messages.into_iter().filter(|message| {
        is_new(message) && is_sid(&message.sid) && message.body.as_deref() == Some(&text)
    });
    match (matches.next(), matches.next()) {
        (Some(message), None) if is_whole && created_at(&message).is_some() => {
            Some(accepted(message))
        }
        _ => None,
    }
}

/// Reads the account for `check --live`.
pub(super) fn check_account(reply: Result<HttpReply, HttpFailure>, report: &mut CheckReport) {
    #[derive(Deserialize)]
    struct Account {
        status: String,
        #[serde(rename = "type", default)]
        kind: String,
    }
    match read::<Account>(reply) {
        Ok(account) if account.status == "active" => report
            .findings
            .push(format!("signed in to Twilio, a {} account", account.kind)),
        Ok(account) => report.faults.push(format!(
            "the Twilio account is {}: look into the console",
            account.status
        )),
        Err(fault) => report
            .faults
            .push(format!("cannot sign in to Twilio: {fault}")),
    }
}

/// Reads the numbers for `check --live`: whether their texts come to us.
pub(super) fn check_numbers(
    reply: Result<HttpReply, HttpFailure>,
    webhook_url: &str,
    report: &mut CheckReport,
) {
    #[derive(Deserialize)]
    struct Number {
        phone_number: String,
        sms_url: Option<String>,
    }
    #[derive(Deserialize)]
    struct Numbers {
        incoming_phone_numbers: Vec<Number>,
    }
    let numbers = match read::<Numbers>(reply) {
        Ok(numbers) => numbers.incoming_phone_numbers,
        Err(fault) => {
            report
                .faults
                .push(format!("cannot list the numbers: {fault}"));
            return;
        }
    };
    for Number {
        phone_number,
        sms_url,
    } in numbers
    {
        let url = sms_url.unwrap_or_default();
        // What follows the # are Twilio's own settings for the connection.
        if url.split('#').next() == Some(webhook_url) {
            report
                .findings
                .push(format!("{phone_number} sends its texts here"));
        } else {
            report.faults.push(format!(
                "{phone_number} does not send its texts here: set its webhook for incoming messages to {webhook_url}"
            ));
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(reply: Result<HttpReply, HttpFailure>) -> Result<T, String> {
    let reply = reply.map_err(|error| error.to_string())?;
    if !reply.status.is_success() {
        return Err(format!("HTTP {}", reply.status.as_u16()));
    }
    serde_json::from_slice(&reply.body).map_err(|_| "the answer cannot be read".to_owned())
}

/// Twilio has the message; it may have failed it already.
fn accepted(message: Message) -> Outcome {
    if matches!(&*message.status, "failed" | "undelivered" | "canceled") {
        let failure = message.error_code.map(errors::failure);
        return Outcome::Rejected(failure.unwrap_or_else(|| Failure::new(Reason::Unspecified)));
    }
    Outcome::Accepted {
        ids: vec![ExternalId::new(SID, message.sid)],
    }
}

pub(super) fn is_sid(sid: &str) -> bool {
    (1..=64).contains(&sid.len()) && sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn created_at(message: &Message) -> Option<UnixMillis> {
    let zoned = jiff::fmt::rfc2822::parse(message.date_created.as_deref()?).ok()?;
    Some(UnixMillis(zoned.timestamp().as_millisecond()))
}
