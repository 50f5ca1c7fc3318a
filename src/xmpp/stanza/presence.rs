//! Presence (RFC 6121 §4).

use std::borrow::Cow;

use super::{Element, StanzaError};
use crate::xmpp::{jid::Jid, ns};

/// A presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Who sent it.
    pub from: Option<Jid>,
    /// Who gets it.
    pub to: Option<Jid>,
    /// The sender's id of it.
    pub id: Option<String>,
    /// The language of its texts.
    pub lang: Option<String>,
    /// What kind it is.
    pub kind: PresenceType,
    /// Everything in it, known or not.
    pub children: Vec<Element>,
}

/// The kind of a presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PresenceType {
    /// No type: the sender is there.
    Available,
    /// An earlier presence failed.
    Error,
    /// A server asks for the current presence.
    Probe,
    /// The sender wants to see the recipient's presence.
    Subscribe,
    /// The sender lets the recipient see its presence.
    Subscribed,
    /// The sender is gone.
    Unavailable,
    /// The sender no longer wants to see the recipient's presence.
    Unsubscribe,
    /// The sender no longer lets the recipient see its presence.
    Unsubscribed,
}

impl Presence {
    /// A presence without content.
    pub fn new(kind: PresenceType, from: impl Into<Jid>, to: impl Into<Jid>) -> Self {
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

    /// Sets the id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Adds a payload.
    #[must_use]
    pub fn with_child(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    /// Adds a text about what the sender does.
    #[must_use]
    pub fn with_status(self, status: impl Into<String>) -> Self {
        self.with_child(Element::text_only("status", ns::CLIENT, status))
    }

    /// The first payload with this name in this namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(name, namespace))
    }

    /// What the sender says about itself.
    pub fn status(&self) -> Option<Cow<'_, str>> {
        self.child("status", ns::CLIENT).map(Element::text)
    }

    /// How far the sender wants to be talked to: `away`, `chat`, `dnd`, `xa`.
    pub fn show(&self) -> Option<Cow<'_, str>> {
        self.child("show", ns::CLIENT).map(Element::text)
    }

    /// The error, when this tells of one.
    pub fn error(&self) -> Option<StanzaError> {
        (self.kind == PresenceType::Error).then(|| super::error_of(&self.children))
    }

    /// The presence that tells the sender of an error; `None` when this is an error itself.
    pub fn error_reply(&self, error: &StanzaError) -> Option<Self> {
        // RFC 6120 §8.3.1
        if self.kind == PresenceType::Error {
            return None;
        }
        Some(Self {
            from: self.to.clone(),
            to: self.from.clone(),
            id: self.id.clone(),
            lang: None,
            kind: PresenceType::Error,
            children: vec![error.to_element()],
        })
    }
}

impl PresenceType {
    /// As it stands on the wire; nothing for [`Available`](Self::Available).
    pub fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Self::Available => return None,
            Self::Error => "error",
            Self::Probe => "probe",
            Self::Subscribe => "subscribe",
            Self::Subscribed => "subscribed",
            Self::Unavailable => "unavailable",
            Self::Unsubscribe => "unsubscribe",
            Self::Unsubscribed => "unsubscribed",
        })
    }

    pub(super) fn read(text: Option<&str>) -> Option<Self> {
        Some(match text {
            None => Self::Available,
            Some("error") => Self::Error,
            Some("probe") => Self::Probe,
            Some("subscribe") => Self::Subscribe,
            Some("subscribed") => Self::Subscribed,
            Some("unavailable") => Self::Unavailable,
            Some("unsubscribe") => Self::Unsubscribe,
            Some("unsubscribed") => Self::Unsubscribed,
            Some(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::stanza::{Condition, Stanza};

    #[test]
    fn every_type_survives() {
        for name in [
            "error",
            "probe",
            "subscribe",
            "subscribed",
            "unavailable",
            "unsubscribe",
            "unsubscribed",
        ] {
            assert_eq!(
                PresenceType::read(Some(name)).and_then(PresenceType::as_str),
                Some(name)
            );
        }
        assert_eq!(PresenceType::read(None), Some(PresenceType::Available));
        assert_eq!(PresenceType::read(Some("strange")), None);
    }

    #[test]
    fn texts_are_read() {
        let element: Element =
            "<presence xmlns='jabber:client' from='a@b/c' to='d'><show>away</show>\
                                <status>lunch</status></presence>"
                .parse()
                .unwrap();
        let Ok(Stanza::Presence(presence)) = Stanza::try_from(element) else {
            panic!("not a presence")
        };
        assert_eq!(presence.kind, PresenceType::Available);
        assert_eq!(presence.show().as_deref(), Some("away"));
        assert_eq!(presence.status().as_deref(), Some("lunch"));
    }

    #[test]
    fn an_error_is_never_answered() {
        let error = StanzaError::new(Condition::ItemNotFound);
        let presence = Presence::new(
            PresenceType::Subscribe,
            Jid::new("a@b").unwrap(),
            Jid::new("c@d").unwrap(),
        );
        let answer = presence.error_reply(&error).unwrap();
        assert_eq!(answer.to, presence.from);
        assert_eq!(answer.error_reply(&error), None);
    }
}
