//! All SQL. One writer commits in groups; readers load what a batch needs in one statement an aspect.
//!
//! - [`writer`]: takes closed sets of [`Write`]s, one static statement a kind, one commit for all, its answer after the commit.
//! - `write/`: what each kind of write does, one file an event.
//! - `read/`: what is loaded, one file an aggregate.
//! - [`processes`]: who runs on this database, and who has which gateway.
//! - `backend`: SQLite and PostgreSQL behind text and integers.
//!
//! Database work runs on tasks that are never cancelled: a dropped commit has an unknown outcome.

mod backend;
#[cfg(test)]
pub(crate) mod fixture;
mod ids;
mod json;
mod migrate;
mod moving;
pub mod processes;
pub mod read;
mod routes;
pub mod write;
pub mod writer;

use std::{path::PathBuf, sync::Arc};

use secrecy::SecretSlice;
use transom_adapter::{Clock, Lifecycle};

use crate::{config::StoreUrl, metrics::Metrics};
pub(crate) use backend::give_to_owner;
use backend::{Connection, Database, Param, Row, Sql};
pub use ids::Ids;
use json::json;
pub use moving::MoveError;
pub use routes::StoredRoute;
pub use write::Write;
pub use writer::{WriteError, Writer};

/// The database of one installation. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    database: Database,
    lifecycle: Lifecycle,
}

/// The store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked, full or broken.
    #[error("the database did not answer: {}{}", .0, backend::advice(.0))]
    Database(#[from] sqlx::Error),
    /// The file of SQLite is there and is not ours, or its folder is not.
    #[error(
        "the database {} cannot be opened: {source}; it, its -wal and its -shm have to belong to the user that transom runs as, in a \
         folder that user may write to: chown --reference={} {}*",
        .path.display(), backend::folder(.path).display(), .path.display()
    )]
    Closed {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// The connection was lost while it committed, or took too long: it may have committed.
    #[error("the database did not say whether it committed")]
    Uncertain,
    /// Somebody else has the number that a registration comes with.
    #[error("somebody else has the number")]
    Taken,
    /// A row holds what no version of transom writes.
    #[error("column {column} holds {found}")]
    Inconsistent {
        /// Counted from 0.
        column: usize,
        /// The type that was found, never the value.
        found: &'static str,
    },
    /// The database was written by a newer transom.
    #[error(
        "the database has migration {found}; this transom knows {known}: install the newer one again"
    )]
    Newer {
        /// The newest migration in the database.
        found: i64,
        /// The newest one here.
        known: i64,
    },
    /// The database was exported, and another one goes on.
    #[error(
        "this database was moved away on {when}: run transom on the one that it was imported into; to go on with this one after all, \
         and with no other, take the mark away: DELETE FROM meta WHERE name = 'moved'"
    )]
    Moved {
        /// When.
        when: String,
    },
    /// Migrations are missing and `store.migrate` is off.
    #[error("the database lacks migration {missing}: run `transom migrate`")]
    Unmigrated {
        /// The first one that is missing.
        missing: i64,
    },
    /// A migration took away what other rows refer to.
    #[error(
        "migration {number} would leave {rows} rows that refer to nothing; the database is as it was"
    )]
    Orphans {
        /// Which one.
        number: i64,
        /// How many rows.
        rows: i64,
    },
    /// A stanza was taken in by another process between the look and the commit.
    #[error("a stanza was taken in already")]
    Repeated,
    /// The task that ran the statement ended early.
    #[error("the database task ended early")]
    Gone,
}

impl StoreError {
    fn inconsistent(column: usize, found: Option<&impl std::fmt::Debug>) -> Self {
        let found = match found.map(|value| format!("{value:?}")).as_deref() {
            None => "nothing",
            Some("Null") => "null",
            Some(text) if text.starts_with("Int") => "an integer",
            Some(_) => "text",
        };
        Self::Inconsistent { column, found }
    }

    /// Whether the statement itself was refused, so that the same one would be refused again: a broken constraint, a bad row.
    pub fn is_data(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                error.is_unique_violation()
                    || error.is_foreign_key_violation()
                    || error.is_check_violation()
                    || error.code().is_some_and(|code| is_about_data(&code))
            }
            Self::Repeated | Self::Taken | Self::Inconsistent { .. } => true,
            _ => false,
        }
    }
}

