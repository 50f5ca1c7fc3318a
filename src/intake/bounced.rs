//! A user's server sends a message back (semantics 23).

use std::time::Duration;

use transom_adapter::UnixMillis;

use super::Intake;
use crate::{
    gateway::ids,
    metrics::Direction,
    store::{Write, write::Bounced},
    xmpp::{
        stanza::{Condition, ErrorType, Message},
        xep::blocking,
    },
};

/// A message that failed at the user's server is tried again after this, and at the user's next presence.
const HELD: Duration = Duration::from_mins(10);
const HELD_MAX: Duration = Duration::from_hours(6);

/// The user's server sent back a message of ours (semantics 23): held for a while, or failed.
pub(super) async fn bounced(intake: &Intake, error: &Message) {
    let (Some(id), Some(from)) = (&error.id, &error.from) else {
        return;
    };
    let now = intake.clock.now();
    let target = intake
        .store
        .error_target(ids::message_of(id), from.to_bare().as_str(), now.0)
        .await;
    let Ok(Some(target)) = target else {
        intake.count("error-about-nothing");
        return;
    };
    let why = error.error();
    // XEP-0191 §3.5: the user does not want to hear from this contact. There is nothing to wait for.
    let blocked = why.as_ref().is_some_and(blocking::is_blocked);
    if blocked {
        intake.count("blocked-by-user");
    }
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
    tracing::warn!(
        message_id = target.delivery_id,
        held,
        reason,
        "The user's server sent a message back."
    );
    let write = Write::Bounced(Bounced {
        delivery_id: target.delivery_id,
        lane_id: target.lane_id,
        at_ms: now.0,
        state: if held { "queued" } else { "failed" },
        code: reason,
        due_ms: now.after(wait).0,
    });
    let outcome = if held { "held" } else { "failed" };
    intake
        .metrics
        .message(&intake.gateway.config.name, Direction::In, outcome);
    if intake.writer.commit_one(write).await.is_ok() {
        intake.queue.look_again().await;
    }
}
