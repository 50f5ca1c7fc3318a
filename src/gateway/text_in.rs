//! A message from outside to a user: who gets it, and the stanza that carries it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use transom_adapter::{AccountName, Address, Incoming, Network, Repeats, Thread, UnixMillis};
use uuid::Uuid;

use super::{Gateway, registration::DISABLED_FOR, threads};
use crate::{
    store::{
        read::{InRow, InwardAsk, InwardRow, LineFound},
        write::{ConversationRow, IdRow, NewIn, OptOut, Seen, Unowned, Write},
    },
    texts::{Notice, Text},
    xmpp::{
        jid::Jid,
        ns,
        stanza::{Element, Message},
        xep::delay,
    },
};

/// Semantics 6: a provider without ids that is documented to retry does so within two minutes.
const DIGEST_REPEAT_MS: i64 = 2 * 60_000;
/// XEP-0203 on anything older than a minute.
const DELAY_MS: i64 = 60_000;
/// What a stanza carries at most, so that no server's limit is met after escaping.
const BODY_CHARS_MAX: usize = 16_000;

/// What belongs to a message besides its body, as it is stored. Unknown fields of a newer version are ignored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Payload {
    /// The version of this shape.
    pub v: u8,
    /// The contact is the one that pins its line.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// When it was sent, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_ms: Option<i64>,
    /// The subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The name that came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What clients call the thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xmpp_thread: Option<String>,
    /// The subject stands before the text: the thread is new, or another than the last one shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shows_subject: bool,
    /// What has to be said about a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<StoredNotice>,
    /// Names and sizes of files that came with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<(String, u64)>,
    /// The mail thread of a message to the outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<MailThread>,
}

/// What has to be said about a mail, as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredNotice {
    /// It is encrypted.
    Encrypted,
    /// It is too large, with its size.
    TooLarge(u64),
    /// It could not be decoded, with its size.
    Unreadable(u64),
}

impl From<transom_adapter::Notice> for StoredNotice {
    fn from(notice: transom_adapter::Notice) -> Self {
        match notice {
            transom_adapter::Notice::Encrypted => Self::Encrypted,
            transom_adapter::Notice::TooLarge { bytes } => Self::TooLarge(bytes),
            transom_adapter::Notice::Unreadable { bytes } => Self::Unreadable(bytes),
        }
    }
}

/// A mail thread as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MailThread {
    /// The subject without reply prefixes.
    pub subject: String,
    /// The Message-ID that is answered.
    pub in_reply_to: Option<String>,
    /// The Message-IDs before it, oldest first.
    pub references: Vec<String>,
}

impl From<Thread> for MailThread {
    fn from(thread: Thread) -> Self {
        Self {
            subject: thread.subject,
            in_reply_to: thread.in_reply_to,
            references: thread.references,
        }
    }
}

impl From<MailThread> for Thread {
    fn from(thread: MailThread) -> Self {
        Self {
            subject: thread.subject,
            in_reply_to: thread.in_reply_to,
            references: thread.references,
        }
    }
}

impl Payload {
    /// As it is stored.
    pub fn to_json(&self) -> String {
        let versioned = Self {
            v: 1,
            ..self.clone()
        };
        serde_json::to_string(&versioned).unwrap_or_default()
    }

