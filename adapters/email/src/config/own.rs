//! `[gateway.NAME.own]`: mailboxes that users bring.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};
use transom_adapter::{AllowedHosts, ConfigFault, Section, optional_plain_or_text};
use url::Url;

use super::take;
use crate::oauth::Provider;

const PER_USER: u32 = 5;
const SENT_EVERY_SECONDS: u32 = 300;
/// Nobody has more mailboxes than this.
const PER_USER_MAX: u32 = 100;
const DIRECTORY: &str = "https://autoconfig.thunderbird.net/v1.1/";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Own")]
pub(crate) struct RawOwn {
    /// How many mail accounts a user may connect; 0: none. Default 5. Needs `store.key_file`.
    #[serde(default, deserialize_with = "optional_plain_or_text")]
    #[schemars(with = "Option<u32>")]
    per_user: Option<u32>,
    /// Where the servers of a mail address are looked up that its domain does not name itself: the directory of Thunderbird (the default),
    /// which is told the domain and nothing else; or `""`: nowhere.
    directory: Option<String>,
    /// Mail servers, as `host` or `host:port`, that are connected to although they are private or have no TLS. Default none.
    #[serde(default)]
    allow_hosts: Vec<String>,
    /// How often a folder of sent mail is looked at for what its owner sent by another program; 0: never. Default 300.
    #[serde(default, deserialize_with = "optional_plain_or_text")]
    #[schemars(with = "Option<u32>")]
    sent_every_seconds: Option<u32>,
    /// Providers that users sign in at instead of entering a password here, each under a name that users read.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, RawProvider>")]
    provider: Map<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OwnProvider")]
struct RawProvider {
    /// The mail servers that it is for: `["imap.gmail.com", "smtp.gmail.com"]`.
    hosts: Vec<String>,
    /// Where users sign in: `https://accounts.google.com/o/oauth2/v2/auth`.
    authorize_url: String,
    /// Where tokens come from: `https://oauth2.googleapis.com/token`.
    token_url: String,
    /// What the provider knows you by. There, `PUBLIC_URL/admin/own` has to be entered as where users come back to.
    client_id: String,
    /// Its secret, where the provider gives one.
    #[schemars(with = "Option<String>")]
    client_secret: Option<SecretString>,
    /// A file that holds the secret.
    client_secret_file: Option<PathBuf>,
    /// What is asked for: `https://mail.google.com/`.
    scope: String,
}

/// The same, checked.
#[derive(Clone, Debug)]
pub(crate) struct OwnConfig {
    pub(crate) per_user: u32,
    pub(crate) directory: Option<Url>,
    pub(crate) allow_hosts: AllowedHosts,
    pub(crate) providers: Vec<Arc<Provider>>,
    /// Zero: never.
    pub(crate) sent_every: Duration,
}

impl OwnConfig {
    pub(crate) fn read(section: &Section, faults: &mut Vec<ConfigFault>) -> Option<Self> {
        let raw: RawOwn = take(faults, section.read())?;
        let per_user = raw.per_user.unwrap_or(PER_USER);
        if per_user > PER_USER_MAX {
            let problem = format!("{per_user} is more than {PER_USER_MAX}");
            faults.push(section.fault("per_user", problem, "write a smaller number"));
        }
        let directory = raw.directory.as_deref().unwrap_or(DIRECTORY);
        let directory = match directory {
            "" => None,
            text => {
                let url = text.parse::<Url>().ok();
                let url = url.filter(|url| !url.cannot_be_a_base());
                take(
                    faults,
                    url.ok_or_else(|| {
                        let remedy = format!("write one like {DIRECTORY}, or \"\"");
                        section.fault("directory", format!("{text:?} is not a URL"), remedy)
                    }),
                )
            }
        };
        let sent_every = raw.sent_every_seconds.unwrap_or(SENT_EVERY_SECONDS);
        if sent_every > 86_400 {
            let problem = format!("{sent_every} is more than a day");
            faults.push(section.fault("sent_every_seconds", problem, "write at most 86400"));
        }
        let providers = section.section("provider");
        let providers = raw.provider.keys().filter_map(|name| {
            let section = providers.section(name);
            take(faults, provider(name, &section)).map(Arc::new)
        });
        Some(Self {
            providers: providers.collect(),
            sent_every: Duration::from_secs(sent_every.into()),
            per_user,
            directory,
            allow_hosts: AllowedHosts::new(raw.allow_hosts),
        })
    }
}

fn provider(name: &str, section: &Section) -> Result<Provider, ConfigFault> {
    let raw: RawProvider = section.read()?;
    let url = |key: &str, text: &str| {
        let parsed = text.parse::<Url>().ok();
        let parsed = parsed.filter(|url| url.host_str().is_some());
        parsed.ok_or_else(|| {
            let problem = format!("{text:?} is not a URL");
            section.fault(key, problem, "take it from the provider's documentation")
        })
    };
    let file = raw.client_secret_file.as_deref();
    Ok(Provider {
        name: name.to_owned(),
        authorize: url("authorize_url", &raw.authorize_url)?,
        token: url("token_url", &raw.token_url)?,
        client_secret: section.secret("client_secret", raw.client_secret, file)?,
        hosts: raw.hosts.iter().map(|host| host.to_lowercase()).collect(),
        client_id: raw.client_id,
        scope: raw.scope,
    })
}
