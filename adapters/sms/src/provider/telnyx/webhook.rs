//! What Telnyx tells us: one event a call, in JSON.

use serde_json::Value;
use transom_adapter::{
    Event, Failure, Handled, Progress, Reason, Refused, Report, WebReply, WebRequest,
};

use super::{errors, id};
use crate::{
    Country,
    provider::{
        answer, json, media,
        received::{self, Received},
    },
};

/// Reads a call as if its signature were right: for fuzzing, and for trying out what an event becomes.
///
/// # Errors
///
/// [`Refused::Malformed`].
pub fn events(query: &str, body: &[u8], home: Country) -> Result<Vec<Event>, Refused> {
    let document = json::parse(body)?;
    let data = &document["data"];
    let payload = &data["payload"];
    let kind = data["event_type"].as_str().unwrap_or_default();
    let event = match kind {
        "message.received" => Some(message(payload, home)?),
        "message.sent" | "message.finalized" => report(payload, query).map(Event::Report),
        _ => None,
    };
    Ok(Vec::from_iter(event))
}

/// Reads a verified call.
pub(super) fn handle(request: &WebRequest<'_>, home: Country) -> Result<Handled, Refused> {
    Ok(Handled {
        events: events(request.query, request.body, home)?,
        stored: WebReply::ok(),
        busy: WebReply::busy(),
    })
}

fn message(payload: &Value, home: Country) -> Result<Event, Refused> {
    let id = id(&payload["id"]).ok_or(Refused::Malformed)?;
    let from = json::filled(&payload["from"]["phone_number"]).ok_or(Refused::Malformed)?;
    let to = json::filled(&payload["to"][0]["phone_number"]).ok_or(Refused::Malformed)?;
    let text = json::text(&payload["text"])
        .unwrap_or_default()
        .into_owned();
    let mut received = Received::new(id, &from, &to, text);
    received.sent_at = json::time(&payload["received_at"]);
    let media = json::items(&payload["media"]).iter();
    received.media = media
        .filter_map(|item| media::received(&item["url"], &item["content_type"]))
        .collect();
    Ok(received.event(home))
}

fn report(payload: &Value, query: &str) -> Option<Report> {
    let code = json::number(&payload["errors"][0]["code"]);
    let failure = || match code {
        Some(code) => answer::failure(errors::TABLE, code),
        None => Failure::new(Reason::Unspecified),
    };
    let expired = matches!(code, Some(errors::EXPIRED | errors::EXPIRED_IN_QUEUE));
    let (progress, failure) = match payload["to"][0]["status"].as_str()? {
        "queued" | "sending" => (Progress::Accepted, None),
        "sent" => (Progress::Sent, None),
        "delivered" => (Progress::Delivered, None),
        "read" => (Progress::Read, None),
        "expired" => (Progress::Expired, Some(failure())),
        "sending_failed" | "delivery_failed" if expired => (Progress::Expired, Some(failure())),
        "sending_failed" | "delivery_failed" => (Progress::Failed, Some(failure())),
        "delivery_unconfirmed" => (Progress::Unknown, None),
        // A word from the future is no evidence of anything.
        _ => return None,
    };
    let about = received::about(id(&payload["id"]), received::key_in(query));
    (!about.is_empty()).then(|| Report {
        about,
        progress,
        failure,
        at: json::time(&payload["completed_at"]).or_else(|| json::time(&payload["sent_at"])),
    })
}
