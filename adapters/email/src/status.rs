//! What SMTP reply codes, enhanced status codes and postmasters' prose mean to the person who wrote the mail.

use transom_adapter::Reason;

/// An enhanced mail system status code, `5.1.1`. RFC 3463
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Status {
    pub(crate) class: u8,
    pub(crate) subject: u16,
    pub(crate) detail: u16,
}

impl Status {
    /// Reads a whole word as a status.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let mut parts = word.splitn(3, '.');
        let class = parts.next()?;
        let (subject, detail) = (number(parts.next()?)?, number(parts.next()?)?);
        let class = match class {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        Some(Self {
            class,
            subject,
            detail,
        })
    }

    /// The first status that stands in a text as a word of its own.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(|word| word.trim_end_matches('.'))
            .find_map(Self::parse)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

fn number(text: &str) -> Option<u16> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// The reason behind a refusal: the status where it says something, otherwise the words beside it.
pub(crate) fn reason(status: Option<Status>, text: &str) -> Reason {
    let by_status = status.map_or(Reason::Unspecified, of_status);
    match by_status {
        // 5.7.1 is what everybody answers to everything; 5.0.0 and 5.5.0 say nothing.
        Reason::Unspecified | Reason::NotPermitted => match of_text(text) {
            Reason::Unspecified => by_status,
            by_text => by_text,
        },
        _ => by_status,
    }
}

/// RFC 3463 §3 and the registry it started.
fn of_status(status: Status) -> Reason {
    match (status.subject, status.detail) {
        (1, 1 | 2 | 3 | 4 | 6 | 10) | (4, 4) => Reason::NoSuchRecipient,
        (1, 7 | 8) | (2, 1) | (7, _) => Reason::NotPermitted,
        (2, 2) | (3, 1) => Reason::MailboxFull,
        (2, 3) | (3, 4) => Reason::TooLarge,
        (4, 7) => Reason::Expired,
        (4, 0..=3 | 5) => Reason::Unreachable,
        (6, _) => Reason::Unsupported,
        _ => Reason::Unspecified,
    }
}

/// What the words say. Ordered: what is more particular comes first.
const PHRASES: &[(Reason, &[&str])] = &[
    (
        Reason::MailboxFull,
        &[
            "mailbox full",
            "mailbox is full",
            "mailbox has exceeded",
            "over quota",
            "overquota",
            "quota exceeded",
            "exceeded quota",
            "exceeds quota",
            "out of storage",
            "insufficient system storage",
            "not enough disk space",
            "disk quota",
            "storage allocation",
            "quota full",
            "the email account that you tried to reach is over",
        ],
    ),
    (
        Reason::TooLarge,
        &[
            "message size exceeds",
            "message too big",
            "message is too big",
            "message too large",
            "message is too large",
            "message larger than",
            "exceeds size limit",
            "exceeds maximum message size",
            "exceeded maximum message size",
            "size limit exceeded",
            "exceeding its size limit",
        ],
    ),
    (
        Reason::NoSuchRecipient,
        &[
            "user unknown",
            "unknown user",
            "no such user",
            "no such mailbox",
            "no such recipient",
            "no such address",
            "unknown recipient",
            "invalid user",
            "invalid address",
            "recipient unknown",
            "unknown address",
            "user not found",
            "mailbox not found",
            "address not found",
            "mailbox unavailable",
            "recipient not found",
            "does not exist",
            "doesn't exist",
            "doesn't have a",
            "not exist",
            "invalid recipient",
            "invalid mailbox",
            "account is unavailable",
            "recipient address rejected",
            "no mailbox here",
            "host unknown",
            "unknown host",
            "unrouteable address",
            "unrouteable mail domain",
            "not listed in",
            "unknown or illegal alias",
            "is not a valid mailbox",
            "bad destination mailbox",
            "host or domain name not found",
            "domain not found",
            "no such domain",
            "isn't a known user",
            "user doesn't have",
        ],
    ),
    (
        Reason::Filtered,
        &[
            "spam",
            "blacklist",
            "blocklist",
            "block list",
            "black list",
            "blocked using",
            "poor reputation",
            "bad reputation",
            "spamhaus",
            "virus",
            "malware",
            "dmarc",
            "unsolicited",
            "content rejected",
            "content reject",
            "message filtered",
            "denied by policy",
            "poor ip",
            "mail policy",
            "message content",
        ],
    ),
    (
        Reason::Expired,
        &[
            "retry timeout exceeded",
            "retry time not reached",
            "message expired",
            "has been in the queue too long",
            "been on the queue too long",
            "in my queue too long",
            "delivery time expired",
            "maximum time in queue",
            "could not be delivered for more than",
        ],
    ),
    (
        Reason::Unreachable,
        &[
            "connection timed out",
            "timed out",
            "connection refused",
            "no route to host",
            "network is unreachable",
            "host is unreachable",
            "couldn't connect",
            "could not connect",
            "wasn't able to establish an smtp connection",
            "lost connection",
        ],
    ),
    (
        Reason::NotPermitted,
        &[
            "not permitted",
            "permission denied",
            "access denied",
            "relaying denied",
            "relay access denied",
            "unable to relay",
            "not allowed",
            "not authorized",
            "prohibited",
            "disabled",
            "inactive",
            "suspended",
            "rejected",
            "refused",
        ],
    ),
];

fn of_text(text: &str) -> Reason {
    let text = text.to_lowercase();
    let hit = PHRASES
        .iter()
        .find(|(_, phrases)| phrases.iter().any(|phrase| text.contains(phrase)));
    hit.map_or(Reason::Unspecified, |(reason, _)| *reason)
}

/// One line for the log: no controls, no whole addresses, at most 200 characters.
pub(crate) fn for_log(text: &str) -> String {
    let words = text
        .split_whitespace()
        .map(|word| match word.rsplit_once('@') {
            Some((_, domain)) => format!("…@{domain}"),
            None => word.to_owned(),
        });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_found_in_prose_and_nothing_else_is_taken_for_one() {
        let find = |text| Status::find(text).map(|status| status.to_string());
        assert_eq!(find("5.1.1 no such user").as_deref(), Some("5.1.1"));
        assert_eq!(find("550-5.7.26 This mail").as_deref(), Some("5.7.26"));
        assert_eq!(find("smtp; 452 #4.2.2 full").as_deref(), Some("4.2.2"));
        for none in [
            "",
            "192.0.2.1",
            "550",
            "3.1.1",
            "5.1",
            "5.1111.1",
            "10.5.1.1",
        ] {
            assert_eq!(find(none), None, "for {none}");
        }
    }

    #[test]
    fn the_reason_is_that_of_the_table() {
        let cases = [
            ("5.1.1", "", Reason::NoSuchRecipient),
            ("5.1.2", "", Reason::NoSuchRecipient),
            ("5.1.10", "", Reason::NoSuchRecipient),
            ("5.2.1", "", Reason::NotPermitted),
            ("4.2.2", "", Reason::MailboxFull),
            ("5.3.4", "", Reason::TooLarge),
            ("5.2.3", "", Reason::TooLarge),
            ("4.4.1", "", Reason::Unreachable),
            ("4.4.7", "", Reason::Expired),
            ("5.6.7", "", Reason::Unsupported),
            ("5.7.1", "", Reason::NotPermitted),
            ("5.7.1", "blocked by SPAM filter", Reason::Filtered),
            ("5.7.1", "User unknown", Reason::NoSuchRecipient),
            ("5.0.0", "mailbox is FULL", Reason::MailboxFull),
            ("5.5.0", "", Reason::Unspecified),
        ];
        for (status, text, want) in cases {
            assert_eq!(reason(Status::parse(status), text), want, "{status} {text}");
        }
        assert_eq!(reason(None, "No such user here"), Reason::NoSuchRecipient);
    }

    #[test]
    fn the_line_for_the_log_holds_no_address() {
        let line = for_log("5.1.1\r\n <bob@example.com>: unknown\u{7}");
        assert_eq!(line, "5.1.1 …@example.com>: unknown");
        assert_eq!(for_log(&"x".repeat(900)).len(), 200);
    }
}
