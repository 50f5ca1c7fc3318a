//! What Telnyx tells us: one event a call, in JSON.

use std::borrow::Cow;

use serde_json::Value;
use transom_adapter::{
    Event, Failure, Handled, MessageRef, Progress, Reason, Refused, Report, WebReply, WebRequest,
};

use super::{ID, errors, id};
use crate::{
    Country, Number,
    provider::{
        answer, json, media,
        received::{self, Received},
    },
};

/// Members of a group that are read.
const GROUP_MAX: usize = 64;

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
    let events = match kind {
        "message.received" => vec![message(payload, home)?],
        "message.sent" | "message.finalized" => {
            let reports = reports(payload, query, home).into_iter();
            reports.map(Event::Report).collect()
        }
        _ => Vec::new(),
    };
    Ok(events)
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
    // To a group: who else is in it, ourselves perhaps once more.
    let others = json::items(&payload["to"]).iter().skip(1);
    let others = others.chain(json::items(&payload["cc"])).take(GROUP_MAX);
    received.others = others
        .filter_map(|other| number(other).map(Cow::into_owned))
        .collect();
    let media = json::items(&payload["media"]).iter();
    received.media = media
        .filter_map(|item| media::received(&item["url"], &item["content_type"]))
        .collect();
    Ok(received.event(home))
}

/// A number, alone or as a member of an object.
fn number(value: &Value) -> Option<Cow<'_, str>> {
    json::filled(&value["phone_number"]).or_else(|| json::filled(value))
}

/// One for each member of a group, under the id that it was accepted with.
fn reports(payload: &Value, query: &str, home: Country) -> Vec<Report> {
    let to = json::items(&payload["to"]);
    let group = json::filled(&payload["group_message_id"]);
    if group.is_none() && to.len() < 2 {
        let about = received::about(id(&payload["id"]), received::key_in(query));
        return to
            .first()
            .and_then(|to| report(payload, to, about))
            .into_iter()
            .collect();
    }
    let own = json::filled(&payload["id"]);
    let of_member = |member: &Value| {
        let number = number(member)?;
        let number = Number::received(&number, home).to_address();
        let ids = [group.as_deref(), own.as_deref()].into_iter().flatten();
        let ids = ids.filter_map(|id| received::member_id(ID, id, number.as_str()));
        report(payload, member, ids.map(MessageRef::External).collect())
    };
    to.iter().take(GROUP_MAX).filter_map(of_member).collect()
}

fn report(payload: &Value, to: &Value, about: Vec<MessageRef>) -> Option<Report> {
    let code = json::number(&payload["errors"][0]["code"]);
    let failure = || match code {
        Some(code) => answer::failure(errors::TABLE, code),
        None => Failure::new(Reason::Unspecified),
    };
    let expired = matches!(code, Some(errors::EXPIRED | errors::EXPIRED_IN_QUEUE));
    let (progress, failure) = match to["status"].as_str()? {
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
    (!about.is_empty()).then(|| Report {
        about,
        progress,
        failure,
        at: json::time(&payload["completed_at"]).or_else(|| json::time(&payload["sent_at"])),
    })
}
