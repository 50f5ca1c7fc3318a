//! What waits, goes out, comes back and is told: the only place that retries and chooses routes.
//!
//! - [`accounts`]: where accounts stand, for whoever has to act on it.
//! - [`lanes`]: the book of chats in which something waits, bounded in memory; pure.
//! - [`scheduler`]: one task that owns the book and hands out work; once it has read what the last process left, it waits for nothing but
//!   its inbox. [`order`]: what it is told; [`slots`]: what carries the work; [`dispatch`] finds each lane its slot.
//! - [`files_in`], [`files_out`]: files fetched, stored and given out, before the message that they belong to goes on.
//! - [`attempt`]: one try outwards, from start mark to outcome; [`verdict`] is the one table of what follows.
//! - [`stranded`]: what no account carries any more, given up in its time.
//! - [`handover`]: inwards, to the user's server, until its barrier is answered.
//! - [`teller`]: receipts, errors and notices to the sender.
//! - [`others`]: what other processes on the same database tell.
//! - [`recovery`]: what a killed process left; [`overdue`]: doubts and missing reports.
//!
//! In steady state committed work goes from the commit to the scheduler in memory; the database is read only at the start, for lanes
//! that come back from a pause, and for chats with more waiting than the book keeps.

pub mod accounts;
mod attempt;
mod dispatch;
mod files_in;
mod files_out;
mod handover;
mod lanes;
mod loading;
mod order;
mod others;
mod overdue;
mod read_first;
mod recovery;
mod scheduler;
mod slots;
mod stranded;
mod teller;
mod verdict;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::sync::mpsc;
use transom_adapter::{Account, AccountName, Clock, Lifecycle, Outgoing, Route};

use crate::{
    files::Files,
    gateway::Gateway,
    metrics::Metrics,
    processes::{Hint, Processes},
    store::{Store, Writer, read::InRow, write::FileRow},
    xmpp::{stream::LinkHandle, xep::privilege::Announced},
};

pub use accounts::{AccountStates, Standing};
pub use teller::{Inbox as TellerInbox, Online, Teller};

/// Work that is committed and waits.
#[derive(Debug)]
pub enum Work {
    /// To an outside network.
    Out(Box<OutWork>),
    /// To a user.
    In(Box<InWork>),
}

impl Work {
    /// The key of its delivery.
    fn delivery_id(&self) -> i64 {
        match self {
            Self::Out(work) => work.delivery_id,
            Self::In(work) => work.row.delivery_id,
        }
    }

    /// Whether its files have to be fetched or given out before it goes on.
    fn needs_files(&self) -> bool {
        match self {
            Self::Out(work) => work.needs_files,
            Self::In(work) => work.row.has_files && work.files.is_none(),
        }
    }
}

/// A message on its way to a user.
#[derive(Debug, Clone)]
pub struct InWork {
    /// The message.
    pub row: InRow,
    /// Its files, once they are settled.
    pub files: Option<Vec<FileRow>>,
}

impl From<InRow> for InWork {
    fn from(row: InRow) -> Self {
        Self { row, files: None }
    }
}

/// A message on its way to an outside network.
#[derive(Debug, Clone)]
pub struct OutWork {
    /// The delivery.
    pub delivery_id: i64,
    /// The message that it is a delivery of.
    pub message_id: i64,
    /// Whether it is for one member of a group, and the message has other deliveries.
    pub is_one_of_several: bool,
    /// Attempts so far.
    pub attempts: u32,
    /// Which send is next, counted from 0.
    pub unit: u16,
    /// The accounts that can carry it, best first.
    pub routes: Vec<Route>,
    /// Which of them is tried next.
    pub route: usize,
    /// Attempts of which nobody knows what came.
    pub unknowns: u32,
    /// When the last attempt with a start mark was begun, where the database was asked.
    pub started_ms: Option<i64>,
    /// Its files have to be fetched first.
    pub needs_files: bool,
    /// The message.
    pub outgoing: Outgoing,
}

impl OutWork {
    /// How many sends it takes by the account that is next.
    pub fn units(&self) -> u16 {
        self.routes
            .get(self.route)
            .map_or(1, |route| route.units.get())
    }

    /// How many parts reports are about, by an account that takes it in so many sends: each member of a group is one.
    pub fn parts(&self, units: u16) -> u16 {
        let reached = self.outgoing.reached().count();
        units.max(u16::try_from(reached).unwrap_or(u16::MAX))
    }
}

/// Work and the lane it waits in.
#[derive(Debug)]
pub struct Waiting {
    /// The lane: the conversation outwards, its negative inwards.
    pub lane_id: i64,
    /// The gateway.
    pub gateway_id: i64,
    /// What waits.
    pub work: Work,
    /// Until when it is held for corrections and retractions.
    pub held_until_ms: Option<i64>,
}

