//! SMPP 3.4 and 5.0: a login at an SMSC. Set-up, options and what is odd about SMSCs: `docs/smpp.md`.

mod account;
mod address;
mod config;
pub(super) mod gsm;
mod ids;
mod indic;
mod late;
mod link;
mod outcome;
mod receipt;
mod repeats;
mod text;

use std::sync::Arc;

use transom_adapter::{Account, AccountName, ConfigFault, Section};

pub use self::{
    config::{BindKind, SmppConfig},
    receipt::{Receipt, receipt},
    text::{Alphabet, Long},
};
use super::{ProviderEnv, ProviderFactory, TextLimit, Units};

/// `kind = "smpp"`.
#[derive(Clone, Copy, Debug)]
pub struct Smpp;

impl ProviderFactory for Smpp {
    fn kind(&self) -> &'static str {
        "smpp"
    }

    fn build(
        &self,
        name: AccountName,
        section: &Section,
        env: &ProviderEnv,
    ) -> Result<Arc<dyn Account>, Vec<ConfigFault>> {
        Ok(Arc::new(config::account(name, section, env)?))
    }

    fn text_limit(&self, section: &Section) -> TextLimit {
        let config = section.read::<SmppConfig>();
        TextLimit::segments(config.map_or(1, |config| config.max_parts))
    }

    fn units(&self, section: &Section) -> Option<Units> {
        let config = section.read::<SmppConfig>().ok()?;
        let (alphabet, long) = (config.alphabet, config.long);
        Some(Box::new(move |message| {
            text::count(message, alphabet, long)
        }))
    }
}

#[cfg(test)]
mod tests;
