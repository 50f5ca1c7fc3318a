//! Whose the gateway's own addresses are that somebody writes to (semantics 20).

use super::{
    super::{StoreError, json},
    Ask, OutwardSnapshot,
    statements::COLLEAGUES,
};
use crate::store::Connection;

/// Who has the addresses; without any it costs nothing.
pub(super) async fn load_colleagues(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    let asks: Vec<&Ask> = asks.iter().filter(|ask| ask.is_own_address).collect();
    if asks.is_empty() {
        return Ok(());
    }
    let params = [json(&asks), gateway_id.into()];
    for row in connection.rows(COLLEAGUES, &params).await? {
        let peer = row.text(0)?.to_owned();
        let owners = snapshot.colleagues.entry(peer).or_default();
        owners.push(row.text(1)?.to_owned());
    }
    Ok(())
}
