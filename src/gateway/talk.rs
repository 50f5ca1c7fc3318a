//! The chat with the gateway itself (semantics 8): nothing said to it ever leaves.

use super::{
    Gateway, refusal,
    registration::{Book, Desk, Effects, Person},
    text_out::Moment,
};
use crate::{
    texts::{Admin, Chat, Content, Membership, Quoted, Text},
    xmpp::{
        jid::BareJid,
        ns,
        stanza::{Condition, Message, MessageType, Stanza, StanzaError},
    },
};

/// What somebody says to the gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// What can be said.
    Help,
    /// Becomes a user, perhaps with this number or alias.
    Register(Option<String>),
    /// Stops being one; really, or asks first.
    Unregister {
        /// Whether it was said twice.
        sure: bool,
    },
    /// Where one stands.
    Status,
    /// An admin lets somebody in.
    Add(Option<BareJid>),
    /// An admin does not.
    Decline(Option<BareJid>),
    /// Nothing that is known.
    Unknown(Quoted),
}

/// A message to the gateway that is to be answered in its chat.
#[derive(Debug)]
pub struct Said<'a> {
    message: &'a Message,
    /// Who says it.
    pub speaker: BareJid,
    /// What.
    pub command: Command,
}

/// Why a message is no conversation.
#[derive(Debug)]
pub enum NotSaid {
    /// Nothing that anybody has to be told.
    Ignored(&'static str),
    /// It is answered with an error.
    Refused(Box<Stanza>),
}

impl<'a> Said<'a> {
    /// Looks at a message alone, before anything is loaded.
    ///
    /// # Errors
    ///
    /// [`NotSaid`].
    pub fn read(gateway: &Gateway, message: &'a Message) -> Result<Self, NotSaid> {
        if !matches!(message.kind, MessageType::Chat | MessageType::Normal) {
            return Err(NotSaid::Ignored("not-chat"));
        }
        // Whoever has no name is no person: another gateway, a server. Two machines would talk for ever.
        let speaker = message.from.as_ref().filter(|from| from.node().is_some());
        let speaker = speaker
            .ok_or(NotSaid::Ignored("talk-of-a-machine"))?
            .to_bare();
        let lang = gateway.lang(message.lang.as_deref());
        let refuse = |error: &StanzaError| match message.error_reply(error) {
            Some(reply) => NotSaid::Refused(Box::new(reply.into())),
            None => NotSaid::Ignored("not-chat"),
        };
        if let Some(encryption) = message.is_encrypted() {
            let why = Content::Encrypted(super::text_out::named(&encryption));
            return Err(refuse(&refusal::error(&why.into(), lang)));
        }
        // Semantics 8: a message to several people is no conversation with the gateway.
        if message.child("addresses", ns::ADDRESSES).is_some() {
            return Err(refuse(&StanzaError::new(Condition::FeatureNotImplemented)));
        }
        let body = message
            .body()
            .map(|body| body.trim().to_owned())
            .unwrap_or_default();
        if body.is_empty() {
            return Err(NotSaid::Ignored("no-body"));
        }
        Ok(Self {
            message,
            command: Command::read(gateway, &speaker, &body),
            speaker,
        })
    }

    /// Whom the command is about: only that person is loaded.
    pub fn subject(&self) -> &BareJid {
        match &self.command {
            Command::Add(Some(user)) | Command::Decline(Some(user)) => user,
            _ => &self.speaker,
        }
    }

    /// The number or alias that was chosen.
    pub fn choice(&self) -> Option<&str> {
        match &self.command {
            Command::Register(choice) => choice.as_deref(),
            _ => None,
        }
    }

    /// Answers; `person` is the [`subject`](Self::subject).
    pub fn decide(&self, gateway: &Gateway, person: &Person, moment: &Moment<'_>) -> Effects {
        let stored = person
            .member
            .as_ref()
            .and_then(|member| member.lang.as_deref());
        let about_another = *self.subject() != self.speaker;
        let own_tag = self.message.lang.as_deref();
        // Who speaks is answered in the language of the stanza; another one is told in that one's.
        let lang = gateway.lang(if about_another {
            stored
        } else {
            own_tag.or(stored)
        });
        let desk = Desk {
            gateway,
            person,
            moment,
            lang,
        };
        let mut effects = Effects::default();
        if !about_another
            && person.member.is_none()
            && !self.is_admin(gateway)
            && !gateway.admits(&self.speaker)
        {
            let why = Text::from(Membership::NotAllowed {
                gateway: gateway.config.domain.to_string(),
            });
            effects.answers.extend(
                self.message
                    .error_reply(&refusal::error(&why, lang))
                    .map(Stanza::from),
            );
            return effects;
        }
        let text = self.carry_out(gateway, &desk, &mut effects);
        let speaker = Person {
            jid: self.speaker.clone(),
            member: None,
            view: crate::store::read::OutwardSnapshot::default(),
            free: Vec::new(),
            taken: false,
            book: Book::default(),
        };
        let lang = if about_another {
            gateway.lang(own_tag)
        } else {
            lang
        };
        effects.answers.push(
            Desk {
                gateway,
                person: &speaker,
                moment,
                lang,
            }
            .line(&text),
        );
        effects
    }

    fn carry_out(&self, gateway: &Gateway, desk: &Desk<'_>, effects: &mut Effects) -> Text {
        let said = |result: Result<Text, Text>| result.unwrap_or_else(|why| why);
        match &self.command {
            Command::Help => Chat::Help {
                gateway: gateway.config.domain.to_string(),
                network: gateway.network(),
            }
            .into(),
            Command::Register(choice) => said(desk.register(choice.as_deref(), effects)),
            Command::Unregister { sure: true } => said(desk.unregister(effects)),
            Command::Unregister { sure: false } => Chat::ConfirmUnregister.into(),
            Command::Status => desk.status(),
            Command::Add(Some(_)) => desk.approve(effects),
            Command::Decline(Some(_)) => desk.decline(effects),
            Command::Add(None) | Command::Decline(None) => Admin::WhichUser.into(),
            Command::Unknown(command) => Chat::UnknownCommand {
                command: command.clone(),
            }
            .into(),
        }
    }

    fn is_admin(&self, gateway: &Gateway) -> bool {
        gateway.admins.contains(&self.speaker)
    }
}

impl Command {
    fn read(gateway: &Gateway, speaker: &BareJid, body: &str) -> Self {
        let unknown = || Self::Unknown(Quoted::beginning(body));
        let words: Vec<&str> = body.split_whitespace().take(5).collect();
        let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let person = |at: usize| {
            words
                .get(at)
                .and_then(|word| BareJid::new(word).ok())
                .filter(|jid| jid.node().is_some())
        };
        // For anybody but an admin these are no commands at all.
        let is_admin = gateway.admins.contains(speaker);
        match lower.as_slice() {
            ["help" | "?"] => Self::Help,
            // A number may be typed with spaces.
            ["register", choice @ ..] => {
                Self::Register((!choice.is_empty()).then(|| choice.concat()))
            }
            ["unregister"] => Self::Unregister { sure: false },
            ["unregister", "yes"] => Self::Unregister { sure: true },
            ["whoami" | "status"] => Self::Status,
            ["user", "add", ..] if is_admin && lower.len() <= 3 => Self::Add(person(2)),
            ["approve", ..] if is_admin && lower.len() <= 2 => Self::Add(person(1)),
            ["decline", ..] if is_admin && lower.len() <= 2 => Self::Decline(person(1)),
            _ => unknown(),
        }
    }
}

#[cfg(test)]
mod tests;
