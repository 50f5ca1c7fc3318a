//! Messages: what waits, and one whole life.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::operations::Direction;

/// A message that waits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Waiting {
    /// Its id, for the other commands.
    pub id: String,
    /// The gateway's name.
    pub gateway: String,
    /// Which way it goes.
    pub direction: Direction,
    /// The user; `None`: it belongs to nobody.
    pub user: Option<String>,
    /// Our address.
    pub line: String,
    /// The peer.
    pub peer: String,
    /// Why it is here.
    pub state: WaitingState,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When it is tried next.
    pub due: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: i64,
    /// Why the last one failed, as a word.
    pub reason: Option<String>,
    /// The network's code.
    pub code: Option<String>,
}

/// Why a message waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaitingState {
    /// For corrections and retractions.
    Held,
    /// For its turn, or for the next attempt.
    Queued,
    /// For an operator: the database is a copy, and it may have been sent before.
    Restored,
    /// For the end of an attempt.
    Sending,
    /// For an operator: it belongs to nobody.
    Unowned,
}

/// One message's whole life.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Life {
    /// Its id: the key of logs and of the other commands.
    pub id: String,
    /// The form of the id that networks see.
    pub key: String,
    /// The gateway's name.
    pub gateway: String,
    /// Which way it goes.
    pub direction: Direction,
    /// The user; `None`: it belongs to nobody.
    pub user: Option<String>,
    /// Our address.
    pub line: String,
    /// The peer.
    pub peer: String,
    /// The contact's JID, where the peer fits in one.
    pub contact: Option<String>,
    /// What it is.
    pub state: String,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When the last attempt began, where that is kept.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When it is tried next.
    pub due: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: i64,
    /// The account that tried last.
    pub account: Option<String>,
    /// The accounts that can carry it, best first.
    pub providers: Vec<String>,
    /// How many sends it takes.
    pub units: i64,
    /// How many of them are through.
    pub units_done: i64,
    /// What it costs.
    pub segments: i64,
    /// Why it failed, as a word.
    pub reason: Option<String>,
    /// The network's code.
    pub code: Option<String>,
    /// What the sender was told last, as a word.
    pub told: Option<String>,
    /// What the sender still has to be told, as a word.
    pub to_tell: Option<String>,
    /// Whether its text is still kept.
    pub text_is_kept: bool,
    /// Its stanzas.
    pub stanzas: Vec<StanzaSeen>,
    /// The ids that networks use for it, with the reports on each.
    pub network_ids: Vec<ExternalId>,
}

/// A stanza of a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StanzaSeen {
    /// Its id; empty: it had none.
    pub id: String,
    /// Who sent it, with resource; inwards: who gets it.
    pub jid: String,
    /// Whether a receipt was asked for.
    pub wants_receipt: bool,
}

/// A network's id for a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExternalId {
    /// What sort of id.
    pub kind: String,
    /// The id.
    pub value: String,
    /// Which part it names, counted from 0.
    pub part: i64,
    /// How far that part came.
    pub progress: String,
}
