//! SQLite and PostgreSQL behind one small face: statements take text and integers, rows give text and integers.
//!
//! The schema has no other types, so this is all there is to a backend; `sqlx::Any` does not carry even these faithfully. A statement's
//! text is the same on both where it can be; [`Sql`] holds both where it cannot.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Column as _, ConnectOptions as _, Executor as _, PgPool, Row as _, SqlitePool, TypeInfo as _,
    ValueRef as _,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow},
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow,
        SqliteSynchronous,
    },
};

use secrecy::ExposeSecret;

use super::StoreError;
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

/// A parameter.
#[derive(Clone, Debug)]
pub(super) enum Param {
    Int(i64),
    Text(String),
    Null,
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Param>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Int(i64),
    Text(String),
    Null,
}

/// One row of an answer, read by position.
#[derive(Debug)]
pub(super) struct Row(Vec<Value>);

impl Row {
    pub(super) fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(*value),
            other => Err(StoreError::inconsistent(column, other)),
        }
    }

    pub(super) fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    pub(super) fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(value),
            other => Err(StoreError::inconsistent(column, other)),
        }
    }

    pub(super) fn opt_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    pub(super) fn flag(&self, column: usize) -> Result<bool, StoreError> {
        self.int(column).map(|value| value != 0)
    }
}

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
const POSTGRES_CONNECTIONS: u32 = 8;
/// How long a statement waits for a connection or a lock before the store counts as out of order.
const PATIENCE: Duration = Duration::from_secs(10);

impl Database {
    /// Opens the file or connects to the server.
    pub(super) async fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        let path = match url {
            StoreUrl::Postgres(url) => return Self::open_postgres(url.expose_secret()).await,
            StoreUrl::Sqlite(path) => path,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .pragma("wal_autocheckpoint", "2000")
            .pragma("journal_size_limit", "67108864")
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
            .connect_with(options.clone())
            .await?;
        let read = pool(READERS).connect_with(options).await?;
        Ok(Self::Sqlite { write, read })
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("transom")
            .options([
                ("statement_timeout", "30s"),
                ("idle_in_transaction_session_timeout", "60s"),
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

fn sqlite_arguments(params: &[Param]) -> Result<SqliteArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = SqliteArguments::default();
    for param in params {
        match param {
            Param::Int(value) => arguments.add(*value),
            Param::Text(value) => arguments.add(value.clone()),
            Param::Null => arguments.add(None::<String>),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn pg_arguments(params: &[Param]) -> Result<PgArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = PgArguments::default();
    for param in params {
        match param {
            Param::Int(value) => arguments.add(*value),
            Param::Text(value) => arguments.add(value.as_str()),
            Param::Null => arguments.add(None::<String>),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn sqlite_row(row: &SqliteRow) -> Result<Row, StoreError> {
    let read = |index: usize| -> Result<Value, StoreError> {
        let raw = row.try_get_raw(index)?;
        Ok(match raw.type_info().name() {
            _ if raw.is_null() => Value::Null,
            "TEXT" => Value::Text(row.try_get_unchecked(index)?),
            _ => Value::Int(row.try_get_unchecked(index)?),
        })
    };
    (0..row.len()).map(read).collect::<Result<_, _>>().map(Row)
}

fn pg_row(row: &PgRow) -> Result<Row, StoreError> {
    let read = |column: &sqlx::postgres::PgColumn| -> Result<Value, StoreError> {
        let index = column.ordinal();
        if row.try_get_raw(index)?.is_null() {
            return Ok(Value::Null);
        }
        Ok(match column.type_info().name() {
            "INT8" => Value::Int(row.try_get(index)?),
            "INT4" => Value::Int(i64::from(row.try_get::<i32, _>(index)?)),
            _ => Value::Text(row.try_get(index)?),
        })
    };
    row.columns()
        .iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map(Row)
}
