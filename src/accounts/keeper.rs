//! What runs, held against what the database says.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::Notify;
use transom_adapter::{
    Account, AccountName, AccountState, Address, Clock, Context, Login, OwnAccount, OwnAccounts,
    Place,
};

use super::{
    OwnBoard,
    board::OwnMeter,
    login::{self, StoredLogin},
    owner,
};
use crate::{
    gateway::Gateway,
    metrics::Metrics,
    processes::Processes,
    queue::{Brought, Queue},
    seal::KeyRing,
    store::{
        Store, Write, Writer,
        read::OwnAccountRow,
        write::{Operation, OwnAccount as Change},
    },
    xmpp::stream::LinkHandle,
};

/// Between two looks when nobody rings: users go by several ways, and what other processes tell may be lost.
const EVERY: Duration = Duration::from_mins(1);

/// The same while an owner has still to be told, or a login to be stored: the link may be up by then, and the database in order.
const SOON: Duration = Duration::from_secs(2);

/// Keeps the accounts that users brought.
pub struct Keeper {
    /// The gateways and their links.
    pub gateways: Vec<(Arc<Gateway>, LinkHandle)>,
    /// The database, for reading.
    pub store: Store,
    /// The database, for writing.
    pub writer: Writer,
    /// The keys that open their logins.
    pub keys: Option<KeyRing>,
    /// What accounts live on.
    pub context: Context,
    /// Counters.
    pub metrics: Metrics,
    /// Who sends by them.
    pub queue: Queue,
    /// Where they can be found by name.
    pub brought: Brought,
    /// Which process reads: the one that has the gateway. Each may send.
    pub processes: Processes,
    /// Where they stand.
    pub board: OwnBoard,
}

/// An account that runs.
struct Running {
    name: AccountName,
    version_ms: i64,
    login: Arc<StoredLogin>,
    stop: Arc<Notify>,
}

