//! Texts that a network's look-up by their words cannot tell apart.

use super::{Sql, Store, StoreError};

/// Written so far apart they are told apart by the time of their attempts.
const APART_MS: i64 = 3_600_000;

const TWINS: Sql = Sql::both(
    "SELECT 1 FROM deliveries d
       JOIN messages m ON m.message_id = d.message_id
       JOIN conversations c ON c.conversation_id = m.conversation_id
       JOIN conversations o ON o.line_id = c.line_id AND o.peer = c.peer
       JOIN messages t ON t.conversation_id = o.conversation_id AND t.message_id <> m.message_id AND t.direction = 'out'
        AND t.body = m.body AND t.created_ms BETWEEN m.created_ms - $2 AND m.created_ms + $2
      WHERE d.delivery_id = $1
        AND EXISTS (SELECT 1 FROM deliveries e WHERE e.message_id = t.message_id AND e.state NOT IN ('held', 'cancelled')
                       AND (e.state <> 'queued' OR e.attempts > 0))
      LIMIT 1",
);

impl Store {
    /// Whether the same words went, or may have gone, from the same line to the same peer about when this delivery did.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn has_twin(&self, delivery_id: i64) -> Result<bool, StoreError> {
        let params = vec![delivery_id.into(), APART_MS.into()];
        Ok(!self.rows(TWINS, params).await?.is_empty())
    }
}
