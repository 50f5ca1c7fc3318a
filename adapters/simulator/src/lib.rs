//! Phones in the process, with a page in the browser, for trying the gateway without an account anywhere.
//!
//! A phone appears when it first gets a text or is written from. It keeps its last 200 texts, and the world its last 1,000 phones:
//! the one that was still for the longest time makes room, as it does when all texts together exceed 32 MiB. Of files, such as
//! pictures, the latest 32 MiB are kept. Nothing is stored; a restart begins with an empty world.
//!
//! ```text
//!   Account::send ──▶ World (phones, behaviours) ──▶ Outcome
//!                        └─ reports ─▶ Post ──run──▶ Inbox::commit ──▶ receipt
//!   page, Phone::answer ──▶ World ──▶ Inbox::commit ──▶ Verdict ──▶ shown on the page
//! ```
//!
//! The page and its JSON stand behind [`Simulator::handle`], which knows no HTTP server. [`Phone`] is the same for tests in the process.

mod account;
mod answer;
mod behaviour;
mod file;
mod group;
mod handset;
mod phone;
mod post;
mod recent;
mod shared;
mod text;
mod view;
mod web;
mod world;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use transom_adapter::{Account, AccountName, Address, Clock};

pub use answer::AnswerError;
pub use behaviour::Behaviour;
pub use file::File;
pub use handset::Kind;
pub use phone::{Phone, TooFew};
pub use text::{State, Text, Way};

use crate::{account::SimulatedAccount, shared::Shared};

/// A world of simulated phones. Cheap to clone; all clones are the same world.
#[derive(Clone, Debug)]
pub struct Simulator(Arc<Shared>);

impl Simulator {
    /// An empty world that takes its time from this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared::new(clock)))
    }

    /// The login of this name at the simulated network. What is written on phones reaches the gateway while its `run` runs.
    pub fn account(&self, name: AccountName) -> Arc<dyn Account> {
        let post = self.0.change(|world| world.post(name));
        Arc::new(SimulatedAccount::new(Arc::clone(&self.0), post))
    }

    /// Says that a line belongs to an account, so that the page offers it. A line that was sent from is known without.
    pub fn add_line(&self, line: &Address, account: &AccountName) {
        self.0.change(|world| {
            let post = world.post(account.clone());
            world.add_line(line.as_str(), post);
        });
    }

    /// The phone with this number. It appears on the page with its first text or behaviour.
    pub fn phone(&self, number: &str) -> Phone {
        Phone::new(Arc::clone(&self.0), Address::new(number))
    }
}
