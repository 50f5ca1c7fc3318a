//! Addresses written as URIs, as links and address books have them: `tel:` (RFC 3966), `sms:` (RFC 5724), `mailto:` (RFC 6068),
//! `xmpp:` (RFC 5122).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// RFC 5122 §2.2: what stands in a JID and not in a URI; the backslash of XEP-0106 before all.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A JID as a URI.
pub(super) fn of_jid(jid: &str) -> String {
    format!("xmpp:{}", utf8_percent_encode(jid, ENCODED))
}

/// The address of such a URI; anything else stays as it is.
pub(super) fn address(typed: &str) -> Cow<'_, str> {
    let typed = typed.trim();
    let Some((scheme, rest)) = typed.split_once(':') else {
        return Cow::Borrowed(typed);
    };
    let rest = rest.split('?').next().unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        // RFC 3966 §3: parameters behind the number.
        "tel" | "sms" | "smsto" | "mms" => decoded(rest.split(';').next().unwrap_or_default()),
        "mailto" => decoded(rest),
        _ => Cow::Borrowed(typed),
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text.trim()).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jid_as_a_uri_has_no_backslash() {
        for (jid, uri) in [
            (
                "+12025550147@sms.example.org",
                "xmpp:+12025550147@sms.example.org",
            ),
            (
                r"bob\40example.com@mail.example.org",
                "xmpp:bob%5C40example.com@mail.example.org",
            ),
            // RFC 5122 §2.7.2
            ("ji\u{159}i@example.org", "xmpp:ji%C5%99i@example.org"),
        ] {
            assert_eq!(of_jid(jid), uri);
        }
    }

    #[test]
    fn the_address_of_a_uri_is_found() {
        for (typed, plain) in [
            ("tel:+1-202-555-0147", "+1-202-555-0147"),
            (" TEL:0171%20123456;phone-context=+49 ", "0171 123456"),
            ("sms:+12025550147?body=hi%20there", "+12025550147"),
            (
                "mailto:bob%2Bx@example.com?subject=a:b",
                "bob+x@example.com",
            ),
            ("mailto:", ""),
            ("+12025550147", "+12025550147"),
            ("Bob: <bob@example.com>", "Bob: <bob@example.com>"),
            ("xmpp:bob@example.com", "xmpp:bob@example.com"),
        ] {
            assert_eq!(address(typed), plain, "{typed}");
        }
    }
}
