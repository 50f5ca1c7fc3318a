//! What is known of somebody, and what a stanza of theirs comes to.

use crate::{
    store::{
        Write,
        read::{KnownContact, Member, OutwardSnapshot},
    },
    xmpp::{jid::BareJid, stanza::Stanza},
};

/// What the database knows of one person.
#[derive(Debug)]
pub struct Person {
    /// Who.
    pub jid: BareJid,
    /// The registration, with the contact that the stanza is for.
    pub member: Option<Member>,
    /// Lines; empty where the stanza needs none.
    pub view: OutwardSnapshot,
    /// The pool's numbers that nobody has.
    pub free: Vec<String>,
    /// Whether the address that was asked for is somebody's.
    pub taken: bool,
    /// Whom the person knows.
    pub book: Book,
}

/// Whom a person knows; empty where the stanza does not ask.
#[derive(Debug, Default)]
pub struct Book {
    /// Those written with last come first.
    pub contacts: Vec<KnownContact>,
    /// The peers that the person has blocked.
    pub blocked: Vec<String>,
}

/// What a stanza comes to.
#[derive(Debug, Default)]
pub struct Effects {
    /// Committed first; when one of them changes nothing somebody else was quicker, and everything is decided anew.
    pub claims: Vec<Write>,
    /// Committed next.
    pub writes: Vec<Write>,
    /// Sent after that, in this order.
    pub answers: Vec<Stanza>,
    /// Whether what is held for the person goes on.
    pub wakes: bool,
    /// Nothing comes of it, and this is counted.
    pub ignored: Option<&'static str>,
}

impl Effects {
    /// Whether the registration ends.
    pub fn leaves(&self) -> bool {
        let ends = |write: &Write| matches!(write, Write::Unregister(_));
        self.writes.iter().any(ends)
    }
}
