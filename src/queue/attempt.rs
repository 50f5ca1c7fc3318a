//! One try outwards: start mark, send, outcome; each committed before the next.

mod quiet;

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::Instant};
use transom_adapter::{Account, Attempt, Failure, Outcome, Reason, Repeat, UnixMillis};

use super::{
    OutWork, QueueGateway, Surroundings,
    lanes::Next,
    order::{Finished, Order},
    verdict::{Circumstances, Verdict, judge},
};
use crate::{
    config::Receipts,
    hooks::{Step, step},
    metrics::Direction,
    processes::LEASE,
    store::{
        Write,
        write::{Done, IdRow, OutcomeRow, Start, State, TellKind},
    },
};

/// One attempt and where its result goes.
pub(super) struct Try {
    pub(super) surroundings: Surroundings,
    pub(super) gateway: QueueGateway,
    pub(super) account: Arc<dyn Account>,
    pub(super) account_id: i64,
    pub(super) lane_id: i64,
    pub(super) work: Box<OutWork>,
    pub(super) failures: u32,
    pub(super) slot: usize,
    /// This process, as it was when the work was handed out.
    pub(super) process_id: i64,
    pub(super) finished: mpsc::Sender<Order>,
}

/// A process that drains waits so long for a network's answer; it has half a minute for everything.
const LAST_WORD: Duration = Duration::from_secs(20);
/// How long after an unknown outcome the network is asked what became of it.
const RECONCILE_AFTER: Duration = Duration::from_secs(10);

impl Try {
    /// Makes the attempt and reports to the scheduler once its outcome is committed.
    pub(super) async fn run(self) {
        let attempt = Attempt {
            number: self.work.attempts + 1,
            unit: self.work.unit,
            started_at: self.surroundings.clock.now(),
        };
        if let Some(until) = self.quiet_until() {
            let finished = self.postpone(until).await;
            return self.report(finished).await;
        }
        if self.is_forgotten(attempt.started_at) {
            let detail = "the network does not recognise a repeat any more";
            let failure = Failure::new(Reason::NetworkDown).with_detail(detail);
            let finished = self.conclude(attempt, Outcome::Unknown(failure)).await;
            return self.report(finished).await;
        }
        let finished = match self.start().await {
            Started::Gone => Finished::go_on(),
            Started::Late => {
                let detail = "this process stood still before the send";
                let failure = Failure::new(Reason::NetworkDown).with_detail(detail);
                self.conclude(attempt, Outcome::Transient(failure)).await
            }
            Started::Yes => {
                let outcome = self.send(attempt).await;
                let states = &self.surroundings.states;
                states.attempted(self.account.name(), &outcome);
                self.conclude(attempt, outcome).await
            }
        };
        self.report(finished).await;
    }

    /// Whether the network may have taken it so long ago that it would take it for a new one.
    fn is_forgotten(&self, now: UnixMillis) -> bool {
        let Repeat::Within(span) = self.account.capabilities().repeat else {
            return false;
        };
        let begun = self.work.started_ms.filter(|_| self.work.unknowns > 0);
        begun.is_some_and(|begun| now.since(UnixMillis(begun)) >= span)
    }

    async fn report(&self, finished: Finished) {
        let order = Order::Finished {
            lane_id: self.lane_id,
            slot: self.slot,
            finished,
        };
        self.finished.send(order).await.ok();
    }

    /// Commits the start mark, where the account does not surely recognise a repeat, or another account or process might try the same.
    async fn start(&self) -> Started {
        let is_recognised = self.account.capabilities().repeat == Repeat::Safe;
        let is_the_only = self.work.routes.len() <= 1;
        if is_recognised && is_the_only && !self.surroundings.processes.is_shared() {
            return Started::Yes;
        }
        let start = Start {
            delivery_id: self.work.delivery_id,
            account_id: self.account_id,
            process_id: self.process_id,
            units: self.work.parts(self.work.units()),
            at_ms: self.surroundings.clock.now().0,
        };
        let asked = Instant::now();
        match self.commit(Write::Start(start)).await {
            // A report, an admin or another process was quicker.
            Done::Unchanged => Started::Gone,
            // Long enough to be taken for dead: others say by now that nobody knows what became of it.
            _ if self.surroundings.processes.is_shared() && asked.elapsed() >= LEASE => {
                Started::Late
            }
            _ => Started::Yes,
        }
    }

