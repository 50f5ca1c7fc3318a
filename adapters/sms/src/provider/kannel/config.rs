//! The section of a Kannel account.

use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section, plain_or_text};

use super::{KannelAccount, ProviderEnv};
use crate::provider::settings::Settings;

/// `[gateway.X.provider.Y]` with `kind = "kannel"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KannelConfig {
    /// Where the smsbox listens: `http://127.0.0.1:13013`.
    pub base_url: String,
    /// `username` of the `sendsms-user`.
    pub username: String,
    /// Its `password`.
    #[schemars(with = "Option<String>")]
    pub password: Option<SecretString>,
    /// A file that holds it.
    pub password_file: Option<PathBuf>,
    /// The last part of our webhook's path, which stands in for a signature: at least 16 letters, digits, hyphens, underscores.
    #[schemars(with = "Option<String>")]
    pub webhook_token: Option<SecretString>,
    /// A file that holds it.
    pub webhook_token_file: Option<PathBuf>,
    /// Where Kannel reaches us, when it is not `http.public_url`: `http://127.0.0.1:8480`.
    pub callback_url: Option<String>,
    /// Sends through the SMSC with this `smsc-id`.
    pub smsc: Option<String>,
    /// `max-messages` of the `sendsms-user`, 1 to 255: longer texts are refused, for Kannel would cut them. Default: 10.
    #[serde(default = "max_messages", deserialize_with = "plain_or_text")]
    pub max_messages: u16,
    /// How long the network may try, in whole minutes up to 63 weeks; default: what the network does.
    pub validity: Option<String>,
}

fn max_messages() -> u16 {
    10
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<KannelAccount, Vec<ConfigFault>> {
    let config: KannelConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    let base = settings.base_url("base_url", &config.base_url);
    let callback = config.callback_url.as_deref();
    let callback = callback.and_then(|text| settings.url("callback_url", text));
    let bounds = (Duration::from_mins(1), Duration::from_hours(63 * 7 * 24));
    let validity = settings.duration("validity", config.validity.as_deref(), bounds);
    let file = config.password_file.as_deref();
    let password = settings.secret("password", config.password, file);
    let file = config.webhook_token_file.as_deref();
    let token = settings.webhook_token(config.webhook_token, file);
    settings.header_value("username", &config.username);
    settings.header_value("password", password.expose_secret());
    settings.header_value("smsc", config.smsc.as_deref().unwrap_or_default());
    if !(1..=255).contains(&config.max_messages) {
        settings.fault(
            "max_messages",
            "is not 1 to 255",
            "write what kannel.conf has",
        );
    }
    let report_url = env.secret_way_back(callback.as_ref(), &name, &token);
    settings.built(|| KannelAccount {
        http: env.http.clone(),
        sendsms_url: format!("{base}/cgi-bin/sendsms"),
        username: config.username,
        password,
        webhook_token: token,
        report_url,
        smsc: config.smsc,
        validity,
        home: env.home,
        name,
    })
}
