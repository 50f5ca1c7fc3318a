//! Where accounts stand, as they say and as attempts show; for whoever has to act on it.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;
use transom_adapter::{AccountName, AccountState, Clock, Outcome, States, UnixMillis};

use crate::metrics::Metrics;

/// What is known of every account that ever said something. Cheap to clone.
#[derive(Clone)]
pub struct AccountStates {
    board: watch::Sender<Board>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// Who hears of accounts that users brought: no admin can do anything about those.
    own: Option<Arc<dyn States>>,
}

/// The accounts by name.
pub type Board = Arc<BTreeMap<AccountName, Standing>>;

/// Where one account stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its last word.
    pub state: AccountState,
    /// Since when it is of this kind.
    pub since: UnixMillis,
}

impl AccountStates {
    /// Nothing is known yet.
    pub fn new(clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        let board = watch::Sender::new(Board::default());
        Self {
            board,
            clock,
            metrics,
            own: None,
        }
    }

    /// With somebody who hears of accounts that users brought.
    #[must_use]
    pub fn with_own(mut self, own: Arc<dyn States>) -> Self {
        self.own = Some(own);
        self
    }

    /// The board, and every change of it.
    pub fn watch(&self) -> watch::Receiver<Board> {
        self.board.subscribe()
    }

    /// What is known now.
    pub fn now(&self) -> Board {
        Arc::clone(&self.board.borrow())
    }

    /// What an attempt shows: that the account is at fault, or that it is not any more. Nothing else says anything of the account.
    pub(super) fn attempted(&self, account: &AccountName, outcome: &Outcome) {
        match outcome {
            Outcome::Misconfigured(failure) => {
                self.report(account, AccountState::LoggedOut(failure.clone()));
            }
            Outcome::Accepted { .. } if self.is_known(account) => {
                self.report(account, AccountState::Up);
            }
            _ => {}
        }
    }

    fn is_known(&self, account: &AccountName) -> bool {
        self.board.borrow().contains_key(account)
    }
}

impl States for AccountStates {
    fn report(&self, account: &AccountName, state: AccountState) {
        if account.own_key().is_some() {
            if let Some(own) = &self.own {
                own.report(account, state);
            }
            return;
        }
        self.metrics
            .account_up(account, matches!(state, AccountState::Up));
        let now = self.clock.now();
        self.board.send_if_modified(|board| {
            let known = board.get(account);
            if known.is_some_and(|known| known.state == state) {
                return false;
            }
            let same_kind = known.filter(|known| kind(&known.state) == kind(&state));
            let since = same_kind.map_or(now, |known| known.since);
            Arc::make_mut(board).insert(account.clone(), Standing { state, since });
            true
        });
    }
}

fn kind(state: &AccountState) -> std::mem::Discriminant<AccountState> {
    std::mem::discriminant(state)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use transom_adapter::{Failure, Reason, testkit::ManualClock};

    use super::*;

    #[test]
    fn the_board_says_since_when() {
        let clock = Arc::new(ManualClock::at(UnixMillis(1_000)));
        let states = AccountStates::new(clock.clone(), Metrics::new());
        let account = AccountName::new("sms", "main");
        let down = |code: &str| {
            AccountState::Down(Failure::new(Reason::NetworkDown).with_code(code.to_owned()))
        };
        let mut changes = states.watch();
        states.report(&account, down("1"));
        clock.advance(Duration::from_secs(5));
        states.report(&account, down("2"));
        let standing = states.now()[&account].clone();
        assert_eq!(standing.state, down("2"), "the last word");
        assert_eq!(standing.since, UnixMillis(1_000), "the first of its kind");
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        states.report(&account, down("2"));
        assert!(!changes.has_changed().unwrap(), "nothing new");
        states.attempted(&account, &Outcome::Accepted { ids: Vec::new() });
        assert_eq!(states.now()[&account].state, AccountState::Up);
        assert_eq!(states.now()[&account].since, UnixMillis(6_000));
    }

    #[test]
    fn a_good_attempt_is_no_news() {
        let clock = Arc::new(ManualClock::at(UnixMillis(1_000)));
        let states = AccountStates::new(clock, Metrics::new());
        let account = AccountName::new("sms", "main");
        states.attempted(&account, &Outcome::Accepted { ids: Vec::new() });
        assert!(states.now().is_empty());
        let failure = Failure::new(Reason::OurAccount);
        states.attempted(&account, &Outcome::Misconfigured(failure.clone()));
        assert_eq!(
            states.now()[&account].state,
            AccountState::LoggedOut(failure)
        );
    }
}
