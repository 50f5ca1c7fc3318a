//! What a killed process left: attempts that were under way.

use std::time::Duration;

use transom_adapter::{Repeat, Reason};

use super::Surroundings;
use crate::store::{
    WriteError, Write,
    read::Sending,
    write::{OutcomeRow, State},
};

/// Semantics 4: a look-up or a report decides; without either the sender is told after this.
const DOUBT_MS: i64 = 15 * 60_000;

/// Settles every start mark: repeated where the account recognises a repeat, unknown where it does not.
pub(super) async fn run(surroundings: &Surroundings) {
    let left = loop {
        match surroundings.store.sending().await {
            Ok(left) => break left,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "Cannot read what was under way.");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    if left.is_empty() {
        return;
    }
    tracing::warn!(count = left.len(), "Attempts were under way when transom ended.");
    let now_ms = surroundings.clock.now().0;
    let writes = || left.iter().map(|row| Write::Outcome(settle(surroundings, row, now_ms))).collect();
    while let Err(WriteError::Busy(_)) = surroundings.writer.commit(writes()).await {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn settle(surroundings: &Surroundings, row: &Sending, now_ms: i64) -> OutcomeRow {
    let gateways = surroundings.gateways.values();
    let accounts = gateways.flat_map(|entry| entry.accounts.values().map(move |account| (entry, account)));
    let account = accounts
        .filter(|(entry, account)| entry.gateway.accounts.get(account.name()).copied() == row.account_id)
        .map(|(_, account)| account)
        .next();
    // An account that is gone cannot be asked: nobody knows.
    let repeat = account.is_some_and(|account| account.capabilities().repeat == Repeat::Safe);
    OutcomeRow {
        delivery_id: row.delivery_id,
        lane_id: row.lane_id,
        state: if repeat { State::Queued } else { State::Unknown },
        account_id: row.account_id,
        units_done: row.units_done,
        attempts: row.attempts,
        reason: (!repeat).then_some(Reason::NetworkDown.as_str()),
        code: None,
        tell: None,
        due_ms: (!repeat).then_some(now_ms + DOUBT_MS),
        done_ms: None,
        lane_due_ms: now_ms,
        failures: 0,
        ids: Vec::new(),
        leaves_lane: false,
    }
}
