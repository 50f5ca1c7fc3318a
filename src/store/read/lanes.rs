//! What waits, by lane.

use super::{Param, Sql, State, Store, StoreError, StoredRoute};

/// A lane in which something waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DueLane {
    /// The lane; negative: inwards.
    pub lane_id: i64,
    /// When it goes on.
    pub due_ms: i64,
    /// Failures in a row.
    pub failures: u32,
    /// Whose it is.
    pub gateway_id: i64,
}

/// A waiting message to an outside network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutRow {
    /// The delivery.
    pub delivery_id: i64,
    /// Its lane.
    pub lane_id: i64,
    /// Attempts so far.
    pub attempts: u32,
    /// How many of them are through.
    pub units_done: u16,
    /// The accounts that can carry it.
    pub routes: Vec<StoredRoute>,
    /// The account that tried last.
    pub account_id: Option<i64>,
    /// Our address.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The user's bare JID.
    pub jid: String,
    /// What was written.
    pub body: String,
    /// What else belongs to it.
    pub payload: Option<String>,
    /// When it was accepted.
    pub created_ms: i64,
    /// The gateway.
    pub gateway_id: i64,
    /// Attempts of which nobody knows what came.
    pub unknowns: u32,
    /// Whether files go with it.
    pub has_files: bool,
    /// Until when it is held for corrections and retractions; `None`: not any more.
    pub held_until_ms: Option<i64>,
    /// The message that it is a delivery of.
    pub message_id: i64,
    /// Whether it is for one member of a group.
    pub is_member: bool,
    /// When the last attempt with a start mark was begun.
    pub started_ms: Option<i64>,
}

/// A waiting message to a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InRow {
    /// The delivery.
    pub delivery_id: i64,
    /// Its lane.
    pub lane_id: i64,
    /// Attempts so far.
    pub attempts: u32,
    /// The user's bare JID.
    pub jid: String,
    /// Who wrote.
    pub peer: String,
    /// Our address.
    pub line: String,
    /// The stanza's id.
    pub stanza_id: String,
    /// What was written.
    pub body: String,
    /// What else belongs to it.
    pub payload: Option<String>,
    /// When it was accepted.
    pub created_ms: i64,
    /// Whether files came with it.
    pub has_files: bool,
}

/// A delivery that was under way when the process ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sending {
    /// The gateway.
    pub gateway_id: i64,
    /// The delivery.
    pub delivery_id: i64,
    /// Its lane.
    pub lane_id: i64,
    /// By which account.
    pub account_id: Option<i64>,
    /// Attempts, this one included.
    pub attempts: u32,
    /// Those before it of which nobody knows what came.
    pub unknowns: u32,
    /// How many units are through.
    pub units_done: u16,
    /// By which process.
    pub process_id: Option<i64>,
    /// When this one was begun.
    pub started_ms: i64,
}

const DUE: Sql = Sql::both(
    "SELECT l.lane_id, l.due_ms, l.failures, c.gateway_id
       FROM lanes l JOIN conversations c ON c.conversation_id = l.conversation_id
      WHERE l.due_ms IS NOT NULL AND l.due_ms > $1
      ORDER BY l.due_ms LIMIT $2",
);

const OUT: Sql = Sql {
    sqlite: "SELECT d.delivery_id, d.lane_id, d.attempts, d.account_id, d.units_done, d.routes, n.address, COALESCE(d.recipient, c.peer), u.jid, m.body,
                    m.payload, m.created_ms, c.gateway_id, d.unknowns,
                    (SELECT COUNT(*) FROM files f WHERE f.message_id = d.message_id AND f.place >= 0),
                    CASE WHEN d.state = 'held' THEN d.due_ms END, d.message_id,
                    CASE WHEN d.recipient IS NULL THEN 0 ELSE 1 END, d.started_ms
               FROM json_each($1) AS r CROSS JOIN deliveries d CROSS JOIN messages m CROSS JOIN conversations c
              CROSS JOIN lines n CROSS JOIN users u
              WHERE d.lane_id = r.value AND (d.state = 'queued' OR (d.state = 'held' AND d.due_ms IS NOT NULL))
                AND m.message_id = d.message_id AND c.conversation_id = m.conversation_id AND n.line_id = c.line_id AND u.user_id = c.user_id
                AND d.delivery_id IN (SELECT q.delivery_id FROM deliveries q
                                       WHERE q.lane_id = r.value AND q.state IN ('held', 'queued', 'sending')
                                       ORDER BY q.delivery_id LIMIT $2)
              ORDER BY d.delivery_id",
    postgres: "SELECT d.delivery_id, d.lane_id, d.attempts, d.account_id, d.units_done, d.routes, n.address, COALESCE(d.recipient, c.peer), u.jid, m.body,
                      m.payload, m.created_ms, c.gateway_id, d.unknowns,
                      (SELECT COUNT(*) FROM files f WHERE f.message_id = d.message_id AND f.place >= 0),
                      CASE WHEN d.state = 'held' THEN d.due_ms END, d.message_id,
                    CASE WHEN d.recipient IS NULL THEN 0 ELSE 1 END, d.started_ms
                 FROM jsonb_array_elements_text($1::jsonb) AS r(value)
                CROSS JOIN LATERAL (SELECT * FROM deliveries q
                                     WHERE q.lane_id = CAST(r.value AS BIGINT) AND q.state IN ('held', 'queued', 'sending')
                                     ORDER BY q.delivery_id LIMIT $2) d
                 JOIN messages m ON m.message_id = d.message_id
                 JOIN conversations c ON c.conversation_id = m.conversation_id
                 JOIN lines n ON n.line_id = c.line_id
                 JOIN users u ON u.user_id = c.user_id
                WHERE d.state = 'queued' OR (d.state = 'held' AND d.due_ms IS NOT NULL)
                ORDER BY d.delivery_id",
};

