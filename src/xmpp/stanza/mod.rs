//! Stanzas: a small XML tree, the three kinds with their errors, reading and writing.
//!
//! - [`Element`]: the tree; builders on one side (`with_…`), readers on the other; `"<a/>".parse::<Element>()`.
//! - [`Message`], [`Presence`], [`Iq`]: addresses, id, kind, and the payloads as elements; the parsers of
//!   payloads are in [`xep`](crate::xmpp::xep).
//! - [`Stanza`]: one of the three, as it goes over a stream. [`Invalid`]: what came and is none.
//! - [`StanzaError`]: build one, `…error_reply(&error)` makes the answer, which never exists for an error or a result.

mod attributes;
mod element;
mod encryption;
mod error;
mod invalid;
mod iq;
mod message;
mod name;
mod parse;
mod presence;
mod write;

pub use element::{Element, Node};
pub use encryption::{Encryption, without_otr_tag};
pub use error::{Condition, ErrorType, StanzaError};
pub use invalid::{Fault, Head, Invalid};
pub use iq::{Iq, IqType};
pub use message::{Message, MessageType};
pub use name::Name;
pub(crate) use parse::Parser;
pub use parse::{Limits, ParseError};
pub use presence::{Presence, PresenceType};

use crate::xmpp::{jid::Jid, ns};

/// One stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stanza {
    /// A request or an answer.
    Iq(Iq),
    /// A message.
    Message(Message),
    /// A presence.
    Presence(Presence),
}

impl Stanza {
    /// Who sent it.
    pub fn sender(&self) -> Option<&Jid> {
        match self {
            Self::Iq(Iq { from, .. })
            | Self::Message(Message { from, .. })
            | Self::Presence(Presence { from, .. }) => from.as_ref(),
        }
    }

    /// Who gets it.
    pub fn recipient(&self) -> Option<&Jid> {
        match self {
            Self::Iq(Iq { to, .. })
            | Self::Message(Message { to, .. })
            | Self::Presence(Presence { to, .. }) => to.as_ref(),
        }
    }

    /// The sender's id of it.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Iq(Iq { id, .. })
            | Self::Message(Message { id, .. })
            | Self::Presence(Presence { id, .. }) => id.as_deref(),
        }
    }

    /// Its element name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Iq(_) => "iq",
            Self::Message(_) => "message",
            Self::Presence(_) => "presence",
        }
    }

    /// Appends the stanza as it goes over a stream, whose default namespace is that of stanzas.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'<');
        out.extend_from_slice(self.name().as_bytes());
        for (name, value) in self.attributes() {
            if let Some(value) = value {
                write::push_attribute(out, name, value);
            }
        }
        out.push(b'>');
        for child in self.children() {
            child.write(out, ns::CLIENT);
        }
        out.extend_from_slice(b"</");
        out.extend_from_slice(self.name().as_bytes());
        out.push(b'>');
    }

    /// The stanza as an element, to be put into another one (XEP-0297).
    pub fn to_element(&self) -> Element {
        let mut element = Element::new(self.name(), ns::CLIENT);
        for (name, value) in self.attributes() {
            if let Some(value) = value {
                element.set_attr(name, value);
            }
        }
        element.with_children(self.children().iter().cloned())
    }

    fn attributes(&self) -> [(&'static str, Option<&str>); 5] {
        let (kind, lang) = match self {
            Self::Iq(iq) => (Some(iq.kind.as_str()), &iq.lang),
            Self::Message(message) => (Some(message.kind.as_str()), &message.lang),
            Self::Presence(presence) => (presence.kind.as_str(), &presence.lang),
        };
        [
            ("from", self.sender().map(Jid::as_str)),
            ("to", self.recipient().map(Jid::as_str)),
            ("id", self.id()),
            ("type", kind),
            ("xml:lang", lang.as_deref()),
        ]
    }

    fn children(&self) -> &[Element] {
        match self {
            Self::Iq(Iq { children, .. })
            | Self::Message(Message { children, .. })
            | Self::Presence(Presence { children, .. }) => children,
        }
    }
}

impl From<Iq> for Stanza {
    fn from(iq: Iq) -> Self {
        Self::Iq(iq)
    }
}

impl From<Message> for Stanza {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

impl From<Presence> for Stanza {
    fn from(presence: Presence) -> Self {
        Self::Presence(presence)
    }
}

/// Ids are kept and looked for, and repeated by every receipt and error: those of clients have some forty bytes.
pub const ID_BYTES_MAX: usize = 1024;

/// Reads a stanza's element.
impl TryFrom<Element> for Stanza {
    type Error = Box<Invalid>;

    fn try_from(mut element: Element) -> Result<Self, Box<Invalid>> {
        let address = |name| element.attr(name).map(Jid::new).transpose();
        let (from, to) = match (address("from"), address("to")) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(_), _) => return Err(Invalid::boxed(Fault::BadFrom, &element)),
            (_, Err(_)) => return Err(Invalid::boxed(Fault::BadTo, &element)),
        };
        if element.attr("id").is_some_and(|id| id.len() > ID_BYTES_MAX) {
            return Err(Invalid::boxed(Fault::LongId, &element));
        }
        let id = element.take_attr("id");
        let lang = element.take_attr("xml:lang");
        let kind = element.attr("type");
        match (element.name(), element.namespace()) {
            ("message", ns::CLIENT) => {
                let kind = MessageType::read(kind);
                let children = element.into_children();
                Ok(Self::Message(Message {
                    from,
                    to,
                    id,
                    lang,
                    kind,
                    children,
                }))
            }
            ("presence", ns::CLIENT) => match PresenceType::read(kind) {
                Some(kind) => {
                    let children = element.into_children();
                    Ok(Self::Presence(Presence {
                        from,
                        to,
                        id,
                        lang,
                        kind,
                        children,
                    }))
                }
                None => Err(Invalid::of_parts(Fault::UnknownType, &element, id)),
            },
            ("iq", ns::CLIENT) => match (IqType::read(kind), &id) {
                (Some(kind), Some(_)) => {
                    let children = element.into_children();
                    Ok(Self::Iq(Iq {
                        from,
                        to,
                        id,
                        lang,
                        kind,
                        children,
                    }))
                }
                (Some(_), None) => Err(Invalid::of_parts(Fault::MissingId, &element, id)),
                (None, _) => Err(Invalid::of_parts(Fault::UnknownType, &element, id)),
            },
            _ => Err(Invalid::of_parts(Fault::NoStanza, &element, id)),
        }
    }
}

/// The error among a stanza's payloads.
fn error_of(children: &[Element]) -> StanzaError {
    match children.iter().find(|child| child.is("error", ns::CLIENT)) {
        Some(error) => StanzaError::from_element(error),
        None => StanzaError::new(Condition::UndefinedCondition),
    }
}

#[cfg(test)]
mod tests;
