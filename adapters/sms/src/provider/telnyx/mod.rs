//! Telnyx: Messaging, API v2. Facts and set-up: `docs/telnyx.md`.

mod config;
mod errors;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use transom_adapter::{
    Account, AccountName, Attempt, Balance, Capabilities, CheckReport, ExternalId, FetchFailure,
    Fetched, FileLimits, Group, Groups, Handled, HttpClient, HttpReply, MediaRef, Outcome,
    Outgoing, Refused, Repeat, TrustedOrigin, UnixMillis, WebRequest,
};

pub use self::{config::TelnyxConfig, webhook::events};
use super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit, answer, json, media,
    received::{self, wire},
    signature::{fresh, required},
};
use crate::Country;

/// The kind of external id.
const ID: &str = "telnyx";

/// "The total size of all media must be less than 1 MB."
const FILES: FileLimits = FileLimits {
    count_max: 10,
    bytes_max: 900_000,
    total_bytes_max: 900_000,
    types: media::MMS_TYPES,
};

/// Telnyx knows an Idempotency-Key for a day.
const KEY_KEPT: Duration = Duration::from_hours(20);

/// `kind = "telnyx"`. More than ten parts are refused with 40302.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("telnyx", config::account, |_| TextLimit::segments(10))
}

/// One Telnyx account.
struct TelnyxAccount {
    name: AccountName,
    http: HttpClient,
    base_url: String,
    api_key: SecretString,
    public_key: [u8; 32],
    messaging_profile_id: Option<String>,
    /// Our webhook, when Telnyx can reach it.
    webhook_url: Option<String>,
    files: Option<FileLimits>,
    home: Country,
}

#[async_trait]
impl Account for TelnyxAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // A repeat with the same Idempotency-Key within a day is answered with what became of the first.
            repeat: Repeat::Within(KEY_KEPT),
            ..media::capabilities(self.webhook_url.is_some(), self.files)
        }
    }

    /// "No more than 8 destinations are allowed."
    fn groups(&self) -> Groups {
        Groups::AtOnce { members_max: 8 }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let path = match message.group {
            Some(_) => "/v2/messages/group_mms",
            None => "/v2/messages",
        };
        let body = match self.body(message) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let request = self
            .signed_in(self.http.post(&format!("{}{path}", self.base_url)))
            .header("Idempotency-Key", format!("transom-{}", message.key))
            .json(&body);
        answer::of(self.http.call(request).await, |reply| {
            outcome(reply, message.group.as_ref())
        })
    }

    /// Asks by saying it again: under the same key it is sent once at most.
    async fn reconcile(&self, message: &Outgoing, attempt: Attempt) -> Option<Outcome> {
        match self.send(message, attempt).await {
            accepted @ Outcome::Accepted { .. } => Some(accepted),
            // Whatever else is said is said of the repeat.
            _ => None,
        }
    }

    fn webhook(&self, request: &WebRequest<'_>, now: UnixMillis) -> Result<Handled, Refused> {
        self.verify(request, now)?;
        webhook::handle(request, self.home)
    }

    async fn fetch(&self, media: &MediaRef, bytes_max: u64) -> Result<Fetched, FetchFailure> {
        let from = (&*self.base_url, |origin: TrustedOrigin| {
            origin.bearer(self.api_key.expose_secret())
        });
        media::fetch(&self.http, from, media, bytes_max).await
    }

    async fn balance(&self) -> Option<Balance> {
        let url = format!("{}/v2/balance", self.base_url);
        let reply = self.http.call(self.signed_in(self.http.get(&url))).await;
        let data = &answer::document(reply).ok()?["data"];
        // Whoever pays later has a credit limit, which is part of what is left.
        answer::balance(&data["available_credit"], &data["currency"])
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let url = format!("{}/v2/messaging_profiles", self.base_url);
        let request = self.signed_in(self.http.get(&url));
        match answer::document(self.http.call(request).await) {
            Ok(profiles) => self.check_profiles(&profiles, &mut report),
            Err(fault) => report
                .faults
                .push(format!("cannot sign in to Telnyx: {fault}")),
        }
        answer::check_way_back(self.webhook_url.as_deref(), "Telnyx", &mut report);
        report
    }
}

