//! What the other processes on the same database tell, and what changes when one comes or goes.

use std::time::Duration;

use tokio::sync::mpsc;

use super::{Queue, Surroundings, order::Order, recovery};
use crate::{
    processes::Hint,
    xmpp::{
        stanza::{Element, Stanza},
        stream::LinkState,
    },
};

/// So long after an answer that another process could not give this one may get its link.
const SAY_MAX: Duration = Duration::from_secs(10);

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
                queue.order(Order::LookAgain).await;
                surroundings.teller.link_up();
            }
        }
    }
}

async fn take(surroundings: &Surroundings, queue: &Queue, hint: Hint) {
    match hint {
        Hint::Lanes(lanes) => queue.order(Order::Hinted(lanes)).await,
        // Whoever has no link has nobody to tell.
        Hint::Tells(deliveries) if surroundings.processes.has_any() => {
            surroundings.teller.heard(deliveries);
        }
        Hint::Look => queue.order(Order::Changed).await,
        Hint::Say(gateway_id, stanza) => {
            let saying = say(surroundings.clone(), gateway_id, stanza);
            surroundings.lifecycle.spawn("queue.say", saying);
        }
        Hint::Tells(_) | Hint::Beat => {}
    }
}

/// Writes what another process has to answer and cannot, if the gateway is this process's, or is about to be.
async fn say(surroundings: Surroundings, gateway_id: i64, stanza: String) {
    let stanza = stanza.parse::<Element>().ok();
    let stanza = stanza.and_then(|element| Stanza::try_from(element).ok());
    let (Some(stanza), Some(entry)) = (stanza, surroundings.gateways.get(&gateway_id)) else {
        return;
    };
    let (mut view, mut link) = (surroundings.processes.view(), entry.link.state());
    let is_up = async {
        view.wait_for(|view| view.has(gateway_id)).await.ok()?;
        let is_up = |state: &LinkState| matches!(state, LinkState::Up { .. });
        link.wait_for(is_up).await.ok().map(drop)
    };
    tokio::select! {
        () = surroundings.lifecycle.draining() => {}
        up = tokio::time::timeout(SAY_MAX, is_up) => if matches!(up, Ok(Some(()))) {
            entry.link.send(stanza).await.ok();
        },
    }
}
