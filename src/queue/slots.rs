//! What carries work, so much at once: accounts, links, and the lines that have to wait for a while.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use transom_adapter::{Account, Address, UnixMillis};

/// Something that carries work, so many at once: an account, a gateway's link, the files.
pub(super) struct Slot {
    pub(super) carrier: Carrier,
    pub(super) free: usize,
    size: usize,
    pub(super) paused_until: Option<UnixMillis>,
    /// Lanes that wait for it, in turn.
    pub(super) waiting: VecDeque<i64>,
    /// Lines that may not send through it for a while; never more than there are lines.
    lines: HashMap<Address, PausedLine>,
}

/// What a slot is.
pub(super) enum Carrier {
    /// An account, and its key.
    Account {
        account: Arc<dyn Account>,
        account_id: i64,
    },
    /// A gateway's link; whose.
    Link(i64),
    /// What fetches, keeps and gives out files.
    Files,
    /// An account that is gone: free for another once nothing is under way by it.
    Gone,
}

#[derive(Debug)]
struct PausedLine {
    until: UnixMillis,
    waiting: Vec<i64>,
}

impl Slot {
    pub(super) fn new(carrier: Carrier, free: usize) -> Self {
        Self {
            carrier,
            free,
            size: free,
            paused_until: None,
            waiting: VecDeque::new(),
            lines: HashMap::new(),
        }
    }

    /// Whether another account can have its place: attempts that are under way by the one that is gone still name it.
    pub(super) fn is_vacant(&self) -> bool {
        matches!(self.carrier, Carrier::Gone) && self.free == self.size
    }

    /// The account is gone; the lanes that waited for it.
    pub(super) fn vacate(&mut self) -> Vec<i64> {
        self.carrier = Carrier::Gone;
        self.paused_until = None;
        let mut waiting: Vec<i64> = std::mem::take(&mut self.waiting).into();
        waiting.extend(self.lines.drain().flat_map(|(_, line)| line.waiting));
        waiting
    }

    /// Nothing goes through it until then.
    pub(super) fn pause(&mut self, until: UnixMillis) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Nothing of this line goes through it until then.
    pub(super) fn pause_line(&mut self, line: Address, until: UnixMillis) {
        let waiting = Vec::new();
        let paused = self.lines.entry(line);
        let paused = paused.or_insert(PausedLine { until, waiting });
        paused.until = paused.until.max(until);
    }

    /// Lets a lane wait if its line has to; false when it may go.
    pub(super) fn waits_for_line(&mut self, line: &Address, lane_id: i64) -> bool {
        let paused = self.lines.get_mut(line);
        let waits = paused.map(|paused| paused.waiting.push(lane_id));
        waits.is_some()
    }

    /// The clock was set back by so much: pauses last no longer for it.
    pub(super) fn set_back(&mut self, by_ms: i64) {
        let earlier = |until: &mut UnixMillis| until.0 = until.0.saturating_sub(by_ms);
        self.paused_until.iter_mut().for_each(earlier);
        let lines = self.lines.values_mut();
        lines.map(|paused| &mut paused.until).for_each(earlier);
    }

    /// When something that waits here can go on.
    pub(super) fn next_wake(&self) -> Option<UnixMillis> {
        let account = self.paused_until.filter(|_| !self.waiting.is_empty());
        let lines = self.lines.values().map(|paused| paused.until);
        account.into_iter().chain(lines).min()
    }

    /// Ends the pauses that are over; the lanes that can go on.
    pub(super) fn wake(&mut self, now: UnixMillis) -> Vec<i64> {
        let mut ready = Vec::new();
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
            ready.extend(std::mem::take(&mut self.waiting));
        }
        self.lines.retain(|_, paused| {
            let over = paused.until <= now;
            if over {
                ready.append(&mut paused.waiting);
            }
            !over
        });
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_throttled_waits_alone() {
        let mut slot = Slot::new(Carrier::Link(1), 4);
        let (ours, other) = (Address::new("+12025550100"), Address::new("+12025550101"));
        slot.pause_line(ours.clone(), UnixMillis(5_000));
        slot.pause_line(ours.clone(), UnixMillis(3_000));
        assert!(slot.waits_for_line(&ours, 1));
        assert!(slot.waits_for_line(&ours, 2));
        assert!(!slot.waits_for_line(&other, 3));
        assert_eq!(slot.next_wake(), Some(UnixMillis(5_000)), "the longer one");
        assert!(slot.wake(UnixMillis(4_999)).is_empty());
        assert_eq!(slot.wake(UnixMillis(5_000)), [1, 2], "in their order");
        assert!(!slot.waits_for_line(&ours, 4));
        assert_eq!(slot.next_wake(), None);
        slot.pause_line(ours.clone(), UnixMillis(9_000));
        slot.pause(UnixMillis(9_500));
        slot.waiting.push_back(5);
        slot.set_back(8_000);
        assert_eq!(slot.next_wake(), Some(UnixMillis(1_000)));
        assert_eq!(slot.wake(UnixMillis(1_500)), [5]);
    }
}
