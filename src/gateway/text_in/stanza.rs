//! The stanza that carries a message from outside.

use transom_adapter::{Address, Network, UnixMillis};

use crate::{
    gateway::{
        Gateway, group,
        payload::{Payload, StoredGroup, StoredMail, StoredNotice},
    },
    store::{
        read::InRow,
        write::{FileRow, FileState},
    },
    texts::{Mail, Notice, Text},
    xmpp::{
        jid::Jid,
        ns,
        stanza::{Element, Message},
        xep::{
            addresses::{self as xep0033, Address as Address33, Role, Who},
            delay,
            sharing::{self, Shared},
        },
    },
};

/// XEP-0203 on anything older than a minute.
const DELAY_MS: i64 = 60_000;
/// What a stanza carries at most, so that no server's limit is met after escaping.
const BODY_CHARS_MAX: usize = 16_000;

/// What stands between the id of a message and the number of a further stanza of it.
const FURTHER: &str = "-f";

const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// The stanzas of a stored message, the same each time they are made: the text, then one for each file. Empty for a row that nothing
/// can be made of.
pub fn stanzas(gateway: &Gateway, row: &InRow, files: &[FileRow], now: UnixMillis) -> Vec<Message> {
    let payload = Payload::from_json(row.payload.as_deref());
    let shared: Vec<Shared> = files.iter().filter_map(shared).collect();
    let text = whole(gateway, &payload, row, files);
    let Some(plain) = plain(gateway, row, &payload, now) else {
        return Vec::new();
    };
    let mut stanzas = Vec::with_capacity(1 + shared.len());
    if !text.is_empty() || shared.is_empty() {
        let mut message = plain.clone().with_body(body(&text));
        if let Some(subject) = payload.subject {
            message = message.with_subject(subject);
        }
        stanzas.push(message);
    }
    for file in &shared {
        let mut message = plain.clone().with_body(file.url.as_str());
        message.children.extend(sharing::elements(file));
        stanzas.push(message);
    }
    let numbered = (0..).zip(stanzas);
    numbered
        .map(|(number, message)| {
            let id = id_of(&row.stanza_id, number);
            message.with_id(id.clone()).with_origin_id(id)
        })
        .collect()
}

/// The first stanza has the message's own id, the others are numbered after it.
fn id_of(message: &str, number: u32) -> String {
    match number {
        0 => message.to_owned(),
        number => format!("{message}{FURTHER}{number}"),
    }
}

