//! The second class of what leaves: presences, so many a second.

use std::time::Duration;

use tokio::time::Instant;

use super::Queues;

/// Lets so many presences pass in each slot of time.
pub(crate) struct Pace {
    per_slot: u32,
    slot: Duration,
    opens_at: Instant,
    left: u32,
}

impl Pace {
    pub(crate) fn new(queues: &Queues) -> Self {
        let rate = queues.presences_per_second.max(1);
        let per_slot = (rate / 50).max(1);
        Self {
            per_slot,
            slot: Duration::from_secs(1) * per_slot / rate,
            opens_at: Instant::now(),
            left: per_slot,
        }
    }

    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        if self.opens_at <= now {
            self.opens_at = now + self.slot;
            self.left = self.per_slot;
        }
        self.left > 0
    }

    pub(crate) fn count(&mut self, now: Instant) {
        if self.allows(now) {
            self.left -= 1;
        }
    }

    pub(crate) fn opens_at(&self) -> Option<Instant> {
        (self.left == 0).then_some(self.opens_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_rate_is_kept() {
        for rate in [1, 7, 49, 50, 500, 10_000] {
            let queues = Queues {
                presences_per_second: rate,
                ..Queues::default()
            };
            let mut pace = Pace::new(&queues);
            let begin = Instant::now();
            let mut passed = 0;
            for millisecond in 0..10_000 {
                let now = begin + Duration::from_millis(millisecond);
                while pace.allows(now) {
                    pace.count(now);
                    passed += 1;
                }
            }
            let full = 10 * rate;
            assert!(
                (full * 9 / 10..=full + pace.per_slot).contains(&passed),
                "{passed} at {rate}"
            );
        }
    }
}
