//! What admins have to know, and what they were told of (semantics 24).

use super::{Row, Sql, Store, StoreError};
use crate::store::write::TroubleRow;

// What is held on purpose is no trouble: a restored copy, a user who removed the gateway, a stranger who waits for a word.
const OLDEST: Sql = Sql::both(
    "SELECT MIN(d.created_ms), COUNT(*)
       FROM deliveries d CROSS JOIN messages m CROSS JOIN conversations c CROSS JOIN users u
      WHERE d.state IN ('held', 'queued', 'sending') AND (d.state <> 'held' OR d.due_ms IS NOT NULL)
        AND m.message_id = d.message_id AND c.conversation_id = m.conversation_id AND c.gateway_id = $1
        AND u.user_id = c.user_id AND (m.direction = 'out' OR u.state = 'active')
        AND NOT EXISTS (SELECT 1 FROM strangers s
                         WHERE s.user_id = c.user_id AND s.peer = c.peer AND s.state = 'waiting' AND m.direction = 'in')",
);

const UNOWNED: Sql = Sql::both(
    "SELECT l.address, COUNT(*) FROM unowned o CROSS JOIN lines l
      WHERE o.at_ms >= $1 AND l.line_id = o.line_id GROUP BY l.address",
);

const FAILED: Sql = Sql::both(
    "SELECT u.jid, COUNT(*) FROM deliveries d CROSS JOIN messages m CROSS JOIN conversations c CROSS JOIN users u
      WHERE d.state = 'failed' AND d.delivery_id >= $1 AND d.done_ms >= $2 AND m.message_id = d.message_id
        AND m.direction = 'in' AND c.conversation_id = m.conversation_id AND u.user_id = c.user_id
      GROUP BY u.jid",
);

const TROUBLES: Sql = Sql::both("SELECT name, concern, since_ms, said_ms FROM troubles");

impl Store {
    /// When the oldest message that waits at a gateway was accepted, and how many wait.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn oldest_waiting(&self, gateway_id: i64) -> Result<Option<(i64, u64)>, StoreError> {
        let rows = self.rows(OLDEST, vec![gateway_id.into()]).await?;
        let row = rows.first().ok_or(StoreError::Gone)?;
        let count = count(row)?;
        Ok(row.opt_int(0)?.map(|oldest_ms| (oldest_ms, count)))
    }

    /// The lines to which texts came since then that belong to nobody, and how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn unowned_since(&self, since_ms: i64) -> Result<Vec<(String, u64)>, StoreError> {
        named(&self.rows(UNOWNED, vec![since_ms.into()]).await?)
    }

    /// The users whose server refused messages since then, and how many, among those with a key from `oldest_key` on.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn failed_inward(
        &self,
        oldest_key: i64,
        since_ms: i64,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let params = vec![oldest_key.into(), since_ms.into()];
        named(&self.rows(FAILED, params).await?)
    }

    /// What admins were told of and is not over.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn troubles(&self) -> Result<Vec<TroubleRow>, StoreError> {
        let row = |row: &Row| {
            Ok(TroubleRow {
                name: row.text(0)?.to_owned(),
                concern: Some(row.text(1)?.to_owned()),
                since_ms: row.int(2)?,
                said_ms: row.int(3)?,
            })
        };
        let rows = self.rows(TROUBLES, Vec::new()).await?;
        rows.iter().map(row).collect()
    }
}

fn named(rows: &[Row]) -> Result<Vec<(String, u64)>, StoreError> {
    let named = |row: &Row| Ok((row.text(0)?.to_owned(), count(row)?));
    rows.iter().map(named).collect()
}

fn count(row: &Row) -> Result<u64, StoreError> {
    Ok(row.int(1)?.unsigned_abs())
}
