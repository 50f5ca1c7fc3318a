//! Who speaks for a domain, and what it asks for. RFC 7489

use psl::Psl;

/// The domain that an organization has registered: one label below a public suffix, or the domain itself where there is none.
/// RFC 7489 §3.2
///
/// `domain` is in its canonical form: small letters, A-labels.
pub(crate) fn organizational(domain: &str) -> &str {
    let known = psl::List.domain(domain.as_bytes());
    known
        .and_then(|known| std::str::from_utf8(known.trim().as_bytes()).ok())
        .unwrap_or(domain)
}

/// Whether two domains, in their canonical form, belong to one organization: relaxed alignment. RFC 7489 §3.1
pub(crate) fn same_organization(one: &str, other: &str) -> bool {
    organizational(one) == organizational(other)
}

/// Whether a text is a DMARC record: the version is its first tag. RFC 7489 §6.3
pub(crate) fn is_record(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    let tag = first.split_once('=');
    tag.is_some_and(|(name, value)| name.trim() == "v" && value.trim() == "DMARC1")
}

/// What a record asks for of the mails that fail: of its own domain, or of those below it. A record without a policy that is one asks
/// for nothing. RFC 7489 §6.3, §6.6.3
pub(crate) fn asked(record: &str, is_below: bool) -> &'static str {
    let tag = |wanted: &str| {
        let mut tags = record.split(';').filter_map(|tag| tag.split_once('='));
        let (_, value) = tags.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
        ["none", "quarantine", "reject"]
            .into_iter()
            .find(|known| value.trim().eq_ignore_ascii_case(known))
    };
    let below = is_below.then(|| tag("sp")).flatten();
    below.or_else(|| tag("p")).unwrap_or("none")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc7489_3_2_an_organization_is_one_label_below_a_public_suffix() {
        for (domain, want) in [
            ("example.org", "example.org"),
            ("mail.example.org", "example.org"),
            ("a.b.c.example.co.uk", "example.co.uk"),
            ("example.co.uk", "example.co.uk"),
            ("a.b.city.kawasaki.jp", "city.kawasaki.jp"),
            ("a.b.other.kawasaki.jp", "b.other.kawasaki.jp"),
            ("x.xn--bcher-kva.xn--p1ai", "xn--bcher-kva.xn--p1ai"),
            // Whoever gives names to strangers is a suffix.
            ("a.someone.github.io", "someone.github.io"),
            // What has no organization is its own.
            ("co.uk", "co.uk"),
            ("localhost", "localhost"),
            ("", ""),
            // Nobody lists it: the last label is the suffix.
            ("mail.host.internal", "host.internal"),
        ] {
            assert_eq!(organizational(domain), want, "for {domain}");
        }
        assert!(same_organization("a.example.com", "b.example.com"));
        assert!(!same_organization("a.co.uk", "b.co.uk"));
        assert!(!same_organization("evil-example.com", "example.com"));
    }

    #[test]
    fn rfc7489_6_3_the_version_is_the_first_tag_and_the_policy_a_known_word() {
        assert!(is_record("v=DMARC1; p=none"));
        assert!(is_record("v = DMARC1;p=none"));
        assert!(!is_record("p=none; v=DMARC1"));
        assert!(!is_record("v=DMARC10; p=none"));
        assert!(!is_record("v=spf1"));
        for (record, own, below) in [
            ("v=DMARC1; p=reject", "reject", "reject"),
            ("v=DMARC1; p=none; sp=reject", "none", "reject"),
            (
                "v=DMARC1;P=Quarantine ; sp=what",
                "quarantine",
                "quarantine",
            ),
            ("v=DMARC1; rua=mailto:a@example.org", "none", "none"),
        ] {
            assert_eq!((asked(record, false), asked(record, true)), (own, below));
        }
    }

    proptest! {
        #[test]
        fn an_organization_is_the_end_of_its_domain(domain in "([a-z\u{e4}-]{1,9}\\.){0,5}[a-z\u{e4}-]{1,9}") {
            prop_assert!(domain.ends_with(organizational(&domain)));
        }

        #[test]
        fn an_organization_is_some_part_of_any_text(text in ".{0,40}") {
            prop_assert!(text.contains(organizational(&text)));
        }

        #[test]
        fn any_text_asks_for_something(record in ".{0,80}") {
            is_record(&record);
            prop_assert!(["none", "quarantine", "reject"].contains(&asked(&record, true)));
        }
    }
}
