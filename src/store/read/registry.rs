//! Users, lines and blocks as operators see them: over all gateways, rarely, whole.

use super::{Param, Row, Sql, Store, StoreError};

/// A registration in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserListed {
    /// The bare JID.
    pub jid: String,
    /// The gateway's name.
    pub gateway: String,
    /// `active`, `pending` or `disabled`.
    pub state: String,
    /// Since when.
    pub since_ms: i64,
    /// The lines it owns at that gateway.
    pub lines: Vec<String>,
}

/// One registration, close up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrationRow {
    /// Its key.
    pub user_id: i64,
    /// The gateway.
    pub gateway_id: i64,
    /// The gateway's name.
    pub gateway: String,
    /// `active`, `pending` or `disabled`.
    pub state: String,
    /// The language it registered in.
    pub lang: Option<String>,
    /// Since when.
    pub since_ms: i64,
    /// When it was last changed.
    pub changed_ms: i64,
    /// Conversations.
    pub conversations: i64,
    /// Messages that wait, outwards and inwards.
    pub waiting: (i64, i64),
    /// Messages and segments sent on the day that was asked for.
    pub used: (i64, i64),
}

/// A line, close up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineShown {
    /// Its key.
    pub line_id: i64,
    /// The gateway.
    pub gateway_id: i64,
    /// The gateway's name.
    pub gateway: String,
    /// Our address.
    pub address: String,
    /// `owned`, `pool` or `shared`.
    pub kind: String,
    /// `active`, `retired` or `resting`.
    pub state: String,
    /// `file`, `command` or `registration`.
    pub source: String,
    /// The accounts that carry it, by name within the gateway.
    pub routes: Vec<String>,
    /// Who gets what belongs to nobody.
    pub fallback: Option<String>,
    /// When its state last changed.
    pub changed_ms: i64,
    /// The owners' bare JIDs, the first one first.
    pub owners: Vec<String>,
}

/// A conversation in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConversationListed {
    /// The peer.
    pub peer: String,
    /// Our address.
    pub line: String,
    /// When it was last active.
    pub active_ms: i64,
}

/// A peer that said STOP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptoutListed {
    /// The gateway's name.
    pub gateway: String,
    /// Our address.
    pub line: String,
    /// The peer.
    pub peer: String,
    /// Since when.
    pub since_ms: i64,
}

/// A peer that nobody may reach or be reached by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockListed {
    /// The gateway's name.
    pub gateway: String,
    /// The peer.
    pub peer: String,
    /// Since when.
    pub since_ms: i64,
}

// `$1 = 0` stands for every gateway.
const USERS: Sql = Sql::both(
    "SELECT u.jid, g.name, u.state, u.since_ms, u.gateway_id
       FROM gateways g CROSS JOIN users u
      WHERE u.gateway_id = g.gateway_id AND ($1 = 0 OR g.gateway_id = $1)
      ORDER BY u.jid, g.name LIMIT $2",
);

const OWNED: Sql = Sql::both(
    "SELECT l.gateway_id, l.address FROM line_owners o JOIN lines l ON l.line_id = o.line_id
      WHERE o.jid = $1 ORDER BY o.since_ms, l.address",
);

const REGISTRATIONS: Sql = Sql::both(
    "SELECT u.user_id, u.gateway_id, g.name, u.state, u.lang, u.since_ms, u.changed_ms,
            (SELECT COUNT(*) FROM conversations c WHERE c.user_id = u.user_id),
            (SELECT COUNT(*) FROM conversations c JOIN messages m ON m.conversation_id = c.conversation_id
               JOIN deliveries d ON d.message_id = m.message_id
              WHERE c.user_id = u.user_id AND m.direction = 'out' AND d.state IN ('held', 'queued', 'sending')),
            (SELECT COUNT(*) FROM conversations c JOIN messages m ON m.conversation_id = c.conversation_id
               JOIN deliveries d ON d.message_id = m.message_id
              WHERE c.user_id = u.user_id AND m.direction = 'in' AND d.state IN ('held', 'queued', 'sending')),
            COALESCE(y.messages, 0), COALESCE(y.segments, 0)
       FROM gateways g JOIN users u ON u.gateway_id = g.gateway_id
       LEFT JOIN usage_days y ON y.gateway_id = u.gateway_id AND y.user_id = u.user_id AND y.day = $2
      WHERE u.jid = $1 ORDER BY g.name",
);

