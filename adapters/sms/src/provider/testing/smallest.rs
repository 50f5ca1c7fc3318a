//! The smallest provider: what `docs/guides/provider.md` builds, compiled and tested so that the guide stays true.

use std::path::PathBuf;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, ConfigFault, Event, Failure, Handled, HttpClient,
    HttpReply, Outcome, Outgoing, Progress, Reason, Refused, Report, Section, UnixMillis, WebReply,
    WebRequest,
};

use super::super::{
    Kind, ProviderEnv, ProviderFactory, TextLimit,
    answer::{self, ErrorRow, Verdict},
    json, media,
    received::{self, Received, wire},
    settings::Settings,
    signature,
};
use crate::Country;

/// The kind of external id.
const ID: &str = "smallest";

/// What its codes mean.
const TABLE: &[ErrorRow] = &[
    ErrorRow::new(1, Verdict::Rejected, Reason::NoSuchRecipient),
    ErrorRow::new(2, Verdict::Misconfigured, Reason::OurAccount),
];

/// `[gateway.X.provider.Y]` with `kind = "smallest"`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    base_url: String,
    api_key: Option<SecretString>,
    api_key_file: Option<PathBuf>,
    webhook_token: Option<SecretString>,
    webhook_token_file: Option<PathBuf>,
}

/// `kind = "smallest"`, whose texts may be as long as they can be.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    Kind::boxed("smallest", account, |_| TextLimit::default())
}

/// Reads the section, every fault at once, and builds the account.
fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<SmallestAccount, Vec<ConfigFault>> {
    let config: Config = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    let base_url = settings.base_url("base_url", &config.base_url);
    let api_key = settings.secret("api_key", config.api_key, config.api_key_file.as_deref());
    let file = config.webhook_token_file.as_deref();
    let webhook_token = settings.webhook_token(config.webhook_token, file);
    settings.built(|| SmallestAccount {
        name,
        http: env.http.clone(),
        messages_url: format!("{base_url}/messages"),
        api_key,
        webhook_token,
        home: env.home,
    })
}

struct SmallestAccount {
    name: AccountName,
    http: HttpClient,
    messages_url: String,
    api_key: SecretString,
    webhook_token: SecretString,
    home: Country,
}

#[async_trait]
impl Account for SmallestAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        media::capabilities(true, None)
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let request = self.http.post(&self.messages_url);
        let request = request.bearer_auth(self.api_key.expose_secret());
        let body = json!({
            "from": wire(message.from.as_str(), self.home),
            "to": wire(message.to.as_str(), self.home),
            "text": crate::normalise(&message.text),
            "reference": message.key.to_string(),
        });
        answer::of(self.http.call(request.json(&body)).await, outcome)
    }

    fn webhook(&self, request: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        signature::token(request, &self.webhook_token)?;
        let document = json::parse(request.body)?;
        let event = match document["status"].as_str() {
            Some(status) => report(status, &document).map(Event::Report),
            None => Some(message(&document, self.home)?),
        };
        Ok(Handled {
            events: Vec::from_iter(event),
            stored: WebReply::ok(),
            busy: WebReply::busy(),
        })
    }
}

fn outcome(reply: &HttpReply) -> Outcome {
    let document = json::parse(&reply.body).unwrap_or_default();
    if !reply.status.is_success() {
        return answer::judge(reply, TABLE, json::number(&document["code"]));
    }
    answer::accepted(ID, json::text(&document["id"]).as_deref(), reply)
}

fn message(document: &Value, home: Country) -> Result<Event, Refused> {
    let id = json::text(&document["id"]).ok_or(Refused::Malformed)?;
    let from = json::filled(&document["from"]).ok_or(Refused::Malformed)?;
    let to = json::filled(&document["to"]).ok_or(Refused::Malformed)?;
    let text = json::text(&document["text"]).unwrap_or_default();
    let id = received::required_id(ID, &id)?;
    Ok(Received::new(id, &from, &to, text.into_owned()).event(home))
}

fn report(status: &str, document: &Value) -> Option<Report> {
    let (progress, failure) = match status {
        "delivered" => (Progress::Delivered, None),
        "failed" => (Progress::Failed, Some(Failure::new(Reason::Unspecified))),
        // A word from the future is no evidence of anything.
        _ => return None,
    };
    let id = json::text(&document["id"]).and_then(|id| received::id(ID, &id));
    let key = json::text(&document["reference"]).and_then(|key| key.parse().ok());
    Some(Report {
        about: received::about(id, key),
        progress,
        failure,
        at: None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use transom_adapter::testkit::{
        Reply,
        conformance::{self, HttpSubject},
    };

    use super::*;
    use crate::provider::testing::{
        Call, TOKEN, check_table, client, env, message, one_message, one_report, section,
    };

    fn built(base_url: &str, http: HttpClient) -> Arc<dyn Account> {
        let table = json!({ "base_url": base_url, "api_key": "k", "webhook_token": TOKEN });
        let name = AccountName::new("sms", "main");
        kind().build(name, &section(table), &env(http)).unwrap()
    }

    #[tokio::test]
    async fn the_provider_of_the_guide_is_a_good_account() {
        conformance::http_account(&HttpSubject {
            build: &built,
            accepted: Reply::json(200, r#"{"id":"1"}"#),
            message: message("hello"),
        })
        .await;
        check_table(
            TABLE,
            400,
            |code| json!({ "code": code }).to_string(),
            outcome,
        );
    }

    #[test]
    fn the_provider_of_the_guide_takes_texts_and_reports() {
        let account = built("https://api.example.com", client());
        let call = |body: Value| {
            Call::post("", body.to_string())
                .with_token(TOKEN)
                .send(&*account)
        };
        let text = json!({ "id": "1", "from": "+12025550147", "to": "+12025550100", "text": "hi" });
        assert_eq!(one_message(&call(text).unwrap()).text, "hi");
        let report = call(json!({ "id": "1", "status": "delivered" })).unwrap();
        assert_eq!(one_report(&report).progress, Progress::Delivered);
        assert_eq!(call(json!({})), Err(Refused::Malformed));
    }

    #[test]
    fn the_provider_of_the_guide_is_small() {
        let code = include_str!("smallest.rs")
            .split("#[cfg(test)]")
            .next()
            .unwrap();
        assert!(code.lines().count() < 200);
        let guide = include_str!("../../../../../docs/guides/provider.md");
        for part in [
            "Settings",
            "Kind::boxed",
            "answer::of",
            "answer::judge",
            "answer::accepted",
            "signature::token",
            "Received",
            "conformance::http_account",
        ] {
            assert!(
                guide.contains(part) && include_str!("smallest.rs").contains(part),
                "{part}"
            );
        }
    }
}
