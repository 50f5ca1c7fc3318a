//! Commands as people see them: one description of each, and the fronts that walk people through it.
//!
//! ```text
//!   XEP-0050 ─ adhoc ─┐                              ┌─ Look ─▶ operations::perform ─▶ known
//!                     ├─▶ Session (walk) ─▶ Command ─┼─ Ask  ─▶ a form: filled in at once, or field by field
//!   chat ───── chat ──┘                              └─ Do   ─▶ operations::perform ─▶ shown
//! ```
//!
//! - [`catalogue`]: every command: its plain name, who may, what it asks, what it does.
//! - [`form`]: fields and what fits in them; [`walk`]: one person's way through one command.
//! - [`adhoc`], [`chat`]: the two fronts over XMPP. [`shown`]: a reply as people read it, for every front.
//!
//! The command line and the operator's page make the same requests by themselves: their arguments and buttons are typed already.

pub mod adhoc;
mod catalogue;
pub mod chat;
pub mod form;
pub mod shown;
#[cfg(test)]
mod tests;
mod walk;

use std::sync::Arc;

use transom_adapter::{Network, UnixMillis};

use crate::{
    gateway::{Gateway, settings::Settings},
    operations::{Actor, Asker, Operations, Reply, Request},
    store::StoreError,
    texts::{Lang, Topic},
    xmpp::{
        jid::BareJid,
        ns,
        stanza::{Iq, Stanza},
        xep::disco,
    },
};
pub use catalogue::{ALL, find};
use form::Form;
pub use walk::{Session, Turn};

/// One command.
#[derive(Debug)]
pub struct Command {
    /// Its plain name: the node of XEP-0050, and what is written in the chat.
    pub name: &'static str,
    /// What it is called and what it is for.
    pub topic: Topic,
    /// Who may.
    pub who: Who,
    /// What comes next, from what is known so far.
    pub next: fn(&Known<'_>) -> Next,
}

/// Who may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Everybody whom the gateway admits, about what is theirs.
    Person,
    /// The same, where users have to prove a mobile number.
    Prover,
    /// The same, where users can bring mail accounts.
    Owner,
    /// The same, where the network is mail.
    Mail,
    /// Admins.
    Admin,
    /// Everybody about what is theirs, admins about everything.
    Either,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// Something has to be looked up first.
    Look(Request),
    /// Something has to be asked.
    Ask(Form),
    /// It can be done.
    Do(Request),
    /// The person does not want it.
    Stop,
}

/// What is known so far.
pub struct Known<'a> {
    scope: &'a Scope,
    answers: &'a [(&'static str, String)],
    looked: &'a [Reply],
}

impl<'a> Known<'a> {
    /// What was answered; empty: left out; `None`: not asked yet.
    fn answer(&self, field: &str) -> Option<&'a str> {
        let given = self.answers.iter().rev().find(|(name, _)| *name == field);
        given.map(|(_, value)| value.as_str())
    }

    /// The `at`th thing that was looked up.
    fn looked(&self, at: usize) -> Option<&'a Reply> {
        self.looked.get(at)
    }

    /// The gateway at which this is asked.
    fn gateway(&self) -> String {
        self.scope.gateway.config.name.clone()
    }
}

/// Who asks, where, and in which language.
#[derive(Clone)]
pub struct Scope {
    /// At this gateway.
    pub gateway: Arc<Gateway>,
    /// Who.
    pub speaker: BareJid,
    /// What the person reads.
    pub lang: Lang,
}

impl Scope {
    /// Whether this person is an admin.
    pub fn is_admin(&self) -> bool {
        self.gateway.admins.contains(&self.speaker)
    }

    /// Whether this person may use any command.
    pub fn admitted(&self) -> bool {
        self.is_admin() || self.gateway.admits(&self.speaker)
    }

    /// Whether this person may use the command.
    pub fn may(&self, command: &Command) -> bool {
        match command.who {
            Who::Admin => self.is_admin(),
            Who::Person => self.gateway.admits(&self.speaker),
            Who::Prover => self.gateway.config.verify_mobile && self.gateway.admits(&self.speaker),
            Who::Owner => {
                self.gateway.adapter.own_accounts().is_some() && self.gateway.admits(&self.speaker)
            }
            Who::Mail => {
                self.gateway.network() == Network::Email && self.gateway.admits(&self.speaker)
            }
            Who::Either => self.admitted(),
        }
    }

