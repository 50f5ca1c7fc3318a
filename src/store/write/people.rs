//! Registrations, lines, rosters, opt-outs: rare writes, kept as plain as they are.

use serde::Serialize;

use super::{Connection, Done, Group, Sql, StoreError, for_rows, run_rows};

/// A registration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UserRow {
    /// Its key; of an existing one with the same gateway and JID, that one's key stays.
    pub user_id: i64,
    /// The gateway.
    pub gateway_id: i64,
    /// The bare JID.
    pub jid: String,
    /// `active`, `pending` or `disabled`.
    pub state: &'static str,
    /// The language of the stanza that registered.
    pub lang: Option<String>,
    /// Now.
    pub at_ms: i64,
}

/// A line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LineRow {
    /// Its key, unless it exists.
    pub line_id: i64,
    /// The gateway.
    pub gateway_id: i64,
    /// Our address.
    pub address: String,
    /// `owned`, `pool` or `shared`.
    pub kind: &'static str,
    /// `active`, `retired` or `resting`.
    pub state: &'static str,
    /// `file`, `command` or `registration`.
    pub source: &'static str,
    /// The accounts that carry it, a JSON array of their names within the gateway.
    pub routes: String,
    /// Who gets texts that belong to nobody.
    pub fallback: Option<String>,
    /// Now.
    pub at_ms: i64,
}

/// A line and one of its owners, by the line's address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OwnerRow {
    /// The gateway.
    pub gateway_id: i64,
    /// The line's address.
    pub address: String,
    /// The owner's bare JID.
    pub jid: String,
    /// Whether the line is owned from now on.
    pub owned: bool,
    /// Now.
    pub at_ms: i64,
}

/// What a user's roster knows of a contact; peer `''` is the gateway itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ContactRow {
    /// The user.
    pub user_id: i64,
    /// The peer.
    pub peer: String,
    /// Whether the user sees its presence.
    pub subscribed: i64,
    /// Whether it asked to see the user's.
    pub asked: i64,
}

/// The end of a registration, at once and complete (semantics 15).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unregister {
    /// The gateway.
    pub gateway_id: i64,
    /// The bare JID.
    pub jid: String,
    /// Only if it has been disabled since before this time, and nobody came back; `None`: however it stands.
    pub disabled_before_ms: Option<i64>,
    /// Now.
    pub at_ms: i64,
}

/// What is held for a user goes on now (semantics 23).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wake {
    /// The gateway.
    pub gateway_id: i64,
    /// The bare JID.
    pub jid: String,
    /// Now.
    pub at_ms: i64,
}

/// A peer's word on being written to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OptOut {
    /// The line.
    pub line_id: i64,
    /// The peer.
    pub peer: String,
    /// STOP or START.
    pub out: bool,
    /// Now.
    pub at_ms: i64,
}

const USERS: Sql = for_rows!(
    "INSERT INTO users (user_id, gateway_id, jid, state, lang, since_ms, changed_ms)
     SELECT CAST(r.value ->> 'user_id' AS BIGINT), CAST(r.value ->> 'gateway_id' AS BIGINT), r.value ->> 'jid',
            r.value ->> 'state', r.value ->> 'lang',
            CAST(r.value ->> 'at_ms' AS BIGINT), CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (gateway_id, jid) DO UPDATE
        SET state = excluded.state, lang = COALESCE(excluded.lang, users.lang), changed_ms = excluded.changed_ms"
);

// Semantics 17: a number of the pool that was given up rests ninety days, whatever the configuration says at the next start.
const LINES: Sql = for_rows!(
    "INSERT INTO lines (line_id, gateway_id, address, kind, state, source, routes, fallback, changed_ms)
     SELECT CAST(r.value ->> 'line_id' AS BIGINT), CAST(r.value ->> 'gateway_id' AS BIGINT), r.value ->> 'address',
            r.value ->> 'kind', r.value ->> 'state', r.value ->> 'source', r.value ->> 'routes',
            r.value ->> 'fallback', CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (gateway_id, address) DO UPDATE
        SET kind = excluded.kind, source = excluded.source, routes = excluded.routes, fallback = excluded.fallback,
            state = CASE WHEN lines.kind = 'pool' AND lines.state = 'resting' AND excluded.kind = 'pool'
                              AND excluded.state = 'active' AND excluded.changed_ms < lines.changed_ms + 7776000000
                         THEN lines.state ELSE excluded.state END,
            changed_ms = CASE WHEN lines.kind = 'pool' AND lines.state = 'resting' AND excluded.kind = 'pool'
                                   AND excluded.state = 'active' AND excluded.changed_ms < lines.changed_ms + 7776000000
                              THEN lines.changed_ms ELSE excluded.changed_ms END
      WHERE excluded.source <> 'registration'"
);

