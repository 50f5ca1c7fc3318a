//! Contacts come to know their users, each once: by the roster where the server lets us (XEP-0356), by an offer to clients that take one
//! (XEP-0144), else by one question.
//!
//! A question that [`crate::gateway`] decided to ask comes here too, by [`Rosters::send`]: where the server lets us, the user never sees it.
//! [`registrar`] does the work; [`book`] is what was read of rosters lately. [`leave`] takes everybody out again.

mod book;
mod leave;
mod registrar;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;
use transom_adapter::Address;

use super::Intake;
use crate::{
    gateway::{payload::Payload, text_out::Accepted},
    queue::{Waiting, Work},
    xmpp::{
        jid::BareJid,
        stanza::{Message, PresenceType, Stanza},
        stream::LinkHandle,
        xep::privilege::{Announced, Privileges},
    },
};
use registrar::Registrar;

/// Where contacts that a user should know are named. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rosters {
    jobs: mpsc::Sender<Job>,
    inbox: Arc<Mutex<Option<mpsc::Receiver<Job>>>>,
    met: Arc<Mutex<HashSet<i64>>>,
    announced: Announced,
}

/// Somebody that a user should know.
#[derive(Clone, Debug)]
pub(super) struct Introduction {
    /// The JID of ours.
    ours: BareJid,
    /// The user's.
    user: BareJid,
    /// Whether the user may be asked.
    asks: bool,
    /// Whether it is decided, and written down, that the user is asked.
    decided: bool,
    /// One of many from an address book: nobody is bothered with each.
    of_many: bool,
}

/// Somebody whose registration has ended.
#[derive(Debug)]
struct Leaver {
    user: BareJid,
    /// Whom the user may see or be asked by, as rosters know them.
    contacts: Vec<String>,
}

#[derive(Debug)]
enum Job {
    LinkUp,
    Privileges(Box<Privileges>),
    Introduce(Introduction),
    Changed(BareJid),
    Leave(Leaver),
}

/// Jobs that may wait; the rest is asked for when the contact is met again.
const JOBS_MAX: usize = 8192;
/// Conversations that were looked at since the start.
const MET_MAX: usize = 100_000;

impl Default for Rosters {
    fn default() -> Self {
        let (jobs, inbox) = mpsc::channel(JOBS_MAX);
        Self {
            jobs,
            inbox: Arc::new(Mutex::new(Some(inbox))),
            met: Arc::default(),
            announced: Announced::default(),
        }
    }
}

impl Rosters {
    /// Starts the task that does the work; it ends when the process drains.
    pub(super) fn start(&self, intake: &Intake) {
        let inbox = self
            .inbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(inbox) = inbox {
            let registrar = Registrar::new(intake.clone());
            intake
                .lifecycle
                .spawn("intake.rosters", registrar.run(inbox));
        }
    }

    /// What servers allow, for whoever acts on it.
    pub fn announced(&self) -> Announced {
        self.announced.clone()
    }

    /// Sends a stanza, unless it is a question that the server may answer for the user: that is looked into.
    pub async fn send(&self, link: &LinkHandle, stanza: Stanza) {
        if let Stanza::Presence(presence) = &stanza
            && presence.kind == PresenceType::Subscribe
            && let (Some(from), Some(to)) = (&presence.from, &presence.to)
        {
            let job = Job::Introduce(Introduction {
                ours: from.to_bare(),
                user: to.to_bare(),
                asks: true,
                decided: true,
                of_many: false,
            });
            if self.jobs.try_send(job).is_ok() {
                return;
            }
        }
        // The link may have gone meanwhile: then the sender's server has told it so.
        link.send(stanza).await.ok();
    }

    /// A message of this conversation passed. What the user wrote to needs no question: whoever writes knows whom.
    pub(super) fn met(
        &self,
        conversation_id: i64,
        ours: impl FnOnce() -> Option<BareJid>,
        user: &str,
        inward: bool,
    ) {
        // One conversation may be met from both sides: only the inward one asks.
        let key = if inward {
            -conversation_id
        } else {
            conversation_id
        };
        {
            let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
            if met.contains(&key) {
                return;
            }
            if met.len() >= MET_MAX {
                met.clear();
            }
            met.insert(key);
        }
        let (Some(ours), Ok(user)) = (ours(), BareJid::new(user)) else {
            return;
        };
        let introduction = Introduction {
            ours,
            user,
            asks: inward,
            decided: false,
            of_many: false,
        };
        self.give(Job::Introduce(introduction));
    }

    /// Somebody registered by a message, or by adding a contact.
    pub(super) fn registered(&self, gateway: &BareJid, user: &str) {
        let Ok(user) = BareJid::new(user) else { return };
        let introduction = Introduction {
            ours: gateway.clone(),
            user,
            asks: true,
            decided: false,
            of_many: false,
        };
        self.give(Job::Introduce(introduction));
    }

    /// These contacts came from an address book of the user.
    pub async fn imported(&self, user: &BareJid, contacts: Vec<BareJid>) {
        for ours in contacts {
            let introduction = Introduction {
                ours,
                user: user.clone(),
                asks: false,
                decided: false,
                of_many: true,
            };
            // Waits for its turn; when the process ends meanwhile, the next message of each introduces it.
            if self.jobs.send(Job::Introduce(introduction)).await.is_err() {
                return;
            }
        }
    }

    /// The registration of this user has ended, whose roster knew these contacts.
    pub fn left(&self, user: &BareJid, contacts: Vec<String>) {
        let user = user.clone();
        self.give(Job::Leave(Leaver { user, contacts }));
    }

    /// The roster of this user has changed.
    pub(super) fn changed(&self, user: &BareJid) {
        self.give(Job::Changed(user.clone()));
    }

    /// A server says what it allows, if this message does.
    pub(super) fn allowed(&self, message: &Message) -> bool {
        let Some(privileges) = Privileges::parse(message) else {
            return false;
        };
        self.give(Job::Privileges(Box::new(privileges)));
        true
    }

    pub(super) fn link_up(&self) {
        self.give(Job::LinkUp);
    }

    fn give(&self, job: Job) {
        // Too much waits: the next message of that contact, or the next start, tries again.
        self.jobs.try_send(job).ok();
    }
}

/// Whoever wrote is somebody that the user should know.
pub(super) fn introduce(intake: &Intake, waiting: &Waiting) {
    let Work::In(work) = &waiting.work else {
        return;
    };
    let row = &work.row;
    let ours = || {
        let line = Address::new(row.line.clone());
        let is_pinned = Payload::from_json(row.payload.as_deref()).pinned;
        let peer = Address::new(row.peer.clone());
        intake.gateway.jid_of(&peer, is_pinned.then_some(&line))
    };
    intake.rosters.met(-waiting.lane_id, ours, &row.jid, true);
}

/// Who registers by a message gets the gateway into the roster, and whoever is written to.
pub(super) fn introduce_written_to(intake: &Intake, one: &Accepted) {
    let conversation = &one.out.conversation;
    let Some(user) = one.out.full_jid.split('/').next() else {
        return;
    };
    if one.new_user.is_some() {
        let gateway = &intake.gateway.config.domain;
        intake.rosters.registered(gateway, user);
    }
    let pinned = conversation.plain_ms == 0;
    let line = pinned.then_some(&one.outgoing.from);
    let contact = || {
        let peer = Address::new(conversation.peer.clone());
        intake.gateway.jid_of(&peer, line)
    };
    intake
        .rosters
        .met(conversation.conversation_id, contact, user, false);
}

#[cfg(test)]
mod tests;
