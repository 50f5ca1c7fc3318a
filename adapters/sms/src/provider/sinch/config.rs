//! The section of a Sinch account.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use transom_adapter::{AccountName, ConfigFault, Section};

use super::{ProviderEnv, SinchAccount};
use crate::provider::{
    access_token::{AccessToken, Bearer},
    media,
    settings::Settings,
};

/// `[gateway.X.provider.Y]` with `kind = "sinch"`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinchConfig {
    /// The service plan's id; or else `project_id`.
    pub service_plan_id: Option<String>,
    /// Its API token.
    #[schemars(with = "Option<String>")]
    pub api_token: Option<SecretString>,
    /// A file that holds it.
    pub api_token_file: Option<PathBuf>,
    /// The project's id, instead of a service plan.
    pub project_id: Option<String>,
    /// An access key of the project.
    pub key_id: Option<String>,
    /// Its secret.
    #[schemars(with = "Option<String>")]
    pub key_secret: Option<SecretString>,
    /// A file that holds it.
    pub key_secret_file: Option<PathBuf>,
    /// Where tokens are asked for with the key. Default: `https://auth.sinch.com/oauth2/token`.
    #[serde(default = "token_url")]
    pub token_url: String,
    /// Where the service plan lives: `us`, `eu`, `au`, `br` or `ca`. Default: `us`.
    #[serde(default = "region")]
    pub region: String,
    /// The secret that Sinch's calls are signed with, for accounts where signing is turned on.
    #[schemars(with = "Option<String>")]
    pub webhook_secret: Option<SecretString>,
    /// A file that holds it.
    pub webhook_secret_file: Option<PathBuf>,
    /// The last part of our webhook's path; needed where Sinch does not sign.
    #[schemars(with = "Option<String>")]
    pub webhook_token: Option<SecretString>,
    /// A file that holds it.
    pub webhook_token_file: Option<PathBuf>,
    /// How long Sinch may try, 1m to 3 days, which is its default.
    pub validity: Option<String>,
    /// Default: `https://{region}.sms.api.sinch.com`, and with `zt.` before it for a project.
    pub base_url: Option<String>,
}

fn region() -> String {
    "us".to_owned()
}

fn token_url() -> String {
    "https://auth.sinch.com/oauth2/token".to_owned()
}

/// The name in the API's paths, and what signs in: a service plan with its token, or a project with a key of it.
fn signed_in(
    config: &mut SinchConfig,
    settings: &mut Settings<'_>,
    env: &ProviderEnv,
) -> (String, Bearer) {
    match (config.service_plan_id.take(), config.project_id.take()) {
        (Some(plan), None) => {
            settings.id("service_plan_id", &plan);
            let file = config.api_token_file.as_deref();
            let token = settings.secret("api_token", config.api_token.take(), file);
            (plan, Bearer::Fixed(token))
        }
        (None, Some(project)) => {
            settings.id("project_id", &project);
            let key_id = config.key_id.take().unwrap_or_default();
            settings.id("key_id", &key_id);
            let file = config.key_secret_file.as_deref();
            let key_secret = settings.secret("key_secret", config.key_secret.take(), file);
            let url = settings.base_url("token_url", &config.token_url);
            let credentials = (key_id, key_secret);
            let access = AccessToken::new(env.http.clone(), env.clock.clone(), url, credentials);
            (project, Bearer::Granted(Box::new(access)))
        }
        _ => {
            settings.fault(
                "service_plan_id",
                "not one of service_plan_id and project_id is set",
                "give the plan with its api_token, or the project with key_id and key_secret",
            );
            (String::new(), Bearer::Fixed(SecretString::default()))
        }
    }
}

/// Builds the account.
pub(super) fn account(
    name: AccountName,
    section: &Section,
    env: &ProviderEnv,
) -> Result<SinchAccount, Vec<ConfigFault>> {
    let mut config: SinchConfig = section.read().map_err(|fault| vec![fault])?;
    let mut settings = Settings::of(section);
    if !matches!(&*config.region, "us" | "eu" | "au" | "br" | "ca") {
        settings.fault("region", "is no region", "use us, eu, au, br or ca");
    }
    let zone = if config.project_id.is_some() {
        "zt."
    } else {
        ""
    };
    let base_url = config.base_url.take();
    let base_url =
        base_url.unwrap_or_else(|| format!("https://{zone}{}.sms.api.sinch.com", config.region));
    let base_url = settings.base_url("base_url", &base_url);
    let (path, bearer) = signed_in(&mut config, &mut settings, env);
    let file = config.webhook_secret_file.as_deref();
    let webhook_secret = settings.optional_secret("webhook_secret", config.webhook_secret, file);
    let file = config.webhook_token_file.as_deref();
    // Who signs needs no token; who does neither cannot call at all.
    let wanted = config.webhook_token.is_some() || file.is_some() || webhook_secret.is_none();
    let webhook_token = wanted.then(|| settings.webhook_token(config.webhook_token, file));
    let bounds = (Duration::from_mins(1), Duration::from_hours(72));
    let validity = settings.duration("validity", config.validity.as_deref(), bounds);
    let callback_url = match &webhook_token {
        Some(token) => env.secret_way_back(None, &name, token),
        None => env.way_back(None, &name).map(SecretString::from),
    };
    settings.built(|| SinchAccount {
        http: env.http.clone(),
        clock: env.clock.clone(),
        plan_url: format!("{base_url}/xms/v1/{path}"),
        base_url,
        bearer,
        webhook_secret,
        webhook_token,
        callback_url,
        validity,
        files: media::by_url(env, super::FILES),
        home: env.home,
        name,
    })
}
