//! What waits: why, trying it now, giving it up, letting it go.

use std::collections::HashMap;

use transom_adapter::Key;

use super::{
    Direction, Life, Operations, Refusal, Reply, Waiting, WaitingState, rows, time,
    trace::{life, unowned_life},
    users::person,
};
use crate::{
    gateway::{ids, payload::Payload},
    store::{
        Write,
        read::{LifeRow, UnownedRow, WaitingRow},
        write::{ConversationRow, Done, NewIn, Operation, RESTORED, Seen, State},
    },
};

/// What an id of a list names.
enum Named {
    Delivery(Box<LifeRow>),
    Unowned(UnownedRow),
}

pub(super) async fn list(
    on: &Operations,
    gateway: Option<&str>,
    direction: Option<Direction>,
    limit: u32,
) -> Result<Reply, Refusal> {
    let direction = direction.map(Direction::as_str).unwrap_or_default();
    let waiting = on
        .store
        .waiting(on.named(gateway)?, direction, rows(limit))
        .await?;
    Ok(Reply::Queue(waiting.into_iter().map(listed).collect()))
}

pub(super) async fn show(on: &Operations, id: &str) -> Result<Reply, Refusal> {
    let shown: Life = match find(on, id).await? {
        Named::Delivery(row) => life(on, *row),
        Named::Unowned(row) => unowned_life(on, &row),
    };
    Ok(Reply::Messages(vec![shown]))
}

pub(super) async fn retry(on: &Operations, ids: &[String]) -> Result<Reply, Refusal> {
    let mut writes = Vec::new();
    for id in once(ids) {
        let row = match find(on, id).await? {
            Named::Delivery(row) => row,
            Named::Unowned(_) => return Err(Refusal::BelongsToNobody { id: id.to_owned() }),
        };
        if is_held_since_copy(&row) {
            return Err(Refusal::Held { id: id.to_owned() });
        }
        if row.waiting.state != Some(State::Queued) {
            return Err(not_waiting(id, &row));
        }
        writes.push(Write::Operation(Operation::Retry {
            delivery_id: row.waiting.id,
            at_ms: on.now_ms(),
        }));
    }
    let done = on.commit(writes).await?;
    on.look_again().await;
    let retried = done.iter().filter(|done| **done != Done::Unchanged).count();
    Ok(Reply::Retried(retried))
}

/// Semantics 18: a text that nobody could be found for gets a user.
pub(super) async fn deliver(on: &Operations, ids: &[String], to: &str) -> Result<Reply, Refusal> {
    let to = person(to)?.to_string();
    let mut writes = Vec::new();
    let mut conversations = HashMap::new();
    for id in once(ids) {
        let row = match find(on, id).await? {
            Named::Unowned(row) => row,
            Named::Delivery(row) => {
                return Err(Refusal::BelongsToSomebody {
                    id: id.to_owned(),
                    user: row.waiting.jid.unwrap_or_default(),
                });
            }
        };
        let gateway = on
            .gateways
            .iter()
            .find(|gateway| gateway.id == row.gateway_id);
        let Some((user_id, _)) = on.store.user(row.gateway_id, &to).await? else {
            return Err(Refusal::NoSuchUser {
                user: to,
                gateway: gateway.map(|gateway| gateway.config.name.clone()),
            });
        };
        let known = on
            .store
            .conversation_id(user_id, &row.peer, row.line_id)
            .await?;
        let conversation_id = *conversations
            .entry((row.line_id, row.peer.clone()))
            .or_insert_with(|| known.unwrap_or_else(|| on.ids.next()));
        let unowned_id = row.unowned_id;
        let new = incoming(on, row, (user_id, &to), conversation_id);
        writes.push(Write::In(Box::new(new)));
        writes.push(Write::Operation(Operation::TakeUnowned { unowned_id }));
    }
    let texts = writes.len() / 2;
    on.commit(writes).await?;
    on.look_again().await;
    Ok(Reply::Delivered { texts, to })
}

fn incoming(
    on: &Operations,
    row: UnownedRow,
    (user_id, jid): (i64, &str),
    conversation_id: i64,
) -> NewIn {
    let at_ms = on.now_ms();
    let payload = Payload {
        sent_ms: Some(row.at_ms),
        ..Payload::default()
    };
    NewIn {
        // Whoever is second finds it delivered.
        seen: Seen {
            scope_id: row.gateway_id,
            digest: format!("unowned-{}", row.unowned_id),
            at_ms,
            stale_ms: 0,
        },
        conversation: ConversationRow {
            conversation_id,
            gateway_id: row.gateway_id,
            user_id,
            line_id: row.line_id,
            peer: row.peer,
            peer_name: None,
            at_ms,
            plain_ms: at_ms,
            shown_thread: None,
            members: 1,
            answers_to: None,
            group: Vec::new(),
        },
        thread: None,
        message_id: on.ids.next(),
        body: row.body,
        payload: Some(payload.to_json()),
        stanza_id: ids::stanza_id(on.clock.now()),
        user_jid: jid.to_owned(),
        due_ms: Some(at_ms),
        stranger: None,
        line: row.line,
        ids: Vec::new(),
        files: Vec::new(),
        confirm: None,
        fleeting: false,
        repeat_key: None,
    }
}

