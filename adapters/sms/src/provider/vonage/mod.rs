//! Vonage: the Messages API out, and in both this and the SMS API. Facts and set-up: `docs/vonage.md`.

mod codes;
mod config;
mod signature;
mod webhook;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Clock, Failure, FetchFailure,
    Fetched, FileLimits, Groups, Handled, HttpClient, HttpReply, MediaRef, Member, Outcome,
    Outgoing, Reason, Refused, TrustedOrigin, UnixMillis, WebRequest,
};

pub use self::{config::VonageConfig, webhook::events};
use super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit, answer, json,
    jwt::SigningKey,
    media,
    received::{self, wire},
};
use crate::Country;

/// The kind of external id.
const ID: &str = "vonage";

/// One file a message.
const FILES: FileLimits = FileLimits {
    count_max: 1,
    bytes_max: 600_000,
    total_bytes_max: 600_000,
    types: &[
        "image/jpeg",
        "image/png",
        "image/gif",
        "audio/*",
        "video/*",
        "text/vcard",
        "text/x-vcard",
    ],
};

/// `kind = "vonage"`. `text` takes 3200 characters: 20 segments of 153, or 47 of 67, stay within.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("vonage", config::account, |_| TextLimit {
        gsm7: 20,
        ucs2: 47,
    })
}

/// How we sign in.
enum Login {
    /// A token for each call, signed with the application's key.
    Application(String, SigningKey),
    /// API key and secret.
    Account(String, SecretString),
}

/// One application, or one account.
struct VonageAccount {
    name: AccountName,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    base_url: String,
    login: Login,
    api_key: Option<String>,
    signature_secret: SecretString,
    /// Our webhook, when Vonage can reach it.
    webhook_url: Option<String>,
    validity: Option<Duration>,
    files: Option<FileLimits>,
    home: Country,
}

#[async_trait]
impl Account for VonageAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        media::capabilities(self.webhook_url.is_some(), self.files)
    }

    /// An MMS to each, which names the others. Vonage says no number; ten is what carriers take.
    fn groups(&self) -> Groups {
        Groups::Each { members_max: 10 }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let body = match self.body(message) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        answer::of(
            self.http
                .call(self.post(&message.key.to_string()).json(&body))
                .await,
            outcome,
        )
    }

    fn webhook(&self, request: &WebRequest<'_>, now: UnixMillis) -> Result<Handled, Refused> {
        let caller = signature::Caller {
            secret: &self.signature_secret,
            api_key: self.api_key.as_deref(),
        };
        let events = if caller.signed_by_token(request, now)? {
            webhook::events(request.method, request.query, request.body, self.home)
        } else {
            webhook::sms_events(&caller.signed_by_field(request, now)?, self.home)
        };
        Ok(webhook::handled(events?))
    }

    async fn fetch(&self, media: &MediaRef, bytes_max: u64) -> Result<Fetched, FetchFailure> {
        let origin = TrustedOrigin::new(&self.base_url).map(|origin| match &self.login {
            Login::Application(..) => origin.bearer(&self.token("fetch").unwrap_or_default()),
            Login::Account(key, secret) => origin.basic(key, secret.expose_secret()),
        });
        self.http
            .fetch(&media.url, bytes_max, origin.as_ref())
            .await
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        // Without a recipient nothing is sent, and only who may send is told so.
        match self.http.call(self.post("check").json(&json!({}))).await {
            Ok(reply) if reply.status.as_u16() == 422 => {
                report.findings.push("signed in to Vonage".to_owned());
            }
            Ok(reply) => report.faults.push(format!(
                "Vonage answered HTTP {}: compare application_id and private_key, or api_key and api_secret",
                reply.status.as_u16()
            )),
            Err(error) => report.faults.push(format!("cannot reach Vonage: {error}")),
        }
        answer::check_way_back(self.webhook_url.as_deref(), "Vonage", &mut report);
        report
    }
}