const IN: Sql = Sql {
    sqlite: "SELECT d.delivery_id, d.lane_id, d.attempts, u.jid, c.peer,
                    n.address, s.stanza_id, m.body, m.payload, m.created_ms,
                      (SELECT COUNT(*) FROM files f WHERE f.message_id = d.message_id AND f.place >= 0)
               FROM json_each($1) AS r CROSS JOIN deliveries d CROSS JOIN messages m CROSS JOIN message_stanzas s
              CROSS JOIN conversations c CROSS JOIN lines n CROSS JOIN users u
              WHERE d.lane_id = r.value AND d.state = 'queued' AND m.message_id = d.message_id
                AND s.message_id = d.message_id AND c.conversation_id = m.conversation_id AND n.line_id = c.line_id
                AND u.user_id = c.user_id
                AND d.delivery_id IN (SELECT q.delivery_id FROM deliveries q
                                       WHERE q.lane_id = r.value AND q.state IN ('held', 'queued', 'sending')
                                       ORDER BY q.delivery_id LIMIT $2)
              ORDER BY d.delivery_id",
    postgres: "SELECT d.delivery_id, d.lane_id, d.attempts, u.jid, c.peer,
                      n.address, s.stanza_id, m.body, m.payload, m.created_ms,
                      (SELECT COUNT(*) FROM files f WHERE f.message_id = d.message_id AND f.place >= 0)
                 FROM jsonb_array_elements_text($1::jsonb) AS r(value)
                CROSS JOIN LATERAL (SELECT * FROM deliveries q
                                     WHERE q.lane_id = CAST(r.value AS BIGINT) AND q.state IN ('held', 'queued', 'sending')
                                     ORDER BY q.delivery_id LIMIT $2) d
                 JOIN messages m ON m.message_id = d.message_id
                 JOIN message_stanzas s ON s.message_id = d.message_id
                 JOIN conversations c ON c.conversation_id = m.conversation_id
                 JOIN lines n ON n.line_id = c.line_id
                 JOIN users u ON u.user_id = c.user_id
                WHERE d.state = 'queued'
                ORDER BY d.delivery_id",
};

const SENDING: Sql = Sql::both(
    "SELECT d.delivery_id, d.lane_id, d.account_id, d.attempts, d.units_done, d.process_id, d.unknowns, c.gateway_id, d.started_ms
       FROM deliveries d
       JOIN messages m ON m.message_id = d.message_id
       JOIN conversations c ON c.conversation_id = m.conversation_id
      WHERE d.state = 'sending' AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.process_id = d.process_id)
      ORDER BY d.delivery_id",
);

const OVERDUE: Sql = Sql::both(
    "SELECT delivery_id, state FROM deliveries WHERE due_ms IS NOT NULL AND due_ms <= $1 AND state <> 'held'
      ORDER BY due_ms LIMIT $2",
);

const DEPTHS: Sql = Sql::both(
    "SELECT c.gateway_id, m.direction, COUNT(*)
       FROM deliveries d
       JOIN messages m ON m.message_id = d.message_id
       JOIN conversations c ON c.conversation_id = m.conversation_id
      WHERE d.state IN ('held', 'queued', 'sending')
      GROUP BY c.gateway_id, m.direction",
);

