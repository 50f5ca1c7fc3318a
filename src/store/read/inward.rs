//! What messages from outside need to find their users.

use std::collections::HashMap;

use serde::Serialize;

use super::{Sql, Store, StoreError, for_rows, json};
use crate::store::index;

/// What one message asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct InwardAsk {
    /// Its place in the batch.
    pub place: usize,
    /// Our address.
    pub address: String,
    /// Who wrote.
    pub peer: String,
}

/// The line that a message came to, and who may be meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineFound {
    /// Its key.
    pub line_id: i64,
    /// `owned`, `pool` or `shared`.
    pub kind: String,
    /// Who gets what belongs to nobody.
    pub fallback: Option<String>,
    /// The registered owners, and whoever talks with this peer on it.
    pub users: Vec<InwardRow>,
}

/// One user who may be meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InwardRow {
    /// The user.
    pub user_id: i64,
    /// Its bare JID.
    pub jid: String,
    /// `active`, `pending` or `disabled`.
    pub state: String,
    /// Whether it owns the line.
    pub owner: bool,
    /// The conversation with the peer on this line, if there is one, and when it was last active.
    pub conversation: Option<(i64, i64)>,
    /// When the plain contact last meant this line; 0: never.
    pub plain_ms: i64,
    /// When the plain contact last meant another line; 0: never.
    pub other_plain_ms: i64,
    /// Whether the peer is blocked by this user or by everybody.
    pub blocked: bool,
}

const LINES: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), l.line_id, l.kind, l.fallback
       FROM",
    "CROSS JOIN lines l
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'address'"
);

const OWNERS: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), u.user_id, u.jid, u.state, c.conversation_id, c.active_ms,
            COALESCE(c.plain_ms, 0),
            (SELECT COALESCE(MAX(o.plain_ms), 0) FROM conversations o
              WHERE o.user_id = u.user_id AND o.peer = r.value ->> 'peer' AND o.line_id <> l.line_id),
            (SELECT COUNT(*) FROM blocks b
              WHERE b.gateway_id = $2 AND b.user_id IN (0, u.user_id) AND b.peer = r.value ->> 'peer')
       FROM",
    "CROSS JOIN lines l
      CROSS JOIN line_owners w
      CROSS JOIN users u
       LEFT JOIN conversations c ON c.user_id = u.user_id AND c.peer = r.value ->> 'peer' AND c.line_id = l.line_id
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'address' AND w.line_id = l.line_id
        AND u.gateway_id = $2 AND u.jid = w.jid"
);

const TALKERS: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), u.user_id, u.jid, u.state, c.conversation_id, c.active_ms, c.plain_ms,
            (SELECT COALESCE(MAX(o.plain_ms), 0) FROM conversations o
              WHERE o.user_id = u.user_id AND o.peer = r.value ->> 'peer' AND o.line_id <> l.line_id),
            (SELECT COUNT(*) FROM blocks b
              WHERE b.gateway_id = $2 AND b.user_id IN (0, u.user_id) AND b.peer = r.value ->> 'peer')
       FROM",
    "CROSS JOIN lines l
      CROSS JOIN conversations c
      CROSS JOIN users u
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'address' AND l.kind = 'shared'
        AND c.line_id = l.line_id AND c.peer = r.value ->> 'peer' AND u.user_id = c.user_id
      ORDER BY c.active_ms DESC"
);

impl Store {
    /// Finds the lines of a batch of messages and the users who may be meant; by place.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn inward(
        &self,
        gateway_id: i64,
        asks: &[InwardAsk],
    ) -> Result<HashMap<usize, LineFound>, StoreError> {
        if asks.is_empty() {
            return Ok(HashMap::new());
        }
        let (rows, this) = (json(asks), self.clone());
        let work = async move {
            let mut connection = this.database.reader().await?;
            let params = [rows, gateway_id.into()];
            let mut found = HashMap::new();
            for row in connection.rows(LINES, &params).await? {
                let line = LineFound {
                    line_id: row.int(1)?,
                    kind: row.text(2)?.to_owned(),
                    fallback: row.opt_text(3)?.map(str::to_owned),
                    users: Vec::new(),
                };
                found.insert(index(row.int(0)?), line);
            }
            for (sql, owner) in [(OWNERS, true), (TALKERS, false)] {
                for row in connection.rows(sql, &params).await? {
                    let Some(line) = found.get_mut(&index(row.int(0)?)) else {
                        continue;
                    };
                    let user = user(&row, owner)?;
                    if !line.users.iter().any(|known| known.user_id == user.user_id) {
                        line.users.push(user);
                    }
                }
            }
            Ok(found)
        };
        self.lifecycle
            .detached(work)
            .await
            .unwrap_or(Err(StoreError::Gone))
    }

    /// Whether a line of the gateway has this address.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn has_line(&self, gateway_id: i64, address: &str) -> Result<bool, StoreError> {
        const SELECT: Sql =
            Sql::both("SELECT line_id FROM lines WHERE gateway_id = $1 AND address = $2");
        Ok(!self
            .rows(SELECT, vec![gateway_id.into(), address.into()])
            .await?
            .is_empty())
    }
}

fn user(row: &super::Row, owner: bool) -> Result<InwardRow, StoreError> {
    let conversation = row.opt_int(4)?.zip(row.opt_int(5)?);
    Ok(InwardRow {
        user_id: row.int(1)?,
        jid: row.text(2)?.to_owned(),
        state: row.text(3)?.to_owned(),
        owner,
        conversation,
        plain_ms: row.int(6)?,
        other_plain_ms: row.int(7)?,
        blocked: row.flag(8)?,
    })
}
