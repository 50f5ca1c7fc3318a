//! The beat: says that this process lives, learns who else does, takes gateways that nobody has, and carries hints.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use transom_adapter::Lifecycle;

use super::{Hint, Processes, View, hints::Parcel, nudge_others};
use crate::{
    store::{
        Ids,
        processes::{Beat, HolderRow, Listener, Session},
    },
    xmpp::stream::Permit,
};

/// A process that has not said for so long that it lives is taken for dead: frozen, or its machine is gone.
pub const LEASE: Duration = Duration::from_secs(6);
/// The same for one whose session with the database ended: killed.
const SILENT: Duration = Duration::from_millis(1_300);
/// Between two times that it says so.
const BEAT: Duration = Duration::from_secs(1);
/// The same while somebody seems to have died.
const BEAT_MISSING: Duration = Duration::from_millis(200);
/// The same while it hands over.
const BEAT_LEAVING: Duration = Duration::from_millis(200);
/// Whoever has its share of the gateways leaves a free one to others for so long.
const MODESTY: Duration = Duration::from_millis(1_500);
/// Hints gather for so long before they are told.
const GATHER: Duration = Duration::from_millis(10);
/// Between two attempts to listen to the others.
const LISTEN_AGAIN: Duration = Duration::from_secs(2);
/// Hints at once.
const HINTS_MAX: usize = 256;

/// What has to run for as long as the process lives, the time of its draining included.
pub struct Runner {
    processes: Processes,
    to_tell: mpsc::Receiver<Hint>,
    listener: Option<Listener>,
    lifecycle: Lifecycle,
}

impl Runner {
    pub(super) fn new(
        processes: Processes,
        to_tell: mpsc::Receiver<Hint>,
        listener: Option<Listener>,
        lifecycle: Lifecycle,
    ) -> Self {
        Self {
            processes,
            to_tell,
            listener,
            lifecycle,
        }
    }

    /// Never returns. What others tell goes to `heard`.
    pub async fn run(self, ids: Ids, heard: mpsc::Sender<Hint>) {
        let Self {
            processes,
            to_tell,
            listener,
            lifecycle,
        } = self;
        if !processes.inner.is_shared {
            return std::future::pending().await;
        }
        let beating = Beating {
            processes: processes.clone(),
            ids,
            lifecycle,
            heard_at: Instant::now(),
            free_since: BTreeMap::new(),
            raised: BTreeSet::new(),
            is_leaving: false,
            is_one_missing: false,
        };
        tokio::join!(
            beating.run(),
            tell(processes.clone(), to_tell),
            listen(processes, listener, heard)
        );
    }
}

struct Beating {
    processes: Processes,
    ids: Ids,
    lifecycle: Lifecycle,
    /// When the database last said that this process lives.
    heard_at: Instant,
    /// Gateways that nobody has, and since when that is known.
    free_since: BTreeMap<i64, Instant>,
    /// Gateways of this process for which its keys come behind those of their last holder.
    raised: BTreeSet<i64>,
    is_leaving: bool,
    is_one_missing: bool,
}

impl Beating {
    async fn run(mut self) {
        loop {
            if self.lifecycle.is_draining() && !self.is_leaving {
                self.leave().await;
            }
            self.beat().await;
            let is_draining = self.lifecycle.is_draining();
            let pause = match (is_draining, self.is_one_missing) {
                (true, _) => BEAT_LEAVING,
                (false, true) => BEAT_MISSING,
                (false, false) => BEAT,
            };
            let lifecycle = self.lifecycle.clone();
            tokio::select! {
                () = sleep(pause) => {}
                () = self.processes.inner.nudged.notified() => {}
                () = lifecycle.draining(), if !is_draining => {}
            }
        }
    }

    /// Takes no more work, and offers what it has, also when it knows of nobody: the one who takes it may just have come. What the
    /// database was not told it is told with the next beat.
    async fn leave(&mut self) {
        let me = self.processes.id();
        if self.processes.inner.store.offer(me).await.is_ok() {
            self.is_leaving = true;
            nudge_others(&self.processes.inner.store, me).await;
        }
    }