const LINES: Sql = Sql::both(
    "SELECT l.line_id, l.gateway_id, g.name, l.address, l.kind, l.state, l.source, l.routes, l.fallback, l.changed_ms, o.jid
       FROM gateways g JOIN lines l ON l.gateway_id = g.gateway_id
       LEFT JOIN line_owners o ON o.line_id = l.line_id
      WHERE ($1 = 0 OR g.gateway_id = $1) AND ($2 = '' OR l.address = $2)
      ORDER BY g.name, l.address, o.since_ms, o.jid LIMIT $3",
);

const CONVERSATIONS: Sql = Sql::both(
    "SELECT c.peer, l.address, c.active_ms FROM conversations c JOIN lines l ON l.line_id = c.line_id
      WHERE c.user_id = $1 ORDER BY c.active_ms DESC LIMIT $2",
);

const TALKED: Sql = Sql::both(
    "SELECT c.conversation_id FROM users u JOIN conversations c ON c.user_id = u.user_id
      WHERE u.gateway_id = $1 AND u.jid = $2 AND c.line_id = $3 LIMIT 1",
);

const BLOCKS: Sql = Sql::both(
    "SELECT g.name, b.peer, b.since_ms FROM gateways g JOIN blocks b ON b.gateway_id = g.gateway_id
      WHERE b.user_id = 0 AND ($1 = 0 OR g.gateway_id = $1) ORDER BY b.peer, g.name LIMIT $2",
);

const OPTOUTS: Sql = Sql::both(
    "SELECT g.name, l.address, o.peer, o.since_ms
       FROM gateways g CROSS JOIN lines l CROSS JOIN optouts o
      WHERE ($1 = 0 OR g.gateway_id = $1) AND l.gateway_id = g.gateway_id AND o.line_id = l.line_id
      ORDER BY l.address, o.peer LIMIT $2",
);

const OPTOUTS_OF: Sql = Sql::both(
    "SELECT g.name, l.address, o.peer, o.since_ms
       FROM conversations c JOIN optouts o ON o.line_id = c.line_id AND o.peer = c.peer
       JOIN lines l ON l.line_id = c.line_id JOIN gateways g ON g.gateway_id = c.gateway_id
      WHERE c.user_id = $1 ORDER BY l.address, o.peer LIMIT $2",
);

