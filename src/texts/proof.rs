//! Proving a mobile number.

use std::time::Duration;

/// What is said while a user proves a mobile number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// The text that goes to the number.
    Code {
        /// Which gateway asks.
        gateway: String,
        /// The code.
        code: String,
    },
    /// It was sent.
    Sent {
        /// Where to.
        number: String,
        /// How long it works.
        works_for: Duration,
    },
    /// The number is the user's.
    Proved {
        /// Which.
        number: String,
    },
    /// The code is wrong.
    Wrong {
        /// How many tries are left.
        left: u8,
    },
    /// No code waits to be entered.
    NoCode,
    /// Too many codes today.
    TooOften,
    /// Nobody has to prove anything here.
    NotWanted,
}
