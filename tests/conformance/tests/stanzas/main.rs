//! Every stanza that transom writes, read by xmpp-parsers: envelope, payloads and words, whatever people put into them.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]

mod answers;
mod builders;
mod handling;
mod mails;
mod messages;
mod oracle;
mod payloads;
mod roundtrips;
mod sentences;
mod world;
