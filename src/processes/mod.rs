//! Several processes on one PostgreSQL: who lives, who has which gateway, who works off which chat, and what they tell each other.
//!
//! - [`View`]: what this process knows of all of them, renewed with each [beat](runner).
//! - A gateway has one holder: its link, the accounts that only one may use, and their chats. The other chats are shared out.
//! - [`hints`]: "there is something for you", by NOTIFY. A hint that is lost costs seconds: everybody looks every five.
//!
//! Nothing here keeps two processes from trying the same. That is done by the start marks (`store/write/attempt.rs`), which the
//! database gives to one process for each delivery and to none that was taken for dead. So a wrong view costs time and nothing else.
//!
//! On SQLite there is one process, which has everything.

mod hints;
mod runner;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, mpsc, watch};
use transom_adapter::Lifecycle;

use crate::{
    store::{
        Store, StoreError,
        processes::{HolderRow, Listener, Session},
    },
    xmpp::{stanza::Stanza, stream::Permit},
};

use hints::Parcel;

pub use hints::Hint;
pub use runner::{LEASE, Runner};

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Processes {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    is_shared: bool,
    view: watch::Sender<View>,
    /// By the gateway's key.
    gateways: Mutex<BTreeMap<i64, Entry>>,
    hints: mpsc::Sender<Hint>,
    nudged: Notify,
    /// How often another process told of a change.
    looks: watch::Sender<u64>,
    /// What shows the database server that this process lives.
    session: Mutex<Session>,
}

struct Entry {
    permit: watch::Sender<Permit>,
    /// Its chats belong to its holder.
    is_whole: bool,
}

/// What a process knows of all of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// This process, as the database knows it.
    pub me: i64,
    /// Those that live and take work, in order.
    pub workers: Vec<i64>,
    /// Who has which gateway.
    pub holders: Vec<HolderRow>,
    /// This process takes no more work, what it has is offered, and all that stands here is newer than that.
    pub is_leaving: bool,
}

/// So long a process that ends tries to say so to the database.
const OFFERED_MAX: Duration = Duration::from_secs(3);
/// So long a gateway that is offered waits for somebody to take it.
const TAKEN_MAX: Duration = Duration::from_secs(5);
/// So long its new holder gets to make its link, while the old one still stands.
const UP_MAX: Duration = Duration::from_secs(3);
/// So long what a process does with a gateway that it has handed over may still take.
const ENDING_MAX: Duration = Duration::from_secs(3);
/// Hints that wait to be told; those beyond are lost, which costs seconds.
const HINTS_MAX: usize = 1024;

impl View {
    /// Whether this process has the gateway.
    pub fn has(&self, gateway_id: i64) -> bool {
        self.holder(gateway_id)
            .is_some_and(|row| row.process_id == Some(self.me))
    }

    /// Whether others take work.
    pub fn has_others(&self) -> bool {
        self.workers.iter().any(|worker| *worker != self.me)
    }

    fn holder(&self, gateway_id: i64) -> Option<&HolderRow> {
        let of_it = |row: &&HolderRow| row.gateway_id == gateway_id;
        self.holders.iter().find(of_it)
    }

    /// Who works off a chat: each process weighs it, and the heaviest takes it. When one goes, only its own chats move.
    fn worker_of(&self, lane_id: i64) -> Option<i64> {
        let weight = |worker: &&i64| {
            let mixed =
                worker.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ lane_id.unsigned_abs();
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
        };
        self.workers.iter().max_by_key(weight).copied()
    }
}

