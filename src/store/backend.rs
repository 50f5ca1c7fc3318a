//! SQLite and PostgreSQL behind one small face: statements take text and integers, rows give text and integers.
//!
//! The schema has no other types, so this is all there is to a backend; `sqlx::Any` does not carry even these faithfully. A statement's
//! text is the same on both where it can be; [`Sql`] holds both where it cannot.

mod files;
mod rows;

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions as _, Executor as _, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use secrecy::ExposeSecret;

use self::files::cannot_use;
pub(crate) use self::files::give_to_owner;
pub(super) use self::files::{advice, folder, private_file};
pub(super) use self::rows::{Param, Row};
use self::rows::{pg_arguments, pg_row, sqlite_arguments, sqlite_row};
use super::{StoreError, processes::Session};
use crate::config::StoreUrl;

/// One statement in both dialects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sql {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

impl Sql {
    /// A statement that both engines understand.
    pub(super) const fn both(text: &'static str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }
}

/// A set-based statement: `{head} <rows of the JSON array in $1, as r.value> {tail}`.
///
/// `CROSS JOIN` behind the rows keeps SQLite from planning the join the wrong way round.
macro_rules! for_rows {
    ($head:literal, $tail:literal) => {
        $crate::store::backend::Sql {
            sqlite: concat!($head, " jsonb_each($1) AS r ", $tail),
            postgres: concat!(
                $head,
                " jsonb_array_elements($1::jsonb) AS r(value) ",
                $tail
            ),
        }
    };
}
pub(super) use for_rows;

/// The database: one connection that writes, a few that read.
#[derive(Clone, Debug)]
pub(super) enum Database {
    Sqlite { write: SqlitePool, read: SqlitePool },
    Postgres(PgPool),
}

/// A connection, for the length of a transaction or of a read.
///
/// One that is dropped inside a transaction is closed instead of going back to the pool: the next user would find
/// itself in that transaction (transact-rs/sqlx#4385).
pub(super) struct Connection {
    engine: Engine,
    in_transaction: bool,
}

enum Engine {
    Sqlite(sqlx::pool::PoolConnection<sqlx::Sqlite>),
    Postgres(sqlx::pool::PoolConnection<sqlx::Postgres>),
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.in_transaction {
            match &mut self.engine {
                Engine::Sqlite(connection) => connection.close_on_drop(),
                Engine::Postgres(connection) => connection.close_on_drop(),
            }
        }
    }
}

/// Readers besides the one writer; each holds a thread of SQLite's.
const READERS: u32 = 2;
/// One of them listens to the other processes.
const POSTGRES_CONNECTIONS: u32 = 9;
/// How long a statement waits for a connection or a lock before the store counts as out of order.
const PATIENCE: Duration = Duration::from_secs(10);

impl Database {
    /// Opens the file or connects to the server.
    pub(super) async fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        let path = match url {
            StoreUrl::Postgres(url) => return Self::open_postgres(url.expose_secret()).await,
            StoreUrl::Sqlite(path) => path,
        };
        // It is there already, as a rule; what else goes wrong here SQLite says in a moment.
        if let Ok(made) = private_file(path) {
            give_to_owner(&made, path);
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .pragma("wal_autocheckpoint", "2000")
            .pragma("journal_size_limit", "67108864")
            // What is deleted is overwritten, not only forgotten.
            .pragma("secure_delete", "on")
            // What a statement over many rows would undo is some hundred kilobytes: no file for that.
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        let pool = |size| {
            SqlitePoolOptions::new()
                .max_connections(size)
                .min_connections(1)
                .acquire_timeout(PATIENCE)
        };
        let write = pool(1)
            .idle_timeout(None)
            .max_lifetime(None)
            // Kibibytes: the pages that one commit after the other touches.
            .connect_with(options.clone().pragma("cache_size", "-8192"))
            .await
            .map_err(|error| cannot_use(path, error))?;
        let read = pool(READERS).connect_with(options).await?;
        Ok(Self::Sqlite { write, read })
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("transom")
            .options([
                ("statement_timeout", "30s"),
                // A process that was stopped in the middle of a transaction must not hold up the others for long.
                ("idle_in_transaction_session_timeout", "5s"),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(PATIENCE);
        Ok(Self::Postgres(pool.connect_with(options).await?))
    }

    /// The connection that writes.
    pub(super) async fn writer(&self) -> Result<Connection, StoreError> {
        let engine = match self {
            Self::Sqlite { write, .. } => Engine::Sqlite(write.acquire().await?),
            Self::Postgres(pool) => Engine::Postgres(pool.acquire().await?),
        };
        Ok(Connection {
            engine,
            in_transaction: false,
        })
    }

    /// A connection that reads.
    pub(super) async fn reader(&self) -> Result<Connection, StoreError> {
        let engine = match self {
            Self::Sqlite { read, .. } => Engine::Sqlite(read.acquire().await?),
            Self::Postgres(pool) => Engine::Postgres(pool.acquire().await?),
        };
        Ok(Connection {
            engine,
            in_transaction: false,
        })
    }

    /// Whether this is PostgreSQL.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Listens to a channel, on a connection of its own; `None` on SQLite, which has none.
    pub(super) async fn listen(
        &self,
        channel: &str,
    ) -> Result<Option<(PgListener, Session)>, StoreError> {
        const SESSION: &str = "SELECT CAST(pid AS BIGINT), CAST(EXTRACT(EPOCH FROM backend_start) * 1000000 AS BIGINT)
                                 FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        let Self::Postgres(pool) = self else {
            return Ok(None);
        };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(channel).await?;
        let (backend, since_micros) = sqlx::query_as(SESSION).fetch_one(&mut listener).await?;
        let session = Session {
            backend,
            since_micros,
        };
        Ok(Some((listener, session)))
    }

    /// Empties SQLite's log, in which what was deleted meanwhile still stands, unless somebody reads or writes just now.
    pub(super) async fn empty_log(&self) -> Result<(), StoreError> {
        let Self::Sqlite { read, .. } = self else {
            return Ok(());
        };
        let mut connection = read.acquire().await?;
        // Whoever works goes on: it is the log that waits.
        connection.execute("PRAGMA busy_timeout = 0").await?;
        let emptied = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
        let patience = format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis());
        connection.execute(sqlx::AssertSqlSafe(patience)).await?;
        emptied.map(drop)?;
        Ok(())
    }

    /// Closes every connection; SQLite's log is folded into the file.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Connection {
    /// Whether this is PostgreSQL.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Runs several statements without parameters: migrations, BEGIN, COMMIT.
    pub(super) async fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        match &mut self.engine {
            Engine::Sqlite(connection) => {
                connection.execute(sqlx::raw_sql(text)).await.map(drop)?;
            }
            Engine::Postgres(connection) => {
                connection.execute(sqlx::raw_sql(text)).await.map(drop)?;
            }
        }
        Ok(())
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        let text = if self.is_postgres() {
            "BEGIN"
        } else {
            "BEGIN IMMEDIATE"
        };
        self.in_transaction = true;
        self.batch(text).await
    }