impl Store {
    /// How many messages of each gateway wait, outwards (true) and inwards. Gateways without any are missing.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn depths(&self) -> Result<Vec<(i64, bool, u64)>, StoreError> {
        let rows = self.rows(DEPTHS, Vec::new()).await?;
        let depth = |row: &super::Row| {
            let count = u64::try_from(row.int(2)?).unwrap_or_default();
            Ok((row.int(0)?, row.text(1)? == "out", count))
        };
        rows.iter().map(depth).collect()
    }

    /// The lanes in which something waits and that are due after `after_ms`, in the order of their time.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn due_lanes(&self, after_ms: i64, limit: i64) -> Result<Vec<DueLane>, StoreError> {
        let rows = self.rows(DUE, vec![after_ms.into(), limit.into()]).await?;
        let lane = |row: &super::Row| {
            Ok(DueLane {
                lane_id: row.int(0)?,
                due_ms: row.int(1)?,
                failures: small(row.int(2)?),
                gateway_id: row.int(3)?,
            })
        };
        rows.iter().map(lane).collect()
    }

    /// The first waiting messages of each of these lanes, outwards.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn waiting_out(&self, lanes: &[i64], a_lane: i64) -> Result<Vec<OutRow>, StoreError> {
        let rows = self.rows(OUT, lanes_params(lanes, a_lane)).await?;
        let out = |row: &super::Row| {
            Ok(OutRow {
                delivery_id: row.int(0)?,
                lane_id: row.int(1)?,
                attempts: small(row.int(2)?),
                account_id: row.opt_int(3)?,
                units_done: small(row.int(4)?),
                routes: StoredRoute::from_json(row.text(5)?),
                from: row.text(6)?.to_owned(),
                to: row.text(7)?.to_owned(),
                jid: row.text(8)?.to_owned(),
                body: row.opt_text(9)?.unwrap_or_default().to_owned(),
                payload: row.opt_text(10)?.map(str::to_owned),
                created_ms: row.int(11)?,
                gateway_id: row.int(12)?,
                unknowns: small(row.int(13)?),
                has_files: row.flag(14)?,
                held_until_ms: row.opt_int(15)?,
                message_id: row.int(16)?,
                is_member: row.flag(17)?,
                started_ms: row.opt_int(18)?,
            })
        };
        rows.iter().map(out).collect()
    }

    /// The first waiting messages of each of these lanes, inwards.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn waiting_in(&self, lanes: &[i64], a_lane: i64) -> Result<Vec<InRow>, StoreError> {
        let rows = self.rows(IN, lanes_params(lanes, a_lane)).await?;
        let row = |row: &super::Row| {
            Ok(InRow {
                delivery_id: row.int(0)?,
                lane_id: row.int(1)?,
                attempts: small(row.int(2)?),
                jid: row.text(3)?.to_owned(),
                peer: row.text(4)?.to_owned(),
                line: row.text(5)?.to_owned(),
                stanza_id: row.text(6)?.to_owned(),
                body: row.opt_text(7)?.unwrap_or_default().to_owned(),
                payload: row.opt_text(8)?.map(str::to_owned),
                created_ms: row.int(9)?,
                has_files: row.flag(10)?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// What was under way in processes that are gone, and has not ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sending(&self) -> Result<Vec<Sending>, StoreError> {
        let rows = self.rows(SENDING, Vec::new()).await?;
        let row = |row: &super::Row| {
            Ok(Sending {
                delivery_id: row.int(0)?,
                lane_id: row.int(1)?,
                account_id: row.opt_int(2)?,
                attempts: small(row.int(3)?),
                units_done: small(row.int(4)?),
                process_id: row.opt_int(5)?,
                unknowns: small(row.int(6)?),
                gateway_id: row.int(7)?,
                started_ms: row.opt_int(8)?.unwrap_or_default(),
            })
        };
        rows.iter().map(row).collect()
    }

    /// Deliveries that have to be looked at again: doubts to be told, reports that are overdue.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn overdue(&self, now_ms: i64, limit: i64) -> Result<Vec<(i64, State)>, StoreError> {
        let rows = self
            .rows(OVERDUE, vec![now_ms.into(), limit.into()])
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.int(0)?,
                    State::from_word(row.text(1)?).unwrap_or(State::Unknown),
                ))
            })
            .collect()
    }
}

fn lanes_params(lanes: &[i64], a_lane: i64) -> Vec<Param> {
    vec![super::json(lanes), a_lane.into()]
}

fn small<T: TryFrom<i64> + Default>(value: i64) -> T {
    T::try_from(value).unwrap_or_default()
}
