//! The section of a Telnyx account.

use std::path::PathBuf;

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::SecretString;
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section};

use super::{ProviderEnv, TelnyxAccount};
use crate::provider::{media, settings::Settings};

/// `[gateway.X.provider.Y]` with `kind = "telnyx"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelnyxConfig {
    /// An API key (v2), `KEY…`.
    #[schemars(with = "Option<String>")]
    pub api_key: Option<SecretString>,
    /// A file that holds it.
    pub api_key_file: Option<PathBuf>,
    /// The account's public key, which Telnyx's calls are verified with: 32 bytes in base64.
    pub public_key: String,
    /// Sends by this messaging profile; default: the one of the number.
    pub messaging_profile_id: Option<String>,
    /// Default: `https://api.telnyx.com`.
    #[serde(default = "base_url")]
    pub base_url: String,
}

fn base_url() -> String {
    "https://api.telnyx.com".to_owned()
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<TelnyxAccount, Vec<ConfigFault>> {
    let config: TelnyxConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    let base_url = settings.base_url("base_url", &config.base_url);
    let file = config.api_key_file.as_deref();
    let api_key = settings.secret("api_key", config.api_key, file);
    if let Some(id) = &config.messaging_profile_id {
        settings.id("messaging_profile_id", id);
    }
    let public_key = BASE64_STANDARD.decode(config.public_key.trim());
    let public_key = public_key.ok().and_then(|bytes| bytes.try_into().ok());
    if public_key.is_none() {
        settings.fault(
            "public_key",
            "is not 32 bytes in base64",
            "copy it from Account settings, Keys & Credentials, Public key",
        );
    }
    settings.built(|| TelnyxAccount {
        http: env.http.clone(),
        base_url,
        api_key,
        public_key: public_key.unwrap_or_default(),
        messaging_profile_id: config.messaging_profile_id,
        webhook_url: env.way_back(None, &name),
        files: media::by_url(env, super::FILES),
        home: env.home,
        name,
    })
}
