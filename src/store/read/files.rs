//! Files: of a message, by token, and which of them have expired.

use super::{Row, Sql, Store, StoreError};
use crate::store::write::{FileRow, FileState};

const OF_MESSAGE: Sql = Sql::both(
    "SELECT file_id, place, state, token, name, content_type, bytes, digest, source, account_id, url, link, created_ms, expires_ms
       FROM files WHERE message_id = $1 AND place >= 0 ORDER BY place",
);

const BY_TOKEN: Sql = Sql::both(
    "SELECT file_id, place, state, token, name, content_type, bytes, digest, source, account_id, url, link, created_ms, expires_ms
       FROM files WHERE token = $1",
);

const ORIGINAL_OF: Sql = Sql::both(
    "SELECT f.file_id, f.place, f.state, f.token, f.name, f.content_type, f.bytes, f.digest, f.source, f.account_id, f.url, f.link,
            f.created_ms, f.expires_ms
       FROM users u JOIN conversations c ON c.user_id = u.user_id JOIN messages m ON m.conversation_id = c.conversation_id
       JOIN files f ON f.message_id = m.message_id
      WHERE u.gateway_id = $1 AND u.jid = $2 AND c.peer = $3 AND f.place < 0 AND f.state = 'stored'
        AND ($4 = '' OR m.message_id IN (SELECT s.message_id FROM message_stanzas s WHERE s.stanza_id = $4))
      ORDER BY m.message_id DESC LIMIT 1",
);

const EXPIRED: Sql = Sql::both(
    "SELECT file_id, token FROM files WHERE expires_ms IS NOT NULL AND expires_ms <= $1 ORDER BY expires_ms LIMIT $2",
);

const GONE: Sql = Sql::both("SELECT token FROM gone_files ORDER BY token LIMIT $1");

const KNOWN: Sql = Sql {
    sqlite: "SELECT f.token FROM json_each($1) AS r CROSS JOIN files f WHERE f.token = r.value AND f.state <> 'expired'",
    postgres: "SELECT f.token FROM jsonb_array_elements_text($1::jsonb) AS r(value) JOIN files f ON f.token = r.value
                WHERE f.state <> 'expired'",
};

impl Store {
    /// The files of a message, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn files_of(&self, message_id: i64) -> Result<Vec<FileRow>, StoreError> {
        let rows = self.rows(OF_MESSAGE, vec![message_id.into()]).await?;
        rows.iter().map(file).collect()
    }

    /// The whole mail that came last from somebody to a user, or that this stanza was made of.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn original_of(
        &self,
        gateway_id: i64,
        (jid, peer): (&str, &str),
        stanza_id: Option<&str>,
    ) -> Result<Option<FileRow>, StoreError> {
        let params = vec![
            gateway_id.into(),
            jid.into(),
            peer.into(),
            stanza_id.unwrap_or_default().into(),
        ];
        let rows = self.rows(ORIGINAL_OF, params).await?;
        rows.first().map(file).transpose()
    }

    /// The file whose URL holds this token.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn file(&self, token: &str) -> Result<Option<FileRow>, StoreError> {
        let rows = self.rows(BY_TOKEN, vec![token.into()]).await?;
        rows.first().map(file).transpose()
    }

    /// Files whose time is over, with the tokens that their contents are kept under.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn expired_files(
        &self,
        now_ms: i64,
        limit: i64,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let rows = self
            .rows(EXPIRED, vec![now_ms.into(), limit.into()])
            .await?;
        rows.iter()
            .map(|row| Ok((row.int(0)?, row.text(1)?.to_owned())))
            .collect()
    }

    /// Tokens of contents whose rows are gone, with their user.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn gone_files(&self, limit: i64) -> Result<Vec<String>, StoreError> {
        let rows = self.rows(GONE, vec![limit.into()]).await?;
        rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
    }

    /// Which of these tokens belong to files that are kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn known_tokens(&self, tokens: &[String]) -> Result<Vec<String>, StoreError> {
        let rows = self.rows(KNOWN, vec![super::json(tokens)]).await?;
        rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
    }
}

fn file(row: &Row) -> Result<FileRow, StoreError> {
    Ok(FileRow {
        file_id: row.int(0)?,
        place: row.int(1)?,
        state: FileState::from_word(row.text(2)?),
        token: row.text(3)?.to_owned(),
        name: row.text(4)?.to_owned(),
        content_type: row.text(5)?.to_owned(),
        bytes: row.int(6)?,
        digest: row.opt_text(7)?.map(str::to_owned),
        source: row.opt_text(8)?.map(str::to_owned),
        account_id: row.opt_int(9)?,
        url: row.opt_text(10)?.map(str::to_owned),
        link: row.flag(11)?,
        created_ms: row.int(12)?,
        expires_ms: row.opt_int(13)?,
    })
}
