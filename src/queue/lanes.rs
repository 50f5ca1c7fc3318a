//! The book of lanes: what waits in which chat, and when. Pure; bounded; order within a lane is strict.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

use super::{Work, read_first::ReadFirst};

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
        if let Some(lane) = self.lanes.get_mut(&lane_id) {
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
        match next {
            Next::At { due_ms, failures } => {
                let due_ms = moved_ms.map_or(due_ms, |moved| moved.min(due_ms));
                lane.failures = failures;
                self.read_again_at(due_ms, lane_id);
            }
            Next::GoOn => {
                lane.failures = 0;
                match moved_ms {
                    Some(due_ms) => self.read_again_at(due_ms, lane_id),
                    None => self.go_on(lane_id),
                }
            }
            Next::Prepared => self.go_on(lane_id),
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
            self.read_first.add(work.delivery_id());
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

    /// Somebody changed what waits behind the book's back: what is not under way is read again before it is done.
    pub(super) fn distrust(&mut self) {
        for lane in self.lanes.values_mut() {
            lane.works.clear();
            lane.more = true;
            lane.held_until_ms = None;
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
mod tests {
    use super::*;
    use crate::{queue::InWork, store::read::InRow};

    fn work(delivery_id: i64) -> Work {
        Work::In(Box::new(InWork::from(InRow {
            delivery_id,
            lane_id: -1,
            attempts: 0,
            jid: String::new(),
            peer: String::new(),
            line: String::new(),
            stanza_id: String::new(),
            body: String::new(),
            payload: None,
            created_ms: 0,
            has_files: false,
        })))
    }

    fn found(works: impl IntoIterator<Item = Work>) -> Loaded {
        Loaded {
            works: works.into_iter().map(|work| (1, work)).collect(),
            held: Vec::new(),
        }
    }

    fn ids(works: &[Work]) -> Vec<i64> {
        works.iter().map(Work::delivery_id).collect()
    }

    #[test]
    fn a_lane_keeps_its_order_through_memory_and_database() {
        let mut book = LaneBook::default();
        for id in 0..20 {
            book.arrive(1, 7, work(id));
        }
        let lane = book.next_ready().unwrap();
        assert_eq!(
            ids(&book.take(lane, WORK_PER_LANE, 0)),
            (0..16).collect::<Vec<_>>()
        );
        book.done(lane, Next::GoOn);
        assert_eq!(book.next_ready(), None, "the rest is in the database");
        assert_eq!(book.take_unloaded(10), [1]);
        book.arrive(1, 7, work(20));
        book.loaded(&[1], found((16..20).map(work)));
        assert_eq!(book.next_ready(), Some(1));
        assert_eq!(ids(&book.take(1, WORK_PER_LANE, 0)), [16, 17, 18, 19]);
        book.done(1, Next::GoOn);
        assert_eq!(
            book.take_unloaded(10),
            [1],
            "what arrived during the look is looked for"
        );
        book.loaded(&[1], found([work(20)]));
        assert_eq!(book.next_ready(), Some(1));
        assert_eq!(ids(&book.take(1, 1, 0)), [20]);
        book.done(1, Next::GoOn);
        assert_eq!(book.len(), 0, "an idle lane costs nothing");
    }

    #[test]
    fn what_was_read_before_word_of_it_came_is_done_once() {
        let mut book = LaneBook::default();
        book.found(1, 7, 0, 0);
        book.wake(0);
        assert_eq!(book.take_unloaded(10), [1]);
        book.loaded(&[1], found([work(5)]));
        book.arrive(1, 7, work(5));
        assert_eq!(ids(&book.take(1, WORK_PER_LANE, 0)), [5]);
        book.arrive(1, 7, work(5));
        book.arrive(1, 7, work(6));
        book.done(1, Next::GoOn);
        assert_eq!(ids(&book.take(1, WORK_PER_LANE, 0)), [6]);
        book.done(1, Next::GoOn);
        book.arrive(1, 7, work(5));
        assert_eq!(book.len(), 0, "the lane is gone, and what it did is known");
    }

    #[test]
    fn a_paused_lane_waits_with_everything_behind_it() {
        let mut book = LaneBook::default();
        book.arrive(1, 7, work(1));
        let lane = book.next_ready().unwrap();
        book.take(lane, 1, 0);
        book.done(
            lane,
            Next::At {
                due_ms: 100,
                failures: 1,
            },
        );
        book.arrive(1, 7, work(2));
        book.wake(99);
        assert_eq!((book.next_ready(), book.next_wake()), (None, Some(100)));
        book.wake(100);
        assert_eq!(book.take_unloaded(10), [1]);
        assert_eq!(book.failures(1), 1);
    }

    #[test]
    fn what_is_held_is_read_when_its_time_comes_and_passed_by_nobody() {
        let mut book = LaneBook::default();
        book.hold(1, 7, 100);
        book.hold(1, 7, 150);
        book.arrive(1, 7, work(3));
        book.wake(99);
        assert_eq!((book.next_ready(), book.next_wake()), (None, Some(100)));
        book.wake(100);
        assert_eq!(book.take_unloaded(10), [1]);
        // The first was corrected, which restarted its time.
        let held = vec![(1, 200)];
        let works = Vec::new();
        book.loaded(&[1], Loaded { works, held });
        assert_eq!((book.next_ready(), book.next_wake()), (None, Some(200)));
        assert!(book.found(1, 7, 120, 0), "the row's time is the old one");
        book.wake(199);
        assert_eq!(book.take_unloaded(10), Vec::<i64>::new());
        book.wake(200);
        assert_eq!(book.take_unloaded(10), [1]);
        book.loaded(&[1], found([work(1), work(2), work(3)]));
        assert_eq!(book.next_ready(), Some(1));
        assert_eq!(ids(&book.take(1, 16, 0)), [1, 2, 3]);
        // Held while the others are on their way.
        book.hold(1, 7, 300);
        book.arrive(1, 7, work(5));
        book.done(1, Next::GoOn);
        assert_eq!((book.next_ready(), book.next_wake()), (None, Some(300)));
        book.wake(300);
        assert_eq!(book.take_unloaded(10), [1]);
        book.loaded(&[1], Loaded::default());
        assert_eq!(book.len(), 0, "taken back, and nothing is left");
    }

    #[test]
    fn a_lane_that_was_moved_wakes_at_its_new_time() {
        let mut book = LaneBook::default();
        assert!(book.found(1, 7, 1_000_000, 0));
        assert!(book.found(1, 7, 50, 0), "moved by somebody");
        book.wake(60);
        assert_eq!(book.take_unloaded(10), [1]);
        book.wake(2_000_000);
        assert_eq!(
            book.take_unloaded(10),
            Vec::<i64>::new(),
            "the old time means nothing any more"
        );
    }

    #[test]
    fn a_lane_that_is_moved_while_it_is_tried_goes_on_at_its_new_time() {
        let later = Next::At {
            due_ms: 9_000,
            failures: 1,
        };
        for (due_ms, wakes) in [(50, 9_000), (100, 9_000), (101, 101), (20_000, 9_000)] {
            let mut book = LaneBook::default();
            book.arrive(1, 7, work(1));
            let lane = book.next_ready().unwrap();
            book.take(lane, 1, 100);
            assert!(book.found(lane, 7, due_ms, 0));
            book.done(lane, later);
            assert_eq!(book.next_wake(), Some(wakes), "moved to {due_ms}");
        }
    }

    #[test]
    fn what_was_sent_back_while_it_was_handed_over_holds_what_is_behind_it() {
        let mut book = LaneBook::default();
        book.arrive(1, 7, work(1));
        book.arrive(1, 7, work(2));
        let lane = book.next_ready().unwrap();
        book.take(lane, 1, 100);
        assert!(book.found(lane, 7, 20_000, 0));
        book.done(lane, Next::GoOn);
        assert_eq!(book.next_ready(), None, "nothing passes it");
        book.wake(20_000);
        assert_eq!(book.take_unloaded(10), [1]);
    }

    #[test]
    fn what_was_changed_behind_its_back_is_read_again() {
        let mut book = LaneBook::default();
        book.arrive(1, 7, work(1));
        book.distrust();
        let lane = book.next_ready().unwrap();
        assert!(book.first(lane).is_none(), "the cancelled work is not done");
        book.done(lane, Next::GoOn);
        assert_eq!(book.take_unloaded(10), [1]);
        book.loaded(&[1], Loaded::default());
        assert_eq!(book.len(), 0);
    }

    #[test]
    fn work_that_a_link_lost_comes_back_in_front() {
        let mut book = LaneBook::default();
        for id in 1..=3 {
            book.arrive(1, 7, work(id));
        }
        let lane = book.next_ready().unwrap();
        let taken = book.take(lane, 2, 0);
        book.give_back(lane, taken);
        book.done(lane, Next::GoOn);
        let lane = book.next_ready().unwrap();
        assert_eq!(ids(&book.take(lane, 16, 0)), [1, 2, 3]);
    }
}
