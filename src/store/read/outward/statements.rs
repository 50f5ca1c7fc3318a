//! The statements of an outward snapshot: each over all that ask.

use super::super::{Sql, for_rows};

pub(in crate::store::read) const USERS: Sql = for_rows!(
    "SELECT u.jid, u.user_id, u.state, u.lang, COALESCE(d.messages, 0), COALESCE(d.segments, 0),
            (SELECT CAST(COALESCE(SUM(c.members), 0) AS BIGINT) FROM conversations c
              WHERE c.user_id = u.user_id AND c.created_ms > $4), u.changed_ms, u.settings
       FROM",
    "CROSS JOIN users u
       LEFT JOIN usage_days d ON d.gateway_id = u.gateway_id AND d.user_id = u.user_id AND d.day = $3
      WHERE u.gateway_id = $2 AND u.jid = r.value ->> 'jid'"
);

pub(in crate::store::read) const LINES: Sql = for_rows!(
    "SELECT o.jid, l.line_id, l.address, l.state, l.routes,
            (SELECT COUNT(*) FROM line_owners c WHERE c.line_id = l.line_id),
            (SELECT COUNT(*) FROM own_accounts a WHERE a.line_id = l.line_id AND a.state = 'refused')
       FROM",
    "CROSS JOIN line_owners o
      CROSS JOIN lines l
      WHERE o.jid = r.value ->> 'jid' AND l.line_id = o.line_id AND l.gateway_id = $2
      ORDER BY o.since_ms, l.line_id"
);

/// Whose addresses of the gateway's own are.
pub(in crate::store::read) const COLLEAGUES: Sql = for_rows!(
    "SELECT l.address, o.jid
       FROM",
    "CROSS JOIN lines l
      CROSS JOIN line_owners o
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'peer' AND l.state = 'active' AND o.line_id = l.line_id
      ORDER BY o.since_ms"
);

/// Who has a line together with others; whoever is not registered gets nothing.
pub(in crate::store::read) const OWNERS: Sql = for_rows!(
    "SELECT o.line_id, u.user_id, u.jid, u.state
       FROM",
    "CROSS JOIN line_owners o
      CROSS JOIN users u
      WHERE o.line_id = CAST(r.value ->> 'line_id' AS BIGINT) AND u.gateway_id = $2 AND u.jid = o.jid
        AND u.state <> 'pending'
      ORDER BY o.line_id, u.user_id"
);

pub(in crate::store::read) const CONVERSATIONS: Sql = for_rows!(
    "SELECT u.jid, c.peer, c.conversation_id, c.line_id, c.active_ms, c.plain_ms,
            CASE WHEN s.line_id IS NULL THEN 0 ELSE 1 END, c.answers_to
       FROM",
    "CROSS JOIN users u
      CROSS JOIN conversations c
       LEFT JOIN optouts s ON s.line_id = c.line_id AND s.peer = c.peer
      WHERE u.gateway_id = $2 AND u.jid = r.value ->> 'jid' AND c.user_id = u.user_id AND c.peer = r.value ->> 'peer'"
);

pub(in crate::store::read) const REPEATS: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), s.message_id
       FROM",
    "CROSS JOIN users u
      CROSS JOIN message_stanzas s
      WHERE u.gateway_id = $2 AND u.jid = r.value ->> 'jid' AND s.user_id = u.user_id
        AND s.repeat_key IN (r.value ->> 'repeat_key', r.value ->> 'own_key')
        AND (s.repeat_key NOT LIKE 'h%' OR s.created_ms > $3)"
);

pub(in crate::store::read) const ADDRESSES: Sql = for_rows!(
    "SELECT l.address
       FROM",
    "CROSS JOIN lines l
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'address'"
);

