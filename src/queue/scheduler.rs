//! The one task that owns the book of lanes: hands out work, never waits for it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio::sync::mpsc;
use transom_adapter::{Account, AccountName, UnixMillis};

use super::{
    OutWork, Queue, QueueGateway, Surroundings, Waiting, Work,
    attempt::{Finished, Try},
    files_in::FilesIn,
    handover::{self, HandOver},
    lanes::{LaneBook, Next, WORK_PER_LANE},
    loading::{read_due, read_lanes},
    recovery,
};
use crate::store::{StoreError, read::DueLane};

/// What the scheduler is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Work was committed.
    Arrived(Vec<Waiting>),
    /// An attempt is over, and its outcome committed.
    Finished {
        lane_id: i64,
        slot: usize,
        finished: Finished,
    },
    /// A hand-over is over; the works that the link lost come back.
    HandedOver {
        lane_id: i64,
        slot: usize,
        next: Next,
        lost: Vec<Work>,
    },
    /// Lanes were read from the database.
    Loaded {
        lanes: Vec<i64>,
        works: Result<Vec<(i64, Work)>, StoreError>,
    },
    /// Lanes that are due were read from the database.
    Found(Vec<DueLane>),
    /// A link came up.
    LinkUp(i64),
    /// The database may have more than the book.
    LookAgain,
    /// Somebody changed what waits: what the book holds may be wrong.
    Changed,
}

/// Something that carries work, so many at once: an account, or a gateway's link.
struct Slot {
    carrier: Carrier,
    free: usize,
    paused_until: Option<UnixMillis>,
    waiting: VecDeque<i64>,
}

enum Carrier {
    /// Fetches, stores and gives out files.
    Files,
    Account {
        account: Arc<dyn Account>,
        account_id: i64,
    },
    Link,
}

/// Messages at once whose files are fetched or given out; each has a file in memory.
const FILES: usize = 8;
/// Hand-overs at once on one link; each is a chat with up to [`WORK_PER_LANE`] stanzas.
const LINK_LANES: usize = 64;
/// Lanes read from the database at once.
const LOAD_LANES: usize = 64;
/// How long a lane waits when the database could not be read.
const READ_PAUSE_MS: i64 = 1_000;

struct Scheduler {
    surroundings: Surroundings,
    queue: Queue,
    book: LaneBook,
    slots: Vec<Slot>,
    by_account: HashMap<AccountName, usize>,
    by_link: HashMap<i64, usize>,
    files: usize,
}

/// Runs until the lifecycle drains; what is under way then ends by itself.
pub(super) async fn run(
    surroundings: Surroundings,
    queue: Queue,
    mut inbox: mpsc::Receiver<Order>,
) {
    let born = surroundings.clock.now();
    recovery::run(&surroundings, born).await;
    let mut scheduler = Scheduler::new(surroundings, queue);
    scheduler.look_again();
    let lifecycle = scheduler.surroundings.lifecycle.clone();
    let clock = Arc::clone(&scheduler.surroundings.clock);
    loop {
        let wake = scheduler.next_wake();
        tokio::select! {
            biased;
            () = lifecycle.draining() => return,
            order = inbox.recv() => {
                let Some(order) = order else { return };
                scheduler.handle(order);
                while let Ok(order) = inbox.try_recv() {
                    scheduler.handle(order);
                }
            }
            () = clock.sleep_until(wake.unwrap_or(UnixMillis(i64::MAX))), if wake.is_some() => {}
        }
        scheduler.wake(clock.now());
        scheduler.dispatch();
        scheduler.load();
    }
}

impl Scheduler {
    fn new(surroundings: Surroundings, queue: Queue) -> Self {
        let mut this = Self {
            surroundings,
            queue,
            book: LaneBook::default(),
            slots: vec![Slot::new(Carrier::Files, FILES)],
            by_account: HashMap::new(),
            by_link: HashMap::new(),
            files: 0,
        };
        let gateways = Arc::clone(&this.surroundings.gateways);
        for (gateway_id, entry) in gateways.iter() {
            this.by_link.insert(*gateway_id, this.slots.len());
            this.slots.push(Slot::new(Carrier::Link, LINK_LANES));
            for (name, account) in &entry.accounts {
                let Some(account_id) = entry.gateway.accounts.get(name).copied() else {
                    continue;
                };
                let free = account.capabilities().concurrency.into();
                this.by_account.insert(name.clone(), this.slots.len());
                this.slots.push(Slot::new(
                    Carrier::Account {
                        account: Arc::clone(account),
                        account_id,
                    },
                    free,
                ));
            }
        }
        this
    }

