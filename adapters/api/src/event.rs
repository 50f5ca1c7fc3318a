//! What comes in.

use bytes::Bytes;

use crate::{Address, ExternalId, Failure, Key, Member, UnixMillis};

/// Something the outside network told us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Somebody wrote.
    Message(Box<Incoming>),
    /// The user wrote, elsewhere: on the phone itself, in another program. [`Incoming::to`] is our address that it left from,
    /// [`Incoming::from`] whom it went to. Never what was sent by us.
    Sent(Box<Incoming>),
    /// Something became of a message that we sent.
    Report(Report),
    /// The user has read, elsewhere, what came in by this account. A courtesy: whoever hears of it may pass it over.
    Read {
        /// The Message-ID of what was read.
        message_id: String,
    },
}

/// A message from outside, for one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incoming {
    /// How a repeat of it is known.
    pub repeats: Repeats,
    /// Our address that it came to.
    pub to: Address,
    /// Who wrote it.
    pub from: Address,
    /// The name that came with it.
    pub from_name: Option<String>,
    /// Who else it went to, without us and without who wrote it; empty where it was written to us alone.
    pub others: Vec<Member>,
    /// What was written, decoded; characters that XML forbids are allowed here, the core replaces them.
    pub text: String,
    /// The subject, where the network has one.
    pub subject: Option<String>,
    /// The Message-IDs it answers or belongs to, nearest first.
    pub answers: Vec<String>,
    /// Its own Message-ID, where the network has them, for answers to it.
    pub message_id: Option<String>,
    /// Set when this is one part of a longer text; the core stores parts and joins them, by (to, from) and the part's reference and total.
    /// Its text may end within a character ([`Part::text_of`]).
    pub part: Option<Part>,
    /// What kind of mail it is.
    pub class: Class,
    /// When it was sent, as far as the network says.
    pub sent_at: Option<UnixMillis>,
    /// The files that came with it, in their order.
    pub attachments: Vec<Attachment>,
    /// The files that came with it and stay with the provider until they are fetched: pictures of an MMS. With any of them the
    /// text may be empty.
    pub media: Vec<MediaRef>,
    /// What only mail has; empty for every other network.
    pub mail: MailFacts,
}

/// A file that stays with the provider until it is fetched by [`Account::fetch`](crate::Account::fetch). The URL came from outside:
/// what is not of the provider's own origin passes the guard of the attachments.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MediaRef {
    /// Where it is.
    pub url: String,
    /// What it is said to be.
    pub content_type: Option<String>,
}

/// A file that came with a message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attachment {
    /// Its name without a path; empty when it came without one.
    pub name: String,
    /// Its media type, lower case: `image/png`.
    pub content_type: String,
    /// Its size, decoded.
    pub bytes: u64,
    /// Its content, decoded; `None` when it is larger than what is read. Then it is only named, so that it is not lost in silence.
    pub content: Option<Bytes>,
}

/// What only mail has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailFacts {
    /// The message of ours whose bounce address it came to, a vacation note for one. [`Incoming::to`] is then that
    /// address, which belongs to nobody: the recipient is whoever wrote that message.
    pub regarding: Option<Key>,
    /// Something the text does not say by itself, for a sentence before it.
    pub notice: Option<Notice>,
    /// Whether the text is less than what came: a quotation or a signature was cut, or its end.
    pub shortened: bool,
    /// What speaks against its sender, for a warning before the text.
    pub suspicions: Vec<Suspicion>,
    /// The appointment that it is about.
    pub appointment: Option<Box<Appointment>>,
    /// It is nothing but a reaction to the mail that it answers first: these emoji. RFC 9078
    pub reaction: Vec<String>,
    /// Who wants to know that it was displayed (RFC 8098); only where a person asks for themselves.
    pub asks_displayed: Option<Address>,
    /// How one leaves the list that it came by.
    pub unsubscribe: Option<Box<Unsubscribe>>,
    /// The whole mail as it came, for whoever wants to see it; `None` when it was not read.
    pub original: Option<Bytes>,
}

