//! A message to an outside network is accepted: everything it needs to be sent, answered and found again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Connection, NewFile, Sql, StoreError, files, for_rows, run_rows};

/// An accepted message. Its lane is the conversation's, outwards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewOut {
    /// The conversation, made or touched.
    pub conversation: ConversationRow,
    /// The key of the message and of its one delivery.
    pub message_id: i64,
    /// What was written.
    pub body: String,
    /// What else belongs to the content, as versioned JSON.
    pub payload: Option<String>,
    /// The stanza's id.
    pub stanza_id: String,
    /// How a repeat of the stanza is known.
    pub repeat_key: Option<String>,
    /// Who sent it, with resource.
    pub full_jid: String,
    /// Whether a receipt was asked for.
    pub receipt: bool,
    /// How many sends it takes by its first account.
    pub units: u16,
    /// What it costs.
    pub segments: u16,
    /// The accounts that can carry it: [`StoredRoute::to_json`](crate::store::StoredRoute::to_json).
    pub routes: String,
    /// The mail thread, as it is with this message in it.
    pub thread: Option<ThreadRow>,
    /// Ids known before the first attempt.
    pub ids: Vec<IdRow>,
    /// The UTC day that it counts on.
    pub day: i64,
    /// The files that go with it.
    pub files: Vec<NewFile>,
    /// Until when it is held for corrections and retractions; `None`: not at all.
    pub held_until_ms: Option<i64>,
}

/// A conversation, as it is from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ConversationRow {
    /// Its key; when it exists, the existing one's.
    pub conversation_id: i64,
    /// The gateway.
    pub gateway_id: i64,
    /// The user.
    pub user_id: i64,
    /// Our address.
    pub line_id: i64,
    /// The outside person.
    pub peer: String,
    /// The name that came with a message.
    pub peer_name: Option<String>,
    /// Now.
    pub at_ms: i64,
    /// Now, when the plain contact was used; 0 when the line was pinned.
    pub plain_ms: i64,
    /// The mail thread that the user saw last.
    pub shown_thread: Option<i64>,
}

/// A mail thread of a conversation, as it is from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ThreadRow {
    /// Its key.
    pub thread_id: i64,
    /// The conversation.
    pub conversation_id: i64,
    /// The subject without reply prefixes.
    pub subject: String,
    /// What clients call it.
    pub xmpp_thread: String,
    /// The Message-ID of its last mail.
    pub last_id: Option<String>,
    /// The Message-IDs before it, oldest first, a JSON array.
    pub reference_ids: String,
    /// Now.
    pub active_ms: i64,
}

/// An outside network's id for a delivery.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct IdRow {
    /// The account, or the gateway.
    pub scope_id: i64,
    /// What sort of id.
    pub kind: &'static str,
    /// The id.
    pub value: String,
    /// Which part it names.
    pub part: u16,
    /// The delivery.
    pub delivery_id: i64,
}

/// What a day has cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UsageRow {
    /// The gateway.
    pub gateway_id: i64,
    /// The user; 0: all together.
    pub user_id: i64,
    /// The UTC day.
    pub day: i64,
    /// Messages.
    pub messages: i64,
    /// What they cost.
    pub segments: i64,
}

const CONVERSATIONS: Sql = for_rows!(
    "INSERT INTO conversations (conversation_id, gateway_id, user_id, line_id, peer, peer_name, created_ms, active_ms, plain_ms,
                                shown_thread)
     SELECT CAST(r.value ->> 'conversation_id' AS BIGINT), CAST(r.value ->> 'gateway_id' AS BIGINT),
            CAST(r.value ->> 'user_id' AS BIGINT), CAST(r.value ->> 'line_id' AS BIGINT), r.value ->> 'peer',
            r.value ->> 'peer_name', CAST(r.value ->> 'at_ms' AS BIGINT), CAST(r.value ->> 'at_ms' AS BIGINT),
            CAST(r.value ->> 'plain_ms' AS BIGINT), CAST(r.value ->> 'shown_thread' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (conversation_id) DO UPDATE
        SET active_ms = excluded.active_ms,
            plain_ms = CASE WHEN excluded.plain_ms > conversations.plain_ms
                            THEN excluded.plain_ms ELSE conversations.plain_ms END,
            peer_name = COALESCE(excluded.peer_name, conversations.peer_name),
            shown_thread = COALESCE(excluded.shown_thread, conversations.shown_thread)"
);

