//! A login at the simulated network.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Context, Failure, Groups, Holder,
    Outcome, Outgoing, Reason, Repeat, Reports,
};

use crate::{
    file,
    post::{Notice, Post},
    shared::Shared,
};

/// Reports that go into one commit.
const REPORTS_AT_ONCE: usize = 64;
/// How long the gateway is left alone after it was busy.
const BUSY_FOR: Duration = Duration::from_secs(1);
/// How long a send waits while too many reports wait for the gateway; less than `send_seconds_max`.
const ROOM_WAIT: Duration = Duration::from_secs(5);

/// A login at the simulated network.
#[derive(Debug)]
pub(crate) struct SimulatedAccount {
    shared: Arc<Shared>,
    post: Arc<Post>,
}

impl SimulatedAccount {
    pub(crate) fn new(shared: Arc<Shared>, post: Arc<Post>) -> Self {
        Self { shared, post }
    }

    /// Commits these reports, however long the gateway is busy. False when it drains before they were taken.
    async fn report(&self, context: &Context, notices: &[Notice]) -> bool {
        loop {
            let events = notices.iter().map(Notice::event).collect();
            let committed = context.inbox.commit(&self.post.account, events, None).await;
            if committed.is_ok() {
                self.shared.change(|world| world.mark_reported(notices));
                return true;
            }
            tracing::debug!(account = %self.post.account, "The gateway is busy; the reports wait.");
            let later = context.clock.now().after(BUSY_FOR);
            tokio::select! {
                () = context.clock.sleep_until(later) => {}
                () = context.lifecycle.draining() => return false,
            }
        }
    }
}

#[async_trait]
impl Account for SimulatedAccount {
    fn name(&self) -> &AccountName {
        &self.post.account
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            repeat: Repeat::Safe,
            reports: Reports::Delivery,
            concurrency: 64,
            send_seconds_max: 10,
            files: Some(file::LIMITS),
            holder: Holder::Anyone,
        }
    }

    fn groups(&self) -> Groups {
        Groups::AtOnce { members_max: 10 }
    }

    async fn send(&self, message: &Outgoing, attempt: Attempt) -> Outcome {
        if !self.post.has_room() {
            let room = tokio::time::timeout(ROOM_WAIT, self.post.room());
            if room.await.is_err() {
                let failure = Failure::new(Reason::NetworkDown);
                return Outcome::Transient(failure.with_detail("too many reports are waiting"));
            }
        }
        let files = match file::sent(message).await {
            Ok(files) => files,
            Err(outcome) => return outcome,
        };
        let now = self.shared.now();
        self.shared
            .change(|world| world.deliver(&self.post, (message, &files), attempt.unit, now))
    }

    async fn reconcile(&self, message: &Outgoing, attempt: Attempt) -> Option<Outcome> {
        let delivery = (message.key, attempt.unit);
        self.shared.look(|world| world.reconcile(delivery))
    }

    /// Commits the reports; at the end those that wait, unless the gateway is busy: that would hold up the drain.
    async fn run(&self, context: &Context) -> Result<(), Failure> {
        self.post.connect(context);
        loop {
            let notices = self.post.take(REPORTS_AT_ONCE);
            if !notices.is_empty() {
                if self.report(context, &notices).await {
                    continue;
                }
                return Ok(());
            }
            if context.lifecycle.is_draining() {
                return Ok(());
            }
            tokio::select! {
                () = self.post.filled() => {}
                () = context.lifecycle.draining() => {}
            }
        }
    }

    async fn check(&self) -> CheckReport {
        CheckReport {
            findings: vec!["simulated phones: nothing leaves this process".to_owned()],
            ..CheckReport::default()
        }
    }
}
