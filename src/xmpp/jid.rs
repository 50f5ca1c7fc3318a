//! Addresses: the `jid` crate's types, and XEP-0106 for what may not stand in a localpart.
//!
//! [`escape`] and [`unescape`] are for text of other networks (`bob@example.com` ⇄ `bob\40example.com`). Only
//! the ten characters of the document are touched, and each function does its work once: text that is
//! already escaped is escaped again unless the caller unescapes it first.

pub use jid::{
    BareJid, DomainPart, DomainRef, Error, FullJid, Jid, NodePart, NodeRef, ResourcePart,
    ResourceRef,
};

/// XEP-0106 §3.2: the characters that nodeprep forbids, and the backslash, with their codes.
const CODES: [(char, &str); 10] = [
    (' ', "20"),
    ('"', "22"),
    ('&', "26"),
    ('\'', "27"),
    ('/', "2f"),
    (':', "3a"),
    ('<', "3c"),
    ('>', "3e"),
    ('@', "40"),
    ('\\', "5c"),
];

/// Why a text cannot become a localpart by XEP-0106.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EscapeError {
    /// XEP-0106 §4.1: `\20` may be neither the first nor the last code of a localpart.
    #[error("an address must not begin or end with a space")]
    SpaceAtEdge,
}

/// Escapes a text so that it can be the localpart of a JID (XEP-0106 §4.2).
///
/// # Errors
///
/// [`EscapeError::SpaceAtEdge`] for a text with a leading or trailing space, or with one that would stand there in a JID.
pub fn escape(text: &str) -> Result<String, EscapeError> {
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(EscapeError::SpaceAtEdge);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for (at, character) in text.char_indices() {
        match CODES.iter().find(|(plain, _)| *plain == character) {
            // XEP-0106 §4.2: a backslash is escaped only where it would else be read as an escape.
            Some(('\\', code)) => {
                escaped.push('\\');
                if text.get(at + 1..).and_then(code_at_start).is_some() {
                    escaped.push_str(code);
                }
            }
            Some((_, code)) => {
                escaped.push('\\');
                escaped.push_str(code);
            }
            None => escaped.push(character),
        }
    }
    // Nodeprep drops some characters: behind a space, a soft hyphen leaves the space at the edge.
    let prepared = (!escaped.is_ascii()).then(|| NodePart::new(&escaped));
    if let Some(Ok(prepared)) = prepared {
        unescape(prepared.as_str())?;
    }
    Ok(escaped)
}

/// Turns a localpart back into the text of the other network (XEP-0106 §4.3).
///
/// # Errors
///
/// [`EscapeError::SpaceAtEdge`] when the result would begin or end with a space.
pub fn unescape(localpart: &str) -> Result<String, EscapeError> {
    let mut plain = String::with_capacity(localpart.len());
    let mut rest = localpart;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        if let Some((character, remainder)) = code_at_start(after) {
            plain.push(character);
            rest = remainder;
        } else {
            plain.push('\\');
            rest = after;
        }
    }
    plain.push_str(rest);
    if plain.starts_with(' ') || plain.ends_with(' ') {
        return Err(EscapeError::SpaceAtEdge);
    }
    Ok(plain)
}

/// The character whose code the text begins with, and what follows the code.
///
/// Codes are lower case (XEP-0106 §3.2); nodeprep has folded those of a JID already.
fn code_at_start(text: &str) -> Option<(char, &str)> {
    CODES
        .iter()
        .find_map(|(plain, code)| Some((*plain, text.strip_prefix(code)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(plain: &str, escaped: &str) {
        assert_eq!(escape(plain).as_deref(), Ok(escaped));
        assert_eq!(unescape(escaped).as_deref(), Ok(plain));
    }

    #[test]
    fn the_examples_of_the_document() {
        // XEP-0106 §5.1
        check("space cadet", r"space\20cadet");
        check(r#"call me "ishmael""#, r"call\20me\20\22ishmael\22");
        check("at&t guy", r"at\26t\20guy");
        check("d'artagnan", r"d\27artagnan");
        check("/.fanboy", r"\2f.fanboy");
        check("::foo::", r"\3a\3afoo\3a\3a");
        check("<foo>", r"\3cfoo\3e");
        check("user@host", r"user\40host");
        check(r"c:\net", r"c\3a\net");
        check(r"c:\\net", r"c\3a\\net");
        check(r"c:\cool stuff", r"c\3a\cool\20stuff");
        check(r"c:\5commas", r"c\3a\5c5commas");
    }

    #[test]
    fn addresses_of_mail_and_phones() {
        check("bob@example.com", r"bob\40example.com");
        check(
            "here's_a_wild_&_/cr%zy/_address@ex.com",
            r"here\27s_a_wild_\26_\2fcr%zy\2f_address\40ex.com",
        );
        check("+12025550147", "+12025550147");
        check("bob+tag@example.com", r"bob+tag\40example.com");
        check("żółw@example.com", r"żółw\40example.com");
    }

    #[test]
    fn a_backslash_is_escaped_only_before_a_code() {
        check(r"a\b", r"a\b");
        check(r"a\40b", r"a\5c40b");
        check(r"a\5cb", r"a\5c5cb");
        check(r"a\\40", r"a\\5c40");
        check("a\\", "a\\");
        check(r"a\2", r"a\2");
        check(r"a\3A", r"a\3A");
    }

    #[test]
    fn a_space_at_the_edge_is_refused() {
        // Nodeprep maps a soft hyphen to nothing, and a wide digit to a narrow one.
        for text in [" a", "a ", " ", "h \u{ad}", "\u{ad} h", "h\\\u{ff12}0"] {
            assert_eq!(escape(text), Err(EscapeError::SpaceAtEdge), "for {text:?}");
        }
        for localpart in [r"\20a", r"a\20", r"\20"] {
            assert_eq!(
                unescape(localpart),
                Err(EscapeError::SpaceAtEdge),
                "for {localpart:?}"
            );
        }
    }

    #[test]
    fn what_is_escaped_is_a_localpart() {
        let escaped = escape(r#"a "b"&'c'/d:e<f>g@h\i"#).unwrap();
        assert!(NodePart::new(&escaped).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn unescape_undoes_escape(text in r#"[a-z5@\\ 204c"&'/:<>]{0,24}"#) {
            if let Ok(escaped) = escape(&text) {
                proptest::prop_assert_eq!(unescape(&escaped).unwrap(), text);
            }
        }
    }
}
