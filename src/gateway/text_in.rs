//! A message from outside to a user: who gets it, and the stanza that carries it.

mod about;
mod long;
mod mail;
mod people;
mod pieces;
mod stanza;
mod stop;
mod strangers;
mod tapback;

use sha2::{Digest, Sha256};
use transom_adapter::{AccountName, Incoming, Network, Repeats, UnixMillis};

use super::{
    Gateway, files, group,
    ids::{self, own_key},
    payload::{Payload, StoredNotice},
    registration::DISABLED_FOR,
    threads,
};
use crate::store::{
    read::{InwardAsk, InwardRow, LineFound},
    write::{NewIn, Seen, Unowned, Write},
};

use about::{reaction, reply, tapback_of};
pub use long::attach;
use mail::mail_facts;
pub use mail::{IN_MAILBOX, in_mailbox};
use people::{contact, stored_group};
pub use stanza::{in_the_users_name, is_own, stanzas};
pub use strangers::{STRANGER_DAYS, knocking, why_waits};

/// Semantics 6: a provider without ids that is documented to retry does so within two minutes.
const DIGEST_REPEAT_MS: i64 = 2 * 60_000;

/// What has to be loaded for a message.
pub fn ask(gateway: &Gateway, message: &Incoming, place: usize) -> InwardAsk {
    let group = group::of_incoming(gateway, message);
    let peer = group.map_or_else(|| message.from.clone(), |(peer, _)| peer);
    InwardAsk {
        place,
        address: message.to.as_str().to_owned(),
        peer: peer.as_str().to_owned(),
        author: message.from.as_str().to_owned(),
        regarding: message.mail.regarding.map(|key| key.0),
        answers: message.answers.clone(),
        quotes: tapback_of(gateway, message).map(|tapback| tapback.quoted),
        reacts: !message.mail.reaction.is_empty(),
        has_threads: gateway.network() == Network::Email,
    }
}

/// A message is for nobody here: neither a line of ours nor anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSuchRecipient;

/// Decides who gets a message.
///
/// # Errors
///
/// [`NoSuchRecipient`].
pub fn decide(
    gateway: &Gateway,
    account: &AccountName,
    message: &Incoming,
    line: Option<&LineFound>,
    now: UnixMillis,
    ids: &dyn Fn() -> i64,
) -> Result<Vec<Write>, NoSuchRecipient> {
    let line = line.ok_or(NoSuchRecipient)?;
    let seen = seen(gateway, account, message, now);
    let arrived = Arrived {
        gateway,
        account,
        message,
        own: false,
    };
    let mut writes = Vec::new();
    let users = recipients(line);
    // A blocked peer is counted as seen and goes nowhere.
    for (number, user) in (0..).zip(users.iter().filter(|user| !user.blocked)) {
        let seen = of_user(&seen, user.user_id);
        let mut row = row(&arrived, line, user, (seen, now, ids));
        if number == 0 {
            let made = (&row.conversation, ids);
            row.confirm = stop::confirm(gateway, account, message, (line, user), made);
        }
        writes.push(Write::In(Box::new(row)));
    }
    if users.is_empty() {
        writes.push(Write::Unowned(Unowned {
            seen,
            unowned_id: ids(),
            line_id: line.line_id,
            peer: message.from.as_str().to_owned(),
            body: message.text.clone(),
            at_ms: now.0,
        }));
    }
    writes.extend(stop::opt_out(message, line, now).map(Write::OptOut));
    Ok(writes)
}

/// Decides whose chat shows what a user wrote elsewhere: with several owners each one's, since nobody knows who it was.
///
/// # Errors
///
/// [`NoSuchRecipient`].
pub fn decide_own(
    gateway: &Gateway,
    account: &AccountName,
    message: &Incoming,
    line: Option<&LineFound>,
    now: UnixMillis,
    ids: &dyn Fn() -> i64,
) -> Result<Vec<Write>, NoSuchRecipient> {
    let line = line.ok_or(NoSuchRecipient)?;
    let seen = seen(gateway, account, message, now);
    let arrived = Arrived {
        gateway,
        account,
        message,
        own: true,
    };
    let write = |user: &InwardRow| {
        let seen = of_user(&seen, user.user_id);
        let row = row(&arrived, line, user, (seen, now, ids));
        let repeat_key = Some(own_key(&row.stanza_id));
        Write::In(Box::new(NewIn { repeat_key, ..row }))
    };
    Ok(recipients(line).into_iter().map(write).collect())
}

/// An event of an account.
struct Arrived<'a> {
    gateway: &'a Gateway,
    account: &'a AccountName,
    message: &'a Incoming,
    /// The user wrote it, elsewhere.
    own: bool,
}

/// Semantics 17 and 18: the owners, every one; on a shared line whoever talked with the peer last.
fn recipients(line: &LineFound) -> Vec<&InwardRow> {
    let present = |user: &&InwardRow| user.state != "pending";
    if line.kind == "shared" {
        let talker = line
            .users
            .iter()
            .filter(|user| user.conversation.is_some())
            .filter(present);
        return talker
            .max_by_key(|user| user.conversation)
            .into_iter()
            .collect();
    }
    line.users
        .iter()
        .filter(|user| user.owner)
        .filter(present)
        .collect()
}

