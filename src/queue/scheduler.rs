//! The one task that owns the book of lanes: reads what the last process left, then hands out work and never waits for it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};
use transom_adapter::{AccountName, UnixMillis};

use super::{
    Queue, Surroundings, Waiting, Work,
    lanes::{LaneBook, Next},
    loading::{read_due, read_lanes},
    order::{Finished, Look, Order},
    recovery,
    slots::{Carrier, Slot},
    verdict::{PAUSE_MAX, Pause},
};
use crate::{processes::View, store::read::DueLane};

/// Messages at once whose files are fetched or given out; each has a file in memory.
const FILES: usize = 8;
/// Hand-overs at once on one link; each is a chat with up to [`WORK_PER_LANE`](super::lanes::WORK_PER_LANE) messages.
const LINK_LANES: usize = 64;
/// Lanes read from the database at once.
const LOAD_LANES: usize = 64;
/// How long what waits is left alone when the database could not be read.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// A smaller step of the clock is what keeps it right.
const SET_BACK: Duration = Duration::from_secs(1);

pub(super) struct Scheduler {
    pub(super) surroundings: Surroundings,
    pub(super) queue: Queue,
    pub(super) book: LaneBook,
    pub(super) slots: Vec<Slot>,
    pub(super) by_account: HashMap<AccountName, usize>,
    pub(super) by_link: HashMap<i64, usize>,
    pub(super) files: usize,
    /// Looks for what was changed that are under way.
    changes: u32,
    /// Who works off which chat.
    view: watch::Receiver<View>,
}

/// Runs until the lifecycle drains; what is under way then ends by itself.
pub(super) async fn run(
    surroundings: Surroundings,
    queue: Queue,
    mut inbox: mpsc::Receiver<Order>,
) {
    let mut scheduler = Scheduler::new(surroundings, queue);
    // Before anything new is taken: it would pass what waits in its chat.
    let Some(waiting) = left_over(&scheduler.surroundings).await else {
        return;
    };
    scheduler.handle(Order::Found {
        lanes: waiting,
        look: Look::Again,
    });
    let lifecycle = scheduler.surroundings.lifecycle.clone();
    let clock = Arc::clone(&scheduler.surroundings.clock);
    let mut seen = clock.now();
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
        let now = clock.now();
        scheduler.set_back(seen.since(now));
        seen = now;
        scheduler.wake(now);
        scheduler.dispatch();
        scheduler.load();
    }
}

/// What the last process left, however long the database is out of order; `None` when this one has to stop before.
async fn left_over(surroundings: &Surroundings) -> Option<Vec<DueLane>> {
    loop {
        if recovery::run(surroundings).await
            && let Ok(waiting) = read_due(surroundings).await
        {
            return Some(waiting);
        }
        let pause = surroundings.clock.now().after(READ_PAUSE);
        tokio::select! {
            () = surroundings.lifecycle.draining() => return None,
            () = surroundings.clock.sleep_until(pause) => {}
        }
    }
}

impl Scheduler {
    fn new(surroundings: Surroundings, queue: Queue) -> Self {
        let mut this = Self {
            view: surroundings.processes.view(),
            surroundings,
            queue,
            book: LaneBook::default(),
            slots: vec![Slot::new(Carrier::Files, FILES)],
            by_account: HashMap::new(),
            by_link: HashMap::new(),
            files: 0,
            changes: 0,
        };
        let gateways = Arc::clone(&this.surroundings.gateways);
        for (gateway_id, entry) in gateways.iter() {
            this.by_link.insert(*gateway_id, this.slots.len());
            this.slots
                .push(Slot::new(Carrier::Link(*gateway_id), LINK_LANES));
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
        // Whoever brings something new in saw this already: that chat is ours now, and what waits in it is not in the book.
        if self.view.has_changed().unwrap_or(false) {
            self.view.mark_unchanged();
            self.changed();
        }
        match order {
            Order::Arrived(waiting) => self.arrived(waiting),
            Order::Finished {
                lane_id,
                slot,
                finished,
            } => self.finished(lane_id, slot, finished),
            Order::GivenUp { lane_id } => self.book.done(lane_id, Next::GoOn),
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
                found: Ok(found),
            } => self.book.loaded(&lanes, found),
            Order::Loaded {
                lanes,
                found: Err(_),
            } => {
                let due = self.surroundings.clock.now().after(READ_PAUSE);
                self.book.not_loaded(&lanes, due.0);
            }
            Order::Found { lanes, look } => {
                self.changes -= u32::from(look == Look::Changed);
                let processes = &self.surroundings.processes;
                let is_ours = |lane: &DueLane| processes.has_lane(lane.lane_id, lane.gateway_id);
                // A later time is one of a clock that has been set back since, or of quiet hours, which are then asked again.
                let latest = self.surroundings.clock.now().after(PAUSE_MAX);
                for lane in lanes.into_iter().filter(is_ours) {
                    let due_ms = lane.due_ms.min(latest.0);
                    self.book
                        .found(lane.lane_id, lane.gateway_id, due_ms, lane.failures);
                }
            }
            Order::Hinted(lanes) => {
                let now_ms = self.surroundings.clock.now().0;
                let processes = &self.surroundings.processes;
                let is_ours = |lane: &(i64, i64)| processes.has_lane(lane.0, lane.1);
                for (lane_id, gateway_id) in lanes.into_iter().filter(is_ours) {
                    self.book.hinted(lane_id, gateway_id, now_ms);
                }
            }
            Order::LinkUp(gateway_id) => self.unpark_link(gateway_id),
            Order::AccountCame(came) => self.account_came(came),
            Order::AccountGone(name) => self.account_gone(&name),
            Order::LookAgain => self.look(Look::Again),
            Order::Changed => self.changed(),
        }
    }

