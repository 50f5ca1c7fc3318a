//! XEP-0050: Ad-Hoc Commands.

use super::forms::{Form, FormType};
use crate::xmpp::{
    ns,
    stanza::{Condition, Element, ErrorType, Iq, IqType, StanzaError},
};

/// What a client wants with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which command.
    pub node: String,
    /// The session that goes on; nothing: a new one.
    pub session: Option<String>,
    /// What to do.
    pub action: Action,
    /// What was filled in.
    pub form: Option<Form>,
}

/// What to do with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Begin, or do what the server named.
    Execute,
    /// Give up.
    Cancel,
    /// One form back.
    Prev,
    /// One form on.
    Next,
    /// On to the end.
    Complete,
}

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A form is to be filled in.
    Executing,
    /// It is over.
    Completed,
    /// It was given up.
    Canceled,
}

/// A sentence beside the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether something is wrong.
    pub is_error: bool,
    /// The sentence.
    pub text: String,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Which command.
    pub node: String,
    /// The session.
    pub session: String,
    /// Where it stands.
    pub status: Status,
    /// What may be done next, the usual one first; only while executing.
    pub actions: Vec<Action>,
    /// Sentences.
    pub notes: Vec<Note>,
    /// The form, or the result.
    pub form: Option<Form>,
    /// The language of all that.
    pub lang: &'static str,
}

/// Why a request cannot be used (XEP-0050 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No such action, or not now.
    BadAction,
    /// No such action at all.
    MalformedAction,
    /// The session is nobody's, or another's.
    BadSession,
    /// The session was forgotten.
    SessionExpired,
    /// What was filled in cannot be read.
    BadPayload,
}

impl Request {
    /// Reads a request; `None` for any other iq.
    ///
    /// # Errors
    ///
    /// [`Fault::MalformedAction`] and [`Fault::BadPayload`].
    pub fn parse(iq: &Iq) -> Option<Result<Self, Fault>> {
        let command = iq.child("command", ns::COMMANDS)?;
        if iq.kind != IqType::Set {
            return Some(Err(Fault::BadPayload));
        }
        Some(Self::read(command))
    }

    fn read(command: &Element) -> Result<Self, Fault> {
        let action = match command.attr("action") {
            None | Some("execute") => Action::Execute,
            Some("cancel") => Action::Cancel,
            Some("prev") => Action::Prev,
            Some("next") => Action::Next,
            Some("complete") => Action::Complete,
            Some(_) => return Err(Fault::MalformedAction),
        };
        let form = match command.child("x", ns::FORMS) {
            Some(form) => Some(Form::from_element(form).ok_or(Fault::BadPayload)?),
            None => None,
        };
        // XEP-0004 §2: a form that was given up.
        let given_up = form
            .as_ref()
            .is_some_and(|form| form.kind == FormType::Cancel);
        Ok(Self {
            node: command.attr("node").unwrap_or_default().to_owned(),
            session: command.attr("sessionid").map(str::to_owned),
            action: if given_up { Action::Cancel } else { action },
            form: form.filter(|form| form.kind == FormType::Submit),
        })
    }
}

impl Stage {
    /// The answer's payload.
    pub fn to_element(&self) -> Element {
        let status = match self.status {
            Status::Executing => "executing",
            Status::Completed => "completed",
            Status::Canceled => "canceled",
        };
        let note = |note: &Note| {
            let kind = if note.is_error { "error" } else { "info" };
            Element::text_only("note", ns::COMMANDS, note.text.as_str()).with_attr("type", kind)
        };
        Element::new("command", ns::COMMANDS)
            .with_attr("node", self.node.as_str())
            .with_attr("sessionid", self.session.as_str())
            .with_attr("status", status)
            .with_attr("xml:lang", self.lang)
            .with_children(self.actions())
            .with_children(self.notes.iter().map(note))
            .with_children(self.form.as_ref().map(Form::to_element))
    }

    /// XEP-0050 §3.4: only what is listed may be done, `execute` stands for the usual one.
    fn actions(&self) -> Option<Element> {
        let usual = self.actions.first()?;
        let action = |action: &Action| Element::new(action.as_str(), ns::COMMANDS);
        Some(
            Element::new("actions", ns::COMMANDS)
                .with_attr("execute", usual.as_str())
                .with_children(self.actions.iter().map(action)),
        )
    }
}

impl Action {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Cancel => "cancel",
            Self::Prev => "prev",
            Self::Next => "next",
            Self::Complete => "complete",
        }
    }
}

impl Fault {
    /// XEP-0050 §4.4.
    pub fn error(self) -> StanzaError {
        let (condition, name) = match self {
            Self::BadAction => (Condition::BadRequest, "bad-action"),
            Self::MalformedAction => (Condition::BadRequest, "malformed-action"),
            Self::BadSession => (Condition::BadRequest, "bad-sessionid"),
            Self::SessionExpired => (Condition::NotAllowed, "session-expired"),
            Self::BadPayload => (Condition::BadRequest, "bad-payload"),
        };
        let kind = match self {
            Self::SessionExpired => ErrorType::Cancel,
            _ => ErrorType::Modify,
        };
        StanzaError::new(condition)
            .with_type(kind)
            .with_application(Element::new(name, ns::COMMANDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::jid::Jid;

    #[track_caller]
    fn read(command: &str) -> Option<Result<Request, Fault>> {
        let iq = Iq::set(
            Jid::new("a@b/c").unwrap(),
            Jid::new("sms.b").unwrap(),
            command.parse().unwrap(),
        );
        Request::parse(&iq)
    }

    #[test]
    fn requests_are_read() {
        let begun = read("<command xmlns='http://jabber.org/protocol/commands' node='cost'/>");
        let begun = begun.unwrap().unwrap();
        assert_eq!(
            (begun.node.as_str(), begun.action),
            ("cost", Action::Execute)
        );
        let filled = read(
            "<command xmlns='http://jabber.org/protocol/commands' node='cost' sessionid='s' action='complete'>\
             <x xmlns='jabber:x:data' type='submit'><field var='text'><value>a</value></field></x></command>",
        );
        let filled = filled.unwrap().unwrap();
        assert_eq!(filled.form.unwrap().value("text"), Some("a"));
        assert_eq!(filled.session.as_deref(), Some("s"));
        let given_up = read(
            "<command xmlns='http://jabber.org/protocol/commands' node='cost' sessionid='s'>\
             <x xmlns='jabber:x:data' type='cancel'/></command>",
        );
        assert_eq!(given_up.unwrap().unwrap().action, Action::Cancel);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let malformed =
            read("<command xmlns='http://jabber.org/protocol/commands' node='cost' action='fly'/>");
        assert_eq!(malformed, Some(Err(Fault::MalformedAction)));
        let no_form = read(
            "<command xmlns='http://jabber.org/protocol/commands'><x xmlns='jabber:x:data'/></command>",
        );
        assert_eq!(no_form, Some(Err(Fault::BadPayload)));
        assert_eq!(read("<command xmlns='urn:other'/>"), None);
        let error = Fault::SessionExpired.error().to_element();
        assert!(error.child("session-expired", ns::COMMANDS).is_some());
    }
}
