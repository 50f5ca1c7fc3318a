//! The section of a Jasmin account.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section, plain_or_text};

use super::{JasminAccount, ProviderEnv};
use crate::provider::settings::Settings;

/// `[gateway.X.provider.Y]` with `kind = "jasmin"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JasminConfig {
    /// Where the HTTP API listens: `http://127.0.0.1:1401`.
    pub base_url: String,
    /// A user of Jasmin.
    pub username: String,
    /// The user's password.
    #[schemars(with = "Option<String>")]
    pub password: Option<SecretString>,
    /// A file that holds it.
    pub password_file: Option<PathBuf>,
    /// The last part of our webhook's path, which stands in for a signature: at least 16 letters, digits, hyphens, underscores.
    #[schemars(with = "Option<String>")]
    pub webhook_token: Option<SecretString>,
    /// A file that holds it.
    pub webhook_token_file: Option<PathBuf>,
    /// Where Jasmin reaches us, when it is not `http.public_url`: `http://127.0.0.1:8480`.
    pub callback_url: Option<String>,
    /// `long_content_max_parts` of Jasmin's `[http-api]`, 1 to 255: longer texts are refused. Default: 5, which is Jasmin's.
    #[serde(default = "max_parts", deserialize_with = "plain_or_text")]
    pub max_parts: u16,
    /// How long the network may try, in whole minutes up to 63 weeks; default: what the network does.
    pub validity: Option<String>,
}

fn max_parts() -> u16 {
    5
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<JasminAccount, Vec<ConfigFault>> {
    let config: JasminConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    let base_url = settings.base_url("base_url", &config.base_url);
    let callback = config.callback_url.as_deref();
    let callback = callback.and_then(|text| settings.url("callback_url", text));
    let bounds = (Duration::from_mins(1), Duration::from_hours(63 * 7 * 24));
    let validity = settings.duration("validity", config.validity.as_deref(), bounds);
    let file = config.password_file.as_deref();
    let password = settings.secret("password", config.password, file);
    let file = config.webhook_token_file.as_deref();
    let webhook_token = settings.webhook_token(config.webhook_token, file);
    if !(1..=255).contains(&config.max_parts) {
        settings.fault("max_parts", "is not 1 to 255", "write what jasmin.cfg has");
    }
    let report_url = env.secret_way_back(callback.as_ref(), &name, &webhook_token);
    settings.built(|| JasminAccount {
        http: env.http.clone(),
        base_url,
        username: config.username,
        password,
        webhook_token,
        report_url,
        validity,
        home: env.home,
        name,
    })
}
