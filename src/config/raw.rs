//! The configuration as it is written: every option optional, nothing checked beyond its type.
//!
//! The comments here become the descriptions in `config/transom.schema.json`.

use std::{collections::BTreeMap, fmt};

use figment::value::Dict;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

use super::humane::{HumaneDuration, HumaneSize};

/// The configuration of transom.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "transom")]
pub(super) struct RawConfig {
    pub(super) store: RawStore,
    pub(super) xmpp: RawXmpp,
    pub(super) http: RawHttp,
    /// The gateways, each under a name of its own.
    #[schemars(with = "BTreeMap<String, RawGateway>")]
    pub(super) gateway: BTreeMap<String, Dict>,
    pub(super) keep: RawKeep,
    pub(super) files: RawFiles,
    pub(super) log: RawLog,
}

/// Where the state is kept.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Store")]
pub(super) struct RawStore {
    /// `sqlite://path` or `postgres://user:password@host/database`. Default: `sqlite://transom.db`.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub(super) url: Option<SecretString>,
    /// Whether `transom run` applies database migrations. Default: true.
    pub(super) migrate: Option<bool>,
    /// The file of the keys that users' logins are sealed with, outside the database; `transom init` makes it. systemd's credential
    /// `transom.key` comes before it. Default: none, and no user can bring a mailbox.
    pub(super) key_file: Option<String>,
}

/// The XMPP server and who may use the gateways.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Xmpp")]
pub(super) struct RawXmpp {
    /// The server's component port: `host:port`, or `tls://host:port` for direct TLS. Default: `127.0.0.1:5347`.
    pub(super) server: Option<String>,
    /// Domains or bare JIDs that may use the gateways. Missing: nobody may.
    pub(super) allow: Option<OneOrMany>,
    /// Bare JIDs of the admins.
    pub(super) admins: Option<OneOrMany>,
}

/// Webhooks, files, health, metrics and the operator's page.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Http")]
pub(super) struct RawHttp {
    /// The address and port to listen on. Default: `127.0.0.1:8480`.
    pub(super) listen: Option<String>,
    /// What providers and people see; needed for webhooks and files.
    pub(super) public_url: Option<String>,
    /// Signs in to the operator's page, `/admin/`, besides the links of `transom admin-link`; at least 20 characters. Default: none.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub(super) admin_token: Option<SecretString>,
    /// Networks of the proxies whose `X-Forwarded-For` counts, as `10.0.0.0/8`. Default: none.
    pub(super) trusted_proxies: Option<OneOrMany>,
}

/// How long things are kept.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Keep")]
pub(super) struct RawKeep {
    /// The text of messages that are done with. Default: `14d`.
    pub(super) bodies: Option<HumaneDuration>,
    /// The record that there was a message. Default: `90d`.
    pub(super) records: Option<HumaneDuration>,
    /// Attachments. Default: `30d`.
    pub(super) files: Option<HumaneDuration>,
}

/// Attachments.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Files")]
pub(super) struct RawFiles {
    /// The folder they are kept in. Default: `files`.
    pub(super) directory: Option<String>,
    /// The largest attachment. Default: `20MiB`.
    pub(super) max_size: Option<HumaneSize>,
    /// All attachments together. Default: `5GiB`.
    pub(super) quota: Option<HumaneSize>,
    /// Hosts, as `host` or `host:port`, that files are fetched from although their addresses are private or they have no TLS. Default: none.
    pub(super) allow_hosts: Option<OneOrMany>,
}

/// The log on standard error.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Log")]
pub(super) struct RawLog {
    /// `text` or `json`. Default: `text`.
    pub(super) format: Option<LogFormat>,
    /// The least that is logged. Default: `info`.
    pub(super) level: Option<LogLevel>,
}

/// How log lines are written.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The least important lines that are still logged.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Something is lost or an operator must act.
    Error,
    /// Odd, but recovered from.
    Warn,
    /// Start, stop and each message's fate.
    #[default]
    Info,
    /// Every step.
    Debug,
    /// Everything, stanzas without their text included.
    Trace,
}

