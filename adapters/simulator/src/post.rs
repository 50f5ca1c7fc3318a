//! The way back to the gateway: reports that wait for a commit, and the context to commit them through.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use transom_adapter::{
    AccountName, Address, Context, Event, ExternalId, Failure, MessageRef, Progress, Reason,
    Report, UnixMillis,
};

use crate::text::Delivery;

/// Reports that may wait for the gateway before further texts have to; switching phones on may exceed it by what they hold.
const REPORTS_WAITING_MAX: usize = 16_384;

/// The sort of id that simulated networks give.
pub(crate) const ID_KIND: &str = "sim";

/// The way back for one account.
pub(crate) struct Post {
    pub(crate) account: AccountName,
    queue: Mutex<VecDeque<Notice>>,
    /// Wakes the account's `run`.
    filled: Notify,
    /// Wakes the sends that found the queue full.
    freed: Notify,
    /// Known from the first `run` on.
    context: Mutex<Option<Context>>,
}

/// A report, with the place of the text it is about.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) phone: Address,
    pub(crate) sequence: u64,
    pub(crate) delivery: Delivery,
    pub(crate) fate: Fate,
    /// It went to a group at once: only our id says which phone is meant.
    pub(crate) of_group: bool,
    pub(crate) at: UnixMillis,
}

/// What became of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Delivered,
    Unreachable,
    /// One of a group that took the others: the number is not in use.
    Unassigned,
    /// Given up while the phone was off.
    Expired,
}

impl Post {
    pub(crate) fn new(account: AccountName) -> Self {
        Self {
            account,
            queue: Mutex::default(),
            filled: Notify::new(),
            freed: Notify::new(),
            context: Mutex::default(),
        }
    }

    pub(crate) fn connect(&self, context: &Context) {
        *lock(&self.context) = Some(context.clone());
    }

    pub(crate) fn context(&self) -> Option<Context> {
        lock(&self.context).clone()
    }

    pub(crate) fn push(&self, notice: Notice) {
        lock(&self.queue).push_back(notice);
        self.filled.notify_one();
    }

    /// Takes at most `count` from the front; whoever waits for room may look again.
    pub(crate) fn take(&self, count: usize) -> Vec<Notice> {
        let mut queue = lock(&self.queue);
        let count = count.min(queue.len());
        let taken: Vec<_> = queue.drain(..count).collect();
        drop(queue);
        if !taken.is_empty() {
            self.freed.notify_waiters();
        }
        taken
    }

    /// Resolves when something was pushed since the last time.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }

    pub(crate) fn has_room(&self) -> bool {
        lock(&self.queue).len() < REPORTS_WAITING_MAX
    }

    /// Resolves when the queue has room.
    pub(crate) async fn room(&self) {
        loop {
            let freed = self.freed.notified();
            if self.has_room() {
                return;
            }
            freed.await;
        }
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Post").field(&self.account).finish()
    }
}

impl Notice {
    /// As the gateway is told. The key stands beside our id for a text whose send was left without an answer, and so without an id.
    pub(crate) fn event(&self) -> Event {
        let (key, unit) = self.delivery;
        let (progress, failure) = match self.fate {
            Fate::Delivered => (Progress::Delivered, None),
            Fate::Unreachable => (Progress::Failed, Some(Reason::Unreachable)),
            Fate::Unassigned => (Progress::Failed, Some(Reason::NoSuchRecipient)),
            Fate::Expired => (Progress::Expired, Some(Reason::Expired)),
        };
        let mut about = vec![MessageRef::External(id_of(self.delivery))];
        if !self.of_group {
            about.push(MessageRef::Key(key, unit));
        }
        Event::Report(Report {
            about,
            progress,
            failure: failure.map(Failure::new),
            at: Some(self.at),
        })
    }
}

/// The id that the simulated network gives to an attempt: the same for every repeat.
pub(crate) fn id_of((key, unit): Delivery) -> ExternalId {
    let value = match unit {
        0 => format!("sim-{key}"),
        unit => format!("sim-{key}-{unit}"),
    };
    ExternalId::new(ID_KIND, value).for_part(unit)
}

/// Locks one of the crate's mutexes. None of them guards an invariant that a panic could break half-way.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
