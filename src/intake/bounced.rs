//! A user's server sends a message back (semantics 23).

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};
use transom_adapter::{Busy, UnixMillis};

use super::{Intake, STORE_PATIENCE, STORE_PAUSE};
use crate::{
    gateway::ids,
    metrics::Direction,
    store::{Write, write::Bounced},
    xmpp::{
        jid::Jid,
        stanza::{Condition, ErrorType, Message},
        xep::blocking,
    },
};

/// A message that failed at the user's server is tried again after this, and at the user's next presence.
const HELD: Duration = Duration::from_mins(10);
const HELD_MAX: Duration = Duration::from_hours(6);

/// Errors that may wait for a database that is out of order for long; the link waits with what is beyond.
const WAITING_MAX: usize = 256;

/// Where errors about messages of ours go when the database stays out of order: they wait for it, and what users write does not wait
/// with them, so that its senders are told.
#[derive(Clone, Debug)]
pub(super) struct Bounces(mpsc::Sender<Message>);

impl Bounces {
    /// Returns once it is committed, or waits its turn.
    pub(super) async fn take(&self, intake: &Intake, error: Message) {
        let patience = Instant::now() + STORE_PATIENCE;
        let over = || Instant::now() >= patience || intake.lifecycle.is_draining();
        if bounced(intake, &error, over).await.is_err() {
            self.0.send(error).await.ok();
        }
    }
}

/// Starts the task for those that wait; it ends when the intake does.
pub(super) fn start(intake: &Intake) -> Bounces {
    let (errors, mut inbox) = mpsc::channel(WAITING_MAX);
    let intake = intake.clone();
    let lifecycle = intake.lifecycle.clone();
    lifecycle.spawn("intake.bounced", async move {
        while let Some(error) = inbox.recv().await {
            let over = || intake.lifecycle.is_draining();
            if bounced(&intake, &error, over).await.is_err() {
                let id = error.id.as_deref().unwrap_or_default();
                tracing::error!(
                    id,
                    "What the user's server says of a message cannot be kept."
                );
            }
        }
    });
    Bounces(errors)
}

/// The user's server sent back a message of ours (semantics 23): held for a while, or failed. [`Busy`] when the database is out of order
/// until it is `over`.
async fn bounced(intake: &Intake, error: &Message, over: impl Fn() -> bool) -> Result<(), Busy> {
    let (Some(id), Some(from)) = (&error.id, &error.from) else {
        return Ok(());
    };
    loop {
        match settle(intake, error, id, from).await {
            Ok(()) => return Ok(()),
            Err(Busy) if over() => return Err(Busy),
            Err(Busy) => tokio::time::sleep(STORE_PAUSE).await,
        }
    }
}

/// Once; [`Busy`] when the database is out of order.
async fn settle(intake: &Intake, error: &Message, id: &str, from: &Jid) -> Result<(), Busy> {
    let now = intake.clock.now();
    let target = intake
        .store
        .error_target(ids::message_of(id), from.to_bare().as_str(), now.0)
        .await;
    let target = target.map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "Cannot read what a message that was sent back is.");
        Busy
    })?;
    let Some(target) = target else {
        intake.count("error_about_nothing");
        return Ok(());
    };
    let why = error.error();
    // XEP-0191 §3.5: the user does not want to hear from this contact. There is nothing to wait for.
    let blocked = why.as_ref().is_some_and(blocking::is_blocked);
    let may_pass = !blocked
        && why.as_ref().is_some_and(|error| {
            error.kind == ErrorType::Wait
                || matches!(error.condition, Condition::ServiceUnavailable)
        });
    let in_time = now < UnixMillis(target.created_ms).after(intake.gateway.config.give_up_inbound);
    let wait = HELD
        .saturating_mul(1 << target.attempts.min(6))
        .min(HELD_MAX);
    let held = may_pass && in_time;
    let reason = why.map_or_else(String::new, |error| error.condition.name().to_owned());
    let write = Write::Bounced(Bounced {
        delivery_id: target.delivery_id,
        lane_id: target.lane_id,
        at_ms: now.0,
        state: if held { "queued" } else { "failed" },
        code: reason.clone(),
        due_ms: now.after(wait).0,
    });
    match intake.writer.commit_one(write).await {
        Ok(_) => {}
        Err(error) if error.passes() => return Err(Busy),
        Err(_) => return Ok(()),
    }
    if blocked {
        intake.count("blocked_by_user");
    }
    tracing::warn!(
        message_id = target.delivery_id,
        held,
        reason,
        "The user's server sent a message back."
    );
    let outcome = if held { "held" } else { "failed" };
    intake
        .metrics
        .message(&intake.gateway.config.name, Direction::In, outcome);
    intake.queue.look_again().await;
    Ok(())
}
