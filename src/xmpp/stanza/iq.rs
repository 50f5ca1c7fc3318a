//! Requests and their answers (RFC 6120 §8.2.3).

use super::{Element, StanzaError};
use crate::xmpp::jid::Jid;

/// A request or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iq {
    /// Who sent it.
    pub from: Option<Jid>,
    /// Who gets it.
    pub to: Option<Jid>,
    /// What ties the answer to the request; there whenever the iq came from outside.
    pub id: Option<String>,
    /// The language of its texts.
    pub lang: Option<String>,
    /// What kind it is.
    pub kind: IqType,
    /// Everything in it, known or not.
    pub children: Vec<Element>,
}

/// The kind of an iq.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IqType {
    /// Asks for something.
    Get,
    /// Asks to change something.
    Set,
    /// The request succeeded.
    Result,
    /// The request failed.
    Error,
}

impl Iq {
    /// An iq without id.
    pub fn new(kind: IqType, from: impl Into<Jid>, to: impl Into<Jid>) -> Self {
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

    /// A request for something. Without id [`LinkHandle::request`](crate::xmpp::stream::LinkHandle::request) gives one.
    pub fn get(from: impl Into<Jid>, to: impl Into<Jid>, payload: Element) -> Self {
        Self::new(IqType::Get, from, to).with_child(payload)
    }

    /// A request to change something.
    pub fn set(from: impl Into<Jid>, to: impl Into<Jid>, payload: Element) -> Self {
        Self::new(IqType::Set, from, to).with_child(payload)
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

    /// Whether it must be answered.
    pub fn is_request(&self) -> bool {
        matches!(self.kind, IqType::Get | IqType::Set)
    }

    /// What is asked or answered: the first child that is no error.
    pub fn payload(&self) -> Option<&Element> {
        self.children
            .iter()
            .find(|child| !child.is("error", crate::xmpp::ns::CLIENT))
    }

    /// The first payload with this name in this namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(name, namespace))
    }

    /// The error, when this tells of one.
    pub fn error(&self) -> Option<StanzaError> {
        (self.kind == IqType::Error).then(|| super::error_of(&self.children))
    }

    /// The answer that it worked; `None` when this is an answer itself.
    pub fn result(&self, payload: Option<Element>) -> Option<Self> {
        self.answer(IqType::Result, payload)
    }

    /// The answer that it failed; `None` when this is an answer itself.
    pub fn error_reply(&self, error: &StanzaError) -> Option<Self> {
        self.answer(IqType::Error, Some(error.to_element()))
    }

    // RFC 6120 §8.2.3: answers are never answered.
    fn answer(&self, kind: IqType, payload: Option<Element>) -> Option<Self> {
        self.is_request().then(|| Self {
            from: self.to.clone(),
            to: self.from.clone(),
            id: self.id.clone(),
            lang: None,
            kind,
            children: payload.into_iter().collect(),
        })
    }
}

impl IqType {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Result => "result",
            Self::Error => "error",
        }
    }

    pub(super) fn read(text: Option<&str>) -> Option<Self> {
        Some(match text? {
            "get" => Self::Get,
            "set" => Self::Set,
            "result" => Self::Result,
            "error" => Self::Error,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{ns, stanza::Condition};

    fn request() -> Iq {
        let ping = Element::new("ping", ns::PING);
        Iq::get(
            Jid::new("a@example.org/x").unwrap(),
            Jid::new("sms.example.org").unwrap(),
            ping,
        )
        .with_id("9")
    }

    #[test]
    fn answers_go_back_with_the_same_id() {
        let request = request();
        for answer in [
            request.result(None).unwrap(),
            request
                .error_reply(&StanzaError::new(Condition::ServiceUnavailable))
                .unwrap(),
        ] {
            assert_eq!((&answer.from, &answer.to), (&request.to, &request.from));
            assert_eq!(answer.id, request.id);
            assert!(!answer.is_request());
        }
    }

    #[test]
    fn answers_are_never_answered() {
        let error = StanzaError::new(Condition::ServiceUnavailable);
        for answer in [
            request().result(None).unwrap(),
            request().error_reply(&error).unwrap(),
        ] {
            assert_eq!(answer.result(None), None);
            assert_eq!(answer.error_reply(&error), None);
        }
    }

    #[test]
    fn the_payload_is_not_the_error() {
        let error = StanzaError::new(Condition::Forbidden);
        let mut answer = request().error_reply(&error).unwrap();
        assert_eq!(answer.payload(), None);
        assert_eq!(answer.error(), Some(error));
        answer.children.push(Element::new("ping", ns::PING));
        assert!(
            answer
                .payload()
                .is_some_and(|payload| payload.is("ping", ns::PING))
        );
    }
}
