//! Rows, as what is known.

use super::{KnownLine, KnownUser};
use crate::store::{Row, StoreError};

pub(super) fn known_user(row: &Row) -> Result<KnownUser, StoreError> {
    Ok(KnownUser {
        user_id: row.int(1)?,
        state: row.text(2)?.to_owned(),
        lang: row.opt_text(3)?.map(str::to_owned),
        messages: row.int(4)?,
        segments: row.int(5)?,
        new_peers: row.int(6)?,
        changed_ms: row.int(7)?,
        settings: row.text(8)?.to_owned(),
    })
}

/// Columns 1 to 6 of a line's row.
pub(super) fn known_line(row: &Row) -> Result<KnownLine, StoreError> {
    Ok(KnownLine {
        line_id: row.int(1)?,
        address: row.text(2)?.to_owned(),
        state: row.text(3)?.to_owned(),
        routes: serde_json::from_str(row.text(4)?).unwrap_or_default(),
        owners: row.int(5)?,
        refused: row.flag(6)?,
    })
}
