//! What the site's own mail server found out about the sender: Authentication-Results and spam verdicts.

use transom_adapter::{Address, Class, Suspicion};

use crate::headers::Headers;
use crate::{address, dmarc};

/// More results than this in one header are not looked at.
const RESULTS_MAX: usize = 50;

/// Headers that spam filters mark mails with, and how a mark begins (lower case). Only a bad word counts, and nobody forges one against
/// themselves, so it does not matter who wrote it.
const SPAM: &[(&str, &str)] = &[
    ("X-Spam-Flag", "yes"),
    ("X-Spam-Status", "yes"),
    ("X-Spam", "yes"),
    ("X-Rspamd-Action", "add header"),
    ("X-Rspamd-Action", "rewrite subject"),
    ("X-Rspamd-Action", "reject"),
    ("X-Bogosity", "spam"),
    ("X-Bogosity", "yes"),
    ("X-DSPAM-Result", "spam"),
    ("X-Spam-Action", "reject"),
];

/// Everything that speaks against a mail's sender. `trusted`: whose Authentication-Results count; empty: nobody's.
pub(crate) fn suspicions(
    headers: &Headers<'_>,
    author: &Address,
    class: Class,
    trusted: &[String],
) -> Vec<Suspicion> {
    let mut found = Vec::new();
    if is_spam(headers) {
        found.push(Suspicion::Spam);
    }
    // A list changes what it passes on, which breaks its authors' signatures.
    if class != Class::List {
        found.extend(dmarc(headers, author, trusted));
    }
    let claimed = headers
        .claimed_address()
        .filter(|claimed| claimed != author);
    found.extend(claimed.map(Suspicion::NameShowsAddress));
    found
}

