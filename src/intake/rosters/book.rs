//! Rosters that were read lately: of ours in each, so that a hundred new contacts do not read the same roster a hundred times.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use transom_adapter::UnixMillis;

use super::registrar::PATIENCE;
use crate::{
    intake::Intake,
    xmpp::{
        jid::BareJid,
        stanza::Iq,
        stream::RequestError,
        xep::roster::{self, Item},
    },
};

/// Rosters that are remembered.
const BOOKS_MAX: usize = 16;
/// How long one counts as fresh, where the server tells of no change.
const FRESH: Duration = Duration::from_mins(1);

#[derive(Default)]
pub(super) struct Books(HashMap<BareJid, Book>);

struct Book {
    read: UnixMillis,
    entries: HashMap<BareJid, Item>,
}

impl Books {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn forget(&mut self, user: &BareJid) {
        self.0.remove(user);
    }

    /// What a roster says of a JID of ours.
    pub(super) async fn entry(
        &mut self,
        intake: &Intake,
        user: &BareJid,
        ours: &BareJid,
    ) -> Result<Option<Item>, RequestError> {
        Ok(self.of(intake, user).await?.get(ours).cloned())
    }

    /// Everything of ours in a roster.
    pub(super) async fn entries(
        &mut self,
        intake: &Intake,
        user: &BareJid,
    ) -> Result<Vec<BareJid>, RequestError> {
        Ok(self.of(intake, user).await?.keys().cloned().collect())
    }

    async fn of(
        &mut self,
        intake: &Intake,
        user: &BareJid,
    ) -> Result<&HashMap<BareJid, Item>, RequestError> {
        let now = intake.clock.now();
        self.0.retain(|_, book| now < book.read.after(FRESH));
        if self.0.len() >= BOOKS_MAX && !self.0.contains_key(user) {
            self.0.clear();
        }
        let vacant = match self.0.entry(user.clone()) {
            Entry::Occupied(known) => return Ok(&known.into_mut().entries),
            Entry::Vacant(vacant) => vacant,
        };
        let iq = Iq::get(intake.gateway.own_jid(), user.clone(), roster::get());
        let answer = intake.link.request(iq, PATIENCE).await?;
        let domain = intake.gateway.config.domain.as_str();
        let entries = answer
            .payload()
            .map(|query| roster::entries(query, domain))
            .unwrap_or_default();
        let entries = entries.into_iter().collect();
        Ok(&vacant.insert(Book { read: now, entries }).entries)
    }
}
