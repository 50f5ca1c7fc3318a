//! What will be sent, decided before anything is committed.

use std::num::NonZeroU16;

use crate::{AccountName, Address, ExternalId};

/// How one message will be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What it costs in the network's own unit: segments of a text, 1 for a mail. The daily caps count these.
    pub segments: u16,
    /// The accounts that can carry it, best first. The next is taken only after a certain failure, and only while no unit of the
    /// message has been taken: its parts must not come from two senders. Never empty.
    pub routes: Vec<Route>,
    /// Ids known before the first attempt, committed with the message: a Message-ID, a bounce token.
    pub ids: Vec<ExternalId>,
}

/// One account that can carry a message, and how it does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Route {
    /// Which account.
    pub account: AccountName,
    /// How many sends it takes there, each an [`Attempt`](crate::Attempt) of its own: 1 where the account cuts long texts itself.
    pub units: NonZeroU16,
}

impl Route {
    /// An account that takes the message in one send.
    pub fn whole(account: AccountName) -> Self {
        let units = NonZeroU16::MIN;
        Self { account, units }
    }
}

/// Why a message cannot be sent at all. Nothing has left, nothing was stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The recipient's address is not one; `suggestion` is the right spelling when it can be told.
    InvalidAddress {
        /// The canonical address that was probably meant.
        suggestion: Option<Address>,
    },
    /// The recipient's country is not among the allowed ones (semantics 31).
    CountryNotAllowed {
        /// ISO 3166 code, or `None` where the number cannot be placed.
        region: Option<String>,
    },
    /// A premium or shared-cost number.
    PremiumNumber,
    /// An emergency number.
    EmergencyNumber,
    /// An address that can only send, an alphanumeric sender for one.
    CannotBeAnswered,
    /// The network cannot express the recipient's address (an SMTPUTF8 local part without the extension).
    Unsupported,
    /// There is nothing to send.
    Empty,
    /// None of the accounts sends to a group in the way that was asked for, or not to so many.
    GroupsNotTaken,
    /// None of the accounts takes files, or not so many, or not of this type.
    FilesNotTaken,
    /// More than the network or the configuration takes, in the plan's segments.
    TooLong {
        /// What it would take.
        segments: u16,
        /// What is allowed.
        segments_max: u16,
    },
    /// No account is configured that could carry it.
    NoRoute,
}
