//! How a repeat of a stanza is known.

use sha2::{Digest, Sha256};

use crate::{
    gateway::text_in,
    xmpp::{jid::Jid, stanza::Message, xep::sharing::Shared},
};

/// Semantics 6: the origin-id; without one, the id with everything that a script that reuses ids changes.
pub(super) fn repeat_key(
    message: &Message,
    from: &Jid,
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
    for part in [from.as_str(), to, id, body].into_iter().chain(urls) {
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
