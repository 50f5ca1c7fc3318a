//! Messages (RFC 6121 §5).

use std::borrow::Cow;

use super::{Element, Encryption, ID_BYTES_MAX, StanzaError, encryption};
use crate::xmpp::{jid::Jid, ns, xep::hints::Hints};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub from: Option<Jid>,
    /// Who gets it.
    pub to: Option<Jid>,
    /// The sender's id of it; not unique over time or among senders.
    pub id: Option<String>,
    /// The language of its texts.
    pub lang: Option<String>,
    /// What kind it is.
    pub kind: MessageType,
    /// Everything in it, known or not.
    pub children: Vec<Element>,
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Part of a one-to-one conversation.
    Chat,
    /// An earlier message failed.
    Error,
    /// From or to a room.
    Groupchat,
    /// News that wants no answer.
    Headline,
    /// A single message; also every type that nobody knows (RFC 6121 §5.2.2).
    #[default]
    Normal,
}

impl Message {
    /// A message without content.
    pub fn new(kind: MessageType, from: impl Into<Jid>, to: impl Into<Jid>) -> Self {
        let (from, to) = (Some(from.into()), Some(to.into()));
        Self {
            from,
            to,
            id: None,
            lang: None,
            kind,
            children: Vec::new(),
        }
    }

    /// A chat message without content.
    pub fn chat(from: impl Into<Jid>, to: impl Into<Jid>) -> Self {
        Self::new(MessageType::Chat, from, to)
    }

    /// Sets the id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the language.
    #[must_use]
    pub fn with_lang(mut self, lang: impl Into<String>) -> Self {
        self.lang = Some(lang.into());
        self
    }

    /// Adds a payload.
    #[must_use]
    pub fn with_child(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    /// Adds the text.
    #[must_use]
    pub fn with_body(self, body: impl Into<String>) -> Self {
        self.with_child(Element::text_only("body", ns::CLIENT, body))
    }

    /// Adds a subject.
    #[must_use]
    pub fn with_subject(self, subject: impl Into<String>) -> Self {
        self.with_child(Element::text_only("subject", ns::CLIENT, subject))
    }

    /// Adds the thread it belongs to.
    #[must_use]
    pub fn with_thread(self, thread: impl Into<String>) -> Self {
        self.with_child(Element::text_only("thread", ns::CLIENT, thread))
    }

    /// Adds an origin id (XEP-0359).
    #[must_use]
    pub fn with_origin_id(self, id: impl Into<String>) -> Self {
        self.with_child(Element::new("origin-id", ns::STANZA_ID).with_attr("id", id))
    }

    /// Says which message this one answers (XEP-0461).
    #[must_use]
    pub fn with_reply_to(self, author: &Jid, id: impl Into<String>) -> Self {
        let reply = Element::new("reply", ns::REPLY).with_attr("to", author.as_str());
        self.with_child(reply.with_attr("id", id))
    }

    /// The text: the one without a language of its own, else the first.
    pub fn body(&self) -> Option<Cow<'_, str>> {
        self.own_text("body")
    }

    /// The subject, chosen like [`body`](Self::body).
    pub fn subject(&self) -> Option<Cow<'_, str>> {
        self.own_text("subject")
    }

    /// The thread; an empty one is none.
    pub fn thread(&self) -> Option<Cow<'_, str>> {
        self.own_text("thread").filter(|thread| !thread.is_empty())
    }

    /// The id that stays the same when a client sends once more (XEP-0359); none that is longer than an id may be.
    pub fn origin_id(&self) -> Option<&str> {
        let id = self.id_of("origin-id", ns::STANZA_ID)?;
        (id.len() <= ID_BYTES_MAX).then_some(id)
    }

    /// Whether the sender asks for a receipt (XEP-0184).
    pub fn wants_receipt(&self) -> bool {
        self.child("request", ns::RECEIPTS).is_some()
    }

    /// The message that this one is the receipt of (XEP-0184).
    pub fn received_id(&self) -> Option<&str> {
        self.id_of("received", ns::RECEIPTS)
    }

    /// The message that this one corrects (XEP-0308).
    pub fn replaces(&self) -> Option<&str> {
        self.id_of("replace", ns::CORRECT)
    }

    /// The message that this one takes back (XEP-0424).
    pub fn retracts(&self) -> Option<&str> {
        self.id_of("retract", ns::RETRACT).or_else(|| {
            // XEP-0424 0.3: the id stood on the fastening.
            let fastening = self.child("apply-to", ns::FASTEN)?;
            fastening.child("retract", ns::RETRACT_0)?;
            fastening.attr("id").filter(|id| !id.is_empty())
        })
    }

    /// The message that this one answers (XEP-0461).
    pub fn reply_to(&self) -> Option<&str> {
        self.id_of("reply", ns::REPLY)
    }

    /// Whether, and how, only the recipient's client could read it.
    pub fn is_encrypted(&self) -> Option<Encryption> {
        encryption::detect(self)
    }

    /// Whether its characters are no marks (XEP-0393).
    pub fn is_unstyled(&self) -> bool {
        self.child("unstyled", ns::STYLING).is_some()
    }

    /// What servers are asked to do with it (XEP-0334).
    pub fn hints(&self) -> Hints {
        Hints::of(&self.children)
    }

    /// The error, when this tells of one.
    pub fn error(&self) -> Option<StanzaError> {
        (self.kind == MessageType::Error).then(|| super::error_of(&self.children))
    }

    /// The first payload with this name in this namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(name, namespace))
    }

    /// The message that tells the sender of an error; `None` when this is an error itself.
    pub fn error_reply(&self, error: &StanzaError) -> Option<Self> {
        // RFC 6120 §8.3.1: errors are never answered with errors.
        if self.kind == MessageType::Error {
            return None;
        }
        Some(Self {
            from: self.to.clone(),
            to: self.from.clone(),
            id: self.id.clone(),
            lang: None,
            kind: MessageType::Error,
            children: vec![error.to_element()],
        })
    }

    fn own_text(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut all = self
            .children
            .iter()
            .filter(|child| child.is(name, ns::CLIENT));
        let first = all.clone().next()?;
        Some(
            all.find(|child| child.attr("xml:lang").is_none())
                .unwrap_or(first)
                .text(),
        )
    }

    fn id_of(&self, name: &str, namespace: &str) -> Option<&str> {
        self.child(name, namespace)?
            .attr("id")
            .filter(|id| !id.is_empty())
    }
}

