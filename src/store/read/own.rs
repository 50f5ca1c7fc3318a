//! What one user has: contacts, lines, blocks, messages; read when the user asks for it.

use serde::{Deserialize, de::DeserializeOwned};

use super::{Row, Sql, Store, StoreError};

/// Somebody whom a user writes with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactListed {
    /// The peer.
    pub peer: String,
    /// The name that the user gave, else the network's.
    pub name: Option<String>,
    /// Our address, of the conversation that was active last.
    pub line: String,
    /// When that was.
    pub active_ms: i64,
    /// Whether the user blocks the peer.
    pub blocked: bool,
}

/// A message that a user sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SentRow {
    /// The delivery.
    pub delivery_id: i64,
    /// Who gets it.
    pub peer: String,
    /// When it was accepted.
    pub created_ms: i64,
    /// What it is, as a word.
    pub state: String,
    /// What it cost.
    pub segments: i64,
    /// Why it failed, as a word.
    pub reason: Option<String>,
}

/// A message of a user, as far as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageKept {
    /// Its key.
    pub message_id: i64,
    /// `out` or `in`.
    pub direction: String,
    /// Our address.
    pub line: String,
    /// The peer.
    pub peer: String,
    /// When it was accepted.
    pub created_ms: i64,
    /// What its delivery is, as a word.
    pub state: Option<String>,
    /// Its text, while that is kept.
    pub body: Option<String>,
    /// Its subject: mail.
    pub subject: Option<String>,
    /// Its files, and the whole mail as it came.
    pub files: Vec<FileKept>,
    /// The ids that clients know it by.
    pub stanzas: Vec<String>,
}

/// A file of a user, as far as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct FileKept {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size; 0 when nobody said.
    pub bytes: i64,
    /// How far it is, as a word.
    pub state: String,
    /// What its content is kept under.
    pub token: String,
    /// Where the user got it.
    pub url: Option<String>,
    /// When its content is removed.
    pub expires_ms: Option<i64>,
}

/// An address that a user made for one purpose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AliasListed {
    /// The line.
    pub line_id: i64,
    /// The address.
    pub address: String,
    /// Since when.
    pub since_ms: i64,
    /// How many people write to it.
    pub writers: i64,
    /// Who was the first of them.
    pub first: Option<String>,
}

const ALIASES: Sql = Sql::both(
    "SELECT l.line_id, l.address, o.since_ms, (SELECT COUNT(*) FROM conversations c WHERE c.line_id = l.line_id),
            (SELECT c.peer FROM conversations c WHERE c.line_id = l.line_id ORDER BY c.conversation_id LIMIT 1)
       FROM line_owners o JOIN lines l ON l.line_id = o.line_id
      WHERE o.jid = $2 AND l.gateway_id = $1 AND l.state = 'active' AND l.source = 'alias' ORDER BY o.since_ms, l.address",
);

const CONTACTS: Sql = Sql::both(
    "SELECT c.peer, COALESCE(k.name, c.peer_name), l.address, c.active_ms,
            CASE WHEN b.peer IS NULL THEN 0 ELSE 1 END
       FROM conversations c JOIN lines l ON l.line_id = c.line_id
       LEFT JOIN contacts k ON k.user_id = c.user_id AND k.peer = c.peer
       LEFT JOIN blocks b ON b.gateway_id = c.gateway_id AND b.user_id = c.user_id AND b.peer = c.peer
      WHERE c.user_id = $1
        AND NOT EXISTS (SELECT 1 FROM conversations o WHERE o.user_id = c.user_id AND o.peer = c.peer
                           AND (o.active_ms > c.active_ms OR (o.active_ms = c.active_ms AND o.conversation_id > c.conversation_id)))
      ORDER BY c.active_ms DESC, c.peer LIMIT $2",
);

const KNOWS: Sql =
    Sql::both("SELECT conversation_id FROM conversations WHERE user_id = $1 AND peer = $2 LIMIT 1");

const LINES: Sql = Sql::both(
    "SELECT l.address FROM line_owners o JOIN lines l ON l.line_id = o.line_id
      WHERE o.jid = $2 AND l.gateway_id = $1 AND l.state = 'active' ORDER BY o.since_ms, l.address",
);

const BLOCKS: Sql = Sql::both(
    "SELECT peer, since_ms FROM blocks WHERE gateway_id = $1 AND user_id = $2 ORDER BY peer LIMIT $3",
);

const SENT: Sql = Sql::both(
    "SELECT d.delivery_id, COALESCE(d.recipient, c.peer), d.created_ms, d.state, d.segments, d.reason
       FROM conversations c JOIN messages m ON m.conversation_id = c.conversation_id
       JOIN deliveries d ON d.message_id = m.message_id
      WHERE c.user_id = $1 AND m.direction = 'out' ORDER BY d.delivery_id DESC LIMIT $2",
);

