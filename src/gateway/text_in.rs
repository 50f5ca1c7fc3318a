//! A message from outside to a user: who gets it, and the stanza that carries it.

mod stanza;
mod strangers;

use sha2::{Digest, Sha256};
use transom_adapter::{AccountName, Address, Incoming, Member, Network, Repeats, UnixMillis};
use uuid::Uuid;

use super::{
    Gateway, files, group,
    payload::{Payload, StoredGroup, StoredMail, StoredMember, StoredNotice},
    registration::DISABLED_FOR,
    threads,
};
use crate::store::{
    read::{InwardAsk, InwardRow, LineFound},
    write::{ConversationRow, IdRow, MemberRow, NewIn, OptOut, Seen, Unowned, Write},
};

pub use stanza::{message_of, stanzas};
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
    let mut writes = Vec::new();
    let opt_out = opt_out(message, line, now);
    let users = recipients(line);
    for user in &users {
        // A blocked peer is counted as seen and goes nowhere.
        if !user.blocked {
            let seen = of_user(&seen, user.user_id);
            writes.push(Write::In(Box::new(row(
                gateway,
                account,
                message,
                line,
                user,
                (seen, now, ids),
            ))));
        }
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
    writes.extend(opt_out.map(Write::OptOut));
    Ok(writes)
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
    gateway: &Gateway,
    account: &AccountName,
    message: &Incoming,
    line: &LineFound,
    user: &InwardRow,
    (seen, now, ids): (Seen, UnixMillis, &dyn Fn() -> i64),
) -> NewIn {
    let key = ids();
    // Semantics 9: from the pinned form, unless the plain chat used this line last.
    let pinned = user.other_plain_ms > user.plain_ms;
    let conversation_id = user
        .conversation
        .map_or_else(ids, |(conversation_id, _)| conversation_id);
    let (thread, shows_subject) = thread(gateway, message, line, user, (now, ids));
    let group = group::of_incoming(gateway, message);
    let contact = contact(gateway, message, conversation_id, group.as_ref());
    let payload = Payload {
        pinned,
        sent_ms: message.sent_at.map(|at| at.0),
        subject: thread
            .as_ref()
            .map(|thread| thread.subject.clone())
            .filter(|subject| !subject.is_empty()),
        xmpp_thread: thread.as_ref().map(|thread| thread.xmpp_thread.clone()),
        shows_subject,
        name: contact.name.clone(),
        group: group.map(|(_, members)| {
            let is_new = user.conversation.is_none() && contact.answers_to.is_some();
            stored_group(message, &members, is_new)
        }),
        notice: message.mail.notice.map(StoredNotice::from),
        mail: StoredMail::of(message),
        files: files::named_only(&gateway.files, message),
        ..Payload::default()
    };
    let stranger = strangers::stranger(message, user, payload.subject.as_deref(), now);
    let scope = gateway.scope_id(account);
    let id_row = |id: &String| {
        Some(IdRow {
            scope_id: scope?,
            kind: "message-id",
            value: id.clone(),
            part: 0,
            delivery_id: key,
        })
    };
    NewIn {
        seen,
        conversation: ConversationRow {
            conversation_id,
            gateway_id: gateway.id,
            user_id: user.user_id,
            line_id: line.line_id,
            peer: contact.peer,
            peer_name: contact.name,
            at_ms: now.0,
            plain_ms: if pinned { 0 } else { now.0 },
            shown_thread: thread.as_ref().map(|thread| thread.thread_id),
            members: 1,
            answers_to: contact.answers_to,
            group: contact.rows,
        },
        thread: thread.map(|thread| thread.row(conversation_id, message.message_id.clone(), now.0)),
        message_id: key,
        body: message.text.clone(),
        payload: Some(payload.to_json()),
        stanza_id: stanza_id(now),
        user_jid: user.jid.clone(),
        // Semantics 15: held until the user comes back; coming back moves the lane.
        due_ms: match (&stranger, user.state.as_str()) {
            (Some(_), _) => None,
            (None, "disabled") => Some(now.after(DISABLED_FOR).0),
            (None, _) => Some(now.0),
        },
        stranger,
        line: message.to.as_str().to_owned(),
        ids: message.message_id.iter().filter_map(id_row).collect(),
        files: files::incoming(gateway, account, message, key, (now, ids)),
    }
}

