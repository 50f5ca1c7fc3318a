//! What an accepted message changes for the rest of its batch, before any of it is in the database.

use super::Accepted;
use crate::{
    gateway::registration::{NewUser, Standing},
    store::{
        read::{KnownConversation, KnownHeld, KnownLine, KnownThread, KnownUser, OutwardSnapshot},
        write::{ConversationRow, Judged, MemberRow, NewOut, ThreadRow, Word},
    },
    xmpp::jid::BareJid,
};

/// The line that a first use makes, as if it had been loaded.
pub(super) fn fresh_line(standing: &Standing<'_>) -> Option<KnownLine> {
    let Standing::New(new) = standing else {
        return None;
    };
    let (line, _) = new.address.as_ref()?;
    Some(KnownLine {
        refused: false,
        line_id: line.line_id,
        address: line.address.clone(),
        state: line.state.to_owned(),
        routes: Vec::new(),
        owners: 1,
    })
}

/// A user of this moment, who has used nothing yet.
pub(super) fn newcomer(standing: &Standing<'_>) -> KnownUser {
    let user_id = match standing {
        Standing::New(new) => new.user.user_id,
        Standing::Known(user) => user.user_id,
    };
    KnownUser {
        user_id,
        state: "active".to_owned(),
        lang: None,
        messages: 0,
        segments: 0,
        new_peers: 0,
        changed_ms: 0,
        settings: "{}".to_owned(),
    }
}

/// Whoever is written to is no stranger any more.
pub(super) fn welcomed(snapshot: &OutwardSnapshot, out: &NewOut) -> Option<Judged> {
    let to = &out.conversation;
    let pair = (to.user_id, to.peer.clone());
    let waits = snapshot.waiting_strangers.contains(&pair);
    waits.then_some(Judged {
        user_id: to.user_id,
        peer: pair.1,
        word: Word::Accept,
        at_ms: to.at_ms,
    })
}

/// Notes what an accepted message changes for the rest of its batch.
pub(super) fn note(snapshot: &mut OutwardSnapshot, user: &BareJid, accepted: &Accepted) {
    let conversation = &accepted.out.conversation;
    if let Some(new) = &accepted.new_user {
        let standing = Standing::New(Box::new(NewUser {
            user: new.user.clone(),
            address: None,
        }));
        snapshot.users.insert(user.to_string(), newcomer(&standing));
        if let Some((line, _)) = &new.address {
            snapshot.taken_addresses.insert(line.address.clone());
            let standing = Standing::New(Box::new(NewUser {
                user: new.user.clone(),
                address: new.address.clone(),
            }));
            snapshot
                .lines
                .entry(user.to_string())
                .or_default()
                .extend(fresh_line(&standing));
        }
    }
    let is_new = note_conversation(snapshot, user.as_str(), conversation);
    for shown in &accepted.shown {
        note_conversation(snapshot, &shown.user_jid, &shown.conversation);
    }
    if let Some(thread) = &accepted.out.thread {
        note_thread(snapshot, thread);
    }
    if let Some(shared) = snapshot
        .shared
        .iter_mut()
        .find(|shared| shared.line.line_id == conversation.line_id)
    {
        shared
            .taken
            .insert(conversation.peer.clone(), conversation.user_id);
    }
    let (messages, segments) = accepted.out.usage();
    if let Some(user) = snapshot.users.get_mut(user.as_str()) {
        user.messages += messages;
        user.segments += segments;
        if is_new {
            user.new_peers += i64::from(conversation.members);
        }
    }
    snapshot.gateway_messages += messages;
    note_group(snapshot, user, conversation);
    note_held(snapshot, user, &accepted.out);
    if let Some(key) = &accepted.out.repeat_key {
        snapshot
            .accepted
            .insert((user.to_string(), key.clone()), accepted.out.message_id);
    }
}

/// Whether it is a new one.
fn note_conversation(
    snapshot: &mut OutwardSnapshot,
    jid: &str,
    conversation: &ConversationRow,
) -> bool {
    let chat = (jid.to_owned(), conversation.peer.clone());
    let known = snapshot.conversations.entry(chat).or_default();
    let same =
        |known: &&mut KnownConversation| known.conversation_id == conversation.conversation_id;
    if let Some(known) = known.iter_mut().find(same) {
        known.plain_ms = known.plain_ms.max(conversation.plain_ms);
        return false;
    }
    known.push(KnownConversation {
        conversation_id: conversation.conversation_id,
        line_id: conversation.line_id,
        active_ms: conversation.at_ms,
        plain_ms: conversation.plain_ms,
        opted_out: false,
        answers_to: None,
    });
    true
}

/// The next of the batch may write to the group by its name.
fn note_group(snapshot: &mut OutwardSnapshot, user: &BareJid, conversation: &ConversationRow) {
    if conversation.group.is_empty() {
        return;
    }
    let key = (user.to_string(), conversation.peer.clone());
    let member = |row: &MemberRow| (row.address.clone(), row.name.clone());
    let members = conversation.group.iter().map(member).collect();
    snapshot.groups.entry(key).or_insert(members);
}

pub(super) fn note_thread(snapshot: &mut OutwardSnapshot, row: &ThreadRow) {
    let threads = snapshot.threads.entry(row.conversation_id).or_default();
    threads.retain(|thread| thread.thread_id != row.thread_id);
    threads.push(KnownThread {
        thread_id: row.thread_id,
        conversation_id: row.conversation_id,
        subject: row.subject.clone(),
        xmpp_thread: row.xmpp_thread.clone(),
        last_id: row.last_id.clone(),
        references: serde_json::from_str(&row.reference_ids).unwrap_or_default(),
        active_ms: row.active_ms,
    });
}

/// The next of the batch may correct it or take it back.
fn note_held(snapshot: &mut OutwardSnapshot, user: &BareJid, out: &NewOut) {
    let Some(held_until_ms) = out.held_until_ms else {
        return;
    };
    let held = KnownHeld {
        message_id: out.message_id,
        conversation_id: out.conversation.conversation_id,
        thread_id: out.thread.as_ref().map(|thread| thread.thread_id),
        body: out.body.clone(),
        files: i64::try_from(out.files.len()).unwrap_or(i64::MAX),
        stanza_id: out.stanza_id.clone(),
        payload: out.payload.clone(),
        segments: out.segments.into(),
        created_ms: out.conversation.at_ms,
        held_until_ms,
        restarted: false,
        recipient: out.recipient.clone(),
        people: out.usage().0,
    };
    let chat = (user.to_string(), out.conversation.peer.clone());
    snapshot.joinable.insert(chat, held.clone());
    let key = (user.to_string(), out.stanza_id.clone());
    snapshot.held.insert(key, held);
}
