//! The section of a Vonage account.

use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section};

use super::{Login, ProviderEnv, VonageAccount};
use crate::provider::{jwt::SigningKey, media, settings::Settings};

/// `[gateway.X.provider.Y]` with `kind = "vonage"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VonageConfig {
    /// The application's id, to sign in with its private key.
    pub application_id: Option<String>,
    /// The application's private key, in PEM.
    #[schemars(with = "Option<String>")]
    pub private_key: Option<SecretString>,
    /// A file that holds it.
    pub private_key_file: Option<PathBuf>,
    /// The account's API key; to sign in with it and `api_secret` where there is no application.
    pub api_key: Option<String>,
    /// Its secret.
    #[schemars(with = "Option<String>")]
    pub api_secret: Option<SecretString>,
    /// A file that holds it.
    pub api_secret_file: Option<PathBuf>,
    /// The account's signature secret: signs Vonage's calls.
    #[schemars(with = "Option<String>")]
    pub signature_secret: Option<SecretString>,
    /// A file that holds it.
    pub signature_secret_file: Option<PathBuf>,
    /// How long Vonage may try, 20s to 7 days; default: what Vonage does.
    pub validity: Option<String>,
    /// Default: `https://api.nexmo.com`.
    #[serde(default = "base_url")]
    pub base_url: String,
}

fn base_url() -> String {
    "https://api.nexmo.com".to_owned()
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<VonageAccount, Vec<ConfigFault>> {
    let mut config: VonageConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    let base_url = settings.base_url("base_url", &config.base_url);
    let file = config.signature_secret_file.take();
    let secret = config.signature_secret.take();
    let signature_secret = settings.secret("signature_secret", secret, file.as_deref());
    let bounds = (Duration::from_secs(20), Duration::from_hours(7 * 24));
    let validity = settings.duration("validity", config.validity.as_deref(), bounds);
    let api_key = config.api_key.clone();
    let login = login(&mut settings, config);
    settings.built_with(login, |login| VonageAccount {
        http: env.http.clone(),
        clock: env.clock.clone(),
        base_url,
        login,
        api_key,
        signature_secret,
        webhook_url: env.way_back(None, &name),
        validity,
        files: media::by_url(env, super::FILES),
        home: env.home,
        name,
    })
}

/// By the application's key, or else by the account's secret.
fn login(settings: &mut Settings<'_>, config: VonageConfig) -> Option<Login> {
    let file = config.private_key_file.as_deref();
    let private_key = settings.optional_secret("private_key", config.private_key, file);
    let file = config.api_secret_file.as_deref();
    let api_secret = settings.optional_secret("api_secret", config.api_secret, file);
    match (
        config.application_id,
        private_key,
        config.api_key,
        api_secret,
    ) {
        (Some(application_id), Some(pem), _, _) => {
            settings.id("application_id", &application_id);
            let key = SigningKey::from_pem(pem.expose_secret());
            if key.is_none() {
                settings.fault(
                    "private_key",
                    "is not an RSA private key in PEM",
                    "give the file that Vonage made with the application, whole",
                );
            }
            Some(Login::Application(application_id, key?))
        }
        (None, None, Some(api_key), Some(secret)) => {
            settings.id("api_key", &api_key);
            Some(Login::Account(api_key, secret))
        }
        _ => {
            settings.fault(
                "application_id",
                "there is no login",
                "give application_id and private_key, or api_key and api_secret",
            );
            None
        }
    }
}
