//! Fakes for what the core gives an account, and the conformance suite that every account passes.
//!
//! An adapter's tests take [`context`] for a [`Context`](crate::Context) on fakes, [`ScriptedHttp`] for a provider that answers from a script, and
//! call [`conformance::http_account`] once for each account that speaks HTTP, [`conformance::account`] for any other.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a failing test panics"
)]

pub mod conformance;
mod fakes;
mod scripted_http;

pub use fakes::{
    CountingMeter, FIRST, FixedDirectory, ManualClock, RecordingInbox, RecordingStates, context,
    incoming, outgoing, signer,
};
pub use scripted_http::{Recorded, Reply, ScriptedHttp};
