//! Mail addresses: the canonical form, and reading what people type.

use transom_adapter::Address;
use url::Host;

// RFC 5321 §4.5.3.1.1 and §4.5.3.1.2
const LOCAL_BYTES_MAX: usize = 64;
const DOMAIN_BYTES_MAX: usize = 255;

/// The canonical form of an addr-spec: lower case, the domain as A-labels. `None` when it is none that we can carry.
///
/// Quoted local parts and address literals are refused: no JID and no person uses them.
pub(crate) fn canonical(text: &str) -> Option<Address> {
    let (local, domain) = text.split_once('@')?;
    let domain = canonical_domain(domain)?;
    let local = local.to_lowercase();
    let fits = (1..=LOCAL_BYTES_MAX).contains(&local.len()) && is_dot_atom(&local);
    let address = format!("{local}@{domain}");
    // The library that writes the envelope has the last word.
    let known = fits && address.parse::<lettre::Address>().is_ok();
    known.then(|| Address::new(address))
}

/// A domain in lower-case A-labels (RFC 5890).
pub(crate) fn canonical_domain(text: &str) -> Option<String> {
    // `Host` undoes percent signs and takes much else that mail does not.
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.') || is_letter_beyond_ascii(c));
    let labels = text.split('.').all(|label| !label.is_empty());
    if !plain || !labels {
        return None;
    }
    match Host::parse(text).ok()? {
        Host::Domain(domain) if domain.len() <= DOMAIN_BYTES_MAX => Some(domain),
        _ => None,
    }
}

/// Reads what a person typed or pasted: `Bob <bob@example.com>`, `mailto:bob@example.com?subject=hi`.
pub(crate) fn read_typed(typed: &str) -> Option<Address> {
    let typed = typed.trim();
    let inner = match (typed.rfind('<'), typed.rfind('>')) {
        (Some(open), Some(close)) if open < close => typed.get(open + 1..close)?,
        _ => typed,
    };
    let inner = inner.trim();
    let is_link = inner
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    if !is_link {
        return canonical(inner);
    }
    let address = inner.get(7..)?.split('?').next()?;
    canonical(&percent_decode(address)?)
}

/// Whether mail to this address needs SMTPUTF8 (RFC 6531) all the way.
pub(crate) fn needs_smtputf8(address: &Address) -> bool {
    !address.as_str().is_ascii()
}

/// RFC 5322 §3.2.3 `dot-atom-text`, widened by RFC 6532 §3.2.
fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| {
        !atom.is_empty()
            && atom.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || "!#$%&'*+-/=?^_`{|}~".contains(c)
                    || is_letter_beyond_ascii(c)
            })
    })
}

fn is_letter_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !is_invisible(c)
}

/// Characters that change how text looks without being seen: bidi controls and zero widths.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let got = canonical(text);
        assert_eq!(got.as_ref().map(Address::as_str), want, "for {text:?}");
    }

    #[test]
    fn the_canonical_form_is_lower_case_with_an_ascii_domain() {
        check("Bob@Example.COM", Some("bob@example.com"));
        check("bob+news@example.com", Some("bob+news@example.com"));
        check("o'neil=x@example.com", Some("o'neil=x@example.com"));
        check("bob@bücher.example", Some("bob@xn--bcher-kva.example"));
        check("müller@example.com", Some("müller@example.com"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "bob",
            "@example.com",
            "bob@",
            "bob@@example.com",
            "bob@a@example.com",
            "\"b ob\"@example.com",
            "b ob@example.com",
            "bob@exa mple.com",
            "bob@.example.com",
            "bob@example..com",
            "bob@[127.0.0.1]",
            "bob@127.0.0.1",
            "bob@ex%61mple.com",
            ".bob@example.com",
            "b..ob@example.com",
            "bob\r\nRCPT TO:<x>@example.com",
            "bob\0@example.com",
            "bob@example.com\n",
            "bob\u{202e}@example.com",
            "<bob@example.com>",
        ] {
            check(text, None);
        }
        check(&format!("{}@example.com", "x".repeat(65)), None);
        check(&format!("bob@{}.com", "x".repeat(260)), None);
    }

    #[test]
    fn typed_forms_are_understood() {
        for typed in [
            "bob@example.com",
            "  Bob@example.com ",
            "Bob <bob@example.com>",
            "\"B > B\" <bob@example.com>",
            "mailto:bob@example.com",
            "MAILTO:bob%40example.com?subject=hi",
            "<mailto:bob@example.com>",
        ] {
            let got = read_typed(typed);
            let got = got.as_ref().map(Address::as_str);
            assert_eq!(got, Some("bob@example.com"), "for {typed:?}");
        }
        for typed in [
            "",
            "bob",
            "Bob <>",
            "mailto:",
            "mailto:%zz@example.com",
            ">@<",
        ] {
            assert_eq!(read_typed(typed), None, "for {typed:?}");
        }
    }
}