/// PostgreSQL, appendix A: of class 22 is what cannot be what it is given for, of 23 what breaks a constraint, of 54 what is larger
/// than a row or an index takes. SQLite's own codes are shorter.
fn is_about_data(sqlstate: &str) -> bool {
    sqlstate.len() == 5
        && ["22", "23", "54"]
            .iter()
            .any(|class| sqlstate.starts_with(class))
}

impl Store {
    /// Opens the database.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] when it cannot be opened.
    pub async fn open(url: &StoreUrl, lifecycle: Lifecycle) -> Result<Self, StoreError> {
        let database = Database::open(url).await?;
        Ok(Self {
            database,
            lifecycle,
        })
    }

    /// Applies the migrations that are missing; with `apply` off, refuses to go on without them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`] and [`StoreError::Unmigrated`].
    pub async fn migrate(&self, apply: bool) -> Result<u64, StoreError> {
        let mut connection = self.database.writer().await?;
        migrate::migrate(&mut connection, apply).await
    }

    /// The installation's secret for tokens; made at the first call.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn secret(&self) -> Result<SecretSlice<u8>, StoreError> {
        let fresh = hex::encode(rand::random::<[u8; 32]>());
        let mut connection = self.database.writer().await?;
        let insert = Sql::both(
            "INSERT INTO meta (name, value) VALUES ('secret', $1) ON CONFLICT (name) DO NOTHING",
        );
        connection.run(insert, &[fresh.into()]).await?;
        let rows = connection
            .rows(
                Sql::both("SELECT value FROM meta WHERE name = 'secret'"),
                &[],
            )
            .await?;
        let text = rows.first().ok_or(StoreError::Gone)?.text(0)?.to_owned();
        Ok(text.into_bytes().into())
    }

    /// A maker of keys that are newer than every key in the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn ids(&self, clock: Arc<dyn Clock>, process: i64) -> Result<Ids, StoreError> {
        let newest = self.newest_key().await?;
        Ok(Ids::new(clock, process, newest))
    }

    /// The newest key in the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn newest_key(&self) -> Result<i64, StoreError> {
        const NEWEST: Sql = Sql::both(
            "SELECT COALESCE(MAX(k), 0) FROM (SELECT MAX(delivery_id) AS k FROM deliveries UNION ALL
             SELECT MAX(conversation_id) FROM conversations UNION ALL SELECT MAX(user_id) FROM users UNION ALL
             SELECT MAX(line_id) FROM lines) AS newest",
        );
        let rows = self.rows(NEWEST, Vec::new()).await?;
        rows.first().ok_or(StoreError::Gone)?.int(0)
    }

    /// Starts the writer.
    pub fn writer(&self, metrics: Metrics) -> Writer {
        writer::spawn(self.database.clone(), &self.lifecycle, metrics)
    }

    /// Whether the database takes commits.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it does not.
    pub async fn can_commit(&self) -> Result<(), StoreError> {
        let database = self.database.clone();
        let work = async move {
            let mark = Sql::both(
                "INSERT INTO meta (name, value) VALUES ('ready', '1') ON CONFLICT (name) DO UPDATE SET value = '1'",
            );
            database.writer().await?.run(mark, &[]).await.map(drop)
        };
        self.lifecycle
            .detached(work)
            .await
            .unwrap_or(Err(StoreError::Gone))
    }

    /// Lets go of what was deleted, where the database's log still holds it and nobody is in the way; else the next call does.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database is out of order.
    pub async fn empty_log(&self) -> Result<(), StoreError> {
        let database = self.database.clone();
        let work = async move { database.empty_log().await };
        let emptied = self.lifecycle.detached(work).await;
        emptied.unwrap_or(Err(StoreError::Gone))
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Reads rows on a task of its own, so that a caller that goes away leaves no connection behind in an odd state.
    async fn rows(&self, sql: Sql, params: Vec<Param>) -> Result<Vec<Row>, StoreError> {
        let database = self.database.clone();
        let work = async move { database.reader().await?.rows(sql, &params).await };
        self.lifecycle
            .detached(work)
            .await
            .unwrap_or(Err(StoreError::Gone))
    }
}

/// The word of a count or an id in JSON rows, for columns read back in order.
fn index(value: i64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
