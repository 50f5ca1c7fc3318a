//! Whom a stanza to the gateway's domain is for.

use transom_adapter::Address;

use super::{Contact, Gateway};
use crate::{
    store::read::PIN,
    xmpp::jid::{BareJid, Jid},
};

/// Whom a stanza is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// The gateway itself.
    Gateway,
    /// A contact.
    Contact {
        /// Its bare JID.
        jid: BareJid,
        /// How the roster knows it.
        key: String,
        /// Who it is, whichever line is pinned.
        peer: Address,
    },
    /// Nobody; perhaps this JID was meant.
    Nobody(Option<BareJid>),
}

impl Target {
    /// Reads the address of a stanza.
    pub fn read(gateway: &Gateway, to: &Jid) -> Self {
        let Some(local) = to.node() else {
            return Self::Gateway;
        };
        match gateway.contact(local.as_str()) {
            Ok(contact) => Self::Contact {
                jid: to.to_bare(),
                key: key(&contact),
                peer: contact.peer,
            },
            Err(meant) => Self::Nobody(meant),
        }
    }

    /// How the roster knows it; the gateway's key is empty.
    pub fn key(&self) -> &str {
        match self {
            Self::Contact { key, .. } => key,
            Self::Gateway | Self::Nobody(_) => "",
        }
    }
}

/// A pinned contact is another entry in the roster than the plain one.
fn key(contact: &Contact) -> String {
    match &contact.line {
        Some(line) => format!("{}{}{}", contact.peer.as_str(), PIN, line.as_str()),
        None => contact.peer.as_str().to_owned(),
    }
}
