//! The statements of accepted messages: each over all rows of its kind.

use crate::store::{Sql, backend::for_rows};

pub(super) const CONVERSATIONS: Sql = for_rows!(
    "INSERT INTO conversations (conversation_id, gateway_id, user_id, line_id, peer, peer_name, created_ms, active_ms, plain_ms,
                                shown_thread, members, answers_to)
     SELECT CAST(r.value ->> 'conversation_id' AS BIGINT), CAST(r.value ->> 'gateway_id' AS BIGINT),
            CAST(r.value ->> 'user_id' AS BIGINT), CAST(r.value ->> 'line_id' AS BIGINT), r.value ->> 'peer',
            r.value ->> 'peer_name', CAST(r.value ->> 'at_ms' AS BIGINT), CAST(r.value ->> 'at_ms' AS BIGINT),
            CAST(r.value ->> 'plain_ms' AS BIGINT), CAST(r.value ->> 'shown_thread' AS BIGINT),
            CAST(r.value ->> 'members' AS BIGINT), r.value ->> 'answers_to'
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (conversation_id) DO UPDATE
        SET active_ms = excluded.active_ms,
            plain_ms = CASE WHEN excluded.plain_ms > conversations.plain_ms
                            THEN excluded.plain_ms ELSE conversations.plain_ms END,
            peer_name = COALESCE(excluded.peer_name, conversations.peer_name),
            shown_thread = COALESCE(excluded.shown_thread, conversations.shown_thread),
            answers_to = COALESCE(excluded.answers_to, conversations.answers_to)"
);

pub(super) const MEMBERS: Sql = for_rows!(
    "INSERT INTO members (conversation_id, address, name)
     SELECT CAST(r.value ->> 'conversation_id' AS BIGINT), r.value ->> 'address', r.value ->> 'name'
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (conversation_id, address) DO UPDATE SET name = COALESCE(excluded.name, members.name)"
);

pub(super) const THREADS: Sql = for_rows!(
    "INSERT INTO threads (thread_id, conversation_id, subject, xmpp_thread, last_id, reference_ids, active_ms)
     SELECT CAST(r.value ->> 'thread_id' AS BIGINT), CAST(r.value ->> 'conversation_id' AS BIGINT), r.value ->> 'subject',
            r.value ->> 'xmpp_thread', r.value ->> 'last_id', r.value ->> 'reference_ids',
            CAST(r.value ->> 'active_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (thread_id) DO UPDATE
        SET subject = excluded.subject, last_id = excluded.last_id, reference_ids = excluded.reference_ids, active_ms = excluded.active_ms"
);

pub(super) const LANES: Sql = for_rows!(
    "INSERT INTO lanes (lane_id, conversation_id, due_ms, failures)
     SELECT CAST(r.value ->> 'lane_id' AS BIGINT), CAST(r.value ->> 'conversation_id' AS BIGINT),
            CAST(r.value ->> 'due_ms' AS BIGINT), 0
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (lane_id) DO UPDATE SET due_ms = COALESCE(lanes.due_ms, excluded.due_ms)"
);

pub(super) const MESSAGES: Sql = for_rows!(
    "INSERT INTO messages (message_id, conversation_id, thread_id, direction, created_ms, body, payload, fleeting)
     SELECT CAST(r.value ->> 'message_id' AS BIGINT), CAST(r.value ->> 'conversation_id' AS BIGINT),
            CAST(r.value ->> 'thread_id' AS BIGINT), r.value ->> 'direction', CAST(r.value ->> 'at_ms' AS BIGINT), r.value ->> 'body', r.value ->> 'payload',
            CAST(r.value ->> 'fleeting' AS BIGINT)
       FROM",
    "WHERE 1 = 1"
);

pub(super) const STANZAS: Sql = for_rows!(
    "INSERT INTO message_stanzas (message_id, user_id, stanza_id, repeat_key, full_jid, receipt, created_ms)
     SELECT CAST(r.value ->> 'message_id' AS BIGINT), CAST(r.value ->> 'user_id' AS BIGINT), r.value ->> 'stanza_id',
            r.value ->> 'repeat_key', r.value ->> 'full_jid', CAST(r.value ->> 'receipt' AS BIGINT),
            CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1"
);

pub(super) const DELIVERIES: Sql = for_rows!(
    "INSERT INTO deliveries (delivery_id, message_id, lane_id, recipient, state, units, units_done, segments, attempts, routes,
                             due_ms, created_ms)
     SELECT CAST(r.value ->> 'delivery_id' AS BIGINT), CAST(r.value ->> 'message_id' AS BIGINT),
            CAST(r.value ->> 'lane_id' AS BIGINT), r.value ->> 'recipient', CASE WHEN r.value ->> 'held_until_ms' IS NULL THEN 'queued' ELSE 'held' END,
            CAST(r.value ->> 'units' AS BIGINT), 0, CAST(r.value ->> 'segments' AS BIGINT), 0, r.value ->> 'routes',
            CAST(r.value ->> 'held_until_ms' AS BIGINT), CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1"
);

pub(super) const IDS: Sql = for_rows!(
    "INSERT INTO external_ids (scope_id, kind, value, part, delivery_id, progress)
     SELECT CAST(r.value ->> 'scope_id' AS BIGINT), r.value ->> 'kind', r.value ->> 'value',
            CAST(r.value ->> 'part' AS BIGINT), CAST(r.value ->> 'delivery_id' AS BIGINT), 'accepted'
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (scope_id, kind, value) DO NOTHING"
);

pub(super) const USAGE: Sql = for_rows!(
    "INSERT INTO usage_days (gateway_id, user_id, day, messages, segments)
     SELECT CAST(r.value ->> 'gateway_id' AS BIGINT), CAST(r.value ->> 'user_id' AS BIGINT),
            CAST(r.value ->> 'day' AS BIGINT), CAST(r.value ->> 'messages' AS BIGINT),
            CAST(r.value ->> 'segments' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (gateway_id, user_id, day) DO UPDATE
        SET messages = usage_days.messages + excluded.messages, segments = usage_days.segments + excluded.segments"
);

/// A stanza that is stored already. Two processes may have read the same one: a client sends it again while the first that read it
/// stands still.
pub(super) const REPEATED: Sql = for_rows!(
    "SELECT s.message_id
       FROM",
    "CROSS JOIN message_stanzas s
      WHERE s.user_id = CAST(r.value ->> 'user_id' AS BIGINT) AND s.repeat_key = r.value ->> 'repeat_key'
        AND (s.repeat_key LIKE 'o%' OR s.created_ms > CAST(r.value ->> 'at_ms' AS BIGINT) - 600000)
      LIMIT 1"
);
