//! The statements that merge what the network says.

use crate::store::backend::{Sql, for_rows};

pub(super) const FIND: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), CAST(r.value ->> 'rank' AS BIGINT), e.delivery_id, e.part
       FROM",
    "CROSS JOIN external_ids e
      WHERE e.scope_id = CAST(r.value ->> 'scope_id' AS BIGINT) AND e.kind = r.value ->> 'kind'
        AND e.value = r.value ->> 'value'"
);

pub(super) const WAYS: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), o.delivery_id, o.recipient
       FROM",
    "CROSS JOIN deliveries d CROSS JOIN deliveries o
      WHERE d.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT) AND o.message_id = d.message_id"
);

pub(super) const CURRENT: Sql = Sql {
    sqlite: "SELECT d.delivery_id, d.state, d.units, d.told, d.tell,
                    (SELECT MAX(s.receipt) FROM message_stanzas s WHERE s.message_id = d.message_id),
                    CASE WHEN d.done_ms IS NULL THEN 0 ELSE 1 END, d.recipient
               FROM json_each($1) AS r CROSS JOIN deliveries d CROSS JOIN messages m
              WHERE d.delivery_id = r.value AND m.message_id = d.message_id AND m.direction = 'out'",
    postgres: "SELECT d.delivery_id, d.state, d.units, d.told, d.tell,
                      (SELECT MAX(s.receipt) FROM message_stanzas s WHERE s.message_id = d.message_id),
                    CASE WHEN d.done_ms IS NULL THEN 0 ELSE 1 END, d.recipient
                 FROM jsonb_array_elements_text($1::jsonb) AS r(value)
                 JOIN deliveries d ON d.delivery_id = CAST(r.value AS BIGINT)
                 JOIN messages m ON m.message_id = d.message_id AND m.direction = 'out' FOR UPDATE OF d",
};

pub(super) const PARTS: Sql = Sql {
    sqlite: "SELECT e.delivery_id, e.part, e.progress FROM json_each($1) AS r CROSS JOIN external_ids e
              WHERE e.delivery_id = r.value",
    postgres: "SELECT e.delivery_id, e.part, e.progress FROM jsonb_array_elements_text($1::jsonb) AS r(value)
                 JOIN external_ids e ON e.delivery_id = CAST(r.value AS BIGINT)",
};

pub(super) const MERGED: Sql = for_rows!(
    "UPDATE deliveries
        SET state = r.value ->> 'state', reason = COALESCE(r.value ->> 'reason', reason),
            code = COALESCE(r.value ->> 'code', code), tell = COALESCE(r.value ->> 'tell', tell),
            due_ms = CASE WHEN r.value ->> 'state' IN ('expired', 'failed', 'delivered', 'read') THEN NULL
                          WHEN deliveries.state IN ('queued', 'sending', 'unknown')
                          THEN COALESCE(CAST(r.value ->> 'silent_ms' AS BIGINT), due_ms)
                          ELSE due_ms END
       FROM",
    "WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT)"
);

/// A receipt says that all members of a group have the message: of those who have it, the last one's is sent.
pub(super) const ALL_DELIVERED: Sql = for_rows!(
    "UPDATE deliveries SET tell = NULL
       FROM",
    "WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT) AND deliveries.tell IN ('receipt', 'read')
        AND EXISTS (SELECT 1 FROM deliveries o
                     WHERE o.message_id = deliveries.message_id AND o.delivery_id <> deliveries.delivery_id
                       AND (o.state NOT IN ('delivered', 'read')
                            OR (o.tell IN ('receipt', 'read') AND o.delivery_id > deliveries.delivery_id)))"
);

pub(super) const PART: Sql = for_rows!(
    "UPDATE external_ids SET progress = r.value ->> 'progress'
       FROM",
    "WHERE external_ids.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT)
        AND external_ids.part = CAST(r.value ->> 'part' AS BIGINT)"
);

pub(super) const PARK: Sql = for_rows!(
    "INSERT INTO parked_reports (scope_id, kind, value, progress, reason, code, at_ms)
     SELECT CAST(r.value ->> 'scope_id' AS BIGINT), r.value ->> 'kind', r.value ->> 'value', r.value ->> 'progress',
            r.value ->> 'reason', r.value ->> 'code', CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (scope_id, kind, value, progress) DO NOTHING"
);

pub(super) const JOIN_PARKED: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'delivery_id' AS BIGINT), CAST(r.value ->> 'part' AS BIGINT), p.progress, p.reason, p.code
       FROM",
    "CROSS JOIN parked_reports p
      WHERE p.scope_id = CAST(r.value ->> 'scope_id' AS BIGINT) AND p.kind = r.value ->> 'kind'
        AND p.value = r.value ->> 'value'"
);
