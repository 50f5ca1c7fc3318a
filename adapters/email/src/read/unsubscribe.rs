//! How one leaves a list: RFC 2369 §3.2, and by one click, RFC 8058.

use transom_adapter::{Unsubscribe, UnsubscribeMail};

use super::trust;
use crate::address;
use crate::headers::{self, Headers};

/// Links that are looked at, and how long one may be.
const LINKS_MAX: usize = 10;
const LINK_BYTES_MAX: usize = 2048;
/// What a mail that unsubscribes may say.
const WORDS_CHARS_MAX: usize = 200;

/// How one leaves the list that a mail came by; `None` where it says nothing that can be used.
///
/// A link counts only for one click, and only when a signature that the trusted server verified covers both headers (RFC 8058 §4): what
/// anybody could have written is not called. Plain links are never opened.
pub(crate) fn unsubscribe(headers: &Headers<'_>, trusted: &[String]) -> Option<Unsubscribe> {
    let value = headers.first("List-Unsubscribe")?;
    let links: Vec<&str> = value
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(link, _)| link.trim())
        .filter(|link| link.len() <= LINK_BYTES_MAX)
        .take(LINKS_MAX)
        .collect();
    let https = || {
        let is_https = |link: &&&str| {
            link.get(..8)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
        };
        let link = links.iter().find(is_https)?;
        url::Url::parse(link).ok().map(String::from)
    };
    let found = Unsubscribe {
        one_click: is_one_click(headers, trusted).then(https).flatten(),
        mail: links.iter().find_map(|link| mail(link)),
    };
    (found != Unsubscribe::default()).then_some(found)
}

fn is_one_click(headers: &Headers<'_>, trusted: &[String]) -> bool {
    let post = headers.first("List-Unsubscribe-Post").unwrap_or_default();
    let asked = post
        .trim()
        .eq_ignore_ascii_case("List-Unsubscribe=One-Click");
    // Two of either would make it unclear which one was signed.
    let once = |name| headers.all(name).count() == 1;
    asked
        && once("List-Unsubscribe")
        && once("List-Unsubscribe-Post")
        && trust::is_signed(
            headers,
            trusted,
            &["list-unsubscribe", "list-unsubscribe-post"],
        )
}

/// `mailto:leave@list.example?subject=leave`. RFC 6068
fn mail(link: &str) -> Option<UnsubscribeMail> {
    let rest = link.get(7..)?;
    if !link.get(..7)?.eq_ignore_ascii_case("mailto:") {
        return None;
    }
    let to = address::read_typed(link)?;
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let field = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        let value = address::percent_decode(value)?;
        let value = headers::one_line(&value, WORDS_CHARS_MAX);
        (!value.is_empty()).then_some(value)
    };
    Some(UnsubscribeMail {
        to,
        subject: field("subject"),
        body: field("body"),
    })
}

#[cfg(test)]
mod tests {
    use crate::read::tests::{OWN_SERVER, unsubscribe_of};

    const LINKS: &str = "List-Unsubscribe: <mailto:leave@list.example?subject=leave%20me>, <https://list.example/u/1>\r\n\
        List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";

    fn signed(fields: &str, verdict: &str) -> String {
        format!(
            "Authentication-Results: {OWN_SERVER}; dkim={verdict} header.d=list.example header.b=AbC1\r\n\
             DKIM-Signature: v=1; a=rsa-sha256; d=list.example; s=x; h={fields};\r\n bh=x; b=AbC1\r\n def\r\n\
             From: News <news@list.example>\r\n{LINKS}\r\ntext"
        )
    }

    #[test]
    fn rfc8058_one_click_needs_a_signature_over_both_headers() {
        let both = "From:List-Unsubscribe:List-Unsubscribe-Post";
        let found = unsubscribe_of(&signed(both, "pass")).unwrap();
        assert_eq!(found.one_click.as_deref(), Some("https://list.example/u/1"));
        let mail = found.mail.unwrap();
        assert_eq!(mail.to.as_str(), "leave@list.example");
        assert_eq!(mail.subject.as_deref(), Some("leave me"));
        for (fields, verdict) in [
            (both, "fail"),
            ("From:List-Unsubscribe", "pass"),
            ("From:List-Unsubscribe-Post", "pass"),
        ] {
            let found = unsubscribe_of(&signed(fields, verdict)).unwrap();
            assert_eq!(found.one_click, None, "{fields} {verdict}");
            assert!(found.mail.is_some());
        }
        let foreign = signed(both, "pass").replace(OWN_SERVER, "mx.evil.example");
        assert_eq!(unsubscribe_of(&foreign).unwrap().one_click, None);
        let other = signed(both, "pass").replace("header.b=AbC1", "header.b=XyZ9");
        assert_eq!(unsubscribe_of(&other).unwrap().one_click, None);
        let twice = signed(both, "pass").replace(
            "From: News",
            "List-Unsubscribe: <https://evil.example/>\r\nFrom: News",
        );
        let found = unsubscribe_of(&twice).and_then(|found| found.one_click);
        assert_eq!(found, None);
    }

    #[test]
    fn what_cannot_be_used_is_nothing() {
        for header in [
            "List-Unsubscribe: <http://list.example/u>",
            "List-Unsubscribe: leave@list.example",
            "List-Unsubscribe: <mailto:>",
            "List-Unsubscribe: <mailto:a@b.example\r\n",
            "List-Unsubscribe: <<>>",
            "X: y",
        ] {
            let mail = format!("{header}\r\nFrom: a@b.example\r\n\r\ntext");
            assert_eq!(unsubscribe_of(&mail), None, "{header}");
        }
    }
}
