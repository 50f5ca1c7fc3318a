//! Presence and requests: on a task of their own, in order. Commands and the chat with the gateway have another.
//!
//! One stanza at a time: load what is known of the person, let [`crate::gateway`] decide, commit, answer. When somebody else was
//! quicker with what was decided on, it is decided anew.

mod announce;
mod beside;
mod lookup;
mod sweep;
mod wake;

use std::{collections::HashSet, time::Duration};

use tokio::sync::mpsc;
use transom_adapter::AccountName;

use super::{
    Intake,
    busy::too_much,
    commands::{self, Desk},
    slash::{self, Slash},
    throttle::Throttle,
};
use crate::{
    gateway::{
        answers::{self, Needs},
        call,
        moment::Moment,
        registration::{Effects, Person},
        subscription,
        target::Target,
    },
    store::{StoreError, Write, WriteError, write::Done},
    xmpp::{
        jid::Jid,
        stanza::{Iq, Message, Presence, PresenceType, Stanza},
        xep::roster,
    },
};
pub(super) use announce::{announce, farewell, present};
use lookup::{Lookup, More};

/// Where what is not a message to a contact goes.
#[derive(Clone, Debug)]
pub(super) struct People {
    stanzas: mpsc::Sender<Stanza>,
    commands: Desk,
    slash: Slash,
}

/// Stanzas that may wait; requests beyond are refused, presences beyond are dropped and counted.
const WAITING_MAX: usize = 4096;
/// How often one stanza is decided anew.
const ROUNDS: u32 = 3;
/// Resources whose first presence was answered.
const GREETED_MAX: usize = 50_000;
/// Between two looks for registrations that nobody came back to.
const SWEEP: Duration = Duration::from_hours(1);
/// The link's second class is full: wait for some to leave.
const PAUSE: Duration = Duration::from_millis(100);
/// Calls of one person that are answered.
const CALLS_PER_MINUTE: u32 = 10;
const MINUTE_MS: i64 = 60_000;

/// Starts the task; it ends when the intake does.
pub(super) fn start(intake: &Intake) -> People {
    let (stanzas, inbox) = mpsc::channel(WAITING_MAX);
    let reception = Reception {
        intake: intake.clone(),
        greeted: HashSet::new(),
        wakes: Throttle::new(1, MINUTE_MS),
        unlooked: HashSet::new(),
        calls: Throttle::new(CALLS_PER_MINUTE, MINUTE_MS),
    };
    intake
        .lifecycle
        .spawn("intake.people", reception.run(inbox));
    let commands = commands::start(intake);
    let slash = slash::start(intake);
    People {
        stanzas,
        commands,
        slash,
    }
}

impl People {
    /// Takes one stanza.
    pub(super) async fn take(&self, intake: &Intake, stanza: Stanza) {
        let Some(stanza) = self.commands.take(intake, stanza).await else {
            return;
        };
        let stanza = match stanza {
            Stanza::Message(message) if slash::concerns(&intake.gateway, &message) => {
                return self.slash.take(intake, message).await;
            }
            stanza => stanza,
        };
        let Err(full) = self.stanzas.try_send(stanza) else {
            return;
        };
        intake.count("people_full");
        if let Some(answer) = too_much(intake, &full.into_inner()) {
            intake.link.send(answer).await.ok();
        }
    }

    /// A user has read, in another program, what came in by this account.
    pub(super) fn read_elsewhere(&self, account: &AccountName, message_id: &str) {
        self.slash
            .read_elsewhere(account.clone(), message_id.to_owned());
    }

    /// Somebody wrote who has to be let in first; more than can wait are asked again by their next message.
    pub(super) fn applies(&self, message: &Message) {
        self.stanzas.try_send(message.clone().into()).ok();
    }
}

struct Reception {
    intake: Intake,
    /// Full JIDs that have had the gateway's presence since they came.
    greeted: HashSet<String>,
    wakes: Throttle,
    /// Those for whom a look for what is held came to nothing: it does not count.
    unlooked: HashSet<String>,
    calls: Throttle,
}

/// Why a stanza came to nothing; its sender may try again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Read(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("somebody else was quicker each time")]
    Overtaken,
}

impl Reception {
    async fn run(mut self, mut inbox: mpsc::Receiver<Stanza>) {
        let clock = self.intake.clock.clone();
        let mut sweep_at = clock.now();
        loop {
            tokio::select! {
                stanza = inbox.recv() => match stanza {
                    Some(stanza) => self.take(stanza).await,
                    None => return,
                },
                () = clock.sleep_until(sweep_at) => {
                    sweep_at = clock.now().after(SWEEP);
                    self.sweep().await;
                }
            }
        }
    }

    async fn take(&mut self, stanza: Stanza) {
        let outcome = match &stanza {
            Stanza::Iq(iq) => self.request(iq).await,
            Stanza::Presence(presence) => self.presence(presence).await,
            // Those to the gateway are commands.
            Stanza::Message(message) if call::is_proposal(message) => {
                self.decline(message).await;
                Ok(())
            }
            Stanza::Message(message) => self.apply_for(message).await,
        };
        let Err(trouble) = outcome else { return };
        tracing::error!(
            stanza_type = stanza.name(),
            error = &trouble as &dyn std::error::Error,
            "A stanza to the gateway came to nothing."
        );
        self.intake.count("people_failed");
        if let Some(answer) = too_much(&self.intake, &stanza) {
            self.intake.link.send(answer).await.ok();
        }
    }

