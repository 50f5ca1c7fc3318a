//! Whoever is written to is no stranger.

use super::{super::StoreError, Ask, OutwardSnapshot, json, statements::WAITING_STRANGERS};
use crate::store::Connection;

/// Whose mail waits for the word of a sender, among those who are written to.
pub(super) async fn load_strangers(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    if !asks.iter().any(|ask| ask.has_threads) {
        return Ok(());
    }
    let params = [json(asks), gateway_id.into()];
    for row in connection.rows(WAITING_STRANGERS, &params).await? {
        let pair = (row.int(0)?, row.text(1)?.to_owned());
        snapshot.waiting_strangers.insert(pair);
    }
    Ok(())
}
