//! What should have been heard of by now: doubts that the sender has to be told, reports that never came, and what a killed
//! process's last commit left behind after this one had looked.

use std::time::Duration;

use transom_adapter::UnixMillis;

use super::{Queue, Surroundings, recovery};
use crate::store::{
    Write,
    write::{Due, State, TellKind},
};

/// How often the database is asked; the times themselves are minutes and days.
const EVERY: Duration = Duration::from_secs(5);
/// Deliveries looked at in one pass.
const A_PASS: i64 = 256;

/// Runs until the lifecycle drains.
pub(super) async fn run(surroundings: Surroundings, queue: Queue, born: UnixMillis) {
    loop {
        let full = pass(&surroundings).await;
        if full && !surroundings.lifecycle.is_draining() {
            continue;
        }
        let next = surroundings.clock.now().after(EVERY);
        tokio::select! {
            () = surroundings.clock.sleep_until(next) => {}
            () = surroundings.lifecycle.draining() => return,
        }
        recovery::run(&surroundings, born).await;
        queue.look_again().await;
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
