//! The section of an httpSMS account.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section};

use super::{HttpsmsAccount, ProviderEnv};
use crate::{Number, provider::settings::Settings};

/// `[gateway.X.provider.Y]` with `kind = "httpsms"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpsmsConfig {
    /// Default: the project's cloud.
    #[serde(default = "cloud")]
    pub base_url: String,
    /// The API key of the user.
    #[schemars(with = "Option<String>")]
    pub api_key: Option<SecretString>,
    /// A file that holds it.
    pub api_key_file: Option<PathBuf>,
    /// The signing key that was given to the webhook.
    #[schemars(with = "Option<String>")]
    pub signing_key: Option<SecretString>,
    /// A file that holds it.
    pub signing_key_file: Option<PathBuf>,
    /// The last part of our webhook's path: the calls' bodies are not signed. At least 16 letters, digits, hyphens, underscores.
    #[schemars(with = "Option<String>")]
    pub webhook_token: Option<SecretString>,
    /// A file that holds it.
    pub webhook_token_file: Option<PathBuf>,
    /// The numbers of the phones, which are lines.
    pub numbers: Vec<String>,
    /// Where httpSMS reaches us, when it is not `http.public_url`.
    pub callback_url: Option<String>,
}

fn cloud() -> String {
    "https://api.httpsms.com".to_owned()
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<HttpsmsAccount, Vec<ConfigFault>> {
    let config: HttpsmsConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    let base_url = settings.base_url("base_url", &config.base_url);
    let callback = config.callback_url.as_deref();
    let callback = callback.and_then(|text| settings.url("callback_url", text));
    let api_key = settings.secret("api_key", config.api_key, config.api_key_file.as_deref());
    settings.header_value("api_key", api_key.expose_secret());
    let file = config.signing_key_file.as_deref();
    let signing_key = settings.secret("signing_key", config.signing_key, file);
    let file = config.webhook_token_file.as_deref();
    let webhook_token = settings.webhook_token(config.webhook_token, file);
    let is_number = |text: &String| matches!(Number::parse(text, env.home), Some(Number::E164(_)));
    if config.numbers.is_empty() || !config.numbers.iter().all(is_number) {
        settings.fault(
            "numbers",
            "is not a list of numbers with their plus signs",
            "write the number of each phone, as in [\"+12025550100\"]",
        );
    }
    let webhook_url = env.way_back(callback.as_ref(), &name);
    let webhook_url = webhook_url
        .map(|url| SecretString::from(format!("{url}/{}", webhook_token.expose_secret())));
    settings.built(|| HttpsmsAccount {
        http: env.http.clone(),
        base_url,
        api_key,
        signing_key,
        webhook_token,
        webhook_url,
        numbers: config.numbers,
        home: env.home,
        name,
    })
}
