//! A message from an outside network is accepted, unless it was accepted before.

use std::collections::HashSet;

use serde::Serialize;

use super::{
    Connection, ConversationRow, Done, Group, IdRow, NewFile, Sql, StoreError, ThreadRow,
    fetch_rows, files, for_rows,
    outgoing::{self, MessageRow, NewOut, insert_ids, insert_messages},
    run_rows,
    strangers::{self, StrangerRow},
};

/// An accepted message. Its lane is the conversation's, inwards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewIn {
    /// How a repeat is known.
    pub seen: Seen,
    /// The conversation, made or touched.
    pub conversation: ConversationRow,
    /// The key of the message and of its one delivery.
    pub message_id: i64,
    /// What was written.
    pub body: String,
    /// What else belongs to the content, as versioned JSON.
    pub payload: Option<String>,
    /// Its writer wants it kept nowhere (XEP-0334), as of a message to the outside.
    pub fleeting: bool,
    /// The stanza's id, the same each time it is written.
    pub stanza_id: String,
    /// How it is known when it comes back from the user's server: what the user wrote elsewhere.
    pub repeat_key: Option<String>,
    /// Who it is for.
    pub user_jid: String,
    /// When it is handed over: now, or when a disabled user's time to come back is over; `None`: when the user says so.
    pub due_ms: Option<i64>,
    /// Set when its sender's mail waits for the user's word.
    pub stranger: Option<StrangerRow>,
    /// The mail thread, as it is with this message in it.
    pub thread: Option<ThreadRow>,
    /// Our address.
    pub line: String,
    /// Its own Message-ID, for answers to it.
    pub ids: Vec<IdRow>,
    /// The files that came with it.
    pub files: Vec<NewFile>,
    /// What is sent back by itself, when this is new.
    pub confirm: Option<Box<Confirm>>,
}

/// A message that the gateway sends by itself, unless it has lately.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirm {
    /// How the last one is known.
    pub seen: Seen,
    /// What is sent. Its conversation is that of the message that it follows.
    pub out: NewOut,
}

/// A text to a line that nobody has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Unowned {
    /// How a repeat is known.
    #[serde(skip)]
    pub seen: Seen,
    /// Its key.
    pub unowned_id: i64,
    /// The line.
    pub line_id: i64,
    /// Who wrote it.
    pub peer: String,
    /// What was written.
    pub body: String,
    /// Now.
    pub at_ms: i64,
}

/// How a repeat is known: the same digest in the same scope, not older than `stale_ms`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Seen {
    /// The account.
    pub scope_id: i64,
    /// Over the network's id, or the content, or both.
    pub digest: String,
    /// Now.
    pub at_ms: i64,
    /// What was seen before this time is another message; 0: never.
    pub stale_ms: i64,
}

const SEEN: Sql = for_rows!(
    "INSERT INTO seen (scope_id, digest, at_ms)
     SELECT CAST(r.value ->> 'scope_id' AS BIGINT), r.value ->> 'digest', CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (scope_id, digest) DO NOTHING
     RETURNING scope_id, digest"
);

const SEEN_LONG_AGO: Sql = for_rows!(
    "UPDATE seen SET at_ms = CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE seen.scope_id = CAST(r.value ->> 'scope_id' AS BIGINT) AND seen.digest = r.value ->> 'digest'
       AND seen.at_ms < CAST(r.value ->> 'stale_ms' AS BIGINT)
     RETURNING seen.scope_id, seen.digest"
);

const UNOWNED: Sql = for_rows!(
    "INSERT INTO unowned (unowned_id, line_id, peer, body, at_ms)
     SELECT CAST(r.value ->> 'unowned_id' AS BIGINT), CAST(r.value ->> 'line_id' AS BIGINT), r.value ->> 'peer',
            r.value ->> 'body', CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1"
);

