//! What Vonage tells us: the Messages API in JSON, the SMS API in fields.

use std::borrow::Cow;

use http::Method;
use serde_json::Value;
use transom_adapter::{
    Event, Failure, Handled, Part, Progress, Reason, Refused, Report, UnixMillis, WebReply,
};

use super::{ID, code, codes};
use crate::{
    Country,
    provider::{
        answer,
        fields::Fields,
        json, media,
        received::{self, Received},
    },
};

/// More people than an MMS has.
const GROUP_MAX: usize = 32;

/// The answer to a verified call. Anything but 200 or 204 is repeated for a day.
pub(super) fn handled(events: Vec<Event>) -> Handled {
    Handled {
        events,
        stored: WebReply::ok(),
        busy: WebReply::busy(),
    }
}

/// Reads a call as if its signature were right: for fuzzing, and for trying out what an event becomes.
///
/// # Errors
///
/// [`Refused::Malformed`].
pub fn events(
    method: &Method,
    query: &str,
    body: &[u8],
    home: Country,
) -> Result<Vec<Event>, Refused> {
    if method == Method::GET {
        let fields = Fields::parse(query.as_bytes()).ok_or(Refused::Malformed)?;
        return sms_events(&fields, home);
    }
    let document = json::parse(body)?;
    if document["msisdn"].is_string() {
        // The SMS API can sign with a token as well.
        let fields = json::fields(&document).ok_or(Refused::Malformed)?;
        return sms_events(&fields, home);
    }
    let event = match document["status"].as_str() {
        Some(status) => report(status, &document).map(Event::Report),
        None if document["channel"].is_string() => Some(message(&document, home)?),
        None => None,
    };
    Ok(Vec::from_iter(event))
}

fn message(document: &Value, home: Country) -> Result<Event, Refused> {
    let id = json::text(&document["message_uuid"]).ok_or(Refused::Malformed)?;
    let id = received::required_id(ID, &id)?;
    let from = json::filled(&document["from"]).ok_or(Refused::Malformed)?;
    let to = json::filled(&document["to"]).ok_or(Refused::Malformed)?;
    let kind = document["message_type"].as_str().unwrap_or_default();
    let file = &document[kind];
    let text = json::text(&document["text"]).or_else(|| json::text(&file["caption"]));
    let text = text.unwrap_or_default().into_owned();
    let mut received = Received::new(id, &from, &to, text);
    received.sent_at = json::time(&document["timestamp"]);
    let others = json::items(&document["mms"]["participants"]).iter();
    let others = others.take(GROUP_MAX).filter_map(json::filled);
    received.others = others.map(Cow::into_owned).collect();
    received.media = media::received(&file["url"], &Value::Null)
        .into_iter()
        .collect();
    Ok(received.event(home))
}

fn report(status: &str, document: &Value) -> Option<Report> {
    let code = code(&document["error"]);
    let failure = || match code {
        Some(code) => answer::failure(codes::TABLE, code),
        None => Failure::new(Reason::Unspecified),
    };
    let (progress, failure) = match status {
        "submitted" => (Progress::Sent, None),
        "delivered" => (Progress::Delivered, None),
        "read" => (Progress::Read, None),
        "rejected" | "undeliverable" if code == Some(codes::EXPIRED) => {
            (Progress::Expired, Some(failure()))
        }
        "rejected" | "undeliverable" => (Progress::Failed, Some(failure())),
        // A word from the future is no evidence of anything.
        _ => return None,
    };
    let id = json::text(&document["message_uuid"]).and_then(|id| received::id(ID, &id));
    let key = json::text(&document["client_ref"]).and_then(|key| key.parse().ok());
    let about = received::about(id, key);
    (!about.is_empty()).then(|| Report {
        about,
        progress,
        failure,
        at: json::time(&document["timestamp"]),
    })
}

/// Reads a call of the SMS API: texts, in single parts; its reports are about texts that we did not send that way.
///
/// # Errors
///
/// [`Refused::Malformed`].
pub(super) fn sms_events(fields: &Fields, home: Country) -> Result<Vec<Event>, Refused> {
    let is_text = matches!(fields.text("type").as_deref(), Some("text" | "unicode"));
    if !is_text {
        return Ok(Vec::new());
    }
    let id = fields.filled("messageId").ok_or(Refused::Malformed)?;
    let id = received::required_id(ID, &id)?;
    let from = fields.filled("msisdn").ok_or(Refused::Malformed)?;
    let to = fields.filled("to").ok_or(Refused::Malformed)?;
    let text = fields.text("text").unwrap_or_default().into_owned();
    let mut received = Received::new(id, &from, &to, text);
    received.part = part(fields);
    let second = fields
        .text("timestamp")
        .and_then(|text| text.parse::<i64>().ok());
    received.sent_at = second.map(|second| UnixMillis(second.saturating_mul(1000)));
    Ok(vec![received.event(home)])
}

/// `concat=true`, `concat-ref`, `concat-total`, `concat-part`; a part that is not one of its total is shown by itself.
fn part(fields: &Fields) -> Option<Part> {
    fields.text("concat").filter(|concat| concat == "true")?;
    let number = |name| fields.text(name)?.trim().parse::<u32>().ok();
    let (total, part) = (number("concat-total")?, number("concat-part")?);
    Some(Part {
        // Of 16 bits in the network; what is larger is still the same for all parts.
        reference: u16::try_from(number("concat-ref")? & 0xffff).ok()?,
        total: u8::try_from(total).ok().filter(|total| *total > 1)?,
        number: u8::try_from(part)
            .ok()
            .filter(|part| (1..=total).contains(&u32::from(*part)))?,
    })
}
