//! Mail for transom: out by SMTP, in by LMTP or from an IMAP mailbox.
//!
//! ```text
//!   Outgoing ─▶ smtp::compose ─▶ smtp::Connection ─▶ Outcome           one recipient a transaction, RFC 5321
//!   LMTP, IMAP ─▶ read::read ─▶ Letter ─▶ Event{Message | Report} ─▶ Inbox::commit ─▶ 250, next position
//! ```
//!
//! [`EmailAdapter`] holds up to three accounts: `gateway/smtp` sends, `gateway/lmtp` and `gateway/imap` receive. They share
//! what ties mails together: [`OwnIds`](ids::OwnIds), the Message-IDs and bounce addresses that nobody else can make.

mod adapter;
mod address;
mod bounce;
mod config;
mod dkim;
mod dmarc;
mod dns;
mod excess;
mod headers;
mod ids;
mod imap;
mod intake;
mod lmtp;
mod net;
mod oauth;
mod own;
mod own_address;
mod reaction;
mod read;
mod smtp;
mod status;

pub use adapter::EmailAdapter;
pub use config::schema;

/// What the measuring programs in `examples/` look at.
#[doc(hidden)]
pub mod measure;