/// Mail threads of a conversation that are looked at.
pub(in crate::store::read) const THREADS: Sql = for_rows!(
    "SELECT t.thread_id, t.conversation_id, t.subject, t.xmpp_thread, t.last_id, t.reference_ids, t.active_ms
       FROM",
    "CROSS JOIN threads t
      WHERE t.conversation_id = CAST(r.value ->> 'conversation_id' AS BIGINT)
        AND t.thread_id IN (SELECT n.thread_id FROM threads n
                             WHERE n.conversation_id = CAST(r.value ->> 'conversation_id' AS BIGINT)
                             ORDER BY n.active_ms DESC LIMIT 20)"
);

/// The newest message of a reused id is meant; of another chat none is.
pub(in crate::store::read) const ANSWERED: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), m.thread_id, SUBSTR(m.body, 1, 8000),
            (SELECT MIN(e.value) FROM deliveries d CROSS JOIN external_ids e
              WHERE d.message_id = m.message_id AND e.delivery_id = d.delivery_id AND e.kind = 'message-id'),
            m.payload, m.direction, m.created_ms
       FROM",
    "CROSS JOIN users u
      CROSS JOIN message_stanzas s
      CROSS JOIN messages m
      CROSS JOIN conversations c
      WHERE u.gateway_id = $2 AND u.jid = r.value ->> 'jid' AND s.stanza_id = r.value ->> 'reply_to'
        AND s.user_id = u.user_id AND m.message_id = s.message_id
        AND c.conversation_id = m.conversation_id AND c.peer = r.value ->> 'peer'
      ORDER BY m.message_id"
);

/// The last messages of a chat of mails.
pub(in crate::store::read) const LAST: Sql = for_rows!(
    "SELECT m.thread_id, m.thread_id, SUBSTR(m.body, 1, 8000), CAST(NULL AS TEXT), m.payload, m.direction, m.created_ms
       FROM",
    "CROSS JOIN users u
      CROSS JOIN conversations c
      CROSS JOIN messages m
      WHERE u.gateway_id = $2 AND u.jid = r.value ->> 'jid' AND c.user_id = u.user_id AND c.peer = r.value ->> 'peer'
        AND m.conversation_id = c.conversation_id AND m.thread_id IS NOT NULL
        AND m.message_id IN (SELECT n.message_id FROM messages n
                              WHERE n.conversation_id = c.conversation_id
                              ORDER BY n.message_id DESC LIMIT 30)
      ORDER BY m.message_id"
);

/// The newest message of a reused id is meant.
pub(in crate::store::read) const EDITED: Sql = for_rows!(
    "SELECT u.jid, s.stanza_id, m.message_id, m.conversation_id, m.thread_id, m.payload, d.segments, m.created_ms, d.due_ms, d.code,
            m.body, (SELECT COUNT(*) FROM files f WHERE f.message_id = m.message_id),
            (SELECT f.stanza_id FROM message_stanzas f WHERE f.message_id = m.message_id ORDER BY f.created_ms LIMIT 1),
            d.recipient, (SELECT COUNT(*) FROM deliveries p WHERE p.message_id = m.message_id)
       FROM",
    "CROSS JOIN users u
      CROSS JOIN message_stanzas s
      CROSS JOIN messages m
      CROSS JOIN conversations c
      CROSS JOIN deliveries d
      WHERE u.gateway_id = $2 AND u.jid = r.value ->> 'jid' AND s.stanza_id = r.value ->> 'edits'
        AND s.user_id = u.user_id AND m.message_id = s.message_id AND m.direction = 'out'
        AND c.conversation_id = m.conversation_id AND c.peer = r.value ->> 'peer'
        AND d.message_id = m.message_id AND d.state = 'held' AND d.due_ms IS NOT NULL
      ORDER BY d.delivery_id"
);

