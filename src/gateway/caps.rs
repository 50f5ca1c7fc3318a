//! What a user and the whole gateway may send (semantics 34).

use transom_adapter::{Plan, UnixMillis};

use super::Gateway;
use crate::{
    store::read::{KnownUser, OutwardSnapshot},
    texts::{Cap, Content, Refused},
};

const DAY_MS: i64 = 24 * 3_600_000;
const HOUR_MS: i64 = 3_600_000;

/// The UTC day, counted from 1970.
pub(super) fn day(now: UnixMillis) -> i64 {
    now.0 / DAY_MS
}

/// Whether a message to so many people that was counted already may become this one.
pub(super) fn check_change(
    gateway: &Gateway,
    user: &KnownUser,
    (plan, people): (&Plan, i64),
    segments_before: i64,
    now: UnixMillis,
) -> Result<(), Refused> {
    check_length(gateway, plan)?;
    let limits = &gateway.config.limits;
    let more = (i64::from(plan.segments) - segments_before).max(0) * people;
    if more > 0 && user.segments + more > limits.segments_per_day.into() {
        return Err(Cap::SegmentsPerDay {
            max: limits.segments_per_day,
            until: UnixMillis((day(now) + 1) * DAY_MS).timestamp(),
        }
        .into());
    }
    Ok(())
}

fn check_length(gateway: &Gateway, plan: &Plan) -> Result<(), Refused> {
    let segments_max =
        u16::try_from(gateway.config.limits.segments_per_message).unwrap_or(u16::MAX);
    if plan.segments > segments_max {
        return Err(Content::TooLong {
            segments: plan.segments,
            segments_max,
        }
        .into());
    }
    Ok(())
}

/// What a message costs, for everybody that it goes to.
pub(super) struct Costs {
    /// Messages: one a recipient.
    pub(super) messages: i64,
    /// Segments.
    pub(super) segments: i64,
    /// People written to for the first time.
    pub(super) new_peers: i64,
}

/// Whether one more message fits; `plan` is what each recipient's costs.
pub(super) fn check(
    gateway: &Gateway,
    snapshot: &OutwardSnapshot,
    user: &KnownUser,
    (plan, costs): (&Plan, &Costs),
    now: UnixMillis,
) -> Result<(), Refused> {
    let limits = &gateway.config.limits;
    let until = UnixMillis((day(now) + 1) * DAY_MS).timestamp();
    check_length(gateway, plan)?;
    if user.messages + costs.messages > limits.messages_per_day.into() {
        return Err(Cap::MessagesPerDay {
            max: limits.messages_per_day,
            until,
        }
        .into());
    }
    if user.segments + costs.segments > limits.segments_per_day.into() {
        return Err(Cap::SegmentsPerDay {
            max: limits.segments_per_day,
            until,
        }
        .into());
    }
    if costs.new_peers > 0 && user.new_peers + costs.new_peers > limits.new_peers_per_hour.into() {
        let until = UnixMillis(now.0 + HOUR_MS).timestamp();
        return Err(Cap::NewPeersPerHour {
            max: limits.new_peers_per_hour,
            until,
        }
        .into());
    }
    if snapshot.gateway_messages + costs.messages > limits.gateway_per_day.into() {
        return Err(Cap::GatewayPerDay { until }.into());
    }
    Ok(())
}
