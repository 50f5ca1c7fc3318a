//! Why something the user wrote is not sent. Nothing has left.

use jiff::Timestamp;
use transom_adapter::{Network, Refusal};

use super::{RefusedGroup, Text};

/// Why something the user wrote is not sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// Who may send, and from which number.
    Membership(Membership),
    /// What is wrong with the person written to.
    Recipient(Recipient),
    /// What is wrong with what was written.
    Content(Content),
    /// Too much, or nothing to carry it.
    Cap(Cap),
    /// What is wrong with several people written to at once.
    Group(RefusedGroup),
    /// What is wrong with one of several people written to at once.
    Of {
        /// The person's name, else the address.
        who: String,
        /// What is wrong.
        why: Box<Refused>,
    },
}

/// Who may send, and from which number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Membership {
    /// Not a user yet, and this gateway registers on request only.
    NotRegistered {
        /// The gateway's JID.
        gateway: String,
    },
    /// Not a user yet, and something has to be chosen: a number, an alias.
    HasToChoose {
        /// The gateway's JID.
        gateway: String,
        /// What kind of address.
        network: Network,
    },
    /// Only admins add users.
    RegistrationClosed,
    /// An admin has been asked; this message was not kept.
    AwaitingApproval,
    /// Not among those who may use the gateway.
    NotAllowed {
        /// The gateway's JID.
        gateway: String,
    },
    /// The gateway was removed from the roster.
    Disabled {
        /// The gateway's JID.
        gateway: String,
        /// Until when everything can be had back.
        until: Timestamp,
    },
    /// The user has no number to send from.
    NoLine {
        /// The gateway's JID.
        gateway: String,
    },
    /// The user's number was taken out of the configuration.
    LineRetired,
    /// The servers of the user's own mail account refuse its password.
    AccountRefused {
        /// The account's address.
        address: String,
    },
    /// The user has to prove a mobile number first.
    Unproved {
        /// The gateway's JID.
        gateway: String,
    },
    /// Another user of the shared line is talking to this person.
    LineConflict,
}

/// What is wrong with the person written to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recipient {
    /// The contact's address is not one.
    InvalidAddress {
        /// What kind of address.
        network: Network,
        /// The JID that was probably meant.
        suggestion: Option<String>,
    },
    /// The number's country is not among the allowed ones.
    CountryNotAllowed {
        /// ISO 3166 code; `None`: the number cannot be placed.
        region: Option<String>,
    },
    /// A premium or shared-cost number.
    PremiumNumber,
    /// An emergency number.
    EmergencyNumber,
    /// A sender that cannot receive: a name, or a short code abroad.
    CannotBeAnswered,
    /// The network cannot express the address.
    UnsupportedAddress,
    /// The person wrote STOP.
    OptedOut,
    /// An admin has blocked the address.
    Blocked,
    /// The user has blocked the address.
    BlockedByUser,
    /// The address is a colleague's: write to the JID.
    Colleague {
        /// The colleague's JID.
        jid: String,
    },
}

/// What is wrong with what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// More segments than allowed.
    TooLong {
        /// What it would take.
        segments: u16,
        /// What is allowed.
        segments_max: u16,
    },
    /// More bytes than allowed.
    TooLarge {
        /// What is allowed.
        bytes_max: u64,
    },
    /// No text in it.
    Empty,
    /// End-to-end encrypted: nobody outside can read it.
    Encrypted(Encryption),
    /// The network, or this gateway, carries no files.
    AttachmentsNotSupported,
    /// Too many people in one message.
    TooManyRecipients {
        /// What is allowed.
        recipients_max: u16,
    },
    /// A reaction is not sent, since the user wants no texts for them.
    ReactionKept,
    /// A retraction or correction came too late.
    AlreadySent,
    /// There are no calls.
    Call,
}

/// Too much, or nothing to carry it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cap {
    /// The user's messages of the day are used up.
    MessagesPerDay {
        /// The limit.
        max: u32,
        /// When the day ends.
        until: Timestamp,
    },
    /// The user's segments of the day are used up.
    SegmentsPerDay {
        /// The limit.
        max: u32,
        /// When the day ends.
        until: Timestamp,
    },
    /// The whole gateway's messages of the day are used up.
    GatewayPerDay {
        /// When the day ends.
        until: Timestamp,
    },
    /// Too many people written to for the first time.
    NewPeersPerHour {
        /// The limit.
        max: u32,
        /// When the next one is allowed.
        until: Timestamp,
    },
    /// No account can carry it: a fault of the configuration.
    NoRoute,
    /// More is waiting than can be kept; nothing was accepted.
    Busy,
}

/// How a message was encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encryption {
    /// XEP-0384.
    Omemo,
    /// XEP-0374 or XEP-0027.
    OpenPgp,
    /// Off-the-record messaging.
    Otr,
    /// Something that only XEP-0380 announces.
    Other,
}

impl Encryption {
    /// The name users know; `None` for an unknown one.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Omemo => Some("OMEMO"),
            Self::OpenPgp => Some("OpenPGP"),
            Self::Otr => Some("OTR"),
            Self::Other => None,
        }
    }
}

impl Refused {
    /// What an adapter's refusal is for the user; `jid` makes the contact's JID of the address that was probably meant.
    pub fn from_refusal(
        refusal: &Refusal,
        network: Network,
        jid: impl FnOnce(&transom_adapter::Address) -> String,
    ) -> Self {
        match refusal {
            Refusal::InvalidAddress { suggestion } => Recipient::InvalidAddress {
                network,
                suggestion: suggestion.as_ref().map(jid),
            }
            .into(),
            Refusal::CountryNotAllowed { region } => Recipient::CountryNotAllowed {
                region: region.clone(),
            }
            .into(),
            Refusal::PremiumNumber => Recipient::PremiumNumber.into(),
            Refusal::EmergencyNumber => Recipient::EmergencyNumber.into(),
            Refusal::CannotBeAnswered => Recipient::CannotBeAnswered.into(),
            Refusal::Unsupported => Recipient::UnsupportedAddress.into(),
            Refusal::Empty => Content::Empty.into(),
            Refusal::FilesNotTaken => Content::AttachmentsNotSupported.into(),
            Refusal::TooLong {
                segments,
                segments_max,
            } => Content::TooLong {
                segments: *segments,
                segments_max: *segments_max,
            }
            .into(),
            Refusal::NoRoute | Refusal::GroupsNotTaken => Cap::NoRoute.into(),
        }
    }
}

macro_rules! refused_from {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Refused {
            fn from(why: $kind) -> Self {
                Self::$kind(why)
            }
        }

        impl From<$kind> for Text {
            fn from(why: $kind) -> Self {
                Self::Refused(why.into())
            }
        })*
    };
}
impl From<RefusedGroup> for Refused {
    fn from(why: RefusedGroup) -> Self {
        Self::Group(why)
    }
}

refused_from!(Membership, Recipient, Content, Cap);
