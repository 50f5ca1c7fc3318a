//! The section of a gammu-smsd.

use std::time::Duration;

use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section, plain_or_text};

use super::{GammuAccount, ProviderEnv, spool::Spool};
use crate::{Number, provider::settings::Settings};

/// `[gateway.X.provider.Y]` with `kind = "gammu"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GammuConfig {
    /// The folder with smsd's `inbox`, `outbox`, `sent` and `error`: `/var/spool/gammu`.
    #[serde(default = "spool")]
    pub spool: String,
    /// The number of the SIM card, which is a line.
    pub number: String,
    /// Whether smsd was told to ask for delivery reports (`DeliveryReport = sms`): `true` or `false`. Default: `true`.
    #[serde(default = "yes", deserialize_with = "plain_or_text")]
    pub reports: bool,
    /// How long the files of what was sent and received are kept, up to a year; default: a week.
    pub keep: Option<String>,
}

fn spool() -> String {
    "/var/spool/gammu".to_owned()
}

fn yes() -> bool {
    true
}

const WEEK: Duration = Duration::from_hours(7 * 24);

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<GammuAccount, Vec<ConfigFault>> {
    let config: GammuConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    let bounds = (Duration::ZERO, Duration::from_hours(366 * 24));
    let keep = settings.duration("keep", config.keep.as_deref(), bounds);
    if !matches!(
        Number::parse(&config.number, env.home),
        Some(Number::E164(_))
    ) {
        settings.fault(
            "number",
            "is not a number with its plus sign",
            "write the number of the SIM card, as in \"+12025550100\"",
        );
    }
    let spool = Spool::at(&section.base_dir.join(&config.spool));
    settings.built(|| GammuAccount {
        spool,
        number: config.number,
        reports: config.reports,
        keep: keep.unwrap_or(WEEK),
        home: env.home,
        name,
    })
}