const OWN: Sql = for_rows!(
    "INSERT INTO line_owners (line_id, jid, since_ms)
     SELECT l.line_id, r.value ->> 'jid', CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "CROSS JOIN lines l
      WHERE l.gateway_id = CAST(r.value ->> 'gateway_id' AS BIGINT) AND l.address = r.value ->> 'address'
        AND ((l.source <> 'registration' AND l.kind <> 'pool')
             OR NOT EXISTS (SELECT 1 FROM line_owners o WHERE o.line_id = l.line_id AND o.jid <> r.value ->> 'jid'))
     ON CONFLICT (line_id, jid) DO NOTHING"
);

/// Whoever owns an address that rests has come back to it, or is the next to have that number.
const REVIVE: Sql = Sql::both(
    "UPDATE lines SET state = 'active', changed_ms = $4
      WHERE gateway_id = $1 AND address = $2 AND state = 'resting'
        AND EXISTS (SELECT 1 FROM line_owners o WHERE o.line_id = lines.line_id AND o.jid = $3)",
);

const OWNS: Sql = Sql::both(
    "SELECT l.line_id FROM lines l JOIN line_owners o ON o.line_id = l.line_id
      WHERE l.gateway_id = $1 AND l.address = $2 AND o.jid = $3",
);

const DISOWN: Sql = for_rows!(
    "DELETE FROM line_owners WHERE (line_id, jid) IN (
     SELECT l.line_id, r.value ->> 'jid'
       FROM",
    "CROSS JOIN lines l
      WHERE l.gateway_id = CAST(r.value ->> 'gateway_id' AS BIGINT) AND l.address = r.value ->> 'address')"
);

const CONTACTS: Sql = for_rows!(
    "INSERT INTO contacts (user_id, peer, subscribed, asked)
     SELECT CAST(r.value ->> 'user_id' AS BIGINT), r.value ->> 'peer',
            CAST(r.value ->> 'subscribed' AS BIGINT), CAST(r.value ->> 'asked' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (user_id, peer) DO UPDATE SET subscribed = excluded.subscribed, asked = excluded.asked"
);

const OPT_OUT: Sql = for_rows!(
    "INSERT INTO optouts (line_id, peer, since_ms)
     SELECT CAST(r.value ->> 'line_id' AS BIGINT), r.value ->> 'peer', CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (line_id, peer) DO NOTHING"
);

const OPT_IN: Sql = for_rows!(
    "DELETE FROM optouts WHERE (line_id, peer) IN (
     SELECT CAST(r.value ->> 'line_id' AS BIGINT), r.value ->> 'peer'
       FROM",
    ")"
);

// Whoever comes back at this moment waits.
const STILL_AWAY: Sql = Sql {
    sqlite: "SELECT user_id FROM users WHERE gateway_id = $1 AND jid = $2 AND state = 'disabled' AND changed_ms < $3",
    postgres: "SELECT user_id FROM users WHERE gateway_id = $1 AND jid = $2 AND state = 'disabled' AND changed_ms < $3
                  FOR UPDATE",
};

const FORGET_USAGE: Sql = Sql::both(
    "DELETE FROM usage_days WHERE gateway_id = $1
        AND user_id IN (SELECT user_id FROM users WHERE gateway_id = $1 AND jid = $2)",
);

const FORGET_BLOCKS: Sql = Sql::both(
    "DELETE FROM blocks WHERE gateway_id = $1
        AND user_id IN (SELECT user_id FROM users WHERE gateway_id = $1 AND jid = $2)",
);

// What only this user had rests. Lines that the configuration gives to the user stay the user's.
const REST: Sql = Sql::both(
    "UPDATE lines SET state = 'resting', changed_ms = $3
      WHERE gateway_id = $1 AND state = 'active' AND (kind = 'pool' OR source <> 'file')
        AND line_id IN (SELECT line_id FROM line_owners WHERE jid = $2)
        AND NOT EXISTS (SELECT 1 FROM line_owners o WHERE o.line_id = lines.line_id AND o.jid <> $2)",
);

// Semantics 16: an address made at registration is given to nobody else, so whose it was stays known.
const RELEASE: Sql = Sql::both(
    "DELETE FROM line_owners WHERE jid = $2
        AND line_id IN (SELECT line_id FROM lines
                         WHERE gateway_id = $1 AND (kind = 'pool' OR source IN ('command', 'account')))",
);

// The logins that the user brought, and how far they were read.
const FORGET_ACCOUNTS: Sql = Sql::both(
    "DELETE FROM accounts WHERE account_id IN (
            SELECT o.account_id FROM users u CROSS JOIN own_accounts o
             WHERE u.gateway_id = $1 AND u.jid = $2 AND o.user_id = u.user_id)",
);