/// How one leaves a list.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Unsubscribe {
    /// A POST to this https URL does it (RFC 8058); only where the list's signature over it was verified.
    pub one_click: Option<String>,
    /// A mail does it.
    pub mail: Option<UnsubscribeMail>,
}

/// A mail that leaves a list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct UnsubscribeMail {
    /// Where it goes.
    pub to: Address,
    /// What it is about.
    pub subject: Option<String>,
    /// What it says.
    pub body: Option<String>,
}

/// What speaks against the sender of a mail.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Suspicion {
    /// A spam filter on the way took it for spam.
    Spam,
    /// Our mail server could not verify that it comes from its sender's domain (DMARC).
    Unverified,
    /// The same, and the sender's domain asks to refuse such mail.
    Disowned,
    /// The sender's name shows an address that is not the sender's.
    NameShowsAddress(Address),
}

impl Suspicion {
    /// Whether a stranger's mail waits for the user's word because of it (semantics 30).
    pub fn is_grave(&self) -> bool {
        matches!(self, Self::Spam | Self::Disowned)
    }
}

/// An appointment in a calendar, as far as a person has to know it. Times are those of [`zone`](Self::zone), as written.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Appointment {
    /// What the mail does about it.
    pub step: Step,
    /// What it is called; may be empty.
    pub title: String,
    /// `2026-11-02 10:00`, or the day alone.
    pub starts: String,
    /// When it ends, likewise.
    pub ends: Option<String>,
    /// The time zone's name, as the calendar gives it; `None`: wherever the reader is.
    pub zone: Option<String>,
    /// Where it is.
    pub place: Option<String>,
    /// Who asks: a name, else an address.
    pub organiser: Option<String>,
    /// How often it comes again.
    pub repeats: Option<Frequency>,
    /// How an invitation is answered; the answer itself is not chosen yet. `None` where nobody asks, or nobody can be answered.
    pub reply: Option<crate::Attendance>,
}

/// What a mail does about an appointment. RFC 5546 §1.4
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Step {
    /// It tells of it.
    #[default]
    Announced,
    /// It asks the reader to come, or changes what was asked.
    Asked,
    /// It calls it off.
    Cancelled,
    /// Somebody answers an invitation.
    Answered,
}

impl Step {
    /// The step of a calendar's METHOD; `None` for the others.
    pub fn of(method: &str) -> Option<Self> {
        match method.to_ascii_uppercase().as_str() {
            "REQUEST" | "ADD" | "COUNTER" => Some(Self::Asked),
            "CANCEL" => Some(Self::Cancelled),
            "REPLY" => Some(Self::Answered),
            "PUBLISH" => Some(Self::Announced),
            _ => None,
        }
    }
}

/// How often an appointment comes again. RFC 5545 §3.3.10
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Frequency {
    /// Every day, or every few.
    Daily,
    /// Every week, or every few.
    Weekly,
    /// Every month, or every few.
    Monthly,
    /// Every year, or every few.
    Yearly,
}

/// What has to be said about a mail that its text does not say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Notice {
    /// It is encrypted and cannot be read here; the text is empty.
    Encrypted,
    /// It is larger than what is read; the text is empty.
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// It could not be decoded; the text is empty.
    Unreadable {
        /// Its size.
        bytes: u64,
    },
    /// It is signed, and nobody here has checked that; the text is there.
    Signed,
}

/// How a repeated delivery of the same thing is known (semantics 6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Repeats {
    /// The network's own id, unique within the account: the same id is the same message.
    ById(ExternalId),
    /// Unique only together with the content: mail. The same Message-ID with other content is another message.
    ByIdAndContent(ExternalId, [u8; 32]),
    /// There is no id, and this provider is documented to retry: an identical request within two minutes is a repeat.
    ByDigest([u8; 32]),
}

