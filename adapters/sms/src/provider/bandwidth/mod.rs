//! Bandwidth: Messaging, API v2. Facts and set-up: `docs/bandwidth.md`.

mod codes;
mod config;
mod webhook;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Clock, ConfigFault, FetchFailure,
    Fetched, FileLimits, Handled, HttpClient, HttpReply, MediaRef, Outcome, Outgoing, Refused,
    Section, TrustedOrigin, UnixMillis, WebRequest,
};

use self::webhook::Reader;
pub use self::{config::BandwidthConfig, webhook::events};
use super::{
    ProviderEnv, ProviderFactory, TextLimit,
    access_token::{self, Bearer},
    answer, json, media,
    received::{self, wire},
    signature,
};
use crate::Country;

/// The kind of external id.
const ID: &str = "bandwidth";

/// What Bandwidth passes on to all carriers.
const FILES: FileLimits = FileLimits {
    count_max: 10,
    bytes_max: 1_000_000,
    total_bytes_max: 3_500_000,
    types: media::MMS_TYPES,
};

/// `kind = "bandwidth"`.
#[derive(Clone, Copy, Debug)]
pub struct Bandwidth;

impl ProviderFactory for Bandwidth {
    fn kind(&self) -> &'static str {
        "bandwidth"
    }

    fn build(
        &self,
        name: AccountName,
        section: &Section,
        env: &ProviderEnv,
    ) -> Result<Arc<dyn Account>, Vec<ConfigFault>> {
        Ok(Arc::new(config::account(name, section, env)?))
    }

    /// `text` takes 2048 characters: 13 segments of 153, or 30 of 67, stay within.
    fn text_limit(&self, _section: &Section) -> TextLimit {
        TextLimit { gsm7: 13, ucs2: 30 }
    }
}

/// One messaging application.
struct BandwidthAccount {
    name: AccountName,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    access: Bearer,
    base_url: String,
    /// `https://messaging.bandwidth.com/api/v2/users/{account}/messages`
    messages_url: String,
    application_id: String,
    webhook_token: SecretString,
    /// What Bandwidth's calls sign in with beside the token.
    webhook_login: Option<(String, SecretString)>,
    mms_delivery_reports: bool,
    /// Whether Bandwidth can call us.
    reached: bool,
    validity: Option<Duration>,
    files: Option<FileLimits>,
    home: Country,
}

#[async_trait]
impl Account for BandwidthAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            send_seconds_max: access_token::SEND_SECONDS_MAX,
            ..media::capabilities(self.reached, self.files)
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let body = match self.body(message) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let request = self.http.post(&self.messages_url).json(&body);
        match self.access.call(&self.http, request).await {
            Ok(reply) => outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    fn webhook(&self, request: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        signature::token(request, &self.webhook_token)?;
        if let Some((user, password)) = &self.webhook_login {
            signature::basic(request, user, password)?;
        }
        let reader = Reader {
            application_id: &self.application_id,
            mms_delivery_reports: self.mms_delivery_reports,
            home: self.home,
        };
        reader.handle(request.body)
    }

    async fn fetch(&self, media: &MediaRef, bytes_max: u64) -> Result<Fetched, FetchFailure> {
        let token = self.access.get().await;
        let token = token.map_err(|_| FetchFailure::Transient("no access token".to_owned()))?;
        let origin = TrustedOrigin::new(&self.base_url);
        let origin = origin.map(|origin| origin.bearer(token.expose_secret()));
        self.http
            .fetch(&media.url, bytes_max, origin.as_ref())
            .await
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        match self.access.get().await {
            Ok(_) => report
                .findings
                .push("Bandwidth gave an access token".to_owned()),
            Err(outcome) => report.faults.push(format!(
                "Bandwidth gives no access token: compare client_id and client_secret ({outcome:?})"
            )),
        }
        let url = self.reached.then_some("the webhook with its token");
        answer::check_way_back(url, "Bandwidth", &mut report);
        report
    }
}

impl BandwidthAccount {
    fn body(&self, message: &Outgoing) -> Result<Value, Outcome> {
        let urls = media::urls(message)?;
        let mut body = json!({
            "applicationId": self.application_id,
            "from": wire(message.from.as_str(), self.home),
            "to": [wire(message.to.as_str(), self.home)],
            "text": crate::normalise(&message.text),
            // Comes back with each callback; says as well whether it was an MMS.
            "tag": webhook::tag(message.key, !urls.is_empty()),
        });
        if !urls.is_empty() {
            body["media"] = urls.into();
        }
        if let Some(validity) = self.validity {
            let end = self.clock.now().after(validity).timestamp();
            body["expiration"] = end.to_string().into();
        }
        Ok(body)
    }
}

/// What became of a POST to messages. Its errors have words for codes, and the status says the same: 429 is a full queue of the
/// whole account.
fn outcome(reply: &HttpReply) -> Outcome {
    if !reply.status.is_success() {
        return answer::bare_status(reply.status, &reply.headers);
    }
    let document = json::parse(&reply.body).unwrap_or_default();
    match json::text(&document["id"]).and_then(|id| received::id(ID, &id)) {
        Some(id) => Outcome::Accepted { ids: vec![id] },
        None => answer::unreadable(reply),
    }
}

#[cfg(test)]
mod tests;
