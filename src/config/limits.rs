//! What may be sent.

use super::{faults::Collector, raw::RawLimits};

/// `[gateway.NAME.limits]`: caps; days are UTC days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Of one user.
    pub messages_per_day: u32,
    /// Of one user.
    pub segments_per_day: u32,
    /// The longest message.
    pub segments_per_message: u32,
    /// People whom one user writes to for the first time.
    pub new_peers_per_hour: u32,
    /// Of all users together.
    pub gateway_per_day: u32,
}

impl Limits {
    pub(super) fn check(raw: &RawLimits, key: &str, faults: &mut Collector) -> Self {
        let mut limit = |name: &str, written: Option<u32>, default: u32| {
            if written == Some(0) {
                faults.error(
                    &format!("{key}.{name}"),
                    "0 would stop all sending",
                    "write at least 1; who may send at all is said by allow and registration",
                );
            }
            written.unwrap_or(default)
        };
        Self {
            messages_per_day: limit("messages_per_day", raw.messages_per_day, 200),
            segments_per_day: limit("segments_per_day", raw.segments_per_day, 300),
            segments_per_message: limit("segments_per_message", raw.segments_per_message, 8),
            new_peers_per_hour: limit("new_peers_per_hour", raw.new_peers_per_hour, 20),
            gateway_per_day: limit("gateway_per_day", raw.gateway_per_day, 5000),
        }
    }
}
