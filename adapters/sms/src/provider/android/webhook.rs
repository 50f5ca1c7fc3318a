//! What the phone tells: one event a call, signed over its bytes and the time.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::Hmac;
use secrecy::SecretString;
use serde_json::Value;
use sha2::Sha256;
use transom_adapter::{
    Attachment, Event, Failure, Key, MessageRef, Progress, Reason, Refused, Report, UnixMillis,
    WebRequest,
};

use crate::{
    Country,
    provider::{
        json,
        received::{Received, required_id},
        signature,
    },
};

/// The events that we want to be called for.
pub(super) const EVENTS: &[&str] = &[
    "sms:received",
    "sms:sent",
    "sms:delivered",
    "sms:failed",
    "mms:downloaded",
];

/// `X-Signature` is HMAC-SHA-256 in hexadecimal digits over the body and, right behind it, `X-Timestamp`.
pub(super) fn verify(
    request: &WebRequest<'_>,
    key: &SecretString,
    now: UnixMillis,
) -> Result<(), Refused> {
    let mac = signature::required(request, "X-Signature")?;
    let timestamp = signature::required(request, "X-Timestamp")?;
    let mac = hex::decode(mac.trim()).map_err(|_| Refused::Forged)?;
    if !signature::hmac::<Hmac<Sha256>>(key, [request.body, timestamp.as_bytes()], &mac) {
        return Err(Refused::Forged);
    }
    // A repeat is signed again, with its own time.
    let seconds = timestamp.trim().parse().map_err(|_| Refused::Malformed)?;
    signature::fresh(seconds, now)
}

/// Reads a call whose signature was right. `sims`: our numbers by the place of their card.
///
/// # Errors
///
/// [`Refused::Malformed`].
pub fn events(body: &[u8], sims: &[String], home: Country) -> Result<Vec<Event>, Refused> {
    let call = json::parse(body)?;
    let payload = &call["payload"];
    let event = match call["event"].as_str().ok_or(Refused::Malformed)? {
        "sms:received" | "mms:downloaded" => Some(message(&call, sims, home)?),
        "sms:sent" => report(payload, Progress::Sent, &payload["sentAt"]),
        "sms:delivered" => report(payload, Progress::Delivered, &payload["deliveredAt"]),
        "sms:failed" => report(payload, Progress::Failed, &payload["failedAt"]),
        "sms:cancelled" => report(payload, Progress::Failed, &Value::Null),
        // Data for an app, pings, starts, and MMS that are announced before they are fetched.
        _ => None,
    };
    Ok(Vec::from_iter(event))
}

fn message(call: &Value, sims: &[String], home: Country) -> Result<Event, Refused> {
    let payload = &call["payload"];
    let from = json::filled(&payload["sender"]).or_else(|| json::filled(&payload["phoneNumber"]));
    let from = from.ok_or(Refused::Malformed)?;
    let place = payload["simNumber"].as_u64().unwrap_or(1).saturating_sub(1);
    let sim = usize::try_from(place)
        .ok()
        .and_then(|place| sims.get(place));
    let said = json::filled(&payload["recipient"]);
    let to = sim.map(String::as_str).or(said.as_deref());
    let to = to
        .or_else(|| sims.first().map(String::as_str))
        .ok_or(Refused::Malformed)?;
    // When the phone's inbox is exported the message keeps its id, and the call gets another.
    let id = json::filled(&payload["messageId"]).or_else(|| json::filled(&call["id"]));
    let id = required_id("android", &id.ok_or(Refused::Malformed)?)?;
    let text = ["message", "body", "subject"];
    let text = text.iter().find_map(|field| json::filled(&payload[*field]));
    let mut received = Received::new(id, &from, to, text.unwrap_or_default().into_owned());
    received.sent_at = json::time(&payload["receivedAt"]);
    let mut event = received.event(home);
    if let Event::Message(message) = &mut event {
        let files = json::items(&payload["attachments"]);
        message.attachments = files.iter().take(FILES_MAX).map(attachment).collect();
    }
    Ok(event)
}

/// More than a phone puts into one message.
const FILES_MAX: usize = 32;

fn attachment(file: &Value) -> Attachment {
    let content = file["data"]
        .as_str()
        .and_then(|data| BASE64_STANDARD.decode(data).ok());
    let name = json::text(&file["name"]).unwrap_or_default();
    let bytes = content
        .as_ref()
        .map(|content| u64::try_from(content.len()).unwrap_or(u64::MAX));
    Attachment {
        name: name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_owned(),
        content_type: json::text(&file["contentType"])
            .unwrap_or_default()
            .to_ascii_lowercase(),
        bytes: bytes.or_else(|| file["size"].as_u64()).unwrap_or(0),
        content: content.map(Into::into),
    }
}

/// About one of ours; `None` for what another program sent through the same phone.
fn report(payload: &Value, progress: Progress, at: &Value) -> Option<Event> {
    let key: Key = payload["messageId"].as_str()?.parse().ok()?;
    let failure = (progress == Progress::Failed).then(|| failure(&payload["reason"]));
    Some(Event::Report(Report {
        about: vec![MessageRef::Key(key, 0)],
        progress,
        failure,
        at: json::time(at),
    }))
}

/// Android's own results of a send (`SmsManager`), which the app passes on as words.
pub(super) const REASONS: &[(&str, Reason)] = &[
    ("RESULT_ERROR_NO_SERVICE", Reason::NetworkDown),
    ("RESULT_ERROR_RADIO_OFF", Reason::NetworkDown),
    ("RESULT_NETWORK_REJECT", Reason::NotPermitted),
    ("RESULT_NETWORK_ERROR", Reason::NetworkDown),
    ("RESULT_RADIO_NOT_AVAILABLE", Reason::NetworkDown),
    ("RESULT_ERROR_LIMIT_EXCEEDED", Reason::RateLimited),
    ("RESULT_ERROR_FDN_CHECK_FAILURE", Reason::NotPermitted),
    ("RESULT_ERROR_SHORT_CODE_NOT_ALLOWED", Reason::NotPermitted),
    (
        "RESULT_ERROR_SHORT_CODE_NEVER_ALLOWED",
        Reason::NotPermitted,
    ),
    ("RESULT_INVALID_SMSC_ADDRESS", Reason::OurAccount),
    ("RESULT_ENCODING_ERROR", Reason::Unsupported),
    ("RESULT_NO_DEFAULT_SMS_APP", Reason::OurAccount),
    ("TTL", Reason::Expired),
];

fn failure(reason: &Value) -> Failure {
    let words = reason.as_str().unwrap_or_default();
    // The longer words first: some begin alike.
    let known = REASONS.iter().filter(|(word, _)| words.contains(word));
    match known.max_by_key(|(word, _)| word.len()) {
        Some((word, reason)) => Failure::new(*reason).with_code(*word),
        None => Failure::new(Reason::Unspecified),
    }
}
