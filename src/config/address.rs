//! Addresses that the configuration names: the XMPP server's port and the database.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use secrecy::SecretString;
use url::Url;

/// Where the XMPP server takes components: `127.0.0.1:5347`, `[::1]:5347`, `tls://xmpp.example.org:5348`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerAddress {
    /// Whether TLS begins at once. XEP-0114 has no STARTTLS.
    pub tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl ServerAddress {
    /// Where Prosody listens when nothing else is said.
    pub(super) fn prosody_default() -> Self {
        Self {
            tls: false,
            host: "127.0.0.1".to_owned(),
            port: 5347,
        }
    }
}

/// The text names no server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the address of a server")]
pub struct NotAServer;

impl FromStr for ServerAddress {
    type Err = NotAServer;

    fn from_str(text: &str) -> Result<Self, NotAServer> {
        let (tls, rest) = match text.split_once("://") {
            None => (false, text),
            Some(("tcp", rest)) => (false, rest),
            Some(("tls", rest)) => (true, rest),
            Some(_) => return Err(NotAServer),
        };
        let (host, port) = rest.rsplit_once(':').ok_or(NotAServer)?;
        let port = port.parse().map_err(|_| NotAServer)?;
        let host = match host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
        {
            Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => address,
            None if is_host_name(host) => host,
            _ => return Err(NotAServer),
        };
        if port == 0 {
            return Err(NotAServer);
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tls://" } else { "" };
        if self.host.contains(':') {
            write!(f, "{scheme}[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}{}:{}", self.host, self.port)
        }
    }
}

/// Which database keeps the state.
#[derive(Clone, Debug)]
pub enum StoreUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A server; the whole URL, since it may hold a password.
    Postgres(SecretString),
}

/// Why a text names no database.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAStore {
    /// Neither SQLite nor PostgreSQL.
    #[error("not the URL of a database")]
    Unknown,
    /// A database in memory forgets every message at the end of the process.
    #[error("a database in memory would lose every message at a restart")]
    InMemory,
    /// PostgreSQL without a host or a database name.
    #[error("names no PostgreSQL host")]
    NoHost,
}

impl StoreUrl {
    /// Reads a URL; a relative SQLite path starts at `base`.
    ///
    /// # Errors
    ///
    /// [`NotAStore`]; it never repeats the URL, which may hold a password.
    pub fn parse(text: &str, base: &Path) -> Result<Self, NotAStore> {
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            return match path {
                "" => Err(NotAStore::Unknown),
                _ if path.contains(":memory:") || path.contains("mode=memory") => {
                    Err(NotAStore::InMemory)
                }
                _ if path.contains('?') => Err(NotAStore::Unknown),
                _ => Ok(Self::Sqlite(base.join(path))),
            };
        }
        let url = Url::parse(text).map_err(|_| NotAStore::Unknown)?;
        match url.scheme() {
            "postgres" | "postgresql" if url.host_str().is_none_or(str::is_empty) => {
                Err(NotAStore::NoHost)
            }
            "postgres" | "postgresql" => Ok(Self::Postgres(text.into())),
            _ => Err(NotAStore::Unknown),
        }
    }
}

fn is_host_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_read_back() {
        for text in [
            "127.0.0.1:5347",
            "[::1]:5347",
            "tls://xmpp.example.org:5348",
        ] {
            assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "localhost",
            "x:0",
            "x:70000",
            "http://x:1",
            "[x]:1",
            "::1:5347",
            "a b:1",
        ] {
            assert_eq!(text.parse::<ServerAddress>(), Err(NotAServer), "{text}");
        }
    }

    #[test]
    fn databases_are_told_apart() {
        let base = Path::new("/var/lib/transom");
        let parse = |text| match StoreUrl::parse(text, base) {
            Ok(StoreUrl::Sqlite(path)) => path.display().to_string(),
            Ok(StoreUrl::Postgres(_)) => "postgres".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(parse("sqlite://transom.db"), "/var/lib/transom/transom.db");
        assert_eq!(parse("sqlite:transom.db"), "/var/lib/transom/transom.db");
        assert_eq!(parse("sqlite:///srv/t.db"), "/srv/t.db");
        assert_eq!(parse("postgres://t:pw@db/transom"), "postgres");
        assert_eq!(parse("postgres:///transom"), "names no PostgreSQL host");
        assert_eq!(parse("mysql://t:pw@db/x"), "not the URL of a database");
        assert!(parse("sqlite::memory:").contains("in memory"));
    }
}