    fn handle(&mut self, order: Order) {
        match order {
            Order::Arrived(waiting) => {
                for Waiting {
                    lane_id,
                    gateway_id,
                    work,
                } in waiting
                {
                    self.book.arrive(lane_id, gateway_id, work);
                }
            }
            Order::Finished {
                lane_id,
                slot,
                finished,
            } => self.finished(lane_id, slot, finished),
            Order::HandedOver {
                lane_id,
                slot,
                next,
                lost,
            } => {
                self.release(slot);
                self.book.give_back(lane_id, lost);
                self.book.done(lane_id, next);
            }
            Order::Loaded {
                lanes,
                works: Ok(works),
            } => self.book.loaded(&lanes, works),
            Order::Loaded {
                lanes,
                works: Err(_),
            } => {
                let due_ms = self.surroundings.clock.now().0 + READ_PAUSE_MS;
                self.book.not_loaded(&lanes, due_ms);
            }
            Order::Found(lanes) => {
                for lane in lanes {
                    self.book
                        .found(lane.lane_id, lane.gateway_id, lane.due_ms, lane.failures);
                }
            }
            Order::LinkUp(gateway_id) => self.unpark_link(gateway_id),
            Order::LookAgain => self.look_again(),
            Order::Changed => {
                self.book.distrust();
                self.look_again();
            }
        }
    }

    fn finished(&mut self, lane_id: i64, slot: usize, finished: Finished) {
        self.release(slot);
        if let (Some(until), Some(slot)) = (finished.pause_account, self.slots.get_mut(slot)) {
            slot.paused_until = slot.paused_until.max(Some(until));
        }
        if let Some((own_lane, due_ms, failures)) = finished.own_lane {
            let gateway_id = self.book.gateway_of(lane_id);
            self.book.found(own_lane, gateway_id, due_ms, failures);
        }
        if let Some(work) = finished.give_back {
            self.book.give_back(lane_id, vec![Work::Out(work)]);
        }
        self.book.done(lane_id, finished.next);
    }

    /// A slot is free again: the next lane that waits for it gets its turn.
    fn release(&mut self, slot: usize) {
        let Some(slot) = self.slots.get_mut(slot) else {
            return;
        };
        slot.free += 1;
        if let Some(lane_id) = slot.waiting.pop_front() {
            self.book.ready_again(lane_id);
        }
    }

    fn unpark_link(&mut self, gateway_id: i64) {
        let slot = self
            .by_link
            .get(&gateway_id)
            .and_then(|slot| self.slots.get_mut(*slot));
        for lane_id in slot
            .map(|slot| std::mem::take(&mut slot.waiting))
            .unwrap_or_default()
        {
            self.book.ready_again(lane_id);
        }
    }

    fn next_wake(&self) -> Option<UnixMillis> {
        let slots = self
            .slots
            .iter()
            .filter(|slot| !slot.waiting.is_empty())
            .filter_map(|slot| slot.paused_until);
        self.book
            .next_wake()
            .map(UnixMillis)
            .into_iter()
            .chain(slots)
            .min()
    }

    fn wake(&mut self, now: UnixMillis) {
        self.book.wake(now.0);
        for slot in &mut self.slots {
            if slot.paused_until.is_some_and(|until| until <= now) {
                slot.paused_until = None;
                for lane_id in std::mem::take(&mut slot.waiting) {
                    self.book.ready_again(lane_id);
                }
            }
        }
        if self.book.take_overflow() {
            self.look_again();
        }
        self.surroundings.metrics.lanes(self.book.len());
    }

    /// Hands out everything that has a slot.
    fn dispatch(&mut self) {
        while let Some(lane_id) = self.book.next_ready() {
            let Some((gateway_id, work)) = self.book.first(lane_id) else {
                self.book.done(lane_id, Next::GoOn);
                continue;
            };
            let Some(gateway) = self.surroundings.gateways.get(&gateway_id).cloned() else {
                continue;
            };
            let slot = match work {
                Work::In(work) if work.row.has_files && work.files.is_none() => Some(self.files),
                Work::In(_) => self.by_link.get(&gateway_id).copied(),
                Work::Out(work) => self
                    .account_slot(work)
                    .map(|slot| if work.needs_files { self.files } else { slot }),
            };
            match slot {
                Some(slot) => self.dispatch_on(lane_id, slot, gateway),
                None => self.no_route(lane_id),
            }
        }
    }

