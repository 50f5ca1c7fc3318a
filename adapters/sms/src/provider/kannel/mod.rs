//! Kannel: the smsbox of one's own gateway. Facts, set-up and the lines for `kannel.conf`: `docs/kannel.md`.

mod charset;
mod config;
mod report;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Failure, Handled, Holder, HttpClient,
    HttpReply, Outcome, Outgoing, Reason, Refused, UnixMillis, WebReply, WebRequest,
};

pub use self::{config::KannelConfig, webhook::events};
use super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit, answer, media, received::wire, signature,
};
use crate::{Country, Encoding};

/// `kind = "kannel"`. Kannel cuts off in silence what goes beyond its `max-messages`.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("kannel", config::account, |section| {
        let config = section.read::<KannelConfig>();
        TextLimit::segments(config.map_or(1, |config| config.max_messages))
    })
}

/// One `sendsms-user` of an smsbox.
struct KannelAccount {
    name: AccountName,
    http: HttpClient,
    /// `http://127.0.0.1:13013/cgi-bin/sendsms`
    sendsms_url: String,
    username: String,
    password: SecretString,
    webhook_token: SecretString,
    /// Our webhook with its token, when it is known where Kannel reaches us.
    report_url: Option<SecretString>,
    smsc: Option<String>,
    validity: Option<Duration>,
    home: Country,
}

#[async_trait]
impl Account for KannelAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            holder: Holder::Anyone,
            ..media::capabilities(self.report_url.is_some(), None)
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        answer::of(self.http.call(self.request(message)).await, outcome)
    }

    fn webhook(&self, request: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        signature::token(request, &self.webhook_token)?;
        Ok(Handled {
            events: events(request.query, self.home)?,
            // Kannel may send a body back as a text.
            stored: WebReply::ok(),
            busy: WebReply::busy(),
        })
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        // Without a recipient nothing is sent, and only who may send is told so.
        let request = self.signed_in().body("check");
        match self.http.call(request).await {
            Ok(reply) if reply.status.as_u16() == 400 => {
                let finding = "Kannel's smsbox knows the user and the password";
                report.findings.push(finding.to_owned());
            }
            Ok(reply) => report.faults.push(format!(
                "Kannel's smsbox answered HTTP {}: compare username and password with its sendsms-user",
                reply.status.as_u16()
            )),
            Err(error) => report.faults.push(format!("cannot reach Kannel's smsbox: {error}")),
        }
        if self.report_url.is_none() {
            let fault = "neither callback_url nor http.public_url is set: Kannel can bring neither messages nor reports";
            report.faults.push(fault.to_owned());
        }
        report
    }
}

impl KannelAccount {
    /// The POST form of sendsms: everything but the text in headers, so that the password is in no URL and no log.
    fn request(&self, message: &Outgoing) -> reqwest::RequestBuilder {
        let text = crate::normalise(&message.text).into_owned();
        // Without coding 2 Kannel turns what GSM does not have into question marks and says "Accepted".
        let coding = match Encoding::of(&text) {
            Encoding::Gsm7 => "0",
            Encoding::Ucs2 => "2",
        };
        let mut request = self
            .signed_in()
            .header("X-Kannel-To", wire(message.to.as_str(), self.home))
            .header("X-Kannel-From", wire(message.from.as_str(), self.home))
            .header("X-Kannel-Coding", coding);
        if let Some(smsc) = &self.smsc {
            request = request.header("X-Kannel-SMSC", smsc);
        }
        if let Some(validity) = self.validity {
            let minutes = validity.as_secs().div_ceil(60);
            request = request.header("X-Kannel-Validity", minutes);
        }
        if let Some(url) = &self.report_url {
            let url = report::callback(url.expose_secret(), message.key);
            request = request
                .header("X-Kannel-DLR-Mask", report::MASK)
                .header("X-Kannel-DLR-Url", url);
        }
        request.body(text)
    }

    fn signed_in(&self) -> reqwest::RequestBuilder {
        self.http
            .post(&self.sendsms_url)
            .header("Content-Type", "text/plain; charset=UTF-8")
            .header("X-Kannel-Username", &self.username)
            .header("X-Kannel-Password", self.password.expose_secret())
    }
}

/// Kannel user guide, "SMS Push reply": the status tells all.
fn outcome(reply: &HttpReply) -> Outcome {
    match reply.status.as_u16() {
        // "0: Accepted for delivery", "3: Queued for later delivery". Reports carry our key; there is no id.
        202 => Outcome::Accepted { ids: Vec::new() },
        400 => {
            let failure = Failure::new(Reason::Unspecified).with_code("HTTP 400");
            Outcome::Rejected(match short_phrase(&reply.body) {
                Some(phrase) => failure.with_detail(phrase),
                None => failure,
            })
        }
        _ => answer::bare_status(reply.status, &reply.headers),
    }
}

/// `Sender missing and no global set, rejected`: what is longer or holds digits may hold numbers or the text, and is not for the log.
fn short_phrase(body: &[u8]) -> Option<&str> {
    const BYTES_MAX: usize = 80;
    let phrase = std::str::from_utf8(body).ok()?.trim();
    let plain = |byte: u8| byte.is_ascii_alphabetic() || b" ,.()'-".contains(&byte);
    ((1..=BYTES_MAX).contains(&phrase.len()) && phrase.bytes().all(plain)).then_some(phrase)
}

#[cfg(test)]
mod tests;
