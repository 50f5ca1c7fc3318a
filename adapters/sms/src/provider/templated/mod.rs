//! Any other service that speaks HTTP, described in the configuration: what to call, where its answer holds the id, and how what it calls us
//! with is read. Set-up with examples: `docs/http.md`.

mod config;
mod incoming;
mod template;

use std::collections::BTreeMap;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Failure, Handled, Holder, HttpClient,
    HttpReply, Outcome, Outgoing, Reason, Refused, Repeat, Scope, UnixMillis, WebReply, WebRequest,
};
use url::Origin;

pub use self::{config::HttpConfig, incoming::Mapping};
use self::{
    config::Meaning,
    template::{Sent, Templates},
};
use super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit, answer, answer::Verdict, json, media, received,
    signature,
};
use crate::Country;

/// `kind = "http"`.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("http", config::account, |section| {
        let config = section.read::<HttpConfig>();
        TextLimit::segments(config.map_or(1, |config| config.max_segments))
    })
}

/// One login at a service.
struct HttpAccount {
    name: AccountName,
    http: HttpClient,
    templates: Templates,
    method: Method,
    /// Where the calls go, whatever a text or a number does to the template of the URL.
    origin: Origin,
    replies: Replies,
    webhook_token: Option<SecretString>,
    mapping: Mapping,
    repeat: Repeat,
    home: Country,
}

/// How answers are read.
struct Replies {
    accepted: Vec<u16>,
    id: Option<String>,
    error: Option<String>,
    errors: BTreeMap<String, Meaning>,
}

#[async_trait]
impl Account for HttpAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            repeat: self.repeat,
            concurrency: 4,
            holder: Holder::Anyone,
            ..media::capabilities(self.mapping.reports_delivery(), None)
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let request = match self.request(message) {
            Ok(request) => request,
            // What the template's author has to mend, without what was filled in.
            Err(what) => {
                let failure = Failure::new(Reason::OurAccount).with_detail(what);
                return Outcome::Misconfigured(failure);
            }
        };
        answer::of(self.http.call(request).await, |reply| {
            self.replies.outcome(reply)
        })
    }

    fn webhook(&self, request: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        let token = self.webhook_token.as_ref().ok_or(Refused::NoWebhook)?;
        signature::token(request, token)?;
        Ok(Handled {
            events: self
                .mapping
                .events(request.query, request.body, self.home)?,
            stored: WebReply::ok(),
            busy: WebReply::busy(),
        })
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let origin = self.origin.ascii_serialization();
        report.findings.push(format!(
            "the templates can be filled in, and call {origin}; what it thinks of the credentials shows with the first text (--send-to)"
        ));
        if self.webhook_token.is_none() {
            let fault =
                "there is no webhook_token: the service can bring neither messages nor reports";
            report.faults.push(fault.to_owned());
        }
        report
    }
}

impl HttpAccount {
    fn request(&self, message: &Outgoing) -> Result<reqwest::RequestBuilder, String> {
        let sent = self.templates.fill(message, self.home)?;
        let Sent { url, headers, body } = sent;
        if url.origin() != self.origin {
            return Err(
                "send.url leads to another server than the one it was checked for".to_owned(),
            );
        }
        let mut request = match self.method {
            Method::GET => self.http.get(url.as_str()),
            _ => self.http.post(url.as_str()),
        };
        for (name, value) in headers {
            let header = (HeaderName::try_from(&name), HeaderValue::try_from(value));
            let (Ok(key), Ok(mut value)) = header else {
                return Err(format!(
                    "send.headers.{name} comes to what no header can hold"
                ));
            };
            value.set_sensitive(true);
            request = request.header(key, value);
        }
        Ok(match body {
            Some(body) => request.body(body),
            None => request,
        })
    }
}

impl Replies {
    /// An answer with a known code means what the table says; one that is accepted holds the id; any other is judged by its status.
    fn outcome(&self, reply: &HttpReply) -> Outcome {
        let document: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let at = |pointer: &Option<String>| {
            let value = document.pointer(pointer.as_deref()?)?;
            json::filled(value).map(std::borrow::Cow::into_owned)
        };
        let code = at(&self.error);
        if let Some((code, meaning)) = code.and_then(|code| self.errors.get_key_value(&code)) {
            let (verdict, reason) = meaning.means();
            let failure = Failure::new(reason).with_code(code);
            return answer::outcome(verdict, failure, answer::retry_after(&reply.headers));
        }
        let status = reply.status.as_u16();
        if self.accepted.contains(&status) {
            return self.accepted(reply, at(&self.id));
        }
        if reply.status.is_success() {
            return answer::unreadable(reply);
        }
        answer::bare_status(reply.status, &reply.headers)
    }

    fn accepted(&self, reply: &HttpReply, id: Option<String>) -> Outcome {
        let id = id.and_then(|id| received::id("http", &id));
        match (&self.id, id) {
            (_, Some(id)) => Outcome::Accepted { ids: vec![id] },
            (None, _) => Outcome::Accepted { ids: Vec::new() },
            // It says that all is well and not what it made of it.
            (Some(_), None) => answer::unreadable(reply),
        }
    }
}

impl Meaning {
    fn means(self) -> (Verdict, Reason) {
        match self {
            Self::Rejected => (Verdict::Rejected, Reason::Unspecified),
            Self::NoSuchRecipient => (Verdict::Rejected, Reason::NoSuchRecipient),
            Self::NotPermitted => (Verdict::Rejected, Reason::NotPermitted),
            Self::OptedOut => (Verdict::Rejected, Reason::OptedOut),
            Self::Filtered => (Verdict::Rejected, Reason::Filtered),
            Self::Throttled => (Verdict::Throttled(Scope::Account), Reason::RateLimited),
            Self::Transient => (Verdict::Transient, Reason::NetworkDown),
            Self::Misconfigured => (Verdict::Misconfigured, Reason::OurAccount),
        }
    }
}

/// What is accepted unless the configuration says otherwise.
fn accepted() -> Vec<u16> {
    [StatusCode::OK, StatusCode::CREATED, StatusCode::ACCEPTED]
        .map(|status| status.as_u16())
        .to_vec()
}

#[cfg(test)]
mod tests;
