//! Reading a mail: from bytes that anybody may have sent to what a person meant.
//!
//! Synchronous, without IO, linear in the input, and total: every input gives a [`Letter`]. Callers run it on a blocking
//! thread ([`intake`](crate::intake)), since a large mail takes milliseconds.

mod bomb;
mod calendar;
mod class;
mod flowed;
mod head;
mod html;
mod parts;
mod phrases;
pub(crate) mod reply;
mod sender;
mod sent;
mod text;
mod tnef;
mod trust;
mod unsubscribe;

use bytes::Bytes;
use mail_parser::{Message, MessageParser};
use sha2::{Digest, Sha256};
use transom_adapter::{
    Address, Appointment, Attachment, Class, ExternalId, Incoming, Key, MailFacts, Member, Notice,
    Repeats, Suspicion, UnixMillis, Unsubscribe,
};

use crate::{
    address,
    bounce::{self, Bounce},
    headers::{self, Headers},
    ids::{LOOP_HEADER, MESSAGE_ID_KIND, OwnIds},
    reaction,
};
pub(crate) use class::says_automatic;
pub(crate) use head::{message_id, named_only};
use sender::sender_of;

/// What a mail may weigh; more is refused by LMTP and named, unread, by IMAP.
pub(crate) const MAIL_BYTES_MAX: usize = 25 * 1024 * 1024;

/// The text that is handed on: a book. The rest is named as left out.
const TEXT_CHARS_MAX: usize = 1_000_000;

/// More names than this in References are no thread any more.
const ANSWERS_MAX: usize = 50;

/// RFC 5321 §6.3 asks for a limit of at least 100, and in practice thirty hops are a loop.
const HOPS_MAX: usize = 30;

/// A mail, understood, for whoever it came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Letter {
    pub(crate) mail: Mail,
    /// What it reports, when it is a bounce or another report.
    pub(crate) bounce: Option<Bounce>,
    /// Why it is not handed on.
    pub(crate) loops: Option<Loop>,
}

/// A sign that a mail goes round in circles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loop {
    /// It is a mail of ours; a loop only where it came back to its author.
    Own,
    /// It passed too many hosts.
    Hops,
}

/// What was written, still without recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mail {
    repeats: Repeats,
    /// Who wrote it.
    author: Address,
    /// Whose contact it comes from: the author's, or that of the list it came by.
    from: Address,
    from_name: Option<String>,
    /// Who else it went to, as its header says: whoever it is read for may be among them.
    others: Vec<Member>,
    text: String,
    subject: Option<String>,
    answers: Vec<String>,
    message_id: Option<String>,
    class: Class,
    sent_at: Option<UnixMillis>,
    attachments: Vec<Attachment>,
    notice: Option<Notice>,
    shortened: bool,
    suspicions: Vec<Suspicion>,
    appointment: Option<Box<Appointment>>,
    reaction: Vec<String>,
    asks_displayed: Option<Address>,
    unsubscribe: Option<Box<Unsubscribe>>,
    /// The whole of it, as it came.
    pub(crate) original: Option<Bytes>,
}

impl Mail {
    /// The mail for one recipient; `regarding` when that is the bounce address of a delivery.
    pub(crate) fn for_recipient(&self, to: &Address, regarding: Option<Key>) -> Incoming {
        Incoming {
            repeats: self.repeats.clone(),
            to: to.clone(),
            from: self.from.clone(),
            from_name: self.from_name.clone(),
            others: self.others_than(to),
            text: self.text.clone(),
            subject: self.subject.clone(),
            answers: self.answers.clone(),
            message_id: self.message_id.clone(),
            part: None,
            media: Vec::new(),
            class: self.class,
            sent_at: self.sent_at,
            attachments: self.attachments.clone(),
            mail: MailFacts {
                regarding,
                notice: self.notice,
                shortened: self.shortened,
                suspicions: self.suspicions.clone(),
                appointment: self.appointment.clone(),
                reaction: self.reaction.clone(),
                asks_displayed: self.asks_displayed.clone(),
                unsubscribe: self.unsubscribe.clone(),
                original: self.original.clone(),
            },
        }
    }

