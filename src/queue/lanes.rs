//! The book of lanes: what waits in which chat, and when. Pure; bounded; order within a lane is strict.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

use super::{Work, read_first::ReadFirst};

mod set_back;

/// Work kept in memory for one lane; what is beyond stays in the database until these are done.
pub(super) const WORK_PER_LANE: usize = 16;
/// Lanes kept in memory, about 100 bytes each and their work; what is beyond stays in the database.
pub(super) const LANES_MAX: usize = 50_000;

/// Every lane that is known to have something waiting.
#[derive(Debug, Default)]
pub(super) struct LaneBook {
    lanes: HashMap<i64, Lane>,
    ready: VecDeque<i64>,
    paused: BinaryHeap<Reverse<(i64, i64)>>,
    unloaded: Vec<i64>,
    overflowed: bool,
    read_first: ReadFirst,
}

#[derive(Debug)]
struct Lane {
    gateway_id: i64,
    failures: u32,
    works: VecDeque<Work>,
    /// The database has work that is not here.
    more: bool,
    /// What comes behind `works` is held until then, in the database.
    held_until_ms: Option<i64>,
    /// Somebody moved it to this time while its work was being done.
    moved_ms: Option<i64>,
    /// Somebody changed what waits while its work was being done: what comes back of that is read again.
    is_stale: bool,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// In `ready`, or waiting for a slot.
    Ready,
    /// Its work is being done, since then.
    Busy(i64),
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
    /// At once, and nothing was tried: what went wrong before still counts.
    Prepared,
    /// At this time, from the database.
    At {
        /// UTC milliseconds.
        due_ms: i64,
        /// Failures in a row.
        failures: u32,
    },
}

/// What the database had for some lanes.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Lane and work, in the order of each lane.
    pub(super) works: Vec<(i64, Work)>,
    /// Lanes whose next work is held, and until when.
    pub(super) held: Vec<(i64, i64)>,
}

