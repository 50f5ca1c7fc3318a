//! What came over a stream in good XML and is no stanza for us. It never ends the stream: whoever may write
//! to a contact can have such a thing sent.

use super::{
    Condition, Element, Iq, IqType, Message, MessageType, ParseError, Presence, PresenceType,
    Stanza, StanzaError,
};
use crate::xmpp::jid::Jid;

/// A stanza that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// What is wrong with it.
    pub fault: Fault,
    /// What could be read of its open tag.
    pub head: Head,
}

/// What is wrong with a stanza.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `from` is no JID.
    #[error("the sender's address is malformed")]
    BadFrom,
    /// `to` is no JID.
    #[error("the recipient's address is malformed")]
    BadTo,
    /// An iq without id.
    #[error("an iq without id")]
    MissingId,
    /// Its id is longer than [`ID_BYTES_MAX`](super::ID_BYTES_MAX).
    #[error("an id of more than {} bytes", super::ID_BYTES_MAX)]
    LongId,
    /// It is neither message nor presence nor iq.
    #[error("neither message nor presence nor iq")]
    NoStanza,
    /// It is addressed to a domain that is not the component's: ejabberd's `global_routes` does that.
    #[error("addressed to another domain than this component's")]
    NotOurs,
    /// It is bigger than our limits, or uses namespaces wrongly.
    #[error(transparent)]
    Unreadable(#[from] ParseError),
    /// Its type is none that an iq or a presence can have.
    #[error("unknown type")]
    UnknownType,
}

/// What could be read of a stanza's open tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `message`, `presence`, `iq` or something else.
    pub name: String,
    /// The sender, if it is a JID.
    pub from: Option<Jid>,
    /// The recipient, if it is a JID.
    pub to: Option<Jid>,
    /// The sender's id of it.
    pub id: Option<String>,
    /// The type as it stood there.
    pub kind: Option<String>,
}

impl Invalid {
    pub(crate) fn boxed(fault: Fault, element: &Element) -> Box<Self> {
        Box::new(Self {
            fault,
            head: Head::of(element),
        })
    }

    /// Like [`boxed`](Self::boxed) for an element whose id was taken out.
    pub(super) fn of_parts(fault: Fault, element: &Element, id: Option<String>) -> Box<Self> {
        let head = Head {
            id,
            ..Head::of(element)
        };
        Box::new(Self { fault, head })
    }

    /// The answer to it; `None` when nobody can be answered or nobody must be (errors and results).
    pub fn error_reply(&self) -> Option<Stanza> {
        let Head {
            name,
            from,
            to,
            id,
            kind,
        } = &self.head;
        if matches!(kind.as_deref(), Some("error" | "result")) || self.fault == Fault::NotOurs {
            return None;
        }
        let (sender, recipient) = (from.clone()?, to.clone()?);
        let error = StanzaError::new(self.condition())
            .with_text("en", self.fault.to_string())
            .to_element();
        Some(match name.as_str() {
            "iq" => Iq {
                id: id.clone(),
                ..Iq::new(IqType::Error, recipient, sender).with_child(error)
            }
            .into(),
            "message" => Message {
                id: id.clone(),
                ..Message::new(MessageType::Error, recipient, sender).with_child(error)
            }
            .into(),
            "presence" => Presence {
                id: id.clone(),
                ..Presence::new(PresenceType::Error, recipient, sender).with_child(error)
            }
            .into(),
            _ => return None,
        })
    }

    fn condition(&self) -> Condition {
        match self.fault {
            Fault::BadFrom | Fault::BadTo => Condition::JidMalformed,
            Fault::Unreadable(ParseError::TooBig { .. }) | Fault::LongId => {
                Condition::NotAcceptable
            }
            _ => Condition::BadRequest,
        }
    }
}

impl Head {
    pub(crate) fn of(element: &Element) -> Self {
        let address = |name| element.attr(name).and_then(|text| Jid::new(text).ok());
        Self {
            name: element.name().to_owned(),
            from: address("from"),
            to: address("to"),
            id: element.attr("id").map(str::to_owned),
            kind: element.attr("type").map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::stanza::ID_BYTES_MAX;

    #[track_caller]
    fn invalid(xml: &str) -> Invalid {
        let element: Element = xml.parse().unwrap();
        *Stanza::try_from(element).unwrap_err()
    }

    #[test]
    fn each_fault_has_its_answer() {
        let bad = invalid(
            "<iq xmlns='jabber:client' from='a@b/c' to='sms.b' type='ask' id='1'><x xmlns='y'/></iq>",
        );
        assert_eq!(bad.fault, Fault::UnknownType);
        let Some(Stanza::Iq(answer)) = bad.error_reply() else {
            panic!("no answer")
        };
        assert_eq!(answer.id.as_deref(), Some("1"));
        assert_eq!(answer.to, bad.head.from);
        assert_eq!(answer.error().unwrap().condition, Condition::BadRequest);

        let bad = invalid("<presence xmlns='jabber:client' from='a@b/c' to='sms.b' type='ask'/>");
        assert!(matches!(bad.error_reply(), Some(Stanza::Presence(_))));
        let bad = invalid("<iq xmlns='jabber:client' from='a@b/c' to='sms.b' type='get'/>");
        assert_eq!(bad.fault, Fault::MissingId);
    }

    #[test]
    fn an_id_that_is_too_long_to_keep_is_answered() {
        let with_id = |length| {
            let id = "x".repeat(length);
            format!("<message xmlns='jabber:client' from='a@b' to='c@sms.b' id='{id}'/>")
        };
        let bad = invalid(&with_id(ID_BYTES_MAX + 1));
        assert_eq!(bad.fault, Fault::LongId);
        let Some(Stanza::Message(answer)) = bad.error_reply() else {
            panic!("no answer")
        };
        assert_eq!(answer.id.map(|id| id.len()), Some(ID_BYTES_MAX + 1));
        let element: Element = with_id(ID_BYTES_MAX).parse().unwrap();
        assert!(Stanza::try_from(element).is_ok());
    }

    #[test]
    fn without_addresses_there_is_no_answer() {
        let bad = invalid("<message xmlns='jabber:client' from='@' to='sms.b' id='1'/>");
        assert_eq!((&bad.fault, bad.error_reply()), (&Fault::BadFrom, None));
        let bad = invalid("<message xmlns='jabber:client' from='a@b' to='a@b@c'/>");
        assert_eq!((&bad.fault, bad.error_reply()), (&Fault::BadTo, None));
        assert_eq!(bad.head.from, Jid::new("a@b").ok());
    }

    #[test]
    fn errors_and_results_are_never_answered() {
        for kind in ["error", "result"] {
            let bad = invalid(&format!(
                "<iq xmlns='jabber:client' from='a@b' to='c' type='{kind}'/>"
            ));
            assert_eq!(bad.error_reply(), None);
        }
    }

    #[test]
    fn other_elements_are_no_stanzas() {
        for xml in [
            "<body xmlns='jabber:client'/>",
            "<message xmlns='urn:example:x' from='a@b' to='c'/>",
            "<message/>",
        ] {
            assert_eq!(invalid(xml).fault, Fault::NoStanza, "for {xml}");
        }
    }
}
