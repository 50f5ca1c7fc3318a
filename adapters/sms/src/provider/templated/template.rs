//! Filling in what is sent. Templates are strict: what is not defined is an error, and none can take longer than its fuel.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, context};
use secrecy::{ExposeSecret, SecretString};
use transom_adapter::{Address, Key, Outgoing, UnixMillis};
use url::{Origin, Url};

use crate::{Country, normalise, provider::received::wire};

/// Steps that one template may take; one that joins a few values takes some dozens.
const FUEL: u64 = 20_000;
/// The longest that a template comes to.
const BYTES_MAX: usize = 256 * 1024;

/// The templates of one service, and what they may use beside the message.
pub(super) struct Templates {
    environment: Environment<'static>,
    url: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    secrets: BTreeMap<String, SecretString>,
    callback_url: Option<SecretString>,
}

/// What they come to. Holds secrets: not for logs.
pub(super) struct Sent {
    pub(super) url: Url,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
}

impl Templates {
    pub(super) fn new(
        url: String,
        headers: BTreeMap<String, String>,
        body: Option<String>,
        secrets: BTreeMap<String, SecretString>,
        callback_url: Option<SecretString>,
    ) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        Self {
            environment,
            url,
            headers,
            body,
            secrets,
            callback_url,
        }
    }

    /// Fills them in.
    ///
    /// # Errors
    ///
    /// The key of the template and what is wrong with it, without anything that was filled in.
    pub(super) fn fill(&self, message: &Outgoing, home: Country) -> Result<Sent, String> {
        self.render(message, home)
            .map_err(|(key, problem)| format!("{key} {problem}"))
    }

    /// Fills them in with a message of no account, and says where it would go.
    ///
    /// # Errors
    ///
    /// The key of the template and what is wrong with it.
    pub(super) fn try_out(&self, home: Country) -> Result<Origin, (String, String)> {
        let message = Outgoing {
            key: Key(0),
            from: Address::new("+12025550100"),
            from_name: None,
            to: Address::new("+12025550147"),
            text: "hello".to_owned(),
            thread: None,
            created_at: UnixMillis(0),
            routes: Vec::new(),
            files: Vec::new(),
            mail: transom_adapter::MailWish::default(),
        };
        self.render(&message, home).map(|sent| sent.url.origin())
    }

    fn render(&self, message: &Outgoing, home: Country) -> Result<Sent, (String, String)> {
        let secret = self.secrets.iter();
        let secret = secret.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
        let secret = minijinja::Value::from_pairs(secret);
        let (from, to) = (
            wire(message.from.as_str(), home),
            wire(message.to.as_str(), home),
        );
        let mut values = BTreeMap::from([
            ("key", message.key.to_string()),
            ("from_digits", from.trim_start_matches('+').to_owned()),
            ("to_digits", to.trim_start_matches('+').to_owned()),
            ("text", normalise(&message.text).into_owned()),
            ("from", from),
            ("to", to),
        ]);
        if let Some(url) = &self.callback_url {
            values.insert("callback_url", url.expose_secret().to_owned());
        }
        let values = context! { secret, ..minijinja::Value::from_pairs(values) };
        let fill = |key: &str, source: &str| {
            let template = self.environment.template_from_str(source);
            let filled = template.and_then(|template| template.render(&values));
            match filled {
                Ok(text) if text.len() <= BYTES_MAX => Ok(text),
                Ok(_) => Err((
                    key.to_owned(),
                    format!("comes to more than {BYTES_MAX} bytes"),
                )),
                // The kind alone: the detail quotes what was filled in.
                Err(error) => Err((
                    key.to_owned(),
                    format!("cannot be filled in: {}", error.kind()),
                )),
            }
        };
        let url = fill("send.url", &self.url)?;
        let url = Url::parse(url.trim()).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(url) = url else {
            return Err((
                "send.url".to_owned(),
                "does not come to an http or https URL".to_owned(),
            ));
        };
        let mut headers = Vec::new();
        for (name, source) in &self.headers {
            headers.push((name.clone(), fill(&format!("send.headers.{name}"), source)?));
        }
        let body = self
            .body
            .as_deref()
            .map(|source| fill("send.body", source))
            .transpose()?;
        Ok(Sent { url, headers, body })
    }
}
