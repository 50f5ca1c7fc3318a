//! A clock that goes ahead, and jumps.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use transom_test_servers::{Transom, TurnedClock};

/// A process's clock is ahead of the machine's from the beginning, so that it can go back.
const AHEAD: Duration = Duration::from_hours(24);

/// The time of processes that are not started yet: the same for all.
#[derive(Clone)]
pub(crate) struct Time(Arc<Mutex<Turned>>);

struct Turned {
    clocks: Vec<TurnedClock>,
    /// Ahead of the machine's clock.
    ahead: Duration,
    /// The most that it ever was.
    most: Duration,
}

impl Time {
    /// Nobody's yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Turned {
            clocks: Vec::new(),
            ahead: AHEAD,
            most: AHEAD,
        })))
    }

    pub(crate) fn of(transom: &mut Transom) -> Self {
        let time = Self::new();
        time.also_of(transom);
        time
    }

    pub(crate) fn also_of(&self, transom: &mut Transom) {
        let clock = TurnedClock::of(transom);
        let mut turned = self.0.lock().unwrap();
        clock.turn(turned.ahead);
        turned.clocks.push(clock);
    }

    /// It is so much later at once.
    pub(crate) fn forward(&self, by: Duration) {
        self.turn(|now| now.ahead + by);
    }

    /// It is so much earlier at once, as far as there is room.
    pub(crate) fn back(&self, by: Duration) {
        self.turn(|now| now.ahead.saturating_sub(by));
    }

    /// It is so much later than it ever was.
    pub(crate) fn beyond(&self, by: Duration) {
        self.turn(|now| now.most + by);
    }

    fn turn(&self, to: impl FnOnce(&Turned) -> Duration) {
        let mut turned = self.0.lock().unwrap();
        turned.ahead = to(&turned);
        turned.most = turned.most.max(turned.ahead);
        for clock in &turned.clocks {
            clock.turn(turned.ahead);
        }
    }
}
