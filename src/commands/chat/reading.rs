//! What somebody says to the gateway.

use crate::{
    commands::{Command, Scope, form::CARDS_BYTES_MAX},
    gateway::{Gateway, refusal, text_out::named},
    texts::Content,
    xmpp::{
        jid::BareJid,
        ns,
        stanza::{Condition, Message, MessageType, Stanza, StanzaError},
    },
};

/// Why a message is no conversation.
#[derive(Debug)]
pub enum NotSaid {
    /// Nothing that anybody has to be told.
    Ignored(&'static str),
    /// It is answered with an error.
    Refused(Box<Stanza>),
}

/// What a message means to somebody who was not asked anything.
pub(super) enum Said<'a> {
    /// Stop what was begun.
    Cancel,
    /// What can be said.
    Help,
    /// More about one command.
    HelpFor(&'static Command),
    /// A command, and what stands behind it.
    Command(&'static Command, &'a str),
    /// A number, as if something had been asked.
    Number,
    /// Nothing that is known.
    Unknown,
}

/// The longest message that is looked at; an address book is the longest that anybody says.
const BODY_CHARS_MAX: usize = CARDS_BYTES_MAX;

/// Who says what, if it is a conversation at all.
///
/// # Errors
///
/// [`NotSaid`].
pub(super) fn heard(gateway: &Gateway, message: &Message) -> Result<(BareJid, String), NotSaid> {
    if !matches!(message.kind, MessageType::Chat | MessageType::Normal) {
        return Err(NotSaid::Ignored("not_chat"));
    }
    // Whoever has no name is no person: another gateway, a server. Two machines would talk for ever.
    let speaker = message.from.as_ref().filter(|from| from.node().is_some());
    let speaker = speaker
        .ok_or(NotSaid::Ignored("talk_of_a_machine"))?
        .to_bare();
    let lang = gateway.lang(message.lang.as_deref());
    let refuse = |error: &StanzaError| match message.error_reply(error) {
        Some(reply) => NotSaid::Refused(Box::new(reply.into())),
        None => NotSaid::Ignored("not_chat"),
    };
    if let Some(encryption) = message.is_encrypted() {
        let why = Content::Encrypted(named(&encryption));
        return Err(refuse(&refusal::error(&why.into(), lang)));
    }
    // Semantics 8: a message to several people is no conversation with the gateway.
    if message.child("addresses", ns::ADDRESSES).is_some() {
        return Err(refuse(&StanzaError::new(Condition::FeatureNotImplemented)));
    }
    let body = message.body().unwrap_or_default();
    let body: String = body.trim().chars().take(BODY_CHARS_MAX).collect();
    if body.is_empty() {
        return Err(NotSaid::Ignored("no_body"));
    }
    Ok((speaker, body))
}

impl<'a> Said<'a> {
    /// Reads a message of this person: for anybody but an admin the commands of admins do not exist.
    pub(super) fn read(scope: &Scope, body: &'a str) -> Self {
        let (first, rest) = word(body);
        match first.to_lowercase().as_str() {
            "cancel" | "stop" if rest.is_empty() => return Self::Cancel,
            "help" | "?" | "hilfe" if rest.is_empty() => return Self::Help,
            "help" | "?" | "hilfe" => {
                if let Some((command, _)) = command(scope, rest) {
                    return Self::HelpFor(command);
                }
                return Self::Help;
            }
            _ => {}
        }
        match command(scope, body) {
            Some((command, rest)) => Self::Command(command, rest),
            None if body.len() < 4 && body.bytes().all(|b| b.is_ascii_digit()) => Self::Number,
            None => Self::Unknown,
        }
    }
}

/// The command at the beginning: `user-add`, also written `user add`.
fn command<'a>(scope: &Scope, text: &'a str) -> Option<(&'static Command, &'a str)> {
    let (first, rest) = word(text);
    let (second, behind) = word(rest);
    let first = first.to_lowercase();
    let of = |name: &str| scope.commands().find(|command| command.name == name);
    if let Some(command) = of(&format!("{first}-{}", second.to_lowercase())) {
        return Some((command, behind));
    }
    let name = match first.as_str() {
        "whoami" => "status",
        "approve" => "user-add",
        "decline" => "user-decline",
        other => other,
    };
    of(name).map(|command| (command, rest))
}

/// The first word, and what follows it.
pub(super) fn word(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}
