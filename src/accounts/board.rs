//! Where the accounts that users brought stand.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use transom_adapter::{AccountName, AccountState, Meter, States};

use crate::metrics::Metrics;

/// The last word of each account that runs, and the bell of whoever keeps them. Cheap to clone.
#[derive(Clone)]
pub struct OwnBoard {
    stands: Arc<Mutex<Stands>>,
    bell: Arc<Notify>,
    metrics: Metrics,
}

/// The states, and how many of them are up: with thousands of accounts nobody counts at every word.
#[derive(Default)]
struct Stands {
    states: HashMap<i64, AccountState>,
    up: usize,
}

impl OwnBoard {
    /// Nobody stands anywhere; the metrics say how many do.
    pub fn new(metrics: Metrics) -> Self {
        let board = Self {
            stands: Arc::default(),
            bell: Arc::default(),
            metrics,
        };
        board.publish(&board.stands());
        board
    }

    /// Where an account stands; `None` when it has not said anything yet, or does not run.
    pub fn state(&self, account_id: i64) -> Option<AccountState> {
        self.stands().states.get(&account_id).cloned()
    }

    /// Something was changed in the database: look again.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Returns when somebody rang since the last time.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    pub(super) fn forget(&self, account_id: i64) {
        let mut stands = self.stands();
        let was = stands.states.remove(&account_id);
        stands.up -= usize::from(was == Some(AccountState::Up));
        self.publish(&stands);
    }

    /// While nobody else can change them, so that the last word is the last one that is published.
    fn publish(&self, stands: &Stands) {
        let down = stands.states.len().saturating_sub(stands.up);
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.metrics.own_accounts(number(stands.up), number(down));
    }

    fn stands(&self) -> MutexGuard<'_, Stands> {
        self.stands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl States for OwnBoard {
    fn report(&self, account: &AccountName, state: AccountState) {
        let Some(account_id) = account.own_key() else {
            return;
        };
        let (is_up, refused) = match &state {
            AccountState::Up => (true, false),
            AccountState::Down(_) => (false, false),
            AccountState::LoggedOut(_) => (false, true),
        };
        let mut stands = self.stands();
        let known = stands.states.get(&account_id);
        if refused && matches!(known, Some(AccountState::LoggedOut(_))) {
            // The first word is the server's; what follows from it says less.
            return;
        }
        stands.up += usize::from(is_up);
        let was = stands.states.insert(account_id, state);
        stands.up -= usize::from(was == Some(AccountState::Up));
        self.publish(&stands);
        drop(stands);
        if refused {
            self.ring();
        }
    }
}

/// Counts what thousands of accounts count under one name: a metric an account would be the larger memory.
pub(super) struct OwnMeter {
    pub(super) metrics: Metrics,
    pub(super) name: AccountName,
}

impl Meter for OwnMeter {
    fn count(&self, _account: &AccountName, what: &'static str) {
        self.metrics.count(&self.name, what);
    }

    fn refused(&self, _account: &AccountName, what: &'static str, peer: Option<IpAddr>) {
        Meter::refused(&self.metrics, &self.name, what, peer);
    }
}
