//! What a killed process left: attempts that were under way.

use transom_adapter::{Reason, Repeat};

use super::Surroundings;
use crate::store::{
    Write,
    read::Sending,
    write::{OutcomeRow, State},
};

/// Semantics 4: a look-up or a report decides; without either the sender is told after this.
const DOUBT_MS: i64 = 15 * 60_000;

/// Settles every start mark of a process that is gone: repeated where the account recognises a repeat, unknown where it does not.
/// True when there was any.
///
/// Once at the start is not enough: a database server may commit what a killed process had sent it a moment after the next one
/// looked, and another process may be taken for dead at any time.
pub(super) async fn run(surroundings: &Surroundings) -> bool {
    let left = match surroundings.store.sending().await {
        Ok(left) => left,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "Cannot read what was under way."
            );
            return false;
        }
    };
    if left.is_empty() {
        return false;
    }
    tracing::warn!(
        count = left.len(),
        "Attempts were under way when their process ended."
    );
    let now_ms = surroundings.clock.now().0;
    let writes = left
        .iter()
        .map(|row| Write::Outcome(settle(surroundings, row, now_ms)))
        .collect();
    surroundings.writer.commit(writes).await.is_ok()
}

fn settle(surroundings: &Surroundings, row: &Sending, now_ms: i64) -> OutcomeRow {
    let gateways = surroundings.gateways.values();
    let accounts =
        gateways.flat_map(|entry| entry.accounts.values().map(move |account| (entry, account)));
    let account = accounts
        .filter(|(entry, account)| {
            entry.gateway.accounts.get(account.name()).copied() == row.account_id
        })
        .map(|(_, account)| account)
        .next();
    // An account that is gone cannot be asked: nobody knows.
    let repeat = account.is_some_and(|account| account.capabilities().repeat == Repeat::Safe);
    let state = if repeat {
        State::Queued
    } else {
        State::Unknown
    };
    OutcomeRow {
        account_id: row.account_id,
        process_id: row.process_id,
        units_done: row.units_done,
        attempts: row.attempts,
        reason: (!repeat).then_some(Reason::NetworkDown.as_str()),
        due_ms: (!repeat).then_some(now_ms + DOUBT_MS),
        lane_due_ms: now_ms,
        ..OutcomeRow::new(row.delivery_id, row.lane_id, state)
    }
}
