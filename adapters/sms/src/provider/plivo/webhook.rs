//! What Plivo tells us: forms, or queries where the application says GET.

use http::Method;
use transom_adapter::{
    Event, Failure, Handled, MediaRef, Progress, Reason, Refused, Report, WebReply, WebRequest,
};

use super::{ID, codes};
use crate::{
    Country,
    provider::{
        answer,
        fields::Fields,
        received::{self, Received},
    },
};

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
    let Some(id) = fields.filled("MessageUUID") else {
        // About something else: a call, a number.
        return Ok(Vec::new());
    };
    let event = match fields.filled("Status") {
        Some(status) if fields.text("Text").is_none() && fields.text("Body").is_none() => {
            report(&id, &status, &fields, query).map(Event::Report)
        }
        _ => Some(message(&id, &fields, home)?),
    };
    Ok(Vec::from_iter(event))
}

/// Reads a verified call.
pub(super) fn handle(request: &WebRequest<'_>, home: Country) -> Result<Handled, Refused> {
    Ok(Handled {
        events: events(request.method, request.query, request.body, home)?,
        // Any text in it would be sent as a message.
        stored: WebReply::ok().with_body("text/xml", "<Response/>"),
        busy: WebReply::busy(),
    })
}

fn message(id: &str, fields: &Fields, home: Country) -> Result<Event, Refused> {
    let from = fields.filled("From").ok_or(Refused::Malformed)?;
    let to = fields.filled("To").ok_or(Refused::Malformed)?;
    // `Text` of an SMS, `Body` of an MMS.
    let text = fields.text("Text").or_else(|| fields.text("Body"));
    let text = text.unwrap_or_default().into_owned();
    let id = received::required_id(ID, id)?;
    let mut received = Received::new(id, &from, &to, text);
    received.media = media(fields);
    Ok(received.event(home))
}

/// `Media0`, `Media1`, …; by the documentation they begin with 1.
fn media(fields: &Fields) -> Vec<MediaRef> {
    // Plivo's own limit is 10.
    const INDEX_MAX: usize = 32;
    let url = |index| fields.filled(&format!("Media{index}"));
    let urls = (0..=INDEX_MAX).filter_map(url);
    let media = urls.map(|url| MediaRef {
        url: url.into_owned(),
        content_type: None,
    });
    media.collect()
}

fn report(id: &str, status: &str, fields: &Fields, query: &str) -> Option<Report> {
    let code = fields.filled("ErrorCode");
    let code = code.and_then(|code| code.trim().parse().ok());
    let failure = || match code {
        Some(code) => answer::failure(codes::TABLE, code),
        None => Failure::new(Reason::Unspecified),
    };
    let (progress, failure) = match status {
        "queued" => (Progress::Accepted, None),
        "sent" => (Progress::Sent, None),
        "delivered" => (Progress::Delivered, None),
        "read" => (Progress::Read, None),
        "undelivered" | "failed" if code == Some(codes::EXPIRED) => {
            (Progress::Expired, Some(failure()))
        }
        "undelivered" | "failed" | "rejected" => (Progress::Failed, Some(failure())),
        // A word from the future is no evidence of anything.
        _ => return None,
    };
    Some(Report {
        about: received::about(Some(received::id(ID, id)?), received::key_in(query)),
        progress,
        failure,
        at: None,
    })
}
