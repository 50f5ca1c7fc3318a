//! SMS Gateway for Android: a phone of one's own as the way out, reached at home, through a private server or the project's cloud.
//! Facts, set-up and quirks: `docs/android.md`.

mod catch_up;
mod config;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Context, Failure, Handled,
    HttpClient, HttpReply, Outcome, Outgoing, Refused, Repeat, UnixMillis, WebReply, WebRequest,
};

pub use self::{config::AndroidConfig, webhook::events};
use super::{Kind, ProviderEnv, ProviderFactory, TextLimit, answer, json, media, received::wire};
use crate::Country;

/// `kind = "android"`.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("android", config::account, |_| TextLimit::default())
}

/// One phone, or all the phones of one user of a server.
struct AndroidAccount {
    name: AccountName,
    http: HttpClient,
    base_url: String,
    username: String,
    password: SecretString,
    signing_key: SecretString,
    webhook_url: Option<String>,
    device: Option<String>,
    /// Our numbers, by the place of their SIM card.
    sims: Vec<String>,
    validity: Option<Duration>,
    home: Country,
}

#[async_trait]
impl Account for AndroidAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // The id is ours: the same one again is answered with 409.
            repeat: Repeat::Safe,
            concurrency: 4,
            ..media::capabilities(self.webhook_url.is_some(), None)
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let request = self.post("/messages").json(&self.body(message));
        answer::of(self.http.call(request).await, |reply| {
            outcome(reply, message)
        })
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        catch_up::run(self, context).await;
        Ok(())
    }

    fn webhook(&self, request: &WebRequest<'_>, now: UnixMillis) -> Result<Handled, Refused> {
        webhook::verify(request, &self.signing_key, now)?;
        Ok(Handled {
            events: events(request.body, &self.sims, self.home)?,
            stored: WebReply::ok(),
            busy: WebReply::busy(),
        })
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let reply = self.http.call(self.get("/webhooks")).await;
        match answer::document(reply) {
            Ok(known) => {
                let finding = "the phone's gateway knows the user and the password";
                report.findings.push(finding.to_owned());
                self.register(&known, &mut report).await;
            }
            Err(error) => report.faults.push(format!(
                "cannot use the phone's gateway: {error}; compare base_url, username and password"
            )),
        }
        answer::check_way_back(self.webhook_url.as_deref(), "the phone", &mut report);
        report
    }
}

impl AndroidAccount {
    fn body(&self, message: &Outgoing) -> Value {
        let mut body = json!({
            "id": message.key.to_string(),
            "textMessage": { "text": crate::normalise(&message.text) },
            "phoneNumbers": [wire(message.to.as_str(), self.home)],
            "withDeliveryReport": true,
        });
        let place = self
            .sims
            .iter()
            .position(|sim| sim == message.from.as_str());
        if let (Some(place), true) = (place, self.sims.len() > 1) {
            body["simNumber"] = (place + 1).into();
        }
        if let Some(validity) = self.validity {
            body["ttl"] = validity.as_secs().into();
        }
        if let Some(device) = &self.device {
            body["deviceId"] = device.as_str().into();
        }
        body
    }

    /// Tells the phone where to call us, for each event that it does not call us for yet.
    async fn register(&self, known: &Value, report: &mut CheckReport) {
        let Some(url) = &self.webhook_url else { return };
        for event in webhook::EVENTS {
            let is_known = json::items(known)
                .iter()
                .any(|hook| hook["event"] == *event && hook["url"] == url.as_str());
            if is_known {
                continue;
            }
            let request = self
                .post("/webhooks")
                .json(&json!({ "url": url, "event": event }));
            match self.http.call(request).await {
                Ok(reply) if reply.status.is_success() => {
                    report.findings.push(format!("the phone now calls {url} for {event}"));
                }
                Ok(reply) => report.faults.push(format!(
                    "the phone does not call us for {event}, and registering that was answered with HTTP {}",
                    reply.status.as_u16()
                )),
                Err(error) => report.faults.push(format!("cannot register {event}: {error}")),
            }
        }
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(&format!("{}{path}", self.base_url));
        request.basic_auth(&self.username, Some(self.password.expose_secret()))
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.get(&format!("{}{path}", self.base_url));
        request.basic_auth(&self.username, Some(self.password.expose_secret()))
    }
}

/// The statuses of the gateway's own API, `POST /messages`. After any 5xx but 503 it may be in its queue: only the same phone, which knows
/// our id, may be asked again, and no other account.
fn outcome(reply: &HttpReply, message: &Outgoing) -> Outcome {
    match reply.status.as_u16() {
        // Reports carry our id.
        409 => Outcome::Accepted { ids: Vec::new() },
        200..=299 => {
            let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            if body["id"] == message.key.to_string() {
                Outcome::Accepted { ids: Vec::new() }
            } else {
                answer::unreadable(reply)
            }
        }
        _ => answer::bare_status(reply.status, &reply.headers),
    }
}

#[cfg(test)]
mod tests;
