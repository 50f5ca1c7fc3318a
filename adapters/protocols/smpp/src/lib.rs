//! The ESME's side of SMPP 3.4 and 5.0: PDUs, and one session on one connection.
//!
//! ```text
//!   Client ──request──▶ session ──PDU──▶ SMSC        window, deadline, one answer each
//!   Handler ◀─deliver── session ◀──PDU── SMSC        answered with what the handler returns
//! ```
//!
//! [`Session::open`] connects and binds, [`Session::run`] carries both directions until the connection ends; whoever owns it decides
//! when to bind again. Nothing is sent twice here, and what came of a request is one of [`Outcome`]: answered, surely not sent, or unknown.
//!
//! The reader is lenient where SMSCs are sloppy: a TLV of an odd length does not cost the PDU it stands in, and a PDU that cannot be
//! read is answered by `generic_nack` while the session goes on. Only a length that cannot be ends it.

mod frame;
mod message;
mod open;
mod overdue;
mod requests;
mod session;
pub mod status;

pub use frame::{BadLength, FRAME_BYTES_MAX, Frame, command};
pub use message::{Deliver, Party, Submit, TLVS_MAX, Tlv, message_id, tag};
pub use open::{Bind, Endpoint, Login, OpenError, Session, Version};
pub use requests::{Client, Mark, Outcome, Requests, channel};
pub use session::{Ended, Handler, Limits};

#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
#[cfg(test)]
mod tests;
