//! A mail's header fields, as far as they matter here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mail_parser::{Addr, HeaderValue, Message, parsers::fields::thread::thread_name};
use sha2::{Digest, Sha256};
use transom_adapter::{Address, Class, Member, UnixMillis};

use crate::{address, ids::OwnIds};

const NAME_CHARS_MAX: usize = 80;
const SUBJECT_CHARS_MAX: usize = 250;

/// People that a conversation has; a mail to more is none.
const RECIPIENTS_MAX: usize = 50;

/// Stands in for a sender that cannot be read; RFC 2606 keeps the domain free.
const NOBODY: &str = "unknown@mail.invalid";

/// The header of one mail with what its envelope said.
pub(crate) struct Headers<'a> {
    message: &'a Message<'a>,
    fields: Vec<(&'a str, &'a str)>,
    sender: Option<&'a str>,
}

impl<'a> Headers<'a> {
    pub(crate) fn new(message: &'a Message<'a>, sender: Option<&'a str>) -> Self {
        let fields = if message.parts.is_empty() {
            Vec::new()
        } else {
            message
                .headers_raw()
                .map(|(name, value)| (name, value.trim()))
                .collect()
        };
        Self {
            message,
            fields,
            sender,
        }
    }

    /// Every instance of a field, the topmost first, undecoded.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let is_it = move |field: &str| field.eq_ignore_ascii_case(name);
        self.fields
            .iter()
            .filter(move |(field, _)| is_it(field))
            .map(|(_, value)| *value)
    }

    /// The topmost instance of a field: what was added last, nearest to us.
    pub(crate) fn first(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Whether the envelope had the null sender: what only machines use. RFC 5321 §4.5.5
    pub(crate) fn has_null_sender(&self) -> bool {
        match self.sender {
            Some(sender) => sender.is_empty(),
            None => self.first("Return-Path").is_some_and(|path| path == "<>"),
        }
    }

    /// The envelope's sender, where anything tells it.
    pub(crate) fn sender(&self) -> Option<&'a str> {
        self.sender.or_else(|| self.first("Return-Path"))
    }

    /// Who wrote it.
    pub(crate) fn author(&self) -> Address {
        let written = self.mailbox().and_then(|addr| addr.address());
        let envelope = self.sender();
        let canonical = |text: &str| address::canonical(text.trim_matches(['<', '>', ' ']));
        written
            .and_then(canonical)
            .or_else(|| envelope.and_then(canonical))
            .unwrap_or_else(|| Address::new(NOBODY))
    }

    /// The name beside the address. One that holds an address is no name but a try to be taken for somebody else.
    pub(crate) fn author_name(&self) -> Option<String> {
        person_name(self.mailbox()?.name()?)
    }

    /// The list that a mail came by: where one writes to it, and what it is called. RFC 2369 §3.4, RFC 2919
    pub(crate) fn list(&self) -> Option<(Address, Option<String>)> {
        let post = self.first("List-Post")?;
        let mut links = post
            .split('<')
            .skip(1)
            .filter_map(|link| link.split('>').next());
        let address = links.find_map(|link| address::read_typed(link.trim()))?;
        let id = self.first("List-Id").unwrap_or_default();
        let name = one_line(id.split('<').next().unwrap_or_default(), NAME_CHARS_MAX);
        let name = name.trim_matches(['"', ' ']);
        // An encoded name is left out rather than shown in its code.
        let good = !name.is_empty() && !name.contains("=?") && !name.contains('@');
        Some((address, good.then(|| name.to_owned())))
    }

    /// Who wants to know that the mail was displayed. RFC 8098 §2.1: one address, the one that the envelope came from; a person asks for
    /// themselves, no list and no machine.
    pub(crate) fn asks_displayed(&self, class: Class) -> Option<Address> {
        let mut asked = self.all("Disposition-Notification-To");
        let (asked, None) = (asked.next()?, asked.next()) else {
            return None;
        };
        let sender = self.sender()?;
        let sender = address::canonical(sender.trim_matches(['<', '>', ' ']))?;
        let asked = (!asked.contains(',')).then(|| address::read_typed(asked))??;
        (class == Class::Human && asked == sender).then_some(asked)
    }

    /// The address that the name beside the author's pretends to be.
    pub(crate) fn claimed_address(&self) -> Option<Address> {
        let name = one_line(self.mailbox()?.name()?, NAME_CHARS_MAX);
        let words = name.split(|c: char| c.is_whitespace() || "<>()[]\"',;:".contains(c));
        words
            .filter(|word| word.contains('@'))
            .find_map(address::canonical)
    }

    /// Whom it went to and who got a copy, as far as the header names them, each once; addresses of ours as their mailboxes.
    /// More than a conversation has are nobody: then it is a mailing to many.
    pub(crate) fn recipients(&self, ids: &OwnIds) -> Vec<Member> {
        if self.message.parts.is_empty() {
            return Vec::new();
        }
        let named = |list: Option<&'a mail_parser::Address<'a>>, copy: bool| {
            let each = list.into_iter().flat_map(mail_parser::Address::iter);
            each.take(RECIPIENTS_MAX + 1).map(move |addr| (addr, copy))
        };
        let mut members: Vec<Member> = Vec::new();
        for (addr, copy) in named(self.message.to(), false).chain(named(self.message.cc(), true)) {
            let Some(address) = addr.address().and_then(address::canonical) else {
                continue;
            };
            let address = ids.mailbox(&address);
            if members.iter().all(|member| member.address != address) {
                let name = addr.name().and_then(person_name);
                members.push(Member {
                    address,
                    name,
                    copy,
                });
            }
        }
        if members.len() > RECIPIENTS_MAX {
            members.clear();
        }
        members
    }

    fn mailbox(&self) -> Option<&'a Addr<'a>> {
        if self.message.parts.is_empty() {
            return None;
        }
        let first = |address: Option<&'a mail_parser::Address<'a>>| address.and_then(|a| a.first());
        first(self.message.from()).or_else(|| first(self.message.sender()))
    }

    /// The subject; for an answer without its prefixes, which the thread says already.
    pub(crate) fn subject(&self, is_answer: bool) -> Option<String> {
        if self.message.parts.is_empty() {
            return None;
        }
        let subject = self.message.subject()?;
        let bare = if is_answer && !is_forward(Some(subject)) {
            thread_name(subject)
        } else {
            subject
        };
        let subject = one_line(bare, SUBJECT_CHARS_MAX);
        (!subject.is_empty()).then_some(subject)
    }

    /// Its own Message-ID, without angle brackets; none that is longer than a line may be.
    pub(crate) fn message_id(&self) -> Option<String> {
        if self.message.parts.is_empty() {
            return None;
        }
        self.message
            .message_id()
            .filter(|id| is_id(id))
            .map(str::to_owned)
    }

    /// In-Reply-To, then References from the nearest; each once.
    pub(crate) fn answers(&self, max: usize) -> Vec<String> {
        if self.message.parts.is_empty() {
            return Vec::new();
        }
        let mut answers: Vec<String> = Vec::new();
        let parents = ids(self.message.in_reply_to());
        let references = ids(self.message.references());
        for id in parents.into_iter().chain(references.into_iter().rev()) {
            let id = id.trim();
            let fits = is_id(id);
            if answers.len() == max {
                break;
            }
            if fits && !answers.iter().any(|known| known == id) {
                answers.push(id.to_owned());
            }
        }
        answers
    }

    pub(crate) fn sent_at(&self) -> Option<UnixMillis> {
        if self.message.parts.is_empty() {
            return None;
        }
        let date = self.message.date().filter(|date| date.is_valid())?;
        date.to_timestamp().checked_mul(1000).map(UnixMillis)
    }
}

