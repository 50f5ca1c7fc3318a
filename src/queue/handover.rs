//! Inwards: stanzas to the user's server, until it has answered a ping that was sent behind them (semantics 2).

use tokio::sync::mpsc;
use transom_adapter::UnixMillis;

use super::{InWork, QueueGateway, Surroundings, Work, lanes::Next, order::Order};
use crate::{
    gateway::text_in,
    hooks::{Step, step},
    metrics::Direction,
    store::{
        Write,
        read::InRow,
        write::{OutcomeRow, State},
    },
    xmpp::{jid::BareJid, stanza::Stanza, stream::Refusal, xep::privilege::Privileges},
};

/// The first works of one chat.
pub(super) struct HandOver {
    pub(super) surroundings: Surroundings,
    pub(super) gateway: QueueGateway,
    pub(super) lane_id: i64,
    pub(super) works: Vec<Work>,
    pub(super) slot: usize,
    pub(super) finished: mpsc::Sender<Order>,
}

/// Hands the works over, in their order; what the link lost comes back to the lane.
pub(super) async fn run(task: HandOver) {
    let lost = task.hand_over().await;
    let order = Order::HandedOver {
        lane_id: task.lane_id,
        slot: task.slot,
        next: Next::GoOn,
        lost: if lost { task.works } else { Vec::new() },
    };
    task.finished.send(order).await.ok();
}

impl HandOver {
    /// True when the link was lost before the server had them.
    async fn hand_over(&self) -> bool {
        let now = self.surroundings.clock.now();
        let mut stanzas: Vec<Vec<Stanza>> = Vec::with_capacity(self.works.len());
        for work in self.works() {
            let files = work.files.as_deref().unwrap_or_default();
            let allowed = self.allowed(&work.row).await;
            let gateway = &self.gateway.gateway;
            let made = text_in::stanzas(gateway, &work.row, files, now, allowed.as_ref());
            stanzas.push(made.into_iter().map(Stanza::from).collect());
        }
        step(Step::BeforeHandOver);
        let groups = stanzas.iter().map(Vec::as_slice);
        let handed = self.gateway.link.send_groups(groups).await;
        step(Step::AfterHandOver);
        let Ok(handed) = handed else {
            return true;
        };
        let states = stanzas.iter().zip(handed);
        let states: Vec<State> = states
            .map(|(stanzas, written)| self.state_of(stanzas, written))
            .collect();
        self.commit(&states).await;
        false
    }

    /// What a work is, once the server has what could be written.
    fn state_of(&self, stanzas: &[Stanza], written: Result<(), Refusal>) -> State {
        match written {
            // What has no stanza at all was written by another version, or by hand.
            Ok(()) if stanzas.is_empty() => State::Failed,
            Ok(()) => State::Delivered,
            Err(refusal) => {
                let error = &refusal as &dyn std::error::Error;
                tracing::error!(lane_id = self.lane_id, error, "A stanza cannot be written.");
                State::Failed
            }
        }
    }

    /// What the user's server allows, where the message has to be the user's own.
    async fn allowed(&self, row: &InRow) -> Option<Privileges> {
        if !text_in::is_own(row) {
            return None;
        }
        let user = BareJid::new(&row.jid).ok()?;
        self.gateway.announced.settled(user.domain().as_str()).await
    }

    fn works(&self) -> impl Iterator<Item = &InWork> {
        self.works.iter().filter_map(|work| match work {
            Work::In(work) => Some(&**work),
            Work::Out(_) => None,
        })
    }

    fn rows(&self) -> impl Iterator<Item = &InRow> {
        self.works().map(|work| &work.row)
    }

    /// Commits until the database takes it, and counts.
    async fn commit(&self, states: &[State]) {
        let Surroundings {
            writer,
            clock,
            metrics,
            ..
        } = &self.surroundings;
        let write =
            |(row, state): (&InRow, &State)| Write::Outcome(outcome(row, *state, clock.now().0));
        let writes = self.rows().zip(states).map(write).collect();
        // Told no: the database knows more of it by now.
        writer.keep(writes).await.ok();
        let name = &self.gateway.gateway.config.name;
        for (row, state) in self.rows().zip(states) {
            metrics.message(name, Direction::In, state.as_str());
            metrics.delivered_in(name, clock.now().since(UnixMillis(row.created_ms)));
        }
    }
}

fn outcome(row: &InRow, state: State, now_ms: i64) -> OutcomeRow {
    OutcomeRow {
        attempts_before: Some(row.attempts),
        units_done: 1,
        attempts: row.attempts + 1,
        done_ms: Some(now_ms),
        lane_due_ms: now_ms,
        ..OutcomeRow::new(row.delivery_id, row.lane_id, state)
    }
}

#[cfg(test)]
mod tests;