    async fn send(&self, attempt: Attempt) -> Outcome {
        step(Step::BeforeSend);
        let deadline = Duration::from_secs(self.account.capabilities().send_seconds_max.into());
        let sending =
            tokio::time::timeout(deadline, self.account.send(&self.work.outgoing, attempt));
        let unknown =
            |detail| Outcome::Unknown(Failure::new(Reason::NetworkDown).with_detail(detail));
        let outcome = tokio::select! {
            sent = sending => sent.unwrap_or_else(|_| unknown("the account did not answer in time")),
            () = self.last_word() => unknown("this process ended before an answer came"),
        };
        step(Step::AfterSend);
        outcome
    }

    /// Returns when the process drains and has waited long enough: what it does not know it can still say.
    async fn last_word(&self) {
        self.surroundings.lifecycle.draining().await;
        tokio::time::sleep(LAST_WORD).await;
    }

    /// Commits what came of it and what follows.
    pub(super) async fn conclude(&self, attempt: Attempt, outcome: Outcome) -> Finished {
        let config = &self.gateway.gateway.config;
        let now = self.surroundings.clock.now();
        let ids = self.ids(&outcome);
        let unknowns = self.work.unknowns + u32::from(matches!(outcome, Outcome::Unknown(_)));
        let verdict = judge(
            outcome,
            &Circumstances {
                network: self.gateway.gateway.network(),
                capabilities: self.account.capabilities(),
                work: &self.work,
                attempt,
                failures: self.failures,
                give_up: config.give_up,
                since: self.since(),
                report_after: config.report_after,
                receipt_on_acceptance: config.receipts == Receipts::Accepted,
                now,
            },
        );
        self.log(attempt, &verdict);
        let row = OutcomeRow {
            unknowns,
            ..self.row(attempt, &verdict, ids, now)
        };
        let done = self.commit(Write::Outcome(row)).await;
        self.tell(&done, verdict.tell);
        // Some look-ups are a repeat themselves.
        if verdict.state == State::Unknown && !self.is_forgotten(now) {
            self.reconcile_later(attempt);
        }
        self.finished(attempt, &verdict)
    }

    fn finished(&self, attempt: Attempt, verdict: &Verdict) -> Finished {
        let more =
            verdict.state == State::Queued && verdict.next == Next::GoOn && !verdict.leaves_lane;
        let give_back = more.then(|| {
            let unknowns = self.work.unknowns;
            let unit = verdict.units_done;
            Box::new(OutWork {
                attempts: attempt.number,
                unit,
                route: verdict.route,
                unknowns,
                ..(*self.work).clone()
            })
        });
        let own_lane = verdict.leaves_lane.then_some(verdict.due_ms).flatten();
        Finished {
            pause: verdict
                .pause
                .map(|pause| (pause, self.work.outgoing.from.clone())),
            next: verdict.next,
            give_back,
            own_lane: own_lane.map(|due_ms| (self.work.delivery_id, due_ms, self.failures + 1)),
        }
    }

    fn row(
        &self,
        attempt: Attempt,
        verdict: &Verdict,
        ids: Vec<IdRow>,
        now: UnixMillis,
    ) -> OutcomeRow {
        let (lane_due_ms, failures) = match (verdict.next, verdict.leaves_lane) {
            (_, true) => (verdict.due_ms.unwrap_or(now.0), self.failures + 1),
            (Next::At { due_ms, failures }, _) => (due_ms, failures),
            (Next::GoOn | Next::Prepared, _) => (now.0, 0),
        };
        let ended = !matches!(
            verdict.state,
            State::Queued | State::Accepted | State::Unknown
        );
        OutcomeRow {
            account_id: Some(self.account_id),
            process_id: Some(self.process_id),
            units: self
                .work
                .routes
                .get(verdict.route)
                .map(|route| self.work.parts(route.units.get())),
            units_done: verdict.units_done,
            attempts: attempt.number,
            reason: verdict
                .failure
                .as_ref()
                .map(|failure| failure.reason.as_str()),
            code: verdict
                .failure
                .as_ref()
                .and_then(|failure| failure.code.clone()),
            tell: verdict.tell,
            due_ms: if verdict.leaves_lane {
                None
            } else {
                verdict.due_ms
            },
            done_ms: ended.then_some(now.0),
            lane_due_ms,
            failures,
            ids,
            leaves_lane: verdict.leaves_lane,
            of_group: self.work.is_one_of_several,
            ..OutcomeRow::new(self.work.delivery_id, self.lane_id, verdict.state)
        }
    }

