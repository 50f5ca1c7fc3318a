//! The stanza that carries a message from outside.

use transom_adapter::{Address, Network, UnixMillis};

use crate::{
    gateway::{
        Gateway,
        payload::{Payload, StoredMail, StoredNotice},
    },
    store::read::InRow,
    texts::{Mail, Notice, Text},
    xmpp::{
        jid::Jid,
        ns,
        stanza::{Element, Message},
        xep::delay,
    },
};

/// XEP-0203 on anything older than a minute.
const DELAY_MS: i64 = 60_000;
/// What a stanza carries at most, so that no server's limit is met after escaping.
const BODY_CHARS_MAX: usize = 16_000;

const ZERO_WIDTH_SPACE: char = '\u{200b}';

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
        .with_body(body(&whole(gateway, &payload, row)));
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
fn whole(gateway: &Gateway, payload: &Payload, row: &InRow) -> String {
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
    let files = payload
        .files
        .iter()
        .map(|(name, bytes)| Notice::Attachment {
            name: name.clone(),
            bytes: *bytes,
        });
    if row.body.trim_start().starts_with('⚠') {
        // Semantics 22: never taken for a line of ours.
        whole.push(ZERO_WIDTH_SPACE);
    }
    whole.push_str(&row.body);
    let card = about.and_then(StoredMail::card).map(Text::from);
    let notices = notice.into_iter().chain(files).map(Text::from);
    let mut behind: Vec<Text> = card.into_iter().chain(notices).collect();
    if row.body.trim().is_empty() && behind.is_empty() && gateway.network() == Network::Email {
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
