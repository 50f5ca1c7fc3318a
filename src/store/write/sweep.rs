//! What is forgotten: a few hundred rows a pass, found by an index, so that nobody waits behind it.

use super::{Connection, Done, Group, Sql, StoreError, json, strangers};

/// One pass over one kind of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sweep {
    /// Of what.
    pub what: Kept,
    /// What is older is forgotten; in the unit of its kind.
    pub before: i64,
    /// Rows at most.
    pub limit: i64,
}

/// What is kept for a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kept {
    /// Texts of messages that are done with; by their time.
    Bodies,
    /// The same of messages that their users want kept nowhere (XEP-0334).
    Fleeting,
    /// Messages that are done with, and all that hangs on them; by their time, as a key.
    Records,
    /// Marks by which a repeat is known; by their time.
    Seen,
    /// Reports about nothing we know; by their time.
    ParkedReports,
    /// Texts that belong to nobody; by their time.
    Unowned,
    /// What days have cost; by the day.
    UsageDays,
    /// Conversations on lines that were given up; by the time of that (semantics 17).
    ReleasedLines,
    /// Strangers' mail that nobody said a word about; by the time of the first.
    Strangers,
    /// What was written by accounts that their owners took away, then their addresses; by the time of that.
    GoneAccounts,
}

impl Kept {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Bodies,
        Self::Fleeting,
        Self::Records,
        Self::Seen,
        Self::ParkedReports,
        Self::Unowned,
        Self::UsageDays,
        Self::ReleasedLines,
        Self::Strangers,
        Self::GoneAccounts,
    ];
}

const BODIES: Sql = Sql::both(
    "UPDATE messages SET body = NULL, payload = NULL
      WHERE message_id IN (
            SELECT m.message_id FROM messages m
             WHERE m.body IS NOT NULL AND m.created_ms < $1
               AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.message_id
                                  AND (d.state IN ('held', 'queued', 'sending') OR d.tell IS NOT NULL))
             ORDER BY m.created_ms LIMIT $2)",
);

// The files of a message go by their own time, and its users were told by then.
const FLEETING: Sql = Sql::both(
    "UPDATE messages SET body = NULL, payload = NULL
      WHERE message_id IN (
            SELECT m.message_id FROM messages m
             WHERE m.fleeting = 1 AND m.body IS NOT NULL AND m.created_ms < $1
               AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.message_id
                                  AND (d.state IN ('held', 'queued', 'sending') OR d.tell IS NOT NULL OR d.due_ms IS NOT NULL))
             ORDER BY m.created_ms LIMIT $2)",
);

const OLD_RECORDS: Sql = Sql::both(
    "SELECT m.message_id FROM messages m
      WHERE m.message_id < $1
        AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.message_id
                           AND (d.state IN ('held', 'queued', 'sending') OR d.tell IS NOT NULL OR d.due_ms IS NOT NULL))
      ORDER BY m.message_id LIMIT $2",
);

/// A deferred mail had a lane of its own, under its key.
const OWN_LANES: Sql = Sql {
    sqlite: "DELETE FROM lanes WHERE lane_id IN (SELECT r.value FROM json_each($1) AS r)",
    postgres: "DELETE FROM lanes
                WHERE lane_id IN (SELECT CAST(r.value AS BIGINT) FROM jsonb_array_elements_text($1::jsonb) AS r(value))",
};

const RECORDS: Sql = Sql {
    sqlite: "DELETE FROM messages WHERE message_id IN (SELECT r.value FROM json_each($1) AS r)",
    postgres: "DELETE FROM messages
                WHERE message_id IN (SELECT CAST(r.value AS BIGINT) FROM jsonb_array_elements_text($1::jsonb) AS r(value))",
};

const SEEN: Sql = Sql::both(
    "DELETE FROM seen WHERE (scope_id, digest) IN (
            SELECT s.scope_id, s.digest FROM seen s WHERE s.at_ms < $1 ORDER BY s.at_ms LIMIT $2)",
);

