//! Registrations, lines, rosters, opt-outs: rare writes, kept as plain as they are.

use serde::Serialize;

use super::{Connection, Group, Sql, StoreError, for_rows, run_rows};

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

const LINES: Sql = for_rows!(
    "INSERT INTO lines (line_id, gateway_id, address, kind, state, source, routes, fallback, changed_ms)
     SELECT CAST(r.value ->> 'line_id' AS BIGINT), CAST(r.value ->> 'gateway_id' AS BIGINT), r.value ->> 'address',
            r.value ->> 'kind', r.value ->> 'state', r.value ->> 'source', r.value ->> 'routes',
            r.value ->> 'fallback', CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (gateway_id, address) DO UPDATE
        SET kind = excluded.kind, state = excluded.state, source = excluded.source, routes = excluded.routes,
            fallback = excluded.fallback, changed_ms = excluded.changed_ms
      WHERE excluded.source <> 'registration'"
);

const OWN: Sql = for_rows!(
    "INSERT INTO line_owners (line_id, jid, since_ms)
     SELECT l.line_id, r.value ->> 'jid', CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "CROSS JOIN lines l
      WHERE l.gateway_id = CAST(r.value ->> 'gateway_id' AS BIGINT) AND l.address = r.value ->> 'address'
        AND (l.source <> 'registration'
             OR NOT EXISTS (SELECT 1 FROM line_owners o WHERE o.line_id = l.line_id AND o.jid <> r.value ->> 'jid'))
     ON CONFLICT (line_id, jid) DO NOTHING"
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

pub(super) async fn apply(
    connection: &mut Connection,
    group: &Group<'_>,
) -> Result<(), StoreError> {
    // One row a key and statement: PostgreSQL touches no row twice in one upsert, and the last word counts.
    for user in &group.users {
        run_rows(connection, USERS, &[user]).await?;
    }
    for line in &group.lines {
        run_rows(connection, LINES, &[line]).await?;
    }
    for owner in &group.owners {
        run_rows(connection, if owner.owned { OWN } else { DISOWN }, &[owner]).await?;
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
    Ok(())
}