/// One gateway, as the queue needs it.
#[derive(Clone)]
pub struct QueueGateway {
    /// Its pure part.
    pub gateway: Arc<Gateway>,
    /// Its link.
    pub link: LinkHandle,
    /// Its accounts.
    pub accounts: HashMap<AccountName, Arc<dyn Account>>,
    /// Those that users brought, of all gateways.
    pub brought: Brought,
    /// What servers allow on behalf of their users.
    pub announced: Announced,
}

impl QueueGateway {
    /// An account by its name; `None` when it is not configured any more, or does not run.
    fn account(&self, name: &AccountName) -> Option<Arc<dyn Account>> {
        let configured = self.accounts.get(name).cloned();
        configured.or_else(|| self.brought.get(name))
    }
}

/// The accounts that users brought and that run now. Cheap to clone.
#[derive(Clone, Default)]
pub struct Brought(Arc<RwLock<HashMap<AccountName, Arc<dyn Account>>>>);

impl Brought {
    /// It runs from now on.
    pub fn insert(&self, name: &AccountName, account: &Arc<dyn Account>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.clone(), Arc::clone(account));
    }

    /// It does not any more.
    pub fn remove(&self, name: &AccountName) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(name);
    }

    /// One of them; `None` where it does not run in this process.
    pub fn get(&self, name: &AccountName) -> Option<Arc<dyn Account>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned()
    }
}

/// What the queue's tasks share.
#[derive(Clone)]
pub struct Surroundings {
    /// The database, for reading.
    pub store: Store,
    /// The database, for writing.
    pub writer: Writer,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Tasks.
    pub lifecycle: Lifecycle,
    /// Counters.
    pub metrics: Metrics,
    /// By key.
    pub gateways: Arc<HashMap<i64, QueueGateway>>,
    /// Who tells the senders.
    pub teller: Teller,
    /// Attachments.
    pub files: Files,
    /// Where the accounts stand.
    pub states: AccountStates,
    /// Who works off which chat.
    pub processes: Processes,
}

/// A handle of the queue. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    orders: mpsc::Sender<order::Order>,
    processes: Processes,
}

/// Orders that may wait for the scheduler, which is quick.
const ORDERS_MAX: usize = 4096;

impl Queue {
    /// Recovers what the last process left, and starts.
    /// `heard`: what other processes tell.
    pub fn start(
        surroundings: &Surroundings,
        online: Online,
        tells: teller::Inbox,
        heard: mpsc::Receiver<Hint>,
    ) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let processes = surroundings.processes.clone();
        let queue = Self { orders, processes };
        let lifecycle = &surroundings.lifecycle;
        lifecycle.spawn(
            "queue.others",
            others::run(surroundings.clone(), queue.clone(), heard),
        );
        lifecycle.spawn(
            "queue.scheduler",
            scheduler::run(surroundings.clone(), queue.clone(), inbox),
        );
        lifecycle.spawn(
            "queue.teller",
            teller::run(surroundings.clone(), online, tells),
        );
        lifecycle.spawn(
            "queue.overdue",
            overdue::run(surroundings.clone(), queue.clone()),
        );
        queue
    }

    /// Takes committed work, in the order of the commits.
    ///
    /// What another process works off, that one hears of.
    pub async fn arrived(&self, work: Vec<Waiting>) {
        let is_ours = |work: &Waiting| self.processes.has_lane(work.lane_id, work.gateway_id);
        let (ours, others): (Vec<_>, Vec<_>) = work.into_iter().partition(is_ours);
        if !others.is_empty() {
            let lanes = others.iter().map(|work| (work.lane_id, work.gateway_id));
            self.processes.hint(Hint::Lanes(lanes.collect()));
        }
        if !ours.is_empty() {
            self.order(order::Order::Arrived(ours)).await;
        }
    }

    /// A link came up: what waited for it goes on.
    pub async fn link_up(&self, gateway_id: i64) {
        self.order(order::Order::LinkUp(gateway_id)).await;
    }

    /// Lanes changed in the database: read what is due again.
    pub async fn look_again(&self) {
        self.order(order::Order::LookAgain).await;
    }

    /// Somebody changed or cancelled what waits: read it again before it is done.
    pub async fn changed(&self) {
        self.processes.hint(Hint::Look);
        self.order(order::Order::Changed).await;
    }

    /// An account can be sent by from now on.
    pub async fn account_came(
        &self,
        name: AccountName,
        account_id: i64,
        account: Arc<dyn Account>,
    ) {
        let came = order::Came {
            name,
            account_id,
            account,
        };
        self.order(order::Order::AccountCame(came)).await;
    }

    /// An account cannot be sent by any more; attempts that are under way end by themselves.
    pub async fn account_gone(&self, name: AccountName) {
        self.order(order::Order::AccountGone(name)).await;
    }

    async fn order(&self, order: order::Order) {
        // When the scheduler is gone the process is stopping, and everything is in the database.
        self.orders.send(order).await.ok();
    }
}

#[cfg(test)]
mod tests;
