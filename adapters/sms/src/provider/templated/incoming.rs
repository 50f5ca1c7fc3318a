//! Reading what a service calls us with, by JSON pointers. A form or a query is read as if it were a JSON object of texts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use transom_adapter::{
    Event, ExternalId, Failure, MessageRef, Progress, Reason, Refused, Repeats, Report,
};

use crate::{
    Country,
    provider::{
        fields::Fields,
        json,
        received::{self, Received},
    },
};

/// `[gateway.X.provider.Y.webhook]`: where things stand in a call. Pointers are those of RFC 6901.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The list of messages or reports, when a call brings several; the other pointers then begin at each of them.
    pub items: Option<String>,
    /// Who wrote. A call that has both this and `text` is a message.
    pub from: Option<String>,
    /// To which line.
    pub to: Option<String>,
    /// What was written.
    pub text: Option<String>,
    /// The id of a message that came in, by which a repeat is known.
    pub id: Option<String>,
    /// When it was sent, in RFC 3339.
    pub time: Option<String>,
    /// How far a message of ours came. A call that has this is a report.
    pub state: Option<String>,
    /// What the words of `state` mean.
    #[serde(default)]
    pub states: BTreeMap<String, Meaning>,
    /// In a report: the id that the service gave our message.
    pub message_id: Option<String>,
    /// In a report: the `key` that it was sent with.
    pub key: Option<String>,
    /// In a report: the code of the failure, for the admin.
    pub code: Option<String>,
}

/// What a state means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "MeaningOfState")]
pub enum Meaning {
    /// The service has it.
    Accepted,
    /// It left the service.
    Sent,
    /// The handset has it.
    Delivered,
    /// Will not arrive.
    Failed,
    /// Given up because it waited too long.
    Expired,
    /// The service does not know.
    Unknown,
}

impl Mapping {
    /// Whether it can tell that a handset has a text.
    pub(super) fn reports_delivery(&self) -> bool {
        self.state.is_some()
            && self
                .states
                .values()
                .any(|meaning| *meaning == Meaning::Delivered)
    }

    /// The pointers by their keys.
    pub(super) fn pointers(&self) -> [(&'static str, &Option<String>); 10] {
        [
            ("webhook.items", &self.items),
            ("webhook.from", &self.from),
            ("webhook.to", &self.to),
            ("webhook.text", &self.text),
            ("webhook.id", &self.id),
            ("webhook.time", &self.time),
            ("webhook.state", &self.state),
            ("webhook.message_id", &self.message_id),
            ("webhook.key", &self.key),
            ("webhook.code", &self.code),
        ]
    }

    /// Reads a call whose token was right.
    ///
    /// # Errors
    ///
    /// [`Refused::Malformed`].
    pub fn events(&self, query: &str, body: &[u8], home: Country) -> Result<Vec<Event>, Refused> {
        let call = document(query, body)?;
        let items = match &self.items {
            Some(pointer) => json::items(call.pointer(pointer).ok_or(Refused::Malformed)?),
            None => std::slice::from_ref(&call),
        };
        let mut events = Vec::new();
        for item in items {
            if at(self.state.as_ref(), item).is_some() {
                events.extend(self.report(item));
            } else if let (Some(from), Some(text)) =
                (at(self.from.as_ref(), item), at(self.text.as_ref(), item))
            {
                events.push(self.message(item, &from, text, home)?);
            }
        }
        Ok(events)
    }

    fn message(
        &self,
        item: &Value,
        from: &str,
        text: String,
        home: Country,
    ) -> Result<Event, Refused> {
        let to = at(self.to.as_ref(), item).ok_or(Refused::Malformed)?;
        let id = at(self.id.as_ref(), item).and_then(|id| received::id("http-in", &id));
        let repeats = match id {
            Some(id) => Repeats::ById(id),
            // Services repeat a call that was not answered; without an id, an identical one.
            None => Repeats::ByDigest(Sha256::digest(item.to_string()).into()),
        };
        let mut received = Received::new(ExternalId::new("http-in", ""), from, &to, text);
        received.repeats = repeats;
        received.sent_at = self
            .time
            .as_deref()
            .and_then(|at| item.pointer(at))
            .and_then(json::time);
        Ok(received.event(home))
    }

    /// `None` for a state without a meaning, and for a report about nothing.
    fn report(&self, item: &Value) -> Option<Event> {
        let word = at(self.state.as_ref(), item)?;
        let meaning = self.states.get(&word)?;
        let key = at(self.key.as_ref(), item).and_then(|key| key.parse().ok());
        let key = key.map(|key| MessageRef::Key(key, 0));
        let id = at(self.message_id.as_ref(), item).and_then(|id| received::id("http", &id));
        let about: Vec<_> = key
            .into_iter()
            .chain(id.map(MessageRef::External))
            .collect();
        let (progress, reason) = match meaning {
            Meaning::Accepted => (Progress::Accepted, None),
            Meaning::Sent => (Progress::Sent, None),
            Meaning::Delivered => (Progress::Delivered, None),
            Meaning::Failed => (Progress::Failed, Some(Reason::Unspecified)),
            Meaning::Expired => (Progress::Expired, Some(Reason::Expired)),
            Meaning::Unknown => (Progress::Unknown, Some(Reason::Unspecified)),
        };
        let code = at(self.code.as_ref(), item).filter(|code| is_code(code));
        let failure = reason.map(|reason| Failure::new(reason).with_code(code.unwrap_or(word)));
        (!about.is_empty()).then_some(Event::Report(Report {
            about,
            progress,
            failure,
            at: None,
        }))
    }
}

/// What stands there, as text; `None` when nothing does.
fn at(pointer: Option<&String>, item: &Value) -> Option<String> {
    let value = item.pointer(pointer?)?;
    json::filled(value).map(std::borrow::Cow::into_owned)
}

/// Short and plain, so that it is no text and no number of anybody.
fn is_code(code: &str) -> bool {
    code.len() <= 24
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn document(query: &str, body: &[u8]) -> Result<Value, Refused> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'{' | b'[')) {
        return json::parse(body);
    }
    let mut object = Map::new();
    for encoded in [query.as_bytes(), body] {
        let fields = Fields::parse(encoded).ok_or(Refused::Malformed)?;
        for (name, value) in fields.sorted() {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            object.insert(text(name), text(value).into());
        }
    }
    if object.is_empty() {
        return Err(Refused::Malformed);
    }
    Ok(Value::Object(object))
}
