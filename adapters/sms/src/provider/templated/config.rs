//! The section of a service that is described in the configuration.

use std::{collections::BTreeMap, path::Path, path::PathBuf};

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Repeat, Section, plain_or_text};

use super::{HttpAccount, Mapping, ProviderEnv, Replies, accepted, template::Templates};
use crate::provider::settings::Settings;

/// `[gateway.X.provider.Y]` with `kind = "http"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// How a text is sent.
    pub send: SendConfig,
    /// What templates may use as `secret.NAME`. `NAME_file` names a file that holds it.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub secret: BTreeMap<String, SecretString>,
    /// The last part of our webhook's path: at least 16 letters, digits, hyphens, underscores. Without it nothing comes in.
    #[schemars(with = "Option<String>")]
    pub webhook_token: Option<SecretString>,
    /// A file that holds it.
    pub webhook_token_file: Option<PathBuf>,
    /// Where the service reaches us, when it is not `http.public_url`.
    pub callback_url: Option<String>,
    /// How what the service calls us with is read.
    #[serde(default)]
    pub webhook: Mapping,
    /// The longest text it takes, in segments, 1 to 255. Default: 10.
    #[serde(default = "max_segments", deserialize_with = "plain_or_text")]
    pub max_segments: u16,
}

/// `[gateway.X.provider.Y.send]`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendConfig {
    /// What is called: a template.
    pub url: String,
    /// GET or POST. Default: POST.
    #[serde(default = "post")]
    pub method: String,
    /// Headers: templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body: a template. Default: none.
    pub body: Option<String>,
    /// The statuses that mean "taken". Default: 200, 201, 202.
    #[serde(default = "accepted")]
    pub accepted: Vec<u16>,
    /// Where the answer holds the message's id: a JSON pointer (RFC 6901), as `/data/id`. Default: there is none.
    pub id: Option<String>,
    /// Where an answer holds the code of an error: a JSON pointer.
    pub error: Option<String>,
    /// What the codes mean.
    #[serde(default)]
    pub errors: BTreeMap<String, Meaning>,
    /// Whether the service knows a repeat by the `key` that it was sent with: `true` or `false`. Default: `false`.
    #[serde(default, deserialize_with = "plain_or_text")]
    pub repeat_safe: bool,
}

/// What an error code means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "MeaningOfCode")]
pub enum Meaning {
    /// The same message will be refused again.
    Rejected,
    /// Nobody has the number.
    NoSuchRecipient,
    /// The network does not allow it.
    NotPermitted,
    /// The recipient sent STOP.
    OptedOut,
    /// Taken for spam.
    Filtered,
    /// Too much was sent.
    Throttled,
    /// Surely not sent, and worth another attempt.
    Transient,
    /// The account is at fault.
    Misconfigured,
}

fn post() -> String {
    "POST".to_owned()
}

fn max_segments() -> u16 {
    10
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<HttpAccount, Vec<ConfigFault>> {
    let config: HttpConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    let secrets = secrets(section, config.secret, &mut settings);
    let callback = config.callback_url.as_deref();
    let callback = callback.and_then(|text| settings.url("callback_url", text));
    let file = config.webhook_token_file.as_deref();
    let given = config.webhook_token.is_some() || file.is_some();
    let token = given.then(|| settings.webhook_token(config.webhook_token, file));
    let way_back = env.way_back(callback.as_ref(), &name).zip(token.as_ref());
    let way_back =
        way_back.map(|(url, token)| SecretString::from(format!("{url}/{}", token.expose_secret())));
    if !(1..=255).contains(&config.max_segments) {
        settings.fault(
            "max_segments",
            "is not 1 to 255",
            "write what the service takes",
        );
    }
    let method = Method::from_bytes(config.send.method.as_bytes());
    let method = method
        .ok()
        .filter(|method| matches!(*method, Method::GET | Method::POST));
    if method.is_none() {
        settings.fault(
            "send.method",
            "is neither GET nor POST",
            "write one of them",
        );
    }
    check_pointers(&config.send, &config.webhook, &mut settings);
    let send = config.send;
    let templates = Templates::new(send.url, send.headers, send.body, secrets, way_back);
    let origin = match templates.try_out(env.home) {
        Ok(origin) => Some(origin),
        Err((key, problem)) => {
            settings.fault(&key, problem, "compare with adapters/sms/docs/http.md");
            None
        }
    };
    settings.built(|| HttpAccount {
        http: env.http.clone(),
        templates,
        method: method.unwrap_or(Method::POST),
        origin: origin.unwrap_or_else(url::Origin::new_opaque),
        replies: Replies {
            accepted: send.accepted,
            id: send.id,
            error: send.error,
            errors: send.errors,
        },
        webhook_token: token,
        mapping: config.webhook,
        repeat: if send.repeat_safe {
            Repeat::Safe
        } else {
            Repeat::Unsafe
        },
        home: env.home,
        name,
    })
}

/// RFC 6901 §3: a pointer to anything but the whole document begins with a slash.
fn check_pointers(send: &SendConfig, webhook: &Mapping, settings: &mut Settings<'_>) {
    let pointers = [("send.id", &send.id), ("send.error", &send.error)];
    for (key, pointer) in pointers.into_iter().chain(webhook.pointers()) {
        if pointer.as_ref().is_some_and(|text| !text.starts_with('/')) {
            settings.fault(
                key,
                "is not a JSON pointer",
                "begin it with a slash, as /data/id",
            );
        }
    }
}

/// Each secret as it is, or out of the file that `NAME_file` names.
fn secrets(
    section: &Section,
    given: BTreeMap<String, SecretString>,
    settings: &mut Settings<'_>,
) -> BTreeMap<String, SecretString> {
    let mut secrets = BTreeMap::new();
    let table = section.section("secret");
    for (name, value) in given {
        let (plain, read) = match name.strip_suffix("_file") {
            Some(plain) => {
                let file = Path::new(value.expose_secret());
                (plain, table.secret(plain, None, Some(file)))
            }
            None => (name.as_str(), table.secret(&name, Some(value), None)),
        };
        match read {
            Ok(value) => {
                if secrets
                    .insert(plain.to_owned(), value.unwrap_or_default())
                    .is_some()
                {
                    settings.fault(
                        &format!("secret.{plain}"),
                        "is given twice",
                        "remove one of the two",
                    );
                }
            }
            Err(fault) => {
                settings.fault(&format!("secret.{name}"), fault.problem, fault.remedy);
            }
        }
    }
    secrets
}