    /// Ends the transaction; after an error it is rolled back.
    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        match self.batch("COMMIT").await {
            Ok(()) => {
                self.in_transaction = false;
                Ok(())
            }
            Err(error) => {
                // A full disk leaves the transaction open.
                self.rollback().await;
                Err(error)
            }
        }
    }

    /// Whether a commit that failed may stand: its server was lost before it answered. SQLite has no server.
    pub(super) fn may_have_committed(&self) -> bool {
        self.in_transaction && self.is_postgres()
    }

    /// Gives the transaction up. Where even that fails, the connection is closed with it.
    pub(super) async fn rollback(&mut self) {
        self.in_transaction = self.batch("ROLLBACK").await.is_err();
    }

    /// Runs one statement; says how many rows it touched.
    pub(super) async fn run(&mut self, sql: Sql, params: &[Param]) -> Result<u64, StoreError> {
        Ok(match &mut self.engine {
            Engine::Sqlite(connection) => connection
                .execute(sqlx::query_with(sql.sqlite, sqlite_arguments(params)?))
                .await?
                .rows_affected(),
            Engine::Postgres(connection) => connection
                .execute(sqlx::query_with(sql.postgres, pg_arguments(params)?))
                .await?
                .rows_affected(),
        })
    }

    /// Runs a statement that was made of the database's own names.
    pub(super) async fn run_of(
        &mut self,
        text: String,
        params: &[Param],
    ) -> Result<u64, StoreError> {
        let text = sqlx::AssertSqlSafe(text);
        Ok(match &mut self.engine {
            Engine::Sqlite(connection) => connection
                .execute(sqlx::query_with(text, sqlite_arguments(params)?))
                .await?
                .rows_affected(),
            Engine::Postgres(connection) => connection
                .execute(sqlx::query_with(text, pg_arguments(params)?))
                .await?
                .rows_affected(),
        })
    }

    /// Reads the rows of such a statement.
    pub(super) async fn rows_of(
        &mut self,
        text: String,
        params: &[Param],
    ) -> Result<Vec<Row>, StoreError> {
        let text = sqlx::AssertSqlSafe(text);
        match &mut self.engine {
            Engine::Sqlite(connection) => {
                let query = sqlx::query_with(text, sqlite_arguments(params)?);
                let rows = connection.fetch_all(query).await?;
                rows.iter().map(sqlite_row).collect()
            }
            Engine::Postgres(connection) => {
                let query = sqlx::query_with(text, pg_arguments(params)?);
                let rows = connection.fetch_all(query).await?;
                rows.iter().map(pg_row).collect()
            }
        }
    }

    /// Runs one statement and reads its rows.
    pub(super) async fn rows(
        &mut self,
        sql: Sql,
        params: &[Param],
    ) -> Result<Vec<Row>, StoreError> {
        match &mut self.engine {
            Engine::Sqlite(connection) => {
                let query = sqlx::query_with(sql.sqlite, sqlite_arguments(params)?);
                let rows = connection.fetch_all(query).await?;
                rows.iter().map(sqlite_row).collect()
            }
            Engine::Postgres(connection) => {
                let query = sqlx::query_with(sql.postgres, pg_arguments(params)?);
                let rows = connection.fetch_all(query).await?;
                rows.iter().map(pg_row).collect()
            }
        }
    }
}
