//! httpSMS: an Android phone behind the project's cloud, or a server of one's own. Facts, set-up and quirks: `docs/httpsms.md`.

mod catch_up;
mod config;
mod webhook;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Context, Failure, Handled,
    HttpClient, HttpReply, Outcome, Outgoing, Refused, UnixMillis, WebReply, WebRequest,
};

pub use self::{config::HttpsmsConfig, webhook::events};
use super::{Kind, ProviderEnv, ProviderFactory, TextLimit, answer, json, media, received::wire};
use crate::Country;

/// `kind = "httpsms"`.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("httpsms", config::account, |_| TextLimit::default())
}

/// One user of httpSMS.
struct HttpsmsAccount {
    name: AccountName,
    http: HttpClient,
    base_url: String,
    api_key: SecretString,
    signing_key: SecretString,
    webhook_token: SecretString,
    /// Our webhook with its token, which the calls name as their audience.
    webhook_url: Option<SecretString>,
    /// Our numbers.
    numbers: Vec<String>,
    home: Country,
}

#[async_trait]
impl Account for HttpsmsAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // `request_id` is only handed back: the same one again is another text.
            concurrency: 4,
            ..media::capabilities(self.webhook_url.is_some(), None)
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let body = json!({
            "from": wire(message.from.as_str(), self.home),
            "to": wire(message.to.as_str(), self.home),
            "content": crate::normalise(&message.text),
            "request_id": message.key.to_string(),
            "encrypted": false,
        });
        let url = format!("{}/v1/messages/send", self.base_url);
        let request = self
            .http
            .post(&url)
            .header("x-api-key", self.api_key.expose_secret());
        answer::of(self.http.call(request.json(&body)).await, outcome)
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        catch_up::run(self, context).await;
        Ok(())
    }

    fn webhook(&self, request: &WebRequest<'_>, now: UnixMillis) -> Result<Handled, Refused> {
        webhook::verify(request, self, now)?;
        Ok(Handled {
            events: events(request.body, self.home)?,
            stored: WebReply::ok(),
            busy: WebReply::busy(),
        })
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        match answer::document(self.http.call(self.get("/v1/phones?limit=20")).await) {
            Ok(phones) => {
                let finding = "httpSMS knows the API key";
                report.findings.push(finding.to_owned());
                for number in &self.numbers {
                    let known = json::items(&phones["data"]).iter();
                    if !known
                        .into_iter()
                        .any(|phone| phone["phone_number"] == number.as_str())
                    {
                        let line = transom_adapter::Address::new(number).masked();
                        report
                            .faults
                            .push(format!("httpSMS has no phone with the number {line}"));
                    }
                }
            }
            Err(error) => report.faults.push(format!(
                "cannot use httpSMS: {error}; compare base_url and api_key"
            )),
        }
        if self.webhook_url.is_none() {
            let fault = "http.public_url is not set: httpSMS can bring no reports, and messages only when it is asked for them";
            report.faults.push(fault.to_owned());
        }
        report
    }
}

impl HttpsmsAccount {
    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.get(&format!("{}{path}", self.base_url));
        request.header("x-api-key", self.api_key.expose_secret())
    }
}

/// The answers of `POST /v1/messages/send`.
fn outcome(reply: &HttpReply) -> Outcome {
    if reply.status.is_success() {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        return answer::accepted("httpsms", body["data"]["id"].as_str(), reply);
    }
    // 402: the month's messages are used up.
    if reply.status.as_u16() == 402 {
        return Outcome::Misconfigured(
            transom_adapter::Failure::new(transom_adapter::Reason::OurAccount)
                .with_code("HTTP 402"),
        );
    }
    answer::bare_status(reply.status, &reply.headers)
}

#[cfg(test)]
mod tests;