    async fn request(&self, iq: &Iq) -> Result<(), Trouble> {
        let Some(from) = &iq.from else {
            self.intake.count("no_address");
            return Ok(());
        };
        if roster::is_push(iq) {
            self.intake.rosters.changed(&from.to_bare());
        }
        let needs = answers::needs(&self.intake.gateway, iq);
        let (contact, more) = match &needs {
            None => {
                let effects =
                    self.decide(|moment| answers::decide(&self.intake.gateway, iq, None, moment));
                self.finish(effects).await;
                return Ok(());
            }
            Some(Needs::Registration(choice)) => ("", More::Lines(choice.as_deref())),
            Some(Needs::Contact(key)) => (key.as_str(), More::Nothing),
            Some(Needs::Contacts) => ("", More::Contacts),
            Some(Needs::Blocks) => ("", More::Blocks),
        };
        let jid = from.to_bare();
        let lookup = Lookup {
            jid: &jid,
            contact,
            more,
        };
        self.settle(&lookup, |person, moment| {
            answers::decide(&self.intake.gateway, iq, Some(person), moment)
        })
        .await
    }

    async fn presence(&mut self, presence: &Presence) -> Result<(), Trouble> {
        let (Some(from), Some(to)) = (&presence.from, &presence.to) else {
            self.intake.count("no_address");
            return Ok(());
        };
        let target = match presence.kind {
            PresenceType::Available if self.arrived(from, to).await? => Target::Gateway,
            PresenceType::Available => return Ok(()),
            PresenceType::Unavailable => {
                self.intake.online.set(from.as_str(), false);
                self.greeted.remove(from.as_str());
                return Ok(());
            }
            PresenceType::Error => {
                self.intake.count("presence_error");
                return Ok(());
            }
            _ => Target::read(&self.intake.gateway, to),
        };
        let jid = from.to_bare();
        let more = match presence.kind {
            PresenceType::Subscribe => More::Lines(None),
            _ => More::Nothing,
        };
        let lookup = Lookup {
            jid: &jid,
            contact: target.key(),
            more,
        };
        let gateway = &self.intake.gateway;
        if matches!(presence.kind, PresenceType::Available | PresenceType::Probe) {
            let person = self.load(&lookup).await?;
            let effects = self
                .decide(|moment| subscription::decide(gateway, presence, &target, &person, moment));
            self.show(effects).await;
            return Ok(());
        }
        self.settle(&lookup, |person, moment| {
            subscription::decide(gateway, presence, &target, person, moment)
        })
        .await
    }

    /// A resource is there; says whether it has still to see the gateway.
    async fn arrived(&mut self, from: &Jid, to: &Jid) -> Result<bool, Trouble> {
        let user = from.to_bare();
        // What anybody else says of being there would only fill the memory.
        if from.resource().is_none() || !self.intake.gateway.admits(&user) {
            self.intake.count("presence_of_a_stranger");
            return Ok(false);
        }
        self.intake.online.set(from.as_str(), true);
        self.look_for_held(&user).await?;
        let is_first = to.node().is_none() && !self.greeted.contains(from.as_str());
        Ok(is_first && self.greeted.len() < GREETED_MAX && self.greeted.insert(from.to_string()))
    }

    /// Loads, decides, commits, answers; decides anew when what was decided on has changed meanwhile.
    async fn settle(
        &self,
        lookup: &Lookup<'_>,
        decide: impl Fn(&Person, &Moment<'_>) -> Effects,
    ) -> Result<(), Trouble> {
        for _ in 0..ROUNDS {
            let person = self.load(lookup).await?;
            let mut effects = self.decide(|moment| decide(&person, moment));
            let left = if effects.leaves() {
                Some(self.known_to(lookup.jid.as_str()).await?)
            } else {
                None
            };
            // Whoever begins by adding somebody wants the gateway too; who added the gateway itself is not asked again.
            let registers = person.member.is_none()
                && effects
                    .writes
                    .iter()
                    .any(|write| matches!(write, Write::User(_)));
            // All of it or nothing: a number without its user would be lost to the pool.
            let mut writes = std::mem::take(&mut effects.claims);
            writes.append(&mut effects.writes);
            if !self.commit(writes).await? {
                continue;
            }
            if effects.wakes {
                self.wake(lookup.jid).await?;
            }
            self.finish(effects).await;
            if registers {
                let gateway = &self.intake.gateway.config.domain;
                self.intake.rosters.registered(gateway, lookup.jid.as_str());
            }
            if let Some(contacts) = left {
                self.intake.rosters.left(lookup.jid, contacts);
            }
            return Ok(());
        }
        Err(Trouble::Overtaken)
    }

    fn decide(&self, decide: impl FnOnce(&Moment<'_>) -> Effects) -> Effects {
        let ids = || self.intake.next_id();
        decide(&Moment {
            now: self.intake.clock.now(),
            ids: &ids,
        })
    }

    /// Commits; `false` when somebody else was quicker.
    async fn commit(&self, writes: Vec<Write>) -> Result<bool, Trouble> {
        let done = match self.intake.writer.commit(writes.clone()).await {
            Ok(done) => done,
            Err(WriteError::Conflict(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let written = writes.iter().zip(&done);
        for (write, _) in written.filter(|(_, done)| **done != Done::Unchanged) {
            self.log(write);
        }
        Ok(done.iter().all(|done| *done != Done::Unchanged))
    }

    async fn finish(&self, effects: Effects) {
        if let Some(why) = effects.ignored {
            self.intake.count(why);
        }
        for answer in effects.answers {
            self.intake.rosters.send(&self.intake.link, answer).await;
        }
    }

    fn log(&self, write: &Write) {
        let gateway = self.intake.gateway.config.name.as_str();
        match write {
            Write::User(row) => tracing::info!(
                gateway,
                user = row.jid,
                state = row.state,
                "A registration changes."
            ),
            Write::Unregister(row) => {
                tracing::info!(gateway, user = row.jid, "A registration ends.");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
