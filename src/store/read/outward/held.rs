//! Held messages, as corrections and retractions need them.

use super::{super::StoreError, Ask, OutwardSnapshot, json, statements::EDITED};
use crate::store::{Connection, write::RESTARTED};

/// A message that is held for corrections and retractions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownHeld {
    /// Its key.
    pub message_id: i64,
    /// Its conversation.
    pub conversation_id: i64,
    /// Its mail thread.
    pub thread_id: Option<i64>,
    /// What else belongs to it.
    pub payload: Option<String>,
    /// What it costs.
    pub segments: i64,
    /// When it was accepted.
    pub created_ms: i64,
    /// Until when it is held.
    pub held_until_ms: i64,
    /// Whether that was restarted already.
    pub restarted: bool,
    /// One of the members of a group that it goes to, unless it goes to the contact.
    pub recipient: Option<String>,
    /// How many deliveries it has.
    pub people: i64,
}

/// What is edited and held; without any edits it costs nothing.
pub(super) async fn load_held(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    let edits: Vec<&Ask> = asks.iter().filter(|ask| ask.edits.is_some()).collect();
    if edits.is_empty() {
        return Ok(());
    }
    for row in connection
        .rows(EDITED, &[json(&edits), gateway_id.into()])
        .await?
    {
        let held = KnownHeld {
            message_id: row.int(2)?,
            conversation_id: row.int(3)?,
            thread_id: row.opt_int(4)?,
            payload: row.opt_text(5)?.map(str::to_owned),
            segments: row.int(6)?,
            created_ms: row.int(7)?,
            held_until_ms: row.int(8)?,
            restarted: row.opt_text(9)? == Some(RESTARTED),
            recipient: row.opt_text(10)?.map(str::to_owned),
            people: 1,
        };
        let key = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
        match snapshot.held.get_mut(&key) {
            // A row for each delivery.
            Some(known) if known.message_id == held.message_id => known.people += 1,
            _ => drop(snapshot.held.insert(key, held)),
        }
    }
    Ok(())
}
