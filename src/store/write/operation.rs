//! What operators do: rare writes, one at a time, each in a few plain statements.

use super::{
    Connection, Done, Group, Sql, StoreError, Tell, TellKind,
    own_account::{self, OwnAccount},
    strangers,
};

/// One thing that an operator does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Everything of one JID is another's from now on.
    Rename {
        /// The bare JID so far.
        old: String,
        /// The bare JID from now on.
        new: String,
    },
    /// A line is taken from its owners. A number of the pool on which nobody ever talked does not rest.
    ReleaseLine {
        /// The line.
        line_id: i64,
        /// Now.
        at_ms: i64,
    },
    /// What waits is tried now.
    Retry {
        /// The delivery.
        delivery_id: i64,
        /// Now.
        at_ms: i64,
    },
    /// What waits is given up.
    Cancel {
        /// The delivery.
        delivery_id: i64,
        /// Now.
        at_ms: i64,
    },
    /// What is held since a copy was put back is sent.
    SendHeld {
        /// The delivery; `None`: all.
        delivery_id: Option<i64>,
        /// Now.
        at_ms: i64,
    },
    /// A peer is blocked for one user or for everybody, or no longer.
    Block {
        /// At this gateway.
        gateway_id: i64,
        /// For this user; 0: for everybody.
        user_id: i64,
        /// The peer.
        peer: String,
        /// Whether it is blocked from now on.
        blocked: bool,
        /// Now.
        at_ms: i64,
    },
    /// A text that belongs to nobody is delivered by the same commit, or dropped.
    TakeUnowned {
        /// The text.
        unowned_id: i64,
    },
    /// A user's own choices; what is null goes back to the gateway's.
    Settings {
        /// The registration.
        user_id: i64,
        /// What changes: a JSON object of texts and nulls.
        changes: String,
        /// The language, when it was chosen.
        lang: Option<String>,
    },
    /// A user gives a contact a name.
    NameContact {
        /// The registration.
        user_id: i64,
        /// The peer.
        peer: String,
        /// The name; `None`: none any more.
        name: Option<String>,
        /// A name that the user gave before stays: this one is an address book's.
        yields: bool,
    },
    /// A user's conversations with a peer are forgotten, and what the roster knew.
    ForgetContact {
        /// The registration.
        user_id: i64,
        /// The peer.
        peer: String,
    },
    /// Something happens to an account that a user brought.
    Own(OwnAccount),
    /// If this database is a copy that was put back, its waiting sends are held (semantics 36).
    HoldCopy,
}

/// The code of sends that are held because the database is a copy.
pub const RESTORED: &str = "restored";

const RENAME: [Sql; 4] = [
    Sql::both(
        "UPDATE users SET jid = $2 WHERE gateway_id IN (SELECT gateway_id FROM gateways) AND jid = $1",
    ),
    // Where both own the line, one row is enough.
    Sql::both(
        "DELETE FROM line_owners
          WHERE jid = $1 AND line_id IN (SELECT o.line_id FROM line_owners o WHERE o.jid = $2)",
    ),
    Sql::both("UPDATE line_owners SET jid = $2 WHERE jid = $1"),
    Sql::both(
        "UPDATE lines SET fallback = $2
          WHERE gateway_id IN (SELECT gateway_id FROM gateways) AND kind <> 'owned' AND kind = 'shared' AND fallback = $1",
    ),
];

// What the old JID's server has keeps the old JID: errors about it come from there.
const RENAME_STANZAS: Sql = Sql::both(
    "UPDATE message_stanzas SET full_jid = $2 || SUBSTR(full_jid, LENGTH($1) + 1)
      WHERE (full_jid = $1 OR SUBSTR(full_jid, 1, LENGTH($1) + 1) = $1 || '/')
        AND message_id IN (
            SELECT m.message_id FROM users u
              JOIN conversations c ON c.user_id = u.user_id
              JOIN messages m ON m.conversation_id = c.conversation_id
              JOIN deliveries d ON d.message_id = m.message_id
             WHERE u.gateway_id IN (SELECT gateway_id FROM gateways) AND u.jid = $2
               AND (m.direction = 'out' OR d.state <> 'delivered'))",
);

const REST: Sql = Sql::both(
    "UPDATE lines SET changed_ms = $2,
            state = CASE WHEN state = 'retired' THEN 'retired'
                         WHEN kind = 'pool' AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.line_id = lines.line_id)
                         THEN 'active' ELSE 'resting' END
      WHERE line_id = $1",
);

const DISOWN_ALL: Sql = Sql::both("DELETE FROM line_owners WHERE line_id = $1");

const RETRY: Sql = Sql::both(
    "UPDATE lanes SET due_ms = $2
      WHERE lane_id IN (SELECT d.lane_id FROM deliveries d WHERE d.delivery_id = $1 AND d.state = 'queued')",
);

const CANCEL: Sql = Sql::both(
    "UPDATE deliveries SET state = 'cancelled', due_ms = NULL, done_ms = $2,
            tell = (SELECT CASE WHEN m.direction = 'out' THEN 'error' END FROM messages m
                     WHERE m.message_id = deliveries.message_id)
      WHERE delivery_id = $1 AND state IN ('held', 'queued')
     RETURNING tell",
);

