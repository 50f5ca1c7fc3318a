//! Holds every stanza that transom writes against the parser of somebody else.
//!
//! A crate of its own, because the other parser takes longer to build than to ask. What is in the library is what tests and
//! the fuzz targets share: gateways without a network, people, and the way of a stanza through all that is pure.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]

mod handling;
mod spoilt;
pub mod world;

pub use handling::handle;
pub use spoilt::{Damage, Spoilt, spoilt};
