//! A text that came in, from what its provider said of it.

use transom_adapter::{
    Class, Event, ExternalId, Group, Incoming, Key, MailFacts, MediaRef, Member, MessageRef, Part,
    Refused, Repeats, UnixMillis,
};

use super::fields::Fields;
use crate::{Country, Number};

/// What a provider says of a text; who wrote it and to whom as the provider writes numbers.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    /// How a repeat is known.
    pub(crate) repeats: Repeats,
    /// Who wrote it.
    pub(crate) from: &'a str,
    /// To which of our lines.
    pub(crate) to: &'a str,
    /// What was written.
    pub(crate) text: String,
    /// Which part of a longer text it is.
    pub(crate) part: Option<Part>,
    /// When it was sent.
    pub(crate) sent_at: Option<UnixMillis>,
    /// The pictures that came with it.
    pub(crate) media: Vec<MediaRef>,
    /// Who else got it, as the provider writes numbers; ourselves may be among them.
    pub(crate) others: Vec<String>,
}

impl<'a> Received<'a> {
    /// A text that is known by the provider's id.
    pub(crate) fn new(id: ExternalId, from: &'a str, to: &'a str, text: String) -> Self {
        Self {
            repeats: Repeats::ById(id),
            from,
            to,
            text,
            part: None,
            sent_at: None,
            media: Vec::new(),
            others: Vec::new(),
        }
    }

    /// The event. What was sent by a name instead of a number also keeps the name as it was written.
    pub(crate) fn event(self, home: Country) -> Event {
        let from = Number::received(self.from, home);
        let is_name = matches!(from, Number::Alphanumeric(_)) && !self.from.is_empty();
        Event::Message(Box::new(Incoming {
            repeats: self.repeats,
            to: Number::received(self.to, home).to_address(),
            from: from.to_address(),
            from_name: is_name.then(|| self.from.to_owned()),
            others: self
                .others
                .iter()
                .map(|other| Member::to(Number::received(other, home).to_address()))
                .collect(),
            text: self.text,
            subject: None,
            answers: Vec::new(),
            message_id: None,
            part: self.part,
            class: Class::Human,
            sent_at: self.sent_at,
            attachments: Vec::new(),
            media: self.media,
            mail: MailFacts::default(),
        }))
    }
}

/// The ids of a text to a group: one for each member, who is a part of it.
pub(crate) fn group_ids(kind: &'static str, id: &str, group: &Group) -> Vec<ExternalId> {
    let members = (0_u16..).zip(&group.members);
    let one = |(part, member): (u16, &Member)| {
        let id = member_id(kind, id, member.address.as_str())?;
        Some(id.for_part(part))
    };
    members.filter_map(one).collect()
}

/// The id of one member of a group: that of the text, and the number.
pub(crate) fn member_id(kind: &'static str, text_id: &str, number: &str) -> Option<ExternalId> {
    id(kind, text_id)?;
    Some(ExternalId::new(kind, format!("{text_id}/{number}")))
}

/// A provider's id; `None` when no provider makes such an id: empty, or longer than 128 bytes.
pub(crate) fn id(kind: &'static str, value: &str) -> Option<ExternalId> {
    const BYTES_MAX: usize = 128;
    (1..=BYTES_MAX)
        .contains(&value.len())
        .then(|| ExternalId::new(kind, value))
}

/// The same where there has to be one.
///
/// # Errors
///
/// [`Refused::Malformed`].
pub(crate) fn required_id(kind: &'static str, value: &str) -> Result<ExternalId, Refused> {
    id(kind, value).ok_or(Refused::Malformed)
}

/// Our own key in the query of a URL that we gave with the message.
pub(crate) fn key_in(query: &str) -> Option<Key> {
    Fields::parse(query.as_bytes())?.text("key")?.parse().ok()
}

/// How a report names our message: by the provider's id, and by our own key where the answer with the id was lost.
pub(crate) fn about(id: Option<ExternalId>, key: Option<Key>) -> Vec<MessageRef> {
    let id = id.map(MessageRef::External);
    let key = key.map(|key| MessageRef::Key(key, 0));
    id.into_iter().chain(key).collect()
}

/// An address as providers take it: a number with its plus sign, the digits of a short code.
pub(crate) fn wire(address: &str, home: Country) -> String {
    Number::parse(address, home).map_or_else(|| address.to_owned(), |n| n.wire().to_owned())
}
