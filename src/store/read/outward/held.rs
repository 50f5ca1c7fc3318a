//! Held messages, as corrections, retractions and what joins them need them.

use super::{
    super::{Row, Sql, StoreError},
    Ask, OutwardSnapshot, json,
    statements::{EDITED, JOINABLE},
};
use crate::store::{Connection, write::RESTARTED};

/// A message that is held for corrections, retractions and what belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownHeld {
    /// Its key.
    pub message_id: i64,
    /// Its conversation.
    pub conversation_id: i64,
    /// Its mail thread.
    pub thread_id: Option<i64>,
    /// What is written.
    pub body: String,
    /// How many files go with it.
    pub files: i64,
    /// The id of its first stanza.
    pub stanza_id: String,
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
}

/// What is edited and held; without any edits it costs nothing.
pub(super) async fn load_held(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    let edits: Vec<&Ask> = asks.iter().filter(|ask| ask.edits.is_some()).collect();
    for (key, held) in load(connection, EDITED, &edits, gateway_id).await? {
        snapshot.held.insert(key, held);
    }
    Ok(())
}

/// What is held last in chats where something may join it.
pub(super) async fn load_joinable(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    let joins: Vec<&Ask> = asks.iter().filter(|ask| ask.joins == 1).collect();
    for (key, held) in load(connection, JOINABLE, &joins, gateway_id).await? {
        snapshot.joinable.insert(key, held);
    }
    Ok(())
}

async fn load(
    connection: &mut Connection,
    sql: Sql,
    asks: &[&Ask],
    gateway_id: i64,
) -> Result<Vec<((String, String), KnownHeld)>, StoreError> {
    if asks.is_empty() {
        return Ok(Vec::new());
    }
    let rows = connection
        .rows(sql, &[json(asks), gateway_id.into()])
        .await?;
    rows.iter().map(known_held).collect()
}

fn known_held(row: &Row) -> Result<((String, String), KnownHeld), StoreError> {
    let key = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
    let held = KnownHeld {
        message_id: row.int(2)?,
        conversation_id: row.int(3)?,
        thread_id: row.opt_int(4)?,
        payload: row.opt_text(5)?.map(str::to_owned),
        segments: row.int(6)?,
        created_ms: row.int(7)?,
        held_until_ms: row.int(8)?,
        restarted: row.opt_text(9)? == Some(RESTARTED),
        body: row.opt_text(10)?.unwrap_or_default().to_owned(),
        files: row.int(11)?,
        stanza_id: row.opt_text(12)?.unwrap_or_default().to_owned(),
    };
    Ok((key, held))
}
