//! What a message from outside answers, or reacts to.

use transom_adapter::{Incoming, Network};

use super::tapback::{self, Tapback};
use crate::{
    gateway::{
        Gateway,
        payload::{Payload, StoredReaction, StoredReply},
    },
    store::read::{AnsweredBy, InwardRow, LineFound},
};

/// So many emoji of one person are shown at one message; XEP-0444 §3.1 lets receivers limit them.
const EMOJI_MAX: usize = 8;

/// The reaction that a text may be.
pub(super) fn tapback_of(gateway: &Gateway, message: &Incoming) -> Option<Tapback> {
    let is_text = message.attachments.is_empty() && message.media.is_empty();
    let may_be = gateway.network() == Network::Sms && is_text;
    may_be.then(|| tapback::read(&message.text))?
}

/// The reaction that it is: a text quotes one message of this user's, and only one; a mail says so itself.
pub(super) fn reaction(
    gateway: &Gateway,
    message: &Incoming,
    (line, user): (&LineFound, &InwardRow),
) -> Option<StoredReaction> {
    // XEP-0444 knows reactions by the JID they come from, which all members of a group share: as such one it would be everybody's, and the
    // next member's would take it back. As a text it has its author before it.
    if !message.others.is_empty() {
        return None;
    }
    let [of] = user.quoted.as_slice() else {
        return of_mail(message, line, user);
    };
    let tapback = tapback_of(gateway, message)?;
    Some(StoredReaction {
        of: of.clone(),
        emoji: tapback.emoji.into_iter().collect(),
    })
}

/// A mail that is nothing but a reaction (RFC 9078), to a mail of this very chat: matching is no permission.
fn of_mail(message: &Incoming, line: &LineFound, user: &InwardRow) -> Option<StoredReaction> {
    let new = &message.mail.reaction;
    if new.is_empty() {
        return None;
    }
    let of_chat = |id: i64| user.threads.iter().any(|thread| thread.thread_id == id);
    let is_it = |one: &&AnsweredBy| {
        let in_chat = one.thread_id.is_some_and(of_chat);
        one.user_id == user.user_id && one.rank == 0 && in_chat && !one.stanza_id.is_empty()
    };
    let of = line.answered.iter().find(is_it)?.stanza_id.clone();
    // Each mail brings one more; XEP-0444 §3.2 names all that hold.
    let mut emoji = before(user, &of);
    emoji.extend(
        new.iter()
            .filter(|one| !emoji.contains(one))
            .cloned()
            .collect::<Vec<_>>(),
    );
    emoji.drain(..emoji.len().saturating_sub(EMOJI_MAX));
    Some(StoredReaction { of, emoji })
}

/// The emoji with which the peer has reacted to it already.
fn before(user: &InwardRow, of: &str) -> Vec<String> {
    let stored = user.reactions.iter().rev();
    let mut earlier = stored.filter_map(|payload| Payload::from_json(Some(payload)).reaction);
    let last = earlier.find(|reaction| reaction.of == of);
    last.map(|reaction| reaction.emoji).unwrap_or_default()
}

/// The message of this user's, or to this user, that it answers.
pub(super) fn reply(line: &LineFound, user: &InwardRow) -> Option<StoredReply> {
    let mut answered = line.answered.iter();
    let is_it = |answered: &&AnsweredBy| answered.rank == 0 && answered.user_id == user.user_id;
    let answered = answered.find(is_it).filter(|it| !it.stanza_id.is_empty())?;
    Some(StoredReply {
        id: answered.stanza_id.clone(),
        own: answered.own,
    })
}
