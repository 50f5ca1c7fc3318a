//! The XEP-0114 connection (Jabber Component Protocol).
//!
//! [`Link::spawn`] starts one task that connects, logs in, reads, writes, and begins anew when the connection is lost.
//! It is the only code that touches the socket. Outside one holds:
//!
//! - a [`LinkHandle`]: [`send`](LinkHandle::send) (queued, in order), [`send_tracked`](LinkHandle::send_tracked) (resolves
//!   when the server surely has it; [`send_groups`](LinkHandle::send_groups) leaves out what must not be written),
//!   [`send_presence`](LinkHandle::send_presence) (second class, paced),
//!   [`request`](LinkHandle::request) (an iq and its answer);
//! - the receiving end of [`LinkEvent`]s: `Up`, [`Batch`]es to be acknowledged after the commit, `Down` with a [`LinkError`],
//!   `Elsewhere` when another process has the gateway ([`Permit`]).
//!
//! Inside, from the socket upwards: `endpoint` connects, `login` shakes hands, `session` is one connection's life
//! (`inbound` cuts, parses and batches; `writer` coalesces; `barrier` pings; `requests` correlates; `pace` slows), `link` goes on for
//! ever, `handle` is what others hold, `outgoing` checks addresses, `error` tells faults apart.
//!
//! The link answers nothing by itself: pings and all other requests are the consumer's to answer. Only pongs and answers
//! to own requests stay inside.

mod barrier;
mod config;
mod counters;
mod cutter;
mod endpoint;
mod error;
mod handle;
mod inbound;
mod link;
mod login;
mod outgoing;
mod pace;
mod requests;
mod session;
mod writer;

pub use config::{Backoff, LinkConfig, Permit, Queues, StopWhen, Timing};
pub use counters::Counters;
pub use endpoint::{Endpoint, EndpointError};
pub use error::{LinkError, Phase, Remedy, Waiting};
pub use handle::{
    Batch, Commit, LinkEvent, LinkHandle, LinkState, Lost, Received, RequestError, SendError,
};
pub use link::Link;
pub use outgoing::Refusal;

#[cfg(test)]
pub(crate) mod tests;
