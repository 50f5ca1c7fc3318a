//! A message that no account carries any more: after all the time in which it might have been carried its sender is told.

use tokio::sync::mpsc;
use transom_adapter::{Network, Reason};

use super::{OutWork, Surroundings, order::Order, verdict::doubt};
use crate::store::{
    Write,
    write::{Done, OutcomeRow, State, TellKind},
};

/// One such message.
pub(super) struct Stranded {
    pub(super) surroundings: Surroundings,
    pub(super) network: Network,
    pub(super) lane_id: i64,
    pub(super) work: Box<OutWork>,
    pub(super) finished: mpsc::Sender<Order>,
}

impl Stranded {
    /// Commits that it was given up, and tells the scheduler.
    pub(super) async fn give_up(self) {
        let Surroundings { writer, teller, .. } = &self.surroundings;
        let row = self.row();
        let (state, tell) = (row.state, row.tell);
        let done = writer.keep_one(Write::Outcome(row)).await;
        if tell.is_some() && done == Ok(Done::Written) {
            teller.tell(vec![self.work.delivery_id]);
        }
        tracing::warn!(
            message_id = self.work.delivery_id,
            outcome = state.as_str(),
            "Gave up a message: no account that is configured carries it."
        );
        let lane_id = self.lane_id;
        self.finished.send(Order::GivenUp { lane_id }).await.ok();
    }

    fn row(&self) -> OutcomeRow {
        let now = self.surroundings.clock.now();
        let given_up = OutcomeRow {
            units_done: self.work.unit,
            attempts: self.work.attempts,
            unknowns: self.work.unknowns,
            reason: Some(Reason::OurAccount.as_str()),
            tell: Some(TellKind::Error),
            done_ms: Some(now.0),
            lane_due_ms: now.0,
            of_group: self.work.is_one_of_several,
            ..OutcomeRow::new(self.work.delivery_id, self.lane_id, State::Expired)
        };
        if self.work.unknowns == 0 {
            return given_up;
        }
        let (tell, due_ms) = doubt(self.network, now);
        OutcomeRow {
            state: State::Unknown,
            tell,
            due_ms,
            done_ms: None,
            ..given_up
        }
    }
}
