//! The section of a Kannel account.

use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section};

use super::{KannelAccount, ProviderEnv};
use crate::provider::{count, duration, http_url, required_secret};

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
    #[serde(default = "max_messages", deserialize_with = "count")]
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
    let mut faults = Vec::new();
    let faults_ref = &mut faults;
    let base = http_url(section, "base_url", &config.base_url, faults_ref);
    let callback = config.callback_url.as_deref();
    let callback = callback.and_then(|text| http_url(section, "callback_url", text, faults_ref));
    let bounds = (Duration::from_mins(1), Duration::from_hours(63 * 7 * 24));
    let validity = config.validity.as_deref();
    let validity =
        validity.and_then(|text| duration(section, "validity", text, bounds, faults_ref));
    let password = section.secret("password", config.password, config.password_file.as_deref());
    let password = required_secret(section, "password", password, faults_ref);
    let file = config.webhook_token_file.as_deref();
    let token = section.secret("webhook_token", config.webhook_token, file);
    let token_given = !matches!(token, Ok(None) | Err(_));
    let token = required_secret(section, "webhook_token", token, faults_ref);
    if token_given {
        check_token(section, token.expose_secret(), faults_ref);
    }
    check_header(section, "username", &config.username, faults_ref);
    check_header(section, "password", password.expose_secret(), faults_ref);
    check_header(
        section,
        "smsc",
        config.smsc.as_deref().unwrap_or_default(),
        faults_ref,
    );
    if !(1..=255).contains(&config.max_messages) {
        let fault = section.fault(
            "max_messages",
            "is not 1 to 255",
            "write what kannel.conf has",
        );
        faults.push(fault);
    }
    let Some(base) = base.filter(|_| faults.is_empty()) else {
        return Err(faults);
    };
    let webhook = callback.as_ref().or(env.public_url.as_ref());
    let report_url = webhook.map(|url| {
        let webhook = ProviderEnv::webhook_url(url, &name);
        SecretString::from(format!("{webhook}/{}", token.expose_secret()))
    });
    Ok(KannelAccount {
        http: env.http.clone(),
        sendsms_url: format!("{}/cgi-bin/sendsms", base.as_str().trim_end_matches('/')),
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

/// It stands in a path and in Kannel's escapes.
fn check_token(section: &Section, token: &str, faults: &mut Vec<ConfigFault>) {
    const CHARS_MIN: usize = 16;
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if token.len() < CHARS_MIN || !token.bytes().all(safe) {
        faults.push(section.fault(
            "webhook_token",
            format!("is not at least {CHARS_MIN} letters, digits, hyphens and underscores"),
            "make one with: openssl rand -hex 16",
        ));
    }
}

fn check_header(section: &Section, name: &str, value: &str, faults: &mut Vec<ConfigFault>) {
    if value.chars().any(char::is_control) {
        let fault = section.fault(name, "holds a control character", "remove it");
        faults.push(fault);
    }
}
