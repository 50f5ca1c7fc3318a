//! What comes of it: data for `--json`, for tables, for forms.

mod message;
mod own;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use message::{ExternalId, Life, StanzaSeen, Waiting, WaitingState};
pub use own::{
    Alias, Contact, Cost, Mailbox, Offer, OptedOut, Sent, SettingShown, Stranger, Usage,
};

use crate::texts::Text;

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
    /// An address book was read.
    Imported {
        /// Numbers and addresses that are contacts now.
        contacts: usize,
        /// Those that are none here.
        left_out: usize,
    },
    /// Peers that said STOP.
    Optouts(Vec<OptedOut>),
    /// How the running process is.
    Now(Now),
    /// How the running process is, and how much there is.
    Overview(Overview),
    /// Somebody who asked is not let in.
    UserDeclined {
        /// The bare JID.
        user: String,
    },
    /// A message goes out to so many users.
    Announcing {
        /// How many.
        users: usize,
    },
    /// A message was taken; how to follow it.
    Tried {
        /// Its stanza id.
        id: String,
    },
    /// The log says so much from now on.
    LogLevel(String),
    /// The operator's page.
    AdminLink(OnceLink),
    /// What registering comes to.
    Offer(Offer),
    /// What the desk says to the one who asked.
    #[serde(skip)]
    Said(Text),
    /// What can be chosen, and what was.
    Settings(Vec<SettingShown>),
    /// It is chosen.
    SettingsChanged,
    /// Whom somebody writes with.
    Contacts(Vec<Contact>),
    /// A contact has a name, or none any more.
    ContactRenamed {
        /// The peer.
        peer: String,
        /// The name.
        name: String,
    },
    /// A contact is forgotten.
    ContactRemoved {
        /// The peer.
        peer: String,
    },
    /// Mail accounts that somebody brought.
    Mailboxes(Vec<Mailbox>),
    /// Where the password of one is entered.
    MailboxLink {
        /// Its address.
        address: String,
        /// The link.
        link: OnceLink,
    },
    /// One was taken away.
    MailboxRemoved {
        /// Its address.
        address: String,
    },
    /// Addresses made for one purpose each.
    Aliases(Vec<Alias>),
    /// Whose mail waits for a word.
    Strangers(Vec<Stranger>),
    /// Whose mail never waits.
    Allowed(Vec<Blocked>),
    /// What became of messages.
    Sent(Vec<Sent>),
    /// What was used, and what is allowed.
    Usage(Usage),
    /// What a text would cost; `None`: nothing, on this network.
    Cost(Option<Cost>),
    /// Logins are sealed with the newest key.
    Resealed(Resealed),
    /// Where everything that is kept can be fetched.
    Export(OnceLink),
    /// Everything that is kept, where it is little and there are no links.
    ExportText(String),
}

/// What came of sealing logins with the newest key.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Resealed {
    /// How many were sealed anew.
    pub sealed: usize,
    /// How many did not open, and stay as they are.
    pub unreadable: usize,
    /// The ids of the keys that those need.
    pub needed: Vec<String>,
}

/// How much there is of everything.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Overview {
    /// The running process.
    pub now: Now,
    /// Each gateway.
    pub gateways: Vec<GatewayNow>,
}

/// How much there is of everything at a gateway.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct GatewayNow {
    /// Its name.
    pub gateway: String,
    /// Its JID.
    pub domain: String,
    /// Active registrations.
    pub users: i64,
    /// Those that wait for an admin.
    pub pending: i64,
    /// Lines that can be used.
    pub lines: i64,
    /// Messages that wait, outwards.
    pub waiting_out: i64,
    /// Messages that wait, inwards.
    pub waiting_in: i64,
    /// When the oldest of them was accepted.
    pub oldest: Option<Timestamp>,
    /// Texts that belong to nobody.
    pub unowned: i64,
    /// Messages sent today.
    pub messages_today: i64,
    /// The accounts, by name.
    pub accounts: Vec<String>,
}

/// A link that works once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OnceLink {
    /// Where.
    pub url: String,
    /// How long, in seconds.
    pub works_for_s: u64,
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
    /// The mail accounts that the user brought.
    #[serde(default)]
    pub mailboxes: Vec<Mailbox>,
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
    /// What the users' servers have for it, a sentence each; empty when it is down.
    #[serde(default)]
    pub found: Vec<String>,
}
