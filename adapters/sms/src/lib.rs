//! Text messages: the SMS adapter of transom.
//!
//! ```text
//! config ─▶ SmsAdapter ─plan─▶ Number · Place · Segments     may it go, where to, what does it cost
//!               └─ accounts: provider::{twilio, telnyx, …}   how it goes, and what comes back
//! ```
//!
//! A provider is a [`ProviderFactory`]: it reads its section of the configuration and builds an account. Everything that providers
//! have in common (numbers, segments, forms, error tables) stands beside them, so that one of them is a few hundred lines. What each
//! wants and what is odd about it stands in `docs/`.

mod adapter;
mod cost;
mod country;
mod emergency;
mod number;
mod plainer;
pub mod provider;
mod quiet;
mod segments;
mod typography;
mod zones;

pub use adapter::{SmsAdapter, SmsConfig, schema};
pub use country::{Country, UnknownCountry};
pub use number::{Number, read_typed};
pub use provider::{ProviderEnv, ProviderFactory, TextLimit, Units};
pub use segments::{Encoding, Segments, cut, gsm_septets, normalise};
pub use typography::simplify;