/// The id of the message that a stanza of ours belongs to.
pub fn message_of(stanza_id: &str) -> &str {
    let further = stanza_id.rsplit_once(FURTHER);
    let of_ours = further.filter(|(message, number)| {
        message.len() == 36 && number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    of_ours.map_or(stanza_id, |(message, _)| message)
}

/// A file that the user gets.
fn shared(file: &FileRow) -> Option<Shared> {
    if file.state != FileState::Stored {
        return None;
    }
    Some(Shared {
        url: file.url.clone()?,
        name: Some(file.name.clone()),
        media_type: Some(file.content_type.clone()),
        bytes: u64::try_from(file.bytes).ok(),
        sha256: file
            .digest
            .as_ref()
            .and_then(|digest| hex::decode(digest).ok()),
    })
}

/// What all stanzas of a message have in common.
fn plain(gateway: &Gateway, row: &InRow, payload: &Payload, now: UnixMillis) -> Option<Message> {
    let line = Address::new(row.line.clone());
    let contact = gateway.jid_of(
        &Address::new(row.peer.clone()),
        payload.pinned.then_some(&line),
    )?;
    let user = Jid::new(&row.jid).ok()?;
    let user_jid = user.clone();
    let mut message = Message::chat(contact, user);
    if let Some(thread) = &payload.xmpp_thread {
        message = message.with_thread(thread.as_str());
    }
    if let Some(group) = payload.group.as_deref() {
        message = message.with_child(addresses(gateway, group, &user_jid));
    }
    if let Some(name) = &payload.name {
        // XEP-0172 §4.3: a name with a message from somebody who may not be in the roster.
        message = message.with_child(Element::text_only("nick", ns::NICK, name.as_str()));
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

/// XEP-0033: who else has it. Each has got it already, so that no server passes it on.
fn addresses(gateway: &Gateway, group: &StoredGroup, user: &Jid) -> Element {
    let mut list = vec![Address33::to(Who::Jid(user.clone()))];
    for member in &group.members {
        let is_author = group.author.as_deref() == Some(member.address.as_str());
        let role = match (is_author, member.copy) {
            (true, _) => Role::OriginalFrom,
            (false, true) => Role::Cc,
            (false, false) => Role::To,
        };
        list.push(Address33 {
            role,
            who: group::who(gateway, &member.address),
            desc: member.name.clone(),
            delivered: true,
        });
    }
    xep0033::addresses(&list)
}

/// The text with what has to stand around it: the subject of another thread, what is to be said, the names of files.
fn whole(gateway: &Gateway, payload: &Payload, row: &InRow, files: &[FileRow]) -> String {
    let lang = gateway.lang(None);
    let mut whole = String::new();
    let about = payload.mail.as_deref();
    for warning in about
        .map(|about| about.warnings(&row.peer))
        .unwrap_or_default()
    {
        whole.extend([&*Text::from(warning).render(lang), "\n"]);
    }
    if let Some(subject) = payload.subject.as_deref().filter(|_| payload.shows_subject) {
        whole.extend(["*", subject, "*\n\n"]);
    }
    let notice = payload.notice.map(|notice| match notice {
        StoredNotice::Encrypted => Notice::MailEncrypted,
        StoredNotice::TooLarge(bytes) => Notice::MailTooLarge { bytes },
        StoredNotice::Unreadable(bytes) => Notice::MailUnreadable { bytes },
    });
    let named = payload
        .files
        .iter()
        .map(|(name, bytes)| Notice::Attachment {
            name: name.clone(),
            bytes: *bytes,
        });
    if let Some(group) = payload.group.as_deref() {
        let introduction = group.introduction();
        whole.extend(introduction.map(|text| Text::from(text).render(lang) + "\n\n"));
        whole.extend([group.author_name().unwrap_or_default(), ": "]);
    }
    if row.body.trim_start().starts_with('⚠') {
        // Semantics 22: never taken for a line of ours.
        whole.push(ZERO_WIDTH_SPACE);
    }
    whole.push_str(&row.body);
    let card = about.and_then(StoredMail::card).map(Text::from);
    let missing = files.iter().filter_map(missing);
    let notices = notice
        .into_iter()
        .chain(named)
        .chain(missing)
        .map(Text::from);
    let mut behind: Vec<Text> = card.into_iter().chain(notices).collect();
    let has_nothing = row.body.trim().is_empty() && behind.is_empty() && files.is_empty();
    if has_nothing && gateway.network() == Network::Email {
        behind.push(Text::from(Mail::Empty));
    }
    for notice in behind {
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push('\n');
        }
        whole.push_str(&notice.render(lang));
    }
    whole
}

/// What is said of a file that the user does not get.
fn missing(file: &FileRow) -> Option<Notice> {
    let (name, bytes) = (file.name.clone(), u64::try_from(file.bytes).unwrap_or(0));
    match file.state {
        FileState::Stored if file.url.is_some() => None,
        FileState::Stored => Some(Notice::Attachment { name, bytes }),
        FileState::Waiting | FileState::Failed | FileState::Expired => {
            Some(Notice::FileLost { name })
        }
    }
}

/// The body as the user sees it: never too long for a server.
fn body(text: &str) -> String {
    let mut body = String::with_capacity(text.len());
    match text.char_indices().nth(BODY_CHARS_MAX) {
        Some((end, _)) => {
            body.push_str(text.get(..end).unwrap_or_default());
            body.push_str(" […]");
        }
        None => body.push_str(text),
    }
    body
}
