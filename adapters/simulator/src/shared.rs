//! The one world that accounts, pages and tests share.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use transom_adapter::{Clock, UnixMillis};

use crate::{post::lock, world::World};

/// The world with its lock, its clock and its bell.
pub(crate) struct Shared {
    world: Mutex<World>,
    changed: Notify,
    pub(crate) clock: Arc<dyn Clock>,
    /// Tells this run of the process from every other: ids and page versions begin anew with each.
    pub(crate) run: u64,
}

impl Shared {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            world: Mutex::default(),
            changed: Notify::new(),
            clock,
            run: rand::random(),
        }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    pub(crate) fn look<T>(&self, read: impl FnOnce(&World) -> T) -> T {
        read(&lock(&self.world))
    }

    pub(crate) fn change<T>(&self, write: impl FnOnce(&mut World) -> T) -> T {
        let result = write(&mut lock(&self.world));
        self.changed.notify_waiters();
        result
    }

    /// Resolves with the first something that `read` finds, looking again after each change.
    pub(crate) async fn wait<T>(&self, read: impl Fn(&World) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            if let Some(found) = self.look(&read) {
                return found;
            }
            changed.await;
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}
