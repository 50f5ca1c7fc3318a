//! What Sinch tells us: one event a call, in JSON.

use serde_json::Value;
use transom_adapter::{Event, Failure, Handled, Progress, Reason, Refused, Report, WebReply};

use super::{ID, codes};
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
pub fn events(body: &[u8], home: Country) -> Result<Vec<Event>, Refused> {
    event(&json::parse(body)?, home).map(Vec::from_iter)
}

/// Reads a verified call.
pub(super) fn handle(body: &[u8], home: Country) -> Result<Handled, Refused> {
    Ok(Handled {
        events: events(body, home)?,
        stored: WebReply::ok(),
        // Sinch repeats after 5xx and 429 alone.
        busy: WebReply::busy(),
    })
}

/// One event, from a call or from a list.
pub(super) fn event(document: &Value, home: Country) -> Result<Option<Event>, Refused> {
    match document["type"].as_str().unwrap_or_default() {
        "mo_text" | "mo_media" => message(document, home).map(Some),
        "recipient_delivery_report_sms" | "recipient_delivery_report_mms" => {
            Ok(report(document).map(Event::Report))
        }
        // Data for an application on the phone; sums over a batch, which we did not ask for.
        _ => Ok(None),
    }
}

fn message(document: &Value, home: Country) -> Result<Event, Refused> {
    let id = json::text(&document["id"]).ok_or(Refused::Malformed)?;
    let id = received::required_id(ID, &id)?;
    let from = json::filled(&document["from"]).ok_or(Refused::Malformed)?;
    let to = json::filled(&document["to"]).ok_or(Refused::Malformed)?;
    let body = &document["body"];
    let text = if body.is_object() {
        &body["message"]
    } else {
        body
    };
    let text = json::text(text).unwrap_or_default().into_owned();
    let mut received = Received::new(id, &from, &to, text);
    received.sent_at = json::time(&document["sent_at"]).or(json::time(&document["received_at"]));
    let media = json::items(&body["media"]).iter();
    received.media = media
        .filter_map(|item| media::received(&item["url"], &item["content_type"]))
        .collect();
    Ok(received.event(home))
}

fn report(document: &Value) -> Option<Report> {
    let code = json::number(&document["code"]);
    let failure = || match code {
        Some(code) if code != 0 => answer::failure(codes::TABLE, code),
        _ => Failure::new(Reason::Unspecified),
    };
    let status = document["status"].as_str()?.to_ascii_lowercase();
    let (progress, failure) = match &*status {
        "queued" => (Progress::Accepted, None),
        "dispatched" => (Progress::Sent, None),
        "delivered" => (Progress::Delivered, None),
        "expired" => (Progress::Expired, Some(Failure::new(Reason::Expired))),
        "failed" | "aborted" if code == Some(codes::EXPIRED) => {
            (Progress::Expired, Some(failure()))
        }
        "failed" | "aborted" | "rejected" | "deleted" | "cancelled" => {
            (Progress::Failed, Some(failure()))
        }
        "unknown" => (Progress::Unknown, Some(failure())),
        // A word from the future is no evidence of anything.
        _ => return None,
    };
    let id = json::text(&document["batch_id"]).and_then(|id| received::id(ID, &id));
    let key = json::text(&document["client_reference"]).and_then(|key| key.parse().ok());
    let about = received::about(id, key);
    (!about.is_empty()).then(|| Report {
        about,
        progress,
        failure,
        at: json::time(&document["at"]),
    })
}
