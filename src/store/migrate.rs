//! Migrations: numbered files, applied once each, in order, each in a transaction of its own.
//!
//! A rolling upgrade has binaries of two versions on one database. So each migration says what a binary has to know at least to go on
//! working on a database that has it: one that only adds leaves older binaries alone, and they start on it as well.

use super::{Connection, Sql, StoreError};
use crate::hooks;

/// The migrations of one number, in both dialects.
#[derive(Clone, Copy)]
struct Migration {
    number: i64,
    /// The newest migration that a binary must know, to work on a database with this one.
    oldest_reader: i64,
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    oldest_reader: 1,
    sqlite: include_str!("../../migrations/sqlite/0001_core.sql"),
    postgres: include_str!("../../migrations/postgres/0001_core.sql"),
}];

/// Those of this binary, and the one that a test has it know besides.
fn migrations() -> impl Iterator<Item = Migration> {
    let next = hooks::next_migration().map(|(oldest_reader, text)| Migration {
        number: MIGRATIONS.last().map_or(0, |last| last.number) + 1,
        oldest_reader,
        sqlite: text,
        postgres: text,
    });
    MIGRATIONS.iter().copied().chain(next)
}

/// The newest migration that is known.
pub(super) fn known() -> i64 {
    migrations().last().map_or(0, |migration| migration.number)
}

/// The texts of all migrations, in order.
pub(super) fn texts() -> Vec<&'static str> {
    migrations().map(|migration| migration.sqlite).collect()
}

/// Brings the schema up to date; returns how many migrations were applied.
pub(super) async fn migrate(connection: &mut Connection, apply: bool) -> Result<u64, StoreError> {
    // Several processes may start at once; the lock goes with the connection's end, too.
    if connection.is_postgres() {
        connection.batch("SELECT pg_advisory_lock(5347)").await?;
    }
    let migrated = migrate_alone(connection, apply).await;
    if connection.is_postgres() {
        connection.batch("SELECT pg_advisory_unlock(5347)").await?;
    }
    migrated
}

async fn migrate_alone(connection: &mut Connection, apply: bool) -> Result<u64, StoreError> {
    let known = known();
    connection
        .batch(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT NOT NULL PRIMARY KEY, oldest_reader BIGINT NOT NULL)",
        )
        .await?;
    let newest = Sql::both(
        "SELECT COALESCE(MAX(number), 0), COALESCE(MAX(oldest_reader), 0) FROM schema_migrations",
    );
    let rows = connection.rows(newest, &[]).await?;
    let row = rows.first().ok_or(StoreError::Gone)?;
    let (found, oldest_reader) = (row.int(0)?, row.int(1)?);
    if oldest_reader > known {
        return Err(StoreError::Newer { found, known });
    }
    let mut applied = 0;
    for migration in migrations().filter(|migration| migration.number > found) {
        if !apply {
            return Err(StoreError::Unmigrated {
                missing: migration.number,
            });
        }
        apply_one(connection, &migration).await?;
        applied += 1;
    }
    Ok(applied)
}

/// Rows that refer to rows that are not there.
const ORPHANS: Sql = Sql {
    sqlite: "SELECT COUNT(*) FROM pragma_foreign_key_check",
    postgres: "SELECT CAST(0 AS BIGINT)",
};

/// SQLite makes a table anew to change it, and to drop the old one is to delete its rows, with all that hangs on them. So nothing is
/// deleted along with anything while a migration runs, and what hangs in the air after it is looked for instead.
async fn apply_one(connection: &mut Connection, migration: &Migration) -> Result<(), StoreError> {
    if connection.is_postgres() {
        return apply_within(connection, migration).await;
    }
    connection.batch("PRAGMA foreign_keys = OFF").await?;
    let applied = apply_within(connection, migration).await;
    connection.batch("PRAGMA foreign_keys = ON").await?;
    applied
}

async fn apply_within(
    connection: &mut Connection,
    migration: &Migration,
) -> Result<(), StoreError> {
    let number = migration.number;
    connection.begin().await?;
    let done = async {
        if connection.is_postgres() {
            // The more there is, the longer it takes.
            connection.batch("SET LOCAL statement_timeout = 0").await?;
            connection.batch(migration.postgres).await?;
        } else {
            connection.batch(migration.sqlite).await?;
        }
        let orphans = connection.rows(ORPHANS, &[]).await?;
        let rows = orphans.first().ok_or(StoreError::Gone)?.int(0)?;
        if rows > 0 {
            return Err(StoreError::Orphans { number, rows });
        }
        let mark =
            Sql::both("INSERT INTO schema_migrations (number, oldest_reader) VALUES ($1, $2)");
        let params = [number.into(), migration.oldest_reader.into()];
        connection.run(mark, &params).await
    };
    match done.await {
        Ok(_) => connection.commit().await,
        Err(error) => {
            connection.rollback().await;
            Err(error)
        }
    }
}
