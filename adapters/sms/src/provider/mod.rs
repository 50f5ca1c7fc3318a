//! Providers: who takes our texts to phones and brings theirs.

mod answer;
mod fields;
pub mod kannel;
pub mod twilio;

use std::{num::NonZeroU16, str::FromStr, sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use transom_adapter::{Account, AccountName, ConfigFault, HttpClient, Section, Signer};
use url::Url;

use crate::{Country, Encoding};

/// Builds the accounts of one kind of provider.
pub trait ProviderFactory: Send + Sync {
    /// The word after `kind =`.
    fn kind(&self) -> &'static str;

    /// Reads the provider's section (without `kind`) and builds the account.
    ///
    /// # Errors
    ///
    /// Every fault of the section.
    fn build(
        &self,
        name: AccountName,
        section: &Section,
        env: &ProviderEnv,
    ) -> Result<Arc<dyn Account>, Vec<ConfigFault>>;

    /// The longest text that an account of this section takes; asked only after it was built.
    fn text_limit(&self, _section: &Section) -> TextLimit {
        TextLimit::default()
    }

    /// In how many sends an account of this section takes a text; `None` where it is always one. Asked only after it was built.
    fn units(&self, _section: &Section) -> Option<Units> {
        None
    }
}

/// In how many sends a text goes.
pub type Units = Box<dyn Fn(&str) -> NonZeroU16 + Send + Sync>;

/// What every provider may use.
#[derive(Clone, Debug)]
pub struct ProviderEnv {
    /// HTTP with limits and deadlines.
    pub http: HttpClient,
    /// Tokens that cannot be guessed.
    pub signer: Signer,
    /// `http.public_url`: where providers call us.
    pub public_url: Option<Url>,
    /// `region`: how to read numbers without a country code.
    pub home: Country,
}

impl ProviderEnv {
    /// The URL of this account's webhook behind `base`, without a token.
    pub fn webhook_url(base: &Url, name: &AccountName) -> String {
        let base = base.as_str().trim_end_matches('/');
        format!("{base}/webhook/{}/{}", name.gateway(), name.short())
    }
}

/// The longest text a provider takes, in segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextLimit {
    /// For texts in GSM 7-bit.
    pub gsm7: u16,
    /// For texts in UCS-2.
    pub ucs2: u16,
}

impl TextLimit {
    /// The same for both alphabets.
    pub fn segments(max: u16) -> Self {
        Self {
            gsm7: max,
            ucs2: max,
        }
    }

    /// For a text in this encoding.
    pub fn of(self, encoding: Encoding) -> u16 {
        match encoding {
            Encoding::Gsm7 => self.gsm7,
            Encoding::Ucs2 => self.ucs2,
        }
    }
}

impl Default for TextLimit {
    /// 255 parts: a concatenated text cannot have more. 3GPP TS 23.040 §9.2.3.24.1
    fn default() -> Self {
        Self::segments(255)
    }
}

/// The providers that come with this crate.
pub(crate) fn built_in() -> [Box<dyn ProviderFactory>; 2] {
    [Box::new(twilio::Twilio), Box::new(kannel::Kannel)]
}

/// A secret that has to be there; its fault goes to `faults`.
fn required_secret(
    section: &Section,
    name: &str,
    secret: Result<Option<SecretString>, ConfigFault>,
    faults: &mut Vec<ConfigFault>,
) -> SecretString {
    match secret {
        Ok(Some(secret)) => return secret,
        Ok(None) => faults.push(section.fault(
            name,
            "is missing",
            format!("give {name}, or {name}_file with the path of a file that holds it"),
        )),
        Err(fault) => faults.push(fault),
    }
    SecretString::default()
}

/// An URL of the configuration; its fault goes to `faults`.
fn http_url(
    section: &Section,
    name: &str,
    text: &str,
    faults: &mut Vec<ConfigFault>,
) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if url.is_none() {
        faults.push(section.fault(
            name,
            "is not an http or https URL without query",
            "write it like https://api.example.com",
        ));
    }
    url
}

/// A humane duration (`4h`, `90s`) between two bounds; its fault goes to `faults`.
fn duration(
    section: &Section,
    name: &str,
    text: &str,
    bounds: (Duration, Duration),
    faults: &mut Vec<ConfigFault>,
) -> Option<Duration> {
    let parsed = jiff::SignedDuration::from_str(text).ok();
    let parsed = parsed.and_then(|value| Duration::try_from(value).ok());
    let parsed = parsed.filter(|value| (bounds.0..=bounds.1).contains(value));
    if parsed.is_none() {
        let (min, max) = (bounds.0.as_secs(), bounds.1.as_secs());
        faults.push(section.fault(
            name,
            format!("is not a duration from {min}s to {max}s"),
            "write it like 4h or 90s",
        ));
    }
    parsed
}

/// A count that may come as text: the environment gives nothing else.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u16),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}
