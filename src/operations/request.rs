//! What can be asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{texts::Lang, xmpp::jid::BareJid};

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// An operator: whoever may read the database, or is listed in `xmpp.admins`.
    Admin,
    /// Somebody who uses a gateway, or would like to: sees and changes only their own.
    User(Asker),
}

/// A person at a gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asker {
    /// The gateway's name.
    pub gateway: String,
    /// Who.
    pub jid: BareJid,
    /// What the person reads.
    pub lang: Lang,
}

/// What is asked. The text form is JSON, one object: `{"do": "user-show", "user": "alice@example.org"}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The users.
    UserList {
        /// Of this gateway alone.
        gateway: Option<String>,
    },
    /// One user.
    UserShow {
        /// The bare JID.
        user: String,
    },
    /// Registers a user.
    UserAdd {
        /// The bare JID.
        user: String,
        /// The gateway; can be left out where there is only one.
        gateway: Option<String>,
        /// The number or alias; without: what registration would choose.
        address: Option<String>,
    },
    /// Unregisters a user.
    UserRemove {
        /// The bare JID.
        user: String,
        /// From this gateway alone.
        gateway: Option<String>,
    },
    /// Gives everything of one JID to another.
    UserRename {
        /// The bare JID so far.
        old: String,
        /// The bare JID from now on.
        new: String,
    },
    /// Our numbers.
    LineList {
        /// Of this gateway alone.
        gateway: Option<String>,
    },
    /// Gives a number of the pool to a user.
    LineAssign {
        /// The number.
        number: String,
        /// The bare JID.
        user: String,
    },
    /// Takes a number from its owners.
    LineRelease {
        /// The number.
        number: String,
    },
    /// What waits.
    QueueList {
        /// In this gateway alone.
        gateway: Option<String>,
        /// In this direction alone.
        direction: Option<Direction>,
        /// At most so many.
        limit: u32,
    },
    /// One message that waits.
    QueueShow {
        /// The id of a list.
        id: String,
    },
    /// Tries messages again now.
    QueueRetry {
        /// The ids of a list.
        ids: Vec<String>,
        /// Delivers texts that belong to nobody to this user.
        to: Option<String>,
    },
    /// Gives messages up.
    QueueCancel {
        /// The ids of a list.
        ids: Vec<String>,
    },
    /// Sends what is held since a copy was put back.
    QueueRelease {
        /// The ids of a list; none: all.
        ids: Vec<String>,
    },
    /// The life of the messages with this id.
    Trace {
        /// A key, a stanza id, an origin-id, a provider's id or a Message-ID.
        id: String,
    },
    /// Blocks a peer for everybody.
    BlockAdd {
        /// The peer, as people write it.
        peer: String,
        /// At this gateway alone; without: wherever it is an address.
        gateway: Option<String>,
    },
    /// Takes a block back.
    BlockRemove {
        /// The peer, as people write it.
        peer: String,
        /// At this gateway alone; without: wherever it is an address.
        gateway: Option<String>,
    },
    /// The peers that are blocked for everybody.
    BlockList {
        /// At this gateway alone.
        gateway: Option<String>,
    },
    /// The people of an address book become contacts with their names.
    ContactsImport {
        /// vCards.
        cards: String,
        /// Whose contacts, for an admin; a user's are the user's own.
        user: Option<String>,
        /// The gateway, for an admin; can be left out where there is only one.
        gateway: Option<String>,
    },
    /// The peers that said STOP: to whoever asks, or, for an admin, to anybody.
    Optouts {
        /// At this gateway alone; a user sees those of the gateway asked anyway.
        gateway: Option<String>,
    },
    /// How the running process is.
    Now,
    /// How the running process is, and how much there is of everything.
    Overview,
    /// An admin says no to somebody who asked to be let in.
    UserDecline {
        /// The bare JID.
        user: String,
        /// The gateway; can be left out where there is only one.
        gateway: Option<String>,
    },
    /// Writes to all users of a gateway, little by little.
    Announce {
        /// The gateway; can be left out where there is only one.
        gateway: Option<String>,
        /// What.
        text: String,
    },
    /// Sends one real message in a user's name.
    TrySend {
        /// In whose name: the bare JID.
        user: String,
        /// To whom, as people write it.
        to: String,
    },
    /// How much the log says, until the next start.
    LogLevel {
        /// `error`, `warn`, `info`, `debug` or `trace`.
        level: String,
    },
    /// Logins are sealed with the newest key of the key file.
    Reseal {
        /// Its id: a process that has other keys refuses.
        key: String,
    },
    /// A link that opens the operator's page once.
    AdminLink,
    /// What registering would come to, for the one who asks.
    Offer,
    /// The one who asks becomes a user, or chooses a number or an address.
    Register {
        /// The number or alias; without: what comes by itself.
        address: Option<String>,
    },
    /// The one who asks stops being a user.
    Unregister,
    /// A code goes to a mobile number of the one who asks.
    Verify {
        /// The number, as people write it.
        number: String,
    },
    /// The one who asks enters it.
    VerifyCode {
        /// The code.
        code: String,
    },
    /// Where the one who asks stands.
    Status,
    /// What the one who asks has chosen.
    Settings,
    /// The one who asks chooses.
    SettingsChange {
        /// By name; what is empty goes back to the gateway's.
        values: BTreeMap<String, String>,
    },
    /// Whom the one who asks writes with.
    Contacts,
    /// The one who asks names a contact.
    ContactRename {
        /// The peer, as people write it.
        peer: String,
        /// The name; empty: none.
        name: String,
    },
    /// The one who asks forgets a contact and the conversations.
    ContactRemove {
        /// The peer, as people write it.
        peer: String,
    },
    /// The addresses that the one who asks made for one purpose each.
    Aliases,
    /// The one who asks makes such an address.
    Alias {
        /// What for.
        word: String,
    },
    /// The one who asks gives such an address up.
    AliasDrop {
        /// The address.
        address: String,
    },
    /// The last mail that somebody wrote to the one who asks, as it came.
    Original {
        /// The peer, as people write it.
        peer: String,
    },
    /// Whose mail waits for the word of the one who asks.
    Strangers,
    /// The word of the one who asks about somebody's mail.
    Judge {
        /// The peer, as people write it.
        peer: String,
        /// The word.
        word: Judgement,
    },
    /// Whose mail never waits for the word of the one who asks.
    Allowed,
    /// What became of the last messages of the one who asks.
    Messages,
    /// The mail accounts that the one who asks brought.
    Mailboxes,
    /// The one who asks connects a mail account.
    MailboxAdd {
        /// Its address, as people write it.
        address: String,
    },
    /// The one who asks takes a mail account away.
    MailboxRemove {
        /// Its address.
        address: String,
    },
    /// What the one who asks has used today, and what is allowed.
    Usage,
    /// What a text would cost.
    Cost {
        /// The text.
        text: String,
    },
    /// Everything that is kept about the one who asks.
    Export,
}

/// What a user says about somebody's mail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// What waits is delivered.
    Accept,
    /// What waits is thrown away.
    Discard,
    /// It is delivered, and nothing of theirs ever waits.
    Allow,
    /// That no longer.
    Disallow,
}

/// Which way a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From an XMPP user to the outside.
    Out,
    /// From the outside to an XMPP user.
    In,
}

impl Direction {
    /// Its word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
        }
    }

    pub(super) fn from_word(word: &str) -> Self {
        if word == "in" { Self::In } else { Self::Out }
    }
}