    /// The people of the conversation besides its author and this recipient.
    fn others_than(&self, to: &Address) -> Vec<Member> {
        let others = self.others.iter();
        let others = others.filter(|other| other.address != *to && other.address != self.author);
        others.cloned().collect()
    }

    /// Whether its author has this address, plus addressing aside.
    pub(crate) fn is_from(&self, address: &Address) -> bool {
        let plain = |address: &Address| {
            let (local, domain) = address.as_str().rsplit_once('@')?;
            let local = local.split('+').next()?;
            Some((local.to_owned(), domain.to_owned()))
        };
        plain(&self.author) == plain(address)
    }

    pub(crate) fn class(&self) -> Class {
        self.class
    }
}

/// What is known of a mail that is not read: what its beginning says.
fn unreadable(raw: &[u8], sender: Option<&str>) -> Letter {
    let bytes = raw.len() as u64;
    let head = raw.get(..bomb::HEADER_BYTES_MAX).unwrap_or(raw);
    named_only(head, sender, Notice::Unreadable { bytes })
}

/// In a test, a mail with these words defeats the decoder.
#[cfg(test)]
pub(crate) const CRASHES: &str = "crash-the-decoder";

/// Reads a mail. `sender` is the envelope's, where it is known; empty for the null sender.
pub(crate) fn read(raw: &[u8], sender: Option<&str>, ids: &OwnIds) -> Letter {
    #[cfg(test)]
    assert!(
        !raw.windows(CRASHES.len())
            .any(|part| part == CRASHES.as_bytes()),
        "the decoder is defeated, as the test wants it"
    );
    let raw = without_lone_returns(raw);
    let Some(harmless) = bomb::harmless(&raw) else {
        return unreadable(&raw, sender);
    };
    let Some(message) = MessageParser::default().parse(&*harmless) else {
        return unreadable(&raw, sender);
    };
    let headers = Headers::new(&message, sender);
    let class = class::class(&headers);
    let author = headers.author();
    let suspicions = trust::suspicions(&headers, &author, class, ids.trusted());
    let answers = headers.answers(ANSWERS_MAX);
    let content = content(&message, class, &answers, ids);
    let message_id = headers.message_id();
    let loops = loops(&headers, message_id.as_deref(), ids);
    let bounce = bounce::recognise(&message, &headers, class);
    let subject = headers.subject(!answers.is_empty());
    let unsubscribe = unsubscribe::unsubscribe(&headers, ids.trusted());
    let reaction = if class == Class::Human && !answers.is_empty() {
        reaction::reaction(&message)
    } else {
        Vec::new()
    };
    let digest = digest(&message, &headers);
    let sender = sender_of(&headers, &author, class, content.text);
    // What came by a list is the list's conversation, whoever else is named.
    let by_list = sender.from != author;
    let others = if by_list {
        Vec::new()
    } else {
        headers.recipients(ids)
    };
    let mail = Mail {
        repeats: repeats(message_id.as_deref(), digest, &raw),
        author,
        from: sender.from,
        from_name: sender.name,
        others,
        text: sender.text,
        subject,
        answers,
        message_id,
        class,
        sent_at: headers.sent_at(),
        attachments: content.attachments,
        notice: content.notice,
        shortened: content.shortened,
        suspicions,
        appointment: content.appointment.map(Box::new),
        reaction,
        asks_displayed: headers.asks_displayed(class),
        unsubscribe: unsubscribe.map(Box::new),
        original: None,
    };
    Letter {
        mail,
        bounce,
        loops,
    }
}

struct Content {
    text: String,
    attachments: Vec<Attachment>,
    notice: Option<Notice>,
    shortened: bool,
    appointment: Option<Appointment>,
}

