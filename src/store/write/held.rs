//! A message that waits for corrections and retractions (semantics 26): it is changed, taken back, or let go.
//!
//! Whatever comes first is committed first, and the others then find it no longer held: a corrected text is never sent in its
//! old words, and one that was taken back is never sent.

use serde::Serialize;

use super::{
    Connection, Done, Group, IdRow, NewFile, Sql, StoreError, ThreadRow, UsageRow, fetch_rows,
    files, for_rows,
    incoming::{self, NewIn},
    outgoing::{insert_ids, insert_threads, insert_usage},
    touched,
};

/// A held message has other content from now on, and one stanza more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amend {
    /// The message, and with it all its deliveries.
    pub message_id: i64,
    /// What is written now, all of it.
    pub body: String,
    /// What else belongs to the content now, as versioned JSON.
    pub payload: Option<String>,
    /// How many sends it takes now.
    pub units: u16,
    /// What it costs now.
    pub segments: u16,
    /// The accounts that can carry it, a JSON array of their names within the gateway.
    pub routes: String,
    /// Until when it is held from now on; `None`: as long as before.
    pub held_until_ms: Option<i64>,
    /// Whether this was its one restart.
    pub restarted: bool,
    /// The mail thread, if this changes it.
    pub thread: Option<ThreadRow>,
    /// Ids known before the first attempt.
    pub ids: Vec<IdRow>,
    /// What it costs more than before.
    pub usage: UsageRow,
    /// The stanza that brought it; `None`: it only takes something away.
    pub stanza: Option<NewStanza>,
    /// The id of a stanza that is no part of it any more.
    pub gone_stanza: Option<String>,
    /// Files that go with it from now on, too.
    pub files: Vec<NewFile>,
    /// The places of files that do no longer.
    pub gone_files: Vec<i64>,
    /// The change as the other owners of its line see it.
    pub shown: Vec<NewIn>,
}

/// A further stanza of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewStanza {
    /// The user.
    pub user_id: i64,
    /// Its id.
    pub stanza_id: String,
    /// How a repeat of it is known.
    pub repeat_key: Option<String>,
    /// Who sent it, with resource.
    pub full_jid: String,
    /// Whether a receipt was asked for.
    pub receipt: bool,
    /// Now.
    pub at_ms: i64,
}

/// A held message is taken back; nobody has to be told anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakeBack {
    /// The message, and with it all its deliveries.
    pub message_id: i64,
    /// Now.
    pub at_ms: i64,
    /// The same as the other owners of its line see it.
    pub shown: Vec<NewIn>,
}

/// A held message waits for its turn like any other from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Release {
    /// The delivery.
    pub delivery_id: i64,
    /// Now: what is held for longer stays held.
    pub at_ms: i64,
}

/// The code of a held message whose time to wait was restarted; it restarts once.
pub(in crate::store) const RESTARTED: &str = "restarted";

const AMEND: Sql = Sql::both(
    "UPDATE deliveries
        SET units = $2, segments = $3, routes = $4, due_ms = CASE WHEN $5 > 0 THEN $5 ELSE due_ms END,
            code = CASE WHEN $6 = 1 THEN 'restarted' ELSE code END
      WHERE message_id = $1 AND state = 'held' AND due_ms IS NOT NULL",
);

const CONTENT: Sql = Sql::both("UPDATE messages SET body = $2, payload = $3 WHERE message_id = $1");

const STANZA: Sql = Sql::both(
    "INSERT INTO message_stanzas (message_id, user_id, stanza_id, repeat_key, full_jid, receipt, created_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (message_id, stanza_id) DO NOTHING",
);

const GONE_STANZA: Sql =
    Sql::both("DELETE FROM message_stanzas WHERE message_id = $1 AND stanza_id = $2");

const GONE_FILE: Sql = Sql::both("DELETE FROM files WHERE message_id = $1 AND place = $2");

