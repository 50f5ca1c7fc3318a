//! What is looked at before anything is decided: the contact, blocks, whether it is a repeat.

use sha2::{Digest, Sha256};
use transom_adapter::Address;

use super::{Decision, refused};
use crate::{
    gateway::{Contact, Gateway, text_in},
    store::read::OutwardSnapshot,
    texts::{Recipient, Refused},
    xmpp::{jid::Jid, stanza::Message, xep::sharing::Shared},
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

/// Semantics 6: the origin-id; without one, the id with everything that a script that reuses ids changes.
pub(super) fn repeat_key(
    message: &Message,
    (from, peer): (&Jid, &Address),
    (body, files): (&str, &[Shared]),
) -> Option<String> {
    if let Some(origin) = message.origin_id() {
        return Some(format!(
            "o{}",
            hex::encode(Sha256::digest(origin.as_bytes()))
        ));
    }
    let id = message.id.as_deref()?;
    let to = message.to.as_ref().map(Jid::as_str).unwrap_or_default();
    let mut hash = Sha256::new();
    let urls = files.iter().map(|file| file.url.as_str());
    // To the gateway itself the stanza names its recipients.
    for part in [from.as_str(), to, peer.as_str(), id, body]
        .into_iter()
        .chain(urls)
    {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    Some(format!("h{}", hex::encode(hash.finalize())))
}

/// How a message is known that we gave to the user's server in the user's name: it comes back, and is never sent.
pub(in crate::gateway) fn own_key(origin_id: &str) -> String {
    let id = text_in::message_of(origin_id);
    format!("p{}", hex::encode(Sha256::digest(id.as_bytes())))
}
