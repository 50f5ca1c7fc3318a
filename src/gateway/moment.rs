//! Time and keys: what deciding needs and must not fetch.

use transom_adapter::UnixMillis;

/// The parts of deciding that do not come from the message: time and keys.
pub struct Moment<'a> {
    /// Now.
    pub now: UnixMillis,
    /// The next key.
    pub ids: &'a (dyn Fn() -> i64 + Sync),
}
