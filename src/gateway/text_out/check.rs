//! What is looked at before anything is decided: the contact, and whether it is blocked.

use super::{Decision, refused};
use crate::{
    gateway::{Contact, Gateway},
    store::read::OutwardSnapshot,
    texts::{Recipient, Refused},
};

/// Whether the user may write to this peer.
pub(super) fn check_blocks(
    snapshot: &OutwardSnapshot,
    user_id: Option<i64>,
    peer: &str,
) -> Result<(), Refused> {
    let blocked = |user| snapshot.blocked.contains(&(user, peer.to_owned()));
    if blocked(0) {
        return Err(Recipient::Blocked.into());
    }
    if user_id.is_some_and(blocked) {
        return Err(Recipient::BlockedByUser.into());
    }
    Ok(())
}

/// Semantics 20: whoever has an XMPP account is written to there.
pub(super) fn check_colleague(
    snapshot: &OutwardSnapshot,
    user: &str,
    peer: &str,
) -> Result<(), Refused> {
    let owners = snapshot.colleagues.get(peer);
    let owners = owners.map_or(&[][..], Vec::as_slice);
    match owners.first() {
        Some(jid) if !owners.iter().any(|owner| owner == user) => {
            Err(Recipient::Colleague { jid: jid.clone() }.into())
        }
        _ => Ok(()),
    }
}

/// The contact that a local part names.
pub(super) fn of_local(gateway: &Gateway, local: &str) -> Result<Contact, Decision> {
    gateway.contact(local).map_err(|suggestion| {
        let suggestion = suggestion.map(|jid| jid.to_string());
        refused(Recipient::InvalidAddress {
            network: gateway.network(),
            suggestion,
        })
    })
}
