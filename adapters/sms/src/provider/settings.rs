//! Reading a provider's section of the configuration: every fault of it at once.

use std::{path::Path, str::FromStr as _, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use transom_adapter::{ConfigFault, Section};
use url::Url;

/// A section that is being read. What is wrong gathers here, and what is read meanwhile is of no use if anything is.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    section: &'a Section,
    faults: Vec<ConfigFault>,
}

impl<'a> Settings<'a> {
    /// Begins to read a section.
    pub(crate) fn of(section: &'a Section) -> Self {
        Self {
            section,
            faults: Vec::new(),
        }
    }

    /// Notes that the key `name` is wrong.
    pub(crate) fn fault(
        &mut self,
        name: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.faults.push(self.section.fault(name, problem, remedy));
    }

    /// An http or https URL without a query.
    pub(crate) fn url(&mut self, name: &str, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if url.is_none() {
            self.fault(
                name,
                "is not an http or https URL without query",
                "write it like https://api.example.com",
            );
        }
        url
    }

    /// The same as text without a slash at its end, for a path to be added.
    pub(crate) fn base_url(&mut self, name: &str, text: &str) -> String {
        let url = self.url(name, text);
        url.map_or_else(String::new, |url| {
            url.as_str().trim_end_matches('/').to_owned()
        })
    }

    /// The secret `name`, given as it is or as `{name}_file`, or not at all.
    pub(crate) fn optional_secret(
        &mut self,
        name: &str,
        value: Option<SecretString>,
        file: Option<&Path>,
    ) -> Option<SecretString> {
        let secret = self.section.secret(name, value, file);
        secret.unwrap_or_else(|fault| {
            self.faults.push(fault);
            None
        })
    }

    /// A secret that has to be there.
    pub(crate) fn secret(
        &mut self,
        name: &str,
        value: Option<SecretString>,
        file: Option<&Path>,
    ) -> SecretString {
        match self.section.secret(name, value, file) {
            Ok(Some(secret)) => return secret,
            Ok(None) => self.fault(
                name,
                "is missing",
                format!("give {name}, or {name}_file with the path of a file that holds it"),
            ),
            Err(fault) => self.faults.push(fault),
        }
        SecretString::default()
    }

    /// The token in the path of our webhook, for a provider that does not sign what it says (semantics 32).
    pub(crate) fn webhook_token(
        &mut self,
        value: Option<SecretString>,
        file: Option<&Path>,
    ) -> SecretString {
        const CHARS_MIN: usize = 16;
        let before = self.faults.len();
        let token = self.secret("webhook_token", value, file);
        let text = token.expose_secret();
        // It stands in a path, and in Kannel's escapes.
        if self.faults.len() == before && (text.len() < CHARS_MIN || !text.bytes().all(is_plain)) {
            self.fault(
                "webhook_token",
                format!("is not at least {CHARS_MIN} letters, digits, hyphens and underscores"),
                "make one with: openssl rand -hex 16",
            );
        }
        token
    }

    /// An id of the provider's that stands in paths and headers.
    pub(crate) fn id(&mut self, name: &str, value: &str) {
        const CHARS_MAX: usize = 128;
        if !(1..=CHARS_MAX).contains(&value.len()) || !value.bytes().all(is_plain) {
            self.fault(
                name,
                "is not an id of letters, digits, hyphens and underscores",
                "copy it from the provider's pages",
            );
        }
    }

    /// What stands in a header.
    pub(crate) fn header_value(&mut self, name: &str, value: &str) {
        if value.chars().any(char::is_control) {
            self.fault(name, "holds a control character", "remove it");
        }
    }

    /// A humane duration (`4h`, `90s`) between two bounds, both included.
    pub(crate) fn duration(
        &mut self,
        name: &str,
        text: Option<&str>,
        bounds: (Duration, Duration),
    ) -> Option<Duration> {
        let parsed = jiff::SignedDuration::from_str(text?).ok();
        let parsed = parsed.and_then(|value| Duration::try_from(value).ok());
        let parsed = parsed.filter(|value| (bounds.0..=bounds.1).contains(value));
        if parsed.is_none() {
            let (min, max) = (bounds.0.as_secs(), bounds.1.as_secs());
            self.fault(
                name,
                format!("is not a duration from {min}s to {max}s"),
                "write it like 4h or 90s",
            );
        }
        parsed
    }

    /// Builds the account if nothing was wrong.
    ///
    /// # Errors
    ///
    /// Every fault.
    pub(crate) fn built<T>(self, build: impl FnOnce() -> T) -> Result<T, Vec<ConfigFault>> {
        if self.faults.is_empty() {
            Ok(build())
        } else {
            Err(self.faults)
        }
    }

    /// The same with what is only there if nothing was wrong.
    ///
    /// # Errors
    ///
    /// Every fault; empty when `part` is missing without a fault, which is a mistake of the caller's.
    pub(crate) fn built_with<P, T>(
        self,
        part: Option<P>,
        build: impl FnOnce(P) -> T,
    ) -> Result<T, Vec<ConfigFault>> {
        match part {
            Some(part) => self.built(|| build(part)),
            None => Err(self.faults),
        }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_at_once_and_no_secret_with_it() {
        let section = Section {
            key: "gateway.sms.provider.main".into(),
            table: serde_json::Map::new(),
            base_dir: ".".into(),
        };
        let mut settings = Settings::of(&section);
        settings.base_url("base_url", "ftp://example.com");
        settings.secret("auth_token", None, None);
        settings.webhook_token(Some("short/secret".into()), None);
        settings.webhook_token(None, None);
        settings.id("account_id", "../x");
        settings.id("account_id", "");
        settings.header_value("username", "a\nb");
        let hour = Duration::from_hours(1);
        settings.duration("validity", Some("2h"), (Duration::ZERO, hour));
        settings.duration("validity", Some("soon"), (Duration::ZERO, hour));
        let faults = settings.built(|| ()).unwrap_err();
        let text: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), 9, "{text:?}");
        assert!(!text.concat().contains("short/secret"), "{text:?}");
    }

    #[test]
    fn what_is_right_is_read() {
        let section = Section {
            key: "x".into(),
            table: serde_json::Map::new(),
            base_dir: ".".into(),
        };
        let mut settings = Settings::of(&section);
        let base = settings.base_url("base_url", "https://api.example.com/");
        assert_eq!(base, "https://api.example.com");
        assert_eq!(
            settings.duration("validity", None, (Duration::ZERO, Duration::ZERO)),
            None
        );
        settings.webhook_token(Some("0123456789abcdef".into()), None);
        settings.id("account_id", "a-B_9");
        assert_eq!(settings.built(|| 1), Ok(1));
    }
}
