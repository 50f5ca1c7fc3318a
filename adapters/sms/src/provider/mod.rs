//! Providers: who takes our texts to phones and brings theirs.
//!
//! | what they have in common | |
//! |---|---|
//! | `settings` | the section of the configuration, every fault at once |
//! | `answer` | what an answer to a send means, as a table of codes |
//! | `access_token` | signing in with OAuth |
//! | `signature`, `jwt` | who calls |
//! | `fields`, `json` | what they say, in forms and in JSON |
//! | `received`, `media` | the text that it becomes, and files both ways |
//! | `catch_up` | texts that came while nobody answered |

mod access_token;
pub mod android;
mod answer;
pub mod bandwidth;
mod catch_up;
mod fields;
pub mod gammu;
mod header;
pub mod httpsms;
pub mod jasmin;
mod json;
mod jwt;
pub mod kannel;
mod media;
pub mod plivo;
mod received;
mod schema;
pub(crate) mod settings;
mod signature;
pub mod sinch;
pub mod smpp;
pub mod telnyx;
pub mod templated;
#[cfg(test)]
pub(crate) mod testing;
pub mod twilio;
pub mod vonage;

use std::{fmt, num::NonZeroU16, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use transom_adapter::{Account, AccountName, Clock, ConfigFault, HttpClient, Section, Signer};
use url::Url;

pub(crate) use schema::AnyProvider;

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
#[derive(Clone)]
pub struct ProviderEnv {
    /// For what a send has to date: a signature, an expiry.
    pub clock: Arc<dyn Clock>,
    /// HTTP with limits and deadlines.
    pub http: HttpClient,
    /// Tokens that cannot be guessed.
    pub signer: Signer,
    /// `http.public_url`: where providers call us.
    pub public_url: Option<Url>,
    /// `region`: how to read numbers without a country code.
    pub home: Country,
}

impl fmt::Debug for ProviderEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderEnv")
            .field("public_url", &self.public_url.as_ref().map(Url::as_str))
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

impl ProviderEnv {
    /// The URL of this account's webhook behind `base`, without a token.
    pub fn webhook_url(base: &Url, name: &AccountName) -> String {
        let base = base.as_str().trim_end_matches('/');
        format!("{base}/webhook/{}/{}", name.gateway(), name.short())
    }

    /// The same behind `callback_url`, or else behind `http.public_url`; `None` without either.
    pub(crate) fn way_back(&self, callback: Option<&Url>, name: &AccountName) -> Option<String> {
        let base = callback.or(self.public_url.as_ref())?;
        Some(Self::webhook_url(base, name))
    }

    /// The same with the token that stands in for a signature, for providers that are told it with each text.
    pub(crate) fn secret_way_back(
        &self,
        callback: Option<&Url>,
        name: &AccountName,
        token: &SecretString,
    ) -> Option<SecretString> {
        let url = self.way_back(callback, name)?;
        Some(format!("{url}/{}", token.expose_secret()).into())
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

/// A kind of provider of this crate: its word, how an account of it is built, and the longest text that one takes.
struct Kind<A> {
    word: &'static str,
    account: Build<A>,
    text_limit: fn(&Section) -> TextLimit,
}

/// Reads a section and builds the account.
type Build<A> = fn(AccountName, &Section, &ProviderEnv) -> Result<A, Vec<ConfigFault>>;

impl<A: Account + 'static> Kind<A> {
    fn boxed(
        word: &'static str,
        account: Build<A>,
        text_limit: fn(&Section) -> TextLimit,
    ) -> Box<dyn ProviderFactory> {
        Box::new(Self {
            word,
            account,
            text_limit,
        })
    }
}

impl<A: Account + 'static> ProviderFactory for Kind<A> {
    fn kind(&self) -> &'static str {
        self.word
    }

    fn build(
        &self,
        name: AccountName,
        section: &Section,
        env: &ProviderEnv,
    ) -> Result<Arc<dyn Account>, Vec<ConfigFault>> {
        Ok(Arc::new((self.account)(name, section, env)?))
    }

    fn text_limit(&self, section: &Section) -> TextLimit {
        (self.text_limit)(section)
    }
}

/// The providers that come with this crate.
pub(crate) fn built_in() -> Vec<Box<dyn ProviderFactory>> {
    vec![
        bandwidth::kind(),
        kannel::kind(),
        android::kind(),
        jasmin::kind(),
        gammu::kind(),
        httpsms::kind(),
        templated::kind(),
        plivo::kind(),
        sinch::kind(),
        Box::new(smpp::Smpp),
        telnyx::kind(),
        twilio::kind(),
        vonage::kind(),
    ]
}
