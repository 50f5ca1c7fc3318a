//! The section of a Plivo account.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section};

use super::{PlivoAccount, ProviderEnv};
use crate::provider::{media, settings::Settings};

/// `[gateway.X.provider.Y]` with `kind = "plivo"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlivoConfig {
    /// The Auth ID of the account, or of a subaccount.
    pub auth_id: String,
    /// Its Auth Token: signs us in, and signs Plivo's calls.
    #[schemars(with = "Option<String>")]
    pub auth_token: Option<SecretString>,
    /// A file that holds it.
    pub auth_token_file: Option<PathBuf>,
    /// The last part of our webhook's path: Plivo's signature covers neither the query nor the body.
    #[schemars(with = "Option<String>")]
    pub webhook_token: Option<SecretString>,
    /// A file that holds it.
    pub webhook_token_file: Option<PathBuf>,
    /// How long Plivo may try, 5s to 3h, which is its default.
    pub validity: Option<String>,
    /// Default: `https://api.plivo.com`.
    #[serde(default = "base_url")]
    pub base_url: String,
}

fn base_url() -> String {
    "https://api.plivo.com".to_owned()
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<PlivoAccount, Vec<ConfigFault>> {
    let config: PlivoConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    settings.id("auth_id", &config.auth_id);
    let base_url = settings.base_url("base_url", &config.base_url);
    let file = config.auth_token_file.as_deref();
    let auth_token = settings.secret("auth_token", config.auth_token, file);
    let file = config.webhook_token_file.as_deref();
    let webhook_token = settings.webhook_token(config.webhook_token, file);
    let bounds = (Duration::from_secs(5), Duration::from_hours(3));
    let validity = settings.duration("validity", config.validity.as_deref(), bounds);
    let webhook_url = env.secret_way_back(None, &name, &webhook_token);
    settings.built(|| PlivoAccount {
        http: env.http.clone(),
        account_url: format!("{base_url}/v1/Account/{}", config.auth_id),
        base_url,
        auth_id: config.auth_id,
        auth_token,
        webhook_token,
        webhook_url,
        validity,
        files: media::by_url(env, super::FILES),
        home: env.home,
        name,
    })
}
