//! The ids of our stanzas: made anew, known again, and known when they come back.

use sha2::{Digest, Sha256};
use transom_adapter::UnixMillis;
use uuid::Uuid;

/// What stands between the id of a message and the number of a further stanza of it.
const FURTHER: &str = "-f";

/// Semantics 7: lower-case `UUIDv7`.
pub fn stanza_id(now: UnixMillis) -> String {
    let seconds = now.0.div_euclid(1000).unsigned_abs();
    let nanos = u32::try_from(now.0.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)).to_string()
}

/// The first stanza has the message's own id, the others are numbered after it.
pub(super) fn id_of(message: &str, number: u32) -> String {
    match number {
        0 => message.to_owned(),
        number => format!("{message}{FURTHER}{number}"),
    }
}

/// The id of the message that a stanza of ours belongs to.
pub fn message_of(stanza_id: &str) -> &str {
    let further = stanza_id.rsplit_once(FURTHER);
    let of_ours = further.filter(|(message, number)| {
        message.len() == 36 && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    of_ours.map_or(stanza_id, |(message, _)| message)
}

/// How a message is known that we gave to the user's server in the user's name: it comes back, and is never sent.
pub(super) fn own_key(origin_id: &str) -> String {
    let id = message_of(origin_id);
    format!("p{}", hex::encode(Sha256::digest(id.as_bytes())))
}
