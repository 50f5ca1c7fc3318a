//! The section of a Sinch account.

use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section};

use super::{ProviderEnv, SinchAccount};
use crate::provider::{media, settings::Settings};

/// `[gateway.X.provider.Y]` with `kind = "sinch"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinchConfig {
    /// The service plan's id.
    pub service_plan_id: String,
    /// Its API token.
    #[schemars(with = "Option<String>")]
    pub api_token: Option<SecretString>,
    /// A file that holds it.
    pub api_token_file: Option<PathBuf>,
    /// Where the service plan lives: `us`, `eu`, `au`, `br` or `ca`. Default: `us`.
    #[serde(default = "region")]
    pub region: String,
    /// The secret that Sinch's calls are signed with, for accounts where signing is turned on.
    #[schemars(with = "Option<String>")]
    pub webhook_secret: Option<SecretString>,
    /// A file that holds it.
    pub webhook_secret_file: Option<PathBuf>,
    /// The last part of our webhook's path; needed where Sinch does not sign.
    #[schemars(with = "Option<String>")]
    pub webhook_token: Option<SecretString>,
    /// A file that holds it.
    pub webhook_token_file: Option<PathBuf>,
    /// How long Sinch may try, 1m to 3 days, which is its default.
    pub validity: Option<String>,
    /// Default: `https://{region}.sms.api.sinch.com`.
    pub base_url: Option<String>,
}

fn region() -> String {
    "us".to_owned()
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<SinchAccount, Vec<ConfigFault>> {
    let config: SinchConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    settings.id("service_plan_id", &config.service_plan_id);
    if !matches!(&*config.region, "us" | "eu" | "au" | "br" | "ca") {
        settings.fault("region", "is no region", "use us, eu, au, br or ca");
    }
    let base_url = config.base_url;
    let base_url =
        base_url.unwrap_or_else(|| format!("https://{}.sms.api.sinch.com", config.region));
    let base_url = settings.base_url("base_url", &base_url);
    let file = config.api_token_file.as_deref();
    let api_token = settings.secret("api_token", config.api_token, file);
    let file = config.webhook_secret_file.as_deref();
    let webhook_secret = settings.optional_secret("webhook_secret", config.webhook_secret, file);
    let file = config.webhook_token_file.as_deref();
    // Who signs needs no token; who does neither cannot call at all.
    let wanted = config.webhook_token.is_some() || file.is_some() || webhook_secret.is_none();
    let webhook_token = wanted.then(|| settings.webhook_token(config.webhook_token, file));
    let bounds = (Duration::from_mins(1), Duration::from_hours(72));
    let validity = settings.duration("validity", config.validity.as_deref(), bounds);
    let callback_url = env.way_back(None, &name).map(|url| {
        let token = webhook_token.as_ref().map(ExposeSecret::expose_secret);
        SecretString::from(token.map_or(url.clone(), |token| format!("{url}/{token}")))
    });
    settings.built(|| SinchAccount {
        http: env.http.clone(),
        clock: env.clock.clone(),
        plan_url: format!("{base_url}/xms/v1/{}", config.service_plan_id),
        base_url,
        api_token,
        webhook_secret,
        webhook_token,
        callback_url,
        validity,
        files: media::by_url(env, super::FILES),
        home: env.home,
        name,
    })
}