const THREADS: Sql = for_rows!(
    "INSERT INTO threads (thread_id, conversation_id, subject, xmpp_thread, last_id, reference_ids, active_ms)
     SELECT CAST(r.value ->> 'thread_id' AS BIGINT), CAST(r.value ->> 'conversation_id' AS BIGINT), r.value ->> 'subject',
            r.value ->> 'xmpp_thread', r.value ->> 'last_id', r.value ->> 'reference_ids',
            CAST(r.value ->> 'active_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (thread_id) DO UPDATE
        SET subject = excluded.subject, last_id = excluded.last_id, reference_ids = excluded.reference_ids, active_ms = excluded.active_ms"
);

const LANES: Sql = for_rows!(
    "INSERT INTO lanes (lane_id, conversation_id, due_ms, failures)
     SELECT CAST(r.value ->> 'lane_id' AS BIGINT), CAST(r.value ->> 'conversation_id' AS BIGINT),
            CAST(r.value ->> 'due_ms' AS BIGINT), 0
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (lane_id) DO UPDATE SET due_ms = COALESCE(lanes.due_ms, excluded.due_ms)"
);

const MESSAGES: Sql = for_rows!(
    "INSERT INTO messages (message_id, conversation_id, thread_id, direction, created_ms, body, payload)
     SELECT CAST(r.value ->> 'message_id' AS BIGINT), CAST(r.value ->> 'conversation_id' AS BIGINT),
            CAST(r.value ->> 'thread_id' AS BIGINT), r.value ->> 'direction', CAST(r.value ->> 'at_ms' AS BIGINT), r.value ->> 'body', r.value ->> 'payload'
       FROM",
    "WHERE 1 = 1"
);

const STANZAS: Sql = for_rows!(
    "INSERT INTO message_stanzas (message_id, user_id, stanza_id, repeat_key, full_jid, receipt, created_ms)
     SELECT CAST(r.value ->> 'message_id' AS BIGINT), CAST(r.value ->> 'user_id' AS BIGINT), r.value ->> 'stanza_id',
            r.value ->> 'repeat_key', r.value ->> 'full_jid', CAST(r.value ->> 'receipt' AS BIGINT),
            CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1"
);

const DELIVERIES: Sql = for_rows!(
    "INSERT INTO deliveries (delivery_id, message_id, lane_id, state, units, units_done, segments, attempts, routes, due_ms,
                             created_ms)
     SELECT CAST(r.value ->> 'message_id' AS BIGINT), CAST(r.value ->> 'message_id' AS BIGINT),
            CAST(r.value ->> 'lane_id' AS BIGINT), CASE WHEN r.value ->> 'held_until_ms' IS NULL THEN 'queued' ELSE 'held' END,
            CAST(r.value ->> 'units' AS BIGINT), 0, CAST(r.value ->> 'segments' AS BIGINT), 0, r.value ->> 'routes',
            CAST(r.value ->> 'held_until_ms' AS BIGINT), CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1"
);

const IDS: Sql = for_rows!(
    "INSERT INTO external_ids (scope_id, kind, value, part, delivery_id, progress)
     SELECT CAST(r.value ->> 'scope_id' AS BIGINT), r.value ->> 'kind', r.value ->> 'value',
            CAST(r.value ->> 'part' AS BIGINT), CAST(r.value ->> 'delivery_id' AS BIGINT), 'accepted'
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (scope_id, kind, value) DO NOTHING"
);

const USAGE: Sql = for_rows!(
    "INSERT INTO usage_days (gateway_id, user_id, day, messages, segments)
     SELECT CAST(r.value ->> 'gateway_id' AS BIGINT), CAST(r.value ->> 'user_id' AS BIGINT),
            CAST(r.value ->> 'day' AS BIGINT), CAST(r.value ->> 'messages' AS BIGINT),
            CAST(r.value ->> 'segments' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (gateway_id, user_id, day) DO UPDATE
        SET messages = usage_days.messages + excluded.messages, segments = usage_days.segments + excluded.segments"
);

/// One message of either direction, as four tables take it.
#[derive(Serialize)]
pub(super) struct MessageRow<'a> {
    pub(super) message_id: i64,
    pub(super) conversation_id: i64,
    pub(super) user_id: i64,
    pub(super) lane_id: i64,
    pub(super) thread_id: Option<i64>,
    pub(super) direction: &'static str,
    pub(super) due_ms: Option<i64>,
    pub(super) held_until_ms: Option<i64>,
    pub(super) at_ms: i64,
    pub(super) body: &'a str,
    pub(super) payload: Option<&'a str>,
    pub(super) stanza_id: &'a str,
    pub(super) repeat_key: Option<&'a str>,
    pub(super) full_jid: &'a str,
    pub(super) receipt: i64,
    pub(super) units: u16,
    pub(super) segments: u16,
    pub(super) routes: &'a str,
}

#[derive(Serialize)]
struct LaneRow {
    lane_id: i64,
    conversation_id: i64,
    due_ms: Option<i64>,
}

