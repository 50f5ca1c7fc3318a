//! Nobody is woken: what would leave in the recipient's quiet hours waits for their end.

use transom_adapter::UnixMillis;

use super::{Finished, Try};
use crate::{
    queue::lanes::Next,
    store::{
        Write,
        write::{OutcomeRow, State, TellKind},
    },
};

impl Try {
    /// When the recipient's quiet hours end; what has begun to go out is not interrupted by them.
    pub(super) fn quiet_until(&self) -> Option<UnixMillis> {
        if self.work.unit > 0 {
            return None;
        }
        self.quiet_at(self.surroundings.clock.now())
    }

    fn quiet_at(&self, at: UnixMillis) -> Option<UnixMillis> {
        let adapter = &self.gateway.gateway.adapter;
        let each = self.work.outgoing.reached();
        each.filter_map(|to| adapter.not_before(to, at)).max()
    }

    /// When it could be sent for the first time.
    pub(super) fn since(&self) -> UnixMillis {
        let created_at = self.work.outgoing.created_at;
        self.quiet_at(created_at).unwrap_or(created_at)
    }

    /// The chat waits until then, and the sender is told; what is written meanwhile waits behind it.
    pub(super) async fn postpone(&self, until: UnixMillis) -> Finished {
        let failures = self.failures;
        let row = OutcomeRow {
            attempts: self.work.attempts,
            unknowns: self.work.unknowns,
            tell: Some(TellKind::Night),
            lane_due_ms: until.0,
            failures,
            of_group: self.work.is_one_of_several,
            ..OutcomeRow::new(self.work.delivery_id, self.lane_id, State::Queued)
        };
        let tell = row.tell;
        let done = self.commit(Write::Outcome(row)).await;
        self.tell(&done, tell);
        tracing::info!(
            message_id = self.work.delivery_id,
            until = %until.timestamp(),
            "Waits until the recipient's quiet hours are over."
        );
        let next = Next::At {
            due_ms: until.0,
            failures,
        };
        Finished {
            next,
            ..Finished::go_on()
        }
    }
}
