//! How much there is of everything at a gateway, and all its users one page after another.

use super::{Sql, Store, StoreError};

/// How much there is at a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Active registrations.
    pub users: i64,
    /// Those that wait for an admin.
    pub pending: i64,
    /// Lines that can be used.
    pub lines: i64,
    /// Messages that wait, outwards.
    pub waiting_out: i64,
    /// Messages that wait, inwards.
    pub waiting_in: i64,
    /// When the oldest of them was accepted.
    pub oldest_ms: Option<i64>,
    /// Texts that belong to nobody.
    pub unowned: i64,
    /// Messages sent on the day that was asked for.
    pub messages_today: i64,
}

const USERS: Sql = Sql::both(
    "SELECT COALESCE(SUM(CASE WHEN state = 'active' THEN 1 ELSE 0 END), 0),
            COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0)
       FROM users WHERE gateway_id = $1",
);

const LINES: Sql =
    Sql::both("SELECT COUNT(*) FROM lines WHERE gateway_id = $1 AND state = 'active'");

// The order of the joins keeps the planner on the small index of what waits.
const WAITING: Sql = Sql::both(
    "SELECT COALESCE(SUM(CASE WHEN m.direction = 'out' THEN 1 ELSE 0 END), 0),
            COALESCE(SUM(CASE WHEN m.direction = 'in' THEN 1 ELSE 0 END), 0), MIN(d.created_ms)
       FROM deliveries d CROSS JOIN messages m CROSS JOIN conversations c
      WHERE d.state IN ('held', 'queued', 'sending') AND m.message_id = d.message_id
        AND c.conversation_id = m.conversation_id AND c.gateway_id = $1",
);

const UNOWNED: Sql = Sql::both(
    "SELECT COUNT(*) FROM unowned u JOIN lines l ON l.line_id = u.line_id WHERE l.gateway_id = $1",
);

const TODAY: Sql =
    Sql::both("SELECT messages FROM usage_days WHERE gateway_id = $1 AND user_id = 0 AND day = $2");

const ACTIVE: Sql = Sql::both(
    "SELECT jid, lang FROM users WHERE gateway_id = $1 AND jid > $2 AND state = 'active' ORDER BY jid LIMIT $3",
);

impl Store {
    /// How much there is at a gateway.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn counts(&self, gateway_id: i64, day: i64) -> Result<Counts, StoreError> {
        let of = |sql| self.rows(sql, vec![gateway_id.into()]);
        let mut counts = Counts::default();
        for row in of(USERS).await? {
            (counts.users, counts.pending) = (row.int(0)?, row.int(1)?);
        }
        for row in of(LINES).await? {
            counts.lines = row.int(0)?;
        }
        for row in of(WAITING).await? {
            (counts.waiting_out, counts.waiting_in) = (row.int(0)?, row.int(1)?);
            counts.oldest_ms = row.opt_int(2)?;
        }
        for row in of(UNOWNED).await? {
            counts.unowned = row.int(0)?;
        }
        for row in self
            .rows(TODAY, vec![gateway_id.into(), day.into()])
            .await?
        {
            counts.messages_today = row.int(0)?;
        }
        Ok(counts)
    }

    /// The active users behind `after`, each with the language that is known.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn active_users(
        &self,
        gateway_id: i64,
        after: &str,
        limit: i64,
    ) -> Result<Vec<(String, Option<String>)>, StoreError> {
        let params = vec![gateway_id.into(), after.into(), limit.into()];
        let rows = self.rows(ACTIVE, params).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?.to_owned(), row.opt_text(1)?.map(str::to_owned))))
            .collect()
    }
}
