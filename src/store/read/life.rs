//! Messages as operators see them: what waits and why, and one message's whole life. Never a body.

use super::{Param, Row, Sql, State, Store, StoreError, StoredRoute, registry::every};

/// A message that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingRow {
    /// The delivery, or the text that belongs to nobody.
    pub id: i64,
    /// The gateway's name.
    pub gateway: String,
    /// `out` or `in`.
    pub direction: String,
    /// The user; `None`: it belongs to nobody.
    pub jid: Option<String>,
    /// Our address.
    pub line: String,
    /// The peer.
    pub peer: String,
    /// What the delivery is; `None`: it belongs to nobody.
    pub state: Option<State>,
    /// When it was accepted.
    pub created_ms: i64,
    /// When it is tried next.
    pub due_ms: Option<i64>,
    /// Attempts so far.
    pub attempts: i64,
    /// Why the last one failed, as a word.
    pub reason: Option<String>,
    /// The network's code.
    pub code: Option<String>,
}

/// A delivery from its beginning to where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LifeRow {
    /// What a list shows of it too.
    pub waiting: WaitingRow,
    /// How many sends it takes.
    pub units: i64,
    /// How many of them are through.
    pub units_done: i64,
    /// What it costs.
    pub segments: i64,
    /// The account that tried last.
    pub account: Option<String>,
    /// The accounts that can carry it, by name within the gateway.
    pub routes: Vec<String>,
    /// When the last attempt began, where that is kept.
    pub started_ms: Option<i64>,
    /// When it ended.
    pub done_ms: Option<i64>,
    /// What the sender was told last, as a word.
    pub told: Option<String>,
    /// What the sender still has to be told, as a word.
    pub tell: Option<String>,
    /// Whether its text is still kept.
    pub has_body: bool,
    /// Its stanzas.
    pub stanzas: Vec<StanzaRow>,
    /// The ids that networks use for it.
    pub ids: Vec<ExternalRow>,
}

/// A stanza of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StanzaRow {
    /// Its id; empty: it had none.
    pub id: String,
    /// Who sent it, with resource; inwards: who gets it.
    pub full_jid: String,
    /// Whether a receipt was asked for.
    pub receipt: bool,
}

/// A network's id for a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExternalRow {
    /// What sort of id.
    pub kind: String,
    /// The id.
    pub value: String,
    /// Which part it names.
    pub part: i64,
    /// How far that part came, as a word.
    pub progress: String,
}

/// A text that belongs to nobody, with what it takes to deliver it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnownedRow {
    /// Its key.
    pub unowned_id: i64,
    /// The gateway.
    pub gateway_id: i64,
    /// The line it came to.
    pub line_id: i64,
    /// The line's address.
    pub line: String,
    /// `owned`, `pool` or `shared`.
    pub line_kind: String,
    /// Who wrote it.
    pub peer: String,
    /// What was written.
    pub body: String,
    /// When it came.
    pub at_ms: i64,
}

// The sum in ORDER BY keeps the planner on the small index of what waits.
const WAITING: Sql = Sql::both(
    "SELECT d.delivery_id, g.name, m.direction, u.jid, n.address, COALESCE(d.recipient, c.peer), d.state, m.created_ms,
            l.due_ms, d.attempts, d.reason, d.code
       FROM deliveries d
       JOIN messages m ON m.message_id = d.message_id
       JOIN conversations c ON c.conversation_id = m.conversation_id
       JOIN gateways g ON g.gateway_id = c.gateway_id
       JOIN users u ON u.user_id = c.user_id
       JOIN lines n ON n.line_id = c.line_id
       JOIN lanes l ON l.lane_id = d.lane_id
      WHERE d.state IN ('held', 'queued', 'sending')
        AND ($1 = 0 OR c.gateway_id = $1) AND ($2 = '' OR m.direction = $2)
      ORDER BY d.delivery_id + 0 LIMIT $3",
);

const UNOWNED: Sql = Sql::both(
    "SELECT o.unowned_id, g.name, n.address, o.peer, o.at_ms
       FROM unowned o JOIN lines n ON n.line_id = o.line_id JOIN gateways g ON g.gateway_id = n.gateway_id
      WHERE ($1 = 0 OR n.gateway_id = $1) ORDER BY o.unowned_id LIMIT $2",
);

const UNOWNED_ONE: Sql = Sql::both(
    "SELECT o.unowned_id, n.gateway_id, o.line_id, n.address, n.kind, o.peer, o.body, o.at_ms
       FROM unowned o JOIN lines n ON n.line_id = o.line_id WHERE o.unowned_id = $1",
);

