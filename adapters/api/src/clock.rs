//! Time, as everything here takes it: from a [`Clock`], so that tests can turn it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// This much later; stays at the end of time instead of wrapping.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// How long after `earlier` this is; zero when it is not.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0).max(0);
        Duration::from_millis(millis.unsigned_abs())
    }

    /// The same instant for formatting, XEP-0082 for one.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

/// Where the time comes from and how waiting is done.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The wall-clock time.
    fn now(&self) -> UnixMillis;

    /// Returns once [`now`](Self::now) has reached `deadline`, or as long has gone by as was left when it was called: a clock that is set
    /// back makes nobody wait for the difference. Safe to drop.
    async fn sleep_until(&self, deadline: UnixMillis);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine for the time"
    )]
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep_until(&self, deadline: UnixMillis) {
        // A step of a minute at most: a jump ahead is noticed within one.
        sleep_by(self, deadline, Duration::from_mins(1)).await;
    }
}

/// Sleeps as [`Clock::sleep_until`] does, on a clock that is the machine's or goes as fast, looking at it every `step`.
pub async fn sleep_by(clock: &(impl Clock + ?Sized), deadline: UnixMillis, step: Duration) {
    let began = tokio::time::Instant::now();
    let at_most = deadline.since(clock.now());
    loop {
        let left = deadline.since(clock.now());
        let left = left.min(at_most.saturating_sub(began.elapsed()));
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(step)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// Goes as fast as tokio's, and can be set.
    struct Settable(tokio::time::Instant, AtomicI64);

    #[async_trait]
    impl Clock for Settable {
        fn now(&self) -> UnixMillis {
            UnixMillis(self.1.load(Ordering::Relaxed)).after(self.0.elapsed())
        }

        async fn sleep_until(&self, deadline: UnixMillis) {
            sleep_by(self, deadline, Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_jumps_makes_nobody_wait_for_the_difference() {
        let clock = Settable(tokio::time::Instant::now(), AtomicI64::new(1_000_000));
        for (jump, longest) in [(-3_600_000, 10), (3_600_000, 6)] {
            let began = tokio::time::Instant::now();
            let sleep = clock.sleep_until(clock.now().after(Duration::from_secs(10)));
            let set = async {
                tokio::time::advance(Duration::from_secs(5)).await;
                clock.1.fetch_add(jump, Ordering::Relaxed);
            };
            tokio::join!(sleep, set);
            let took = began.elapsed();
            assert!(took <= Duration::from_secs(longest), "{jump}: {took:?}");
        }
    }
}
