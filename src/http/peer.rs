//! Who calls, when proxies stand between (semantics 32).

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// Where a connection comes from: the caller, or a proxy.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectedFrom(pub(super) IpAddr);

/// The proxies whose word about the caller counts.
#[derive(Clone, Debug)]
pub(super) struct Proxies(Vec<IpNet>);

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Caller {
    /// The address; `None` when a trusted proxy named one that cannot be read.
    pub(super) ip: Option<IpAddr>,
    /// Whether a trusted proxy handed the call over, so that its other headers count too.
    pub(super) by_proxy: bool,
}

impl Proxies {
    pub(super) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The caller behind a connection from `connected`: the rightmost hop that is no trusted proxy. Everything left of that hop
    /// may be the caller's own invention. When all hops are trusted, the leftmost: the first proxy itself called.
    pub(super) fn caller(&self, connected: IpAddr, headers: &HeaderMap) -> Caller {
        let connected = connected.to_canonical();
        let by_proxy = self.trust(connected);
        let mut ip = Some(connected);
        if by_proxy {
            for hop in hops(headers) {
                ip = hop;
                if hop.is_none_or(|hop| !self.trust(hop)) {
                    break;
                }
            }
        }
        Caller { ip, by_proxy }
    }

    /// Whether a canonical address is a trusted proxy's, also where the configuration writes IPv4 as `::ffff:…`.
    fn trust(&self, ip: IpAddr) -> bool {
        let mapped = match ip {
            IpAddr::V4(v4) => IpAddr::V6(v4.to_ipv6_mapped()),
            IpAddr::V6(_) => ip,
        };
        let mut networks = self.0.iter();
        networks.any(|network| network.contains(&ip) || network.contains(&mapped))
    }
}

/// The hops of `X-Forwarded-For`, rightmost first; `None` for one that is no address.
fn hops(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let values = headers.get_all("x-forwarded-for").iter().rev();
    values.flat_map(|value| {
        let list = value.to_str().unwrap_or("unreadable");
        list.rsplit(',').map(read_hop)
    })
}

/// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`.
fn read_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let ip = bare.parse::<IpAddr>().ok();
    let ip = ip.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    ip.map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `lines` are the values of as many headers; `-` as the answer stands for an address that cannot be told.
    #[track_caller]
    fn check(trusted: &[&str], connected: &str, lines: &[&str], want: &str) {
        let proxies = Proxies::new(trusted.iter().map(|net| net.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let caller = proxies.caller(connected.parse().unwrap(), &headers);
        let got = caller.ip.map_or("-".to_owned(), |ip| ip.to_string());
        assert_eq!(
            got, want,
            "trusted {trusted:?}, from {connected}, with {lines:?}"
        );
    }

    #[test]
    fn the_rightmost_hop_that_is_no_trusted_proxy_calls() {
        let own = &["10.0.0.0/8", "::1/128"];
        // Nobody is trusted, or the one who connects is not.
        check(&[], "192.0.2.1", &["198.51.100.9"], "192.0.2.1");
        check(own, "192.0.2.1", &["198.51.100.9"], "192.0.2.1");
        // One proxy, several, none that says anything.
        check(own, "10.0.0.1", &["198.51.100.9"], "198.51.100.9");
        check(own, "10.0.0.1", &[], "10.0.0.1");
        check(own, "::1", &["198.51.100.9, 10.2.2.2"], "198.51.100.9");
        check(own, "10.0.0.1", &["10.3.3.3, 10.2.2.2"], "10.3.3.3");
        // What the caller wrote itself stands left of what the proxy added.
        check(
            own,
            "10.0.0.1",
            &["10.9.9.9, 203.0.113.5, 198.51.100.9"],
            "198.51.100.9",
        );
        // Several headers are one list.
        check(
            own,
            "10.0.0.1",
            &["203.0.113.5", "198.51.100.9,10.2.2.2"],
            "198.51.100.9",
        );
        check(own, "10.0.0.1", &["203.0.113.5", "10.2.2.2"], "203.0.113.5");
    }

    #[test]
    fn every_spelling_of_an_address_is_read() {
        let own = &["127.0.0.0/8"];
        check(own, "::ffff:127.0.0.1", &["::ffff:192.0.2.7"], "192.0.2.7");
        check(own, "127.0.0.1", &["192.0.2.7:4711"], "192.0.2.7");
        check(own, "127.0.0.1", &[" 2001:db8::7 "], "2001:db8::7");
        check(own, "127.0.0.1", &["[2001:db8::7]"], "2001:db8::7");
        check(own, "127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7");
        check(
            &["::ffff:10.0.0.0/104"],
            "10.0.0.1",
            &["192.0.2.7"],
            "192.0.2.7",
        );
        check(&[], "::ffff:192.0.2.7", &[], "192.0.2.7");
    }

    #[test]
    fn a_hop_that_is_no_address_hides_the_caller() {
        let own = &["127.0.0.0/8"];
        check(own, "127.0.0.1", &["192.0.2.7, unknown"], "-");
        check(own, "127.0.0.1", &["192.0.2.7,"], "-");
        check(own, "127.0.0.1", &["192.0.2.7, 127.0.0.2, _x"], "-");
        check(own, "127.0.0.1", &["garbage, 192.0.2.7"], "192.0.2.7");
    }
}