fn content(message: &Message<'_>, class: Class, answers: &[String], ids: &OwnIds) -> Content {
    if parts::is_encrypted(message) {
        return Content {
            text: String::new(),
            attachments: Vec::new(),
            notice: Some(Notice::Encrypted),
            shortened: false,
            appointment: None,
        };
    }
    let mut text = text::choose(message);
    let mut shortened = false;
    // Only what we wrote ourselves is surely known to the reader already.
    let answers_us = answers.iter().any(|id| ids.key_of_message_id(id).is_some());
    if class == Class::Human && answers_us && !headers::is_forward(message.subject()) {
        // What is kept is the beginning.
        let kept = reply::cut(&text, ids.domain()).len();
        shortened = kept < text.trim_end().len();
        text.truncate(kept);
    }
    if let Some((end, _)) = text.char_indices().nth(TEXT_CHARS_MAX) {
        text.truncate(end);
        text.push_str(" […]");
        shortened = true;
    }
    Content {
        text,
        attachments: parts::attachments(message),
        notice: parts::is_signed(message).then_some(Notice::Signed),
        shortened,
        appointment: parts::appointment(message),
    }
}

fn loops(headers: &Headers<'_>, message_id: Option<&str>, ids: &OwnIds) -> Option<Loop> {
    // Some providers give a mail another id and keep the one it had. For us it is the same mail.
    let renamed = headers.first("X-Microsoft-Original-Message-ID");
    let renamed = renamed.map(|id| id.trim_matches(['<', '>', ' ']));
    let own_id = [message_id, renamed]
        .into_iter()
        .flatten()
        .any(|id| ids.key_of_message_id(id).is_some());
    let own_mark = headers
        .all(LOOP_HEADER)
        .any(|value| address::canonical_domain(value).as_deref() == Some(ids.domain()));
    if own_id || own_mark {
        return Some(Loop::Own);
    }
    (headers.all("Received").count() > HOPS_MAX).then_some(Loop::Hops)
}

/// semantics 6: Message-IDs are neither always there nor unique.
fn repeats(message_id: Option<&str>, digest: [u8; 32], raw: &[u8]) -> Repeats {
    let fits = |id: &&str| id.len() <= ExternalId::VALUE_BYTES_MAX;
    let id = match message_id.filter(fits) {
        Some(id) => ExternalId::new(MESSAGE_ID_KIND, id),
        None => ExternalId::new("mail-digest", headers::digest_of_header(raw)),
    };
    Repeats::ByIdAndContent(id, digest)
}

/// What makes two mails with one Message-ID the same: who, when, what about, and every byte of content, decoded, so that a host
/// which encodes anew does not make another mail of it.
fn digest(message: &Message<'_>, headers: &Headers<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for name in ["From", "Date", "Subject"] {
        add(headers.first(name).unwrap_or_default().as_bytes());
    }
    for part in &message.parts {
        match part.text_contents() {
            Some(text) => add(text.trim_end().replace('\r', "").as_bytes()),
            None => add(part.contents()),
        }
    }
    hash.finalize().into()
}

/// A CR without LF ends a line for us, as it does for many hosts: left alone, it would hide headers. RFC 5322 §2.3
fn without_lone_returns(raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let lone = |pair: &[u8]| matches!(pair, [b'\r', next] if *next != b'\n');
    if !raw.windows(2).any(lone) && raw.last() != Some(&b'\r') {
        return raw.into();
    }
    let mut clean = Vec::with_capacity(raw.len() + raw.len() / 8);
    let mut rest = raw.iter().peekable();
    while let Some(byte) = rest.next() {
        clean.push(*byte);
        if *byte == b'\r' && rest.peek() != Some(&&b'\n') {
            clean.push(b'\n');
        }
    }
    clean.into()
}

#[cfg(test)]
mod tests;