pub(super) async fn cancel(on: &Operations, ids: &[String]) -> Result<Reply, Refusal> {
    let mut writes = Vec::new();
    for id in once(ids) {
        let operation = match find(on, id).await? {
            Named::Unowned(row) => Operation::TakeUnowned {
                unowned_id: row.unowned_id,
            },
            Named::Delivery(row) => match row.waiting.state {
                Some(State::Held | State::Queued) => Operation::Cancel {
                    delivery_id: row.waiting.id,
                    at_ms: on.now_ms(),
                },
                _ => return Err(not_waiting(id, &row)),
            },
        };
        writes.push(Write::Operation(operation));
    }
    let done = on.commit(writes).await?;
    let messages = done.iter().filter(|done| **done != Done::Unchanged).count();
    let told: Vec<i64> = done
        .iter()
        .flat_map(|done| match done {
            Done::Tells(tells) => tells.as_slice(),
            Done::Written | Done::Unchanged | Done::Swept(_) => &[],
        })
        .map(|tell| tell.delivery_id)
        .collect();
    let count = told.len();
    if let Some(running) = &on.running {
        running.tell(told);
    }
    on.look_again().await;
    Ok(Reply::Cancelled {
        messages,
        told: count,
    })
}

/// Semantics 36: what a copy had queued is sent only on an operator's word.
pub(super) async fn release(on: &Operations, ids: &[String]) -> Result<Reply, Refusal> {
    let before = on.store.held_since_copy().await?;
    let at_ms = on.now_ms();
    let mut writes = Vec::new();
    for id in once(ids) {
        match find(on, id).await? {
            Named::Delivery(row) if is_held_since_copy(&row) => {
                let delivery_id = Some(row.waiting.id);
                writes.push(Write::Operation(Operation::SendHeld { delivery_id, at_ms }));
            }
            _ => return Err(Refusal::NotHeld { id: id.to_owned() }),
        }
    }
    if ids.is_empty() {
        let delivery_id = None;
        writes.push(Write::Operation(Operation::SendHeld { delivery_id, at_ms }));
    }
    on.commit(writes).await?;
    on.look_again().await;
    let after = on.store.held_since_copy().await?;
    Ok(Reply::Released((before - after).max(0)))
}

/// Reads an id as lists show it, or as networks see it.
pub(super) fn key(id: &str) -> Option<i64> {
    let number = id.parse::<i64>().ok().filter(|key| *key > 0);
    number.or_else(|| id.parse::<Key>().ok().map(|key| key.0))
}

async fn find(on: &Operations, id: &str) -> Result<Named, Refusal> {
    let missing = || Refusal::NoSuchMessage {
        id: id.chars().take(100).collect(),
    };
    let key = key(id.trim()).ok_or_else(missing)?;
    if let Some(row) = on.store.life(key).await? {
        return Ok(Named::Delivery(Box::new(row)));
    }
    let unowned = on.store.unowned(key).await?;
    unowned.map(Named::Unowned).ok_or_else(missing)
}

/// Each id once, in their order.
fn once(ids: &[String]) -> impl Iterator<Item = &str> {
    let mut seen = std::collections::HashSet::new();
    ids.iter()
        .map(String::as_str)
        .filter(move |id| seen.insert(*id))
}

fn is_held_since_copy(row: &LifeRow) -> bool {
    row.waiting.state == Some(State::Held) && row.waiting.code.as_deref() == Some(RESTORED)
}

fn not_waiting(id: &str, row: &LifeRow) -> Refusal {
    Refusal::NotWaiting {
        id: id.to_owned(),
        state: row
            .waiting
            .state
            .map_or("unknown", State::as_str)
            .to_owned(),
    }
}

fn listed(row: WaitingRow) -> Waiting {
    let restored = row.code.as_deref() == Some(RESTORED);
    let state = match row.state {
        None => WaitingState::Unowned,
        Some(State::Held) if restored => WaitingState::Restored,
        Some(State::Held) => WaitingState::Held,
        Some(State::Sending) => WaitingState::Sending,
        Some(_) => WaitingState::Queued,
    };
    Waiting {
        id: row.id.to_string(),
        gateway: row.gateway,
        direction: Direction::from_word(&row.direction),
        user: row.jid,
        line: row.line,
        peer: row.peer,
        state,
        accepted: time(row.created_ms),
        due: row.due_ms.map(time),
        attempts: row.attempts,
        reason: row.reason,
        code: row.code,
    }
}
