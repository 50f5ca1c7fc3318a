//! The adapter's part of the configuration, `[gateway.NAME]` with its tables.

mod listen;
mod own;
mod raw;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use secrecy::SecretString;
use serde_json::Value;
use transom_adapter::{Address, ConfigFault, Section};

use raw::{RawConfig, RawDkim, RawImap, RawSmtp};

pub(crate) use listen::{Listen, LmtpConfig};
pub(crate) use own::OwnConfig;

use crate::{
    address,
    dkim::Dkim,
    net::{Endpoint, Security},
    oauth::Tokens,
};

/// The JSON Schema of what this adapter reads of `[gateway.NAME]`; what it refers to goes into the generator.
pub fn schema(generator: &mut SchemaGenerator) -> Schema {
    RawConfig::json_schema(generator)
}

/// What the file says, checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) address_domain: String,
    pub(crate) home: Option<String>,
    pub(crate) trusted_servers: Vec<String>,
    pub(crate) postmaster: Option<Address>,
    /// The name server that `check --live` asks; `None`: the system's.
    pub(crate) resolver: Option<SocketAddr>,
    pub(crate) smtp: Option<SmtpConfig>,
    pub(crate) imap: Option<ImapConfig>,
    pub(crate) lmtp: Option<LmtpConfig>,
    pub(crate) smtp_in: Option<LmtpConfig>,
    pub(crate) dkim: Option<Dkim>,
    pub(crate) own: OwnConfig,
    pub(crate) writing: Writing,
}

/// What the configuration adds to every mail.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writing {
    /// Below every text, behind the separator of RFC 3676 §4.3.
    pub(crate) signature: Option<String>,
    /// The subject of a thread that has none; without it the text's first words.
    pub(crate) subject: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct SmtpConfig {
    pub(crate) endpoint: Endpoint,
    pub(crate) login: Option<Login>,
}

#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: SecretString,
    /// A provider's tokens instead of the password.
    pub(crate) tokens: Option<Arc<Tokens>>,
}

#[derive(Clone, Debug)]
pub(crate) struct ImapConfig {
    pub(crate) endpoint: Endpoint,
    pub(crate) login: Login,
    pub(crate) mailbox: String,
    pub(crate) whose: Whose,
    /// How many days back the first run looks.
    pub(crate) since_days: u16,
    /// How often the owner's folder of sent mail is looked at; zero: never.
    pub(crate) sent_every: Duration,
    /// IDLE without a byte for so long may be deaf, and its connection gone.
    pub(crate) silence: Duration,
}

/// Dovecot says "Still here" every two minutes; many firewalls forget a connection after five or more.
const SILENCE_SECONDS: u32 = 300;
/// RFC 2177 §3: servers end IDLE after half an hour.
const SILENCE_SECONDS_MAX: u32 = 1500;
/// What holds where nobody says otherwise.
pub(crate) const SILENCE: Duration = Duration::from_secs(SILENCE_SECONDS as u64);

/// Whom a mail in a mailbox is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    /// Whoever this header names. semantics 29
    Recipients {
        header: String,
        /// Whether To and Cc are looked at where it is missing.
        fallback: bool,
    },
    /// The mailbox's owner, whatever the headers say.
    Owner(Address),
}