const LIFE: Sql = Sql::both(
    "SELECT d.delivery_id, g.name, m.direction, u.jid, n.address, COALESCE(d.recipient, c.peer), d.state, m.created_ms,
            l.due_ms, d.attempts, d.reason, d.code,
            d.units, d.units_done, d.segments, a.name, d.routes, d.started_ms, d.done_ms, d.told, d.tell,
            CASE WHEN m.body IS NULL THEN 0 ELSE 1 END
       FROM deliveries d
       JOIN messages m ON m.message_id = d.message_id
       JOIN conversations c ON c.conversation_id = m.conversation_id
       JOIN gateways g ON g.gateway_id = c.gateway_id
       JOIN users u ON u.user_id = c.user_id
       JOIN lines n ON n.line_id = c.line_id
       JOIN lanes l ON l.lane_id = d.lane_id
       LEFT JOIN accounts a ON a.account_id = d.account_id
      WHERE d.delivery_id = $1",
);

const STANZAS: Sql = Sql::both(
    "SELECT s.stanza_id, s.full_jid, s.receipt FROM deliveries d JOIN message_stanzas s ON s.message_id = d.message_id
      WHERE d.delivery_id = $1 ORDER BY s.created_ms",
);

const IDS: Sql = Sql::both(
    "SELECT kind, value, part, progress FROM external_ids WHERE delivery_id = $1 ORDER BY part, kind, value",
);

const BY_KEY: Sql = Sql::both("SELECT delivery_id FROM deliveries WHERE delivery_id = $1");

const BY_STANZA: Sql = Sql::both(
    "SELECT d.delivery_id FROM message_stanzas s JOIN deliveries d ON d.message_id = s.message_id
      WHERE s.stanza_id = $1 ORDER BY d.delivery_id DESC LIMIT $2",
);

// A repeat is known by user and origin-id: one look into the index a user.
const BY_ORIGIN: Sql = Sql::both(
    "SELECT d.delivery_id FROM users u
      CROSS JOIN message_stanzas s
      CROSS JOIN deliveries d
      WHERE s.user_id = u.user_id AND s.repeat_key = $1 AND d.message_id = s.message_id
      ORDER BY d.delivery_id DESC LIMIT $2",
);

// The index begins with (scope, kind), of which there are few: they are found by hopping through it.
const BY_EXTERNAL: Sql = Sql::both(
    "WITH RECURSIVE pairs (scope_id, kind) AS (
        SELECT s.scope_id, (SELECT MIN(e.kind) FROM external_ids e WHERE e.scope_id = s.scope_id)
          FROM (SELECT account_id AS scope_id FROM accounts UNION ALL SELECT gateway_id FROM gateways) s
        UNION ALL
        SELECT p.scope_id, (SELECT MIN(e.kind) FROM external_ids e WHERE e.scope_id = p.scope_id AND e.kind > p.kind)
          FROM pairs p WHERE p.kind IS NOT NULL)
     SELECT e.delivery_id FROM pairs p CROSS JOIN external_ids e
      WHERE p.kind IS NOT NULL AND e.scope_id = p.scope_id AND e.kind = p.kind AND e.value = $1
      ORDER BY e.delivery_id DESC LIMIT $2",
);

const CONVERSATION: Sql = Sql::both(
    "SELECT conversation_id FROM conversations WHERE user_id = $1 AND peer = $2 AND line_id = $3",
);

const HELD: Sql = Sql::both(
    "SELECT COUNT(*) FROM deliveries
      WHERE state IN ('held', 'queued', 'sending') AND state = 'held' AND code = 'restored'",
);

