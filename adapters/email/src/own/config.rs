//! `[gateway.NAME.own]`: mailboxes that users bring.

use schemars::JsonSchema;
use serde::Deserialize;
use transom_adapter::{AllowedHosts, ConfigFault, Section};
use url::Url;

const PER_USER: u32 = 5;
/// Nobody has more mailboxes than this.
const PER_USER_MAX: u32 = 100;
const DIRECTORY: &str = "https://autoconfig.thunderbird.net/v1.1/";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOwn {
    /// How many mail accounts a user may connect; 0: none. Default 5. Needs `store.key_file`.
    per_user: Option<u32>,
    /// Where the servers of a mail address are looked up that its domain does not name itself: the directory of Thunderbird (the default),
    /// which is told the domain and nothing else; or `""`: nowhere.
    directory: Option<String>,
    /// Mail servers, as `host` or `host:port`, that are connected to although they are private or have no TLS. Default none.
    #[serde(default)]
    allow_hosts: Vec<String>,
}

/// The same, checked.
#[derive(Clone, Debug)]
pub(crate) struct OwnConfig {
    pub(crate) per_user: u32,
    pub(crate) directory: Option<Url>,
    pub(crate) allow_hosts: AllowedHosts,
}

impl OwnConfig {
    pub(crate) fn read(section: &Section) -> Result<Self, ConfigFault> {
        let raw: RawOwn = section.read()?;
        let per_user = raw.per_user.unwrap_or(PER_USER);
        if per_user > PER_USER_MAX {
            let problem = format!("{per_user} is more than {PER_USER_MAX}");
            return Err(section.fault("per_user", problem, "write a smaller number"));
        }
        let directory = raw.directory.as_deref().unwrap_or(DIRECTORY);
        let directory = match directory {
            "" => None,
            text => Some(
                text.parse::<Url>()
                    .ok()
                    .filter(|url| !url.cannot_be_a_base())
                    .ok_or_else(|| {
                        let remedy = format!("write one like {DIRECTORY}, or \"\"");
                        section.fault("directory", format!("{text:?} is not a URL"), remedy)
                    })?,
            ),
        };
        Ok(Self {
            per_user,
            directory,
            allow_hosts: AllowedHosts::new(raw.allow_hosts),
        })
    }
}
