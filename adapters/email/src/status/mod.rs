//! What SMTP reply codes, enhanced status codes and postmasters' prose mean to the person who wrote the mail.

mod words;

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
        // 5.7.1 is what everybody answers to everything, 5.4.1 what one large host says of unknown users; 5.0.0 and 5.5.0 say nothing.
        Reason::Unspecified | Reason::NotPermitted | Reason::Unreachable => match of_text(text) {
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
        (5, 3) | (7, 28) => Reason::RateLimited,
        (1, 7 | 8) | (2, 1) | (7, _) => Reason::NotPermitted,
        (2, 2) | (3, 1) => Reason::MailboxFull,
        (2, 3) | (3, 4) => Reason::TooLarge,
        (4, 7) => Reason::Expired,
        (4, 0..=3 | 5 | 6) => Reason::Unreachable,
        (6, _) => Reason::Unsupported,
        _ => Reason::Unspecified,
    }
}

fn of_text(text: &str) -> Reason {
    let text = text.to_lowercase();
    let hit = words::PHRASES
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
            ("5.4.6", "Too many hops", Reason::Unreachable),
            ("5.5.3", "", Reason::RateLimited),
            (
                "5.4.1",
                "Recipient address rejected: Access denied",
                Reason::NoSuchRecipient,
            ),
            (
                "5.7.25",
                "Recipient address rejected: Reverse DNS validation failed",
                Reason::Filtered,
            ),
            (
                "5.2.1",
                "is receiving mail at a rate that",
                Reason::RateLimited,
            ),
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
