//! The section of a Bandwidth account.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section, plain_or_text};

use super::{BandwidthAccount, ProviderEnv};
use crate::provider::{
    access_token::{AccessToken, Bearer},
    media,
    settings::Settings,
};

/// `[gateway.X.provider.Y]` with `kind = "bandwidth"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BandwidthConfig {
    /// The account's number.
    pub account_id: String,
    /// The messaging application that the lines belong to.
    pub application_id: String,
    /// The API credential's client id.
    pub client_id: String,
    /// Its client secret.
    #[schemars(with = "Option<String>")]
    pub client_secret: Option<SecretString>,
    /// A file that holds it.
    pub client_secret_file: Option<PathBuf>,
    /// The last part of our webhook's path, for Bandwidth signs nothing.
    #[schemars(with = "Option<String>")]
    pub webhook_token: Option<SecretString>,
    /// A file that holds it.
    pub webhook_token_file: Option<PathBuf>,
    /// The name that Bandwidth's calls sign in with, where the application has callback credentials.
    pub webhook_user: Option<String>,
    /// Its password.
    #[schemars(with = "Option<String>")]
    pub webhook_password: Option<SecretString>,
    /// A file that holds it.
    pub webhook_password_file: Option<PathBuf>,
    /// Whether Bandwidth has turned on delivery reports of MMS. Without them its word "delivered" means that an MMS was sent.
    #[serde(default, deserialize_with = "plain_or_text")]
    pub mms_delivery_reports: bool,
    /// How long Bandwidth may try, 1m to 24h.
    pub validity: Option<String>,
    /// Default: `https://messaging.bandwidth.com`.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// Default: `https://api.bandwidth.com/api/v1/oauth2/token`.
    #[serde(default = "token_url")]
    pub token_url: String,
}

fn base_url() -> String {
    "https://messaging.bandwidth.com".to_owned()
}

fn token_url() -> String {
    "https://api.bandwidth.com/api/v1/oauth2/token".to_owned()
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<BandwidthAccount, Vec<ConfigFault>> {
    let config: BandwidthConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    settings.id("account_id", &config.account_id);
    settings.id("application_id", &config.application_id);
    let base_url = settings.base_url("base_url", &config.base_url);
    let token_url = settings.base_url("token_url", &config.token_url);
    let file = config.client_secret_file.as_deref();
    let client_secret = settings.secret("client_secret", config.client_secret, file);
    let file = config.webhook_token_file.as_deref();
    let webhook_token = settings.webhook_token(config.webhook_token, file);
    let file = config.webhook_password_file.as_deref();
    let password = settings.optional_secret("webhook_password", config.webhook_password, file);
    if config.webhook_user.is_some() != password.is_some() {
        settings.fault(
            "webhook_user",
            "the name and the password of the callbacks belong together",
            "give both or neither",
        );
    }
    let bounds = (Duration::from_mins(1), Duration::from_hours(24));
    let validity = settings.duration("validity", config.validity.as_deref(), bounds);
    let credentials = (config.client_id, client_secret);
    settings.built(|| BandwidthAccount {
        access: Bearer::Granted(Box::new(AccessToken::new(
            env.http.clone(),
            env.clock.clone(),
            token_url,
            credentials,
        ))),
        http: env.http.clone(),
        clock: env.clock.clone(),
        messages_url: format!("{base_url}/api/v2/users/{}/messages", config.account_id),
        base_url,
        application_id: config.application_id,
        webhook_token,
        webhook_login: config.webhook_user.zip(password),
        mms_delivery_reports: config.mms_delivery_reports,
        reached: env.public_url.is_some(),
        validity,
        files: media::by_url(env, super::FILES),
        home: env.home,
        name,
    })
}
