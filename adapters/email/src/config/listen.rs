//! Where mail comes in: LMTP, or SMTP from named hosts.

use std::path::PathBuf;

use ipnet::IpNet;
use transom_adapter::{ConfigFault, Section};

use super::raw::{RawLmtp, RawSmtpIn};

#[derive(Clone, Debug)]
pub(crate) struct LmtpConfig {
    pub(crate) key: String,
    pub(crate) listen: Listen,
    /// Who may connect, over SMTP; `None`: it is LMTP, and whoever can connect may.
    pub(crate) from_hosts: Option<Vec<IpNet>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Listen {
    Tcp(String),
    Unix(PathBuf),
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl LmtpConfig {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigFault> {
        let raw: RawLmtp = section.read()?;
        let listen = match raw.listen.strip_prefix("unix:") {
            Some(path) if !path.is_empty() => Listen::Unix(section.base_dir.join(path)),
            None if raw.listen.parse::<std::net::SocketAddr>().is_ok() => Listen::Tcp(raw.listen),
            _ => {
                let problem = format!("{:?} is not an address to listen on", raw.listen);
                let remedy = "write 127.0.0.1:2424 or unix:/path";
                return Err(section.fault("listen", problem, remedy));
            }
        };
        Ok(Self {
            key: format!("{}.listen", section.key),
            listen,
            from_hosts: None,
        })
    }

    pub(super) fn read_smtp(section: &Section) -> Result<Self, ConfigFault> {
        let raw: RawSmtpIn = section.read()?;
        if raw.listen.parse::<std::net::SocketAddr>().is_err() {
            let problem = format!("{:?} is not an address to listen on", raw.listen);
            return Err(section.fault("listen", problem, "write one like 192.0.2.1:25"));
        }
        let hosts: Result<Vec<IpNet>, &String> = raw
            .from_hosts
            .iter()
            .map(|host| {
                let alone = || host.parse::<std::net::IpAddr>().map(IpNet::from);
                host.parse().or_else(|_| alone()).map_err(|_| host)
            })
            .collect();
        let hosts = hosts.map_err(|host| {
            let problem = format!("{host:?} is no IP address and no network");
            section.fault(
                "from_hosts",
                problem,
                "write some like 192.0.2.7 or 192.0.2.0/24",
            )
        })?;
        if hosts.is_empty() {
            let remedy = "name your mail servers, like [\"192.0.2.7\"]";
            return Err(section.fault("from_hosts", "is empty, so nobody could connect", remedy));
        }
        Ok(Self {
            key: format!("{}.listen", section.key),
            listen: Listen::Tcp(raw.listen),
            from_hosts: Some(hosts),
        })
    }
}
