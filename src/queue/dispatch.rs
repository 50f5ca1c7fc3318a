//! Handing out work: which slot a lane's first message needs, and the task that does it.

use std::sync::Arc;

use transom_adapter::AccountName;

use super::{
    OutWork, QueueGateway, Work,
    attempt::Try,
    files_in::FilesIn,
    handover::{self, HandOver},
    lanes::{Next, WORK_PER_LANE},
    order::Came,
    scheduler::Scheduler,
    slots::{Carrier, Slot},
    stranded::Stranded,
};

/// A process that has just started has not all accounts yet: what none of them carries is looked at so often before it is given up.
const STRANDED_LOOKS: u32 = 3;

/// Whether a message goes by an account that a user brought.
fn is_brought(work: &OutWork) -> bool {
    let mut routes = work.routes.iter();
    routes.any(|route| route.account.own_key().is_some())
}

impl Scheduler {
    /// An account has a slot from now on; a vacant one if there is one, so that those who come and go do not add up.
    pub(super) fn account_came(&mut self, came: Came) {
        let free = came.account.capabilities().concurrency.into();
        let slot = Slot::new(
            Carrier::Account {
                account: came.account,
                account_id: came.account_id,
            },
            free,
        );
        let vacant = self.slots.iter().position(Slot::is_vacant);
        let at = vacant.unwrap_or(self.slots.len());
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
        } else {
            self.slots.push(slot);
        }
        self.by_account.insert(came.name, at);
    }

    /// What waited for it looks for another, and finds none until it comes back.
    pub(super) fn account_gone(&mut self, name: &AccountName) {
        let slot = self.by_account.remove(name);
        let slot = slot.and_then(|at| self.slots.get_mut(at));
        for lane_id in slot.map(Slot::vacate).unwrap_or_default() {
            self.book.ready_again(lane_id);
        }
    }

    /// Hands out everything that has a slot.
    pub(super) fn dispatch(&mut self) {
        self.dispatch_ready();
        while self.let_in() {
            self.dispatch_ready();
        }
    }

    /// A lane whose turn came may have no use for its place: its work was taken back, or its line has to wait. Those behind it get
    /// that place; false when nobody waits for one that is free.
    fn let_in(&mut self) -> bool {
        let mut any = false;
        for slot in &mut self.slots {
            let gateways = &self.surroundings.gateways;
            let is_up = match slot.carrier {
                Carrier::Link(of) => gateways.get(&of).is_some_and(|entry| entry.link.is_up()),
                _ => true,
            };
            if slot.paused_until.is_some() || !is_up {
                continue;
            }
            let count = slot.free.min(slot.waiting.len());
            for lane_id in slot.waiting.drain(..count) {
                self.book.ready_again(lane_id);
                any = true;
            }
        }
        any
    }

    fn dispatch_ready(&mut self) {
        while let Some(lane_id) = self.book.next_ready() {
            let Some((gateway_id, work)) = self.book.first(lane_id) else {
                self.book.done(lane_id, Next::GoOn);
                continue;
            };
            if !self.surroundings.processes.has_lane(lane_id, gateway_id) {
                self.book.forget(lane_id);
                continue;
            }
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
        if let Some((_, Work::Out(work))) = self.book.first(lane_id)
            && slot.waits_for_line(&work.outgoing.from, lane_id)
        {
            return;
        }
        let is_down = matches!(slot.carrier, Carrier::Link(_)) && !gateway.link.is_up();
        if slot.free == 0 || slot.paused_until.is_some() || is_down {
            slot.waiting.push_back(lane_id);
            return;
        }
        slot.free -= 1;
        let failures = self.book.failures(lane_id);
        match &slot.carrier {
            Carrier::Gone => {
                slot.free += 1;
                self.no_route(lane_id);
            }
            Carrier::Files => self.prepare(lane_id, gateway, failures),
            Carrier::Link(_) => {
                let mut works = self.take(lane_id, WORK_PER_LANE);
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
                let Some(Work::Out(work)) = self.take(lane_id, 1).pop() else {
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
                    process_id: self.surroundings.processes.id(),
                    finished: self.queue.orders.clone(),
                };
                self.surroundings
                    .lifecycle
                    .spawn("queue.attempt", task.run());
            }
        }
    }

    pub(super) fn take(&mut self, lane_id: i64, count: usize) -> Vec<Work> {
        let now = self.surroundings.clock.now();
        self.book.take(lane_id, count, now.0)
    }

    /// Starts on the files of the first message of a lane.
    fn prepare(&mut self, lane_id: i64, gateway: QueueGateway, failures: u32) {
        let (surroundings, finished) = (self.surroundings.clone(), self.queue.orders.clone());
        let slot = self.files;
        match self.take(lane_id, 1).pop() {
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
                    process_id: surroundings.processes.id(),
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
        self.by_account.get(&route.account).copied()
    }

    /// None of its accounts is configured any more: it waits for one to come back, as long as messages may wait.
    fn no_route(&mut self, lane_id: i64) {
        let failures = self.book.failures(lane_id) + 1;
        if failures > STRANDED_LOOKS && self.give_up(lane_id) {
            return;
        }
        let first = self.book.first(lane_id);
        let pause_ms = match first {
            // At the start, and when a login is entered anew, it comes within moments.
            Some((_, Work::Out(work))) if is_brought(work) => {
                tracing::debug!(lane_id, "A message waits for a user's own account.");
                1_000 << failures.min(6)
            }
            _ => {
                tracing::error!(
                    lane_id,
                    "A message waits for an account that is not configured any more."
                );
                60_000
            }
        };
        let due_ms = self.surroundings.clock.now().0 + pause_ms;
        self.book.done(lane_id, Next::At { due_ms, failures });
    }

    /// Gives up what has waited too long; false when it has not.
    fn give_up(&mut self, lane_id: i64) -> bool {
        let Some((gateway_id, Work::Out(work))) = self.book.first(lane_id) else {
            return false;
        };
        let Some(gateway) = self.surroundings.gateways.get(&gateway_id) else {
            return false;
        };
        let give_up = gateway.gateway.config.give_up;
        if self.surroundings.clock.now() <= work.outgoing.created_at.after(give_up) {
            return false;
        }
        let network = gateway.gateway.network();
        let Some(Work::Out(work)) = self.take(lane_id, 1).pop() else {
            return false;
        };
        let stranded = Stranded {
            surroundings: self.surroundings.clone(),
            network,
            lane_id,
            work,
            finished: self.queue.orders.clone(),
        };
        let lifecycle = &self.surroundings.lifecycle;
        lifecycle.spawn("queue.stranded", stranded.give_up());
        true
    }
}