impl Store {
    /// The registrations, in the order of their JIDs; of every gateway without one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn users_listed(
        &self,
        gateway_id: Option<i64>,
        limit: i64,
    ) -> Result<Vec<UserListed>, StoreError> {
        let mut users = Vec::new();
        for row in self
            .rows(USERS, vec![every(gateway_id), limit.into()])
            .await?
        {
            let jid = row.text(0)?.to_owned();
            let gateway_id = row.int(4)?;
            let owned = self.rows(OWNED, vec![jid.as_str().into()]).await?;
            let mut lines = Vec::new();
            for line in owned {
                if line.int(0)? == gateway_id {
                    lines.push(line.text(1)?.to_owned());
                }
            }
            users.push(UserListed {
                jid,
                gateway: row.text(1)?.to_owned(),
                state: row.text(2)?.to_owned(),
                since_ms: row.int(3)?,
                lines,
            });
        }
        Ok(users)
    }

    /// The registrations of one JID; `day` is the UTC day whose use is told.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn registrations(
        &self,
        jid: &str,
        day: i64,
    ) -> Result<Vec<RegistrationRow>, StoreError> {
        let rows = self
            .rows(REGISTRATIONS, vec![jid.into(), day.into()])
            .await?;
        let registration = |row: &Row| {
            Ok(RegistrationRow {
                user_id: row.int(0)?,
                gateway_id: row.int(1)?,
                gateway: row.text(2)?.to_owned(),
                state: row.text(3)?.to_owned(),
                lang: row.opt_text(4)?.map(str::to_owned),
                since_ms: row.int(5)?,
                changed_ms: row.int(6)?,
                conversations: row.int(7)?,
                waiting: (row.int(8)?, row.int(9)?),
                used: (row.int(10)?, row.int(11)?),
            })
        };
        rows.iter().map(registration).collect()
    }

    /// The lines of a gateway, or of all; all of them, or those with this address. `limit` counts owners.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn lines_shown(
        &self,
        gateway_id: Option<i64>,
        address: Option<&str>,
        limit: i64,
    ) -> Result<Vec<LineShown>, StoreError> {
        let params = vec![
            every(gateway_id),
            address.unwrap_or_default().into(),
            limit.into(),
        ];
        let mut lines: Vec<LineShown> = Vec::new();
        for row in self.rows(LINES, params).await? {
            let owner = row.opt_text(10)?.map(str::to_owned);
            match lines.last_mut() {
                Some(line) if line.line_id == row.int(0)? => line.owners.extend(owner),
                _ => lines.push(line_shown(&row, owner)?),
            }
        }
        Ok(lines)
    }

    /// A user's conversations, the last active first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn conversations_listed(
        &self,
        user_id: i64,
        limit: i64,
    ) -> Result<Vec<ConversationListed>, StoreError> {
        let rows = self
            .rows(CONVERSATIONS, vec![user_id.into(), limit.into()])
            .await?;
        let conversation = |row: &Row| {
            Ok(ConversationListed {
                peer: row.text(0)?.to_owned(),
                line: row.text(1)?.to_owned(),
                active_ms: row.int(2)?,
            })
        };
        rows.iter().map(conversation).collect()
    }

    /// Whether this user ever talked with anybody on this line.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn has_talked(
        &self,
        gateway_id: i64,
        jid: &str,
        line_id: i64,
    ) -> Result<bool, StoreError> {
        let params = vec![gateway_id.into(), jid.into(), line_id.into()];
        Ok(!self.rows(TALKED, params).await?.is_empty())
    }

    /// The peers that are blocked for everybody.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn blocks_listed(
        &self,
        gateway_id: Option<i64>,
        limit: i64,
    ) -> Result<Vec<BlockListed>, StoreError> {
        let rows = self
            .rows(BLOCKS, vec![every(gateway_id), limit.into()])
            .await?;
        let block = |row: &Row| {
            Ok(BlockListed {
                gateway: row.text(0)?.to_owned(),
                peer: row.text(1)?.to_owned(),
                since_ms: row.int(2)?,
            })
        };
        rows.iter().map(block).collect()
    }

    /// The peers that said STOP.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn optouts_listed(
        &self,
        gateway_id: Option<i64>,
        limit: i64,
    ) -> Result<Vec<OptoutListed>, StoreError> {
        let params = vec![every(gateway_id), limit.into()];
        self.rows(OPTOUTS, params)
            .await?
            .iter()
            .map(optout)
            .collect()
    }

    /// The peers that said STOP to a user.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn optouts_of(
        &self,
        user_id: i64,
        limit: i64,
    ) -> Result<Vec<OptoutListed>, StoreError> {
        let params = vec![user_id.into(), limit.into()];
        self.rows(OPTOUTS_OF, params)
            .await?
            .iter()
            .map(optout)
            .collect()
    }
}

fn optout(row: &Row) -> Result<OptoutListed, StoreError> {
    Ok(OptoutListed {
        gateway: row.text(0)?.to_owned(),
        line: row.text(1)?.to_owned(),
        peer: row.text(2)?.to_owned(),
        since_ms: row.int(3)?,
    })
}

/// Every gateway, where none is named.
pub(super) fn every(gateway_id: Option<i64>) -> Param {
    Param::Int(gateway_id.unwrap_or_default())
}

fn line_shown(row: &Row, owner: Option<String>) -> Result<LineShown, StoreError> {
    Ok(LineShown {
        line_id: row.int(0)?,
        gateway_id: row.int(1)?,
        gateway: row.text(2)?.to_owned(),
        address: row.text(3)?.to_owned(),
        kind: row.text(4)?.to_owned(),
        state: row.text(5)?.to_owned(),
        source: row.text(6)?.to_owned(),
        routes: serde_json::from_str(row.text(7)?).unwrap_or_default(),
        fallback: row.opt_text(8)?.map(str::to_owned),
        changed_ms: row.int(9)?,
        owners: owner.into_iter().collect(),
    })
}
