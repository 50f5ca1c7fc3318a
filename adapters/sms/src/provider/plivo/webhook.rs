//! What Plivo tells us: forms, or queries where the application says GET.

use std::ops::Range;

use http::Method;
use transom_adapter::{
    Event, Failure, Handled, MediaRef, MessageRef, Progress, Reason, Refused, Report, WebReply,
    WebRequest,
};

use super::{ID, codes, part_id};
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
            let reports = reports(&id, &status, &fields, query);
            return Ok(reports.into_iter().map(Event::Report).collect());
        }
        _ => message(&id, &fields, home)?,
    };
    Ok(vec![event])
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

/// What is said of each part that a report is about.
fn reports(id: &str, status: &str, fields: &Fields, query: &str) -> Vec<Report> {
    let Some((progress, failure)) = meaning(status, fields) else {
        return Vec::new();
    };
    let id = fields
        .filled("ParentMessageUUID")
        .unwrap_or_else(|| id.into());
    let key = received::key_in(query);
    let report = |part| Report {
        about: part_id(&id, part)
            .map(MessageRef::External)
            .into_iter()
            .chain(key.map(|key| MessageRef::Key(key, part)))
            .collect(),
        progress,
        failure: failure.clone(),
        at: None,
    };
    parts(fields, query).map(report).collect()
}

/// The parts of a text that a report is about, counted from 0: `PartInfo` says `1 of 2`. We counted them too when we sent it; where Plivo
/// counts fewer, or does not count, the last that it speaks of stands for those behind it.
fn parts(fields: &Fields, query: &str) -> Range<u16> {
    let ours = Fields::parse(query.as_bytes());
    let ours = ours.and_then(|ours| ours.text("parts")?.parse::<u8>().ok());
    let ours = u16::from(ours.unwrap_or(1)).max(1);
    let info = fields.text("PartInfo");
    let told = info.as_deref().and_then(|info| {
        let (part, total) = info.split_once(" of ")?;
        let (part, total): (u8, u8) = (part.trim().parse().ok()?, total.trim().parse().ok()?);
        (1..=total).contains(&part).then_some((part, total))
    });
    match told {
        Some((part, total)) if part < total => u16::from(part) - 1..u16::from(part),
        Some((part, _)) => u16::from(part) - 1..ours.max(part.into()),
        None => 0..ours,
    }
}

/// How far it came, and why no further; `None` for a word from the future, which is no evidence of anything.
fn meaning(status: &str, fields: &Fields) -> Option<(Progress, Option<Failure>)> {
    let code = fields.filled("ErrorCode");
    let code = code.and_then(|code| code.trim().parse().ok());
    let failure = || match code {
        Some(code) => answer::failure(codes::TABLE, code),
        None => Failure::new(Reason::Unspecified),
    };
    Some(match status {
        "queued" => (Progress::Accepted, None),
        "sent" => (Progress::Sent, None),
        "delivered" => (Progress::Delivered, None),
        "read" => (Progress::Read, None),
        "undelivered" | "failed" if code == Some(codes::EXPIRED) => {
            (Progress::Expired, Some(failure()))
        }
        "undelivered" | "failed" | "rejected" => (Progress::Failed, Some(failure())),
        _ => return None,
    })
}
