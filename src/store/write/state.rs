//! The words for what a delivery is, and for what its user has to be told.

use serde::Serialize;
use transom_adapter::Progress;

/// What a delivery is. Doc comments say what each does *not* prove.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for corrections and retractions.
    Held,
    /// Waits for its turn; earlier attempts surely came to nothing.
    Queued,
    /// An attempt is under way, or was when the process ended.
    Sending,
    /// It may have gone out, and nobody can tell.
    Unknown,
    /// The network has it; the recipient may not.
    Accepted,
    /// It left the network; nobody confirmed that it came anywhere.
    Sent,
    /// The network is still trying.
    Delayed,
    /// Given up because it waited too long.
    Expired,
    /// Will not arrive.
    Failed,
    /// The other side has it; inwards: the user's server has it.
    Delivered,
    /// The recipient looked at it.
    Read,
    /// Taken back before it was sent.
    Cancelled,
}

impl State {
    /// The state with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "held" => Self::Held,
            "queued" => Self::Queued,
            "sending" => Self::Sending,
            "unknown" => Self::Unknown,
            "accepted" => Self::Accepted,
            "sent" => Self::Sent,
            "delayed" => Self::Delayed,
            "expired" => Self::Expired,
            "failed" => Self::Failed,
            "delivered" => Self::Delivered,
            "read" => Self::Read,
            "cancelled" => Self::Cancelled,
            _ => return None,
        })
    }

    /// Its word in the database and in `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delayed => "delayed",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<Progress> for State {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Unknown => Self::Unknown,
            Progress::Accepted => Self::Accepted,
            Progress::Sent => Self::Sent,
            Progress::Delayed => Self::Delayed,
            Progress::Expired => Self::Expired,
            Progress::Failed => Self::Failed,
            Progress::Delivered => Self::Delivered,
            Progress::Read => Self::Read,
        }
    }
}

/// What a user has to be told of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TellKind {
    /// The other side has it (XEP-0184), if a receipt was asked for; corrects an earlier error.
    Receipt,
    /// The recipient looked at it (XEP-0333), if that was asked for; with the receipt, if that is not told yet.
    Read,
    /// It failed.
    Error,
    /// It may or may not have arrived.
    Doubt,
    /// No report came in all the time in which one was to be expected.
    Silence,
    /// It is late and still being tried.
    Delay,
    /// It waits until the recipient's quiet hours are over.
    Night,
}

impl TellKind {
    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "receipt" => Self::Receipt,
            "read" => Self::Read,
            "error" => Self::Error,
            "doubt" => Self::Doubt,
            "silence" => Self::Silence,
            "delay" => Self::Delay,
            "night" => Self::Night,
            _ => return None,
        })
    }
}
