//! Sinch: the SMS API (XMS). Facts and set-up: `docs/sinch.md`.

mod codes;
mod config;
mod list;
mod webhook;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Clock, Context, Failure,
    FetchFailure, Fetched, FileLimits, Handled, HttpClient, HttpReply, MediaRef, Outcome, Outgoing,
    Refused, TrustedOrigin, UnixMillis, WebRequest,
};

pub use self::{config::SinchConfig, webhook::events};
use super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit,
    access_token::{self, Bearer},
    answer, catch_up, json, media,
    received::wire,
    signature::{self, fresh, required},
};
use crate::Country;

/// The kind of external id: of batches out, of inbounds in.
const ID: &str = "sinch";

/// One picture a message, fetched by Sinch; what it advises as the largest.
const FILES: FileLimits = FileLimits {
    count_max: 1,
    bytes_max: 900_000,
    total_bytes_max: 900_000,
    types: media::MMS_TYPES,
};

/// `kind = "sinch"`. `body` takes 2000 characters: 13 segments of 153, or 29 of 67, stay within.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("sinch", config::account, |_| TextLimit {
        gsm7: 13,
        ucs2: 29,
    })
}

/// One service plan, or one project.
struct SinchAccount {
    name: AccountName,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    base_url: String,
    /// `https://us.sms.api.sinch.com/xms/v1/{plan or project}`
    plan_url: String,
    bearer: Bearer,
    webhook_secret: Option<SecretString>,
    webhook_token: Option<SecretString>,
    /// Our webhook with its token, when Sinch can reach it.
    callback_url: Option<SecretString>,
    validity: Option<Duration>,
    files: Option<FileLimits>,
    home: Country,
}

#[async_trait]
impl Account for SinchAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            send_seconds_max: access_token::SEND_SECONDS_MAX,
            ..media::capabilities(self.callback_url.is_some(), self.files)
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let body = match self.body(message) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let request = self.http.post(&format!("{}/batches", self.plan_url));
        match self.bearer.call(&self.http, request.json(&body)).await {
            Ok(reply) => outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    async fn reconcile(&self, message: &Outgoing, _attempt: Attempt) -> Option<Outcome> {
        let request = list::batches_of(&self.http, &self.plan_url, message);
        let reply = self.bearer.call(&self.http, request).await.ok()?;
        list::find(&reply)
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        catch_up::run(self, &self.name, context).await
    }

    fn webhook(&self, request: &WebRequest<'_>, now: UnixMillis) -> Result<Handled, Refused> {
        if let Some(token) = &self.webhook_token {
            signature::token(request, token)?;
        }
        if let Some(secret) = &self.webhook_secret {
            verify(request, secret, now)?;
        }
        webhook::handle(request.body, self.home)
    }

    async fn fetch(&self, media: &MediaRef, bytes_max: u64) -> Result<Fetched, FetchFailure> {
        let token = self.bearer.get().await;
        let token = token.map_err(|_| FetchFailure::Transient("no access token".to_owned()))?;
        let from = (&*self.base_url, |origin: TrustedOrigin| {
            origin.bearer(token.expose_secret())
        });
        media::fetch(&self.http, from, media, bytes_max).await
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let url = format!("{}/batches?page_size=1", self.plan_url);
        match self.document(self.http.get(&url)).await {
            Ok(_) => report.findings.push("signed in to Sinch".to_owned()),
            Err(fault) => report.faults.push(format!(
                "cannot sign in to Sinch: {fault}; compare region, plan or project, and token or key with the dashboard"
            )),
        }
        let url = self
            .callback_url
            .as_ref()
            .map(|_| "the webhook with its token");
        answer::check_way_back(url, "Sinch", &mut report);
        report
    }
}

impl SinchAccount {
    fn body(&self, message: &Outgoing) -> Result<Value, Outcome> {
        let urls = media::urls(message)?;
        let text = crate::normalise(&message.text);
        let mut body = json!({
            "from": wire(message.from.as_str(), self.home),
            "to": [wire(message.to.as_str(), self.home)],
            // The others tell less: neither that it left nor for whom.
            "delivery_report": "per_recipient",
            "client_reference": message.key.to_string(),
        });
        if let Some(url) = urls.first() {
            body["type"] = "mt_media".into();
            body["body"] = json!({ "url": url, "message": text });
        } else {
            body["type"] = "mt_text".into();
            body["body"] = text.into();
        }
        if let Some(url) = &self.callback_url {
            body["callback_url"] = url.expose_secret().into();
        }
        if let Some(validity) = self.validity {
            let end = self.clock.now().after(validity).timestamp();
            body["expire_at"] = end.to_string().into();
        }
        Ok(body)
    }

    /// What the API answers to a question.
    async fn document(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        match self.bearer.call(&self.http, request).await {
            Ok(reply) => answer::document(Ok(reply)),
            Err(outcome) => Err(format!("{outcome:?}")),
        }
    }
}

/// Over the body, a nonce and the second, with dots between them.
fn verify(request: &WebRequest<'_>, secret: &SecretString, now: UnixMillis) -> Result<(), Refused> {
    let mac = required(request, "x-sinch-webhook-signature")?;
    let nonce = required(request, "x-sinch-webhook-signature-nonce")?;
    let second = required(request, "x-sinch-webhook-signature-timestamp")?;
    let message = [
        request.body,
        b".",
        nonce.as_bytes(),
        b".",
        second.as_bytes(),
    ];
    signature::hmac_sha256_base64(secret, message, mac)?;
    fresh(second.parse().map_err(|_| Refused::Malformed)?, now)
}

/// What became of a POST to Batches. Its errors have words for codes, and the status says the same.
fn outcome(reply: &HttpReply) -> Outcome {
    if !reply.status.is_success() {
        return answer::bare_status(reply.status, &reply.headers);
    }
    let document = json::parse(&reply.body).unwrap_or_default();
    answer::accepted(ID, json::text(&document["id"]).as_deref(), reply)
}

#[cfg(test)]
mod tests;
