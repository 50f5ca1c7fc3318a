//! The section of a Twilio account.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section, plain_or_text};

use super::{ProviderEnv, Secrets, TwilioAccount};
use crate::provider::{media, settings::Settings};

/// What accounts are said to be allowed without asking for more.
const WINDOW_MAX: u16 = 100;

/// `[gateway.X.provider.Y]` with `kind = "twilio"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TwilioConfig {
    /// The account's SID, `AC…`.
    pub account_sid: String,
    /// The account's Auth Token: signs us in, and signs Twilio's calls.
    #[schemars(with = "Option<String>")]
    pub auth_token: Option<SecretString>,
    /// A file that holds it.
    pub auth_token_file: Option<PathBuf>,
    /// The id of the shared key, for accounts whose webhooks are signed with HMAC-SHA-256.
    pub shared_key_id: Option<String>,
    /// The secret of that shared key.
    #[schemars(with = "Option<String>")]
    pub shared_key_secret: Option<SecretString>,
    /// A file that holds it.
    pub shared_key_secret_file: Option<PathBuf>,
    /// Sends through this Messaging Service, `MG…`; its pool must hold the lines.
    pub messaging_service_sid: Option<String>,
    /// How long Twilio may try, at most 10h, which is its default: `4h`.
    pub validity: Option<String>,
    /// Messages that may wait for Twilio's answer at once, 1 to 100. Default: 10.
    #[serde(default = "window", deserialize_with = "plain_or_text")]
    pub window: u16,
    /// Default: `https://api.twilio.com`.
    #[serde(default = "base_url")]
    pub base_url: String,
}

fn base_url() -> String {
    "https://api.twilio.com".to_owned()
}

fn window() -> u16 {
    10
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<TwilioAccount, Vec<ConfigFault>> {
    let config: TwilioConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    check_sid(&mut settings, "account_sid", "AC", &config.account_sid);
    if let Some(sid) = &config.messaging_service_sid {
        check_sid(&mut settings, "messaging_service_sid", "MG", sid);
    }
    let base = settings.base_url("base_url", &config.base_url);
    let bounds = (Duration::from_secs(1), Duration::from_hours(10));
    let validity = settings.duration("validity", config.validity.as_deref(), bounds);
    if !(1..=WINDOW_MAX).contains(&config.window) {
        settings.fault(
            "window",
            format!("is not 1 to {WINDOW_MAX}"),
            "write a number between them",
        );
    }
    let (account_sid, window) = (config.account_sid.clone(), config.window);
    let messaging_service_sid = config.messaging_service_sid.clone();
    let secrets = secrets(&mut settings, config);
    settings.built(|| TwilioAccount {
        http: env.http.clone(),
        api: format!("{base}/2010-04-01/Accounts/{account_sid}"),
        account_sid,
        secrets,
        messaging_service_sid,
        validity,
        window,
        webhook_url: env.way_back(None, &name),
        files: media::by_url(env, super::FILES),
        base_url: base,
        home: env.home,
        name,
    })
}

fn secrets(settings: &mut Settings<'_>, config: TwilioConfig) -> Secrets {
    let file = config.auth_token_file.as_deref();
    let auth_token = settings.secret("auth_token", config.auth_token, file);
    let file = config.shared_key_secret_file.as_deref();
    let shared = settings.optional_secret("shared_key_secret", config.shared_key_secret, file);
    let shared_key = match (config.shared_key_id, shared) {
        (Some(id), Some(secret)) => Some((id, secret)),
        (None, None) => None,
        _ => {
            settings.fault(
                "shared_key_id",
                "the id and the secret of the shared key belong together",
                "give both or neither",
            );
            None
        }
    };
    Secrets {
        auth_token,
        shared_key,
    }
}

fn check_sid(settings: &mut Settings<'_>, key: &str, prefix: &str, sid: &str) {
    let is_sid = sid.starts_with(prefix)
        && sid.len() <= 64
        && sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_sid {
        settings.fault(
            key,
            format!("is not a SID: {prefix} and 32 hexadecimal digits"),
            "copy it from the Twilio console",
        );
    }
}