pub(super) async fn apply(connection: &mut Connection, rows: &[&NewOut]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let conversations = rows.iter().map(|row| &row.conversation);
    let messages: Vec<MessageRow<'_>> = rows.iter().map(|row| message_row(row)).collect();
    let threads = rows.iter().filter_map(|row| row.thread.as_ref());
    insert_messages(connection, conversations, threads, &messages).await?;
    let ids: Vec<&IdRow> = rows.iter().flat_map(|row| &row.ids).collect();
    run_rows(connection, IDS, &ids).await?;
    let new_files: Vec<&NewFile> = rows.iter().flat_map(|row| &row.files).collect();
    files::insert(connection, &new_files).await?;
    run_rows(connection, USAGE, &usage(rows)).await?;
    Ok(())
}

/// Conversations, lanes, messages, stanzas, deliveries: the same for both directions.
pub(super) async fn insert_messages<'a>(
    connection: &mut Connection,
    conversations: impl Iterator<Item = &'a ConversationRow>,
    threads: impl Iterator<Item = &'a ThreadRow>,
    messages: &[MessageRow<'_>],
) -> Result<(), StoreError> {
    let conversations: BTreeMap<i64, &ConversationRow> = conversations
        .map(|row| (row.conversation_id, row))
        .collect();
    // Of several rows of one thread in a batch the last is as it is from now on.
    let threads: BTreeMap<i64, &ThreadRow> = threads.map(|row| (row.thread_id, row)).collect();
    let lanes: BTreeMap<i64, LaneRow> = messages.iter().rev().map(lane_row).collect();
    run_rows(
        connection,
        CONVERSATIONS,
        &conversations.into_values().collect::<Vec<_>>(),
    )
    .await?;
    run_rows(connection, LANES, &lanes.into_values().collect::<Vec<_>>()).await?;
    run_rows(
        connection,
        THREADS,
        &threads.into_values().collect::<Vec<_>>(),
    )
    .await?;
    run_rows(connection, MESSAGES, messages).await?;
    run_rows(connection, STANZAS, messages).await?;
    run_rows(connection, DELIVERIES, messages).await?;
    Ok(())
}

/// A mail thread, as it is from now on.
pub(super) async fn insert_threads(
    connection: &mut Connection,
    row: Option<&ThreadRow>,
) -> Result<(), StoreError> {
    run_rows(connection, THREADS, row.as_slice())
        .await
        .map(drop)
}

/// What a message costs more, for its user and for all together.
pub(super) async fn insert_usage(
    connection: &mut Connection,
    row: &UsageRow,
) -> Result<(), StoreError> {
    if row.messages == 0 && row.segments == 0 {
        return Ok(());
    }
    let of_all = UsageRow {
        user_id: 0,
        ..row.clone()
    };
    run_rows(connection, USAGE, &[row, &of_all]).await.map(drop)
}

/// Adds ids that a network gave.
pub(super) async fn insert_ids(
    connection: &mut Connection,
    rows: &[&IdRow],
) -> Result<(), StoreError> {
    run_rows(connection, IDS, rows).await.map(drop)
}

fn lane_row(row: &MessageRow<'_>) -> (i64, LaneRow) {
    let lane = LaneRow {
        lane_id: row.lane_id,
        conversation_id: row.conversation_id,
        due_ms: row.due_ms,
    };
    (row.lane_id, lane)
}

fn message_row(row: &NewOut) -> MessageRow<'_> {
    MessageRow {
        message_id: row.message_id,
        conversation_id: row.conversation.conversation_id,
        user_id: row.conversation.user_id,
        lane_id: row.conversation.conversation_id,
        thread_id: row.thread.as_ref().map(|thread| thread.thread_id),
        direction: "out",
        due_ms: Some(row.held_until_ms.unwrap_or(row.conversation.at_ms)),
        held_until_ms: row.held_until_ms,
        at_ms: row.conversation.at_ms,
        body: &row.body,
        payload: row.payload.as_deref(),
        stanza_id: &row.stanza_id,
        repeat_key: row.repeat_key.as_deref(),
        full_jid: &row.full_jid,
        receipt: row.receipt.into(),
        units: row.units,
        segments: row.segments,
        routes: &row.routes,
    }
}

/// Each user's share and, under user 0, the gateway's.
fn usage(rows: &[&NewOut]) -> Vec<UsageRow> {
    let mut days: BTreeMap<(i64, i64, i64), (i64, i64)> = BTreeMap::new();
    for row in rows {
        let conversation = &row.conversation;
        for user_id in [conversation.user_id, 0] {
            let day = days
                .entry((conversation.gateway_id, user_id, row.day))
                .or_default();
            *day = (day.0 + 1, day.1 + i64::from(row.segments));
        }
    }
    let row = |((gateway_id, user_id, day), (messages, segments))| UsageRow {
        gateway_id,
        user_id,
        day,
        messages,
        segments,
    };
    days.into_iter().map(row).collect()
}
