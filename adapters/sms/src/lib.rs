//! Text messages: the SMS adapter of transom.
//!
//! ```text
//! config ─▶ SmsAdapter ─plan─▶ Number · Place · Segments     may it go, where to, what does it cost
//!               └─ accounts: provider::{twilio, kannel, …}   how it goes, and what comes back
//! ```
//!
//! A provider is a [`ProviderFactory`]: it reads its section of the configuration and builds an account. Everything that providers
//! have in common (numbers, segments, forms, error tables) stands beside them, so that one of them is a few hundred lines. What each
//! wants and what is odd about it stands in `docs/`.

mod adapter;
mod country;
mod emergency;
mod number;
pub mod provider;
mod segments;

pub use adapter::{SmsAdapter, SmsConfig};
pub use country::{Country, UnknownCountry};
pub use number::{Number, read_typed};
pub use provider::{ProviderEnv, ProviderFactory, TextLimit, Units};
pub use segments::{Encoding, Segments, cut, gsm_septets, normalise};