impl Config {
    /// Reads and checks the section.
    ///
    /// # Errors
    ///
    /// Every fault that can be found at once.
    pub(crate) fn from_section(section: &Section) -> Result<Self, Vec<ConfigFault>> {
        let mut faults = Vec::new();
        let raw = take(&mut faults, section.read::<RawConfig>());
        let address_domain = raw
            .as_ref()
            .and_then(|raw| take(&mut faults, address_domain(section, &raw.address_domain)));
        // The tables are looked at although something beside them is wrong.
        let part = |name: &str| {
            let table = section.table.get(name);
            table
                .is_some_and(Value::is_object)
                .then(|| section.section(name))
        };
        let own = OwnConfig::read(&section.section("own"), &mut faults);
        let dkim = part("dkim").and_then(|section| {
            let domain = address_domain.clone().unwrap_or_default();
            take(&mut faults, read_dkim(&section, domain))
        });
        let smtp_in =
            part("smtp_in").and_then(|section| take(&mut faults, LmtpConfig::read_smtp(&section)));
        let smtp = part("smtp").and_then(|section| SmtpConfig::read(&section, &mut faults));
        let imap = part("imap").and_then(|section| ImapConfig::read(&section, &mut faults));
        let lmtp = part("lmtp").and_then(|section| take(&mut faults, LmtpConfig::read(&section)));
        let Some(raw) = raw else {
            return Err(faults);
        };
        let postmaster = raw.postmaster.as_deref().and_then(|text| {
            let domain = address_domain.as_deref().unwrap_or_default();
            take(&mut faults, postmaster(section, text, domain))
        });
        let resolver = raw.resolver.as_deref().and_then(|text| {
            let alone = || text.parse::<IpAddr>().map(|address| (address, 53).into());
            let parsed: Result<SocketAddr, _> = text.parse().or_else(|_| alone());
            let remedy = "write one like 192.0.2.53 or 127.0.0.1:5353";
            let fault = |_| section.fault("resolver", format!("{text:?} is no address"), remedy);
            take(&mut faults, parsed.map_err(fault))
        });
        let receives = raw.imap.is_some() || raw.lmtp.is_some() || raw.smtp_in.is_some();
        if raw.smtp.is_none() && !receives && raw.own.is_none() {
            faults.push(section.fault(
                "",
                "has none of the tables smtp, imap, lmtp, smtp_in and own",
                "add smtp to send and imap, lmtp or smtp_in to receive, or own for accounts of users",
            ));
        }
        match address_domain.zip(own) {
            Some((address_domain, own)) if faults.is_empty() => Ok(Self {
                own,
                address_domain,
                home: raw.home.map(|home| home.to_lowercase()),
                postmaster,
                resolver,
                trusted_servers: raw.trusted_authserv_id.into_vec(),
                smtp,
                imap,
                lmtp,
                smtp_in,
                dkim,
                writing: Writing {
                    signature: raw.signature,
                    subject: raw.default_subject,
                },
            }),
            _ => Err(faults),
        }
    }
}

fn take<T>(faults: &mut Vec<ConfigFault>, result: Result<T, ConfigFault>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}

fn address_domain(section: &Section, text: &str) -> Result<String, ConfigFault> {
    address::canonical_domain(text).ok_or_else(|| {
        section.fault(
            "address_domain",
            format!("{text:?} is not a domain"),
            "write one like mail.example.org",
        )
    })
}

/// One that can be a user's: at our domain, and none of those that it stands for.
fn postmaster(section: &Section, text: &str, domain: &str) -> Result<Address, ConfigFault> {
    let address = address::canonical(text).filter(|address| {
        let (local, of) = address.as_str().rsplit_once('@').unwrap_or_default();
        of == domain && !matches!(local, "postmaster" | "abuse") && !local.contains('+')
    });
    address.ok_or_else(|| {
        let problem = format!("{text:?} is no address of a user here");
        let remedy = format!("write one like alice@{domain}");
        section.fault("postmaster", problem, remedy)
    })
}

impl SmtpConfig {
    fn read(section: &Section, faults: &mut Vec<ConfigFault>) -> Option<Self> {
        let raw: RawSmtp = take(faults, section.read())?;
        let endpoint = endpoint(section, &raw.url, ("smtp", 587), ("smtps", 465));
        let endpoint = take(faults, endpoint);
        let file = raw.password_file.as_deref();
        let password = take(faults, section.secret("password", raw.password, file));
        let login = match (raw.username, password?) {
            (None, None) => None,
            (Some(username), Some(password)) => Some(Login {
                username,
                password,
                tokens: None,
            }),
            (None, Some(_)) => {
                let problem = "missing beside password";
                faults.push(section.fault("username", problem, "add it, or remove the password"));
                None
            }
            (Some(_), None) => {
                let problem = "missing beside username";
                faults.push(section.fault("password", problem, "add it, or remove the username"));
                None
            }
        };
        Some(Self {
            endpoint: endpoint?,
            login,
        })
    }
}

