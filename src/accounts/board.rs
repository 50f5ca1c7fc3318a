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
#[derive(Clone, Default)]
pub struct OwnBoard {
    states: Arc<Mutex<HashMap<i64, AccountState>>>,
    bell: Arc<Notify>,
}

impl OwnBoard {
    /// Where an account stands; `None` when it has not said anything yet, or does not run.
    pub fn state(&self, account_id: i64) -> Option<AccountState> {
        self.states().get(&account_id).cloned()
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
        self.states().remove(&account_id);
    }

    /// How many there are in each state: up, down.
    pub(super) fn counts(&self) -> (u64, u64) {
        let states = self.states();
        let up = states
            .values()
            .filter(|state| matches!(state, AccountState::Up));
        let up = u64::try_from(up.count()).unwrap_or(u64::MAX);
        let all = u64::try_from(states.len()).unwrap_or(u64::MAX);
        (up, all.saturating_sub(up))
    }

    fn states(&self) -> MutexGuard<'_, HashMap<i64, AccountState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl States for OwnBoard {
    fn report(&self, account: &AccountName, state: AccountState) {
        let Some(account_id) = account.own_key() else {
            return;
        };
        let refused = matches!(state, AccountState::LoggedOut(_));
        let mut states = self.states();
        let known = states.get(&account_id);
        if refused && matches!(known, Some(AccountState::LoggedOut(_))) {
            // The first word is the server's; what follows from it says less.
            return;
        }
        states.insert(account_id, state);
        drop(states);
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