impl MessageType {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Error => "error",
            Self::Groupchat => "groupchat",
            Self::Headline => "headline",
            Self::Normal => "normal",
        }
    }

    pub(super) fn read(text: Option<&str>) -> Self {
        match text {
            Some("chat") => Self::Chat,
            Some("error") => Self::Error,
            Some("groupchat") => Self::Groupchat,
            Some("headline") => Self::Headline,
            _ => Self::Normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::stanza::{Condition, Stanza};

    fn read(xml: &str) -> Message {
        let element: Element = xml.parse().unwrap();
        match Stanza::try_from(element) {
            Ok(Stanza::Message(message)) => message,
            other => panic!("not a message: {other:?}"),
        }
    }

    #[test]
    fn a_full_message_is_read() {
        let message = read(
            "<message xmlns='jabber:client' from='alice@example.org/phone' to='+12025550147@sms.example.org' \
             type='chat' id='m1' xml:lang='en'><body>hi</body><thread>t</thread><subject>s</subject>\
             <request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>\
             <replace xmlns='urn:xmpp:message-correct:0' id='m0'/>\
             <reply xmlns='urn:xmpp:reply:0' to='a@b' id='r0'/></message>",
        );
        assert_eq!(message.kind, MessageType::Chat);
        assert_eq!(message.id.as_deref(), Some("m1"));
        assert_eq!(message.lang.as_deref(), Some("en"));
        assert_eq!(message.body().as_deref(), Some("hi"));
        assert_eq!(message.thread().as_deref(), Some("t"));
        assert_eq!(message.subject().as_deref(), Some("s"));
        assert_eq!(message.origin_id(), Some("o1"));
        assert_eq!(message.replaces(), Some("m0"));
        assert_eq!(message.reply_to(), Some("r0"));
        assert!(message.wants_receipt());
        assert_eq!(message.received_id(), None);
        assert_eq!(message.retracts(), None);
        assert_eq!(message.error(), None);
    }

    #[test]
    fn the_body_without_language_is_preferred() {
        let message = read(
            "<message xmlns='jabber:client'><body xml:lang='de'>hallo</body><body>hi</body>\
             <body xmlns='urn:example:x'>no</body></message>",
        );
        assert_eq!(message.body().as_deref(), Some("hi"));
        let message = read(
            "<message xmlns='jabber:client'><body xml:lang='de'>a</body><body xml:lang='fr'>b</body></message>",
        );
        assert_eq!(message.body().as_deref(), Some("a"));
        assert_eq!(read("<message xmlns='jabber:client'/>").body(), None);
    }

    #[test]
    fn both_versions_of_retraction_are_read() {
        let one = read(
            "<message xmlns='jabber:client'><retract xmlns='urn:xmpp:message-retract:1' id='a'/></message>",
        );
        let zero = read(
            "<message xmlns='jabber:client'><apply-to xmlns='urn:xmpp:fasten:0' id='b'>\
             <retract xmlns='urn:xmpp:message-retract:0'/></apply-to></message>",
        );
        assert_eq!((one.retracts(), zero.retracts()), (Some("a"), Some("b")));
    }

    #[test]
    fn an_unknown_type_is_normal_and_ids_are_not_empty() {
        let message = read(
            "<message xmlns='jabber:client' type='strange'><received xmlns='urn:xmpp:receipts' id=''/>\
             <origin-id xmlns='urn:xmpp:sid:0'/></message>",
        );
        assert_eq!(message.kind, MessageType::Normal);
        assert_eq!(message.received_id(), None);
        assert_eq!(message.origin_id(), None);
    }

    #[test]
    fn an_error_is_never_answered() {
        let error = StanzaError::new(Condition::NotAllowed);
        let from = Jid::new("a@example.org/x").unwrap();
        let to = Jid::new("b@sms.example.org").unwrap();
        let answer = Message::chat(from.clone(), to.clone())
            .with_id("7")
            .error_reply(&error)
            .unwrap();
        assert_eq!(
            (answer.from.as_ref(), answer.to.as_ref()),
            (Some(&to), Some(&from))
        );
        assert_eq!(answer.id.as_deref(), Some("7"));
        assert_eq!(answer.error(), Some(error.clone()));
        assert_eq!(answer.error_reply(&error), None);
    }
}