const PARKED: Sql = Sql::both(
    "DELETE FROM parked_reports WHERE (scope_id, kind, value, progress) IN (
            SELECT p.scope_id, p.kind, p.value, p.progress FROM parked_reports p
             WHERE p.at_ms < $1 ORDER BY p.at_ms LIMIT $2)",
);

const UNOWNED: Sql = Sql::both(
    "DELETE FROM unowned WHERE unowned_id IN (
            SELECT u.unowned_id FROM unowned u WHERE u.at_ms < $1 ORDER BY u.at_ms LIMIT $2)",
);

const USAGE_DAYS: Sql = Sql::both(
    "DELETE FROM usage_days WHERE (gateway_id, user_id, day) IN (
            SELECT d.gateway_id, d.user_id, d.day FROM usage_days d WHERE d.day < $1 ORDER BY d.day LIMIT $2)",
);

// Its messages go with a conversation: a few of them are many rows.
const RELEASED_LINES: Sql = Sql::both(
    "DELETE FROM conversations WHERE conversation_id IN (
            SELECT c.conversation_id FROM lines l CROSS JOIN conversations c
             WHERE l.state = 'resting' AND l.changed_ms < $1 AND c.line_id = l.line_id LIMIT $2)",
);

// What waits for its user, or has still to be told, comes first.
const GONE_ACCOUNTS: Sql = Sql::both(
    "DELETE FROM conversations WHERE conversation_id IN (
            SELECT c.conversation_id FROM lines l CROSS JOIN conversations c
             WHERE l.state = 'resting' AND l.changed_ms < $1 AND l.source = 'account' AND c.line_id = l.line_id
               AND NOT EXISTS (SELECT 1 FROM messages m CROSS JOIN deliveries d
                                WHERE m.conversation_id = c.conversation_id AND d.message_id = m.message_id
                                  AND (d.state IN ('held', 'queued', 'sending') OR d.tell IS NOT NULL))
             LIMIT $2)",
);

const GONE_ADDRESSES: Sql = Sql::both(
    "DELETE FROM lines WHERE line_id IN (
            SELECT l.line_id FROM lines l
             WHERE l.state = 'resting' AND l.changed_ms < $1 AND l.source = 'account'
               AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.line_id = l.line_id)
             LIMIT $2)",
);

pub(super) async fn apply(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    for (place, sweep) in std::mem::take(&mut group.sweeps) {
        let touched = apply_one(connection, *sweep).await?;
        group.set(place, Done::Swept(touched));
    }
    Ok(())
}

async fn apply_one(connection: &mut Connection, sweep: Sweep) -> Result<u64, StoreError> {
    let params = [sweep.before.into(), sweep.limit.into()];
    let sql = match sweep.what {
        Kept::Bodies => BODIES,
        Kept::Fleeting => FLEETING,
        Kept::Records => {
            let rows = connection.rows(OLD_RECORDS, &params).await?;
            let keys: Vec<i64> = rows
                .iter()
                .map(|row| row.int(0))
                .collect::<Result<_, _>>()?;
            if keys.is_empty() {
                return Ok(0);
            }
            connection.run(OWN_LANES, &[json(&keys)]).await?;
            connection.run(RECORDS, &[json(&keys)]).await?;
            return Ok(u64::try_from(keys.len()).unwrap_or(u64::MAX));
        }
        Kept::Seen => SEEN,
        Kept::ParkedReports => PARKED,
        Kept::Unowned => UNOWNED,
        Kept::UsageDays => USAGE_DAYS,
        Kept::ReleasedLines => RELEASED_LINES,
        Kept::Strangers => return strangers::expire(connection, sweep.before, sweep.limit).await,
        Kept::GoneAccounts => {
            connection.run(GONE_ADDRESSES, &params).await?;
            GONE_ACCOUNTS
        }
    };
    connection.run(sql, &params).await
}

#[cfg(test)]
pub(super) mod tests;