impl Processes {
    /// Says that this process runs. The [`Runner`] has to be run from now on, or it will be taken for dead.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn join(
        store: &Store,
        lifecycle: &Lifecycle,
    ) -> Result<(Self, Runner, i64), StoreError> {
        // Connected before anything is said, so that no moment is without a session.
        let listener = store.listen().await?;
        let session = listener.as_ref().map(Listener::session).unwrap_or_default();
        let joined = store.join(LEASE, session).await?;
        let view = View {
            me: joined.process_id,
            workers: vec![joined.process_id],
            ..View::default()
        };
        // Whoever ends in the next second has to know whom to hand over to.
        nudge_others(store, joined.process_id).await;
        let (hints, to_tell) = mpsc::channel(HINTS_MAX);
        let inner = Inner {
            store: store.clone(),
            is_shared: store.is_shared(),
            view: watch::Sender::new(view),
            gateways: Mutex::default(),
            hints,
            nudged: Notify::new(),
            looks: watch::Sender::new(0),
            session: Mutex::new(session),
        };
        let this = Self {
            inner: Arc::new(inner),
        };
        let runner = Runner::new(this.clone(), to_tell, listener, lifecycle.clone());
        Ok((this, runner, joined.number))
    }

    /// Makes a gateway known; when its link may be made. `is_whole`: one of its accounts may be used by one process only, and so
    /// all its chats are the holder's.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn add(
        &self,
        gateway_id: i64,
        is_whole: bool,
    ) -> Result<Option<watch::Receiver<Permit>>, StoreError> {
        if !self.inner.is_shared {
            return Ok(None);
        }
        self.inner.store.holder_row(gateway_id).await?;
        let (permit, permitted) = watch::channel(Permit::No);
        let entry = Entry { permit, is_whole };
        self.gateways().insert(gateway_id, entry);
        self.inner.nudged.notify_one();
        Ok(Some(permitted))
    }

    /// This process, as the database knows it; start marks carry it.
    pub fn id(&self) -> i64 {
        self.inner.view.borrow().me
    }

    /// Whether others may run on the same database.
    pub fn is_shared(&self) -> bool {
        self.inner.is_shared
    }

    /// What is known, now and whenever it changes.
    pub fn view(&self) -> watch::Receiver<View> {
        self.inner.view.subscribe()
    }

    /// How often another process has told that somebody changed something ([`Hint::Look`]).
    pub fn looks(&self) -> watch::Receiver<u64> {
        self.inner.looks.subscribe()
    }

    /// Whether others take work.
    pub fn has_others(&self) -> bool {
        self.inner.is_shared && self.inner.view.borrow().has_others()
    }

    /// Whether this process has a gateway: its link, and the accounts that only one may use.
    pub fn has(&self, gateway_id: i64) -> bool {
        !self.inner.is_shared || self.inner.view.borrow().has(gateway_id)
    }

    /// Whether this process has any gateway.
    pub fn has_any(&self) -> bool {
        let view = self.inner.view.borrow();
        let mine = |row: &HolderRow| row.process_id == Some(view.me);
        !self.inner.is_shared || view.holders.iter().any(mine)
    }

    /// Whether this process works off a chat. Inwards, that is whoever has the link.
    pub fn has_lane(&self, lane_id: i64, gateway_id: i64) -> bool {
        if !self.inner.is_shared {
            return true;
        }
        let is_whole = self
            .gateways()
            .get(&gateway_id)
            .is_some_and(|entry| entry.is_whole);
        let view = self.inner.view.borrow();
        if lane_id < 0 || is_whole {
            view.has(gateway_id)
        } else {
            view.worker_of(lane_id) == Some(view.me)
        }
    }

    /// Tells the others, soon.
    pub fn hint(&self, hint: Hint) {
        if self.has_others() {
            self.inner.hints.try_send(hint).ok();
        }
    }

    /// Has stanzas written by whoever has the gateway, once its link stands: what this process should answer and cannot. At once, and
    /// not with other hints: this process may be about to end.
    pub async fn say(&self, gateway_id: i64, stanzas: &[Stanza]) {
        let say = |stanza: &Stanza| Hint::Say(gateway_id, stanza.to_element().to_xml());
        for text in Parcel::pack(self.id(), stanzas.iter().map(say)) {
            self.inner.store.notify(text).await.ok();
        }
    }

    /// The link of a gateway stands: whoever had it before may let go.
    pub async fn link_up(&self, gateway_id: i64) {
        if !self.inner.is_shared {
            return;
        }
        let marked = self.inner.store.holder_up(self.id(), gateway_id).await;
        if marked.is_ok() {
            self.hint(Hint::Beat);
        }
    }

    /// This process ends: gives its gateway to another, and waits until that one's link stands. True when another has it.
    pub async fn hand_over(&self, gateway_id: i64) -> bool {
        if !self.inner.is_shared {
            return false;
        }
        let mut view = self.view();
        // What was known before the offer may be a second old: who lives by now, and whether somebody was quicker than this task.
        if !holds_within(&mut view, OFFERED_MAX, |view| view.is_leaving).await {
            return false;
        }
        let is_settled = |view: &View| !view.has(gateway_id) || !view.has_others();
        holds_within(&mut view, TAKEN_MAX, is_settled).await;
        if view.borrow().has(gateway_id) {
            return false;
        }
        let is_up = |view: &View| view.holder(gateway_id).is_some_and(|row| row.up);
        // A server that lets nobody in while somebody is there lets the new one in when the old one has gone.
        holds_within(&mut view, UP_MAX, is_up).await;
        true
    }

    /// Does something as long as this process has a gateway; `None`: any one gateway, the same for all processes. What is done
    /// begins anew when the gateway comes back, and ends for good when it ends by itself. It is dropped when the gateway is lost, but
    /// for a process that drains: what that has under way still gets its answer.
    pub async fn while_held<F: Future<Output = ()>>(
        self,
        gateway_id: Option<i64>,
        lifecycle: Lifecycle,
        mut work: impl FnMut() -> F,
    ) {
        let is_shared = self.inner.is_shared;
        let has = move |view: &View| match gateway_id {
            _ if !is_shared => true,
            Some(gateway_id) => view.has(gateway_id),
            None => view
                .holders
                .first()
                .is_some_and(|first| first.process_id == Some(view.me)),
        };
        let (mut now, mut later) = (self.view(), self.view());
        loop {
            tokio::select! {
                held = now.wait_for(has) => if held.is_err() { return },
                () = lifecycle.draining() => return,
            }
            let mut working = std::pin::pin!(work());
            tokio::select! {
                () = &mut working => return,
                lost = later.wait_for(|view| !has(view)) => if lost.is_err() { return },
            }
            if lifecycle.is_draining() {
                tokio::time::timeout(ENDING_MAX, working).await.ok();
                return;
            }
        }
    }

    /// This process has ended; what it had is free.
    pub async fn leave(&self) {
        if let Err(error) = self.inner.store.leave(self.id()).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "The database was not told that this process ended.");
        }
        // Nobody tells hints any more.
        if self.inner.is_shared {
            nudge_others(&self.inner.store, self.id()).await;
        }
    }

    fn session(&self) -> Session {
        let session = self.inner.session.lock();
        *session.unwrap_or_else(PoisonError::into_inner)
    }

    fn has_session(&self, session: Session) {
        let now = self.inner.session.lock();
        *now.unwrap_or_else(PoisonError::into_inner) = session;
    }

    fn gateways(&self) -> std::sync::MutexGuard<'_, BTreeMap<i64, Entry>> {
        self.inner
            .gateways
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of the gateways that this process could have.
    fn known(&self) -> BTreeSet<i64> {
        self.gateways().keys().copied().collect()
    }

    /// Says of each gateway whether its link may be made.
    fn permit(&self, which: impl Fn(i64) -> Permit) {
        for (gateway_id, entry) in self.gateways().iter() {
            let permit = which(*gateway_id);
            entry.permit.send_if_modified(|now| {
                let differs = *now != permit;
                *now = permit;
                differs
            });
        }
    }
}

