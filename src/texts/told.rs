//! What came of a command: sentences, and what stands in the cells of tables.

use std::time::Duration;

use jiff::Timestamp;

use super::Quoted;

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// Nobody is registered.
    NoUsers,
    /// There is no line.
    NoLines,
    /// Nothing waits.
    NothingWaits,
    /// Nobody is blocked.
    NobodyBlocked,
    /// An address book was read.
    Imported {
        /// Numbers and addresses that are contacts now.
        contacts: usize,
        /// Cards without any of use here.
        left_out: usize,
    },
    /// Nobody said STOP.
    NobodyOptedOut,
    /// There are no contacts.
    NoContacts,
    /// There are no messages.
    NoMessages,
    /// Somebody is a user.
    UserAdded {
        /// Who.
        user: String,
        /// The gateway's name.
        gateway: String,
        /// With which number or address; `None`: on the shared lines.
        address: Option<String>,
        /// What the registration was before.
        before: Option<String>,
    },
    /// Somebody is no user any more.
    UserRemoved {
        /// Who.
        user: String,
        /// The gateways' names.
        gateways: String,
    },
    /// Somebody who asked is no user.
    UserDeclined {
        /// Who.
        user: String,
    },
    /// Somebody has another JID.
    UserRenamed {
        /// The JID so far.
        old: String,
        /// The JID from now on.
        new: String,
        /// Where.
        gateways: String,
        /// With which lines.
        lines: String,
        /// What still names the old one.
        named_by: String,
    },
    /// A line has an owner.
    LineAssigned {
        /// The line.
        number: String,
        /// The owner.
        user: String,
    },
    /// A line has none.
    LineReleased {
        /// The line.
        number: String,
        /// The day until which it rests.
        rests_until: Option<String>,
    },
    /// So many messages are tried now.
    Retried(usize),
    /// Texts that belonged to nobody have somebody.
    Delivered {
        /// How many.
        texts: usize,
        /// Who.
        to: String,
    },
    /// So many were given up.
    GivenUp {
        /// How many.
        messages: usize,
        /// How many senders are told.
        told: usize,
    },
    /// So many that were held are sent.
    Released(usize),
    /// A peer is blocked, for one user or for all.
    Blocked {
        /// The peer.
        peer: String,
        /// The gateways' names; empty: at this one, for this user.
        gateways: String,
    },
    /// It is not any more.
    Unblocked {
        /// The peer.
        peer: String,
        /// The gateways' names; empty: at this one, for this user.
        gateways: String,
    },
    /// The settings are kept.
    SettingsKept,
    /// A contact has this name.
    Renamed {
        /// The peer.
        peer: String,
        /// The name.
        name: String,
    },
    /// A contact is forgotten.
    Forgotten {
        /// The peer.
        peer: String,
    },
    /// What a text would cost.
    Cost {
        /// Characters.
        characters: usize,
        /// Parts that are paid for.
        segments: u32,
        /// How many there may be.
        segments_max: u32,
        /// How many plain characters more would fit in.
        left: u16,
        /// Whether it travels as Unicode.
        unicode: bool,
        /// The characters that make it so, each once.
        costly: Vec<char>,
        /// The characters that plainer ones would take the place of, each once.
        replaced: Vec<char>,
    },
    /// What a mail would cost.
    NoCost,
    /// Where what is kept can be fetched.
    ExportLink {
        /// The link.
        url: String,
        /// How long it works.
        works_for: Duration,
    },
    /// There is no public address, so no link.
    NoLinks,
    /// Logins are sealed with the newest key.
    Resealed {
        /// How many were sealed anew.
        logins: usize,
        /// How many did not open.
        unreadable: usize,
    },
    /// It goes out.
    Announcing {
        /// To how many.
        users: usize,
    },
    /// What the admins have to say to everybody.
    Announcement {
        /// What.
        text: Quoted,
    },
    /// What a message says that an admin sends to try the way.
    TrialText {
        /// Through which gateway.
        gateway: String,
    },
    /// Such a message was taken.
    Tried {
        /// Its stanza id.
        id: String,
    },
    /// The log says so much from now on.
    LogLevel(String),
    /// The way to the operator's page.
    PageLink {
        /// The link.
        url: String,
        /// How long it works.
        works_for: Duration,
    },
    /// Used, and the most, and when it begins anew.
    LimitsEnd {
        /// When.
        until: Timestamp,
    },
    /// More rows than are shown.
    More(usize),
    /// Whether the database commits.
    Commits(bool),
    /// Waits for corrections.
    ForCorrections,
    /// Held since a copy was put back.
    RestoredCopy,
    /// Belongs to nobody.
    NoOwnerOn(String),
    /// Waits for its turn.
    ItsTurn,
    /// So long from now.
    In(String),
    /// At once.
    Now,
    /// Whether the text is kept.
    TextKept(bool),
    /// Some parts are through.
    PartsThrough {
        /// How many.
        done: i64,
        /// Of how many.
        of: i64,
    },
    /// By which account the last attempt was made.
    LastBy(String),
    /// So many messages and segments.
    Used {
        /// Messages.
        messages: i64,
        /// Segments.
        segments: i64,
    },
    /// So many each way.
    Ways {
        /// Outwards.
        out: i64,
        /// Inwards.
        inward: i64,
    },
    /// A receipt is wanted.
    WantsReceipt,
    /// A stanza without an id.
    NoId,
    /// Who sent it by which line.
    AsLine {
        /// Who.
        user: String,
        /// The line.
        line: String,
    },
    /// On which line it came.
    OnLine {
        /// Who.
        user: String,
        /// The line.
        line: String,
    },
    /// Else to somebody.
    Else(String),
    /// Since when.
    SinceWhen {
        /// The state.
        state: String,
        /// When.
        since: String,
    },
    /// Which part.
    Part(i64),
}
