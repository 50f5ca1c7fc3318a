//! What the scheduler is told, by whoever knows.

use std::sync::Arc;

use transom_adapter::{Account, AccountName, Address};

use super::{
    OutWork, Waiting, Work,
    lanes::{Loaded, Next},
    verdict::Pause,
};
use crate::store::{StoreError, read::DueLane};

/// What the scheduler is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Work was committed.
    Arrived(Vec<Waiting>),
    /// An attempt is over, and its outcome committed.
    Finished {
        lane_id: i64,
        slot: usize,
        finished: Finished,
    },
    /// What nobody carries any more is given up, and that is committed.
    GivenUp { lane_id: i64 },
    /// A hand-over is over; the works that the link lost come back.
    HandedOver {
        lane_id: i64,
        slot: usize,
        next: Next,
        lost: Vec<Work>,
    },
    /// Lanes were read from the database.
    Loaded {
        lanes: Vec<i64>,
        found: Result<Loaded, StoreError>,
    },
    /// Lanes that are due were read from the database.
    Found {
        lanes: Vec<DueLane>,
        /// What this look was for; see [`Look`].
        look: Look,
    },
    /// Another process committed work: lane and gateway.
    Hinted(Vec<(i64, i64)>),
    /// A link came up.
    LinkUp(i64),
    /// An account that a user brought runs.
    AccountCame(Came),
    /// It does not any more.
    AccountGone(AccountName),
    /// The database may have more than the book.
    LookAgain,
    /// Somebody changed what waits: what the book holds may be wrong.
    Changed,
}

/// Why the database is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// It may have more than the book; what is not seen now is seen next time.
    Again,
    /// What waits was changed behind the book's back, or belonged to another process: nothing that comes in passes it.
    Changed,
}

/// An account that runs.
pub(super) struct Came {
    pub(super) name: AccountName,
    pub(super) account_id: i64,
    pub(super) account: Arc<dyn Account>,
}

impl std::fmt::Debug for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Came").field(&self.name).finish()
    }
}

/// What follows an attempt.
#[derive(Debug)]
pub(super) struct Finished {
    /// What else may not go by this account; of which line.
    pub(super) pause: Option<(Pause, Address)>,
    pub(super) next: Next,
    /// The same work again: its next unit, or its next route.
    pub(super) give_back: Option<Box<OutWork>>,
    /// It went on in a lane of its own: lane, time, failures.
    pub(super) own_lane: Option<(i64, i64, u32)>,
}

impl Finished {
    pub(super) fn go_on() -> Self {
        let (pause, give_back, own_lane) = (None, None, None);
        Self {
            pause,
            next: Next::GoOn,
            give_back,
            own_lane,
        }
    }
}
