//! Inwards: stanzas to the user's server, until it has answered a ping that was sent behind them (semantics 2).

use tokio::sync::mpsc;

use super::{QueueGateway, Surroundings, Work, lanes::Next, scheduler::Order};
use crate::{
    gateway::text_in,
    hooks::{Step, step},
    metrics::Direction,
    store::{
        Write, WriteError,
        read::InRow,
        write::{OutcomeRow, State},
    },
    xmpp::{stanza::Stanza, stream::Lost},
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
    let HandOver {
        surroundings,
        gateway,
        lane_id,
        works,
        slot,
        finished,
    } = task;
    let rows: Vec<Box<InRow>> = works
        .into_iter()
        .filter_map(|work| match work {
            Work::In(row) => Some(row),
            Work::Out(_) => None,
        })
        .collect();
    let now = surroundings.clock.now();
    let stanza = |row: &InRow| text_in::stanza(&gateway.gateway, row, now).map(Stanza::from);
    let stanzas: Vec<Option<Stanza>> = rows.iter().map(|row| stanza(row)).collect();
    let sendable: Vec<Stanza> = stanzas.iter().flatten().cloned().collect();
    step(Step::BeforeHandOver);
    let handed = gateway.link.send_tracked(sendable).await;
    step(Step::AfterHandOver);
    let state = match handed {
        Ok(()) => State::Delivered,
        Err(Lost::Link) => {
            let lost = rows.into_iter().map(Work::In).collect();
            let order = Order::HandedOver {
                lane_id,
                slot,
                next: Next::GoOn,
                lost,
            };
            finished.send(order).await.ok();
            return;
        }
        Err(Lost::Refused(refusal)) => {
            tracing::error!(
                lane_id,
                error = &refusal as &dyn std::error::Error,
                "A stanza cannot be written."
            );
            State::Failed
        }
    };
    let writes = || {
        let outcomes = rows.iter().zip(&stanzas).map(|(row, stanza)| {
            let state = if stanza.is_some() {
                state
            } else {
                State::Failed
            };
            Write::Outcome(outcome(row, state, surroundings.clock.now().0))
        });
        outcomes.collect::<Vec<_>>()
    };
    while let Err(WriteError::Busy(_)) = surroundings.writer.commit(writes()).await {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    for row in &rows {
        let name = &gateway.gateway.config.name;
        surroundings
            .metrics
            .message(name, Direction::In, state.as_str());
        let waited = surroundings
            .clock
            .now()
            .since(transom_adapter::UnixMillis(row.created_ms));
        surroundings
            .metrics
            .delivered_in(&gateway.gateway.config.name, waited);
    }
    finished
        .send(Order::HandedOver {
            lane_id,
            slot,
            next: Next::GoOn,
            lost: Vec::new(),
        })
        .await
        .ok();
}

fn outcome(row: &InRow, state: State, now_ms: i64) -> OutcomeRow {
    OutcomeRow {
        delivery_id: row.delivery_id,
        lane_id: row.lane_id,
        state,
        account_id: None,
        units_done: 1,
        attempts: row.attempts + 1,
        reason: None,
        code: None,
        tell: None,
        due_ms: None,
        done_ms: Some(now_ms),
        lane_due_ms: now_ms,
        failures: 0,
        ids: Vec::new(),
        leaves_lane: false,
    }
}