    fn ids(&self, outcome: &Outcome) -> Vec<IdRow> {
        let (Outcome::Accepted { ids } | Outcome::PartlyAccepted { ids, .. }) = outcome else {
            return Vec::new();
        };
        let Some(scope_id) = self.gateway.gateway.scope_id(self.account.name()) else {
            return Vec::new();
        };
        let row = |id: &transom_adapter::ExternalId| IdRow {
            scope_id,
            kind: id.kind,
            value: id.value.clone(),
            part: id.part.max(self.work.unit),
            delivery_id: self.work.delivery_id,
        };
        ids.iter().map(row).collect()
    }

    fn tell(&self, done: &Done, tell: Option<TellKind>) {
        let by_report = matches!(done, Done::Tells(_));
        if by_report || (tell.is_some() && *done == Done::Written) {
            self.surroundings.teller.tell(vec![self.work.delivery_id]);
        }
    }

    /// Asks the network a little later what became of an unknown attempt; the chat does not wait for it.
    fn reconcile_later(&self, attempt: Attempt) {
        let task = Self {
            surroundings: self.surroundings.clone(),
            gateway: self.gateway.clone(),
            account: Arc::clone(&self.account),
            account_id: self.account_id,
            lane_id: self.lane_id,
            // What a look-up says decides, whatever was unknown before.
            work: Box::new(OutWork {
                unknowns: 0,
                ..(*self.work).clone()
            }),
            failures: self.failures,
            slot: self.slot,
            process_id: self.process_id,
            finished: self.finished.clone(),
        };
        self.surroundings
            .lifecycle
            .spawn("queue.reconcile", async move {
                let due = task.surroundings.clock.now().after(RECONCILE_AFTER);
                tokio::select! {
                    () = task.surroundings.clock.sleep_until(due) => {}
                    () = task.surroundings.lifecycle.draining() => return,
                }
                let outcome = task.account.reconcile(&task.work.outgoing, attempt).await;
                // Never sent again on the word of a look-up: it may just not show it yet. Nor is one believed that may show another text
                // with the same words.
                let store = &task.surroundings.store;
                if let Some(outcome @ (Outcome::Accepted { .. } | Outcome::Rejected(_))) = outcome
                    && store
                        .has_twin(task.work.delivery_id)
                        .await
                        .is_ok_and(|has| !has)
                {
                    task.conclude(attempt, outcome).await;
                }
            });
    }

    /// Commits until the database takes it: an outcome must not be lost while it can be kept.
    pub(super) async fn commit(&self, write: Write) -> Done {
        let kept = self.surroundings.writer.keep_one(write).await;
        kept.unwrap_or(Done::Unchanged)
    }

    fn log(&self, attempt: Attempt, verdict: &Verdict) {
        let gateway = &self.gateway.gateway.config.name;
        let outcome = verdict.state.as_str();
        self.surroundings
            .metrics
            .message(gateway, Direction::Out, outcome);
        let message_id = self.work.delivery_id;
        let account = self.account.name().as_str();
        match &verdict.failure {
            None => tracing::info!(
                message_id,
                account,
                attempt = attempt.number,
                outcome,
                "Handed to the network."
            ),
            Some(failure) => tracing::warn!(
                message_id,
                account,
                attempt = attempt.number,
                outcome,
                reason = failure.reason.as_str(),
                code = failure.code.as_deref().unwrap_or(""),
                detail = failure.detail.as_deref().unwrap_or(""),
                "The network did not take the message."
            ),
        }
    }
}

enum Started {
    Yes,
    /// Somebody else has it, or nobody wants it any more.
    Gone,
    /// Yes, but so long ago that others take this process for dead.
    Late,
}
