//! Every stanza that transom writes, read by xmpp-parsers: envelope, payloads and words, whatever people put into them.

mod answers;
mod builders;
mod messages;
mod oracle;
mod sentences;
mod world;
