//! Bandwidth: Messaging, API v2. Facts and set-up: `docs/bandwidth.md`.

mod codes;
mod config;
mod webhook;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Clock, FetchFailure, Fetched,
    FileLimits, Group, Groups, Handled, HttpClient, HttpReply, MediaRef, Outcome, Outgoing,
    Refused, TrustedOrigin, UnixMillis, WebRequest,
};

use self::webhook::Reader;
pub use self::{config::BandwidthConfig, webhook::events};
use super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit,
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

/// `kind = "bandwidth"`. `text` takes 2048 characters: 13 segments of 153, or 30 of 67, stay within.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("bandwidth", config::account, |_| TextLimit {
        gsm7: 13,
        ucs2: 30,
    })
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

    fn groups(&self) -> Groups {
        Groups::AtOnce { members_max: 10 }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let body = match self.body(message) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let request = self.http.post(&self.messages_url).json(&body);
        match self.access.call(&self.http, request).await {
            Ok(reply) => outcome(&reply, message.group.as_ref()),
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
        let from = (&*self.base_url, |origin: TrustedOrigin| {
            origin.bearer(token.expose_secret())
        });
        media::fetch(&self.http, from, media, bytes_max).await
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
        // Several numbers make it a group MMS.
        let to: Vec<_> = message
            .reached()
            .map(|to| wire(to.as_str(), self.home))
            .collect();
        let kind = match (&message.group, urls.is_empty()) {
            (Some(_), _) => webhook::Kind::Group,
            (None, true) => webhook::Kind::Sms,
            (None, false) => webhook::Kind::Mms,
        };
        let mut body = json!({
            "applicationId": self.application_id,
            "from": wire(message.from.as_str(), self.home),
            "to": to,
            "text": crate::normalise(&message.text),
            // Comes back with each callback; says as well whether it was an MMS.
            "tag": webhook::tag(message.key, kind),
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
fn outcome(reply: &HttpReply, group: Option<&Group>) -> Outcome {
    if !reply.status.is_success() {
        return answer::bare_status(reply.status, &reply.headers);
    }
    let document = json::parse(&reply.body).unwrap_or_default();
    let id = json::text(&document["id"]).and_then(|id| received::id(ID, &id));
    match (id, group) {
        (Some(id), Some(group)) => Outcome::Accepted {
            ids: received::group_ids(ID, &id.value, group),
        },
        (Some(id), None) => Outcome::Accepted { ids: vec![id] },
        (None, _) => answer::unreadable(reply),
    }
}

#[cfg(test)]
mod tests;
