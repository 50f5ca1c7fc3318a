//! How a repeat of a stanza is known.

use sha2::{Digest, Sha256};
use transom_adapter::Address;

use crate::xmpp::{jid::Jid, stanza::Message, xep::sharing::Shared};

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