    async fn beat(&mut self) {
        let store = self.processes.inner.store.clone();
        let me = self.processes.id();
        let session = self.processes.session();
        match store.beat(me, session, LEASE, SILENT).await {
            Ok(Some(beat)) => {
                self.heard_at = Instant::now();
                self.is_one_missing = beat.is_one_missing;
                self.take(me, beat).await;
            }
            Ok(None) => self.join_again().await,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "The database was not told that this process lives."
                );
                if self.heard_at.elapsed() >= LEASE {
                    // A link that stands may stay: what comes over it cannot be committed, so nothing is lost. A new one would
                    // throw out whoever has the gateway by now.
                    self.processes.permit(|_| Permit::NotNow);
                }
            }
        }
    }

    /// It was taken for dead: others have what it had. It begins as a new one.
    async fn join_again(&mut self) {
        tracing::warn!(
            "This process did not say in time that it lives: others have taken its gateways. It goes on as a new one."
        );
        self.processes.permit(|_| Permit::No);
        self.processes
            .inner
            .view
            .send_modify(|view| view.holders.clear());
        self.raised.clear();
        if self.lifecycle.is_draining() {
            return std::future::pending().await;
        }
        let session = self.processes.session();
        match self.processes.inner.store.join(LEASE, session).await {
            Ok(joined) => {
                self.ids.renumber(joined.number);
                self.processes.inner.view.send_modify(|view| {
                    view.me = joined.process_id;
                    view.workers = vec![joined.process_id];
                });
                self.heard_at = Instant::now();
                self.processes.inner.nudged.notify_one();
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "This process cannot join the others."
                );
            }
        }
    }

    async fn take(&mut self, me: i64, mut beat: Beat) {
        let holders = &beat.holders;
        self.raised.retain(|gateway_id| {
            let is_it = |row: &HolderRow| row.gateway_id == *gateway_id;
            holders
                .iter()
                .any(|row| is_it(row) && row.process_id == Some(me))
        });
        if !self.lifecycle.is_draining() {
            for gateway_id in self.wanted(me, &beat) {
                self.claim(me, gateway_id, &mut beat.holders).await;
            }
        }
        self.raise(me, &mut beat.holders).await;
        let view = View {
            me,
            workers: beat.workers,
            holders: beat.holders,
            is_leaving: self.is_leaving,
        };
        let permit = |gateway_id| match (view.has(gateway_id), view.is_leaving) {
            (true, _) => Permit::Yes,
            // Whoever gives a gateway away keeps its link until the other one's stands.
            (false, true) => Permit::HandedOver,
            (false, false) => Permit::No,
        };
        // The view first: whoever is told that the link is up asks it.
        self.processes.inner.view.send_if_modified(|now| {
            let differs = *now != view;
            now.clone_from(&view);
            differs
        });
        self.processes.permit(permit);
    }

    /// The gateways that are free for this process to take.
    fn wanted(&mut self, me: i64, beat: &Beat) -> Vec<i64> {
        let known = self.processes.known();
        let is_free = |row: &&HolderRow| match row.process_id {
            None => true,
            Some(holder) => row.offered && holder != me,
        };
        let free: Vec<i64> = beat
            .holders
            .iter()
            .filter(is_free)
            .map(|row| row.gateway_id)
            .filter(|gateway_id| known.contains(gateway_id))
            .collect();
        self.free_since
            .retain(|gateway_id, _| free.contains(gateway_id));
        let now = Instant::now();
        let mine = |row: &&HolderRow| row.process_id == Some(me);
        let mut had = beat.holders.iter().filter(mine).count();
        let share = known.len().div_ceil(beat.workers.len().max(1));
        let mut wanted = Vec::new();
        for gateway_id in free {
            let since = *self.free_since.entry(gateway_id).or_insert(now);
            if had < share || now.duration_since(since) >= MODESTY {
                wanted.push(gateway_id);
                had += 1;
            }
        }
        wanted
    }

    async fn claim(&self, me: i64, gateway_id: i64, holders: &mut [HolderRow]) {
        let store = &self.processes.inner.store;
        if !matches!(store.claim(me, gateway_id).await, Ok(true)) {
            return;
        }
        for row in holders
            .iter_mut()
            .filter(|row| row.gateway_id == gateway_id)
        {
            (row.process_id, row.offered, row.up) = (Some(me), false, false);
        }
        self.processes.hint(Hint::Beat);
    }

    /// What this process is about to commit comes behind what the last holder has committed. Before that is sure, a gateway that
    /// it has taken counts as nobody's; the next beat tries again.
    async fn raise(&mut self, me: i64, holders: &mut [HolderRow]) {
        let raised = &mut self.raised;
        let due = holders
            .iter_mut()
            .filter(|row| row.process_id == Some(me) && !raised.contains(&row.gateway_id));
        let due: Vec<&mut HolderRow> = due.collect();
        if due.is_empty() {
            return;
        }
        match self.processes.inner.store.newest_key().await {
            Ok(newest) => {
                self.ids.raise(newest);
                for row in due {
                    raised.insert(row.gateway_id);
                    let gateway_id = row.gateway_id;
                    tracing::info!(gateway_id, "This process has the gateway now.");
                }
            }
            Err(error) => {
                for row in due {
                    row.process_id = None;
                }
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "The database does not say what was last committed; a gateway that this process takes over waits for that."
                );
            }
        }
    }
}

/// Tells the others, a few hints at a time.
async fn tell(processes: Processes, mut to_tell: mpsc::Receiver<Hint>) {
    let mut hints = Vec::new();
    while to_tell.recv_many(&mut hints, HINTS_MAX).await > 0 {
        sleep(GATHER).await;
        while hints.len() < HINTS_MAX
            && let Ok(hint) = to_tell.try_recv()
        {
            hints.push(hint);
        }
        for text in Parcel::pack(processes.id(), hints.drain(..)) {
            // Lost ones cost seconds.
            processes.inner.store.notify(text).await.ok();
        }
    }
}

/// Listens to the others.
async fn listen(processes: Processes, mut listener: Option<Listener>, heard: mpsc::Sender<Hint>) {
    loop {
        if let Some(listener) = &mut listener {
            processes.has_session(listener.session());
            hear(&processes, listener, &heard).await;
            processes.has_session(Session::default());
        }
        sleep(LISTEN_AGAIN).await;
        listener = processes.inner.store.listen().await.ok().flatten();
    }
}

/// Hears until the connection is lost.
async fn hear(processes: &Processes, listener: &mut Listener, heard: &mpsc::Sender<Hint>) {
    while let Ok(Some(text)) = listener.next().await {
        let Some(parcel) = Parcel::read(&text).filter(|parcel| parcel.from != processes.id())
        else {
            continue;
        };
        for hint in parcel.hints() {
            match hint {
                Hint::Beat => processes.inner.nudged.notify_one(),
                hint => {
                    if hint == Hint::Look {
                        processes.inner.looks.send_modify(|looks| *looks += 1);
                    }
                    heard.try_send(hint).ok();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
