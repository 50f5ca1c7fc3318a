//! The book of lanes: what waits in which chat, and when. Pure; bounded; order within a lane is strict.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

use super::Work;

/// Work kept in memory for one lane; what is beyond stays in the database until these are done.
pub(super) const WORK_PER_LANE: usize = 16;
/// Lanes kept in memory, about 100 bytes each and their work; what is beyond stays in the database.
const LANES_MAX: usize = 50_000;

/// Every lane that is known to have something waiting.
#[derive(Debug, Default)]
pub(super) struct LaneBook {
    lanes: HashMap<i64, Lane>,
    ready: VecDeque<i64>,
    paused: BinaryHeap<Reverse<(i64, i64)>>,
    unloaded: Vec<i64>,
    overflowed: bool,
}

#[derive(Debug)]
struct Lane {
    gateway_id: i64,
    failures: u32,
    works: VecDeque<Work>,
    /// The database has work that is not here.
    more: bool,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// In `ready`, or waiting for a slot.
    Ready,
    /// Its work is being done.
    Busy,
    /// Its work is being read from the database.
    Loading,
    /// Nothing happens before this time.
    Paused(i64),
}

/// When a lane goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// At once, with what waits behind.
    GoOn,
    /// At this time, from the database.
    At {
        /// UTC milliseconds.
        due_ms: i64,
        /// Failures in a row.
        failures: u32,
    },
}

impl LaneBook {
    /// Takes committed work.
    pub(super) fn arrive(&mut self, lane_id: i64, gateway_id: i64, work: Work) {
        if let Some(lane) = self.lanes.get_mut(&lane_id) {
            let room = lane.works.len() < WORK_PER_LANE && !lane.more;
            match lane.stage {
                Stage::Ready | Stage::Busy if room => lane.works.push_back(work),
                Stage::Ready | Stage::Busy | Stage::Loading => lane.more = true,
                // It is read from the database when its time comes.
                Stage::Paused(_) => {}
            }
            return;
        }
        if self.lanes.len() >= LANES_MAX || self.overflowed {
            // Whether that lane is paused is known to the database alone.
            self.overflowed = true;
            return;
        }
        let works = VecDeque::from([work]);
        self.lanes.insert(lane_id, Lane { gateway_id, failures: 0, works, more: false, stage: Stage::Ready });
        self.ready.push_back(lane_id);
    }

    /// A lane that the database says is due at that time. False when the book is full.
    pub(super) fn found(&mut self, lane_id: i64, gateway_id: i64, due_ms: i64, failures: u32) -> bool {
        if self.lanes.contains_key(&lane_id) {
            return true;
        }
        if self.lanes.len() >= LANES_MAX {
            self.overflowed = true;
            return false;
        }
        let lane = Lane { gateway_id, failures, works: VecDeque::new(), more: true, stage: Stage::Paused(due_ms) };
        self.lanes.insert(lane_id, lane);
        self.paused.push(Reverse((due_ms, lane_id)));
        true
    }

    /// The next lane with work and nothing in its way.
    pub(super) fn next_ready(&mut self) -> Option<i64> {
        self.ready.pop_front()
    }

    /// Puts a lane back whose turn comes again, because a slot is free.
    pub(super) fn ready_again(&mut self, lane_id: i64) {
        self.ready.push_back(lane_id);
    }

    /// The first work of a lane, to see what it needs.
    pub(super) fn first(&self, lane_id: i64) -> Option<(i64, &Work)> {
        let lane = self.lanes.get(&lane_id)?;
        Some((lane.gateway_id, lane.works.front()?))
    }

    /// Whose lane it is.
    pub(super) fn gateway_of(&self, lane_id: i64) -> i64 {
        self.lanes.get(&lane_id).map_or(0, |lane| lane.gateway_id)
    }

    /// Failures of the lane in a row.
    pub(super) fn failures(&self, lane_id: i64) -> u32 {
        self.lanes.get(&lane_id).map_or(0, |lane| lane.failures)
    }

