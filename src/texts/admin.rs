//! Lines to the admins (semantics 24).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A line to the admins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Admin {
    /// Something needs an admin; repeated daily while it lasts.
    Trouble(Trouble),
    /// It is over.
    AllClear(Trouble),
    /// Somebody wants to become a user.
    ApprovalRequest {
        /// Who.
        user: String,
        /// The gateway's JID.
        gateway: String,
    },
    /// The answer to "user add".
    UserAdded {
        /// Who.
        user: String,
    },
    /// The answer to "decline".
    UserDeclined {
        /// Who.
        user: String,
    },
    /// "user add" or "decline" without a person behind it.
    WhichUser,
    /// "user add" of somebody whom the configuration does not admit.
    NotAdmitted {
        /// Who.
        user: String,
    },
    /// "decline" of somebody who does not wait.
    NothingToDecline {
        /// Who.
        user: String,
    },
    /// A user's server refuses messages.
    UserUnreachable {
        /// Who.
        user: String,
        /// How many messages failed today.
        messages: u64,
    },
}

/// Something that lasts and needs an admin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Trouble {
    /// The XMPP server refuses a gateway.
    LinkRefused {
        /// The gateway's domain.
        gateway: String,
        /// What the server said.
        problem: String,
        /// The line to change.
        remedy: String,
    },
    /// An account is misconfigured or logged out.
    Account {
        /// Its name.
        account: String,
        /// What the network said.
        problem: String,
    },
    /// An account has little credit left.
    BalanceLow {
        /// Its name.
        account: String,
        /// What is left, as the provider writes it.
        balance: String,
    },
    /// A message has been waiting for long.
    Waiting {
        /// The gateway's name.
        gateway: String,
        /// The age of the oldest.
        age: Duration,
        /// How many wait.
        messages: u64,
    },
    /// The disk is nearly full.
    Disk {
        /// What is left.
        bytes_free: u64,
    },
    /// Texts came that nobody can be found for.
    Unowned {
        /// The line they came to.
        line: String,
        /// How many today.
        messages: u64,
    },
}
