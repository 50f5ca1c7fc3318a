//! The guard of URLs that came from outside: which addresses may be connected to.
//!
//! It looks three times: at a host that is an address already, however it is spelled (the resolver is never asked for those), at every
//! answer of the resolver, and at both again after each redirect.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::TcpStream;
use url::{Host, Url};

/// What of IPv4 is no public unicast address. IANA's special-purpose registry, RFC 6890
const V4_CLOSED: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// Where public IPv6 is. What maps or translates to IPv4 (`::ffff:0:0/96`, `64:ff9b::/96`), ULA and multicast are outside.
const V6_OPEN: Ipv6Net = v6([0x2000, 0], 3);

/// What of it is no public unicast address: protocol assignments with Teredo, documentation, 6to4.
const V6_CLOSED: [Ipv6Net; 4] = [
    v6([0x2001, 0], 23),
    v6([0x2001, 0x0db8], 32),
    v6([0x2002, 0], 16),
    v6([0x3fff, 0], 20),
];

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 2], prefix: u8) -> Ipv6Net {
    let [a, b] = head;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// Whether anybody on the Internet could reach this address: then connecting to it tells nobody more than they know.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !V4_CLOSED.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            V6_OPEN.contains(&address) && !V6_CLOSED.iter().any(|net| net.contains(&address))
        }
    }
}

/// Hosts that the admin excepts from the guard, `host` or `host:port`: an upload service on a private address.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AllowedHosts(Arc<[String]>);

impl AllowedHosts {
    /// From the configuration's notation; a host without a port stands for all its ports.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        Self(hosts.into_iter().map(|host| host.to_lowercase()).collect())
    }

    pub(crate) fn contain(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return false;
        };
        self.contain_host(host, port)
    }

    /// Whether a host is excepted, with all its ports or with this one.
    pub fn contain_host(&self, host: &str, port: u16) -> bool {
        let with_port = format!("{host}:{port}");
        self.0
            .iter()
            .any(|known| *known == host || *known == with_port)
    }
}

/// Whether a URL may be fetched under the guard, as far as it can be told before its name is looked up.
pub(crate) fn admits(url: &Url) -> bool {
    if url.scheme() != "https" {
        return false;
    }
    match url.host() {
        Some(Host::Ipv4(address)) => is_public(address.into()),
        Some(Host::Ipv6(address)) => is_public(address.into()),
        Some(Host::Domain(name)) => !name.is_empty(),
        None => false,
    }
}

/// A name that leads to no public address.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name leads to no public address")]
pub(crate) struct NotPublic;