impl Store {
    /// What waits, the oldest first, texts that belong to nobody among it; `direction` is `out`, `in` or empty for both.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn waiting(
        &self,
        gateway_id: Option<i64>,
        direction: &str,
        limit: i64,
    ) -> Result<Vec<WaitingRow>, StoreError> {
        let params = vec![every(gateway_id), direction.into(), limit.into()];
        let rows = self.rows(WAITING, params).await?;
        let mut waiting: Vec<WaitingRow> =
            rows.iter().map(waiting_row).collect::<Result<_, _>>()?;
        if direction != "out" {
            let rows = self
                .rows(UNOWNED, vec![every(gateway_id), limit.into()])
                .await?;
            for row in &rows {
                waiting.push(unowned_waiting(row)?);
            }
            waiting.sort_by_key(|row| row.id);
            waiting.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Ok(waiting)
    }

    /// A delivery's life.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn life(&self, delivery_id: i64) -> Result<Option<LifeRow>, StoreError> {
        let rows = self.rows(LIFE, vec![delivery_id.into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let stanzas = self.rows(STANZAS, vec![delivery_id.into()]).await?;
        let ids = self.rows(IDS, vec![delivery_id.into()]).await?;
        Ok(Some(LifeRow {
            waiting: waiting_row(row)?,
            units: row.int(12)?,
            units_done: row.int(13)?,
            segments: row.int(14)?,
            account: row.opt_text(15)?.map(str::to_owned),
            routes: StoredRoute::from_json(row.text(16)?)
                .into_iter()
                .map(|route| route.0)
                .collect(),
            started_ms: row.opt_int(17)?,
            done_ms: row.opt_int(18)?,
            told: row.opt_text(19)?.map(str::to_owned),
            tell: row.opt_text(20)?.map(str::to_owned),
            has_body: row.flag(21)?,
            stanzas: stanzas.iter().map(stanza_row).collect::<Result<_, _>>()?,
            ids: ids.iter().map(external_row).collect::<Result<_, _>>()?,
        }))
    }

    /// A text that belongs to nobody.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn unowned(&self, unowned_id: i64) -> Result<Option<UnownedRow>, StoreError> {
        let rows = self.rows(UNOWNED_ONE, vec![unowned_id.into()]).await?;
        let unowned = |row: &Row| {
            Ok(UnownedRow {
                unowned_id: row.int(0)?,
                gateway_id: row.int(1)?,
                line_id: row.int(2)?,
                line: row.text(3)?.to_owned(),
                line_kind: row.text(4)?.to_owned(),
                peer: row.text(5)?.to_owned(),
                body: row.text(6)?.to_owned(),
                at_ms: row.int(7)?,
            })
        };
        rows.first().map(unowned).transpose()
    }

    /// The deliveries that this names: by key, stanza id, origin-id's `repeat_key`, or a network's id. The newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn deliveries_named(
        &self,
        key: Option<i64>,
        id: &str,
        repeat_key: &str,
        limit: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let mut found = Vec::new();
        if let Some(key) = key {
            found.extend(self.rows(BY_KEY, vec![key.into()]).await?);
        }
        let asks = [(BY_STANZA, id), (BY_ORIGIN, repeat_key), (BY_EXTERNAL, id)];
        for (sql, text) in asks {
            let params: Vec<Param> = vec![text.into(), limit.into()];
            found.extend(self.rows(sql, params).await?);
        }
        let mut ids: Vec<i64> = found
            .iter()
            .map(|row| row.int(0))
            .collect::<Result<_, _>>()?;
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        ids.dedup();
        ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(ids)
    }

    /// The conversation of a user with a peer on a line.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn conversation_id(
        &self,
        user_id: i64,
        peer: &str,
        line_id: i64,
    ) -> Result<Option<i64>, StoreError> {
        let rows = self
            .rows(
                CONVERSATION,
                vec![user_id.into(), peer.into(), line_id.into()],
            )
            .await?;
        rows.first().map(|row| row.int(0)).transpose()
    }

    /// How many sends are held since a copy was put back.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn held_since_copy(&self) -> Result<i64, StoreError> {
        let rows = self.rows(HELD, Vec::new()).await?;
        rows.first().ok_or(StoreError::Gone)?.int(0)
    }
}

/// The first twelve columns of what waits and of a life.
fn waiting_row(row: &Row) -> Result<WaitingRow, StoreError> {
    Ok(WaitingRow {
        id: row.int(0)?,
        gateway: row.text(1)?.to_owned(),
        direction: row.text(2)?.to_owned(),
        jid: row.opt_text(3)?.map(str::to_owned),
        line: row.text(4)?.to_owned(),
        peer: row.text(5)?.to_owned(),
        state: State::from_word(row.text(6)?),
        created_ms: row.int(7)?,
        due_ms: row.opt_int(8)?,
        attempts: row.int(9)?,
        reason: row.opt_text(10)?.map(str::to_owned),
        code: row.opt_text(11)?.map(str::to_owned),
    })
}

fn unowned_waiting(row: &Row) -> Result<WaitingRow, StoreError> {
    Ok(WaitingRow {
        id: row.int(0)?,
        gateway: row.text(1)?.to_owned(),
        direction: "in".to_owned(),
        jid: None,
        line: row.text(2)?.to_owned(),
        peer: row.text(3)?.to_owned(),
        state: None,
        created_ms: row.int(4)?,
        due_ms: None,
        attempts: 0,
        reason: None,
        code: None,
    })
}

fn stanza_row(row: &Row) -> Result<StanzaRow, StoreError> {
    Ok(StanzaRow {
        id: row.text(0)?.to_owned(),
        full_jid: row.text(1)?.to_owned(),
        receipt: row.flag(2)?,
    })
}

fn external_row(row: &Row) -> Result<ExternalRow, StoreError> {
    Ok(ExternalRow {
        kind: row.text(0)?.to_owned(),
        value: row.text(1)?.to_owned(),
        part: row.int(2)?,
        progress: row.text(3)?.to_owned(),
    })
}
