//! What users have to be told of their messages.

use super::{Param, Sql, State, Store, StoreError, TellKind, json};

/// One thing to tell, with all that the stanza needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TellRow {
    /// The delivery.
    pub delivery_id: i64,
    /// What to tell.
    pub kind: TellKind,
    /// What was told before.
    pub told: Option<TellKind>,
    /// What the delivery is.
    pub state: State,
    /// Why it failed, as a word.
    pub reason: Option<String>,
    /// The gateway.
    pub gateway_id: i64,
    /// The user's language.
    pub lang: Option<String>,
    /// The stanzas that brought it, the first first: each gets its receipt or its error. Never empty.
    pub stanzas: Vec<ToldStanza>,
    /// The peer.
    pub peer: String,
    /// Our address.
    pub line: String,
    /// What was written.
    pub body: String,
    /// What else belongs to it; holds whether the contact was the pinned one.
    pub payload: Option<String>,
    /// When it was accepted.
    pub created_ms: i64,
    /// The member of a group that it was for.
    pub recipient: Option<String>,
    /// The parts that failed: of what went to a group at once, the places of the members.
    pub failed_parts: Vec<u16>,
    /// Whether all its other members have the message; true for everything else.
    pub others_have_it: bool,
}

/// A stanza of a message, as its sender has to be told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToldStanza {
    /// Who sent it, with resource.
    pub full_jid: String,
    /// Its id; empty: it had none.
    pub stanza_id: String,
    /// Whether a receipt was asked for.
    pub receipt: bool,
}

const COLUMNS_OF: Sql = Sql {
    sqlite: "SELECT d.delivery_id, d.tell, d.told, d.state, d.reason, c.gateway_id, u.lang, s.full_jid, s.stanza_id, s.receipt,
                    c.peer, n.address, m.body, m.payload, m.created_ms, d.recipient,
                    (SELECT COUNT(*) FROM deliveries o WHERE o.message_id = d.message_id AND o.delivery_id <> d.delivery_id
                        AND o.state NOT IN ('delivered', 'read'))
               FROM json_each($1) AS r CROSS JOIN deliveries d CROSS JOIN messages m CROSS JOIN message_stanzas s
              CROSS JOIN conversations c CROSS JOIN lines n CROSS JOIN users u
              WHERE d.delivery_id = r.value AND d.tell IS NOT NULL AND m.message_id = d.message_id
                AND s.message_id = d.message_id AND c.conversation_id = m.conversation_id AND n.line_id = c.line_id
                AND u.user_id = c.user_id
              ORDER BY d.delivery_id, s.created_ms",
    postgres: "SELECT d.delivery_id, d.tell, d.told, d.state, d.reason, c.gateway_id, u.lang, s.full_jid, s.stanza_id, s.receipt,
                      c.peer, n.address, m.body, m.payload, m.created_ms, d.recipient,
                    (SELECT COUNT(*) FROM deliveries o WHERE o.message_id = d.message_id AND o.delivery_id <> d.delivery_id
                        AND o.state NOT IN ('delivered', 'read'))
                 FROM jsonb_array_elements_text($1::jsonb) AS r(value)
                 JOIN deliveries d ON d.delivery_id = CAST(r.value AS BIGINT) AND d.tell IS NOT NULL
                 JOIN messages m ON m.message_id = d.message_id
                 JOIN message_stanzas s ON s.message_id = d.message_id
                 JOIN conversations c ON c.conversation_id = m.conversation_id
                 JOIN lines n ON n.line_id = c.line_id
                 JOIN users u ON u.user_id = c.user_id
                ORDER BY d.delivery_id, s.created_ms",
};

const FAILED_PARTS: Sql = Sql {
    sqlite:
        "SELECT e.delivery_id, e.part FROM json_each($1) AS r CROSS JOIN external_ids e
              WHERE e.delivery_id = r.value AND e.progress IN ('expired', 'failed') ORDER BY e.part",
    postgres: "SELECT e.delivery_id, e.part FROM jsonb_array_elements_text($1::jsonb) AS r(value)
                 JOIN external_ids e ON e.delivery_id = CAST(r.value AS BIGINT)
                WHERE e.progress IN ('expired', 'failed') ORDER BY e.part",
};

const PENDING: Sql = Sql::both(
    "SELECT d.delivery_id, c.gateway_id FROM deliveries d
       JOIN messages m ON m.message_id = d.message_id
       JOIN conversations c ON c.conversation_id = m.conversation_id
      WHERE d.tell IS NOT NULL AND d.delivery_id > $1 ORDER BY d.delivery_id LIMIT $2",
);

impl Store {
    /// What these deliveries' users have to be told; nothing for those that need no telling any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn tells(&self, deliveries: &[i64]) -> Result<Vec<TellRow>, StoreError> {
        if deliveries.is_empty() {
            return Ok(Vec::new());
        }
        let mut tells: Vec<TellRow> = Vec::new();
        for row in self.rows(COLUMNS_OF, vec![json(deliveries)]).await? {
            let stanza = ToldStanza {
                full_jid: row.text(7)?.to_owned(),
                stanza_id: row.text(8)?.to_owned(),
                receipt: row.flag(9)?,
            };
            match tells.last_mut() {
                Some(last) if last.delivery_id == row.int(0)? => last.stanzas.push(stanza),
                _ => tells.push(tell_row(&row, stanza)?),
            }
        }
        let errors = tells.iter().filter(|row| row.kind == TellKind::Error);
        let errors: Vec<i64> = errors.map(|row| row.delivery_id).collect();
        if !errors.is_empty() {
            for row in self.rows(FAILED_PARTS, vec![json(&errors)]).await? {
                let (delivery_id, part) = (row.int(0)?, u16::try_from(row.int(1)?).unwrap_or(0));
                let of_this = tells.iter_mut().find(|row| row.delivery_id == delivery_id);
                if let Some(tell) = of_this {
                    tell.failed_parts.push(part);
                }
            }
        }
        Ok(tells)
    }

    /// The deliveries behind `after` whose users have to be told something, with their gateways.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn pending_tells(
        &self,
        after: i64,
        limit: i64,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let rows = self
            .rows(PENDING, vec![Param::Int(after), limit.into()])
            .await?;
        rows.iter()
            .map(|row| Ok((row.int(0)?, row.int(1)?)))
            .collect()
    }
}

fn tell_row(row: &super::Row, stanza: ToldStanza) -> Result<TellRow, StoreError> {
    Ok(TellRow {
        delivery_id: row.int(0)?,
        kind: TellKind::from_word(row.text(1)?).unwrap_or(TellKind::Doubt),
        told: row.opt_text(2)?.and_then(TellKind::from_word),
        state: State::from_word(row.text(3)?).unwrap_or(State::Unknown),
        reason: row.opt_text(4)?.map(str::to_owned),
        gateway_id: row.int(5)?,
        lang: row.opt_text(6)?.map(str::to_owned),
        stanzas: vec![stanza],
        peer: row.text(10)?.to_owned(),
        line: row.text(11)?.to_owned(),
        body: row.opt_text(12)?.unwrap_or_default().to_owned(),
        payload: row.opt_text(13)?.map(str::to_owned),
        created_ms: row.int(14)?,
        recipient: row.opt_text(15)?.map(str::to_owned),
        failed_parts: Vec::new(),
        others_have_it: row.int(16)? == 0,
    })
}
