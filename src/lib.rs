//! transom: an XMPP transport (XEP-0114) to text messages and email.
//!
//! The flow, outwards:
//!
//! ```text
//! xmpp::stream ─batch─▶ intake ─snapshot─▶ gateway::text_out ─decision─▶ store::writer ─committed─▶ queue
//!                          └──refusals─▶ link                                                        │
//!     link ◀─receipt, error, notice─ queue::teller ◀─outcome, report─ store ◀── adapter: Account::send
//! ```
//!
//! and inwards:
//!
//! ```text
//! webhook, IMAP, LMTP, SMPP ─event─▶ intake ─▶ gateway::text_in ─▶ store::writer ─committed─▶ answer to the source
//!                                                                       └─▶ queue::handover ─▶ link ─barrier─▶ done
//! ```
//!
//! `docs/FLOW.md` walks through both; `docs/ARCHITECTURE.md` says which module may use which, and why.

pub mod accounts;
pub mod app;
pub mod cli;
pub mod commands;
pub mod config;
pub mod files;
pub mod gateway;
pub mod hooks;
pub mod http;
pub mod intake;
pub mod metrics;
pub mod operations;
pub mod page;
pub mod processes;
pub mod queue;
pub mod seal;
pub mod store;
pub mod texts;
pub mod upkeep;
pub mod xmpp;

pub use app::App;