pub(super) async fn apply(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    if group.incoming.is_empty() && group.unowned.is_empty() {
        return Ok(());
    }
    let seen = group
        .incoming
        .iter()
        .map(|(_, row)| &row.seen)
        .chain(group.unowned.iter().map(|(_, row)| &row.seen));
    let mut fresh = mark_seen(connection, &seen.collect::<Vec<_>>()).await?;
    // The first of several equal ones takes the mark; the others are repeats.
    let mut is_new = |seen: &Seen| fresh.remove(&(seen.scope_id, seen.digest.clone()));
    let (new, old): (Vec<_>, Vec<_>) = group
        .incoming
        .iter()
        .partition(|(_, row)| is_new(&row.seen));
    let (new_unowned, old_unowned): (Vec<_>, Vec<_>) =
        group.unowned.iter().partition(|(_, row)| is_new(&row.seen));
    let rows: Vec<&NewIn> = new.into_iter().map(|(_, row)| row).collect();
    let unowned: Vec<&Unowned> = new_unowned.into_iter().map(|(_, row)| row).collect();
    let old: Vec<usize> = old
        .iter()
        .map(|(place, _)| *place)
        .chain(old_unowned.iter().map(|(place, _)| *place))
        .collect();
    for place in old {
        group.set(place, Done::Unchanged);
    }
    insert(connection, &rows).await?;
    run_rows(connection, UNOWNED, &unowned).await?;
    let confirms: Vec<&Confirm> = rows
        .iter()
        .filter_map(|row| row.confirm.as_deref())
        .collect();
    confirm(connection, &confirms).await
}

/// Messages that are no repeats.
pub(super) async fn insert(connection: &mut Connection, rows: &[&NewIn]) -> Result<(), StoreError> {
    let messages: Vec<MessageRow<'_>> = rows.iter().map(|row| message_row(row)).collect();
    insert_messages(
        connection,
        rows.iter().map(|row| &row.conversation),
        rows.iter().filter_map(|row| row.thread.as_ref()),
        &messages,
    )
    .await?;
    insert_ids(
        connection,
        &rows.iter().flat_map(|row| &row.ids).collect::<Vec<_>>(),
    )
    .await?;
    let new_files: Vec<&NewFile> = rows.iter().flat_map(|row| &row.files).collect();
    files::insert(connection, &new_files).await?;
    let new_strangers: Vec<&StrangerRow> = rows
        .iter()
        .filter_map(|row| row.stranger.as_ref())
        .collect();
    strangers::waits(connection, &new_strangers).await
}

/// Sends what has not been sent lately.
async fn confirm(connection: &mut Connection, rows: &[&Confirm]) -> Result<(), StoreError> {
    let seen: Vec<&Seen> = rows.iter().map(|row| &row.seen).collect();
    let mut fresh = mark_seen(connection, &seen).await?;
    let is_new = |row: &&&Confirm| fresh.remove(&(row.seen.scope_id, row.seen.digest.clone()));
    let rows: Vec<&NewOut> = rows.iter().filter(is_new).map(|row| &row.out).collect();
    outgoing::apply(connection, &rows).await
}

/// What must not be done twice: unchanged where it was done before.
pub(super) async fn seen(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    let rows: Vec<&Seen> = group.seen.iter().map(|(_, row)| *row).collect();
    let mut fresh = mark_seen(connection, &rows).await?;
    for (place, row) in std::mem::take(&mut group.seen) {
        if !fresh.remove(&(row.scope_id, row.digest.clone())) {
            group.set(place, Done::Unchanged);
        }
    }
    Ok(())
}

pub(super) async fn mark_seen(
    connection: &mut Connection,
    rows: &[&Seen],
) -> Result<HashSet<(i64, String)>, StoreError> {
    let mut answer = fetch_rows(connection, SEEN, rows).await?;
    let expiring: Vec<&Seen> = rows
        .iter()
        .filter(|row| row.stale_ms > 0)
        .copied()
        .collect();
    answer.extend(fetch_rows(connection, SEEN_LONG_AGO, &expiring).await?);
    answer
        .iter()
        .map(|row| Ok((row.int(0)?, row.text(1)?.to_owned())))
        .collect()
}

fn message_row(row: &NewIn) -> MessageRow<'_> {
    MessageRow {
        message_id: row.message_id,
        delivery_id: row.message_id,
        recipient: None,
        conversation_id: row.conversation.conversation_id,
        user_id: row.conversation.user_id,
        lane_id: -row.conversation.conversation_id,
        thread_id: row.thread.as_ref().map(|thread| thread.thread_id),
        direction: "in",
        due_ms: row.due_ms,
        held_until_ms: None,
        at_ms: row.conversation.at_ms,
        body: &row.body,
        payload: row.payload.as_deref(),
        fleeting: row.fleeting.into(),
        stanza_id: &row.stanza_id,
        repeat_key: row.repeat_key.as_deref(),
        full_jid: &row.user_jid,
        receipt: 0,
        units: 1,
        segments: 0,
        routes: "[]",
    }
}
