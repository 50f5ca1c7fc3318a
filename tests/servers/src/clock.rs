//! The clock of a process, which a test turns.

use std::path::PathBuf;
use std::time::Duration;

use crate::transom::Transom;

/// What a transom with the feature `test-hooks` takes for the time. What waits for a network goes by real time all the same.
pub struct TurnedClock(PathBuf);

impl TurnedClock {
    /// The clock of its later starts, right as yet.
    pub fn of(transom: &mut Transom) -> Self {
        let file = transom.folder().join("ahead");
        transom.set_env("TRANSOM_CLOCK_AHEAD", &file.display().to_string());
        let this = Self(file);
        this.turn(Duration::ZERO);
        this
    }

    /// So much ahead from now on; in one step, since half a number would be another time.
    pub fn turn(&self, ahead: Duration) {
        let new = self.0.with_extension("new");
        std::fs::write(&new, ahead.as_millis().to_string()).expect("a file in transom's folder");
        std::fs::rename(&new, &self.0).expect("a file in transom's folder");
    }
}
