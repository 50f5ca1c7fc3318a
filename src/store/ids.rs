//! Keys: 64-bit, unique, in the order of their making.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use transom_adapter::{Clock, UnixMillis};

/// Makes keys: 41 bits of milliseconds since 2024, 10 bits of process number, 12 bits of sequence.
///
/// It never goes back, not even when the wall clock does: then it counts on from its last key.
#[derive(Clone)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

struct State {
    process: i64,
    last: i64,
}

/// 2024-01-01T00:00:00Z; 41 bits from there last until 2093.
const EPOCH_MS: i64 = 1_704_067_200_000;
const SEQUENCE_BITS: u32 = 12;
const PROCESS_BITS: u32 = 10;

impl Ids {
    /// Keys of the process `process` (taken modulo 1024), all greater than `newest`.
    pub fn new(clock: Arc<dyn Clock>, process: i64, newest: i64) -> Self {
        let process = process.rem_euclid(1 << PROCESS_BITS);
        Self {
            clock,
            state: Arc::new(Mutex::new(State {
                process,
                last: after(newest),
            })),
        }
    }

    /// All keys from now on are greater than `newest`: what another process has made is older than what this one will.
    pub fn raise(&self, newest: i64) {
        let mut state = self.state();
        state.last = state.last.max(after(newest));
    }

    /// Keys of another process number from now on.
    pub fn renumber(&self, process: i64) {
        self.state().process = process.rem_euclid(1 << PROCESS_BITS);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first key that can have been made at this time.
    pub fn of(at: UnixMillis) -> i64 {
        (at.0.saturating_sub(EPOCH_MS)).max(0) << (SEQUENCE_BITS + PROCESS_BITS)
    }

    /// The next key.
    pub fn next(&self) -> i64 {
        let now = (self.clock.now().0 - EPOCH_MS).max(0) << SEQUENCE_BITS;
        let mut state = self.state();
        // A full sequence runs over into the next millisecond, which is what keeps the order.
        state.last = now.max(state.last + 1);
        let millis = state.last >> SEQUENCE_BITS;
        let sequence = state.last & ((1 << SEQUENCE_BITS) - 1);
        millis << (SEQUENCE_BITS + PROCESS_BITS) | state.process << SEQUENCE_BITS | sequence
    }
}

/// The millisecond after the newest key: another process may have used any sequence within its own.
fn after(newest: i64) -> i64 {
    ((newest >> (SEQUENCE_BITS + PROCESS_BITS)) + 1) << SEQUENCE_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use transom_adapter::testkit::ManualClock;

    #[test]
    fn keys_rise_even_when_the_clock_stands_still_or_falls_back() {
        let at = |ms| Arc::new(ManualClock::at(UnixMillis(ms)));
        let ids = Ids::new(at(1_800_000_000_000), 3, 0);
        let keys: Vec<i64> = (0..10_000).map(|_| ids.next()).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        let earlier = Ids::new(at(1_700_000_000_000), 3, keys[9_999]);
        assert!(
            earlier.next() > keys[9_999],
            "started with the clock set back"
        );
    }

    #[test]
    fn two_processes_never_make_the_same_key() {
        let clock = Arc::new(ManualClock::at(UnixMillis(1_800_000_000_000)));
        let (a, b) = (Ids::new(clock.clone(), 1, 0), Ids::new(clock, 2, 0));
        let keys: std::collections::HashSet<i64> =
            (0..5_000).flat_map(|_| [a.next(), b.next()]).collect();
        assert_eq!(keys.len(), 10_000);
    }
}