    fn dispatch_on(&mut self, lane_id: i64, at: usize, gateway: QueueGateway) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        let is_down = matches!(slot.carrier, Carrier::Link) && !gateway.link.is_up();
        if slot.free == 0 || slot.paused_until.is_some() || is_down {
            slot.waiting.push_back(lane_id);
            return;
        }
        slot.free -= 1;
        let failures = self.book.failures(lane_id);
        match &slot.carrier {
            Carrier::Files => self.prepare(lane_id, gateway, failures),
            Carrier::Link => {
                let mut works = self.book.take(lane_id, WORK_PER_LANE);
                // What stands behind a message with files waits for them.
                if let Some(first) = works.iter().position(Work::needs_files) {
                    let rest = works.split_off(first);
                    self.book.give_back(lane_id, rest);
                }
                let task = HandOver {
                    surroundings: self.surroundings.clone(),
                    gateway,
                    lane_id,
                    works,
                    slot: at,
                    finished: self.queue.orders.clone(),
                };
                self.surroundings
                    .lifecycle
                    .spawn("queue.handover", handover::run(task));
            }
            Carrier::Account {
                account,
                account_id,
            } => {
                let (account, account_id) = (Arc::clone(account), *account_id);
                let Some(Work::Out(work)) = self.book.take(lane_id, 1).pop() else {
                    return;
                };
                let task = Try {
                    surroundings: self.surroundings.clone(),
                    gateway,
                    account,
                    account_id,
                    lane_id,
                    work,
                    failures,
                    slot: at,
                    finished: self.queue.orders.clone(),
                };
                self.surroundings
                    .lifecycle
                    .spawn("queue.attempt", task.run());
            }
        }
    }

    /// Starts on the files of the first message of a lane.
    fn prepare(&mut self, lane_id: i64, gateway: QueueGateway, failures: u32) {
        let (surroundings, finished) = (self.surroundings.clone(), self.queue.orders.clone());
        let slot = self.files;
        match self.book.take(lane_id, 1).pop() {
            Some(Work::In(work)) => {
                let task = FilesIn {
                    surroundings,
                    gateway,
                    lane_id,
                    work,
                    failures,
                    slot,
                    finished,
                };
                self.surroundings.lifecycle.spawn("queue.files", task.run());
            }
            Some(Work::Out(work)) => {
                let carrier = self.account_slot(&work).and_then(|at| self.slots.get(at));
                let Some(Carrier::Account {
                    account,
                    account_id,
                }) = carrier.map(|slot| &slot.carrier)
                else {
                    return;
                };
                let task = Try {
                    surroundings,
                    gateway,
                    account: Arc::clone(account),
                    account_id: *account_id,
                    lane_id,
                    work,
                    failures,
                    slot,
                    finished,
                };
                self.surroundings
                    .lifecycle
                    .spawn("queue.files", task.prepare());
            }
            None => {}
        }
    }

    /// The slot of the account that carries a message next.
    fn account_slot(&self, work: &OutWork) -> Option<usize> {
        let route = work.routes.get(work.route)?;
        self.by_account.get(route).copied()
    }

    /// None of its accounts is configured any more: it waits for one to come back, and its give-up is the admin's to see.
    fn no_route(&mut self, lane_id: i64) {
        tracing::error!(
            lane_id,
            "A message waits for an account that is not configured any more."
        );
        let due_ms = self.surroundings.clock.now().0 + 60_000;
        let failures = self.book.failures(lane_id) + 1;
        self.book.done(lane_id, Next::At { due_ms, failures });
    }

    /// Reads the lanes that have more in the database.
    fn load(&mut self) {
        let lanes = self.book.take_unloaded(LOAD_LANES);
        if lanes.is_empty() {
            return;
        }
        let (surroundings, orders) = (self.surroundings.clone(), self.queue.orders.clone());
        self.surroundings.lifecycle.spawn("queue.load", async move {
            let works = read_lanes(&surroundings, &lanes).await;
            orders.send(Order::Loaded { lanes, works }).await.ok();
        });
    }

    /// Reads from the database which lanes are due.
    fn look_again(&mut self) {
        let (surroundings, orders) = (self.surroundings.clone(), self.queue.orders.clone());
        self.surroundings.lifecycle.spawn("queue.find", async move {
            let lanes = read_due(&surroundings).await;
            orders.send(Order::Found(lanes)).await.ok();
        });
    }
}

impl Slot {
    fn new(carrier: Carrier, free: usize) -> Self {
        Self {
            carrier,
            free,
            paused_until: None,
            waiting: VecDeque::new(),
        }
    }
}
