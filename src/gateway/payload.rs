//! What belongs to a message besides its body, as it is stored: versioned JSON.

use serde::{Deserialize, Serialize};
use transom_adapter::{Address, Group, Key, MailWish, Member, Thread};

use super::group;
pub use super::mail_facts::{AskedDisplayed, LeavingMail, StoredMail, StoredUnsubscribe};
use crate::{texts::GroupNotice, xmpp::xep::sharing::Shared};

/// What belongs to a message besides its body, as it is stored. Unknown fields of a newer version are ignored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is so or not")]
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
    /// What only mail has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Box<StoredMail>>,
    /// Names and sizes of files that came with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<(String, u64)>,
    /// The place of the file that holds a text too long for the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_file: Option<i64>,
    /// The message that this one answers, as clients know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<StoredReply>,
    /// The message is nothing but a reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<StoredReaction>,
    /// The stanzas that were joined to it, the first with them; empty when one brought all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Joined>,
    /// It opts out of texts, or back in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word: Option<StoredWord>,
    /// The user wrote it, elsewhere.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// Another owner of the line wrote it, to the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer: Option<Box<StoredWriter>>,
    /// The gateway wrote it by itself: nobody waits to hear what became of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// The user wants it kept nowhere (XEP-0334), so that no notice quotes it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fleeting: bool,
    /// The sender wants to know when it was looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub markable: bool,
    /// What only mail has of a message to the outside.
    #[serde(skip_serializing_if = "MailWish::is_empty")]
    pub wish: MailWish,
    /// The mail thread of a message to the outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<MailThread>,
    /// The people of a message to or from several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Box<StoredGroup>>,
}

/// What another owner of the line wrote, besides the text, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredWriter {
    /// Who, as the other owners know them.
    pub name: String,
    /// How the message begins that was taken back before it was sent, when that is all that is to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_back: Option<String>,
    /// The files, where the writer's client put them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<StoredLink>,
}

/// A file that a message shares, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredLink {
    /// Where it is.
    pub url: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is said to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Its size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

impl From<&Shared> for StoredLink {
    fn from(file: &Shared) -> Self {
        Self {
            url: file.url.clone(),
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            bytes: file.bytes,
        }
    }
}

impl From<&StoredLink> for Shared {
    fn from(file: &StoredLink) -> Self {
        Self {
            url: file.url.clone(),
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            bytes: file.bytes,
            sha256: None,
        }
    }
}

/// The people of a message to or from several, as they are stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredGroup {
    /// All but the user, in their order; of a message from outside also who wrote it.
    pub members: Vec<StoredMember>,
    /// Who wrote it, from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// One send reaches them all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_once: bool,
    /// The chat is new: who is in it, and who an answer goes to, is said before the text.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub introduces: bool,
}

/// One of several people, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredMember {
    /// The address.
    pub address: String,
    /// The name beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// It gets a copy.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
}

impl StoredGroup {
    /// As an adapter sees it, of the message with this key.
    pub fn of(&self, message_id: i64) -> Group {
        Group {
            key: Key(message_id),
            members: self.members.iter().map(StoredMember::member).collect(),
            at_once: self.at_once,
        }
    }
}

impl StoredGroup {
    /// Who wrote it, as its readers know them.
    pub fn author_name(&self) -> Option<&str> {
        let author = self.author.as_deref()?;
        let member = self.members.iter().find(|member| member.address == author);
        Some(member.map_or(author, StoredMember::shown))
    }

    /// Who is in a new chat, and who gets an answer.
    pub fn introduction(&self) -> Option<GroupNotice> {
        let author = self.author_name().filter(|_| self.introduces)?;
        Some(GroupNotice::Mail {
            members: group::name_of(self.members.iter().map(StoredMember::shown)),
            author: author.to_owned(),
        })
    }
}

impl StoredMember {
    fn member(&self) -> Member {
        Member {
            address: Address::new(self.address.clone()),
            name: self.name.clone(),
            copy: self.copy,
        }
    }

    /// The name, else the address.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.address)
    }
}

impl From<&Member> for StoredMember {
    fn from(member: &Member) -> Self {
        Self {
            address: member.address.as_str().to_owned(),
            name: member.name.clone(),
            copy: member.copy,
        }
    }
}

/// What one stanza brought to a message that several made.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Joined {
    /// Its id.
    pub id: String,
    /// Whether the text is its.
    pub text: bool,
    /// The places of its files.
    pub files: Vec<i64>,
}

/// A word that opts out of texts, or back in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredWord {
    /// Nothing may be sent any more.
    Stop,
    /// It may again.
    Start,
}

/// A message that is answered, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredReply {
    /// Its id.
    pub id: String,
    /// Whether the user wrote it, and not the contact.
    pub own: bool,
}

/// A reaction, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredReaction {
    /// The message that it is about.
    pub of: String,
    /// The emoji; none takes earlier ones back.
    pub emoji: Vec<String>,
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
    /// It is signed, which nobody has checked.
    Signed,
}

impl From<transom_adapter::Notice> for StoredNotice {
    fn from(notice: transom_adapter::Notice) -> Self {
        match notice {
            transom_adapter::Notice::Encrypted => Self::Encrypted,
            transom_adapter::Notice::TooLarge { bytes } => Self::TooLarge(bytes),
            transom_adapter::Notice::Unreadable { bytes } => Self::Unreadable(bytes),
            transom_adapter::Notice::Signed => Self::Signed,
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
    /// The text is a reaction to what is answered.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reaction: bool,
}

impl From<Thread> for MailThread {
    fn from(thread: Thread) -> Self {
        Self {
            subject: thread.subject,
            in_reply_to: thread.in_reply_to,
            references: thread.references,
            reaction: thread.reaction,
        }
    }
}

impl From<MailThread> for Thread {
    fn from(thread: MailThread) -> Self {
        Self {
            subject: thread.subject,
            in_reply_to: thread.in_reply_to,
            references: thread.references,
            reaction: thread.reaction,
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
