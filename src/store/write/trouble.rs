//! What admins were told of.

use super::{Connection, Sql, StoreError};

/// Something that admins were told of, or that is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TroubleRow {
    /// What it is about.
    pub name: String,
    /// What it is, as JSON; `None`: it is over.
    pub concern: Option<String>,
    /// Since when.
    pub since_ms: i64,
    /// When they were last told.
    pub said_ms: i64,
}

const KEEP: Sql = Sql::both(
    "INSERT INTO troubles (name, concern, since_ms, said_ms) VALUES ($1, $2, $3, $4)
     ON CONFLICT (name) DO UPDATE SET concern = excluded.concern, since_ms = excluded.since_ms, said_ms = excluded.said_ms",
);

const OVER: Sql = Sql::both("DELETE FROM troubles WHERE name = $1");

pub(super) async fn apply(
    connection: &mut Connection,
    rows: &[&TroubleRow],
) -> Result<(), StoreError> {
    for row in rows {
        match row.concern.as_deref() {
            Some(concern) => {
                let params = [
                    row.name.as_str().into(),
                    concern.into(),
                    row.since_ms.into(),
                    row.said_ms.into(),
                ];
                connection.run(KEEP, &params).await?;
            }
            None => {
                connection.run(OVER, &[row.name.as_str().into()]).await?;
            }
        }
    }
    Ok(())
}