/// The system's resolver, without the answers that are not public.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let answers = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = answers.filter(|answer| is_public(answer.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// A TCP connection to a host that somebody outside named: to a public address of it, unless the admin excepts the host.
///
/// # Errors
///
/// [`PermissionDenied`](std::io::ErrorKind::PermissionDenied) when the name leads to no public address; else what the system says.
/// There is no deadline here.
pub async fn connect_guarded(
    host: &str,
    port: u16,
    allowed: &AllowedHosts,
) -> std::io::Result<TcpStream> {
    if allowed.contain_host(host, port) {
        return TcpStream::connect((host, port)).await;
    }
    let answers = tokio::net::lookup_host((host, port)).await?;
    let public: Vec<SocketAddr> = answers.filter(|answer| is_public(answer.ip())).collect();
    if public.is_empty() {
        let kind = std::io::ErrorKind::PermissionDenied;
        return Err(std::io::Error::new(kind, NotPublic));
    }
    TcpStream::connect(public.as_slice()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| admits(&url))
    }

    #[test]
    fn public_addresses_and_names_pass() {
        for url in [
            "https://upload.example.org/x",
            "https://9.9.9.9/",
            "https://[2620:fe::fe]:8443/",
            "https://172.32.0.1/",
            "https://100.128.0.1/",
        ] {
            assert!(may(url), "{url}");
        }
    }

    #[test]
    fn private_addresses_are_refused_in_every_spelling() {
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://１２７.0.0.1/",
            "https://127。0。0。1/",
            "https://%31%32%37.0.0.1/",
            "https://0/",
            "https://10.0.0.1/",
            "https://172.31.255.255/",
            "https://192.168.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://100.64.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://192.0.2.1/",
            "https://[::]/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:9.9.9.9]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[64:ff9b:1::1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:1::1]/",
            "https://[2001:db8::1]/",
            "https://[fc00::1]/",
            "https://[fd12::1]/",
            "https://[fe80::1]/",
            "https://[fec0::1]/",
            "https://[ff02::1]/",
        ] {
            assert!(!may(url), "{url}");
        }
    }

    #[test]
    fn other_schemes_are_refused() {
        for url in [
            "http://example.org/",
            "ftp://example.org/",
            "file:///etc/passwd",
            "data:text/plain,x",
            "gopher://example.org/",
            "unix:/run/x",
            "aesgcm://example.org/x",
        ] {
            assert!(!may(url), "{url}");
        }
    }

    #[test]
    fn an_exception_is_for_a_host_or_for_one_of_its_ports() {
        let allowed = AllowedHosts::new(["Upload.lan".to_owned(), "127.0.0.1:5280".to_owned()]);
        let contains = |url: &str| allowed.contain(&Url::parse(url).unwrap());
        assert!(contains("http://upload.lan:1234/x"));
        assert!(contains("http://127.1:5280/x"));
        assert!(!contains("http://127.0.0.1:5281/x"));
        assert!(!contains("http://upload.lan.evil.example/x"));
    }

    #[tokio::test]
    async fn a_connection_to_a_private_address_is_never_begun() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let nobody = AllowedHosts::default();
        for host in [
            "127.0.0.1",
            "localhost",
            "0x7f.1",
            "2130706433",
            "::1",
            "::ffff:127.0.0.1",
        ] {
            let error = connect_guarded(host, port, &nobody).await.unwrap_err();
            // Some spellings are no names to some resolvers, which is as good.
            assert_ne!(
                error.kind(),
                std::io::ErrorKind::ConnectionRefused,
                "{host}"
            );
        }
        let excepted = AllowedHosts::new([format!("127.0.0.1:{port}")]);
        connect_guarded("127.0.0.1", port, &excepted).await.unwrap();
    }

    proptest::proptest! {
        #[test]
        fn a_mapped_or_translated_address_is_never_public(v4: u32) {
            let low = u128::from(v4);
            for prefix in [0xffff_0000_0000_u128, 0, 0x0064_ff9b_u128 << 96, 0x0064_ff9b_0001_u128 << 80] {
                proptest::prop_assert!(!is_public(Ipv6Addr::from(prefix | low).into()));
            }
            let six_to_four = (0x2002_u128 << 112) | (low << 80);
            proptest::prop_assert!(!is_public(Ipv6Addr::from(six_to_four).into()));
        }

        /// However an address is written, the guard thinks of it what it thinks of its plain form.
        #[test]
        fn the_spelling_of_an_address_is_of_no_matter(v4: u32) {
            let plain = is_public(Ipv4Addr::from(v4).into());
            let [a, b, c, d] = v4.to_be_bytes();
            for spelling in [
                format!("https://{v4}/"),
                format!("https://{v4:#x}/"),
                format!("https://0{v4:o}/"),
                format!("https://{a}.{b}.{c}.{d}/"),
                format!("https://{a:#x}.{b:#x}.{c:#x}.{d:#x}/"),
                format!("https://0{a:o}.0{b:o}.0{c:o}.0{d:o}/"),
                format!("https://{a}.{}/", v4 & 0x00ff_ffff),
                format!("https://{a}.{b}.{}/", v4 & 0xffff),
            ] {
                proptest::prop_assert_eq!(may(&spelling), plain, "{}", spelling);
            }
        }

        #[test]
        fn no_url_makes_it_panic(text in "\\PC*") {
            may(&text);
        }
    }
}
