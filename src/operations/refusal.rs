//! Why something was not done, in words for operators.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::StoreError;

/// Why nothing was done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// There is no such gateway.
    #[error("there is no gateway {name:?}; there is {}", .known.join(", "))]
    NoSuchGateway {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Several could be meant.
    #[error("there are several gateways; name one with --gateway: {}", .known.join(", "))]
    WhichGateway {
        /// Those that there are.
        known: Vec<String>,
    },
    /// What should be a person's bare JID is none.
    #[error("{text:?} is not the bare JID of a person, as alice@example.org")]
    NotAPerson {
        /// What was written.
        text: String,
    },
    /// Nobody by this JID is registered.
    #[error("{user} is not a user{}", at(.gateway.as_deref()))]
    NoSuchUser {
        /// The bare JID.
        user: String,
        /// Where, if it matters.
        gateway: Option<String>,
    },
    /// The JID is somebody's already.
    #[error("{user} is a user of {gateway} already")]
    UserExists {
        /// The bare JID.
        user: String,
        /// The gateway's name.
        gateway: String,
    },
    /// The configuration keeps this user out.
    #[error(
        "{user} may not use {gateway}: add the JID or its domain to xmpp.allow, and to gateway.{gateway}.allow if there is one"
    )]
    NotAdmitted {
        /// The bare JID.
        user: String,
        /// The gateway's name.
        gateway: String,
    },
    /// Registering needs an address to be chosen.
    #[error("{gateway} has no number or address for {user} by itself{}", remedy(.free))]
    HasToChoose {
        /// The bare JID.
        user: String,
        /// The gateway's name.
        gateway: String,
        /// Some that are free.
        free: Vec<String>,
    },
    /// The address is somebody's, or not to be had.
    #[error("{address} is not free at {gateway}{}", among(.free))]
    NotFree {
        /// The address.
        address: String,
        /// The gateway's name.
        gateway: String,
        /// Some that are free.
        free: Vec<String>,
    },
    /// Not an address of this gateway's network.
    #[error("that is no address that {gateway} knows; write numbers as +12025550100")]
    BadAddress {
        /// The gateway's name.
        gateway: String,
    },
    /// Not an alias that can be given.
    #[error(
        "{address:?} cannot be an alias: letters a to z, digits, dots, dashes and underscores, no reserved name, not another domain"
    )]
    BadAlias {
        /// What was written.
        address: String,
    },
    /// The address is somebody's.
    #[error("{owner} has {address}")]
    Taken {
        /// The address.
        address: String,
        /// Whose it is.
        owner: String,
    },
    /// No line has this number.
    #[error("{number} is not one of our numbers; see `transom line list`")]
    NoSuchLine {
        /// What was asked for.
        number: String,
    },
    /// The configuration says whose the line is.
    #[error("the configuration file says whose {number} is ({owner}); change it there")]
    LineOfFile {
        /// The number.
        number: String,
        /// What the file says.
        owner: String,
    },
    /// The line left the configuration.
    #[error("{number} left the configuration file and is retired; put it back there first")]
    LineRetired {
        /// The number.
        number: String,
    },
    /// The line rests.
    #[error(
        "{number} was given back and rests until {until}: people who wrote to its last owner must not reach another"
    )]
    LineRests {
        /// The number.
        number: String,
        /// Until when.
        until: Timestamp,
    },
    /// The address came with a registration.
    #[error("{number} came with the registration of {owner}; `transom user remove` ends both")]
    LineOfRegistration {
        /// The address.
        number: String,
        /// Whose it is.
        owner: String,
    },
    /// Nobody has the line.
    #[error("nobody has {number}")]
    LineIsFree {
        /// The number.
        number: String,
    },
    /// No message has this id.
    #[error("there is no message {id:?}")]
    NoSuchMessage {
        /// What was asked for.
        id: String,
    },
    /// The message does not wait.
    #[error("message {id} does not wait: it is {state}")]
    NotWaiting {
        /// The message.
        id: String,
        /// What it is.
        state: String,
    },
    /// The message is held since a copy was put back.
    #[error(
        "message {id} is held because the database was put back from a copy: it may have been sent before; `transom queue release {id}` sends it"
    )]
    Held {
        /// The message.
        id: String,
    },
    /// The message is not held.
    #[error("message {id} is not held since a copy was put back")]
    NotHeld {
        /// The message.
        id: String,
    },
    /// The text belongs to nobody.
    #[error(
        "text {id} belongs to nobody: say who gets it with `transom queue retry {id} --to JID`"
    )]
    BelongsToNobody {
        /// The text.
        id: String,
    },
    /// The message has a recipient already.
    #[error("message {id} is {user}'s; --to is for texts that belong to nobody")]
    BelongsToSomebody {
        /// The message.
        id: String,
        /// Whose it is.
        user: String,
    },
    /// No gateway knows such an address.
    #[error(
        "{peer:?} is no phone number and no mail address that a gateway of this configuration knows"
    )]
    BadPeer {
        /// What was written.
        peer: String,
    },
    /// The peer is not blocked.
    #[error("{peer} is not blocked")]
    NotBlocked {
        /// The peer.
        peer: String,
    },
    /// Somebody was quicker.
    #[error("it was changed by somebody else at the same moment; look again")]
    Changed,
    /// The request makes no sense.
    #[error("the request makes no sense: {0}")]
    BadRequest(String),
    /// The database cannot be used now.
    #[error("the database cannot be used now: {0}")]
    Busy(String),
}

/// Whose fault a refusal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The question cannot be understood.
    Usage,
    /// What was named does not exist, or is not such that it can be done.
    Data,
    /// A server cannot be used now.
    Unavailable,
}

impl Refusal {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::WhichGateway { .. } | Self::BadRequest(_) => Fault::Usage,
            Self::Busy(_) => Fault::Unavailable,
            _ => Fault::Data,
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Busy(error.to_string())
    }
}

fn at(gateway: Option<&str>) -> String {
    gateway.map_or_else(String::new, |gateway| format!(" of {gateway}"))
}

fn remedy(free: &[String]) -> String {
    if free.is_empty() {
        ": add a line to the pool, or choose an alias with --address".to_owned()
    } else {
        format!("; choose one with --address{}", among(free))
    }
}

fn among(free: &[String]) -> String {
    if free.is_empty() {
        String::new()
    } else {
        format!("; free are {}", free.join(", "))
    }
}