/// Whether something becomes true of the view in time.
async fn holds_within(
    view: &mut watch::Receiver<View>,
    time: Duration,
    what: impl FnMut(&View) -> bool,
) -> bool {
    matches!(
        tokio::time::timeout(time, view.wait_for(what)).await,
        Ok(Ok(_))
    )
}

/// Makes the others look who lives. One that does not hear looks within a second.
async fn nudge_others(store: &Store, me: i64) {
    for text in Parcel::pack(me, [Hint::Beat]) {
        store.notify(text).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Processes {
        /// One of two: what that takes of a database of its own.
        pub(crate) async fn one_of_two(store: &Store, lifecycle: &Lifecycle) -> Self {
            let (mut this, runner, _) = Self::join(store, lifecycle).await.unwrap();
            drop(runner);
            let inner = Arc::get_mut(&mut this.inner).unwrap();
            inner.is_shared = true;
            inner
                .view
                .send_modify(|view| view.workers.push(view.me + 1));
            this
        }
    }

    fn view(me: i64, workers: &[i64]) -> View {
        View {
            me,
            workers: workers.to_vec(),
            ..View::default()
        }
    }

    #[test]
    fn chats_are_shared_out_evenly_and_few_move() {
        let three = view(1, &[1, 2, 3]);
        let two = view(1, &[1, 3]);
        let mut counts = BTreeMap::new();
        for number in 0..3_000_i64 {
            let lane_id = number << 22;
            let before = three.worker_of(lane_id).unwrap();
            *counts.entry(before).or_insert(0) += 1;
            let after = two.worker_of(lane_id).unwrap();
            assert!(before == 2 || before == after, "only those of 2 move");
        }
        assert!(
            counts.values().all(|count| (800..1_200).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn nobody_works_where_nobody_lives() {
        assert_eq!(view(1, &[]).worker_of(7), None);
        assert!(!view(1, &[1]).has_others());
        assert!(view(1, &[2]).has_others());
    }
}
