//! The servers of a mail address, from nothing but the address.

use std::time::Duration;

use tokio::time::timeout;
use transom_adapter::{Address, AllowedHosts, Place, Server, Tls, Unproven};
use url::Url;

use super::{OwnMailboxes, autoconfig};
use crate::{
    address,
    dns::{Dns, Kind, Record},
    imap,
};

/// For one question.
pub(super) const ASK: Duration = Duration::from_secs(8);
/// For all of them: somebody waits for the page.
const FIND: Duration = Duration::from_secs(25);

/// Asks in the order of who knows best: the domain, the directory, DNS, and last the names that many use, with proof.
pub(super) async fn find(on: &OwnMailboxes, address: &Address) -> Option<Place> {
    timeout(FIND, search(on, address)).await.ok()?
}

async fn search(on: &OwnMailboxes, address: &Address) -> Option<Place> {
    let (_, domain) = address.as_str().rsplit_once('@')?;
    let own = async {
        // Side by side: a domain that has neither costs the wait for one.
        let documents = futures_util::future::join_all(
            of_domain(domain, address).map(|url| document(on, url, address)),
        );
        documents.await.into_iter().flatten().next()
    };
    let services = of_dns(on, domain, address);
    let mut directory = Vec::new();
    directory.extend(
        on.config
            .directory
            .as_ref()
            .and_then(|base| base.join(domain).ok()),
    );
    let listed = async {
        match directory.pop() {
            Some(url) => document(on, url, address).await,
            None => None,
        }
    };
    let (own, listed, services) = futures_util::join!(own, listed, services);
    if let Some(place) = own.or(listed).or(services) {
        return Some(place);
    }
    if let Some(place) = of_host(on, domain, address).await {
        return Some(place);
    }
    guessed(on, domain, address).await
}

/// Where a domain says it itself. The address goes along only where the domain is the user's own provider's.
fn of_domain<'a>(domain: &'a str, address: &'a Address) -> impl Iterator<Item = Url> + 'a {
    let urls = [
        format!("https://autoconfig.{domain}/mail/config-v1.1.xml"),
        format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
    ];
    urls.into_iter().filter_map(move |url| {
        let mut url = Url::parse(&url).ok()?;
        url.query_pairs_mut()
            .append_pair("emailaddress", address.as_str());
        Some(url)
    })
}

async fn document(on: &OwnMailboxes, url: Url, address: &Address) -> Option<Place> {
    let http = on.http().await?;
    let bytes_max = autoconfig::BYTES_MAX as u64;
    let fetched = timeout(ASK, http.fetch(url.as_str(), bytes_max, None))
        .await
        .ok()?
        .ok()?;
    let place = autoconfig::read(&fetched.content, address)?;
    let may = on.check(&place.inward).and(on.check(&place.outward));
    may.is_ok().then_some(place)
}

/// What DNS says. RFC 6186 §3.4, RFC 8314 §5.1: TLS from the first byte before STARTTLS.
async fn of_dns(on: &OwnMailboxes, domain: &str, address: &Address) -> Option<Place> {
    let server = async |service: &str, tls: Tls| {
        let found = records(&format!("_{service}._tcp.{domain}"), Kind::Srv).await;
        let mut servers = found.iter().filter(|record| record.port > 0);
        servers.find_map(|record| {
            let (host, port) = (record.host()?, record.port);
            Some(Server { host, port, tls })
        })
    };
    let (imaps, imap, submissions, submission) = futures_util::join!(
        server("imaps", Tls::Implicit),
        server("imap", Tls::Starttls),
        server("submissions", Tls::Implicit),
        server("submission", Tls::Starttls),
    );
    let (inward, outward) = (imaps.or(imap)?, submissions.or(submission)?);
    on.check(&inward).ok()?;
    on.check(&outward).ok()?;
    Some(Place {
        username: address.as_str().to_owned(),
        inward,
        outward,
    })
}

/// What the machine's name server says; nothing when it does not answer.
async fn records(name: &str, kind: Kind) -> Vec<Record> {
    match Dns::of_system().await {
        Some(dns) => dns.ask(name, kind).await.unwrap_or_default(),
        None => Vec::new(),
    }
}

/// A domain whose mail a large host takes: the directory knows the host.
async fn of_host(on: &OwnMailboxes, domain: &str, address: &Address) -> Option<Place> {
    let base = on.config.directory.as_ref()?;
    let found = records(domain, Kind::Mx).await;
    let host = found.iter().find_map(Record::host)?;
    for name in host_domains(&host) {
        if name != domain
            && let Some(place) = document(on, base.join(&name).ok()?, address).await
        {
            return Some(place);
        }
    }
    None
}

