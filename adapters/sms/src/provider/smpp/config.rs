//! The section of an SMPP account.

use std::{num::NonZeroU16, path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use transom_adapter::{
    AccountName, ConfigFault, Section, client_config, optional_plain_or_text, plain_or_text,
};
use transom_smpp::{Bind, Endpoint, Login, Version};
use url::Url;

use super::{
    account::{Settled, SmppAccount},
    address::Kinds,
    text::{Alphabet, Long},
};
use crate::provider::{ProviderEnv, settings::Settings};

/// `[gateway.X.provider.Y]` with `kind = "smpp"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmppConfig {
    /// Where the SMSC listens: `smpp://smsc.example.com:2775`, with TLS `smpps://smsc.example.com:3550`.
    pub url: String,
    /// The login's name, at most 15 characters.
    pub system_id: String,
    /// Its password.
    #[schemars(with = "Option<String>")]
    pub password: Option<SecretString>,
    /// A file that holds it.
    pub password_file: Option<PathBuf>,
    /// `system_type`, where the SMSC wants one.
    #[serde(default)]
    pub system_type: String,
    /// `address_range`, where the SMSC wants one.
    #[serde(default)]
    pub address_range: String,
    /// `service_type`, where the SMSC wants one.
    #[serde(default)]
    pub service_type: String,
    /// One connection for both directions, or a pair. Default: `transceiver`.
    #[serde(default)]
    pub bind: BindKind,
    /// The protocol's version that is told to the SMSC, `3.4` or `5.0`. Default: `3.4`.
    #[serde(default = "version")]
    pub version: String,
    /// What `data_coding` 0 means to the SMSC. Default: `gsm`, one septet an octet.
    #[serde(default)]
    pub alphabet: Alphabet,
    /// How long texts are sent. Default: `udh`.
    #[serde(default)]
    pub long: Long,
    /// Messages that may wait for their answer at once, 1 to 1000. Default: 10.
    #[serde(default = "window", deserialize_with = "plain_or_text")]
    pub window: u16,
    /// Messages a second, 1 to 1000. Default: as many as the SMSC answers.
    #[serde(default, deserialize_with = "optional_plain_or_text")]
    #[schemars(with = "Option<u16>")]
    pub per_second: Option<u16>,
    /// Longer texts are refused: parts, 1 to 255. Default: 10.
    #[serde(default = "max_parts", deserialize_with = "plain_or_text")]
    pub max_parts: u16,
    /// How long the network may try, from a minute to 63 days; default: what the network does.
    pub validity: Option<String>,
    /// How long an answer of the SMSC may take. Default: 30s.
    pub response_timeout: Option<String>,
    /// After so long without a word from the SMSC it is asked whether it is there. Default: 30s.
    pub enquire_link: Option<String>,
    /// `source_addr_ton` for all senders. Default: 1 for numbers, 3 for short codes, 5 for names.
    #[serde(default, deserialize_with = "optional_plain_or_text")]
    #[schemars(with = "Option<u16>")]
    pub source_ton: Option<u16>,
    /// `source_addr_npi` for all senders. Default: 1 for numbers, else 0.
    #[serde(default, deserialize_with = "optional_plain_or_text")]
    #[schemars(with = "Option<u16>")]
    pub source_npi: Option<u16>,
    /// `dest_addr_ton` for all recipients. Default: as for senders.
    #[serde(default, deserialize_with = "optional_plain_or_text")]
    #[schemars(with = "Option<u16>")]
    pub dest_ton: Option<u16>,
    /// `dest_addr_npi` for all recipients. Default: as for senders.
    #[serde(default, deserialize_with = "optional_plain_or_text")]
    #[schemars(with = "Option<u16>")]
    pub dest_npi: Option<u16>,
}

/// How the connections are bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BindKind {
    /// One connection for both directions.
    #[default]
    Transceiver,
    /// A transmitter and a receiver.
    Pair,
    /// A transmitter alone: nothing comes in, receipts neither.
    Transmitter,
}

fn version() -> String {
    "3.4".to_owned()
}

fn window() -> u16 {
    10
}

fn max_parts() -> u16 {
    10
}

const RESPONSE: Duration = Duration::from_secs(30);
const ENQUIRE: Duration = Duration::from_secs(30);

