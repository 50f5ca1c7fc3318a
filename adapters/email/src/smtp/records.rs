//! What the DNS says of a mail domain, for `transom check --live`.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    dmarc,
    dns::{Dns, Kind, reverse},
};

/// For all questions together.
const ALL_MAX: Duration = Duration::from_secs(10);
/// Mail servers of a domain that are looked at.
const SERVERS_MAX: usize = 3;

/// What should be there.
pub(super) struct Wanted<'a> {
    /// The domain of our addresses.
    pub(super) domain: &'a str,
    /// The name and the text of the record of our key.
    pub(super) dkim: Option<(String, String)>,
    /// Whom to ask; `None`: whom the system asks.
    pub(super) resolver: Option<SocketAddr>,
}

/// One sentence a record: there, missing, or not to be found out.
pub(super) async fn look(wanted: Wanted<'_>) -> Vec<String> {
    let dns = match wanted.resolver {
        Some(address) => Some(Dns::at(address)),
        None => Dns::of_system().await,
    };
    let Some(dns) = dns else {
        return vec![
            "DNS: the system names no name server, so what is there was not looked at".to_owned(),
        ];
    };
    let looked = timeout(ALL_MAX, look_at(dns, &wanted)).await;
    looked.unwrap_or_else(|_| {
        vec!["DNS: the name server did not answer in time; what is there is not known".to_owned()]
    })
}

async fn look_at(dns: Dns, wanted: &Wanted<'_>) -> Vec<String> {
    let domain = wanted.domain;
    let mail = async {
        let servers = dns.texts(domain, Kind::Mx).await;
        let mut said = vec![one(&servers, &format!("{domain} MX"), |_| true)];
        for server in servers.into_iter().flatten().take(SERVERS_MAX) {
            said.push(names(dns, &server).await);
        }
        said
    };
    let spf = text(dns, domain.to_owned(), |text| text.starts_with("v=spf1"));
    let dmarc = policy(dns, domain);
    let dkim = async {
        let (name, want) = wanted.dkim.clone()?;
        Some(text(dns, name, move |text| same_key(text, &want)).await)
    };
    let (mail, spf, dmarc, dkim) = tokio::join!(mail, spf, dmarc, dkim);
    mail.into_iter()
        .chain([spf])
        .chain(dkim)
        .chain([dmarc])
        .collect()
}

/// The DMARC record that counts for a domain: its own, else that of its organization. RFC 7489 §6.6.3
async fn policy(dns: Dns, domain: &str) -> String {
    let name = format!("_dmarc.{domain}");
    let found = dns.texts(&name, Kind::Txt).await;
    let organization = dmarc::organizational(domain);
    let has_none = found
        .as_ref()
        .is_ok_and(|records| !records.iter().any(|record| dmarc::is_record(record)));
    if has_none && organization != domain {
        let above = dns
            .texts(&format!("_dmarc.{organization}"), Kind::Txt)
            .await;
        if let Some(said) = of_organization(&above.unwrap_or_default(), organization, domain) {
            return said;
        }
    }
    one(&found, &format!("{name} TXT"), dmarc::is_record)
}

/// What an organization's record means for a domain below it; `None` without exactly one, since none counts then.
fn of_organization(records: &[String], organization: &str, domain: &str) -> Option<String> {
    let mut records = records.iter().filter(|record| dmarc::is_record(record));
    let (record, None) = (records.next()?, records.next()) else {
        return None;
    };
    let asked = dmarc::asked(record, true);
    Some(format!(
        "DNS now: _dmarc.{domain} TXT is missing, so _dmarc.{organization} counts for it and asks for {asked}: {record}"
    ))
}

async fn text(dns: Dns, name: String, is_it: impl Fn(&str) -> bool) -> String {
    let found = dns.texts(&name, Kind::Txt).await;
    one(&found, &format!("{name} TXT"), is_it)
}

