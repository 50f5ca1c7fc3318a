//! Becoming a user, and the conversation with the gateway itself.

use jiff::Timestamp;
use transom_adapter::Network;

use super::{Proof, Quoted};

/// Becoming a user, and ceasing to be one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Registration {
    /// Above the form.
    Instructions {
        /// What the gateway is for.
        network: Network,
    },
    /// Above the form of somebody who is a user already.
    AlreadyRegistered {
        /// The user's own number or address.
        address: String,
    },
    /// Done.
    Registered {
        /// The user's own number or address; `None`: a shared line.
        address: Option<String>,
        /// What the gateway is for.
        network: Network,
    },
    /// What is said while a mobile number is proved.
    Proof(Proof),
    /// The admins have been asked.
    RequestSent,
    /// An admin said yes.
    Approved,
    /// An admin said no.
    Declined,
    /// No number is free.
    NoFreeLine,
    /// The number or alias is somebody's already.
    Taken {
        /// Which one.
        address: String,
    },
    /// The alias cannot be a mail address.
    BadAlias {
        /// The alias.
        alias: String,
    },
    /// The user removed the gateway from the roster.
    Disabled {
        /// Until when everything can be had back.
        until: Timestamp,
    },
    /// The user came back in time.
    Restored,
    /// The last words.
    Unregistered,
}

/// The conversation with the gateway itself, and what clients show of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Chat {
    /// The gateway's name in lists.
    Name {
        /// What the gateway is for.
        network: Network,
    },
    /// That is none of the commands.
    UnknownCommand {
        /// What was written, or its beginning.
        command: Quoted,
    },
    /// Above the search for people one knows.
    SearchDescription {
        /// What the gateway is for.
        network: Network,
    },
    /// The label of the search's field.
    SearchField {
        /// What the gateway is for.
        network: Network,
    },
    /// The label of names.
    NameLabel,
    /// `jabber:iq:gateway`: what to enter and why.
    PromptDescription {
        /// What the gateway is for.
        network: Network,
    },
    /// `jabber:iq:gateway`: the label of the field.
    Prompt {
        /// What the gateway is for.
        network: Network,
    },
}