impl LaneBook {
    /// Takes committed work.
    pub(super) fn arrive(&mut self, lane_id: i64, gateway_id: i64, work: Work) {
        if self.read_first.has(work.delivery_id()) {
            return;
        }
        if let Some(lane) = self.lanes.get_mut(&lane_id) {
            if lane.held_until_ms.is_some() {
                // What is held is read when its time comes, and with it what came behind it.
                return;
            }
            let room = lane.works.len() < WORK_PER_LANE && !lane.more;
            match lane.stage {
                Stage::Ready | Stage::Busy(_) if room => lane.works.push_back(work),
                Stage::Ready | Stage::Busy(_) | Stage::Loading => lane.more = true,
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
        self.lanes.insert(
            lane_id,
            Lane {
                gateway_id,
                failures: 0,
                works,
                more: false,
                held_until_ms: None,
                moved_ms: None,
                is_stale: false,
                stage: Stage::Ready,
            },
        );
        self.ready.push_back(lane_id);
    }

    /// Takes note of committed work that is held: the work itself stays in the database, where it may change until then.
    pub(super) fn hold(&mut self, lane_id: i64, gateway_id: i64, held_until_ms: i64) {
        let Some(lane) = self.lanes.get_mut(&lane_id) else {
            self.found(lane_id, gateway_id, held_until_ms, 0);
            return;
        };
        match lane.stage {
            Stage::Ready | Stage::Busy(_) if !lane.more => {
                // The first of them wakes the lane, and finds the others.
                lane.held_until_ms.get_or_insert(held_until_ms);
            }
            Stage::Loading => lane.more = true,
            // It is read from the database when its time comes.
            Stage::Ready | Stage::Busy(_) | Stage::Paused(_) => {}
        }
    }

    /// A lane that the database says is due at that time. False when the book is full.
    pub(super) fn found(
        &mut self,
        lane_id: i64,
        gateway_id: i64,
        due_ms: i64,
        failures: u32,
    ) -> bool {
        if let Some(lane) = self.lanes.get_mut(&lane_id) {
            // Somebody moved it: a user came back, an admin wants it tried now.
            let is_held = lane.held_until_ms.is_some();
            match lane.stage {
                Stage::Paused(later) if due_ms < later && !is_held => {
                    lane.stage = Stage::Paused(due_ms);
                    self.paused.push(Reverse((due_ms, lane_id)));
                }
                // What the attempt under way ends with is committed over it.
                Stage::Busy(since) if due_ms > since => lane.moved_ms = Some(due_ms),
                _ => {}
            }
            return true;
        }
        if self.lanes.len() >= LANES_MAX {
            self.overflowed = true;
            return false;
        }
        let lane = Lane {
            gateway_id,
            failures,
            works: VecDeque::new(),
            more: true,
            held_until_ms: None,
            moved_ms: None,
            is_stale: false,
            stage: Stage::Paused(due_ms),
        };
        self.lanes.insert(lane_id, lane);
        self.paused.push(Reverse((due_ms, lane_id)));
        true
    }

    /// A lane in which another process has put something: it is read from the database, when its turn comes.
    pub(super) fn hinted(&mut self, lane_id: i64, gateway_id: i64, now_ms: i64) {
        let Some(lane) = self.lanes.get_mut(&lane_id) else {
            self.found(lane_id, gateway_id, now_ms, 0);
            return;
        };
        match lane.stage {
            Stage::Ready | Stage::Busy(_) | Stage::Loading => lane.more = true,
            // It is read from the database when its time comes.
            Stage::Paused(_) => {}
        }
    }

    /// Another process works off this lane, which is not under way.
    pub(super) fn forget(&mut self, lane_id: i64) {
        if self
            .lanes
            .get(&lane_id)
            .is_some_and(|lane| lane.stage == Stage::Ready)
        {
            self.lanes.remove(&lane_id);
        }
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
    pub(super) fn take(&mut self, lane_id: i64, count: usize, now_ms: i64) -> Vec<Work> {
        let Some(lane) = self.lanes.get_mut(&lane_id) else {
            return Vec::new();
        };
        lane.stage = Stage::Busy(now_ms);
        let count = count.min(lane.works.len());
        lane.works.drain(..count).collect()
    }

    /// Puts work back at the front of its lane, in its order.
    pub(super) fn give_back(&mut self, lane_id: i64, works: Vec<Work>) {
        if let Some(lane) = self.lanes.get_mut(&lane_id)
            && !lane.is_stale
        {
            for work in works.into_iter().rev() {
                lane.works.push_front(work);
            }
        }
    }

    /// A lane's work is done, and its outcome committed.
    pub(super) fn done(&mut self, lane_id: i64, next: Next) {
        let Some(lane) = self.lanes.get_mut(&lane_id) else {
            return;
        };
        let moved_ms = lane.moved_ms.take();
        lane.is_stale = false;
        if next == Next::GoOn {
            lane.failures = 0;
        }
        match (next, moved_ms) {
            (Next::At { due_ms, failures }, _) => {
                let due_ms = moved_ms.map_or(due_ms, |moved| moved.min(due_ms));
                lane.failures = failures;
                self.read_again_at(due_ms, lane_id);
            }
            (Next::GoOn | Next::Prepared, Some(due_ms)) => self.read_again_at(due_ms, lane_id),
            (Next::GoOn | Next::Prepared, None) => self.go_on(lane_id),
        }
    }

    fn read_again_at(&mut self, due_ms: i64, lane_id: i64) {
        let Some(lane) = self.lanes.get_mut(&lane_id) else {
            return;
        };
        lane.works.clear();
        lane.more = true;
        lane.held_until_ms = None;
        lane.stage = Stage::Paused(due_ms);
        self.paused.push(Reverse((due_ms, lane_id)));
    }

    fn go_on(&mut self, lane_id: i64) {
        let Some(lane) = self.lanes.get_mut(&lane_id) else {
            return;
        };
        if !lane.works.is_empty() {
            lane.stage = Stage::Ready;
            self.ready.push_back(lane_id);
        } else if lane.more {
            // Work that arrives during the look may be missed by it: it sets `more` again.
            lane.more = false;
            lane.stage = Stage::Loading;
            lane.held_until_ms = None;
            self.unloaded.push(lane_id);
        } else if let Some(due_ms) = lane.held_until_ms {
            lane.more = true;
            lane.stage = Stage::Paused(due_ms);
            self.paused.push(Reverse((due_ms, lane_id)));
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
            if self
                .lanes
                .get(&lane_id)
                .is_some_and(|lane| lane.stage == Stage::Paused(due_ms))
            {
                self.go_on(lane_id);
            }
        }
    }

    /// When the next pause is over.
    pub(super) fn next_wake(&self) -> Option<i64> {
        self.paused.peek().map(|Reverse((due_ms, _))| *due_ms)
    }

    /// Lanes to be read from the database.
    pub(super) fn take_unloaded(&mut self, limit: usize) -> Vec<i64> {
        let count = limit.min(self.unloaded.len());
        self.unloaded.drain(..count).collect()
    }

    /// What the database had for lanes of [`take_unloaded`](Self::take_unloaded), at most [`WORK_PER_LANE`] each; behind it may be
    /// something that is held.
    pub(super) fn loaded(&mut self, lanes: &[i64], found: Loaded) {
        for (lane_id, held_until_ms) in found.held {
            if let Some(lane) = self.lanes.get_mut(&lane_id) {
                lane.held_until_ms = Some(held_until_ms);
            }
        }
        for (lane_id, work) in found.works {
            if let Some(lane) = self.lanes.get_mut(&lane_id) {
                self.read_first.add(work.delivery_id());
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

    /// Somebody changed what waits behind the book's back: what is not under way is read again before it is done, and what is under
    /// way once it comes back.
    pub(super) fn distrust(&mut self) {
        for lane in self.lanes.values_mut() {
            lane.works.clear();
            lane.more = true;
            lane.held_until_ms = None;
            lane.is_stale = matches!(lane.stage, Stage::Busy(_));
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

#[cfg(test)]
mod tests;
