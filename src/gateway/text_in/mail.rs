//! What only mail has, as it is stored with a message.

use transom_adapter::Incoming;

use crate::{
    gateway::{
        payload::{StoredMail, StoredReaction},
        threads,
    },
    store::read::{InwardRow, LineFound},
};

/// A mail that is nothing but a reaction (RFC 9078), to a mail of this very chat: matching is no permission.
pub(super) fn reaction(
    message: &Incoming,
    line: &LineFound,
    user: &InwardRow,
) -> Option<StoredReaction> {
    let emoji = &message.mail.reaction;
    let of_chat = |id: i64| user.threads.iter().any(|thread| thread.thread_id == id);
    let mut answered = line
        .answered
        .iter()
        .filter(|one| one.user_id == user.user_id);
    let first = answered.find(|one| one.rank == 0 && one.thread_id.is_some_and(of_chat))?;
    (!emoji.is_empty()).then(|| StoredReaction {
        of: first.stanza_id.clone(),
        emoji: emoji.clone(),
    })
}

/// What only mail has. The first of a list says how to leave it.
pub(super) fn facts(
    message: &Incoming,
    thread: Option<&threads::Chosen>,
    user: &InwardRow,
) -> Option<Box<StoredMail>> {
    let mut stored = StoredMail::of(message)?;
    let is_first = thread.is_some() && !user.acquaintance.has_chat;
    stored.says_how_to_leave = is_first && stored.unsubscribe.is_some();
    Some(stored)
}