    /// As it was stored; what cannot be read counts as empty.
    pub fn from_json(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
}

/// What has to be loaded for a message.
pub fn ask(gateway: &Gateway, message: &Incoming, place: usize) -> InwardAsk {
    InwardAsk {
        place,
        address: message.to.as_str().to_owned(),
        peer: message.from.as_str().to_owned(),
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
    let payload = Payload {
        pinned,
        sent_ms: message.sent_at.map(|at| at.0),
        subject: thread
            .as_ref()
            .map(|thread| thread.subject.clone())
            .filter(|subject| !subject.is_empty()),
        xmpp_thread: thread.as_ref().map(|thread| thread.xmpp_thread.clone()),
        shows_subject,
        name: message.from_name.clone(),
        notice: message.mail.notice.map(StoredNotice::from),
        files: message
            .attachments
            .iter()
            .map(|file| (file.name.clone(), file.bytes))
            .collect(),
        ..Payload::default()
    };
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
            peer: message.from.as_str().to_owned(),
            peer_name: message.from_name.clone(),
            at_ms: now.0,
            plain_ms: if pinned { 0 } else { now.0 },
            shown_thread: thread.as_ref().map(|thread| thread.thread_id),
        },
        thread: thread.map(|thread| thread.row(conversation_id, message.message_id.clone(), now.0)),
        message_id: key,
        body: message.text.clone(),
        payload: Some(payload.to_json()),
        stanza_id: stanza_id(now),
        user_jid: user.jid.clone(),
        // Semantics 15: held until the user comes back; coming back moves the lane.
        due_ms: if user.state == "disabled" {
            now.after(DISABLED_FOR).0
        } else {
            now.0
        },
        line: message.to.as_str().to_owned(),
        ids: message.message_id.iter().filter_map(id_row).collect(),
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

/// Semantics 7: lower-case UUIDv7.
pub(super) fn stanza_id(now: UnixMillis) -> String {
    let seconds = now.0.div_euclid(1000).unsigned_abs();
    let nanos = u32::try_from(now.0.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)).to_string()
}

fn seen(gateway: &Gateway, account: &AccountName, message: &Incoming, now: UnixMillis) -> Seen {
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

/// The stanza of a stored message; the same each time it is made.
pub fn stanza(gateway: &Gateway, row: &InRow, now: UnixMillis) -> Option<Message> {
    let payload = Payload::from_json(row.payload.as_deref());
    let line = Address::new(row.line.clone());
    let contact = gateway.jid_of(
        &Address::new(row.peer.clone()),
        payload.pinned.then_some(&line),
    )?;
    let user = Jid::new(&row.jid).ok()?;
    let mut message = Message::chat(contact, user)
        .with_id(row.stanza_id.clone())
        .with_origin_id(row.stanza_id.clone())
        .with_body(body(&whole(gateway, &payload, &row.body)));
    if let Some(subject) = payload.subject {
        message = message.with_subject(subject);
    }
    if let Some(thread) = payload.xmpp_thread {
        message = message.with_thread(thread);
    }
    if let Some(name) = payload.name {
        // XEP-0172 §4.3: a name with a message from somebody who may not be in the roster.
        message = message.with_child(Element::text_only("nick", ns::NICK, name));
    }
    let sent_ms = payload
        .sent_ms
        .filter(|sent| *sent <= row.created_ms)
        .unwrap_or(row.created_ms);
    if now.0 - sent_ms > DELAY_MS {
        message = message.with_child(delay::delay(
            gateway.config.domain.as_str(),
            UnixMillis(sent_ms).timestamp(),
        ));
    }
    Some(message)
}

/// The text with what has to stand around it: the subject of another thread, what is to be said, the names of files.
fn whole(gateway: &Gateway, payload: &Payload, text: &str) -> String {
    let lang = gateway.lang(None);
    let mut whole = String::new();
    if let Some(subject) = payload.subject.as_deref().filter(|_| payload.shows_subject) {
        whole.extend(["*", subject, "*\n\n"]);
    }
    let notice = payload.notice.map(|notice| match notice {
        StoredNotice::Encrypted => Notice::MailEncrypted,
        StoredNotice::TooLarge(bytes) => Notice::MailTooLarge { bytes },
        StoredNotice::Unreadable(bytes) => Notice::MailUnreadable { bytes },
    });
    let files = payload
        .files
        .iter()
        .map(|(name, bytes)| Notice::Attachment {
            name: name.clone(),
            bytes: *bytes,
        });
    whole.push_str(text);
    for notice in notice.into_iter().chain(files) {
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push('\n');
        }
        whole.push_str(&Text::from(notice).render(lang));
    }
    whole
}

/// The body as the user sees it: never taken for a notice of ours (semantics 22), never too long for a server.
fn body(text: &str) -> String {
    const ZERO_WIDTH_SPACE: char = '\u{200b}';
    let mut body = String::with_capacity(text.len() + 3);
    if text.trim_start().starts_with('⚠') {
        body.push(ZERO_WIDTH_SPACE);
    }
    match text.char_indices().nth(BODY_CHARS_MAX) {
        Some((end, _)) => {
            body.push_str(text.get(..end).unwrap_or_default());
            body.push_str(" […]");
        }
        None => body.push_str(text),
    }
    body
}
