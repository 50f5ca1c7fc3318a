//! Plivo: the Message API. Facts and set-up: `docs/plivo.md`.

mod caller;
mod codes;
mod config;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, ExternalId, FetchFailure, Fetched,
    FileLimits, Handled, HttpClient, HttpReply, MediaRef, Outcome, Outgoing, Refused,
    TrustedOrigin, UnixMillis, WebRequest,
};

pub use self::{config::PlivoConfig, webhook::events};
use super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit, answer, json, media,
    received::{self, wire},
    signature,
};
use crate::{Country, Segments};

/// The kind of external id.
const ID: &str = "plivo";

/// Ten files, 5 MB in all; carriers take less.
const FILES: FileLimits = FileLimits {
    count_max: 10,
    bytes_max: 1_000_000,
    total_bytes_max: 5_000_000,
    types: media::MMS_TYPES,
};

/// `kind = "plivo"`. `text` takes 1600 characters of GSM, 737 of UCS-2.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("plivo", config::account, |_| TextLimit {
        gsm7: 10,
        ucs2: 11,
    })
}

/// One Plivo account.
struct PlivoAccount {
    name: AccountName,
    http: HttpClient,
    base_url: String,
    /// `https://api.plivo.com/v1/Account/{auth_id}`
    account_url: String,
    auth_id: String,
    auth_token: SecretString,
    webhook_token: SecretString,
    /// Our webhook with its token, when Plivo can reach it.
    webhook_url: Option<SecretString>,
    validity: Option<Duration>,
    files: Option<FileLimits>,
    home: Country,
}

#[async_trait]
impl Account for PlivoAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        media::capabilities(self.webhook_url.is_some(), self.files)
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let body = match self.body(message) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let request = self.http.post(&format!("{}/Message/", self.account_url));
        let reply = self.http.call(self.signed_in(request).json(&body)).await;
        answer::of(reply, |reply| outcome(reply, parts(message)))
    }

    fn webhook(&self, request: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        signature::token(request, &self.webhook_token)?;
        caller::verify(request, &self.auth_token)?;
        webhook::handle(request, self.home)
    }

    async fn fetch(&self, media: &MediaRef, bytes_max: u64) -> Result<Fetched, FetchFailure> {
        let token = self.auth_token.expose_secret();
        let from = (&*self.base_url, |origin: TrustedOrigin| {
            origin.basic(&self.auth_id, token)
        });
        media::fetch(&self.http, from, media, bytes_max).await
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let request = self.signed_in(self.http.get(&format!("{}/", self.account_url)));
        match answer::document(self.http.call(request).await) {
            Ok(account) => {
                let credit = json::text(&account["cash_credits"]).unwrap_or_default();
                let finding = format!("signed in to Plivo, credit {credit}");
                report.findings.push(finding);
            }
            Err(fault) => report
                .faults
                .push(format!("cannot sign in to Plivo: {fault}")),
        }
        let url = self
            .webhook_url
            .as_ref()
            .map(|_| "the webhook with its token");
        answer::check_way_back(url, "Plivo", &mut report);
        report
    }
}

impl PlivoAccount {
    fn body(&self, message: &Outgoing) -> Result<Value, Outcome> {
        let urls = media::urls(message)?;
        let mut body = json!({
            "src": wire(message.from.as_str(), self.home),
            "dst": wire(message.to.as_str(), self.home),
            "text": crate::normalise(&message.text),
            "type": if urls.is_empty() { "sms" } else { "mms" },
        });
        if !urls.is_empty() {
            body["media_urls"] = urls.into();
        }
        if let Some(validity) = self.validity {
            body["message_expiry"] = validity.as_secs().into();
        }
        if let Some(url) = &self.webhook_url {
            // The key finds the message when the answer was lost.
            let parts = match parts(message) {
                1 => String::new(),
                parts => format!("&parts={parts}"),
            };
            body["url"] = format!("{}?key={}{parts}", url.expose_secret(), message.key).into();
            body["method"] = "POST".into();
        }
        Ok(body)
    }

    fn signed_in(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request.basic_auth(&self.auth_id, Some(self.auth_token.expose_secret()))
    }
}

/// What became of a POST to Message. Its errors have no codes, and the status says all.
fn outcome(reply: &HttpReply, parts: u16) -> Outcome {
    if !reply.status.is_success() {
        return answer::bare_status(reply.status, &reply.headers);
    }
    let document = json::parse(&reply.body).unwrap_or_default();
    let ids = json::items(&document["message_uuid"]);
    let id = ids.first().and_then(json::text);
    // Each part has its report, and the text is there when all of them are.
    let ids: Option<Vec<_>> = (0..parts)
        .map(|part| part_id(id.as_deref()?, part))
        .collect();
    match ids {
        Some(ids) => Outcome::Accepted { ids },
        None => answer::unreadable(reply),
    }
}

/// In how many parts Plivo sends it, each with a report of its own. An MMS is one.
fn parts(message: &Outgoing) -> u16 {
    if message.files.is_empty() {
        Segments::of(&crate::normalise(&message.text)).count.max(1)
    } else {
        1
    }
}

/// The id of a part: the first has that of the text.
fn part_id(text_id: &str, part: u16) -> Option<ExternalId> {
    let id = received::id(ID, text_id)?;
    Some(match part {
        0 => id,
        part => ExternalId::new(ID, format!("{text_id}/{}", part + 1)).for_part(part),
    })
}

#[cfg(test)]
mod tests;