/// One gateway: an XMPP component domain with an adapter behind it.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("additionalProperties" = true))]
#[schemars(rename = "Gateway")]
pub(super) struct RawGateway {
    /// `sms` or `email`.
    pub(super) adapter: Option<String>,
    /// The component's domain: contacts are `…@domain`.
    pub(super) domain: Option<String>,
    /// The component's secret, as the XMPP server knows it.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub(super) secret: Option<SecretString>,
    /// The component port of this gateway alone, as `xmpp.server`. Default: `xmpp.server`.
    pub(super) server: Option<String>,
    /// Domains or bare JIDs that may use this gateway; narrows `xmpp.allow`. Default: `xmpp.allow`.
    pub(super) allow: Option<OneOrMany>,
    /// `open`: the first use registers where nothing has to be chosen; `approval`: an admin decides; `closed`: admins add users. Default: `open`.
    pub(super) registration: Option<Registration>,
    /// How long a message waits for corrections and retractions, at most `1h`. Default: `0s`; mail: `5s`.
    pub(super) hold: Option<HumaneDuration>,
    /// How long a text waits for a file (or the other way round) to become one message, at most `1m`. Default: `0s`; mail: `2s`.
    pub(super) merge: Option<HumaneDuration>,
    /// What a receipt stands for. `delivered`: the other side has it; `accepted`: the network took it. Default: `delivered`.
    pub(super) receipts: Option<Receipts>,
    /// Whether somebody who writes STOP gets one text that confirms it. Default: false.
    pub(super) optout_replies: Option<bool>,
    /// Whether users have to prove a mobile number of their own, by a code that is sent to it, before they can write. Default: false.
    pub(super) verify_mobile: Option<bool>,
    pub(super) limits: RawLimits,
    /// How long a message to the outside is tried. Default: `4h`; mail: `2d`.
    pub(super) give_up: Option<HumaneDuration>,
    /// How long a message from the outside waits for its user. Default: `14d`.
    pub(super) give_up_inbound: Option<HumaneDuration>,
    /// When a sender is told that there is no delivery report; of a mail that could not be handed on yet after four hours, or after this
    /// where it is less. Default: `24h`.
    pub(super) report_after: Option<HumaneDuration>,
    /// Admins are told when an account of this gateway has less credit than this, in whole units of its currency; `0`: never. Default: 5.
    pub(super) balance_low: Option<u32>,
    /// How long the parts of a longer text wait for the others; then it is delivered with marks where they are missing. Default: `30m`.
    pub(super) parts_after: Option<HumaneDuration>,
    /// The language for users whose client does not say: `en` or `de`. Default: `en`.
    pub(super) lang: Option<String>,
    /// What becomes of files that the network does not carry. `refuse`: their message is refused; `link`: the text leads to them. Default: `refuse`.
    pub(super) files: Option<FilesNotCarried>,
    /// Our own numbers.
    pub(super) line: Vec<RawLine>,
}

/// What one user, and all together, may send. Days are UTC days.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Limits")]
pub(super) struct RawLimits {
    /// Messages of one user a day. Default: 200.
    pub(super) messages_per_day: Option<u32>,
    /// Segments of one user a day. Default: 300.
    pub(super) segments_per_day: Option<u32>,
    /// The longest message, in segments. Default: 8.
    pub(super) segments_per_message: Option<u32>,
    /// People whom one user writes to for the first time, an hour. Default: 20.
    pub(super) new_peers_per_hour: Option<u32>,
    /// Messages of the whole gateway a day. Default: 5000.
    pub(super) gateway_per_day: Option<u32>,
}

/// One of our own numbers. Without `owner`, `owners` and `shared` it is in the pool: claimed at registration.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Line")]
pub(super) struct RawLine {
    /// The number, as `+12025550100`.
    pub(super) number: Option<String>,
    /// The provider, or several: tried in order when one is down. Default: the only provider there is.
    pub(super) provider: Option<OneOrMany>,
    /// The one user whose number it is.
    pub(super) owner: Option<String>,
    /// Several users who all get every text.
    pub(super) owners: Option<OneOrMany>,
    /// Whether many users share it; an answer goes to the one who wrote.
    pub(super) shared: Option<bool>,
    /// Shared lines: the JID that gets texts nobody else can be found for.
    pub(super) fallback: Option<String>,
}

/// Who becomes a user, and how.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// The first use registers where nothing has to be chosen.
    #[default]
    Open,
    /// An admin approves each user.
    Approval,
    /// Admins add users.
    Closed,
}

/// What becomes of files that the network does not carry.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "lowercase")]
pub enum FilesNotCarried {
    /// Their message is refused, before anything is sent.
    #[default]
    Refuse,
    /// The text leads to them; needs `http.public_url`.
    Link,
}

/// What a receipt (XEP-0184) stands for.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "lowercase")]
pub enum Receipts {
    /// The other side has it; where nobody can know, there is none.
    #[default]
    Delivered,
    /// The network took it; the other side may never see it.
    Accepted,
}

/// A list of texts; one alone may be written without brackets, in the environment for one.
#[derive(Default)]
pub(super) struct OneOrMany(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OneOrMany".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "One text or a list of them.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        })
    }
}

struct ListVisitor;

impl<'de> de::Visitor<'de> for ListVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(vec![text.to_owned()]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut entries: A) -> Result<OneOrMany, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(OneOrMany(list))
    }
}
