//! The lines that are not one user's: shared ones, and whether the pool has any.

use std::collections::HashMap;

use super::{
    super::{Param, StoreError},
    DAY_MS, OutwardSnapshot, SharedLine, known_line,
    statements::{OPEN_LINES, TAKEN},
};
use crate::store::Connection;

/// Semantics 18: a shared line and a peer belong to one user until seven idle days.
const TAKEN_MS: i64 = 7 * DAY_MS;

/// Shared lines and the pool.
pub(super) async fn load_open_lines(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: Param,
    now_ms: i64,
) -> Result<(), StoreError> {
    for row in connection.rows(OPEN_LINES, &[gateway_id.into()]).await? {
        let line = known_line(&row)?;
        match row.text(0)? {
            "shared" => {
                snapshot.shared.push(SharedLine {
                    line,
                    taken: HashMap::new(),
                });
            }
            _ => snapshot.pool_is_free |= line.owners == 0,
        }
    }
    if snapshot.shared.is_empty() {
        return Ok(());
    }
    for row in connection
        .rows(
            TAKEN,
            &[asks, gateway_id.into(), (now_ms - TAKEN_MS).into()],
        )
        .await?
    {
        let line_id = row.int(0)?;
        if let Some(shared) = snapshot
            .shared
            .iter_mut()
            .find(|shared| shared.line.line_id == line_id)
        {
            // In the order of activity: the last one stands.
            shared.taken.insert(row.text(1)?.to_owned(), row.int(2)?);
        }
    }
    Ok(())
}
