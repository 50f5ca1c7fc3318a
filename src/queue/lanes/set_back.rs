//! A clock that jumps back.

use std::cmp::Reverse;

use super::{LaneBook, Stage};

impl LaneBook {
    /// The clock was set back by so much: what waits, waits no longer for it. The database still has the times of before; work that is not
    /// due by them is read all the same when its lane goes on.
    pub(in crate::queue) fn set_back(&mut self, by_ms: i64) {
        let earlier = |at_ms: &mut i64| *at_ms = at_ms.saturating_sub(by_ms);
        for lane in self.lanes.values_mut() {
            lane.held_until_ms.iter_mut().for_each(earlier);
            lane.moved_ms.iter_mut().for_each(earlier);
            match &mut lane.stage {
                Stage::Busy(at_ms) | Stage::Paused(at_ms) => earlier(at_ms),
                Stage::Ready | Stage::Loading => {}
            }
        }
        let paused = std::mem::take(&mut self.paused).into_iter();
        let moved = |Reverse((due_ms, lane_id)): Reverse<(i64, i64)>| {
            Reverse((due_ms.saturating_sub(by_ms), lane_id))
        };
        self.paused = paused.map(moved).collect();
    }
}
