//! Why a command came to nothing.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Lang, Text};

/// Why nothing was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// What was given holds no vCard.
    NoCards,
    /// There is no such gateway.
    NoSuchGateway {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Several could be meant.
    WhichGateway {
        /// Those that there are.
        known: Vec<String>,
    },
    /// What should be a person's bare JID is none.
    NotAPerson {
        /// What was written.
        text: String,
    },
    /// Nobody by this JID is registered.
    NoSuchUser {
        /// The bare JID.
        user: String,
        /// Where, if it matters.
        gateway: Option<String>,
    },
    /// The JID is somebody's already.
    UserExists {
        /// The bare JID.
        user: String,
        /// The gateway's name.
        gateway: String,
    },
    /// The configuration keeps this user out.
    NotAdmitted {
        /// The bare JID.
        user: String,
        /// The gateway's name.
        gateway: String,
    },
    /// Registering needs an address to be chosen.
    HasToChoose {
        /// The bare JID.
        user: String,
        /// The gateway's name.
        gateway: String,
        /// Some that are free.
        free: Vec<String>,
    },
    /// The address is somebody's, or not to be had.
    NotFree {
        /// The address.
        address: String,
        /// The gateway's name.
        gateway: String,
        /// Some that are free.
        free: Vec<String>,
    },
    /// Not an address of this gateway's network.
    BadAddress {
        /// The gateway's name.
        gateway: String,
    },
    /// Not an alias that can be given.
    BadAlias {
        /// What was written.
        address: String,
    },
    /// The address is somebody's.
    Taken {
        /// The address.
        address: String,
        /// Whose it is.
        owner: String,
    },
    /// No line has this number.
    NoSuchLine {
        /// What was asked for.
        number: String,
    },
    /// The configuration says whose the line is.
    LineOfFile {
        /// The number.
        number: String,
        /// What the file says.
        owner: String,
    },
    /// The line left the configuration.
    LineRetired {
        /// The number.
        number: String,
    },
    /// The line rests.
    LineRests {
        /// The number.
        number: String,
        /// Until when.
        until: Timestamp,
    },
    /// The address came with a registration.
    LineOfRegistration {
        /// The address.
        number: String,
        /// Whose it is.
        owner: String,
    },
    /// Nobody has the line.
    LineIsFree {
        /// The number.
        number: String,
    },
    /// No message has this id.
    NoSuchMessage {
        /// What was asked for.
        id: String,
    },
    /// The message does not wait.
    NotWaiting {
        /// The message.
        id: String,
        /// What it is.
        state: String,
    },
    /// The message is held since a copy was put back.
    Held {
        /// The message.
        id: String,
    },
    /// The message is not held.
    NotHeld {
        /// The message.
        id: String,
    },
    /// The text belongs to nobody.
    BelongsToNobody {
        /// The text.
        id: String,
    },
    /// The message has a recipient already.
    BelongsToSomebody {
        /// The message.
        id: String,
        /// Whose it is.
        user: String,
    },
    /// No gateway knows such an address.
    BadPeer {
        /// What was written.
        peer: String,
    },
    /// The peer is not blocked.
    NotBlocked {
        /// The peer.
        peer: String,
    },
    /// Only admins may do this.
    NotAllowed,
    /// The user writes with no such person.
    NoSuchContact {
        /// The peer, or what was written.
        peer: String,
    },
    /// Messages to or from this person wait.
    StillWaits {
        /// The peer.
        peer: String,
    },
    /// No setting has this name, or it does not take this value.
    BadSetting {
        /// Its name.
        name: String,
    },
    /// No line of the user has this address.
    NotYourLine {
        /// The address.
        address: String,
    },
    /// Links need a public address.
    NoLinks,
    /// There is no key that logins could be sealed with.
    NoKeys,
    /// The key file is of no use; its path and what is wrong with it.
    KeyFile(String),
    /// The process has other keys than the key file.
    OtherKeys {
        /// Where it reads them.
        file: String,
    },
    /// It can be done only by a running process.
    NotRunning,
    /// A message that was to try the way was refused.
    NotTaken {
        /// Why.
        why: String,
    },
    /// What the desk says to users: said to the one who asked, and sent to nobody.
    #[serde(skip)]
    Said(Box<Text>),
    /// Somebody was quicker.
    Changed,
    /// The request makes no sense.
    BadRequest(String),
    /// The database cannot be used now.
    Busy(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Text::from(self.clone()).render(Lang::En))
    }
}

impl std::error::Error for Refusal {}