    /// As whom this person uses the command.
    fn actor(&self, command: &Command) -> Actor {
        match command.who {
            Who::Admin => Actor::Admin,
            Who::Either if self.is_admin() => Actor::Admin,
            Who::Person | Who::Prover | Who::Owner | Who::Mail | Who::Either => {
                Actor::User(Asker {
                    gateway: self.gateway.config.name.clone(),
                    jid: self.speaker.clone(),
                    lang: self.lang,
                })
            }
        }
    }

    /// The commands of this person.
    fn commands(&self) -> impl Iterator<Item = &'static Command> {
        ALL.iter().filter(|command| self.may(command))
    }
}

/// The commands of one gateway, with everybody who is in the middle of one.
pub struct Commands {
    gateway: Arc<Gateway>,
    operations: Arc<Operations>,
    forms: adhoc::Sessions,
    chats: chat::Chats,
}

impl Commands {
    /// Nobody is in the middle of anything.
    pub fn new(gateway: Arc<Gateway>, operations: Arc<Operations>) -> Self {
        Self {
            gateway,
            operations,
            forms: adhoc::Sessions::default(),
            chats: chat::Chats::default(),
        }
    }

    /// Whether a stanza is for here: a message to the gateway itself, a command, a question about commands.
    pub fn concerns(stanza: &Stanza) -> bool {
        let to_gateway = stanza.recipient().is_some_and(|to| to.node().is_none());
        to_gateway
            && match stanza {
                Stanza::Message(_) => true,
                Stanza::Iq(iq) => is_about_commands(iq),
                Stanza::Presence(_) => false,
            }
    }

    /// Answers a stanza that [`concerns`](Self::concerns) this.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database does not say who asks.
    pub async fn take(&mut self, stanza: &Stanza) -> Result<Answered, StoreError> {
        match stanza {
            Stanza::Iq(iq) => {
                let answer = self.request(iq).await?;
                Ok(answer.map_or(Answered::Ignored("answer_to_nothing"), Answered::with))
            }
            Stanza::Message(message) => self.talk(message).await,
            Stanza::Presence(_) => Ok(Answered::Ignored("not_chat")),
        }
    }

    /// Who asks: the language is the one that was chosen, else the stanza's, else the one of the registration.
    async fn scope(&self, speaker: BareJid, tag: Option<&str>) -> Result<Scope, StoreError> {
        let store = &self.operations.store;
        let member = store.member(self.gateway.id, speaker.as_str(), "").await?;
        let chosen = member
            .as_ref()
            .and_then(|member| Settings::from_json(&member.settings).lang());
        let stored = member.as_ref().and_then(|member| member.lang.as_deref());
        let lang = chosen.unwrap_or_else(|| self.gateway.lang(tag.or(stored)));
        Ok(Scope {
            gateway: Arc::clone(&self.gateway),
            speaker,
            lang,
        })
    }

    fn now(&self) -> UnixMillis {
        self.operations.clock.now()
    }
}

/// What a stanza comes to.
#[derive(Debug)]
pub enum Answered {
    /// These go back, in this order.
    With(Vec<Stanza>),
    /// Nothing comes of it, and this is counted.
    Ignored(&'static str),
}

impl Answered {
    fn with(stanza: impl Into<Stanza>) -> Self {
        Self::With(vec![stanza.into()])
    }
}

/// An error's words as a sentence: they have no capital and no full stop. A JID has none in front of a sentence either.
pub fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let begins_with_a_jid = words
        .split(' ')
        .next()
        .is_some_and(|first| first.contains('@'));
    let mut sentence: String = if begins_with_a_jid {
        words.to_owned()
    } else {
        let first = chars.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(chars).collect()
    };
    if !sentence.ends_with(['.', '?', '!']) {
        sentence.push('.');
    }
    sentence
}

fn is_about_commands(iq: &Iq) -> bool {
    if !iq.is_request() {
        return false;
    }
    let about = |query: disco::Query| {
        query
            .node
            .is_some_and(|node| node == ns::COMMANDS || find(&node).is_some())
    };
    iq.child("command", ns::COMMANDS).is_some() || disco::Query::parse(iq).is_some_and(about)
}
