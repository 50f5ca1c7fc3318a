//! Twilio: Programmable Messaging. Facts and set-up: `docs/twilio.md`.

mod config;
mod errors;
mod list;
mod messages;
mod signature;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use transom_adapter::{
    Account, AccountName, Attempt, Balance, Capabilities, CheckReport, Context, Failure,
    FetchFailure, Fetched, FileLimits, Handled, HttpClient, MediaRef, Outcome, Outgoing, Refused,
    TrustedOrigin, UnixMillis, WebRequest,
};

use self::signature::Secrets;
pub use self::{config::TwilioConfig, webhook::events};
use super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit, answer, catch_up, media, received::wire,
};
use crate::Country;

/// Ten files; Twilio takes 5 MB of pictures and scales them down itself, and 500 kB of anything else.
const FILES: FileLimits = FileLimits {
    count_max: 10,
    bytes_max: 500_000,
    total_bytes_max: 4_500_000,
    types: media::MMS_TYPES,
};

/// `kind = "twilio"`. `Body` takes 1600 characters: ten segments of 153, or 23 of 67, stay within.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("twilio", config::account, |_| TextLimit {
        gsm7: 10,
        ucs2: 23,
    })
}

/// One Twilio account.
struct TwilioAccount {
    name: AccountName,
    http: HttpClient,
    base_url: String,
    /// `https://api.twilio.com/2010-04-01/Accounts/AC…`
    api: String,
    account_sid: String,
    secrets: Secrets,
    messaging_service_sid: Option<String>,
    validity: Option<Duration>,
    /// How many messages may wait for an answer at once.
    window: u16,
    /// Our webhook, when Twilio can reach it.
    webhook_url: Option<String>,
    files: Option<FileLimits>,
    home: Country,
}

#[async_trait]
impl Account for TwilioAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        // Messages takes no idempotency key.
        Capabilities {
            concurrency: self.window,
            ..media::capabilities(self.webhook_url.is_some(), self.files)
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let form = match self.form(message) {
            Ok(form) => form,
            Err(refusal) => return refusal,
        };
        answer::of(
            self.http
                .call(self.post("/Messages.json").form(&form))
                .await,
            messages::outcome,
        )
    }

    async fn reconcile(&self, message: &Outgoing, attempt: Attempt) -> Option<Outcome> {
        // Not filtered by DateSent: a message that is still queued has none. The newest come first.
        let query = [
            ("To", wire(message.to.as_str(), self.home)),
            ("From", wire(message.from.as_str(), self.home)),
            ("PageSize", "100".to_owned()),
        ];
        let request = self.get("/Messages.json").query(&query);
        let reply = self.http.call(request).await.ok()?;
        messages::find(&reply, message, attempt.started_at)
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        catch_up::run(self, &self.name, context).await
    }

    fn webhook(&self, request: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        let fields = self.secrets.verify(request)?;
        webhook::handle(&fields, request.query, self.home)
    }

    /// `MediaUrl0` is of the API's own origin and redirects to a signed URL elsewhere.
    async fn fetch(&self, media: &MediaRef, bytes_max: u64) -> Result<Fetched, FetchFailure> {
        let token = self.secrets.auth_token.expose_secret();
        let from = (&*self.base_url, |origin: TrustedOrigin| {
            origin.basic(&self.account_sid, token)
        });
        media::fetch(&self.http, from, media, bytes_max).await
    }

    async fn balance(&self) -> Option<Balance> {
        let reply = self.http.call(self.get("/Balance.json")).await;
        let answer = answer::document(reply).ok()?;
        answer::balance(&answer["balance"], &answer["currency"])
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let account = self.http.call(self.get(".json")).await;
        messages::check_account(account, &mut report);
        let Some(url) = &self.webhook_url else {
            let fault = "http.public_url is not set: Twilio can bring neither messages nor reports";
            report.faults.push(fault.to_owned());
            return report;
        };
        let request = self
            .get("/IncomingPhoneNumbers.json")
            .query(&[("PageSize", "100")]);
        messages::check_numbers(self.http.call(request).await, url, &mut report);
        report
    }
}

impl TwilioAccount {
    fn form(&self, message: &Outgoing) -> Result<Vec<(&'static str, String)>, Outcome> {
        let mut form = vec![
            ("To", wire(message.to.as_str(), self.home)),
            ("From", wire(message.from.as_str(), self.home)),
        ];
        if !message.text.is_empty() {
            form.push(("Body", crate::normalise(&message.text).into_owned()));
        }
        let urls = media::urls(message)?.into_iter();
        form.extend(urls.map(|url| ("MediaUrl", url.to_owned())));
        if let Some(sid) = &self.messaging_service_sid {
            form.push(("MessagingServiceSid", sid.clone()));
        }
        if let Some(validity) = self.validity {
            form.push(("ValidityPeriod", validity.as_secs().to_string()));
        }
        if let Some(url) = &self.webhook_url {
            // The key makes reports find a message whose answer was lost. The signature covers it.
            form.push(("StatusCallback", format!("{url}?key={}", message.key)));
        }
        Ok(form)
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.signed_in(self.http.post(&format!("{}{path}", self.api)))
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.signed_in(self.http.get(&format!("{}{path}", self.api)))
    }

    fn signed_in(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let token: &SecretString = &self.secrets.auth_token;
        request.basic_auth(&self.account_sid, Some(token.expose_secret()))
    }
}

#[cfg(test)]
mod tests;
