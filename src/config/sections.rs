//! The checked sections that every gateway shares.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use jid::BareJid;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    access::AccessList,
    address::{ServerAddress, StoreUrl},
    faults::Collector,
    humane::{HumaneDuration, HumaneSize},
    raw::{LogFormat, LogLevel, OneOrMany, RawFiles, RawHttp, RawKeep, RawStore, RawXmpp},
};

const DAY: Duration = Duration::from_hours(24);

/// `[store]`: where the state is kept.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The database.
    pub url: StoreUrl,
    /// Whether `transom run` applies migrations.
    pub migrate: bool,
    /// The file of the keys that users' logins are sealed with.
    pub key_file: Option<PathBuf>,
}

/// `[xmpp]`: the server and who may use the gateways.
#[derive(Clone, Debug)]
pub struct XmppConfig {
    /// The server's component port.
    pub server: ServerAddress,
    /// Who may use the gateways; each gateway may narrow it.
    pub allow: AccessList,
    /// Who is told when something is wrong, and who may use the admin commands.
    pub admins: Vec<BareJid>,
}

/// What lets somebody into the operator's page must not be guessed.
const ADMIN_TOKEN_CHARS_MIN: usize = 20;

/// `[http]`: the one HTTP listener.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What providers and people see; without it there are no webhooks and no links to files.
    pub public_url: Option<Url>,
    /// Signs in to the operator's page; without it only links do.
    pub admin_token: Option<SecretString>,
    /// The proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
}

/// `[keep]`: how long things are kept. Zero: not at all, once it is done with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeepConfig {
    /// The text of messages that are done with.
    pub bodies: Duration,
    /// The record that there was a message.
    pub records: Duration,
    /// Attachments.
    pub files: Duration,
}

/// `[files]`: attachments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilesConfig {
    /// The folder they are kept in.
    pub directory: PathBuf,
    /// The largest attachment.
    pub size_bytes_max: u64,
    /// All attachments together.
    pub quota_bytes: u64,
    /// Hosts that files are fetched from although they are private or without TLS, as `host` or `host:port`.
    pub allow_hosts: Vec<String>,
}

/// `[log]`: the log on standard error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// The least that is logged.
    pub level: LogLevel,
}

impl StoreConfig {
    pub(super) fn check(raw: &RawStore, base: &Path, faults: &mut Collector) -> Self {
        let written = raw
            .url
            .as_ref()
            .map_or("sqlite://transom.db", |url| url.expose_secret());
        let url = StoreUrl::parse(written, base).unwrap_or_else(|error| {
            faults.error(
                "store.url",
                error.to_string(),
                "write sqlite://transom.db or postgres://user:password@host/database",
            );
            StoreUrl::Sqlite(base.join("transom.db"))
        });
        Self {
            url,
            migrate: raw.migrate.unwrap_or(true),
            key_file: raw.key_file.as_deref().map(|file| base.join(file)),
        }
    }
}

impl XmppConfig {
    pub(super) fn check(raw: RawXmpp, faults: &mut Collector) -> Self {
        let server = raw
            .server
            .and_then(|text| server(&text, "xmpp.server", faults));
        let allow = bare_jids(raw.allow, "xmpp.allow", faults);
        if allow.is_empty() {
            faults.warning(
                "xmpp.allow",
                "nobody may use the gateways",
                "list the domains or bare JIDs that may, for example [\"example.org\"]",
            );
        }
        let admins = people(raw.admins, "xmpp.admins", faults);
        Self {
            server: server.unwrap_or_else(ServerAddress::prosody_default),
            allow: AccessList::new(allow),
            admins,
        }
    }
}

impl HttpConfig {
    pub(super) fn check(raw: RawHttp, faults: &mut Collector) -> Self {
        let listen = raw.listen.and_then(|text| {
            let parsed = text.parse().ok();
            if parsed.is_none() {
                faults.error(
                    "http.listen",
                    format!("{text:?} is not an address with a port"),
                    "write 127.0.0.1:8480, or [::]:8480 for every interface",
                );
            }
            parsed
        });
        if let Some(token) = &raw.admin_token
            && token.expose_secret().chars().count() < ADMIN_TOKEN_CHARS_MIN
        {
            faults.error(
                "http.admin_token",
                format!("shorter than {ADMIN_TOKEN_CHARS_MIN} characters; it could be guessed"),
                "write a long random one, as `openssl rand -hex 24` makes it, or leave it out and use `transom admin-link`",
            );
        }
        Self {
            admin_token: raw.admin_token,
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8480))),
            public_url: raw.public_url.and_then(|text| public_url(&text, faults)),
            trusted_proxies: networks(raw.trusted_proxies, faults),
        }
    }
}

