//! A clock that goes ahead, and jumps.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use transom_test_servers::{Transom, TurnedClock};

/// A process's clock is ahead of the machine's from the beginning, so that it can go back.
const AHEAD: Duration = Duration::from_hours(24);

/// The time of a process that is not started yet.
#[derive(Clone)]
pub(crate) struct Time(Arc<Turned>);

struct Turned {
    clock: TurnedClock,
    ahead: Mutex<Duration>,
}

impl Time {
    pub(crate) fn of(transom: &mut Transom) -> Self {
        let clock = TurnedClock::of(transom);
        clock.turn(AHEAD);
        let ahead = Mutex::new(AHEAD);
        Self(Arc::new(Turned { clock, ahead }))
    }

    /// It is so much later at once.
    pub(crate) fn forward(&self, by: Duration) {
        let mut ahead = self.0.ahead.lock().unwrap();
        *ahead += by;
        self.0.clock.turn(*ahead);
    }

    /// It is so much earlier at once, as far as there is room.
    pub(crate) fn back(&self, by: Duration) {
        let mut ahead = self.0.ahead.lock().unwrap();
        *ahead = ahead.saturating_sub(by);
        self.0.clock.turn(*ahead);
    }
}
