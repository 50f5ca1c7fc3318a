//! What is done beside the messages: admins are told of trouble, and what was kept for long enough is forgotten.
//!
//! - [`watch`]: looks at links, accounts, disks and rows; [`board`] knows what was said already.
//! - [`retention`]: what is kept for how long (`keep`).

mod balances;
mod board;
mod retention;
mod watch;

pub use retention::Retention;
pub use watch::Watch;
