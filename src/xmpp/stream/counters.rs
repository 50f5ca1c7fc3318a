//! What went through a link, for metrics and health.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// What went through a link since it was spawned.
#[derive(Debug)]
pub struct Counters {
    start: Instant,
    /// Milliseconds after `start`, plus one; 0 is never.
    last_traffic: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) connected: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) stanzas_in: AtomicU64,
    pub(crate) stanzas_out: AtomicU64,
    pub(crate) invalid: AtomicU64,
    pub(crate) uncommitted: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self) -> u64 {
            self.$name.load(Ordering::Relaxed)
        })*
    };
}

impl Counters {
    pub(crate) fn new() -> Self {
        let zero = AtomicU64::default;
        Self {
            start: Instant::now(),
            last_traffic: zero(),
            requests: zero(),
            connected: zero(),
            bytes_in: zero(),
            bytes_out: zero(),
            stanzas_in: zero(),
            stanzas_out: zero(),
            invalid: zero(),
            uncommitted: zero(),
            dropped: zero(),
        }
    }

    counts! {
        /// How often the handshake succeeded.
        connected;
        /// Bytes read.
        bytes_in;
        /// Bytes written.
        bytes_out;
        /// Stanzas handed over in batches; answers to pings and requests are not counted.
        stanzas_in;
        /// Stanzas written, pings included.
        stanzas_out;
        /// Things handed over that are no stanzas.
        invalid;
        /// Stanzas handed over and not acknowledged now: what a kill would lose (semantics 1).
        uncommitted;
        /// Stanzas whose batch was dropped without a commit.
        dropped;
    }

    /// How long ago anything was read; `None` before the first time.
    pub fn since_last_traffic(&self) -> Option<Duration> {
        let at = self.last_traffic.load(Ordering::Relaxed).checked_sub(1)?;
        Some(
            self.start
                .elapsed()
                .saturating_sub(Duration::from_millis(at)),
        )
    }

    pub(crate) fn note_traffic(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.last_traffic.store(now + 1, Ordering::Relaxed);
    }

    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}