fn one(found: &std::io::Result<Vec<String>>, what: &str, is_it: impl Fn(&str) -> bool) -> String {
    match found {
        Err(error) => format!("DNS now: {what} is not known: {error}"),
        // RFC 7208 §4.5, RFC 7489 §6.6.3: of several, none counts.
        Ok(records)
            if records.iter().filter(|record| is_it(record)).count() > 1
                && what.ends_with("TXT") =>
        {
            format!(
                "DNS now: {what} is there more than once, so that receivers heed none; leave one"
            )
        }
        Ok(records) => match records.iter().find(|record| is_it(record)) {
            Some(record) => format!("DNS now: {what} is there: {record}"),
            None if records.is_empty() => format!("DNS now: {what} is missing"),
            None => format!("DNS now: {what} is another: {}", records.join(" | ")),
        },
    }
}

/// Whether a host's address leads back to its name, as receivers want of whoever sends.
async fn names(dns: Dns, host: &str) -> String {
    let mut addresses = dns.texts(host, Kind::A).await.unwrap_or_default();
    if addresses.is_empty() {
        addresses = dns.texts(host, Kind::Aaaa).await.unwrap_or_default();
    }
    let address: Option<IpAddr> = addresses.first().and_then(|address| address.parse().ok());
    let Some(address) = address else {
        return format!("DNS now: {host} has no address");
    };
    match dns.texts(&reverse(address), Kind::Ptr).await {
        Ok(names) if names.iter().any(|name| name == host) => {
            format!("DNS now: {address} is named {host}, as receivers want it")
        }
        Ok(names) => format!(
            "DNS now: {address} should have the name {host} (PTR); it has {}",
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        ),
        Err(error) => format!("DNS now: the name of {address} is not known: {error}"),
    }
}

/// Whether a record holds our key, however it is spaced.
fn same_key(text: &str, want: &str) -> bool {
    let key = |text: &str| {
        let mut tags = text.split(';').filter_map(|tag| tag.split_once('='));
        let (_, value) = tags.find(|(name, _)| name.trim() == "p")?;
        Some(value.split_whitespace().collect::<String>())
    };
    key(text).is_some() && key(text) == key(want)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_said_in_one_sentence() {
        let found = |records: &[&str]| Ok(records.iter().map(|text| (*text).to_owned()).collect());
        let is_spf = |text: &str| text.starts_with("v=spf1");
        for (records, end) in [
            (
                found(&["other", "v=spf1 mx -all"]),
                "is there: v=spf1 mx -all",
            ),
            (
                found(&["v=spf1 mx -all", "v=spf1 a -all"]),
                "is there more than once, so that receivers heed none; leave one",
            ),
            (found(&[]), "is missing"),
            (found(&["other"]), "is another: other"),
            (Err(std::io::Error::other("broken")), "is not known: broken"),
        ] {
            let said = one(&records, "x.example TXT", is_spf);
            assert_eq!(said, format!("DNS now: x.example TXT {end}"));
        }
    }

    #[test]
    fn rfc7489_an_organizations_record_says_what_counts_below_it() {
        let said = |records: &[&str]| {
            let records: Vec<String> = records.iter().map(|text| (*text).to_owned()).collect();
            of_organization(&records, "example.org", "mail.example.org")
        };
        let start = "DNS now: _dmarc.mail.example.org TXT is missing, so _dmarc.example.org counts for it and asks for ";
        for (records, asks) in [
            (&["v=DMARC1; p=reject; sp=none"][..], "none"),
            (&["another text", "v=DMARC1; p=reject"], "reject"),
        ] {
            let said = said(records).unwrap_or_default();
            assert!(
                said.starts_with(&format!("{start}{asks}: v=DMARC1")),
                "{said}"
            );
        }
        assert_eq!(said(&[]), None);
        // §6.6.3: of several none counts.
        assert_eq!(said(&["v=DMARC1; p=none", "v=DMARC1; p=reject"]), None);
    }

    #[test]
    fn a_key_is_the_same_however_it_is_spaced() {
        assert!(same_key("v=DKIM1; k=rsa; p=AB CD", "k=rsa;p=ABCD"));
        assert!(!same_key("v=DKIM1; p=ABCE", "p=ABCD"));
        assert!(!same_key("", ""));
    }
}
