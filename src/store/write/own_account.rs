//! Accounts that users bring: kept, refused by their servers, sealed anew, given up.

use super::{Connection, Done, Sql, StoreError, Tell, TellKind};

/// One thing that happens to an account that a user brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OwnAccount {
    /// It is new, or has another login. [`Done::Unchanged`]: somebody else has that address.
    Keep(Box<KeptAccount>),
    /// Its servers do not take the login any more; its owner has to be told.
    Refuse {
        /// The account.
        account_id: i64,
        /// When the login that was refused was kept; a newer one is another matter.
        version_ms: i64,
        /// What the server said.
        problem: String,
    },
    /// Its owner was told.
    Told {
        /// The account.
        account_id: i64,
        /// When the login that was refused was kept.
        version_ms: i64,
    },
    /// Its provider gave the next login for the one that it has.
    Renew {
        /// The account.
        account_id: i64,
        /// When its owner entered the login that this came of; what was entered since is left alone.
        version_ms: i64,
        /// The id of the key.
        key_id: String,
        /// The login, sealed.
        sealed: String,
    },
    /// Its login is sealed with another key.
    Reseal {
        /// The account.
        account_id: i64,
        /// How it was sealed: what was changed meanwhile is left alone.
        before: String,
        /// The id of the key.
        key_id: String,
        /// The login, sealed.
        sealed: String,
    },
    /// Its owner takes it away: login, position and address. What waits to go out by it is given up and told.
    Drop {
        /// The account.
        account_id: i64,
        /// Its owner.
        user_id: i64,
        /// Now.
        at_ms: i64,
    },
}

/// An account as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptAccount {
    /// Its key; the one that it has, when it gets another login.
    pub account_id: i64,
    /// Its name: `mail/own-77`.
    pub name: String,
    /// The same within the gateway.
    pub route: String,
    /// The gateway.
    pub gateway_id: i64,
    /// The owner.
    pub user_id: i64,
    /// The owner's bare JID.
    pub jid: String,
    /// The key of its line, unless that exists.
    pub line_id: i64,
    /// Its address.
    pub address: String,
    /// The servers, JSON.
    pub place: String,
    /// The id of the key that sealed the login.
    pub key_id: String,
    /// The login, sealed.
    pub sealed: String,
    /// Now.
    pub at_ms: i64,
}

const NAME: Sql = Sql::both(
    "INSERT INTO accounts (account_id, name) VALUES ($1, $2) ON CONFLICT (account_id) DO NOTHING",
);

// An address that somebody else has, or that is one of the gateway's own, stays what it is.
const LINE: Sql = Sql::both(
    "INSERT INTO lines (line_id, gateway_id, address, kind, state, source, routes, fallback, changed_ms)
     VALUES ($1, $2, $3, 'owned', 'active', 'account', $4, NULL, $6)
     ON CONFLICT (gateway_id, address) DO UPDATE
        SET state = 'active', routes = excluded.routes, changed_ms = excluded.changed_ms
      WHERE lines.source = 'account'
        AND NOT EXISTS (SELECT 1 FROM line_owners o WHERE o.line_id = lines.line_id AND o.jid <> $5)",
);

const OWNER: Sql = Sql::both(
    "INSERT INTO line_owners (line_id, jid, since_ms)
     SELECT l.line_id, CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM lines l
      WHERE l.gateway_id = $1 AND l.address = $2 AND l.source = 'account' AND l.state = 'active'
        AND NOT EXISTS (SELECT 1 FROM line_owners o WHERE o.line_id = l.line_id AND o.jid <> $3)
     ON CONFLICT (line_id, jid) DO NOTHING",
);

const KEEP: Sql = Sql::both(
    "INSERT INTO own_accounts (account_id, gateway_id, user_id, line_id, place, key_id, sealed, state, problem, told, since_ms, changed_ms)
     SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), u.user_id, l.line_id, CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT),
            'active', NULL, 0, CAST($9 AS BIGINT), CAST($9 AS BIGINT)
       FROM lines l CROSS JOIN line_owners o CROSS JOIN users u
      WHERE l.gateway_id = $2 AND l.address = $4 AND l.source = 'account'
        AND o.line_id = l.line_id AND o.jid = $5 AND u.user_id = $3
     ON CONFLICT (account_id) DO UPDATE
        SET place = excluded.place, key_id = excluded.key_id, sealed = excluded.sealed, state = 'active', problem = NULL, told = 0,
            changed_ms = excluded.changed_ms
      WHERE own_accounts.user_id = excluded.user_id AND own_accounts.line_id = excluded.line_id",
);

// A name that nothing came of.
const UNNAME: Sql = Sql::both(
    "DELETE FROM accounts WHERE account_id = $1
        AND NOT EXISTS (SELECT 1 FROM own_accounts o WHERE o.account_id = accounts.account_id)",
);

const REFUSE: Sql = Sql::both(
    "UPDATE own_accounts SET state = 'refused', problem = $3, told = 0
      WHERE account_id = $1 AND changed_ms = $2 AND state = 'active'",
);

const TOLD: Sql = Sql::both(
    "UPDATE own_accounts SET told = 1 WHERE account_id = $1 AND changed_ms = $2 AND told = 0",
);

// What its owner entered is as old as before: nobody opens the account anew for this.
const RENEW: Sql = Sql::both(
    "UPDATE own_accounts SET key_id = $3, sealed = $4 WHERE account_id = $1 AND changed_ms = $2",
);