impl Keeper {
    /// Runs until the lifecycle drains.
    pub async fn run(self) {
        let gateways = self.gateways.iter();
        let takes = gateways.filter(|(gateway, _)| gateway.adapter.own_accounts().is_some());
        if takes.count() == 0 {
            return;
        }
        let (clock, lifecycle) = (self.clock(), self.context.lifecycle.clone());
        let mut running = HashMap::new();
        let (mut view, mut looks) = (self.processes.view(), self.processes.looks());
        loop {
            let mut is_settled = keep_logins(&running).await;
            for (gateway, link) in &self.gateways {
                is_settled &= self.look(gateway, link, &mut running).await;
            }
            let next = clock.now().after(if is_settled { EVERY } else { SOON });
            tokio::select! {
                () = self.board.rung() => {}
                // A user has connected one elsewhere, or a gateway has come, with mailboxes that were connected just before.
                _ = looks.changed() => {}
                _ = view.changed() => {}
                () = clock.sleep_until(next) => {}
                () = lifecycle.draining() => break,
            }
        }
        // The last chance: without this process nobody has them.
        keep_logins(&running).await;
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.context.clock)
    }

    /// Looks once; false when an owner has still to be told.
    async fn look(
        &self,
        gateway: &Arc<Gateway>,
        link: &LinkHandle,
        running: &mut HashMap<i64, Running>,
    ) -> bool {
        let Some(adapter) = gateway.adapter.own_accounts() else {
            return true;
        };
        let mut rows = match self.store.own_accounts(gateway.id).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "Cannot read the accounts that users brought."
                );
                return true;
            }
        };
        for row in &mut rows {
            self.refuse(row, running).await;
        }
        let wanted: HashMap<i64, &OwnAccountRow> = rows
            .iter()
            .filter(|row| row.is_user_active && !row.refused)
            .map(|row| (row.account_id, row))
            .collect();
        let of_gateway = |account: &Running| account.name.gateway() == gateway.config.name;
        let gone: Vec<i64> = running
            .iter()
            .filter(|(key, account)| {
                let row = wanted.get(*key);
                of_gateway(account) && row.is_none_or(|row| row.version_ms != account.version_ms)
            })
            .map(|(key, _)| *key)
            .collect();
        for account_id in gone {
            if let Some(account) = running.remove(&account_id) {
                self.stop(account_id, &account).await;
            }
        }
        for (account_id, row) in wanted {
            if !running.contains_key(&account_id)
                && let Some(account) = self.start(gateway, adapter, row).await
            {
                running.insert(account_id, account);
            }
        }
        let mut is_settled = true;
        let tells = self.processes.has(gateway.id);
        for row in rows.iter().filter(|row| tells && row.refused && !row.told) {
            let clock = &*self.context.clock;
            is_settled &= owner::tell(gateway, link, row, clock, &self.writer).await;
        }
        is_settled
    }

    /// Marks an account whose login its servers do not take; a login that was entered since is another matter.
    async fn refuse(&self, row: &mut OwnAccountRow, running: &HashMap<i64, Running>) {
        let is_this = running
            .get(&row.account_id)
            .is_some_and(|account| account.version_ms == row.version_ms);
        let Some(AccountState::LoggedOut(failure)) = self.board.state(row.account_id) else {
            return;
        };
        if !is_this || row.refused {
            return;
        }
        let problem = failure.detail.unwrap_or_default();
        let change = Change::Refuse {
            account_id: row.account_id,
            version_ms: row.version_ms,
            problem: problem.clone(),
        };
        let write = Write::Operation(Operation::Own(change));
        if self.writer.commit_one(write).await.is_ok() {
            crate::hooks::step(crate::hooks::Step::LoginRefused);
            tracing::warn!(
                account_id = row.account_id,
                "The login of an account that a user brought is refused; its owner is told."
            );
            (row.refused, row.told, row.problem) = (true, false, Some(problem));
        }
    }

    async fn stop(&self, account_id: i64, account: &Running) {
        account.stop.notify_one();
        self.brought.remove(&account.name);
        self.queue.account_gone(account.name.clone()).await;
        self.board.forget(account_id);
    }

    async fn start(
        &self,
        gateway: &Gateway,
        adapter: &dyn OwnAccounts,
        row: &OwnAccountRow,
    ) -> Option<Running> {
        let name = AccountName::own(&gateway.config.name, row.account_id);
        let (login, kept) = match self.open(row) {
            Ok(opened) => opened,
            Err(problem) => {
                tracing::error!(account = %name, problem, "The login of an account that a user brought cannot be opened; its owner has to enter it again.");
                return None;
            }
        };
        let place: Place = serde_json::from_str(&row.place).ok()?;
        let account = adapter.open(OwnAccount {
            name: name.clone(),
            address: Address::new(row.address.clone()),
            place,
            login,
            kept: Some(Arc::clone(&kept) as _),
        });
        self.brought.insert(&name, &account);
        self.queue
            .account_came(name.clone(), row.account_id, Arc::clone(&account))
            .await;
        let stop = Arc::new(Notify::new());
        let context = Context {
            states: Arc::new(self.board.clone()),
            meter: Arc::new(OwnMeter {
                metrics: self.metrics.clone(),
                name: AccountName::new(&gateway.config.name, "own"),
            }),
            ..self.context.clone()
        };
        let until = self.context.lifecycle.clone();
        let read = move || read(Arc::clone(&account), context.clone());
        let reading = self
            .processes
            .clone()
            .while_held(Some(gateway.id), until, read);
        let running = until_stopped(reading, Arc::clone(&stop));
        self.context.lifecycle.spawn("account.own", running);
        Some(Running {
            name,
            version_ms: row.version_ms,
            login: kept,
            stop,
        })
    }

    fn open(&self, row: &OwnAccountRow) -> Result<(Login, Arc<StoredLogin>), String> {
        let ring = self
            .keys
            .as_ref()
            .ok_or("there is no key: store.key_file")?;
        let login = login::open(ring, &row.sealed, row.bound())?;
        let database = (&self.store, &self.writer);
        let life = (&self.context.lifecycle, &self.board);
        let kept = StoredLogin::new(row, ring, database, life);
        Ok((login, Arc::new(kept)))
    }
}

/// Stores what the database has not taken when a provider gave it; false when there is some left.
async fn keep_logins(running: &HashMap<i64, Running>) -> bool {
    for account in running.values() {
        if !account.login.catch_up().await {
            // The next one would fare no better.
            return false;
        }
    }
    true
}

/// One account's reading side, until it ends.
async fn read(account: Arc<dyn Account>, context: Context) {
    if let Err(failure) = account.run(&context).await {
        context.report_state(account.name(), AccountState::Down(failure));
    }
}

async fn until_stopped(reading: impl Future<Output = ()>, stop: Arc<Notify>) {
    tokio::select! {
        () = reading => {}
        () = stop.notified() => {}
    }
}