/// Whether a spam filter on the way took it for spam.
pub(crate) fn is_spam(headers: &Headers<'_>) -> bool {
    SPAM.iter().any(|(name, mark)| {
        let value = headers.first(name).unwrap_or_default();
        let start = value.get(..mark.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(mark)
    })
}

/// The DMARC verdict of the trusted server, when it is a bad one. The topmost instance that has a verdict counts: what stands
/// below may have come with the mail. RFC 8601 §5
fn dmarc(headers: &Headers<'_>, author: &Address, trusted: &[String]) -> Option<Suspicion> {
    let mut results = headers
        .all("Authentication-Results")
        .filter_map(|value| Results::read(value, trusted));
    let mut arc_passed = false;
    let verdict = results.find_map(|results| {
        arc_passed |= results.has("arc", "pass");
        results.into_method("dmarc")
    })?;
    let domain = author.as_str().rsplit('@').next().unwrap_or_default();
    let is_about_author = verdict
        .from
        .as_deref()
        .and_then(address::canonical_domain)
        // Some servers name the domain whose record it was.
        .is_none_or(|from| dmarc::same_organization(&from, domain));
    // RFC 8617: a chain of hosts that vouch for each other.
    if verdict.result != "fail" || !is_about_author || arc_passed {
        return None;
    }
    Some(if verdict.asked(domain) == Some("reject") {
        Suspicion::Disowned
    } else {
        Suspicion::Unverified
    })
}

/// Whether a signature that the trusted server verified covers these fields (lower case). RFC 6376 §3.5
pub(crate) fn is_signed(headers: &Headers<'_>, trusted: &[String], fields: &[&str]) -> bool {
    let mut results = headers
        .all("Authentication-Results")
        .filter_map(|value| Results::read(value, trusted));
    // What stands below the topmost verdict may have come with the mail.
    let Some(results) = results.find(|results| results.methods.iter().any(Method::is_dkim)) else {
        return false;
    };
    let passed: Vec<&Method> = results
        .methods
        .iter()
        .filter(|method| method.is_dkim() && method.result == "pass")
        .collect();
    headers
        .all("DKIM-Signature")
        .take(RESULTS_MAX)
        .any(|signature| {
            let tag = |name: &str| tag(signature, name);
            let covered = tag("h").unwrap_or_default();
            let covers = |field: &&str| covered.split(':').any(|name| name == *field);
            let is_meant = |method: &&Method| {
                let (domain, value) = (tag("d"), tag("b").unwrap_or_default());
                domain.is_some() && method.domain == domain
                    // RFC 6008: the first characters say which of several it was.
                    && method.signature.as_ref().is_none_or(|start| value.starts_with(start))
            };
            fields.iter().all(covers) && passed.iter().any(is_meant)
        })
}

/// A tag of a DKIM signature, in lower case and without white space.
fn tag(signature: &str, name: &str) -> Option<String> {
    let mut tags = signature.split(';').filter_map(|tag| tag.split_once('='));
    let (_, value) = tags.find(|(tag, _)| tag.trim() == name)?;
    let value: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    Some(value.to_lowercase())
}

/// One Authentication-Results header of a server that is trusted. RFC 8601 §2.2
struct Results {
    methods: Vec<Method>,
}

/// `dmarc=fail (p=reject) header.from=example.com`
struct Method {
    name: String,
    result: String,
    /// What counted in the end, where the server says so.
    applied: Option<String>,
    /// What the domain asks for; in a comment, mostly.
    policy: Option<String>,
    /// What it asks for of the domains below it. RFC 7489 §6.3
    below: Option<String>,
    from: Option<String>,
    /// Who signed.
    domain: Option<String>,
    /// How the signature begins.
    signature: Option<String>,
}

impl Results {
    /// `None` when somebody else wrote it.
    fn read(value: &str, trusted: &[String]) -> Option<Self> {
        let mut parts = split(value);
        let first = parts.next()?;
        let id = first.split_whitespace().next()?.trim_matches('"');
        let is_trusted = trusted.iter().any(|known| known.eq_ignore_ascii_case(id));
        let methods = parts
            .take(RESULTS_MAX)
            .filter_map(|part| Method::read(&part));
        is_trusted.then(|| Self {
            methods: methods.collect(),
        })
    }

    fn has(&self, name: &str, result: &str) -> bool {
        let is_it = |method: &Method| method.name == name && method.result == result;
        self.methods.iter().any(is_it)
    }

    fn into_method(self, name: &str) -> Option<Method> {
        self.methods.into_iter().find(|method| method.name == name)
    }
}

impl Method {
    fn is_dkim(&self) -> bool {
        self.name == "dkim"
    }

    /// What is asked for of mails from this domain.
    fn asked(&self, domain: &str) -> Option<&str> {
        let is_below = dmarc::organizational(domain) != domain;
        let published = self.below.as_ref().filter(|_| is_below);
        let asked = self.applied.as_ref().or(published);
        asked.or(self.policy.as_ref()).map(String::as_str)
    }

    fn read(part: &str) -> Option<Self> {
        let spaced = part.to_lowercase().replace(['(', ')', '"', ','], " ");
        let mut words = spaced.split_whitespace();
        let (name, result) = words.next()?.split_once('=')?;
        let mut method = Self {
            // A version may stand behind the name.
            name: name.split('/').next().unwrap_or_default().to_owned(),
            result: result.to_owned(),
            applied: None,
            policy: None,
            below: None,
            from: None,
            domain: None,
            signature: None,
        };
        for word in words {
            match word.split_once('=') {
                Some(("policy" | "policy.dmarc", value)) => {
                    method.applied.get_or_insert_with(|| value.to_owned());
                }
                Some(("p" | "policy.published-domain-policy", value)) => {
                    method.policy.get_or_insert_with(|| value.to_owned());
                }
                Some(("sp" | "policy.published-subdomain-policy", value)) => {
                    method.below.get_or_insert_with(|| value.to_owned());
                }
                Some(("header.from", value)) => method.from = Some(value.to_owned()),
                Some(("header.d", value)) => method.domain = Some(value.to_owned()),
                Some(("header.i", value)) => {
                    let domain = value.rsplit('@').next().unwrap_or(value);
                    method.domain.get_or_insert_with(|| domain.to_owned());
                }
                Some(("header.b", value)) => method.signature = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(method)
    }
}

/// The parts between semicolons; those inside quotes and comments divide nothing. RFC 5322 §3.2.2
fn split(value: &str) -> impl Iterator<Item = String> {
    let (mut parts, mut depth, mut quoted, mut escaped) =
        (vec![String::new()], 0_u32, false, false);
    for c in value.chars() {
        let special = !escaped;
        escaped = special && c == '\\' && (quoted || depth > 0);
        match c {
            '"' if special && depth == 0 => quoted = !quoted,
            '(' if special && !quoted => depth += 1,
            ')' if special && !quoted => depth = depth.saturating_sub(1),
            ';' if depth == 0 && !quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::tests::{OWN_SERVER, suspicions_of};

    #[track_caller]
    fn check(header: &str, want: &[Suspicion]) {
        let mail = format!("{header}\r\nFrom: Bob <bob@example.com>\r\nSubject: x\r\n\r\ntext");
        assert_eq!(suspicions_of(mail.as_bytes()), want, "for {header}");
    }

    /// facts: only the trusted server's results count, others are ignored.
    #[test]
    fn only_the_trusted_servers_results_count() {
        let fail = "dmarc=fail (p=none dis=none) header.from=example.com";
        check(
            &format!("Authentication-Results: {OWN_SERVER}; {fail}"),
            &[Suspicion::Unverified],
        );
        check(
            &format!("Authentication-Results: {OWN_SERVER} 1; spf=pass smtp.mailfrom=x; {fail}"),
            &[Suspicion::Unverified],
        );
        check(
            &format!("Authentication-Results: MX.Example.ORG; {fail}"),
            &[Suspicion::Unverified],
        );
        check(
            &format!("Authentication-Results: mx.evil.example; {fail}"),
            &[],
        );
        check(
            &format!("Authentication-Results: \"{OWN_SERVER}; x\"; {fail}"),
            &[],
        );
        check(
            &format!("Authentication-Results: ({OWN_SERVER}) other; {fail}"),
            &[],
        );
        // What stands lower came with the mail.
        let pass =
            format!("Authentication-Results: {OWN_SERVER}; dmarc=pass header.from=example.com");
        check(
            &format!("Authentication-Results: {OWN_SERVER}; {fail}\r\n{pass}"),
            &[Suspicion::Unverified],
        );
        check(
            &format!("{pass}\r\nAuthentication-Results: {OWN_SERVER}; {fail}"),
            &[],
        );
    }

    #[test]
    fn what_the_domain_asks_for_is_found_in_every_dialect() {
        for verdict in [
            "dmarc=fail (p=REJECT sp=NONE dis=NONE) header.from=example.com",
            "dmarc=fail header.from=example.com policy.dmarc=reject",
            "dmarc=fail reason=\"No valid SPF; no valid DKIM\" header.from=example.com (policy=reject)",
            "dmarc=fail (policy=reject, because of (nested; words)) header.from=\"example.com\"",
        ] {
            check(
                &format!("Authentication-Results: {OWN_SERVER}; spf=fail; {verdict}"),
                &[Suspicion::Disowned],
            );
        }
    }

    /// RFC 7489 §6.3: `sp` is for whatever is below the organization's own domain.
    #[test]
    fn rfc7489_what_is_asked_for_below_an_organization_is_its_subdomain_policy() {
        for (author, verdict, want) in [
            (
                "news.example.com",
                "(p=REJECT sp=NONE)",
                Suspicion::Unverified,
            ),
            (
                "news.example.com",
                "(p=NONE sp=REJECT)",
                Suspicion::Disowned,
            ),
            ("news.example.com", "(p=REJECT)", Suspicion::Disowned),
            ("example.com", "(p=NONE sp=REJECT)", Suspicion::Unverified),
            // A public suffix is no organization.
            ("example.co.uk", "(p=NONE sp=REJECT)", Suspicion::Unverified),
            (
                "news.example.com",
                "(p=NONE sp=NONE) policy.dmarc=reject",
                Suspicion::Disowned,
            ),
        ] {
            let mail = format!(
                "Authentication-Results: {OWN_SERVER}; dmarc=fail {verdict}\r\nFrom: <bob@{author}>\r\n\r\ntext"
            );
            assert_eq!(suspicions_of(mail.as_bytes()), [want], "for {mail}");
        }
    }

    /// RFC 7489 §3.1: a server may name the organization, whose record it was; another organization's verdict is about another mail.
    #[test]
    fn rfc7489_a_verdict_is_about_the_author_where_the_organization_is_the_same() {
        for (from, want) in [
            ("example.co.uk", &[Suspicion::Unverified][..]),
            ("a.example.co.uk", &[Suspicion::Unverified]),
            ("other.co.uk", &[]),
            ("co.uk", &[]),
        ] {
            let mail = format!(
                "Authentication-Results: {OWN_SERVER}; dmarc=fail header.from={from}\r\nFrom: <bob@news.example.co.uk>\r\n\r\ntext"
            );
            assert_eq!(suspicions_of(mail.as_bytes()), want, "for {from}");
        }
    }

    #[test]
    fn no_warning_where_there_is_nothing_to_warn_of() {
        for quiet in [
            "dmarc=none",
            "none",
            "dmarc=temperror",
            "dmarc=fail header.from=other.example",
            "arc=pass; dmarc=fail (p=reject) header.from=example.com",
        ] {
            check(
                &format!("Authentication-Results: {OWN_SERVER}; {quiet}"),
                &[],
            );
        }
        check(
            &format!(
                "List-Id: <l.example.com>\r\nAuthentication-Results: {OWN_SERVER}; dmarc=fail"
            ),
            &[],
        );
        check("X-Spam-Flag: NO", &[]);
    }

    #[test]
    fn a_spam_verdict_is_believed_and_a_clean_one_says_nothing() {
        for header in [
            "X-Spam-Flag: YES",
            "X-Spam-Status: Yes, score=9.1",
            "X-Spam: Yes",
            "X-Rspamd-Action: add header",
        ] {
            check(header, &[Suspicion::Spam]);
        }
    }

    #[test]
    fn a_name_that_shows_another_address_is_told() {
        let mail = b"From: \"service@bank.example\" <bob@example.com>\r\n\r\ntext";
        let shown = Suspicion::NameShowsAddress(Address::new("service@bank.example"));
        assert_eq!(suspicions_of(mail), [shown]);
        let same = b"From: \"Bob (bob@example.com)\" <bob@example.com>\r\n\r\ntext";
        assert_eq!(suspicions_of(same), []);
    }

    #[test]
    fn odd_headers_do_no_harm() {
        for odd in [
            "",
            ";",
            ";;;",
            "(((",
            "\"",
            "\\",
            "a;=;b=",
            "mx.example.org; dmarc",
        ] {
            check(&format!("Authentication-Results: {odd}"), &[]);
        }
    }
}
