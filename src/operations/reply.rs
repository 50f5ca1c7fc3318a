//! What comes of it: data for `--json`, for tables, for forms.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Direction;

/// What was done, or found. The text form is JSON: `{"users": […]}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Registrations.
    Users(Vec<User>),
    /// One user.
    User(UserShown),
    /// A user was registered.
    UserAdded(UserAdded),
    /// A user was unregistered, at these gateways.
    UserRemoved {
        /// The bare JID.
        user: String,
        /// The gateways' names.
        gateways: Vec<String>,
    },
    /// A user has another JID.
    UserRenamed(Renamed),
    /// Our lines.
    Lines(Vec<Line>),
    /// A line has an owner.
    LineAssigned {
        /// The number.
        number: String,
        /// The owner's bare JID.
        user: String,
    },
    /// A line was taken from its owners.
    LineReleased {
        /// The number.
        number: String,
        /// Until when it rests; never, when nobody ever talked on it.
        rests_until: Option<Timestamp>,
    },
    /// What waits.
    Queue(Vec<Waiting>),
    /// So many messages are tried now.
    Retried(usize),
    /// So many texts that belonged to nobody have somebody.
    Delivered {
        /// How many.
        texts: usize,
        /// The bare JID.
        to: String,
    },
    /// So many messages were given up.
    Cancelled {
        /// How many.
        messages: usize,
        /// To how many senders it is told.
        told: usize,
    },
    /// So many messages that were held are sent.
    Released(i64),
    /// Lives of messages.
    Messages(Vec<Life>),
    /// A peer was blocked at these gateways, or no longer is.
    Block {
        /// The peer.
        peer: String,
        /// The gateways' names.
        gateways: Vec<String>,
        /// Whether it is blocked now.
        blocked: bool,
    },
    /// Peers that are blocked for everybody.
    Blocks(Vec<Blocked>),
    /// How the running process is.
    Now(Now),
}

/// A registration in a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct User {
    /// The bare JID.
    pub user: String,
    /// The gateway's name.
    pub gateway: String,
    /// `active`, `pending` or `disabled`.
    pub state: String,
    /// Since when.
    pub since: Timestamp,
    /// The lines it owns there.
    pub lines: Vec<String>,
}

/// One user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UserShown {
    /// The bare JID.
    pub user: String,
    /// The registrations.
    pub registrations: Vec<Registration>,
}

/// One registration, close up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// The gateway's name.
    pub gateway: String,
    /// `active`, `pending` or `disabled`.
    pub state: String,
    /// The language it registered in.
    pub lang: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// When it was last changed.
    pub changed: Timestamp,
    /// Its lines, each with its state.
    pub lines: Vec<(String, String)>,
    /// Messages sent today.
    pub messages_today: i64,
    /// What they cost.
    pub segments_today: i64,
    /// Messages that wait, outwards.
    pub waiting_out: i64,
    /// Messages that wait, inwards.
    pub waiting_in: i64,
    /// How many conversations there are.
    pub conversations_total: i64,
    /// The last active ones.
    pub conversations: Vec<Conversation>,
}

/// A conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Conversation {
    /// The peer.
    pub peer: String,
    /// The contact's JID, where the peer fits in one.
    pub contact: Option<String>,
    /// Our address.
    pub line: String,
    /// When it was last active.
    pub active: Timestamp,
}

/// A user was registered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UserAdded {
    /// The bare JID.
    pub user: String,
    /// The gateway's name.
    pub gateway: String,
    /// The address that came with it; none where lines are shared.
    pub address: Option<String>,
    /// What the registration was before, if there was one.
    pub before: Option<String>,
}

/// A user has another JID.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Renamed {
    /// The bare JID so far.
    pub old: String,
    /// The bare JID from now on.
    pub new: String,
    /// Where it is registered.
    pub gateways: Vec<String>,
    /// The lines it owns.
    pub lines: Vec<String>,
    /// The options of the configuration file that name the old JID and will win at the next start.
    pub named_by: Vec<String>,
}

/// A line of ours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Our address.
    pub number: String,
    /// The gateway's name.
    pub gateway: String,
    /// `owned`, `pool` or `shared`.
    pub kind: String,
    /// `active`, `retired` or `resting`.
    pub state: String,
    /// When its state last changed.
    pub changed: Timestamp,
    /// `file`, `command` or `registration`.
    pub source: String,
    /// The providers that carry it, best first.
    pub providers: Vec<String>,
    /// The owners.
    pub owners: Vec<String>,
    /// Who gets what belongs to nobody.
    pub fallback: Option<String>,
}

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

/// A peer that is blocked for everybody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Blocked {
    /// The peer.
    pub peer: String,
    /// The gateway's name.
    pub gateway: String,
    /// Since when.
    pub since: Timestamp,
}

/// How the running process is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Now {
    /// Whether the database takes commits.
    pub store_commits: bool,
    /// The links; empty when nothing runs.
    pub links: Vec<LinkNow>,
    /// The accounts that said where they stand; empty when nothing runs.
    #[serde(default)]
    pub accounts: Vec<AccountNow>,
}

/// Where an account stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccountNow {
    /// Its name: `sms/main`.
    pub account: String,
    /// Whether it works.
    pub up: bool,
    /// What is wrong, in words; empty when it works.
    pub detail: String,
    /// Since when, UTC milliseconds.
    pub since_ms: i64,
}

/// Where a link stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkNow {
    /// The gateway's name.
    pub gateway: String,
    /// Whether it is up.
    pub up: bool,
    /// In words.
    pub detail: String,
    /// What to change, first in Prosody, then in ejabberd; empty when it is up.
    pub remedies: Vec<String>,
}
