//! What only mail has of a message that goes out.

use serde::{Deserialize, Serialize};

/// What a mail is beside its text and its thread; empty on every other network. Stored with the message: a field that an older version
/// does not know is ignored by it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MailWish {
    /// What stands below the text instead of the configured signature; empty: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The subject of a thread that has none, instead of the configured one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it answers, to be quoted below the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quotation>,
    /// The reader's program is asked to say that it was displayed. RFC 8098 §2.1
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub asks_displayed: bool,
    /// Its characters are no marks, so that it goes as plain text alone. XEP-0393
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unstyled: bool,
    /// It answers an invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attendance: Option<Box<Attendance>>,
    /// It says that a mail was displayed, and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displayed: Option<Displayed>,
}

impl MailWish {
    /// Whether nothing is wished.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a mail quotes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Quotation {
    /// The line before it: who wrote it, and when.
    pub introduction: String,
    /// The text, without marks.
    pub text: String,
}

/// An answer to an invitation. RFC 5546 §3.2.3
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Attendance {
    /// Whether the reader comes.
    pub answer: Attending,
    /// The appointment's UID.
    pub uid: String,
    /// Which version of it.
    pub sequence: u32,
    /// Which of several it is, as the calendar writes it with its parameters: `;TZID=Europe/Berlin:20261102T100000`.
    pub recurrence: Option<String>,
    /// When it begins, likewise.
    pub starts: String,
    /// When it ends, likewise.
    pub ends: Option<String>,
    /// What it is called.
    pub title: String,
    /// The address of whoever asks.
    pub organiser: String,
}

/// Whether somebody comes. RFC 5545 §3.2.12
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attending {
    /// Yes.
    #[default]
    Accepted,
    /// No.
    Declined,
    /// Perhaps.
    Tentative,
}

/// Which mail was displayed. RFC 8098 §3.2
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Displayed {
    /// Its Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// What it was about.
    pub subject: Option<String>,
}