fn row(
    arrived: &Arrived<'_>,
    line: &LineFound,
    user: &InwardRow,
    (seen, now, ids): (Seen, UnixMillis, &dyn Fn() -> i64),
) -> NewIn {
    let Arrived {
        gateway,
        account,
        message,
        own,
    } = *arrived;
    let key = ids();
    // Semantics 9: from the pinned form, unless the plain chat used this line last.
    let pinned = user.other_plain_ms > user.plain_ms;
    let conversation_id = user
        .conversation
        .map_or_else(ids, |(conversation_id, _)| conversation_id);
    let (thread, shows_subject) = thread(gateway, message, line, user, (now, ids));
    let group = group::of_incoming(gateway, message);
    let mut contact = contact(gateway, message, conversation_id, group.as_ref());
    if own {
        // The user wrote last, and answers nobody by habit.
        contact.answers_to = None;
    }
    let chosen = (pinned, thread.as_ref(), shows_subject);
    let mut payload = payload(arrived, line, user, chosen);
    if let Some((_, members)) = group.as_ref().filter(|_| !own) {
        let is_new = user.conversation.is_none() && contact.answers_to.is_some();
        payload.name.clone_from(&contact.name);
        payload.group = Some(Box::new(stored_group(message, members, is_new)));
    }
    let stranger = strangers::stranger(message, user, payload.subject.as_deref(), now);
    let stranger = stranger.filter(|_| !own);
    NewIn {
        seen,
        // A reaction shows no subject: whatever is shown next has to.
        conversation: contact.row(
            user,
            line,
            (
                pinned,
                thread.as_ref().filter(|_| payload.reaction.is_none()),
            ),
            now,
        ),
        thread: thread.map(|thread| thread.row(conversation_id, message.message_id.clone(), now.0)),
        message_id: key,
        body: message.text.clone(),
        payload: Some(payload.to_json()),
        stanza_id: ids::stanza_id(now),
        user_jid: user.jid.clone(),
        // Semantics 15: held until the user comes back; coming back moves the lane.
        due_ms: match (&stranger, user.state.as_str()) {
            (Some(_), _) => None,
            (None, "disabled") => Some(now.after(DISABLED_FOR).0),
            (None, _) => Some(now.0),
        },
        stranger,
        line: message.to.as_str().to_owned(),
        ids: mail::id_rows(arrived, payload.mail.as_deref(), key),
        files: files::incoming(gateway, account, message, key, (now, ids)),
        confirm: None,
        fleeting: false,
        repeat_key: None,
    }
}

/// What belongs to the message besides its body.
fn payload(
    arrived: &Arrived<'_>,
    line: &LineFound,
    user: &InwardRow,
    (pinned, thread, shows_subject): (bool, Option<&threads::Chosen>, bool),
) -> Payload {
    let Arrived {
        gateway,
        message,
        own,
        ..
    } = *arrived;
    Payload {
        pinned,
        sent_ms: message.sent_at.map(|at| at.0),
        subject: thread
            .map(|thread| thread.subject.clone())
            .filter(|subject| !subject.is_empty()),
        xmpp_thread: thread.map(|thread| thread.xmpp_thread.clone()),
        shows_subject,
        name: message.from_name.clone().filter(|_| !own),
        notice: message.mail.notice.map(StoredNotice::from),
        mail: mail_facts(arrived, thread, user),
        files: files::named_only(&gateway.files, message),
        text_file: long::place(&gateway.files, message),
        own,
        reply: reply(line, user),
        reaction: reaction(gateway, message, (line, user)).filter(|_| !own),
        word: stop::told(message, line).filter(|_| !own),
        ..Payload::default()
    }
}

/// The mail thread of a message, and whether its subject has to be shown (semantics 27).
fn thread(
    gateway: &Gateway,
    message: &Incoming,
    line: &LineFound,
    user: &InwardRow,
    (now, ids): (UnixMillis, &dyn Fn() -> i64),
) -> (Option<threads::Chosen>, bool) {
    if gateway.network() != Network::Email {
        return (None, false);
    }
    // Matching is no permission: a thread of somebody else, or with somebody else, is not this one.
    let answered = line
        .answered
        .iter()
        .filter(|answered| answered.user_id == user.user_id)
        .filter_map(|answered| answered.thread_id);
    let mine = |thread: &i64| user.threads.iter().any(|known| known.thread_id == *thread);
    let answered = answered.into_iter().find(mine);
    let (chosen, _) = threads::of_mail(
        &user.threads,
        answered,
        message.subject.as_deref(),
        now,
        ids,
    );
    let shows = user.shown_thread != Some(chosen.thread_id);
    (Some(chosen), shows)
}

pub(super) fn seen(
    gateway: &Gateway,
    account: &AccountName,
    message: &Incoming,
    now: UnixMillis,
) -> Seen {
    // One event a recipient: the same id to two of our lines is two messages.
    let mut parts: Vec<&[u8]> = vec![message.to.as_str().as_bytes()];
    let mut stale_ms = 0;
    match &message.repeats {
        Repeats::ById(id) => parts.extend([id.kind.as_bytes(), id.value.as_bytes()]),
        Repeats::ByIdAndContent(id, content) => {
            parts.extend([id.kind.as_bytes(), id.value.as_bytes(), content]);
        }
        Repeats::ByDigest(digest) => {
            parts.push(digest);
            stale_ms = now.0 - DIGEST_REPEAT_MS;
        }
    }
    let scope_id = gateway.scope_id(account).unwrap_or(gateway.id);
    Seen {
        scope_id,
        digest: digest(&parts),
        at_ms: now.0,
        stale_ms,
    }
}

/// Over several parts, each with its length before it.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(0).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Several owners each get the message once.
fn of_user(seen: &Seen, user_id: i64) -> Seen {
    Seen {
        digest: format!("{}-{user_id}", seen.digest),
        ..seen.clone()
    }
}
