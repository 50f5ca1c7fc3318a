//! The addresses of our own that users get (semantics 16).

use transom_adapter::Address;

use crate::address;

/// RFC 5321 §4.5.3.1.1.
const LOCAL_BYTES_MAX: usize = 64;

/// Names that belong to the host and not to a person: RFC 2142, and what mail software writes as.
const RESERVED: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "billing",
    "daemon",
    "ftp",
    "help",
    "hostmaster",
    "info",
    "mailer-daemon",
    "marketing",
    "news",
    "no-reply",
    "nobody",
    "noc",
    "noreply",
    "postmaster",
    "root",
    "sales",
    "security",
    "ssladmin",
    "support",
    "trouble",
    "usenet",
    "uucp",
    "webmaster",
    "www",
];

/// The address that follows from a JID: users of `home` by their name, others with their domain behind the last `=`.
pub(crate) fn derived(user: &str, home: Option<&str>, address_domain: &str) -> Option<Address> {
    let (name, domain) = user.split_once('@')?;
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if !plain {
        return None;
    }
    let local = if home == Some(domain) {
        let name = name.to_lowercase();
        (!is_reserved(&name)).then_some(name)?
    } else {
        format!("{name}={}", address::canonical_domain(domain)?)
    };
    address::canonical(&format!("{local}@{address_domain}"))
}

/// The address that somebody picked (`bob`, or the whole of it); `None` where it can be nobody's.
pub(crate) fn picked(picked: &str, address_domain: &str) -> Option<Address> {
    let picked = picked.trim().to_lowercase();
    let name = match picked.split_once('@') {
        Some((name, of)) => Some(name).filter(|_| of == address_domain)?,
        None => picked.as_str(),
    };
    if !is_good(name) {
        return None;
    }
    address::canonical(&format!("{name}@{address_domain}"))
}

/// Neither reserved, nor with `+` or `=`, nor beyond ASCII, nor too long.
fn is_good(name: &str) -> bool {
    let letters = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'));
    let edges = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    let dots = !name.contains("..");
    letters && edges && dots && name.len() <= LOCAL_BYTES_MAX && !is_reserved(name)
}

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("bounce")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_host_and_odd_ones_are_nobodys() {
        for good in ["bob", "b", "bob.smith-2_x"] {
            assert!(is_good(good), "{good}");
        }
        let long = "a".repeat(65);
        for bad in [
            "",
            ".",
            "-bob",
            "bob.",
            "a..b",
            "postmaster",
            "bounces",
            "bob+x",
            "a=b",
            "bób",
            "a b",
            "a\r\nb",
            &long,
        ] {
            assert!(!is_good(bad), "{bad}");
        }
    }

    #[test]
    fn a_picked_address_is_of_our_domain() {
        let picked = |text| picked(text, "mail.example.org").map(|found| found.to_string());
        let bob = Some("bob@mail.example.org".to_owned());
        assert_eq!(picked(" Bob "), bob);
        assert_eq!(picked("bob@mail.example.org"), bob);
        assert_eq!(picked("bob@example.net"), None);
        assert_eq!(picked("postmaster@mail.example.org"), None);
    }
}
