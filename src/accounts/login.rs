//! The login of an account that runs: opened, and kept anew where its provider gives the next one when one is used.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use tokio::{sync::Mutex, time::timeout};
use transom_adapter::{KeptLogin, Lifecycle, Login};

use super::OwnBoard;
use crate::{
    hooks::{Step, step},
    seal::{Bound, KeyRing, Sealed, Unopened},
    store::{
        Store, Write, Writer,
        read::OwnAccountRow,
        write::{Operation, OwnAccount as Change},
    },
};

/// Whoever logs in waits no longer for the database than this.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the login of one account is kept, as long as its owner enters no other.
pub(super) struct StoredLogin {
    bound: Bound,
    /// When its owner entered it: one that was entered since is not touched.
    version_ms: i64,
    keys: KeyRing,
    store: Store,
    writer: Writer,
    lifecycle: Lifecycle,
    /// Whoever keeps the accounts tries again what cannot be stored.
    board: OwnBoard,
    /// What the database has not taken yet. Held while it is asked, so that none overtakes the next.
    waiting: Mutex<Option<Login>>,
}

impl StoredLogin {
    pub(super) fn new(
        row: &OwnAccountRow,
        keys: &KeyRing,
        (store, writer): (&Store, &Writer),
        (lifecycle, board): (&Lifecycle, &OwnBoard),
    ) -> Self {
        Self {
            bound: row.bound(),
            version_ms: row.version_ms,
            keys: keys.clone(),
            store: store.clone(),
            writer: writer.clone(),
            lifecycle: lifecycle.clone(),
            board: board.clone(),
            waiting: Mutex::default(),
        }
    }

    /// Tries once more to store what waits for that; false when it waits still.
    pub(super) async fn catch_up(&self) -> bool {
        // Else somebody is at it just now.
        let Ok(mut waiting) = self.waiting.try_lock() else {
            return true;
        };
        self.write(&mut waiting).await.is_ok()
    }

    async fn write(&self, waiting: &mut Option<Login>) -> Result<(), String> {
        let Some(login) = &*waiting else {
            return Ok(());
        };
        let keys = self.keys.newest();
        let sealed = keys.seal(login.to_secret().expose_secret(), self.bound);
        let change = Change::Renew {
            account_id: self.bound.account_id,
            version_ms: self.version_ms,
            key_id: sealed.key,
            sealed: sealed.text,
        };
        let write = Write::Operation(Operation::Own(change));
        let committed = timeout(PATIENCE, self.writer.commit_one(write)).await;
        let late = |_| "no answer in time".to_owned();
        committed
            .map_err(late)?
            .map_err(|error| error.to_string())?;
        step(Step::LoginRenewed);
        // Where its owner has entered another, or taken the account away, nothing was written, and nothing has to be.
        *waiting = None;
        Ok(())
    }
}

#[async_trait]
impl KeptLogin for StoredLogin {
    fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    async fn latest(&self) -> Option<Login> {
        let waiting = self.waiting.lock().await;
        if let Some(login) = &*waiting {
            return Some(login.clone());
        }
        let asked = self
            .store
            .sealed_login(self.bound.account_id, self.version_ms);
        let sealed = timeout(PATIENCE, asked).await.ok()?.ok()??;
        open(&self.keys, &sealed, self.bound).ok()
    }

    async fn renew(&self, login: Login) {
        let mut waiting = self.waiting.lock().await;
        *waiting = Some(login);
        let account_id = self.bound.account_id;
        match self.write(&mut waiting).await {
            Ok(()) => tracing::debug!(account_id, "The login of an account was renewed."),
            Err(problem) => {
                tracing::warn!(
                    account_id,
                    problem,
                    "The next login that a provider gave for an account cannot be stored now; until it is, only this process has it."
                );
                self.board.ring();
            }
        }
    }
}

/// Opens a login with a key that may have come into the file since.
pub(super) fn open(ring: &KeyRing, sealed: &Sealed, bound: Bound) -> Result<Login, String> {
    let opened = match ring.keys().open(sealed, bound) {
        Err(Unopened::UnknownKey) => {
            ring.reload().map_err(|error| error.to_string())?;
            ring.keys().open(sealed, bound)
        }
        opened => opened,
    };
    let secret = opened.map_err(|error| error.to_string())?;
    Login::from_secret(&secret).ok_or_else(|| "it is of a kind that is not known".to_owned())
}

#[cfg(test)]
mod tests;
