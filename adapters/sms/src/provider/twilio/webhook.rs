//! What Twilio tells us: messages and status callbacks.

use http::Method;
use transom_adapter::{
    Event, Failure, Handled, MediaRef, Progress, Reason, Refused, Report, WebReply,
};

use super::errors;
use crate::{
    Country,
    provider::{
        fields::Fields,
        received::{self, Received},
    },
};

/// The kind of external id under which message SIDs are kept.
pub(super) const SID: &str = "sid";

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
    let encoded = if method == Method::GET {
        query.as_bytes()
    } else {
        body
    };
    let fields = Fields::parse(encoded).ok_or(Refused::Malformed)?;
    handle(&fields, query, home).map(|handled| handled.events)
}

/// Reads a verified call.
pub(super) fn handle(fields: &Fields, query: &str, home: Country) -> Result<Handled, Refused> {
    let events = read(fields, query, home)?;
    Ok(Handled {
        events: Vec::from_iter(events),
        // Any text in it would be sent as a message.
        stored: WebReply::ok().with_body("text/xml", "<Response/>"),
        busy: WebReply::busy(),
    })
}

fn read(fields: &Fields, query: &str, home: Country) -> Result<Option<Event>, Refused> {
    let sid = fields
        .filled("MessageSid")
        .or_else(|| fields.filled("SmsSid"));
    let status = fields
        .filled("MessageStatus")
        .or_else(|| fields.filled("SmsStatus"));
    match (sid, status.as_deref()) {
        (Some(sid), None | Some("received" | "receiving")) => message(&sid, fields, home).map(Some),
        (Some(sid), Some(status)) => Ok(report(&sid, status, fields, query).map(Event::Report)),
        // Signed, and about something else: a call, a debugger event, a JSON body.
        (None, _) => Ok(None),
    }
}

fn message(sid: &str, fields: &Fields, home: Country) -> Result<Event, Refused> {
    let from = fields.filled("From").ok_or(Refused::Malformed)?;
    let to = fields.filled("To").ok_or(Refused::Malformed)?;
    let text = fields.text("Body").unwrap_or_default().into_owned();
    let id = received::required_id(SID, sid)?;
    let mut received = Received::new(id, &from, &to, text);
    received.media = media(fields);
    Ok(received.event(home))
}

/// `NumMedia`, `MediaUrl0`, `MediaContentType0`, …
fn media(fields: &Fields) -> Vec<MediaRef> {
    // Twilio's own limit is 10.
    const COUNT_MAX: usize = 32;
    let at = |index: usize| {
        let url = fields.filled(&format!("MediaUrl{index}"))?.into_owned();
        let content_type = fields.filled(&format!("MediaContentType{index}"));
        Some(MediaRef {
            url,
            content_type: content_type.map(std::borrow::Cow::into_owned),
        })
    };
    (0..COUNT_MAX).map_while(at).collect()
}

fn report(sid: &str, status: &str, fields: &Fields, query: &str) -> Option<Report> {
    let code = fields
        .filled("ErrorCode")
        .and_then(|code| code.parse().ok());
    let failure = || match code {
        Some(code) => errors::failure(code),
        None => Failure::new(Reason::Unspecified),
    };
    let (progress, failure) = match status {
        "accepted" | "scheduled" | "queued" | "sending" => (Progress::Accepted, None),
        "sent" => (Progress::Sent, None),
        "delivered" => (Progress::Delivered, None),
        "read" => (Progress::Read, None),
        "failed" | "undelivered" if code == Some(errors::VALIDITY_EXPIRED) => {
            (Progress::Expired, Some(failure()))
        }
        "failed" | "undelivered" | "canceled" => (Progress::Failed, Some(failure())),
        "partially_delivered" => (Progress::Unknown, Some(failure())),
        // A word from the future is no evidence of anything.
        _ => return None,
    };
    let id = received::id(SID, sid)?;
    let about = received::about(Some(id), received::key_in(query));
    Some(Report {
        about,
        progress,
        failure,
        at: None,
    })
}