/// `mx1.mail.example.net` → `mail.example.net`, `example.net`.
fn host_domains(host: &str) -> Vec<String> {
    let labels: Vec<&str> = host.split('.').collect();
    let last = |count: usize| {
        let from = labels.len().checked_sub(count).filter(|from| *from > 0)?;
        Some(labels.get(from..)?.join("."))
    };
    [3, 2].into_iter().filter_map(last).collect()
}

/// The names that many use, those that a server with a good certificate answers at.
async fn guessed(on: &OwnMailboxes, domain: &str, address: &Address) -> Option<Place> {
    let candidates = |names: &[&str], port| {
        let server = |name: &&str| Server {
            host: format!("{name}.{domain}"),
            port,
            tls: Tls::Implicit,
        };
        names.iter().map(server).collect::<Vec<_>>()
    };
    let inward = first_alive(on, candidates(&["imap", "mail"], 993), "* OK");
    let outward = first_alive(on, candidates(&["smtp", "mail"], 465), "220");
    let (inward, outward) = futures_util::join!(inward, outward);
    Some(Place {
        username: address.as_str().to_owned(),
        inward: inward?,
        outward: outward?,
    })
}

async fn first_alive(on: &OwnMailboxes, servers: Vec<Server>, greeting: &str) -> Option<Server> {
    let alive = servers.into_iter().map(async |server| {
        let tls = on.tls();
        let endpoint = on.endpoint(&server);
        let greeted = timeout(ASK, imap::greets(&endpoint, tls.as_ref(), greeting)).await;
        (greeted == Ok(true)).then_some(server)
    });
    let found = futures_util::future::join_all(alive).await;
    found.into_iter().flatten().next()
}

/// A server as a person wrote it. Without a port it is the one at which TLS is there from the first byte; at others it begins after a command.
pub(super) fn typed_server(
    typed: &str,
    implicit: u16,
    allowed: &AllowedHosts,
) -> Result<Server, Unproven> {
    let typed = typed.trim().to_lowercase();
    let (host, port) = match typed.rsplit_once(':') {
        Some((host, port)) => {
            let port = port.parse().ok().filter(|port: &u16| *port > 0);
            (host.to_owned(), port.ok_or(Unproven::BadServer)?)
        }
        None => (typed, implicit),
    };
    let excepted = allowed.contain_host(&host, port);
    let host = match address::canonical_domain(&host) {
        Some(host) => host,
        None if excepted => host,
        None => return Err(Unproven::BadServer),
    };
    let tls = match port {
        _ if excepted && port != implicit => Tls::None,
        993 | 465 => Tls::Implicit,
        _ if port == implicit => Tls::Implicit,
        _ => Tls::Starttls,
    };
    Ok(Server { host, port, tls })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_as_people_write_it() {
        let allowed = AllowedHosts::new(["mail.lan".to_owned(), "127.0.0.1:1143".to_owned()]);
        let read = |typed| typed_server(typed, 993, &allowed);
        let server = |host: &str, port, tls| {
            Ok(Server {
                host: host.to_owned(),
                port,
                tls,
            })
        };
        assert_eq!(
            read(" IMAP.example.com "),
            server("imap.example.com", 993, Tls::Implicit)
        );
        assert_eq!(
            read("imap.example.com:143"),
            server("imap.example.com", 143, Tls::Starttls)
        );
        assert_eq!(read("127.0.0.1:1143"), server("127.0.0.1", 1143, Tls::None));
        assert_eq!(read("mail.lan"), server("mail.lan", 993, Tls::Implicit));
        for typed in [
            "",
            "a b",
            "127.0.0.1",
            "127.0.0.1:993",
            "x:0",
            "x:99999",
            "[::1]",
            "imap://x",
            "a\nb",
        ] {
            assert_eq!(read(typed), Err(Unproven::BadServer), "{typed:?}");
        }
    }

    #[test]
    fn the_host_of_a_domain_s_mail_is_looked_up_by_its_own_domain() {
        assert_eq!(
            host_domains("mx1.mail.example.net"),
            ["mail.example.net", "example.net"]
        );
        assert_eq!(host_domains("aspmx.example.net"), ["example.net"]);
        assert!(host_domains("localhost").is_empty());
    }
}
