//! What Bandwidth tells us: a list of events, in JSON.

use std::borrow::Cow;

use serde_json::Value;
use transom_adapter::{
    Event, Failure, Handled, Key, MediaRef, MessageRef, Progress, Reason, Refused, Report, WebReply,
};

use super::{ID, codes};
use crate::{
    Country, Number,
    provider::{
        answer, json,
        received::{self, Received},
    },
};

/// Reads a call as if its token were right: for fuzzing, and for trying out what an event becomes.
///
/// # Errors
///
/// [`Refused::Malformed`], [`Refused::Forged`].
pub fn events(body: &[u8], home: Country) -> Result<Vec<Event>, Refused> {
    let reader = Reader {
        application_id: "app",
        mms_delivery_reports: false,
        home,
    };
    reader.events(body)
}

/// Behind the key in a tag: it goes as an MMS.
const MMS: &str = ".mms";
/// Between them: to a group, of which the key does not say which member is meant, so that it is none.
const GROUP: &str = ".group";
/// Members of a group that are read.
const GROUP_MAX: usize = 64;

/// How a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Sms,
    Mms,
    /// As an MMS, too.
    Group,
}

/// The tag of a message.
pub(super) fn tag(key: Key, kind: Kind) -> String {
    match kind {
        Kind::Sms => key.to_string(),
        Kind::Mms => format!("{key}{MMS}"),
        Kind::Group => format!("{key}{GROUP}{MMS}"),
    }
}

/// Reads calls whose token was right.
pub(super) struct Reader<'a> {
    pub(super) application_id: &'a str,
    pub(super) mms_delivery_reports: bool,
    pub(super) home: Country,
}

impl Reader<'_> {
    /// Reads one call.
    pub(super) fn handle(&self, body: &[u8]) -> Result<Handled, Refused> {
        Ok(Handled {
            events: self.events(body)?,
            stored: WebReply::ok(),
            busy: WebReply::busy(),
        })
    }

    /// What cannot be understood is left out as long as something can: the whole list would come again for a day.
    fn events(&self, body: &[u8]) -> Result<Vec<Event>, Refused> {
        let document = json::parse(body)?;
        let list = document.as_array().ok_or(Refused::Malformed)?;
        let read: Vec<_> = list.iter().map(|item| self.event(item)).collect();
        let refused = read.iter().find_map(|event| event.as_ref().err().copied());
        let understood = read.iter().any(Result::is_ok);
        match refused {
            Some(refused) if !understood => Err(refused),
            _ => Ok(read.into_iter().flatten().flatten().collect()),
        }
    }

    fn event(&self, item: &Value) -> Result<Option<Event>, Refused> {
        let message = &item["message"];
        let application = json::text(&message["applicationId"]);
        if application.is_some_and(|id| id != self.application_id) {
            return Err(Refused::Forged);
        }
        match item["type"].as_str().ok_or(Refused::Malformed)? {
            "message-received" => self.message(message).map(Some),
            kind => Ok(self.report(kind, item).map(Event::Report)),
        }
    }

    /// One event for each of our own numbers in a group, which `owner` names.
    fn message(&self, message: &Value) -> Result<Event, Refused> {
        let id = json::text(&message["id"]).ok_or(Refused::Malformed)?;
        let id = received::required_id(ID, &id)?;
        let from = json::filled(&message["from"]).ok_or(Refused::Malformed)?;
        let to = json::filled(&message["owner"]).or_else(|| json::filled(&message["to"][0]));
        let to = to.ok_or(Refused::Malformed)?;
        let text = json::text(&message["text"])
            .unwrap_or_default()
            .into_owned();
        let mut received = Received::new(id, &from, &to, text);
        received.sent_at = json::time(&message["time"]);
        // To a group: everybody who got it, ourselves among them.
        let others = json::items(&message["to"]).iter().take(GROUP_MAX);
        received.others = others
            .filter_map(|other| json::filled(other).map(Cow::into_owned))
            .filter(|other| *other != to)
            .collect();
        let media = json::items(&message["media"])
            .iter()
            .filter_map(json::filled);
        received.media = media
            .map(|url| MediaRef {
                url: url.into_owned(),
                content_type: None,
            })
            .collect();
        Ok(received.event(self.home))
    }

    /// Each member's report names it beside the message.
    fn about_member(&self, id: &str, item: &Value) -> Option<Vec<MessageRef>> {
        let number = Number::received(&json::filled(&item["to"])?, self.home).to_address();
        let id = received::member_id(ID, id, number.as_str())?;
        Some(vec![MessageRef::External(id)])
    }

    fn report(&self, kind: &str, item: &Value) -> Option<Report> {
        let message = &item["message"];
        let tag = json::text(&message["tag"]).unwrap_or_default();
        let (key, is_mms) = match tag.strip_suffix(MMS) {
            Some(key) => (key, true),
            None => (&*tag, false),
        };
        let code = json::number(&item["errorCode"]);
        let failure = || match code {
            Some(code) => answer::failure(codes::TABLE, code),
            None => Failure::new(Reason::Unspecified),
        };
        let (progress, failure) = match kind {
            "message-sending" => (Progress::Accepted, None),
            "message-sent" => (Progress::Sent, None),
            "message-delivered" if is_mms && !self.mms_delivery_reports => (Progress::Sent, None),
            "message-delivered" => (Progress::Delivered, None),
            "message-read" => (Progress::Read, None),
            "message-failed" => match code {
                Some(codes::EXPIRED) => (Progress::Expired, Some(failure())),
                Some(code) if codes::NOT_KNOWN.contains(&code) => {
                    (Progress::Unknown, Some(failure()))
                }
                _ => (Progress::Failed, Some(failure())),
            },
            // A word from the future is no evidence of anything.
            _ => return None,
        };
        let id = json::text(&message["id"]).and_then(|id| received::id(ID, &id));
        let about = match key.strip_suffix(GROUP) {
            Some(_) => self.about_member(&id?.value, item)?,
            None => received::about(id, key.parse().ok()),
        };
        (!about.is_empty()).then(|| Report {
            about,
            progress,
            failure,
            at: json::time(&item["time"]),
        })
    }
}
