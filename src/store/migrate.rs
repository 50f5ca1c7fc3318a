//! Migrations: numbered files, applied once each, in order, each in a transaction of its own.

use super::{Connection, Sql, StoreError};

/// The migrations of one number, in both dialects.
struct Migration {
    number: i64,
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    sqlite: include_str!("../../migrations/sqlite/0001_core.sql"),
    postgres: include_str!("../../migrations/postgres/0001_core.sql"),
}];

/// The newest migration that is known.
pub(super) fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.number)
}

/// The texts of all migrations, in order.
pub(super) fn texts() -> Vec<&'static str> {
    MIGRATIONS
        .iter()
        .map(|migration| migration.sqlite)
        .collect()
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
        .batch("CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT NOT NULL PRIMARY KEY)")
        .await?;
    let newest = Sql::both("SELECT COALESCE(MAX(number), 0) FROM schema_migrations");
    let found = connection
        .rows(newest, &[])
        .await?
        .first()
        .ok_or(StoreError::Gone)?
        .int(0)?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let mut applied = 0;
    for migration in MIGRATIONS
        .iter()
        .filter(|migration| migration.number > found)
    {
        if !apply {
            return Err(StoreError::Unmigrated {
                missing: migration.number,
            });
        }
        apply_one(connection, migration).await?;
        applied += 1;
    }
    Ok(applied)
}

async fn apply_one(connection: &mut Connection, migration: &Migration) -> Result<(), StoreError> {
    let text = if connection.is_postgres() {
        migration.postgres
    } else {
        migration.sqlite
    };
    connection.begin().await?;
    let done = async {
        connection.batch(text).await?;
        let mark = Sql::both("INSERT INTO schema_migrations (number) VALUES ($1)");
        connection.run(mark, &[migration.number.into()]).await
    };
    match done.await {
        Ok(_) => connection.commit().await,
        Err(error) => {
            connection.rollback().await;
            Err(error)
        }
    }
}