impl BindKind {
    /// Its connections.
    pub(super) fn binds(self) -> &'static [Bind] {
        match self {
            Self::Transceiver => &[Bind::Transceiver],
            Self::Pair => &[Bind::Transmitter, Bind::Receiver],
            Self::Transmitter => &[Bind::Transmitter],
        }
    }
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<SmppAccount, Vec<ConfigFault>> {
    let config: SmppConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    check_bounds(&config, &mut settings);
    let endpoint = endpoint(&config.url, &mut settings);
    let password = settings.secret("password", config.password, config.password_file.as_deref());
    let mut octet = |key: &str, value| octet(key, value, &mut settings);
    let source = (
        octet("source_ton", config.source_ton),
        octet("source_npi", config.source_npi),
    );
    let destination = (
        octet("dest_ton", config.dest_ton),
        octet("dest_npi", config.dest_npi),
    );
    let version = interface(&config.version, &mut settings);
    let day = Duration::from_hours(24);
    let validity = (Duration::from_mins(1), 63 * day);
    let validity = settings.duration("validity", config.validity.as_deref(), validity);
    let seconds = (Duration::from_secs(1), Duration::from_mins(5));
    let response = settings.duration(
        "response_timeout",
        config.response_timeout.as_deref(),
        seconds,
    );
    let enquire = settings.duration("enquire_link", config.enquire_link.as_deref(), seconds);
    let login = Login {
        // Which of them, each connection knows.
        bind: Bind::Transceiver,
        version,
        system_id: config.system_id,
        password,
        system_type: config.system_type,
        address_range: config.address_range,
    };
    settings.built(|| {
        SmppAccount::new(Settled {
            name,
            endpoint,
            login,
            bind: config.bind,
            alphabet: config.alphabet,
            long: config.long,
            window: config.window,
            per_second: config.per_second.and_then(NonZeroU16::new),
            service_type: config.service_type,
            validity,
            response: response.unwrap_or(RESPONSE),
            enquire: enquire.unwrap_or(ENQUIRE),
            source: Kinds::of(source),
            destination: Kinds::of(destination),
            home: env.home,
            clock: Arc::clone(&env.clock),
        })
    })
}

fn check_bounds(config: &SmppConfig, settings: &mut Settings<'_>) {
    // 3.4 §4.1.1; longer passwords are in use.
    for (key, value, max) in [
        ("system_id", &config.system_id, 15),
        ("system_type", &config.system_type, 12),
    ] {
        if value.len() > max || !value.is_ascii() {
            settings.fault(
                key,
                format!("has more than {max} characters, or others than ASCII"),
                "write what the SMSC's operator gave you",
            );
        }
    }
    for (key, value, max) in [
        ("window", Some(config.window), 1_000),
        ("per_second", config.per_second, 1_000),
        ("max_parts", Some(config.max_parts), 255),
    ] {
        if value.is_some_and(|value| !(1..=max).contains(&value)) {
            settings.fault(
                key,
                format!("is not 1 to {max}"),
                "write a number between them",
            );
        }
    }
}

/// 3.4 §5.2.5, §5.2.6
fn octet(key: &str, value: Option<u16>, settings: &mut Settings<'_>) -> Option<u8> {
    let read = value.map(|value| u8::try_from(value).ok().filter(|value| *value <= 18));
    if read == Some(None) {
        settings.fault(
            key,
            "is not 0 to 18",
            "write what the SMSC's operator gave you",
        );
    }
    read.flatten()
}

fn interface(version: &str, settings: &mut Settings<'_>) -> Version {
    match version {
        "3.4" => Version::V3_4,
        "5.0" => Version::V5_0,
        _ => {
            settings.fault(
                "version",
                "is neither 3.4 nor 5.0",
                "write \"3.4\" unless the SMSC's operator says otherwise",
            );
            Version::V3_4
        }
    }
}

fn endpoint(text: &str, settings: &mut Settings<'_>) -> Endpoint {
    let url = Url::parse(text).ok();
    let is_known = |url: &Url| {
        matches!(url.scheme(), "smpp" | "smpps")
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
    };
    let url = url.filter(is_known);
    let place = url
        .as_ref()
        .and_then(|url| Some((url.host_str()?.to_owned(), url.port()?)));
    let Some((host, port)) = place else {
        settings.fault(
            "url",
            "is no URL of an SMSC",
            "write it like smpp://smsc.example.com:2775, or smpps:// for TLS, with the port",
        );
        return Endpoint {
            host: String::new(),
            port: 0,
            tls: None,
        };
    };
    let with_tls = url.is_some_and(|url| url.scheme() == "smpps");
    let tls = with_tls
        .then(client_config)
        .transpose()
        .unwrap_or_else(|error| {
            settings.fault(
                "url",
                format!("TLS cannot be used: {error}"),
                "install the package ca-certificates",
            );
            None
        });
    // An IPv6 address stands in brackets in an URL alone.
    let host = host.trim_matches(['[', ']']).to_owned();
    Endpoint { host, port, tls }
}
