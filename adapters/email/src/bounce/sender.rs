//! Who sends reports: programs, which say so, and the addresses of mail hosts, behind which people may sit as well.

use crate::{headers::Headers, read::says_automatic};

/// Names that no person has, without what is written between their words.
const DAEMONS: &[&str] = &["mailerdaemon", "maildaemon", "mdaemon"];

/// Names of hosts. RFC 2142 §5 makes postmaster a mailbox that people read, and so they answer from it.
const HOSTS: &[&str] = &[
    "postmaster",
    "maildelivery",
    "maildeliverysystem",
    "maildeliverysubsystem",
];

/// Whether a program surely sent it: it has the null sender (RFC 3461 §6.1), says so itself (RFC 3834 §5), or bears the name of
/// one. In some mailboxes the null sender stands as the name of the program, and some programs write it into From. Exim lists whom it
/// failed.
pub(super) fn is_machine(headers: &Headers<'_>) -> bool {
    headers.has_null_sender()
        || says_automatic(headers)
        || headers.has("X-Failed-Recipients")
        || is_daemon(headers)
        || headers
            .sender()
            .is_some_and(|sender| is_any(sender, DAEMONS))
        || headers.first("From") == Some("<>")
}

/// Whether a host or its program writes, going by address or name: some leave the address empty.
pub(super) fn is_host(headers: &Headers<'_>) -> bool {
    is_daemon(headers) || author_is_any(headers, HOSTS)
}

/// Whether it comes from an address that reads no answers.
pub(super) fn is_nobody(headers: &Headers<'_>) -> bool {
    headers.author().as_str().starts_with("no-reply@")
}

fn is_daemon(headers: &Headers<'_>) -> bool {
    author_is_any(headers, DAEMONS)
}

/// The whole name or the whole part before the @: a person's may hold such words.
fn author_is_any(headers: &Headers<'_>, names: &[&str]) -> bool {
    let from = headers.first("From").unwrap_or_default();
    match from.rsplit_once('<') {
        // A name that shows an address is no name.
        Some((name, address)) => {
            is_any(address, names) || (!name.contains('@') && is_any(name, names))
        }
        None => is_any(from, names),
    }
}

/// `address`: with its domain, a comment and brackets, or without.
fn is_any(address: &str, names: &[&str]) -> bool {
    let local = address.split(['@', '(']).next().unwrap_or_default();
    let mut local = local.to_lowercase();
    local.retain(|char| !"_- <>\"':;\t\r\n".contains(char));
    names.contains(&local.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::MessageParser;

    fn is_host_of(from: &str) -> bool {
        let mail = format!("From: {from}\r\n\r\n");
        let message = MessageParser::default().parse(mail.as_bytes()).unwrap();
        is_host(&Headers::new(&message, None))
    }

    #[test]
    fn hosts_are_known_by_the_whole_of_their_name() {
        for from in [
            "MAILER-DAEMON <>",
            "Mailer-Daemon",
            "Mail Delivery System <bounces@mx.example.com>",
            "MAILER-DAEMON@mx.example.com (Mail Delivery System)",
            "\"Mail Administrator\" <Postmaster@example.com>",
            "post_master@example.com",
        ] {
            assert!(is_host_of(from), "{from}");
        }
        for from in [
            "\"Pat (Mail Delivery Team)\" <pat@example.com>",
            "Pat, Postmaster of Example <pat@example.com>",
            "pat@postmaster.example.com",
            "\"<postmaster@example.com>\" <pat@example.com>",
            "",
        ] {
            assert!(!is_host_of(from), "{from}");
        }
    }
}