/// One part of a text that was cut on its way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Part {
    /// What the parts have in common, unique for a while within (from, to).
    pub reference: u16,
    /// How many there are, at least 1.
    pub total: u8,
    /// Which one this is, counted from 1.
    pub number: u8,
}

impl Part {
    /// What a part in UTF-16 says. Phones cut between two units, which may be the halves of one character: a half at the edge is kept
    /// as a private character, for [`Part::whole`].
    pub fn text_of(units: &[u16]) -> String {
        let read = |unit: Result<char, std::char::DecodeUtf16Error>| match unit {
            Ok(character) => character,
            Err(half) => private(half.unpaired_surrogate()),
        };
        char::decode_utf16(units.iter().copied())
            .map(read)
            .collect()
    }

    /// The parts' texts, joined: halves that fit are one character again, others cannot be read.
    pub fn whole(joined: &str) -> String {
        let mut text = String::with_capacity(joined.len());
        let mut rest = joined.chars().peekable();
        while let Some(character) = rest.next() {
            let Some(first) = half(character) else {
                text.push(character);
                continue;
            };
            let second = rest.peek().and_then(|next| half(*next));
            let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
            if pair.is_some() {
                rest.next();
            }
            text.push(pair.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        text
    }
}

/// A surrogate as a character that nobody writes: Unicode's private plane 16.
const PRIVATE: u32 = 0x10_0000;

fn private(surrogate: u16) -> char {
    char::from_u32(PRIVATE + u32::from(surrogate)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn half(character: char) -> Option<u16> {
    let unit = u32::from(character).checked_sub(PRIVATE)?;
    let unit = u16::try_from(unit).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

/// What kind of message it is; everything but [`Class::Human`] is shown quietly and never answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Class {
    /// A person wrote it, as far as one can tell.
    #[default]
    Human,
    /// A vacation note or another automatic answer. RFC 3834
    AutoReply,
    /// A newsletter or a notification.
    Bulk,
    /// From a mailing list. RFC 2369
    List,
}

/// What became of a message that we sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Which message: the first that is known wins.
    pub about: Vec<MessageRef>,
    /// How far it came.
    pub progress: Progress,
    /// Why it failed, when it did.
    pub failure: Option<Failure>,
    /// When it happened there.
    pub at: Option<UnixMillis>,
}

/// How a report names our message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MessageRef {
    /// By our own key, which the network carried for us; with the part, counted from 0.
    Key(Key, u16),
    /// By our own key of one delivery of its message, and whom the report says that it was for, best first. Of a message with several
    /// deliveries the one to such a recipient is meant, however the key names another.
    OneOf(Key, Vec<Address>),
    /// By an id that the network gave, or that we gave to it.
    External(ExternalId),
}

/// How far a message came, as the network says. What each does *not* prove stands beside it.
///
/// Reports come in any order and repeated; the order here is the order of evidence, and of two reports the greater one holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Progress {
    /// The network says that it does not know; a later word may correct it.
    Unknown,
    /// The network has it; the phone may be off, the mailbox may not exist.
    Accepted,
    /// It left the network towards the recipient; nobody confirmed that it came there.
    Sent,
    /// Still being tried; the final word comes later.
    Delayed,
    /// Given up because it waited too long.
    Expired,
    /// Will not arrive.
    Failed,
    /// The handset or the mailbox has it. A delivery beats every failure: somebody has it.
    Delivered,
    /// The recipient looked at it.
    Read,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_was_cut_is_whole_again() {
        let units: Vec<u16> = "ab😀c".encode_utf16().collect();
        for cut in 0..=units.len() {
            let (first, second) = units.split_at(cut);
            let joined = Part::text_of(first) + &Part::text_of(second);
            assert_eq!(Part::whole(&joined), "ab😀c", "cut at {cut}");
        }
        let lone = Part::text_of(&[0x61, 0xd83d]);
        assert_eq!(Part::whole(&lone), "a\u{fffd}");
        assert_eq!(Part::whole(&(lone + "[…]")), "a\u{fffd}[…]");
    }
}