    fn arrived(&mut self, waiting: Vec<Waiting>) {
        let now_ms = self.surroundings.clock.now().0;
        for Waiting {
            lane_id,
            gateway_id,
            work,
            held_until_ms,
        } in waiting
        {
            match held_until_ms {
                // Something older may wait in its chat, of which the book hears in a moment.
                _ if self.changes > 0 => self.book.hinted(lane_id, gateway_id, now_ms),
                Some(until) => self.book.hold(lane_id, gateway_id, until),
                None => self.book.arrive(lane_id, gateway_id, work),
            }
        }
    }

    fn finished(&mut self, lane_id: i64, slot: usize, finished: Finished) {
        let mut next = finished.next;
        self.release(slot);
        if let (Some((pause, line)), Some(slot)) = (finished.pause, self.slots.get_mut(slot)) {
            match pause {
                Pause::Account(until) => slot.pause(until),
                Pause::Line(until) => slot.pause_line(line, until),
            }
        }
        match finished.own_lane {
            // It has had its own before.
            Some((own_lane, due_ms, failures)) if own_lane == lane_id => {
                next = Next::At { due_ms, failures };
            }
            Some((own_lane, due_ms, failures)) => {
                let gateway_id = self.book.gateway_of(lane_id);
                self.book.found(own_lane, gateway_id, due_ms, failures);
            }
            None => {}
        }
        if let Some(work) = finished.give_back {
            self.book.give_back(lane_id, vec![Work::Out(work)]);
        }
        self.book.done(lane_id, next);
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
        let slots = self.slots.iter().filter_map(Slot::next_wake);
        self.book
            .next_wake()
            .map(UnixMillis)
            .into_iter()
            .chain(slots)
            .min()
    }

    /// The clock was set back: what waits would wait for the difference.
    fn set_back(&mut self, by: Duration) {
        if by < SET_BACK {
            return;
        }
        tracing::warn!(seconds = by.as_secs(), "The clock was set back.");
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.book.set_back(by_ms);
        for slot in &mut self.slots {
            slot.set_back(by_ms);
        }
    }

    fn wake(&mut self, now: UnixMillis) {
        self.book.wake(now.0);
        for slot in &mut self.slots {
            for lane_id in slot.wake(now) {
                self.book.ready_again(lane_id);
            }
        }
        if self.book.take_overflow() {
            self.look(Look::Again);
        }
        self.surroundings.metrics.lanes(self.book.len());
    }

    /// Reads the lanes that have more in the database.
    fn load(&mut self) {
        let lanes = self.book.take_unloaded(LOAD_LANES);
        if lanes.is_empty() {
            return;
        }
        let (surroundings, orders) = (self.surroundings.clone(), self.queue.orders.clone());
        self.surroundings.lifecycle.spawn("queue.load", async move {
            let found = read_lanes(&surroundings, &lanes).await;
            orders.send(Order::Loaded { lanes, found }).await.ok();
        });
    }

    /// What waits was changed behind the book's back, or is another process's.
    fn changed(&mut self) {
        self.book.distrust();
        self.changes += 1;
        self.look(Look::Changed);
    }

    /// Reads from the database which lanes are due.
    fn look(&mut self, look: Look) {
        let (surroundings, orders) = (self.surroundings.clone(), self.queue.orders.clone());
        self.surroundings.lifecycle.spawn("queue.find", async move {
            let found = match look {
                // What cannot be read now is looked for again soon.
                Look::Again => read_due(&surroundings).await.ok(),
                Look::Changed => left_over(&surroundings).await,
            };
            if let Some(lanes) = found {
                orders.send(Order::Found { lanes, look }).await.ok();
            }
        });
    }
}

#[cfg(test)]
mod tests;