const RESEAL: Sql = Sql::both(
    "UPDATE own_accounts SET key_id = $3, sealed = $4 WHERE account_id = $1 AND sealed = $2",
);

const LINE_OF: Sql =
    Sql::both("SELECT line_id FROM own_accounts WHERE account_id = $1 AND user_id = $2");

const GIVE_UP: Sql = Sql::both(
    "UPDATE deliveries SET state = 'cancelled', due_ms = NULL, done_ms = $2, tell = 'error'
      WHERE state IN ('held', 'queued') AND message_id IN (
            SELECT m.message_id FROM conversations c JOIN messages m ON m.conversation_id = c.conversation_id
             WHERE c.line_id = $1 AND m.direction = 'out')
     RETURNING delivery_id",
);

const GIVE_UP_LANES: Sql = Sql::both(
    "UPDATE lanes SET due_ms = NULL, failures = 0
      WHERE lane_id > 0 AND conversation_id IN (SELECT c.conversation_id FROM conversations c WHERE c.line_id = $1)",
);

const DISOWN: Sql = Sql::both("DELETE FROM line_owners WHERE line_id = $1");

const REST: Sql =
    Sql::both("UPDATE lines SET state = 'resting', changed_ms = $2 WHERE line_id = $1");

// Login and position go with it.
const FORGET: Sql = Sql::both("DELETE FROM accounts WHERE account_id = $1");

pub(super) async fn apply(
    connection: &mut Connection,
    change: &OwnAccount,
) -> Result<Done, StoreError> {
    let touched = match change {
        OwnAccount::Keep(kept) => keep(connection, kept).await?,
        OwnAccount::Refuse {
            account_id,
            version_ms,
            problem,
        } => {
            let row = [
                (*account_id).into(),
                (*version_ms).into(),
                problem.as_str().into(),
            ];
            connection.run(REFUSE, &row).await?
        }
        OwnAccount::Told {
            account_id,
            version_ms,
        } => {
            let row = [(*account_id).into(), (*version_ms).into()];
            connection.run(TOLD, &row).await?
        }
        OwnAccount::Renew {
            account_id,
            version_ms,
            key_id,
            sealed,
        } => {
            let row = [
                (*account_id).into(),
                (*version_ms).into(),
                key_id.as_str().into(),
                sealed.as_str().into(),
            ];
            connection.run(RENEW, &row).await?
        }
        OwnAccount::Reseal {
            account_id,
            before,
            key_id,
            sealed,
        } => {
            let row = [
                (*account_id).into(),
                before.as_str().into(),
                key_id.as_str().into(),
                sealed.as_str().into(),
            ];
            connection.run(RESEAL, &row).await?
        }
        OwnAccount::Drop {
            account_id,
            user_id,
            at_ms,
        } => return drop_account(connection, *account_id, *user_id, *at_ms).await,
    };
    Ok(if touched == 0 {
        Done::Unchanged
    } else {
        Done::Written
    })
}

async fn keep(connection: &mut Connection, kept: &KeptAccount) -> Result<u64, StoreError> {
    let name = [kept.account_id.into(), kept.name.as_str().into()];
    connection.run(NAME, &name).await?;
    let routes = serde_json::to_string(&[&kept.route]).unwrap_or_default();
    let line = [
        kept.line_id.into(),
        kept.gateway_id.into(),
        kept.address.as_str().into(),
        routes.as_str().into(),
        kept.jid.as_str().into(),
        kept.at_ms.into(),
    ];
    connection.run(LINE, &line).await?;
    let owner = [
        kept.gateway_id.into(),
        kept.address.as_str().into(),
        kept.jid.as_str().into(),
        kept.at_ms.into(),
    ];
    connection.run(OWNER, &owner).await?;
    let row = [
        kept.account_id.into(),
        kept.gateway_id.into(),
        kept.user_id.into(),
        kept.address.as_str().into(),
        kept.jid.as_str().into(),
        kept.place.as_str().into(),
        kept.key_id.as_str().into(),
        kept.sealed.as_str().into(),
        kept.at_ms.into(),
    ];
    let touched = connection.run(KEEP, &row).await?;
    if touched == 0 {
        connection.run(UNNAME, &[kept.account_id.into()]).await?;
    }
    Ok(touched)
}

async fn drop_account(
    connection: &mut Connection,
    account_id: i64,
    user_id: i64,
    at_ms: i64,
) -> Result<Done, StoreError> {
    let rows = connection
        .rows(LINE_OF, &[account_id.into(), user_id.into()])
        .await?;
    let Some(line_id) = rows.first().map(|row| row.int(0)).transpose()? else {
        return Ok(Done::Unchanged);
    };
    let line = [line_id.into(), at_ms.into()];
    let given_up = connection.rows(GIVE_UP, &line).await?;
    connection.run(GIVE_UP_LANES, &[line_id.into()]).await?;
    connection.run(DISOWN, &[line_id.into()]).await?;
    connection.run(REST, &line).await?;
    connection.run(FORGET, &[account_id.into()]).await?;
    let tells: Result<Vec<Tell>, StoreError> = given_up
        .iter()
        .map(|row| {
            let (delivery_id, kind) = (row.int(0)?, TellKind::Error);
            Ok(Tell { delivery_id, kind })
        })
        .collect();
    let tells = tells?;
    Ok(if tells.is_empty() {
        Done::Written
    } else {
        Done::Tells(tells)
    })
}

#[cfg(test)]
mod tests;
