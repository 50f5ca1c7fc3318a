//! How the process ends, in the words of sysexits.h.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// It did what was asked.
    Done = 0,
    /// The command line makes no sense.
    Usage = 64,
    /// What was named does not exist or cannot be read.
    BadData = 65,
    /// A server could not be reached. `run` ends with it only at its start: after that it keeps trying.
    Unavailable = 69,
    /// Our own fault.
    Software = 70,
    /// The configuration cannot be used.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
