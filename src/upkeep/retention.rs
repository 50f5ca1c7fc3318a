//! What is kept for how long: texts, records, and what serves them.

use std::{sync::Arc, time::Duration};

use transom_adapter::{Clock, Lifecycle, UnixMillis};

use crate::{
    config::KeepConfig,
    gateway::text_in::STRANGER_DAYS,
    store::{
        Ids, Store, Write, Writer,
        write::{Done, Kept, Sweep},
    },
};

/// Forgets what was kept for long enough, every minute.
#[derive(Clone)]
pub struct Retention {
    /// For how long.
    pub keep: KeepConfig,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The database.
    pub store: Store,
    /// What writes to it.
    pub writer: Writer,
    /// Until when it works.
    pub lifecycle: Lifecycle,
}

/// Between two rounds.
const EVERY: Duration = Duration::from_mins(1);
/// Rows of one pass.
const ROWS: i64 = 200;
/// Conversations of one pass: with each go all its messages.
const CONVERSATIONS: i64 = 5;
/// A source that saw no answer repeats within this; so long the mark of a message is kept at the least.
const REPEATS: Duration = Duration::from_mins(10);
/// A report that names nothing we know for so long never will.
const PARKED_MAX: Duration = Duration::from_hours(7 * 24);
/// Semantics 17: a line that was given up rests for so long.
const REST: Duration = Duration::from_hours(90 * 24);
/// Mail for which a user has no word for so long is thrown away: as long as anything is tried inwards.
const STRANGERS: Duration = Duration::from_hours(STRANGER_DAYS as u64 * 24);
const DAY_MS: i64 = 24 * 3_600_000;

impl Retention {
    /// Runs until the lifecycle drains.
    pub async fn run(self) {
        loop {
            for what in Kept::ALL {
                if !self.sweep(what).await {
                    return;
                }
            }
            if let Err(error) = self.store.empty_log().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "The database's log is not emptied; it is tried again in a minute."
                );
            }
            let next = self.clock.now().after(EVERY);
            tokio::select! {
                () = self.clock.sleep_until(next) => {}
                () = self.lifecycle.draining() => return,
            }
        }
    }

    /// Passes until nothing is old any more; false when the process stops.
    async fn sweep(&self, what: Kept) -> bool {
        loop {
            if self.lifecycle.is_draining() {
                return false;
            }
            let pass = pass(self.keep, what, self.clock.now());
            match self.writer.commit_one(Write::Sweep(pass)).await {
                Ok(Done::Swept(rows)) if rows >= pass.limit.unsigned_abs() => {}
                Ok(_) => return true,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "Nothing can be forgotten now; it is tried again in a minute."
                    );
                    return true;
                }
            }
        }
    }
}

/// The next pass over one kind.
fn pass(keep: KeepConfig, what: Kept, now: UnixMillis) -> Sweep {
    let ago = |time: Duration| now.0 - i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let records = keep.records.max(REPEATS);
    let before = match what {
        Kept::Bodies | Kept::Unowned => ago(keep.bodies),
        Kept::Records => Ids::of(UnixMillis(ago(records))),
        Kept::Seen => ago(records),
        Kept::ParkedReports => ago(records.min(PARKED_MAX)),
        Kept::UsageDays => ago(records).div_euclid(DAY_MS),
        Kept::ReleasedLines => ago(REST),
        Kept::Strangers => ago(STRANGERS),
        Kept::Fleeting | Kept::GoneAccounts => now.0,
    };
    let limit = match what {
        Kept::ReleasedLines | Kept::GoneAccounts => CONVERSATIONS,
        _ => ROWS,
    };
    Sweep {
        what,
        before,
        limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn keep(bodies: u64, records: u64) -> KeepConfig {
        let days = |days| Duration::from_hours(days * 24);
        KeepConfig {
            bodies: days(bodies),
            records: days(records),
            files: days(30),
        }
    }

    fn before(keep: KeepConfig, what: Kept) -> i64 {
        pass(keep, what, NOW).before
    }

    #[test]
    fn each_is_kept_for_its_own_time() {
        let keep = keep(14, 90);
        assert_eq!(before(keep, Kept::Bodies), NOW.0 - 14 * DAY_MS);
        assert_eq!(before(keep, Kept::Unowned), NOW.0 - 14 * DAY_MS);
        assert_eq!(before(keep, Kept::Seen), NOW.0 - 90 * DAY_MS);
        assert_eq!(before(keep, Kept::ParkedReports), NOW.0 - 7 * DAY_MS);
        assert_eq!(before(keep, Kept::UsageDays), NOW.0 / DAY_MS - 90);
        assert_eq!(
            before(keep, Kept::Records),
            Ids::of(UnixMillis(NOW.0 - 90 * DAY_MS))
        );
    }

    #[test]
    fn with_nothing_kept_a_repeat_is_still_known_for_ten_minutes() {
        let keep = keep(0, 0);
        assert_eq!(before(keep, Kept::Bodies), NOW.0, "once it is done with");
        assert_eq!(before(keep, Kept::Seen), NOW.0 - 600_000);
        assert!(before(keep, Kept::UsageDays) >= NOW.0 / DAY_MS - 1);
        assert!(
            before(keep, Kept::UsageDays) <= NOW.0 / DAY_MS,
            "today counts"
        );
    }
}
