//! Accounts that users bring: opened, run, stopped and opened anew while the process runs; their owners told when a login is refused.
//!
//! - [`Keeper`]: one task that holds what runs against what the database says, whenever somebody says that it changed, and every
//!   minute: so a user who is removed by whatever way takes the accounts along.
//! - [`OwnBoard`]: where each account stands, as it says itself.
//! - `login`: where the login of one that runs is kept, with what its provider gives in its place.
//!
//! An account runs in one task, which is dropped to stop it: what it was about to commit is committed whole or not at all. Its login is
//! opened for as long as it runs. A refused one is marked in the database first, then stopped, then told: a kill in between leaves
//! a mark that says "not told", and the next process tells.

mod board;
mod keeper;
mod login;
mod owner;

pub use board::OwnBoard;
pub use keeper::Keeper;
