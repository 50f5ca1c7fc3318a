//! One outside network.

use std::sync::Arc;

use crate::{Account, Address, Cost, Outgoing, OwnAccounts, Plan, Refusal, UnixMillis};

/// The code that speaks one outside network, configured for one gateway.
pub trait Adapter: Send + Sync {
    /// What kind of network it is.
    fn network(&self) -> Network;

    /// The accounts, in the order of the configuration.
    fn accounts(&self) -> Vec<Arc<dyn Account>>;

    /// Reads a contact's local part (XEP-0106 already undone) as a peer's address. Pure.
    ///
    /// # Errors
    ///
    /// [`ContactError`] with the right spelling, where it can be told.
    fn peer(&self, local_part: &str) -> Result<Address, ContactError>;

    /// The local part of a peer's contact, before XEP-0106. The inverse of [`peer`](Self::peer).
    fn local_part(&self, peer: &Address) -> String {
        peer.as_str().to_owned()
    }

    /// Reads what a person typed (`0171 123456`, `Bob <bob@example.com>`) as an address, as `jabber:iq:gateway` asks.
    ///
    /// # Errors
    ///
    /// [`ContactError`] when no address can be read from it.
    fn read_typed(&self, typed: &str) -> Result<Address, ContactError> {
        self.peer(typed.trim())
    }

    /// The address that a user (a bare JID) gets here when nobody chose another, on networks where it follows from the JID;
    /// `None` where it does not, or this user has to pick one. Pure; whether it is free is the core's to know.
    fn own_address(&self, _user: &str) -> Option<Address> {
        None
    }

    /// The address of ours that somebody picked, its name or the whole of it, on networks where we make addresses; `None` where it can
    /// be nobody's. Pure; whether it is free is the core's to know.
    fn picked_address(&self, _picked: &str) -> Option<Address> {
        None
    }

    /// Whether an address is one that this gateway gives its users, where whoever has it is better written to by XMPP. Pure; whose it
    /// is is the core's to know.
    fn gives_out(&self, _address: &Address) -> bool {
        false
    }

    /// Says how a message will be sent, or why it cannot be. Pure: no network, no clock, the same answer for the same message.
    ///
    /// # Errors
    ///
    /// [`Refusal`], which becomes the sentence that the user sees.
    fn plan(&self, message: &Outgoing) -> Result<Plan, Refusal>;

    /// Whether the network has a form of its own for reactions (RFC 9078); without one they are sent as a text, or not at all, as the
    /// user wants.
    fn has_reactions(&self) -> bool {
        false
    }

    /// What a text would cost, as [`plan`](Self::plan) counts it; `None` on networks where no length costs more than another. For
    /// commands that tell it before anything is sent. Pure.
    fn cost(&self, _text: &str) -> Option<Cost> {
        None
    }

    /// What there is for accounts that users bring; `None` where they cannot.
    fn own_accounts(&self) -> Option<&dyn OwnAccounts> {
        None
    }

    /// Whether users have nothing here but accounts that they bring: then they register without a line. Never changes.
    fn only_own_accounts(&self) -> bool {
        false
    }

    /// Before when nothing may be sent to this peer, though it is allowed: their night. `None`: it may go now. The core asks before
    /// the first attempt and before each later one, keeps the chat waiting until then, and tells the sender once. Pure.
    fn not_before(&self, _to: &Address, _now: UnixMillis) -> Option<UnixMillis> {
        None
    }
}

/// What kind of network an adapter speaks; decides words, order and defaults.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Network {
    /// Text messages: order is strict, an unknown outcome is never repeated (semantics 4 and 5).
    Sms,
    /// Mail: a deferred mail does not hold the next, one repeat with the same Message-ID is allowed.
    Email,
}

/// A local part that is no address of this network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactError {
    /// What was probably meant.
    pub suggestion: Option<Address>,
}