impl ImapConfig {
    fn read(section: &Section, faults: &mut Vec<ConfigFault>) -> Option<Self> {
        let raw: RawImap = take(faults, section.read())?;
        let endpoint = endpoint(section, &raw.url, ("imap", 143), ("imaps", 993));
        let endpoint = take(faults, endpoint);
        let is_opportunistic = |endpoint: &Endpoint| endpoint.security == Security::Opportunistic;
        if endpoint.as_ref().is_some_and(is_opportunistic) {
            let problem =
                "tls=opportunistic would send the password in the clear where TLS is missing";
            faults.push(section.fault("url", problem, "write tls=required or tls=none"));
        }
        let file = raw.password_file.as_deref();
        let password = section.secret("password", raw.password, file);
        let missing = || section.fault("password", "missing", "add it or password_file");
        let password = password.and_then(|password| password.ok_or_else(missing));
        let password = take(faults, password);
        let header = raw
            .recipient_header
            .unwrap_or_else(|| "Delivered-To".to_owned());
        // RFC 5322 §2.2
        let is_name = |byte: u8| (33..=126).contains(&byte) && byte != b':';
        if header.is_empty() || !header.bytes().all(is_name) {
            let problem = format!("{header:?} is not the name of a header");
            let remedy = "write one like Delivered-To, without the colon";
            faults.push(section.fault("recipient_header", problem, remedy));
        }
        let mailbox = raw.mailbox.unwrap_or_else(|| "INBOX".to_owned());
        if mailbox.is_empty() || mailbox.chars().any(char::is_control) {
            let problem = format!("{mailbox:?} is not the name of a mailbox");
            faults.push(section.fault("mailbox", problem, "write one like INBOX"));
        }
        let since_days = match raw.since.as_deref().unwrap_or("now") {
            "now" => Some(0),
            days => days.strip_suffix('d').and_then(|days| days.parse().ok()),
        };
        let since_days = since_days.filter(|days| *days <= 3650).ok_or_else(|| {
            let problem = "is neither now nor a number of days up to 3650";
            section.fault("since", problem, "write now, or days like 7d")
        });
        let since_days = take(faults, since_days);
        let silence = raw.silence_seconds.unwrap_or(SILENCE_SECONDS);
        if !(1..=SILENCE_SECONDS_MAX).contains(&silence) {
            let problem = format!("{silence} is not between 1 and {SILENCE_SECONDS_MAX}");
            faults.push(section.fault("silence_seconds", problem, "write one like 300"));
        }
        Some(Self {
            since_days: since_days?,
            sent_every: Duration::ZERO,
            silence: Duration::from_secs(silence.into()),
            endpoint: endpoint?,
            login: Login {
                username: raw.username,
                password: password?,
                tokens: None,
            },
            mailbox,
            whose: Whose::Recipients {
                header,
                fallback: raw.recipient_fallback,
            },
        })
    }
}

fn read_dkim(section: &Section, domain: String) -> Result<Dkim, ConfigFault> {
    let raw: RawDkim = section.read()?;
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !raw.selector.split('.').all(is_label) {
        let problem = format!("{:?} is no name in DNS", raw.selector);
        return Err(section.fault("selector", problem, "write one like transom"));
    }
    let path = section.base_dir.join(raw.key_file);
    let pem = std::fs::read(&path).map_err(|error| {
        let problem = format!("{} cannot be read: {error}", path.display());
        section.fault(
            "key_file",
            problem,
            "make one: openssl genrsa -out dkim.pem 2048",
        )
    })?;
    Dkim::new(domain, raw.selector, &pem).map_err(|error| {
        let problem = format!("{} {error}", path.display());
        section.fault(
            "key_file",
            problem,
            "make one: openssl genrsa -out dkim.pem 2048",
        )
    })
}

fn endpoint(
    section: &Section,
    url: &str,
    plain: (&str, u16),
    implicit: (&str, u16),
) -> Result<Endpoint, ConfigFault> {
    Endpoint::parse(url, plain, implicit).map_err(|problem| {
        let remedy = format!("write one like {}://host:{}", implicit.0, implicit.1);
        section.fault("url", problem, remedy)
    })
}

#[cfg(test)]
pub(crate) mod tests;
