//! A message to an outside network is accepted: everything it needs to be sent, answered and found again.

mod statements;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Connection, NewFile, StoreError, files, run_rows};
use statements::{
    CONVERSATIONS, DELIVERIES, IDS, LANES, MEMBERS, MESSAGES, REPEATED, STANZAS, THREADS, USAGE,
};

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
    /// The user wants it kept nowhere (XEP-0334): its text goes as soon as nothing more is done with it.
    pub fleeting: bool,
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
    /// How many people its first delivery reaches: the members of a group that get it at once, else 1.
    pub reached: u16,
    /// Until when it is held for corrections and retractions; `None`: not at all.
    pub held_until_ms: Option<i64>,
    /// The member of a group that its first delivery is for; `None`: whoever the conversation is with.
    pub recipient: Option<String>,
    /// Its deliveries to the other members, each like the first.
    pub further: Vec<FurtherDelivery>,
}

/// A message's way to one more member of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FurtherDelivery {
    /// Its key.
    pub delivery_id: i64,
    /// Who gets it.
    pub recipient: String,
    /// What it costs.
    pub segments: u16,
    /// How many sends it takes by its first account.
    pub units: u16,
    /// The accounts that can carry it, as of a message.
    pub routes: String,
}

impl NewOut {
    /// How many people it is sent to, and what that costs.
    pub fn usage(&self) -> (i64, i64) {
        let further = self.further.iter().map(|one| i64::from(one.segments));
        let people = i64::from(self.reached.max(1));
        let segments = i64::from(self.segments) * people + further.sum::<i64>();
        let count = i64::try_from(self.further.len()).unwrap_or(i64::MAX);
        (people + count, segments)
    }
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
    /// How many people the first word in it goes to, when that is the user's; 1 else.
    pub members: u16,
    /// Who wrote last, in a group of mail addresses; `None`: as before.
    pub answers_to: Option<String>,
    /// The members of a group whose name does not say them.
    #[serde(skip)]
    pub group: Vec<MemberRow>,
}

/// A member of a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MemberRow {
    /// The conversation with the group.
    pub conversation_id: i64,
    /// Who.
    pub address: String,
    /// What the member is called, if that is known.
    pub name: Option<String>,
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

/// One message of either direction, as four tables take it.
#[derive(Clone, Serialize)]
pub(super) struct MessageRow<'a> {
    pub(super) message_id: i64,
    pub(super) delivery_id: i64,
    pub(super) recipient: Option<&'a str>,
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
    pub(super) fleeting: i64,
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

#[derive(Serialize)]
struct RepeatRow<'a> {
    user_id: i64,
    repeat_key: &'a str,
    at_ms: i64,
}

pub(super) async fn apply(connection: &mut Connection, rows: &[&NewOut]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    if connection.is_postgres() {
        let key = |row: &&&NewOut| row.repeat_key.is_some();
        let keys = rows.iter().filter(key).map(|row| RepeatRow {
            user_id: row.conversation.user_id,
            repeat_key: row.repeat_key.as_deref().unwrap_or_default(),
            at_ms: row.conversation.at_ms,
        });
        let keys: Vec<RepeatRow<'_>> = keys.collect();
        if !super::fetch_rows(connection, REPEATED, &keys)
            .await?
            .is_empty()
        {
            return Err(StoreError::Repeated);
        }
    }
    let conversations = rows.iter().map(|row| &row.conversation);
    let messages: Vec<MessageRow<'_>> = rows.iter().map(|row| message_row(row)).collect();
    let threads = rows.iter().filter_map(|row| row.thread.as_ref());
    insert_messages(connection, conversations, threads, &messages).await?;
    let further: Vec<MessageRow<'_>> = rows.iter().flat_map(|row| further_rows(row)).collect();
    run_rows(connection, DELIVERIES, &further).await?;
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
    // Each member once, however many messages of the group stand in the batch.
    let members: BTreeMap<(i64, &str), &MemberRow> = conversations
        .values()
        .flat_map(|row| &row.group)
        .map(|row| ((row.conversation_id, row.address.as_str()), row))
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
    run_rows(
        connection,
        MEMBERS,
        &members.into_values().collect::<Vec<_>>(),
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
        delivery_id: row.message_id,
        recipient: row.recipient.as_deref(),
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
        fleeting: row.fleeting.into(),
        stanza_id: &row.stanza_id,
        repeat_key: row.repeat_key.as_deref(),
        full_jid: &row.full_jid,
        receipt: row.receipt.into(),
        units: row.units,
        segments: row.segments,
        routes: &row.routes,
    }
}

/// The deliveries to the other members of a group, as their table takes them.
fn further_rows(row: &NewOut) -> impl Iterator<Item = MessageRow<'_>> {
    row.further.iter().map(|one| MessageRow {
        delivery_id: one.delivery_id,
        recipient: Some(&one.recipient),
        units: one.units,
        segments: one.segments,
        routes: &one.routes,
        ..message_row(row)
    })
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
            let (messages, segments) = row.usage();
            *day = (day.0 + messages, day.1 + segments);
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
