//! What the handlers share, and its bounds.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};
use transom_adapter::Lifecycle;

use super::{HttpState, peer::Proxies, public_url::PublicUrl};

/// All that handlers share.
pub(super) struct Site {
    pub(super) state: HttpState,
    pub(super) lifecycle: Lifecycle,
    pub(super) public_url: Option<PublicUrl>,
    pub(super) proxies: Proxies,
    pub(super) limits: Limits,
    /// One permit a request under way.
    pub(super) requests: Semaphore,
    /// One permit a body that is not small.
    pub(super) large_bodies: Semaphore,
    pub(super) store_probe: StoreProbe,
}

/// The bounds of the server; tests turn them down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For a request's head, and for an idle connection to ask again.
    pub(super) head: Duration,
    /// For a request's body.
    pub(super) body: Duration,
    /// For a commit; then the provider is told to come again.
    pub(super) commit: Duration,
    /// For the store's answer to `/readyz`.
    pub(super) ready: Duration,
    /// A connection is used this long; it also bounds whoever reads an answer byte by byte.
    pub(super) connection: Duration,
    /// Then, what is under way has this long.
    pub(super) farewell: Duration,
    /// When the process stops, what is under way has this long.
    pub(super) stop: Duration,
    /// How many connections there may be; more wait in the kernel.
    pub(super) connections: u32,
    /// How many requests may be under way.
    pub(super) requests: usize,
    /// How many bodies above 64 KiB, or of unknown size, may be in memory.
    pub(super) large_bodies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(20),
            commit: Duration::from_secs(20),
            ready: Duration::from_secs(2),
            connection: Duration::from_mins(2),
            farewell: Duration::from_mins(1),
            stop: Duration::from_secs(10),
            connections: 1024,
            requests: 512,
            large_bodies: 64,
        }
    }
}

/// What the store answered last, and when. Shared by all who ask: nobody can make us commit more than once a second.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreProbe(pub(super) Arc<Mutex<Option<(Instant, StoreAnswer)>>>);

/// What the store answered: whether it commits; `None` when it said nothing in time.
pub(super) type StoreAnswer = Option<bool>;
