//! Thunderbird's configuration document: which servers a domain's mail has.
//!
//! <https://www.bucksch.org/1/projects/thunderbird/autoconfiguration/config-file-format.html>

use quick_xml::{Reader, events::Event};
use transom_adapter::{Address, Place, Server, Tls};

use crate::address;

/// A longer document is none.
pub(super) const BYTES_MAX: usize = 64 * 1024;
/// More servers than this are none.
const SERVERS_MAX: usize = 32;
const TEXT_BYTES_MAX: usize = 320;

/// One server of a document.
#[derive(Default, Debug)]
struct Offer {
    is_inward: bool,
    kind: String,
    host: String,
    port: String,
    socket: String,
    username: String,
}

/// The servers that a document names, for an address; `None` without an IMAP and an SMTP server. The document's order is its
/// preference; TLS from the first byte is ours, and whether one without TLS may be used is not decided here.
pub(super) fn read(document: &[u8], address: &Address) -> Option<Place> {
    let offers = offers(document.get(..BYTES_MAX.min(document.len()))?)?;
    let best = |is_inward: bool, kind: &str| {
        let mut fitting: Vec<(&Offer, Server)> = offers
            .iter()
            .filter(|offer| offer.is_inward == is_inward && offer.kind.eq_ignore_ascii_case(kind))
            .filter_map(|offer| Some((offer, offer.server()?)))
            .collect();
        fitting.sort_by_key(|(_, server)| match server.tls {
            Tls::Implicit => 0,
            Tls::Starttls => 1,
            Tls::None => 2,
        });
        fitting.into_iter().next()
    };
    let (offer, inward) = best(true, "imap")?;
    let (_, outward) = best(false, "smtp")?;
    Some(Place {
        username: offer.username(address)?,
        inward,
        outward,
    })
}

fn offers(document: &[u8]) -> Option<Vec<Offer>> {
    let text = std::str::from_utf8(document).ok()?;
    let mut reader = Reader::from_str(text);
    let mut offers = Vec::new();
    let mut open: Option<Offer> = None;
    let mut field = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = start.local_name();
                match name.as_ref() {
                    "incomingServer" | "outgoingServer" => {
                        let kind = start.try_get_attribute("type").ok()??;
                        open = Some(Offer {
                            is_inward: name.as_ref() == "incomingServer",
                            kind: kind.value.into_owned(),
                            ..Offer::default()
                        });
                    }
                    other => other.clone_into(&mut field),
                }
            }
            Event::Text(text) => {
                if let Some(offer) = &mut open {
                    offer.take(&field, text.trim());
                }
            }
            Event::End(end) => {
                field.clear();
                let name = end.local_name();
                if matches!(name.as_ref(), "incomingServer" | "outgoingServer") {
                    offers.extend(open.take());
                    if offers.len() > SERVERS_MAX {
                        return None;
                    }
                }
            }
            // Entities of its own are how bombs are made.
            Event::DocType(_) => return None,
            Event::Eof => return Some(offers),
            _ => {}
        }
    }
}

impl Offer {
    fn take(&mut self, field: &str, text: &str) {
        let place = match field {
            "hostname" => &mut self.host,
            "port" => &mut self.port,
            "socketType" => &mut self.socket,
            "username" => &mut self.username,
            _ => return,
        };
        if place.is_empty() && text.len() <= TEXT_BYTES_MAX {
            text.clone_into(place);
        }
    }

    fn server(&self) -> Option<Server> {
        Some(Server {
            host: address::canonical_domain(&self.host)?,
            port: self.port.parse().ok().filter(|port| *port > 0)?,
            tls: match self.socket.as_str() {
                "SSL" => Tls::Implicit,
                "STARTTLS" => Tls::Starttls,
                "plain" => Tls::None,
                _ => return None,
            },
        })
    }

    fn username(&self, address: &Address) -> Option<String> {
        let (local, domain) = address.as_str().rsplit_once('@')?;
        let pattern = if self.username.is_empty() {
            "%EMAILADDRESS%"
        } else {
            &self.username
        };
        let name = pattern
            .replace("%EMAILADDRESS%", address.as_str())
            .replace("%EMAILLOCALPART%", local)
            .replace("%EMAILDOMAIN%", domain);
        (!name.contains('%') && !name.chars().any(char::is_control)).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Address {
        Address::new("alice@example.com")
    }

    fn document(servers: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><clientConfig version=\"1.1\"><emailProvider id=\"example.com\"><domain>example.com</domain>\
             {servers}</emailProvider></clientConfig>"
        )
    }

    fn server(element: &str, kind: &str, host: &str, port: &str, socket: &str) -> String {
        format!(
            "<{element} type=\"{kind}\"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>\
             <authentication>password-cleartext</authentication><username>%EMAILLOCALPART%</username></{element}>"
        )
    }

    #[test]
    fn the_servers_with_tls_are_taken() {
        let servers = [
            server("incomingServer", "pop3", "pop.example.com", "995", "SSL"),
            server("incomingServer", "imap", "old.example.com", "143", "plain"),
            server(
                "incomingServer",
                "imap",
                "start.example.com",
                "143",
                "STARTTLS",
            ),
            server("incomingServer", "imap", "IMAP.example.com", "993", "SSL"),
            server(
                "outgoingServer",
                "smtp",
                "smtp.example.com",
                "587",
                "STARTTLS",
            ),
        ];
        let place = read(document(&servers.concat()).as_bytes(), &alice()).unwrap();
        let want = Place {
            username: "alice".to_owned(),
            inward: Server {
                host: "imap.example.com".to_owned(),
                port: 993,
                tls: Tls::Implicit,
            },
            outward: Server {
                host: "smtp.example.com".to_owned(),
                port: 587,
                tls: Tls::Starttls,
            },
        };
        assert_eq!(place, want);
    }

    #[test]
    fn what_names_no_servers_is_none() {
        let imap = server("incomingServer", "imap", "imap.example.com", "993", "SSL");
        let smtp = server("outgoingServer", "smtp", "smtp.example.com", "465", "SSL");
        for servers in [
            imap.clone(),
            smtp.clone(),
            format!("{imap}{}", smtp.replace("SSL", "SSLv2")),
            format!("{imap}{}", smtp.replace("465", "0")),
            format!("{imap}{}", smtp.replace("465", "99999")),
            format!("{imap}{}", smtp.replace("smtp.example.com", "a b")),
            format!("{imap}{}", smtp.replace("smtp.example.com", "127.0.0.1")),
            format!("{}{smtp}", imap.replace("%EMAILLOCALPART%", "%REALNAME%")),
            format!("{imap}{smtp}").repeat(40),
        ] {
            assert_eq!(
                read(document(&servers).as_bytes(), &alice()),
                None,
                "{servers}"
            );
        }
        let bomb = format!(
            "<!DOCTYPE x [<!ENTITY a \"b\">]>{}",
            document(&format!("{imap}{smtp}"))
        );
        assert_eq!(read(bomb.as_bytes(), &alice()), None);
        assert_eq!(read(b"<html><body>404", &alice()), None);
        assert_eq!(read(b"\xff\xfe", &alice()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_document_makes_it_panic(bytes: Vec<u8>) {
            read(&bytes, &alice());
        }

        #[test]
        fn no_broken_document_makes_it_panic(at in 0_usize..600, byte: u8) {
            let imap = server("incomingServer", "imap", "imap.example.com", "993", "SSL");
            let smtp = server("outgoingServer", "smtp", "smtp.example.com", "465", "SSL");
            let mut bytes = document(&format!("{imap}{smtp}")).into_bytes();
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
            read(&bytes, &alice());
        }
    }
}