/// A name beside an address, unless it is empty or shows another address.
fn person_name(name: &str) -> Option<String> {
    let name = one_line(name, NAME_CHARS_MAX);
    let name = name.trim_matches(['"', '\'', ' ']);
    (!name.is_empty() && !name.contains('@')).then(|| name.to_owned())
}

/// RFC 5322 §2.1.1: what is longer than a line can be named by no answer.
pub(crate) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 998
}

fn ids<'a>(value: &'a HeaderValue<'a>) -> Vec<&'a str> {
    match value {
        HeaderValue::Text(id) => vec![id],
        HeaderValue::TextList(ids) => ids.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

/// One line of text for a reader: no controls, nothing unseen, not endless.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let spaced = text.replace(char::is_control, " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let visible = words.join(" ").replace(address::is_invisible, "");
    visible.chars().take(chars_max).collect()
}

/// Whether a subject says that the mail passes on another.
pub(crate) fn is_forward(subject: Option<&str>) -> bool {
    let subject = subject.unwrap_or_default().trim_start().to_lowercase();
    let prefixes = [
        "fwd:", "fw:", "wg:", "tr:", "rv:", "i:", "enc:", "vs:", "doorst:", "pd:",
    ];
    prefixes.iter().any(|prefix| subject.starts_with(prefix))
}

/// Names a mail without Message-ID by its header, less what hosts on the way add.
pub(crate) fn digest_of_header(raw: &[u8]) -> String {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.or_else(|| raw.windows(2).position(|two| two == b"\n\n"));
    let head = String::from_utf8_lossy(raw.get(..end.unwrap_or(raw.len())).unwrap_or(raw));
    let mut hash = Sha256::new();
    let mut keeps = false;
    for line in head.lines() {
        if !line.starts_with([' ', '\t']) {
            let name = line
                .split(':')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let added = [
                "received",
                "delivered-to",
                "return-path",
                "authentication-results",
            ];
            keeps = !added.contains(&name.as_str()) && !name.starts_with("x-");
        }
        if keeps {
            hash.update(line.trim_end().as_bytes());
            hash.update(b"\n");
        }
    }
    let digest: [u8; 32] = hash.finalize().into();
    URL_SAFE_NO_PAD.encode(digest)
}