    /// Takes up to `count` works out of a lane; it is busy until [`done`](Self::done).
    pub(super) fn take(&mut self, lane_id: i64, count: usize) -> Vec<Work> {
        let Some(lane) = self.lanes.get_mut(&lane_id) else { return Vec::new() };
        lane.stage = Stage::Busy;
        let count = count.min(lane.works.len());
        lane.works.drain(..count).collect()
    }

    /// Puts work back at the front of its lane, in its order.
    pub(super) fn give_back(&mut self, lane_id: i64, works: Vec<Work>) {
        if let Some(lane) = self.lanes.get_mut(&lane_id) {
            for work in works.into_iter().rev() {
                lane.works.push_front(work);
            }
        }
    }

    /// A lane's work is done, and its outcome committed.
    pub(super) fn done(&mut self, lane_id: i64, next: Next) {
        let Some(lane) = self.lanes.get_mut(&lane_id) else { return };
        match next {
            Next::At { due_ms, failures } => {
                lane.works.clear();
                lane.more = true;
                lane.failures = failures;
                lane.stage = Stage::Paused(due_ms);
                self.paused.push(Reverse((due_ms, lane_id)));
            }
            Next::GoOn => {
                lane.failures = 0;
                self.go_on(lane_id);
            }
        }
    }

    fn go_on(&mut self, lane_id: i64) {
        let Some(lane) = self.lanes.get_mut(&lane_id) else { return };
        if !lane.works.is_empty() {
            lane.stage = Stage::Ready;
            self.ready.push_back(lane_id);
        } else if lane.more {
            // Work that arrives during the look may be missed by it: it sets `more` again.
            lane.more = false;
            lane.stage = Stage::Loading;
            self.unloaded.push(lane_id);
        } else {
            self.lanes.remove(&lane_id);
        }
    }

    /// Wakes the lanes whose pause is over.
    pub(super) fn wake(&mut self, now_ms: i64) {
        while let Some(Reverse((due_ms, lane_id))) = self.paused.peek().copied() {
            if due_ms > now_ms {
                return;
            }
            self.paused.pop();
            if self.lanes.get(&lane_id).is_some_and(|lane| lane.stage == Stage::Paused(due_ms)) {
                self.go_on(lane_id);
            }
        }
    }

    /// When the next pause is over.
    pub(super) fn next_wake(&self) -> Option<i64> {
        self.paused.peek().map(|Reverse((due_ms, _))| *due_ms)
    }

    /// Lanes to be read from the database.
    pub(super) fn to_load(&mut self, limit: usize) -> Vec<i64> {
        let count = limit.min(self.unloaded.len());
        self.unloaded.drain(..count).collect()
    }

    /// What the database had for lanes of [`to_load`](Self::to_load), at most [`WORK_PER_LANE`] each.
    pub(super) fn loaded(&mut self, lanes: &[i64], works: Vec<(i64, Work)>) {
        for (lane_id, work) in works {
            if let Some(lane) = self.lanes.get_mut(&lane_id) {
                lane.works.push_back(work);
            }
        }
        for lane_id in lanes {
            if let Some(lane) = self.lanes.get_mut(lane_id) {
                lane.more |= lane.works.len() >= WORK_PER_LANE;
            }
            self.go_on(*lane_id);
        }
    }

    /// Reading failed: these lanes are read again later.
    pub(super) fn not_loaded(&mut self, lanes: &[i64], due_ms: i64) {
        for lane_id in lanes {
            let failures = self.failures(*lane_id);
            self.done(*lane_id, Next::At { due_ms, failures });
        }
    }

    /// Whether lanes were left in the database and there is room for them again.
    pub(super) fn take_overflow(&mut self) -> bool {
        let take = self.overflowed && self.lanes.len() <= LANES_MAX / 2;
        if take {
            self.overflowed = false;
        }
        take
    }

    /// Lanes in the book.
    pub(super) fn len(&self) -> usize {
        self.lanes.len()
    }
}