/// The people of a message to several, as they are stored with it.
fn stored_group(message: &Incoming, members: &[Member], introduces: bool) -> Box<StoredGroup> {
    Box::new(StoredGroup {
        members: members.iter().map(StoredMember::from).collect(),
        author: Some(message.from.as_str().to_owned()),
        at_once: false,
        introduces,
    })
}

/// Whose contact a message comes from, and what is kept of it.
struct Sender {
    peer: String,
    name: Option<String>,
    answers_to: Option<String>,
    rows: Vec<MemberRow>,
}

fn contact(
    gateway: &Gateway,
    message: &Incoming,
    conversation_id: i64,
    group: Option<&(Address, Vec<Member>)>,
) -> Sender {
    let Some((peer, members)) = group else {
        return Sender {
            peer: message.from.as_str().to_owned(),
            name: message.from_name.clone(),
            answers_to: None,
            rows: Vec::new(),
        };
    };
    let row = |member: &Member| MemberRow {
        conversation_id,
        address: member.address.as_str().to_owned(),
        name: member.name.clone(),
    };
    // By the address, so that the name is the same whoever wrote.
    let mut sorted: Vec<&Member> = members.iter().collect();
    sorted.sort_by_key(|member| member.address.as_str());
    let shown = |member: &&Member| {
        let name = member.name.as_deref();
        name.unwrap_or(member.address.as_str()).to_owned()
    };
    let names: Vec<String> = sorted.iter().map(shown).collect();
    let by_mail = gateway.network() == Network::Email;
    let has_rows = group::is_named(peer.as_str());
    Sender {
        peer: peer.as_str().to_owned(),
        name: Some(group::name_of(names.iter().map(String::as_str))),
        answers_to: by_mail.then(|| message.from.as_str().to_owned()),
        rows: members.iter().filter(|_| has_rows).map(row).collect(),
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
        .filter(|(_, owner)| *owner == user.user_id)
        .map(|(thread, _)| *thread);
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

/// Semantics 7: lower-case `UUIDv7`.
pub fn stanza_id(now: UnixMillis) -> String {
    let seconds = now.0.div_euclid(1000).unsigned_abs();
    let nanos = u32::try_from(now.0.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)).to_string()
}

pub(super) fn seen(
    gateway: &Gateway,
    account: &AccountName,
    message: &Incoming,
    now: UnixMillis,
) -> Seen {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update(u64::try_from(part.len()).unwrap_or(0).to_be_bytes());
        hash.update(part);
    };
    // One event a recipient: the same id to two of our lines is two messages.
    add(message.to.as_str().as_bytes());
    let mut stale_ms = 0;
    match &message.repeats {
        Repeats::ById(id) => {
            add(id.kind.as_bytes());
            add(id.value.as_bytes());
        }
        Repeats::ByIdAndContent(id, content) => {
            add(id.kind.as_bytes());
            add(id.value.as_bytes());
            add(content);
        }
        Repeats::ByDigest(digest) => {
            add(digest);
            stale_ms = now.0 - DIGEST_REPEAT_MS;
        }
    }
    let scope_id = gateway.scope_id(account).unwrap_or(gateway.id);
    Seen {
        scope_id,
        digest: hex::encode(hash.finalize()),
        at_ms: now.0,
        stale_ms,
    }
}

/// Several owners each get the message once.
fn of_user(seen: &Seen, user_id: i64) -> Seen {
    Seen {
        digest: format!("{}-{user_id}", seen.digest),
        ..seen.clone()
    }
}

/// Semantics 33: a lone STOP word opts the pair out, START takes it back.
fn opt_out(message: &Incoming, line: &LineFound, now: UnixMillis) -> Option<OptOut> {
    const STOP: [&str; 8] = [
        "stop",
        "stopall",
        "unsubscribe",
        "cancel",
        "end",
        "quit",
        "revoke",
        "optout",
    ];
    const START: [&str; 3] = ["start", "unstop", "yes"];
    if message.subject.is_some() || message.message_id.is_some() {
        return None;
    }
    let word = message.text.trim().to_lowercase();
    let out = STOP.contains(&word.as_str());
    (out || START.contains(&word.as_str())).then(|| OptOut {
        line_id: line.line_id,
        peer: message.from.as_str().to_owned(),
        out,
        at_ms: now.0,
    })
}