const KEPT: Sql = Sql {
    sqlite: "SELECT m.message_id, m.direction, l.address, c.peer, m.created_ms,
            (SELECT MAX(d.state) FROM deliveries d WHERE d.message_id = m.message_id), m.body, t.subject,
            (SELECT json_group_array(json_object('name', f.name, 'content_type', f.content_type, 'bytes', f.bytes, 'state', f.state,
                                                 'token', f.token, 'url', f.url, 'expires_ms', f.expires_ms))
               FROM files f WHERE f.message_id = m.message_id),
            (SELECT json_group_array(s.stanza_id) FROM message_stanzas s WHERE s.message_id = m.message_id)
       FROM conversations c JOIN lines l ON l.line_id = c.line_id
       JOIN messages m ON m.conversation_id = c.conversation_id
       LEFT JOIN threads t ON t.thread_id = m.thread_id
      WHERE c.user_id = $1 AND m.message_id > $2 ORDER BY m.message_id LIMIT $3",
    postgres: "SELECT m.message_id, m.direction, l.address, c.peer, m.created_ms,
            (SELECT MAX(d.state) FROM deliveries d WHERE d.message_id = m.message_id), m.body, t.subject,
            (SELECT CAST(jsonb_agg(jsonb_build_object('name', f.name, 'content_type', f.content_type, 'bytes', f.bytes, 'state', f.state,
                                                      'token', f.token, 'url', f.url, 'expires_ms', f.expires_ms)) AS TEXT)
               FROM files f WHERE f.message_id = m.message_id),
            (SELECT CAST(jsonb_agg(s.stanza_id) AS TEXT) FROM message_stanzas s WHERE s.message_id = m.message_id)
       FROM conversations c JOIN lines l ON l.line_id = c.line_id
       JOIN messages m ON m.conversation_id = c.conversation_id
       LEFT JOIN threads t ON t.thread_id = m.thread_id
      WHERE c.user_id = $1 AND m.message_id > $2 ORDER BY m.message_id LIMIT $3",
};

impl Store {
    /// Whom a user writes with, the last active first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn contacts_listed(
        &self,
        user_id: i64,
        limit: i64,
    ) -> Result<Vec<ContactListed>, StoreError> {
        let rows = self
            .rows(CONTACTS, vec![user_id.into(), limit.into()])
            .await?;
        let contact = |row: &Row| {
            Ok(ContactListed {
                peer: row.text(0)?.to_owned(),
                name: row.opt_text(1)?.map(str::to_owned),
                line: row.text(2)?.to_owned(),
                active_ms: row.int(3)?,
                blocked: row.flag(4)?,
            })
        };
        rows.iter().map(contact).collect()
    }

    /// Whether a user has a conversation with a peer.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn knows_peer(&self, user_id: i64, peer: &str) -> Result<bool, StoreError> {
        let rows = self.rows(KNOWS, vec![user_id.into(), peer.into()]).await?;
        Ok(!rows.is_empty())
    }

    /// The lines of a user that can be used, the one owned longest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn lines_of(&self, gateway_id: i64, jid: &str) -> Result<Vec<String>, StoreError> {
        let rows = self
            .rows(LINES, vec![gateway_id.into(), jid.into()])
            .await?;
        rows.iter()
            .map(|row| row.text(0).map(str::to_owned))
            .collect()
    }

    /// The addresses that a user made for one purpose each, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn aliases_of(
        &self,
        gateway_id: i64,
        jid: &str,
    ) -> Result<Vec<AliasListed>, StoreError> {
        let rows = self
            .rows(ALIASES, vec![gateway_id.into(), jid.into()])
            .await?;
        let alias = |row: &Row| {
            Ok(AliasListed {
                line_id: row.int(0)?,
                address: row.text(1)?.to_owned(),
                since_ms: row.int(2)?,
                writers: row.int(3)?,
                first: row.opt_text(4)?.map(str::to_owned),
            })
        };
        rows.iter().map(alias).collect()
    }

    /// The peers that a user blocks, and since when.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn blocks_of(
        &self,
        gateway_id: i64,
        user_id: i64,
        limit: i64,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let params = vec![gateway_id.into(), user_id.into(), limit.into()];
        let rows = self.rows(BLOCKS, params).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?)))
            .collect()
    }

    /// The last messages that a user sent, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sent(&self, user_id: i64, limit: i64) -> Result<Vec<SentRow>, StoreError> {
        let rows = self.rows(SENT, vec![user_id.into(), limit.into()]).await?;
        let sent = |row: &Row| {
            Ok(SentRow {
                delivery_id: row.int(0)?,
                peer: row.text(1)?.to_owned(),
                created_ms: row.int(2)?,
                state: row.text(3)?.to_owned(),
                segments: row.int(4)?,
                reason: row.opt_text(5)?.map(str::to_owned),
            })
        };
        rows.iter().map(sent).collect()
    }

    /// The messages of a user behind `after`, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn messages_kept(
        &self,
        user_id: i64,
        after: i64,
        limit: i64,
    ) -> Result<Vec<MessageKept>, StoreError> {
        let params = vec![user_id.into(), after.into(), limit.into()];
        let rows = self.rows(KEPT, params).await?;
        let kept = |row: &Row| {
            Ok(MessageKept {
                message_id: row.int(0)?,
                direction: row.text(1)?.to_owned(),
                line: row.text(2)?.to_owned(),
                peer: row.text(3)?.to_owned(),
                created_ms: row.int(4)?,
                state: row.opt_text(5)?.map(str::to_owned),
                body: row.opt_text(6)?.map(str::to_owned),
                subject: row.opt_text(7)?.map(str::to_owned),
                files: list(row.opt_text(8)?),
                stanzas: list(row.opt_text(9)?),
            })
        };
        rows.iter().map(kept).collect()
    }
}

fn list<T: DeserializeOwned>(text: Option<&str>) -> Vec<T> {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}
