//! What a killed process left: attempts that were under way.

use std::sync::Arc;

use transom_adapter::{Account, Network, Reason, Repeat, UnixMillis};

use super::{QueueGateway, Surroundings, verdict::doubt};
use crate::store::{
    Write,
    read::Sending,
    write::{OutcomeRow, State},
};

/// Settles every start mark of a process that is gone: repeated where the account recognises a repeat, unknown where it does not.
/// False when the database was out of order.
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
        return true;
    }
    tracing::warn!(
        count = left.len(),
        "Attempts were under way when their process ended."
    );
    let rows: Vec<OutcomeRow> = left.iter().map(|row| settle(surroundings, row)).collect();
    let tells = rows.iter().filter(|row| row.tell.is_some());
    let tells = tells.map(|row| row.delivery_id).collect();
    let writes = rows.into_iter().map(Write::Outcome).collect();
    if surroundings.writer.commit(writes).await.is_err() {
        return false;
    }
    surroundings.teller.tell(tells);
    true
}

fn settle(surroundings: &Surroundings, row: &Sending) -> OutcomeRow {
    let now = surroundings.clock.now();
    let gateway = surroundings.gateways.get(&row.gateway_id);
    let is_repeated = match gateway.map_or(Repeat::Unsafe, |gateway| repeat(gateway, row)) {
        Repeat::Safe => true,
        Repeat::Within(span) => now.since(UnixMillis(row.started_ms)) < span,
        Repeat::Once => row.unknowns == 0,
        Repeat::Unsafe => false,
    };
    let settled = OutcomeRow {
        account_id: row.account_id,
        process_id: row.process_id,
        units_done: row.units_done,
        attempts: row.attempts,
        unknowns: row.unknowns + 1,
        lane_due_ms: now.0,
        ..OutcomeRow::new(row.delivery_id, row.lane_id, State::Queued)
    };
    if is_repeated {
        return settled;
    }
    let network = gateway.map_or(Network::Sms, |gateway| gateway.gateway.network());
    let (tell, due_ms) = doubt(network, now);
    OutcomeRow {
        state: State::Unknown,
        reason: Some(Reason::NetworkDown.as_str()),
        tell,
        due_ms,
        ..settled
    }
}

/// What the account says of repeats. One that a user brought is not open yet at the start, and all of those are mailboxes; any other
/// that is gone cannot be asked.
fn repeat(gateway: &QueueGateway, row: &Sending) -> Repeat {
    let accounts = gateway.accounts.values();
    let is_it =
        |account: &&Arc<dyn Account>| gateway.gateway.account_id(account.name()) == row.account_id;
    let is_mail = gateway.gateway.network() == Network::Email;
    let absent = if is_mail {
        Repeat::Once
    } else {
        Repeat::Unsafe
    };
    let account = accounts.into_iter().find(is_it);
    account.map_or(absent, |account| account.capabilities().repeat)
}
