//! The section of a phone.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section};

use super::{AndroidAccount, ProviderEnv};
use crate::{Number, provider::settings::Settings};

/// `[gateway.X.provider.Y]` with `kind = "android"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AndroidConfig {
    /// Where the gateway listens: `http://192.168.1.20:8080` for a phone at home, `https://sms.example.org/api/3rdparty/v1` for a private
    /// server. Default: the project's cloud.
    #[serde(default = "cloud")]
    pub base_url: String,
    /// The user name that the app shows.
    pub username: String,
    /// Its password.
    #[schemars(with = "Option<String>")]
    pub password: Option<SecretString>,
    /// A file that holds it.
    pub password_file: Option<PathBuf>,
    /// The signing key that the app shows under its webhook settings.
    #[schemars(with = "Option<String>")]
    pub signing_key: Option<SecretString>,
    /// A file that holds it.
    pub signing_key_file: Option<PathBuf>,
    /// Our numbers, in the order of their SIM cards; each is a line.
    pub sims: Vec<String>,
    /// The one phone that sends, out of several of one user: its device id.
    pub device: Option<String>,
    /// How long the phone may try, 5s to 30 days; default: what the app has.
    pub validity: Option<String>,
    /// Where the phone reaches us, when it is not `http.public_url`.
    pub callback_url: Option<String>,
}

fn cloud() -> String {
    "https://api.sms-gate.app/3rdparty/v1".to_owned()
}

/// A phone with more slots is not known.
const SIMS_MAX: usize = 3;

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<AndroidAccount, Vec<ConfigFault>> {
    let config: AndroidConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    let base_url = settings.base_url("base_url", &config.base_url);
    let callback = config.callback_url.as_deref();
    let callback = callback.and_then(|text| settings.url("callback_url", text));
    let file = config.password_file.as_deref();
    let password = settings.secret("password", config.password, file);
    let file = config.signing_key_file.as_deref();
    let signing_key = settings.secret("signing_key", config.signing_key, file);
    settings.header_value("username", &config.username);
    if let Some(device) = &config.device {
        settings.id("device", device);
    }
    let bounds = (Duration::from_secs(5), Duration::from_hours(30 * 24));
    let validity = settings.duration("validity", config.validity.as_deref(), bounds);
    let is_number = |sim: &String| matches!(Number::parse(sim, env.home), Some(Number::E164(_)));
    if !(1..=SIMS_MAX).contains(&config.sims.len()) || !config.sims.iter().all(is_number) {
        settings.fault(
            "sims",
            "is not one to three numbers with their plus signs",
            "write the number of each SIM card, as in [\"+12025550100\"]",
        );
    }
    let webhook_url = env.way_back(callback.as_ref(), &name);
    settings.built(|| AndroidAccount {
        http: env.http.clone(),
        base_url,
        username: config.username,
        password,
        signing_key,
        webhook_url,
        device: config.device,
        sims: config.sims,
        validity,
        home: env.home,
        name,
    })
}
