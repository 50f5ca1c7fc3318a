//! Files: rows that come with their message, what became of each, and that they expired.

use serde::Serialize;

use super::{Connection, Sql, StoreError, for_rows, run_rows};

/// The place of a whole mail as it came: no file of the message, given out when the user asks.
pub const ORIGINAL: i64 = -1;

/// A file of a message, written with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NewFile {
    /// Its key.
    pub file_id: i64,
    /// The message that it belongs to.
    pub message_id: i64,
    /// Its place among the files of the message, counted from 0; or [`ORIGINAL`].
    pub place: i64,
    /// Whether its content is there.
    pub state: FileState,
    /// What its content is kept under, and what its URL holds: not to be guessed.
    pub token: String,
    /// Its name, without a path.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size; 0 when nobody said.
    pub bytes: i64,
    /// SHA-256 of its content, hexadecimal.
    pub digest: Option<String>,
    /// The URL that it has to be fetched from.
    pub source: Option<String>,
    /// The account that fetches it; without one it is fetched from anywhere, under the guard.
    pub account_id: Option<i64>,
    /// The text of the message leads to it; the network does not carry it. 0 or 1.
    pub link: i64,
    /// Now.
    pub created_ms: i64,
    /// When its content is removed.
    pub expires_ms: i64,
}

/// How far a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// It has to be fetched.
    Waiting,
    /// Its content is here.
    Stored,
    /// It could not be fetched or kept.
    Failed,
    /// Its content was removed.
    Expired,
}

impl FileState {
    /// The state with this word; an unknown one counts as failed.
    pub fn from_word(word: &str) -> Self {
        match word {
            "waiting" => Self::Waiting,
            "stored" => Self::Stored,
            "expired" => Self::Expired,
            _ => Self::Failed,
        }
    }
}

/// A file as it is from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FileRow {
    /// Its key.
    pub file_id: i64,
    /// Its place among the files of the message, counted from 0.
    pub place: i64,
    /// How far it is.
    pub state: FileState,
    /// What its content is kept under.
    pub token: String,
    /// Its name, without a path; agrees with its type once it is stored.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size; 0 when nobody said.
    pub bytes: i64,
    /// SHA-256 of its content, hexadecimal.
    pub digest: Option<String>,
    /// The URL that it has to be fetched from.
    pub source: Option<String>,
    /// The account that fetches it.
    pub account_id: Option<i64>,
    /// Where the user gets it.
    pub url: Option<String>,
    /// The text of the message leads to it.
    pub link: bool,
    /// When the message was accepted.
    pub created_ms: i64,
    /// When its content is removed.
    pub expires_ms: Option<i64>,
}

const INSERT: Sql = for_rows!(
    "INSERT INTO files (file_id, message_id, place, state, token, name, content_type, bytes, digest, source, account_id, link,
                        created_ms, expires_ms)
     SELECT CAST(r.value ->> 'file_id' AS BIGINT), CAST(r.value ->> 'message_id' AS BIGINT),
            CAST(r.value ->> 'place' AS BIGINT), r.value ->> 'state', r.value ->> 'token', r.value ->> 'name',
            r.value ->> 'content_type', CAST(r.value ->> 'bytes' AS BIGINT), r.value ->> 'digest', r.value ->> 'source',
            CAST(r.value ->> 'account_id' AS BIGINT), CAST(r.value ->> 'link' AS BIGINT),
            CAST(r.value ->> 'created_ms' AS BIGINT), CAST(r.value ->> 'expires_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1"
);

const UPDATE: Sql = for_rows!(
    "UPDATE files
        SET state = r.value ->> 'state', name = r.value ->> 'name', content_type = r.value ->> 'content_type',
            bytes = CAST(r.value ->> 'bytes' AS BIGINT), digest = r.value ->> 'digest', url = r.value ->> 'url',
            expires_ms = CAST(r.value ->> 'expires_ms' AS BIGINT)
       FROM",
    "WHERE files.file_id = CAST(r.value ->> 'file_id' AS BIGINT) AND files.state <> 'expired'"
);

const EXPIRE: Sql = for_rows!(
    "UPDATE files SET state = 'expired', expires_ms = NULL
       FROM",
    "WHERE files.file_id = CAST(r.value ->> 0 AS BIGINT)"
);

const GONE: Sql = for_rows!(
    "DELETE FROM gone_files WHERE token IN (SELECT r.value ->> 0 FROM",
    ")"
);

/// Adds the files of messages that were just written.
pub(super) async fn insert(
    connection: &mut Connection,
    rows: &[&NewFile],
) -> Result<(), StoreError> {
    run_rows(connection, INSERT, rows).await.map(drop)
}

/// Changes what became of files, what expired, and whose contents are gone.
pub(super) async fn apply(
    connection: &mut Connection,
    changed: &[&FileRow],
    expired: &[i64],
    gone: &[&str],
) -> Result<(), StoreError> {
    run_rows(connection, UPDATE, changed).await?;
    let expired: Vec<[i64; 1]> = expired.iter().map(|file_id| [*file_id]).collect();
    run_rows(connection, EXPIRE, &expired).await?;
    let gone: Vec<[&str; 1]> = gone.iter().map(|token| [*token]).collect();
    run_rows(connection, GONE, &gone).await?;
    Ok(())
}
