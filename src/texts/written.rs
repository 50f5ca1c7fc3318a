//! What leaves to people outside in the words of a user, or of the gateway in a user's name.

use super::Quoted;

/// A text to somebody outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Written {
    /// A reaction, on a network that has none.
    Reacted {
        /// The emoji.
        emoji: String,
        /// How the message begins that is reacted to, if that is known.
        quoted: Option<Quoted>,
    },
    /// What stands before the quotation of a mail.
    Wrote {
        /// Who wrote it.
        who: String,
        /// On which day, as `2026-11-02`.
        day: String,
    },
    /// Somebody said STOP.
    StopConfirmed,
}