/// The newest of a chat comes last.
pub(in crate::store::read) const JOINABLE: Sql = for_rows!(
    "SELECT u.jid, c.peer, m.message_id, m.conversation_id, m.thread_id, m.payload, d.segments, m.created_ms, d.due_ms, d.code,
            m.body, (SELECT COUNT(*) FROM files f WHERE f.message_id = m.message_id),
            (SELECT f.stanza_id FROM message_stanzas f WHERE f.message_id = m.message_id ORDER BY f.created_ms LIMIT 1),
            d.recipient, (SELECT COUNT(*) FROM deliveries p WHERE p.message_id = m.message_id)
       FROM",
    "CROSS JOIN users u
      CROSS JOIN conversations c
      CROSS JOIN deliveries d
      CROSS JOIN messages m
      WHERE u.gateway_id = $2 AND u.jid = r.value ->> 'jid' AND c.user_id = u.user_id AND c.peer = r.value ->> 'peer'
        AND d.delivery_id IN (SELECT q.delivery_id FROM deliveries q
                               WHERE q.lane_id = c.conversation_id AND q.state IN ('held', 'queued', 'sending')
                               ORDER BY q.delivery_id DESC LIMIT 1)
        AND d.state = 'held' AND d.due_ms IS NOT NULL AND m.message_id = d.message_id
      ORDER BY d.delivery_id"
);

pub(in crate::store::read) const BLOCKS: Sql = for_rows!(
    "SELECT b.user_id, b.peer
       FROM",
    "CROSS JOIN blocks b
      WHERE b.gateway_id = $2 AND b.peer = r.value ->> 'peer'"
);

/// The members of groups, for those who talk in them.
pub(in crate::store::read) const MEMBERS: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), m.address, m.name
       FROM",
    "CROSS JOIN users u
      CROSS JOIN conversations c
      CROSS JOIN members m
      WHERE u.gateway_id = $2 AND u.jid = r.value ->> 'jid' AND c.user_id = u.user_id AND c.peer = r.value ->> 'peer'
        AND m.conversation_id = c.conversation_id
      ORDER BY m.address"
);

/// Who has opted out, on the lines that the sender owns; [`SHARED_OPTOUTS`] has the others.
pub(in crate::store::read) const MEMBER_OPTOUTS: Sql = for_rows!(
    "SELECT s.line_id, s.peer
       FROM",
    "CROSS JOIN line_owners o
      CROSS JOIN lines l
      CROSS JOIN optouts s
      WHERE o.jid = r.value ->> 'jid' AND l.line_id = o.line_id AND l.gateway_id = $2
        AND s.line_id = l.line_id AND s.peer = r.value ->> 'peer'"
);

pub(in crate::store::read) const OPEN_LINES: Sql = Sql::both(
    "SELECT l.kind, l.line_id, l.address, l.state, l.routes,
            (SELECT COUNT(*) FROM line_owners c WHERE c.line_id = l.line_id), 0
       FROM lines l
      WHERE l.gateway_id = $1 AND l.kind <> 'owned' AND l.state = 'active'
      ORDER BY l.line_id",
);

pub(in crate::store::read) const TAKEN: Sql = for_rows!(
    "SELECT c.line_id, c.peer, c.user_id
       FROM",
    "CROSS JOIN lines l
      CROSS JOIN conversations c
      WHERE l.gateway_id = $2 AND l.kind = 'shared' AND c.line_id = l.line_id AND c.peer = r.value ->> 'peer'
        AND c.active_ms > $3
      ORDER BY c.active_ms"
);

pub(in crate::store::read) const SHARED_OPTOUTS: Sql = for_rows!(
    "SELECT s.line_id, s.peer
       FROM",
    "CROSS JOIN lines l
      CROSS JOIN optouts s
      WHERE l.gateway_id = $2 AND l.kind = 'shared' AND s.line_id = l.line_id AND s.peer = r.value ->> 'peer'"
);

pub(in crate::store::read) const GATEWAY_USAGE: Sql =
    Sql::both("SELECT messages FROM usage_days WHERE gateway_id = $1 AND user_id = 0 AND day = $2");

pub(in crate::store::read) const WAITING_STRANGERS: Sql = for_rows!(
    "SELECT s.user_id, s.peer
       FROM",
    "CROSS JOIN users u
      CROSS JOIN strangers s
      WHERE u.gateway_id = $2 AND u.jid = r.value ->> 'jid' AND s.user_id = u.user_id AND s.peer = r.value ->> 'peer'
        AND s.state = 'waiting'"
);