impl KeepConfig {
    pub(super) fn check(raw: &RawKeep, faults: &mut Collector) -> Self {
        let keep = Self {
            bodies: duration(raw.bodies, 14 * DAY),
            records: duration(raw.records, 90 * DAY),
            files: duration(raw.files, 30 * DAY),
        };
        if keep.records < keep.bodies {
            faults.error(
                "keep.records",
                "shorter than keep.bodies; a text cannot outlive its record",
                "raise keep.records or lower keep.bodies",
            );
        }
        keep
    }
}

impl FilesConfig {
    pub(super) fn check(raw: &RawFiles, base: &Path, faults: &mut Collector) -> Self {
        let size = |written: Option<HumaneSize>, default| written.map_or(default, |size| size.0);
        let files = Self {
            directory: base.join(raw.directory.as_deref().unwrap_or("files")),
            size_bytes_max: size(raw.max_size, 20 << 20),
            quota_bytes: size(raw.quota, 5 << 30),
            allow_hosts: hosts(raw.allow_hosts.as_ref(), faults),
        };
        if files.quota_bytes < files.size_bytes_max {
            faults.error(
                "files.quota",
                "smaller than files.max_size; the largest file would not fit",
                "raise files.quota or lower files.max_size",
            );
        }
        files
    }
}

/// Hosts with or without a port: no URLs, no patterns.
fn hosts(list: Option<&OneOrMany>, faults: &mut Collector) -> Vec<String> {
    let texts = list.map_or(&[][..], |list| list.0.as_slice());
    for (index, text) in texts.iter().enumerate() {
        let url = Url::parse(&format!("http://{text}/")).ok();
        let is_host = url.is_some_and(|url| {
            url.path() == "/"
                && url.username().is_empty()
                && url.host_str().is_some_and(|host| text.starts_with(host))
        });
        if !is_host {
            faults.error(
                &format!("files.allow_hosts.{index}"),
                format!("{text:?} is not a host"),
                "write a host as it stands in URLs, with or without a port: upload.example.org or 10.0.0.5:5281",
            );
        }
    }
    texts.to_vec()
}

pub(super) fn duration(written: Option<HumaneDuration>, default: Duration) -> Duration {
    written.map_or(default, |duration| duration.0)
}

/// The server at this key, or a fault.
pub(super) fn server(text: &str, key: &str, faults: &mut Collector) -> Option<ServerAddress> {
    let parsed = text.parse().ok();
    if parsed.is_none() {
        faults.error(
            key,
            format!("{text:?} is not the address of a server"),
            "write host:port, as 127.0.0.1:5347, or tls://host:port",
        );
    }
    parsed
}

/// The good ones of a list of domains and bare JIDs, and a fault for each of the others.
pub(super) fn bare_jids(
    list: Option<OneOrMany>,
    key: &str,
    faults: &mut Collector,
) -> Vec<BareJid> {
    let texts = list.unwrap_or_default().0;
    let numbered = texts.iter().enumerate();
    numbered
        .filter_map(|(index, text)| bare_jid(text, &format!("{key}.{index}"), faults))
        .collect()
}

/// The same for a list of people.
fn people(list: Option<OneOrMany>, key: &str, faults: &mut Collector) -> Vec<BareJid> {
    let texts = list.unwrap_or_default().0;
    let numbered = texts.iter().enumerate();
    numbered
        .filter_map(|(index, text)| person(text, &format!("{key}.{index}"), faults))
        .collect()
}

/// The bare JID of a person at this key, or a fault.
pub(super) fn person(text: &str, key: &str, faults: &mut Collector) -> Option<BareJid> {
    let jid = bare_jid(text, key, faults)?;
    if jid.node().is_none() {
        faults.error(
            key,
            format!("{jid} is a domain, not a person"),
            "write the whole JID, as alice@example.org",
        );
        return None;
    }
    Some(jid)
}

/// The bare JID at this key, or a fault.
fn bare_jid(text: &str, key: &str, faults: &mut Collector) -> Option<BareJid> {
    let parsed = BareJid::new(text).ok();
    if parsed.is_none() {
        faults.error(
            key,
            format!("{text:?} is not a bare JID"),
            "write user@example.org, without a resource",
        );
    }
    parsed
}

fn public_url(text: &str, faults: &mut Collector) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if url.is_none() {
        // Not repeated here: it may hold a password.
        faults.error(
            "http.public_url",
            "not the plain URL of a web server",
            "write it as people see it, without user, query and fragment: https://gw.example.org",
        );
    }
    url
}

fn networks(list: Option<OneOrMany>, faults: &mut Collector) -> Vec<IpNet> {
    let texts = list.unwrap_or_default().0;
    let mut networks = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        match text.parse::<IpNet>().or(address) {
            Ok(network) => networks.push(network),
            Err(_) => faults.error(
                &format!("http.trusted_proxies.{index}"),
                format!("{text:?} is not a network"),
                "write an address or a network, as 10.0.0.0/8",
            ),
        }
    }
    networks
}
