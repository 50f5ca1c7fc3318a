//! What should have been heard of by now: doubts that the sender has to be told, reports that never came, and what a killed
//! process's last commit left behind after this one had looked.

use std::time::Duration;

use super::{Queue, Surroundings, recovery};
use crate::metrics::Direction;
use crate::store::{
    Write,
    write::{Due, State, TellKind},
};

/// How often the database is asked; the times themselves are minutes and days.
const EVERY: Duration = Duration::from_secs(5);
/// Every so many passes the waiting messages are counted.
const COUNT_EVERY: u32 = 6;
/// Deliveries looked at in one pass.
const A_PASS: i64 = 256;

/// Runs until the lifecycle drains.
pub(super) async fn run(surroundings: Surroundings, queue: Queue) {
    let mut passes = 0_u32;
    loop {
        gauge(&surroundings, passes).await;
        passes = passes.wrapping_add(1);
        let full = pass(&surroundings).await;
        if full && !surroundings.lifecycle.is_draining() {
            continue;
        }
        let next = surroundings.clock.now().after(EVERY);
        tokio::select! {
            () = surroundings.clock.sleep_until(next) => {}
            () = surroundings.lifecycle.draining() => return,
        }
        recovery::run(&surroundings).await;
        queue.look_again().await;
        // What another process has to tell and said so in vain, and what was looked for while the database was out of order.
        surroundings.teller.link_up();
    }
}

/// Brings the metrics of the links and the queue up to date; the database is counted every sixth pass only.
async fn gauge(surroundings: &Surroundings, passes: u32) {
    let metrics = &surroundings.metrics;
    for entry in surroundings.gateways.values() {
        let gateway = metrics.gateway(&entry.gateway.config.name);
        let link = entry.link.counters();
        gateway.stanzas(Direction::Out, link.stanzas_in());
        gateway.stanzas(Direction::In, link.stanzas_out());
        gateway.stanzas_uncommitted(link.uncommitted());
    }
    if !passes.is_multiple_of(COUNT_EVERY) {
        return;
    }
    let Ok(depths) = surroundings.store.depths().await else {
        return;
    };
    for (gateway_id, entry) in surroundings.gateways.iter() {
        for (direction, out) in [(Direction::Out, true), (Direction::In, false)] {
            let of_this = |row: &&(i64, bool, u64)| row.0 == *gateway_id && row.1 == out;
            let depth = depths.iter().find(of_this).map_or(0, |row| row.2);
            metrics.queue_depth(&entry.gateway.config.name, direction, depth);
        }
    }
}

/// One pass; true when there may be more at once.
async fn pass(surroundings: &Surroundings) -> bool {
    let now_ms = surroundings.clock.now().0;
    let Ok(due) = surroundings.store.overdue(now_ms, A_PASS).await else {
        return false;
    };
    if due.is_empty() {
        return false;
    }
    let tell = |state| match state {
        State::Unknown => Some(TellKind::Doubt),
        State::Accepted | State::Sent => Some(TellKind::Silence),
        _ => None,
    };
    let writes = due.iter().map(|(delivery_id, state)| {
        Write::Due(Due {
            delivery_id: *delivery_id,
            state: *state,
            tell: tell(*state),
        })
    });
    if surroundings.writer.commit(writes.collect()).await.is_err() {
        return false;
    }
    surroundings
        .teller
        .tell(due.iter().map(|(delivery_id, _)| *delivery_id).collect());
    due.len() >= usize::try_from(A_PASS).unwrap_or(usize::MAX)
}