impl TelnyxAccount {
    fn body(&self, message: &Outgoing) -> Result<Value, Outcome> {
        let urls = media::urls(message)?;
        let mut body = json!({
            "from": wire(message.from.as_str(), self.home),
            "to": wire(message.to.as_str(), self.home),
        });
        if !message.text.is_empty() {
            body["text"] = crate::normalise(&message.text).into();
        }
        if !urls.is_empty() {
            body["media_urls"] = urls.into();
        }
        if let Some(id) = &self.messaging_profile_id {
            body["messaging_profile_id"] = id.as_str().into();
        }
        if let Some(url) = &self.webhook_url {
            // The key finds the message when the answer was lost.
            body["webhook_url"] = format!("{url}?key={}", message.key).into();
        }
        if let Some(group) = &message.group {
            let to = group.members.iter();
            let to = to.map(|member| wire(member.address.as_str(), self.home));
            body["to"] = to.collect();
            // Their own profile is not asked for here. The key would not say which member a report is about.
            if let Some(fields) = body.as_object_mut() {
                fields.remove("messaging_profile_id");
            }
            if let Some(url) = &self.webhook_url {
                body["webhook_url"] = url.as_str().into();
            }
        }
        Ok(body)
    }

    /// `Telnyx-Signature-Ed25519` is over the second, a bar and the body.
    fn verify(&self, request: &WebRequest<'_>, now: UnixMillis) -> Result<(), Refused> {
        let signature = required(request, "telnyx-signature-ed25519")?;
        let second = required(request, "telnyx-timestamp")?;
        let signature = BASE64_STANDARD
            .decode(signature)
            .map_err(|_| Refused::Forged)?;
        let message = [second.as_bytes(), b"|", request.body].concat();
        let key = UnparsedPublicKey::new(&ED25519, self.public_key);
        key.verify(&message, &signature)
            .map_err(|_| Refused::Forged)?;
        fresh(second.parse().map_err(|_| Refused::Malformed)?, now)
    }

    fn check_profiles(&self, profiles: &Value, report: &mut CheckReport) {
        let profiles = json::items(&profiles["data"]);
        let finding = format!("signed in to Telnyx: {} messaging profiles", profiles.len());
        report.findings.push(finding);
        let Some(ours) = &self.webhook_url else {
            return;
        };
        for profile in profiles {
            let name = json::text(&profile["name"]).unwrap_or_default();
            if json::text(&profile["webhook_url"]).as_deref() != Some(ours) {
                report.faults.push(format!(
                    "the messaging profile {name:?} does not send its texts here: set its webhook URL to {ours}"
                ));
            }
        }
    }

    fn signed_in(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request.bearer_auth(self.api_key.expose_secret())
    }
}

/// What became of a POST to Messages.
fn outcome(reply: &HttpReply, group: Option<&Group>) -> Outcome {
    let document = json::parse(&reply.body).unwrap_or_default();
    if let Some(group) = group.filter(|_| reply.status.is_success()) {
        // Reports name the text of each member, or the group's.
        let both = [
            &document["data"]["group_message_id"],
            &document["data"]["id"],
        ];
        let mut known: Vec<_> = both.into_iter().filter_map(json::text).collect();
        known.dedup();
        let ids = known
            .iter()
            .flat_map(|id| received::group_ids(ID, id, group));
        let ids: Vec<ExternalId> = ids.collect();
        if ids.is_empty() {
            return answer::unreadable(reply);
        }
        return Outcome::Accepted { ids };
    }
    if reply.status.is_success() {
        let id = json::text(&document["data"]["id"]);
        return match id.and_then(|id| received::id(ID, &id)) {
            Some(id) => Outcome::Accepted { ids: vec![id] },
            None => answer::unreadable(reply),
        };
    }
    let code = json::number(&document["errors"][0]["code"]);
    if reply.status == http::StatusCode::CONFLICT && code.is_none() {
        // The first request under this key is still being worked on.
        return answer::unreadable(reply);
    }
    answer::judge(reply, errors::TABLE, code)
}

/// A Telnyx id.
fn id(value: &Value) -> Option<ExternalId> {
    received::id(ID, &json::text(value)?)
}

#[cfg(test)]
mod tests;
