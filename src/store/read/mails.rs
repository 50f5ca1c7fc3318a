//! Mails that came to users: the newest of a chat, and one by its id.

use super::{Row, Sql, Store, StoreError};

/// A mail that came to a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailRow {
    /// Its key.
    pub message_id: i64,
    /// Our address that it came to.
    pub line: String,
    /// What belongs to it besides its text.
    pub payload: Option<String>,
    /// The user's own choices, a JSON object.
    pub settings: String,
}

/// A mail, and the chat that it stands in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlacedMail {
    /// The mail.
    pub mail: MailRow,
    /// The user's bare JID.
    pub jid: String,
    /// Who wrote it, or the group.
    pub peer: String,
    /// The id of its first stanza.
    pub stanza_id: Option<String>,
}

const MAILS: Sql = Sql::both(
    "SELECT m.message_id, l.address, m.payload, u.settings
       FROM users u JOIN conversations c ON c.user_id = u.user_id JOIN lines l ON l.line_id = c.line_id
       JOIN messages m ON m.conversation_id = c.conversation_id
      WHERE u.gateway_id = $1 AND u.jid = $2 AND c.peer = $3 AND m.direction = 'in' AND m.payload IS NOT NULL
        AND ($4 = '' OR m.message_id IN (SELECT s.message_id FROM message_stanzas s WHERE s.stanza_id = $4))
      ORDER BY m.message_id DESC LIMIT $5",
);

const MAIL_BY_ID: Sql = Sql::both(
    "SELECT m.message_id, l.address, m.payload, u.settings, u.jid, c.peer,
            (SELECT s.stanza_id FROM message_stanzas s WHERE s.message_id = m.message_id ORDER BY s.created_ms LIMIT 1)
       FROM external_ids e JOIN deliveries d ON d.delivery_id = e.delivery_id JOIN messages m ON m.message_id = d.message_id
       JOIN conversations c ON c.conversation_id = m.conversation_id
       JOIN users u ON u.user_id = c.user_id JOIN lines l ON l.line_id = c.line_id
      WHERE e.scope_id = $1 AND e.kind = $2 AND e.value = $3 AND m.direction = 'in'",
);

impl Store {
    /// The newest mails from somebody to a user, or the one that this stanza was made of.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn mails_of(
        &self,
        gateway_id: i64,
        (jid, peer): (&str, &str),
        stanza_id: Option<&str>,
        limit: i64,
    ) -> Result<Vec<MailRow>, StoreError> {
        let params = vec![
            gateway_id.into(),
            jid.into(),
            peer.into(),
            stanza_id.unwrap_or_default().into(),
            limit.into(),
        ];
        let rows = self.rows(MAILS, params).await?;
        rows.iter().map(mail_row).collect()
    }

    /// The mail that is known under this id, and in which chat it stands.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn mail_by_id(
        &self,
        scope_id: i64,
        (kind, value): (&str, &str),
    ) -> Result<Option<PlacedMail>, StoreError> {
        let params = vec![scope_id.into(), kind.into(), value.into()];
        let rows = self.rows(MAIL_BY_ID, params).await?;
        let placed = |row: &Row| {
            Ok(PlacedMail {
                mail: mail_row(row)?,
                jid: row.text(4)?.to_owned(),
                peer: row.text(5)?.to_owned(),
                stanza_id: row.opt_text(6)?.map(str::to_owned),
            })
        };
        rows.first().map(placed).transpose()
    }
}

fn mail_row(row: &Row) -> Result<MailRow, StoreError> {
    Ok(MailRow {
        message_id: row.int(0)?,
        line: row.text(1)?.to_owned(),
        payload: row.opt_text(2)?.map(str::to_owned),
        settings: row.text(3)?.to_owned(),
    })
}
