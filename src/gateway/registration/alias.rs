//! The mail address that a user picks where rule 16 of the semantics gives none.

use transom_adapter::Address;

use crate::gateway::Gateway;

/// RFC 5321 §4.5.3.1.1.
const LOCAL_BYTES_MAX: usize = 64;

/// Names that belong to the host and not to a person: RFC 2142, and what mail software writes as.
const RESERVED: [&str; 27] = [
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

/// The address of an alias (`bob`, or the whole of it); `None` where it can be nobody's.
pub(super) fn address(gateway: &Gateway, alias: &str) -> Option<Address> {
    // The domain of our addresses is the adapter's to know; every address that it makes shows it.
    let sample = gateway.adapter.own_address("x@x.invalid")?;
    let (_, domain) = sample.as_str().rsplit_once('@')?;
    let alias = alias.trim().to_lowercase();
    let name = match alias.split_once('@') {
        Some((name, of)) => Some(name).filter(|_| of == domain)?,
        None => alias.as_str(),
    };
    if !is_good(name) {
        return None;
    }
    gateway.adapter.read_typed(&format!("{name}@{domain}")).ok()
}

/// Semantics 16: neither reserved, nor with `+` or `=`, nor beyond ASCII, nor too long.
fn is_good(name: &str) -> bool {
    let letters = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'));
    let edges = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    let reserved = RESERVED.contains(&name) || name.starts_with("bounce");
    letters && edges && !name.contains("..") && name.len() <= LOCAL_BYTES_MAX && !reserved
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
}
