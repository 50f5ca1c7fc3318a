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
    ahead: Mutex<Ahead>,
}

/// Of the machine's clock.
struct Ahead {
    now: Duration,
    /// The most that it ever was.
    most: Duration,
}

impl Time {
    pub(crate) fn of(transom: &mut Transom) -> Self {
        let clock = TurnedClock::of(transom);
        clock.turn(AHEAD);
        let ahead = Mutex::new(Ahead {
            now: AHEAD,
            most: AHEAD,
        });
        Self(Arc::new(Turned { clock, ahead }))
    }

    /// It is so much later at once.
    pub(crate) fn forward(&self, by: Duration) {
        self.turn(|ahead| ahead.now + by);
    }

    /// It is so much earlier at once, as far as there is room.
    pub(crate) fn back(&self, by: Duration) {
        self.turn(|ahead| ahead.now.saturating_sub(by));
    }

    /// It is so much later than it ever was.
    pub(crate) fn beyond(&self, by: Duration) {
        self.turn(|ahead| ahead.most + by);
    }

    fn turn(&self, to: impl FnOnce(&Ahead) -> Duration) {
        let mut ahead = self.0.ahead.lock().unwrap();
        ahead.now = to(&ahead);
        ahead.most = ahead.most.max(ahead.now);
        self.0.clock.turn(ahead.now);
    }
}