const TAKE_BACK: Sql = Sql::both(
    "UPDATE deliveries SET state = 'cancelled', due_ms = NULL, done_ms = $2
      WHERE message_id = $1 AND state = 'held' AND due_ms IS NOT NULL",
);

/// A lane that waits for nothing else is due never.
const LEAVE_LANE: Sql = Sql::both(
    "UPDATE lanes SET failures = 0, due_ms = NULL
      WHERE lane_id IN (SELECT d.lane_id FROM deliveries d WHERE d.message_id = $1)
        AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.lane_id = lanes.lane_id
                           AND d.state IN ('held', 'queued', 'sending')
                           AND (d.state <> 'held' OR d.due_ms IS NOT NULL))",
);

const RELEASE: Sql = for_rows!(
    "UPDATE deliveries SET state = 'queued', due_ms = NULL, code = NULL
       FROM",
    "WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT) AND deliveries.state = 'held'
        AND deliveries.due_ms <= CAST(r.value ->> 'at_ms' AS BIGINT)
     RETURNING deliveries.delivery_id"
);

pub(super) async fn apply(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    // One at a time, in their order: of two corrections the later stands.
    let mut shown: Vec<&NewIn> = Vec::new();
    for (place, row) in std::mem::take(&mut group.amends) {
        if amend(connection, row).await? {
            shown.extend(&row.shown);
        } else {
            group.set(place, Done::Unchanged);
        }
    }
    for (place, row) in std::mem::take(&mut group.taken_back) {
        let params = [row.message_id.into(), row.at_ms.into()];
        if connection.run(TAKE_BACK, &params).await? == 0 {
            group.set(place, Done::Unchanged);
        } else {
            connection.run(LEAVE_LANE, &[row.message_id.into()]).await?;
            shown.extend(&row.shown);
        }
    }
    incoming::insert(connection, &shown).await?;
    let rows: Vec<&Release> = group.releases.iter().map(|(_, row)| *row).collect();
    let released = touched(&fetch_rows(connection, RELEASE, &rows).await?)?;
    for (place, row) in std::mem::take(&mut group.releases) {
        if !released.contains(&row.delivery_id) {
            group.set(place, Done::Unchanged);
        }
    }
    Ok(())
}

async fn amend(connection: &mut Connection, row: &Amend) -> Result<bool, StoreError> {
    let delivery = [
        row.message_id.into(),
        i64::from(row.units).into(),
        i64::from(row.segments).into(),
        row.routes.as_str().into(),
        row.held_until_ms.unwrap_or(0).into(),
        i64::from(row.restarted).into(),
    ];
    if connection.run(AMEND, &delivery).await? == 0 {
        return Ok(false);
    }
    let content = [
        row.message_id.into(),
        row.body.as_str().into(),
        row.payload.as_deref().into(),
    ];
    connection.run(CONTENT, &content).await?;
    if let Some(stanza) = &row.stanza {
        let stanza = [
            row.message_id.into(),
            stanza.user_id.into(),
            stanza.stanza_id.as_str().into(),
            stanza.repeat_key.as_deref().into(),
            stanza.full_jid.as_str().into(),
            i64::from(stanza.receipt).into(),
            stanza.at_ms.into(),
        ];
        connection.run(STANZA, &stanza).await?;
    }
    if let Some(id) = &row.gone_stanza {
        let stanza = [row.message_id.into(), id.as_str().into()];
        connection.run(GONE_STANZA, &stanza).await?;
    }
    // Nothing of them was fetched yet: a held message is not prepared.
    for place in &row.gone_files {
        let file = [row.message_id.into(), (*place).into()];
        connection.run(GONE_FILE, &file).await?;
    }
    files::insert(connection, &row.files.iter().collect::<Vec<_>>()).await?;
    insert_threads(connection, row.thread.as_ref()).await?;
    insert_ids(connection, &row.ids.iter().collect::<Vec<_>>()).await?;
    insert_usage(connection, &row.usage).await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
