//! What httpSMS calls us with: `CloudEvents` in JSON, with a token of a few minutes that does not cover the body.

use http::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use serde_json::Value;
use transom_adapter::{
    Event, Failure, Key, MessageRef, Progress, Reason, Refused, Report, UnixMillis, WebRequest,
};

use super::HttpsmsAccount;
use crate::{
    Country,
    provider::{
        json, jwt,
        received::{self, Received, required_id},
        signature,
    },
};

/// The token in the path first, then the signed one, which has to be meant for this webhook.
pub(super) fn verify(
    request: &WebRequest<'_>,
    account: &HttpsmsAccount,
    now: UnixMillis,
) -> Result<(), Refused> {
    signature::token(request, &account.webhook_token)?;
    let bearer = signature::required(request, AUTHORIZATION.as_str())?;
    let token = bearer.strip_prefix("Bearer ").ok_or(Refused::Unsigned)?;
    let claims = jwt::verify(token.trim(), &account.signing_key, now)?;
    // One without an end would be good for ever.
    if claims["exp"].is_null() {
        return Err(Refused::Forged);
    }
    let audience = match &claims["aud"] {
        Value::Array(list) => &**list,
        one => std::slice::from_ref(one),
    };
    let ours = account
        .webhook_url
        .as_ref()
        .map(ExposeSecret::expose_secret);
    if audience.iter().any(|aud| aud.as_str() == ours) {
        Ok(())
    } else {
        Err(Refused::Forged)
    }
}

/// Reads a call whose tokens were right.
///
/// # Errors
///
/// [`Refused::Malformed`].
pub fn events(body: &[u8], home: Country) -> Result<Vec<Event>, Refused> {
    let call = json::parse(body)?;
    let data = &call["data"];
    let event = match call["type"].as_str().ok_or(Refused::Malformed)? {
        "message.phone.received" => Some(message(data, &data["message_id"], home)?),
        "message.phone.sent" => match sent_elsewhere(data, home) {
            Some(event) => Some(event),
            None => report(data, Progress::Sent),
        },
        "message.phone.delivered" => report(data, Progress::Delivered),
        "message.send.failed" => report(data, Progress::Failed),
        // Tried again by httpSMS, until the one that says it is the last.
        "message.send.expired" if data["is_final"] == false => report(data, Progress::Delayed),
        "message.send.expired" => report(data, Progress::Expired),
        _ => None,
    };
    Ok(Vec::from_iter(event))
}

/// A text that came to one of our phones; the same whether it is brought or asked for.
pub(super) fn message(data: &Value, id: &Value, home: Country) -> Result<Event, Refused> {
    let id = required_id("httpsms-in", id.as_str().ok_or(Refused::Malformed)?)?;
    let to = json::filled(&data["owner"]).ok_or(Refused::Malformed)?;
    let from = json::filled(&data["contact"]).ok_or(Refused::Malformed)?;
    let text = json::text(&data["content"]).ok_or(Refused::Malformed)?;
    let mut received = Received::new(id, &from, &to, text.into_owned());
    let at = ["timestamp", "received_at", "order_timestamp"];
    received.sent_at = at.iter().find_map(|field| json::time(&data[*field]));
    Ok(received.event(home))
}

/// A text that the user sent by httpSMS's own page or another program: it has its words, and no key of ours.
fn sent_elsewhere(data: &Value, home: Country) -> Option<Event> {
    let is_ours = data["request_id"]
        .as_str()
        .is_some_and(|key| key.parse::<Key>().is_ok());
    if is_ours {
        return None;
    }
    let id = received::id("httpsms-sent", data["id"].as_str()?)?;
    let (owner, contact) = (
        json::filled(&data["owner"])?,
        json::filled(&data["contact"])?,
    );
    let text = json::text(&data["content"])?.into_owned();
    let mut received = Received::new(id, &contact, &owner, text);
    received.sent_at = json::time(&data["timestamp"]);
    match received.event(home) {
        Event::Message(message) if !message.text.is_empty() => Some(Event::Sent(message)),
        _ => None,
    }
}

/// About one of ours, by httpSMS's id and by our own; `None` when it names neither.
fn report(data: &Value, progress: Progress) -> Option<Event> {
    let ids = ["id", "message_id"]
        .iter()
        .filter_map(|field| data[*field].as_str());
    let ids = ids
        .filter_map(|id| received::id("httpsms", id))
        .map(MessageRef::External);
    let key = data["request_id"].as_str().and_then(|key| key.parse().ok());
    let about: Vec<_> = key
        .map(|key| MessageRef::Key(key, 0))
        .into_iter()
        .chain(ids)
        .collect();
    let failure = match progress {
        Progress::Failed => Some(failure(&data["error_message"])),
        Progress::Expired => Some(Failure::new(Reason::Expired)),
        _ => None,
    };
    (!about.is_empty()).then_some(Event::Report(Report {
        about,
        progress,
        failure,
        at: json::time(&data["timestamp"]),
    }))
}

/// Android's results of a send, as httpSMS's app names them.
pub(super) const REASONS: &[(&str, Reason)] = &[
    ("GENERIC_FAILURE", Reason::Unspecified),
    ("NO_SERVICE", Reason::NetworkDown),
    ("NULL_PDU", Reason::Unsupported),
    ("RADIO_OFF", Reason::NetworkDown),
    ("LIMIT_EXCEEDED", Reason::RateLimited),
    ("SHORT_CODE_NOT_ALLOWED", Reason::NotPermitted),
];

fn failure(words: &Value) -> Failure {
    let words = words.as_str().unwrap_or_default();
    let row = REASONS.iter().find(|(word, _)| words.contains(word));
    row.map_or_else(
        || Failure::new(Reason::Unspecified),
        |(word, reason)| Failure::new(*reason).with_code(*word),
    )
}
