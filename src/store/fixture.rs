//! What tests do to a database behind transom's back.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

/// Calls a table of a file by another name: what asks for it fails until it has its name again.
pub(crate) async fn rename(file: &Path, table: &str, new: &str) {
    let url = format!("sqlite://{}", file.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let rename = format!("ALTER TABLE {table} RENAME TO {new}");
    let renaming = sqlx::raw_sql(AssertSqlSafe(rename));
    renaming.execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
