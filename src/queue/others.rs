//! What the other processes on the same database tell, and what changes when one comes or goes.

use tokio::sync::mpsc;

use super::{Queue, Surroundings, recovery, scheduler};
use crate::processes::Hint;

/// Runs until the lifecycle drains.
pub(super) async fn run(surroundings: Surroundings, queue: Queue, mut heard: mpsc::Receiver<Hint>) {
    let mut view = surroundings.processes.view();
    loop {
        tokio::select! {
            () = surroundings.lifecycle.draining() => return,
            hint = heard.recv() => match hint {
                Some(hint) => take(&surroundings, &queue, hint).await,
                None => return,
            },
            changed = view.changed() => {
                if changed.is_err() {
                    return;
                }
                // Other chats are ours now, and what a dead process had under way is left lying.
                recovery::run(&surroundings).await;
                queue.order(scheduler::Order::Changed).await;
                surroundings.teller.link_up();
            }
        }
    }
}

async fn take(surroundings: &Surroundings, queue: &Queue, hint: Hint) {
    match hint {
        Hint::Lanes(lanes) => queue.order(scheduler::Order::Hinted(lanes)).await,
        // Whoever has no link has nobody to tell.
        Hint::Tells(deliveries) if surroundings.processes.has_any() => {
            surroundings.teller.heard(deliveries);
        }
        Hint::Look => queue.order(scheduler::Order::Changed).await,
        Hint::Tells(_) | Hint::Beat => {}
    }
}