impl VonageAccount {
    fn body(&self, message: &Outgoing) -> Result<Value, Outcome> {
        let urls = media::urls(message)?;
        let text = crate::normalise(&message.text);
        let mut body = json!({
            "from": digits(&wire(message.from.as_str(), self.home)),
            "to": digits(&wire(message.to.as_str(), self.home)),
            "client_ref": message.key.to_string(),
        });
        let is_mms = !urls.is_empty() || message.group.is_some();
        body["channel"] = if is_mms { "mms" } else { "sms" }.into();
        if let Some((url, file)) = urls.first().zip(message.files.first()) {
            let kind = message_type(&file.content_type);
            body["message_type"] = kind.into();
            body[kind] = json!({ "url": url });
            if !text.is_empty() {
                body[kind]["caption"] = text.into();
            }
        } else {
            body["message_type"] = "text".into();
            body["text"] = text.into();
        }
        if let Some(group) = &message.group {
            let others = group.members.iter();
            let others = others.filter(|member| member.address != message.to);
            let number =
                |member: &Member| digits(&wire(member.address.as_str(), self.home)).to_owned();
            body["mms"] = json!({ "participants": others.map(number).collect::<Vec<_>>() });
        }
        if let Some(validity) = self.validity {
            // An MMS takes 300 s at least, and three days at most.
            let seconds = validity.as_secs();
            let seconds = if is_mms {
                seconds.clamp(300, 259_200)
            } else {
                seconds
            };
            body["ttl"] = seconds.into();
        }
        if let Some(url) = &self.webhook_url {
            body["webhook_url"] = url.as_str().into();
            body["webhook_version"] = "v1".into();
        }
        Ok(body)
    }

    fn post(&self, id: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(&format!("{}/v1/messages", self.base_url));
        match &self.login {
            Login::Application(..) => request.bearer_auth(self.token(id).unwrap_or_default()),
            Login::Account(key, secret) => request.basic_auth(key, Some(secret.expose_secret())),
        }
    }

    /// A token of a quarter of an hour for one call; `None` without a key.
    fn token(&self, id: &str) -> Option<String> {
        let Login::Application(application_id, key) = &self.login else {
            return None;
        };
        let now = self.clock.now().0;
        key.sign(&json!({
            "application_id": application_id,
            "iat": now / 1000,
            "exp": now / 1000 + 15 * 60,
            // A token is used once.
            "jti": format!("{id}-{now}"),
        }))
    }
}

/// Vonage writes numbers without the plus sign.
fn digits(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

fn message_type(content_type: &str) -> &'static str {
    match content_type.split('/').next().unwrap_or_default() {
        "image" => "image",
        "audio" => "audio",
        "video" => "video",
        _ if content_type.ends_with("vcard") => "vcard",
        _ => "file",
    }
}

/// What became of a POST to messages.
fn outcome(reply: &HttpReply) -> Outcome {
    let document = json::parse(&reply.body).unwrap_or_default();
    if reply.status.is_success() {
        let id = json::text(&document["message_uuid"]);
        return match id.and_then(|id| received::id(ID, &id)) {
            Some(id) => Outcome::Accepted { ids: vec![id] },
            None => answer::unreadable(reply),
        };
    }
    if reply.status == http::StatusCode::PAYMENT_REQUIRED {
        return Outcome::Misconfigured(Failure::new(Reason::OurAccount).with_code("HTTP 402"));
    }
    answer::judge(reply, codes::TABLE, code(&document))
}

/// The code of a problem: `title` itself, or what stands behind the `#` of `type`. RFC 9457 §3.1
fn code(problem: &Value) -> Option<u32> {
    let kind = json::text(&problem["type"]);
    let behind = kind.as_deref().and_then(|kind| kind.rsplit_once('#'));
    let code = behind.and_then(|(_, code)| code.parse().ok());
    code.or_else(|| json::number(&problem["title"]))
}

#[cfg(test)]
mod tests;
