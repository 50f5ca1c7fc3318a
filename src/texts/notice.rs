//! What became of a message, and lines in the chat with a contact.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use transom_adapter::{Network, Reason};

use super::Text;

/// Why a message that was accepted did not arrive, or why nobody knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failed {
    /// The network said so.
    Network {
        /// The network's reason.
        reason: Reason,
        /// Which network: the words differ.
        network: Network,
    },
    /// Some parts of a long text arrived, the others did not.
    Partly {
        /// Why the others did not.
        reason: Reason,
    },
    /// It was tried for so long in vain.
    GaveUp {
        /// How long.
        after: Duration,
    },
    /// Nobody can tell whether it arrived.
    Unknown,
    /// Our own fault.
    Internal,
}

/// A line in the chat with a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// An earlier message did not arrive.
    NotDelivered {
        /// How it begins.
        excerpt: Quoted,
        /// Why.
        reason: Box<Text>,
    },
    /// Nobody can tell whether an earlier message arrived.
    MayHaveArrived {
        /// How it begins.
        excerpt: Quoted,
    },
    /// An earlier message of which we said otherwise arrived.
    DeliveredAfterAll {
        /// How it begins.
        excerpt: Quoted,
    },
    /// There is no delivery report so far.
    NoReport {
        /// How it begins.
        excerpt: Quoted,
        /// For how long there has been none.
        after: Duration,
    },
    /// A mail is still being tried.
    Delayed {
        /// How it begins.
        excerpt: Quoted,
        /// For how much longer.
        remaining: Duration,
    },
    /// Nothing is sent to this person at this hour.
    Waits {
        /// How the message begins.
        excerpt: Quoted,
        /// When it is sent.
        until: Timestamp,
    },
    /// Somebody else took a message back before it was sent.
    TookBack {
        /// How it begins.
        excerpt: Quoted,
    },
    /// The person wrote STOP.
    Stopped,
    /// The person wrote START.
    Started,
    /// The message was written by another owner of the same line.
    ByOwner {
        /// The owner's name.
        name: String,
        /// What the owner wrote.
        text: Quoted,
    },
    /// A mail came that cannot be read here.
    MailEncrypted,
    /// A mail is signed, and nobody here has checked that.
    MailSigned,
    /// A mail came that is larger than what is read.
    MailTooLarge {
        /// Its size.
        bytes: u64,
    },
    /// A mail came that could not be decoded.
    MailUnreadable {
        /// Its size.
        bytes: u64,
    },
    /// A file came that cannot be shown.
    Attachment {
        /// Its name; empty when it came without one.
        name: String,
        /// Its size; 0 when nobody said.
        bytes: u64,
    },
    /// The user wrote it, elsewhere, and the server does not let us say so in the user's name.
    SentElsewhere {
        /// What was written.
        text: Quoted,
    },
    /// A text is too long for the chat.
    GoesOn {
        /// The file that holds it whole.
        name: String,
    },
    /// A file came that could not be fetched or kept.
    FileLost {
        /// Its name.
        name: String,
    },
}

/// Words of a person inside a sentence of ours. Not shown by `Debug`: what people write does not belong in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Quoted(String);

impl Quoted {
    /// All of it.
    pub fn whole(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The first forty characters on one line.
    pub fn beginning(text: &str) -> Self {
        const CHARACTERS_MAX: usize = 40;
        let mut line = String::new();
        for word in text.split_whitespace() {
            // The rest of a huge text need not be looked at.
            if line.len() > CHARACTERS_MAX * 4 {
                break;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if let Some((end, _)) = line.char_indices().nth(CHARACTERS_MAX) {
            line.truncate(end);
            line.truncate(line.trim_end().len());
            line.push('…');
        }
        Self(line)
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quoted({} bytes)", self.0.len())
    }
}
