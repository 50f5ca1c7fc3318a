//! Everything that anybody outside can make transom read, each as one function of the bytes. What must hold is asserted, beside that
//! nothing panics.
//!
//! The targets of `fuzz/` call these functions without end, and `tests/smoke.rs` calls them by count.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "what does not hold is a finding"
)]

mod answers;
mod files;
mod lmtp;
mod mail;
mod running;
mod stanzas;
mod stream;
mod texts;
/// What the cutter, which `stream` compiles once more, calls its own crate's.
mod xmpp {
    pub(crate) use transom::xmpp::stanza;
}

pub use answers::{answers, imap_replies, smtp_replies};
pub use files::{cards, config, import, pictures};
pub use lmtp::lmtp;
pub use mail::{discovery, dns, mail};
pub use running::{commands, http};
pub use stanzas::{forms, handling, jid};
pub use stream::stanza;
pub use texts::{delivery_receipt, gammu, number, smpp_pdu, webhooks};