// What waits behind it goes on.
const CANCEL_LANE: Sql = Sql::both(
    "UPDATE lanes SET failures = 0,
            due_ms = CASE WHEN EXISTS (SELECT 1 FROM deliveries d WHERE d.lane_id = lanes.lane_id
                                          AND d.state IN ('held', 'queued', 'sending')
                                          AND (d.state <> 'held' OR d.due_ms IS NOT NULL))
                          THEN $2 ELSE NULL END
      WHERE lane_id IN (SELECT d.lane_id FROM deliveries d WHERE d.delivery_id = $1)",
);

/// A held send waits in a lane of its own, so that new messages of its chat pass; it goes back to the chat's lane, in its order.
const SEND_LANE: Sql = Sql::both(
    "INSERT INTO lanes (lane_id, conversation_id, due_ms, failures)
     SELECT DISTINCT m.conversation_id, m.conversation_id, CAST($2 AS BIGINT), 0
       FROM deliveries d JOIN messages m ON m.message_id = d.message_id
      WHERE d.state IN ('held', 'queued', 'sending') AND d.state = 'held' AND d.code = 'restored'
        AND ($1 = 0 OR d.delivery_id = $1)
     ON CONFLICT (lane_id) DO UPDATE SET due_ms = excluded.due_ms",
);

const SEND: Sql = Sql::both(
    "UPDATE deliveries SET state = 'queued', code = NULL,
            lane_id = (SELECT m.conversation_id FROM messages m WHERE m.message_id = deliveries.message_id)
      WHERE state IN ('held', 'queued', 'sending') AND state = 'held' AND code = 'restored'
        AND ($1 = 0 OR delivery_id = $1)",
);

const BLOCK: Sql = Sql::both(
    "INSERT INTO blocks (gateway_id, user_id, peer, since_ms) VALUES ($1, $4, $2, $3)
     ON CONFLICT (gateway_id, user_id, peer) DO NOTHING",
);

const UNBLOCK: Sql =
    Sql::both("DELETE FROM blocks WHERE gateway_id = $1 AND user_id = $3 AND peer = $2");

const SETTINGS: Sql = Sql {
    sqlite: "UPDATE users SET settings = json_patch(settings, $2), lang = COALESCE($3, lang) WHERE user_id = $1",
    postgres: "UPDATE users SET settings = CAST(jsonb_strip_nulls(CAST(settings AS jsonb) || CAST($2 AS jsonb)) AS TEXT),
                      lang = COALESCE($3, lang) WHERE user_id = $1",
};

const KNOW_CONTACT: Sql = Sql::both(
    "INSERT INTO contacts (user_id, peer, subscribed, asked, name) VALUES ($1, $2, 0, 0, $3)
     ON CONFLICT (user_id, peer) DO UPDATE SET name = COALESCE(contacts.name, excluded.name)",
);

const NAME_CONTACT: Sql = Sql::both(
    "INSERT INTO contacts (user_id, peer, subscribed, asked, name) VALUES ($1, $2, 0, 0, $3)
     ON CONFLICT (user_id, peer) DO UPDATE SET name = excluded.name",
);

// What was accepted and waits is not thrown away: then nothing is forgotten.
const FORGET_CONTACT: [Sql; 2] = [
    Sql::both(
        "DELETE FROM conversations
          WHERE user_id = $1 AND peer = $2
            AND NOT EXISTS (
                SELECT 1 FROM conversations c JOIN messages m ON m.conversation_id = c.conversation_id
                  JOIN deliveries d ON d.message_id = m.message_id
                 WHERE c.user_id = $1 AND c.peer = $2 AND d.state IN ('held', 'queued', 'sending'))",
    ),
    Sql::both(
        "DELETE FROM contacts WHERE user_id = $1 AND peer = $2
            AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.user_id = $1 AND c.peer = $2)",
    ),
];

const TAKE_UNOWNED: Sql = Sql::both("DELETE FROM unowned WHERE unowned_id = $1");

const IS_COPY: Sql = Sql::both("SELECT value FROM meta WHERE name = 'copy_of'");

const HOLD_COPY: [Sql; 4] = [
    Sql::both(
        "INSERT INTO lanes (lane_id, conversation_id, due_ms, failures)
         SELECT d.delivery_id, m.conversation_id, CAST(NULL AS BIGINT), 0
           FROM deliveries d JOIN messages m ON m.message_id = d.message_id
          WHERE d.state IN ('held', 'queued', 'sending') AND m.direction = 'out'
         ON CONFLICT (lane_id) DO UPDATE SET due_ms = NULL",
    ),
    Sql::both(
        "UPDATE deliveries SET lane_id = delivery_id, state = 'held', code = 'restored', due_ms = NULL
          WHERE state IN ('held', 'queued', 'sending')
            AND EXISTS (SELECT 1 FROM messages m WHERE m.message_id = deliveries.message_id AND m.direction = 'out')",
    ),
    Sql::both(
        "UPDATE lanes SET due_ms = NULL
          WHERE due_ms IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM deliveries d
                             WHERE d.lane_id = lanes.lane_id AND d.state IN ('held', 'queued', 'sending'))",
    ),
    Sql::both("DELETE FROM meta WHERE name = 'copy_of'"),
];