// What is on the disk goes next: nothing else knows of it once the rows are gone.
const FORGET_FILES: Sql = Sql::both(
    "INSERT INTO gone_files (token)
     SELECT f.token
       FROM users u JOIN conversations c ON c.user_id = u.user_id JOIN messages m ON m.conversation_id = c.conversation_id
       JOIN files f ON f.message_id = m.message_id
      WHERE u.gateway_id = $1 AND u.jid = $2 AND f.state <> 'expired'
     ON CONFLICT (token) DO NOTHING",
);

// Conversations, messages, deliveries and rosters go with the user.
const FORGET_USER: Sql = Sql::both("DELETE FROM users WHERE gateway_id = $1 AND jid = $2");

const WAKE: Sql = Sql::both(
    "UPDATE lanes SET due_ms = $3
      WHERE due_ms > $3 AND lane_id IN (
            SELECT -c.conversation_id FROM users u JOIN conversations c ON c.user_id = u.user_id
             WHERE u.gateway_id = $1 AND u.jid = $2)",
);

pub(super) async fn apply(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    for (place, row) in std::mem::take(&mut group.unregistered) {
        let is_back = row.disabled_before_ms.is_some() && group.has_user(row.gateway_id, &row.jid);
        if is_back || !unregister(connection, row).await? {
            group.set(place, Done::Unchanged);
        }
    }
    // One row a key and statement: PostgreSQL touches no row twice in one upsert, and the last word counts.
    for user in &group.users {
        run_rows(connection, USERS, &[user]).await?;
    }
    for line in &group.lines {
        run_rows(connection, LINES, &[line]).await?;
    }
    for (place, row) in std::mem::take(&mut group.owners) {
        if !own(connection, row).await? {
            // Semantics 14: whoever registers with a number has it, or does not register.
            if group.has_user(row.gateway_id, &row.jid) {
                return Err(StoreError::Taken);
            }
            group.set(place, Done::Unchanged);
        }
    }
    for contact in &group.contacts {
        run_rows(connection, CONTACTS, &[contact]).await?;
    }
    for optout in &group.optouts {
        run_rows(
            connection,
            if optout.out { OPT_OUT } else { OPT_IN },
            &[optout],
        )
        .await?;
    }
    for (place, row) in std::mem::take(&mut group.wakes) {
        let params = [
            row.gateway_id.into(),
            row.jid.as_str().into(),
            row.at_ms.into(),
        ];
        if connection.run(WAKE, &params).await? == 0 {
            group.set(place, Done::Unchanged);
        }
    }
    Ok(())
}

impl Group<'_> {
    /// Whether somebody's registration is made or changed by the same commit.
    fn has_user(&self, gateway_id: i64, jid: &str) -> bool {
        let is_it = |user: &&UserRow| user.gateway_id == gateway_id && user.jid == jid;
        self.users.iter().any(is_it)
    }
}

/// Whether the line is, or is no longer, the owner's: somebody may have been quicker.
async fn own(connection: &mut Connection, row: &OwnerRow) -> Result<bool, StoreError> {
    if !row.owned {
        run_rows(connection, DISOWN, &[row]).await?;
        return Ok(true);
    }
    run_rows(connection, OWN, &[row]).await?;
    let line = [
        row.gateway_id.into(),
        row.address.as_str().into(),
        row.jid.as_str().into(),
    ];
    if connection.rows(OWNS, &line).await?.is_empty() {
        return Ok(false);
    }
    let [gateway, address, jid] = line;
    connection
        .run(REVIVE, &[gateway, address, jid, row.at_ms.into()])
        .await?;
    Ok(true)
}

async fn unregister(connection: &mut Connection, row: &Unregister) -> Result<bool, StoreError> {
    if let Some(before_ms) = row.disabled_before_ms {
        let away = [
            row.gateway_id.into(),
            row.jid.as_str().into(),
            before_ms.into(),
        ];
        if connection.rows(STILL_AWAY, &away).await?.is_empty() {
            return Ok(false);
        }
    }
    let user = [row.gateway_id.into(), row.jid.as_str().into()];
    connection.run(FORGET_USAGE, &user).await?;
    connection.run(FORGET_BLOCKS, &user).await?;
    let rest = [
        row.gateway_id.into(),
        row.jid.as_str().into(),
        row.at_ms.into(),
    ];
    connection.run(REST, &rest).await?;
    connection.run(RELEASE, &user).await?;
    connection.run(FORGET_ACCOUNTS, &user).await?;
    connection.run(FORGET_FILES, &user).await?;
    Ok(connection.run(FORGET_USER, &user).await? > 0)
}

#[cfg(test)]
mod tests;
