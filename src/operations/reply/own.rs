//! What users see of what is theirs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    gateway::text_in,
    texts::{Knocking, Quoted},
};

/// What registering comes to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// `active`, `pending` or `disabled`; `None`: no user.
    pub state: Option<String>,
    /// The number or address that the person has.
    pub own: Option<String>,
    /// What would come by itself.
    pub given: Option<String>,
    /// Numbers that can be chosen.
    pub free: Vec<String>,
    /// Whether any alias can be chosen.
    pub any: bool,
}

/// Something that can be chosen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettingShown {
    /// Its name.
    pub name: String,
    /// What was chosen.
    pub value: Option<String>,
    /// The values that there are; empty: any text.
    pub choices: Vec<String>,
}

/// Somebody whom a user writes with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// The peer.
    pub peer: String,
    /// The contact's JID, where the peer fits in one.
    pub contact: Option<String>,
    /// The name that the user gave, else the one that the network gave.
    pub name: Option<String>,
    /// Our address.
    pub line: String,
    /// When it was last active.
    pub active: Timestamp,
    /// Whether the user blocks it.
    pub blocked: bool,
}

/// A peer that said STOP.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OptedOut {
    /// The peer.
    pub peer: String,
    /// Our address that may not write to it.
    pub line: String,
    /// The gateway's name.
    pub gateway: String,
    /// Since when.
    pub since: Timestamp,
}

/// Somebody whose mail waits for a user's word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stranger {
    /// The address.
    pub peer: String,
    /// The name that came with the mail.
    pub name: Option<String>,
    /// What the first mail is about.
    pub subject: Option<String>,
    /// `spam`, `disowned` or `asked`.
    pub why: String,
    /// How many mails wait.
    pub mails: i64,
    /// Since when.
    pub since: Timestamp,
}

impl From<&Stranger> for Knocking {
    fn from(one: &Stranger) -> Self {
        Self {
            peer: match &one.name {
                Some(name) => format!("{name} ({})", one.peer),
                None => one.peer.clone(),
            },
            subject: one.subject.as_deref().map(Quoted::beginning),
            why: text_in::why_waits(&one.why),
            days: text_in::STRANGER_DAYS,
        }
    }
}

/// A message that a user sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// Who gets it.
    pub peer: String,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// What it is.
    pub state: String,
    /// What it cost.
    pub segments: i64,
    /// Why it failed, as a word.
    pub reason: Option<String>,
}

/// What a user has used, and what is allowed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Usage {
    /// Messages today, and the most.
    pub messages: (i64, u32),
    /// Segments today, and the most.
    pub segments: (i64, u32),
    /// New people in the last hour, and the most.
    pub new_peers: (i64, u32),
    /// Messages of all users today, and the most.
    pub gateway: (i64, u32),
    /// When the days begin anew.
    pub until: Timestamp,
}

/// What a text would cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// Characters.
    pub characters: usize,
    /// Segments.
    pub segments: u32,
    /// The most that there may be.
    pub segments_max: u32,
    /// How many plain characters more would fit into these segments.
    pub characters_left: u16,
    /// Whether it travels as Unicode, 70 characters to a segment instead of 160.
    pub unicode: bool,
    /// The characters that make it travel so, each once.
    pub costly: Vec<char>,
    /// The characters that would be sent as plainer ones, each once.
    pub replaced: Vec<char>,
}

/// A mail account that a user brought.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mailbox {
    /// Its address.
    pub address: String,
    /// `up`, `down`, `connecting` or `refused`.
    pub state: String,
    /// What its server said, where it is not up.
    pub problem: Option<String>,
    /// Since when it is the user's.
    pub since: Timestamp,
}