pub(super) async fn apply(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    for (place, operation) in std::mem::take(&mut group.operations) {
        let done = apply_one(connection, operation).await?;
        group.set(place, done);
    }
    Ok(())
}

async fn apply_one(connection: &mut Connection, operation: &Operation) -> Result<Done, StoreError> {
    let touched = match operation {
        Operation::Rename { old, new } => rename(connection, old, new).await?,
        Operation::ReleaseLine { line_id, at_ms } => {
            connection
                .run(REST, &[(*line_id).into(), (*at_ms).into()])
                .await?;
            connection.run(DISOWN_ALL, &[(*line_id).into()]).await?
        }
        Operation::Retry { delivery_id, at_ms } => {
            connection
                .run(RETRY, &[(*delivery_id).into(), (*at_ms).into()])
                .await?
        }
        Operation::Cancel { delivery_id, at_ms } => {
            return cancel(connection, *delivery_id, *at_ms).await;
        }
        Operation::SendHeld { delivery_id, at_ms } => {
            let which = delivery_id.unwrap_or_default();
            connection
                .run(SEND_LANE, &[which.into(), (*at_ms).into()])
                .await?;
            connection.run(SEND, &[which.into()]).await?
        }
        Operation::Block { .. }
        | Operation::Settings { .. }
        | Operation::NameContact { .. }
        | Operation::ForgetContact { .. } => of_user(connection, operation).await?,
        Operation::TakeUnowned { unowned_id } => {
            connection
                .run(TAKE_UNOWNED, &[(*unowned_id).into()])
                .await?
        }
        Operation::Own(change) => return own_account::apply(connection, change).await,
        Operation::HoldCopy => hold_copy(connection).await?,
    };
    Ok(if touched == 0 {
        Done::Unchanged
    } else {
        Done::Written
    })
}

/// What users do too, each with what is theirs.
async fn of_user(connection: &mut Connection, operation: &Operation) -> Result<u64, StoreError> {
    Ok(match operation {
        Operation::Block {
            gateway_id,
            user_id,
            peer,
            blocked,
            at_ms,
        } => {
            if *blocked {
                // Whoever is blocked is waited for no longer.
                strangers::discard(connection, *user_id, peer).await?;
            }
            let (gateway, user) = ((*gateway_id).into(), (*user_id).into());
            let peer = peer.as_str().into();
            if *blocked {
                let row = [gateway, peer, (*at_ms).into(), user];
                connection.run(BLOCK, &row).await?
            } else {
                connection.run(UNBLOCK, &[gateway, peer, user]).await?
            }
        }
        Operation::Settings {
            user_id,
            changes,
            lang,
        } => {
            let row = [
                (*user_id).into(),
                changes.as_str().into(),
                lang.as_deref().into(),
            ];
            connection.run(SETTINGS, &row).await?
        }
        Operation::NameContact {
            user_id,
            peer,
            name,
            yields,
        } => {
            let row = [
                (*user_id).into(),
                peer.as_str().into(),
                name.as_deref().into(),
            ];
            let sql = if *yields { KNOW_CONTACT } else { NAME_CONTACT };
            connection.run(sql, &row).await?
        }
        Operation::ForgetContact { user_id, peer } => {
            let row = [(*user_id).into(), peer.as_str().into()];
            let mut touched = 0;
            for statement in FORGET_CONTACT {
                touched += connection.run(statement, &row).await?;
            }
            touched
        }
        _ => 0,
    })
}

async fn rename(connection: &mut Connection, old: &str, new: &str) -> Result<u64, StoreError> {
    let names = [old.into(), new.into()];
    let mut touched = 0;
    for statement in RENAME {
        touched += connection.run(statement, &names).await?;
    }
    connection.run(RENAME_STANZAS, &names).await?;
    Ok(touched)
}

async fn cancel(
    connection: &mut Connection,
    delivery_id: i64,
    at_ms: i64,
) -> Result<Done, StoreError> {
    let params = [delivery_id.into(), at_ms.into()];
    let rows = connection.rows(CANCEL, &params).await?;
    let Some(row) = rows.first() else {
        return Ok(Done::Unchanged);
    };
    connection.run(CANCEL_LANE, &params).await?;
    let kind = row.opt_text(0)?.and_then(TellKind::from_word);
    Ok(match kind {
        Some(kind) => Done::Tells(vec![Tell { delivery_id, kind }]),
        None => Done::Written,
    })
}

async fn hold_copy(connection: &mut Connection) -> Result<u64, StoreError> {
    if connection.rows(IS_COPY, &[]).await?.is_empty() {
        return Ok(0);
    }
    for statement in HOLD_COPY {
        connection.run(statement, &[]).await?;
    }
    Ok(1)
}
