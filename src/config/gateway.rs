//! One checked gateway, with its adapter's table still as written.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use jid::BareJid;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use transom_adapter::{ConfigFault, Section};

use super::{
    access::AccessList,
    address::ServerAddress,
    extract::{Foreign, Strays, extract},
    fault::{Fault, Faults, Severity},
    faults::Collector,
    humane::HumaneDuration,
    limits::Limits,
    line::Line,
    origins::Origins,
    raw::{FilesNotCarried, RawGateway, Receipts, Registration},
    sections::{XmppConfig, bare_jids, duration, server},
};
use crate::texts::Lang;

const HOLD_MAX: Duration = Duration::from_hours(1);
const MERGE_MAX: Duration = Duration::from_mins(1);
const GIVE_UP_MIN: Duration = Duration::from_mins(1);

/// `[gateway.NAME]`: a component domain and the adapter behind it.
#[derive(Clone)]
pub struct GatewayConfig {
    /// The name after `gateway.`: in webhook paths, metrics and logs.
    pub name: String,
    /// The adapter's name: `sms`, `email`, or one given to the builder.
    pub adapter: String,
    /// The component's domain.
    pub domain: BareJid,
    /// The component's secret.
    pub secret: SecretString,
    /// The component port.
    pub server: ServerAddress,
    /// Narrows `xmpp.allow`; `None`: does not.
    pub allow: Option<AccessList>,
    /// How users come to be.
    pub registration: Registration,
    /// How long a message waits for corrections and retractions.
    pub hold: Duration,
    /// How long text and file wait for each other.
    pub merge: Duration,
    /// What a receipt stands for.
    pub receipts: Receipts,
    /// Whether STOP and START are answered.
    pub optout_replies: bool,
    /// Whether users have to prove a mobile number before they can write.
    pub verify_mobile: bool,
    /// What becomes of files that the network does not carry.
    pub files: FilesNotCarried,
    /// What may be sent.
    pub limits: Limits,
    /// How long a message to the outside is tried.
    pub give_up: Duration,
    /// How long a message from the outside waits for its user.
    pub give_up_inbound: Duration,
    /// When a sender is told that there is no delivery report.
    pub report_after: Duration,
    /// Below which credit of an account, in whole units of its currency, admins are told; 0: never.
    pub balance_low: u32,
    /// How long the parts of a longer text wait for the others.
    pub parts_after: Duration,
    /// For users whose client does not say.
    pub lang: Lang,
    /// Our own numbers, in the order of the file.
    pub lines: Vec<Line>,
    /// Relative paths in the adapter's table start here.
    pub base: PathBuf,
    section: Foreign,
    origins: Arc<Origins>,
}

/// In a draft, the domain of a gateway that has none: its adapter's part is looked at all the same.
const NO_DOMAIN: &str = "missing.invalid";

/// What differs between text and mail (semantics 34).
struct Defaults {
    hold: Duration,
    merge: Duration,
    give_up: Duration,
}

impl Defaults {
    fn of(adapter: &str) -> Self {
        if adapter == "email" {
            Self {
                hold: Duration::from_secs(5),
                merge: Duration::from_secs(2),
                give_up: Duration::from_hours(48),
            }
        } else {
            Self {
                hold: Duration::ZERO,
                merge: Duration::ZERO,
                give_up: Duration::from_hours(4),
            }
        }
    }
}

/// What a gateway's check needs from around it.
pub(super) struct Surroundings<'a> {
    pub(super) xmpp: &'a XmppConfig,
    pub(super) origins: &'a Arc<Origins>,
    pub(super) base: &'a std::path::Path,
}

impl GatewayConfig {
    /// The adapter's part of the table, for the adapter to read. Holds secrets.
    pub fn section(&self) -> Section {
        let table = match serde_json::to_value(&self.section.table) {
            Ok(serde_json::Value::Object(table)) => table,
            _ => serde_json::Map::new(),
        };
        Section {
            key: self.key(),
            table,
            base_dir: self.base.clone(),
        }
    }

    /// Reads the adapter's part into the adapter's own type, with every fault of it at once.
    ///
    /// # Errors
    ///
    /// Every fault of the table, unknown options with what may have been meant included.
    pub fn read_section<T: DeserializeOwned>(&self) -> Result<T, Faults> {
        let mut faults = Collector::new(Arc::clone(&self.origins));
        let table = self.section.table.clone();
        let strays = Strays::Fault(self.section.core_keys);
        match extract(table, &self.key(), strays, &mut faults) {
            Some(value) if !faults.has_errors() => Ok(value),
            _ => Err(Faults(faults.into_faults())),
        }
    }

    /// An adapter's fault with its place in the file.
    pub fn locate(&self, fault: ConfigFault) -> Fault {
        self.origins
            .fault(Severity::Error, &fault.key, fault.problem, fault.remedy)
    }

    /// The names of the table `provider`, in alphabetical order.
    pub fn provider_names(&self) -> Vec<&str> {
        provider_names(&self.section)
    }

    fn key(&self) -> String {
        format!("gateway.{}", self.name)
    }

    /// Checks one gateway; `None` when nobody can tell whose its options are, which then is a fault.
    pub(super) fn check(
        name: &str,
        table: figment::value::Dict,
        around: &Surroundings<'_>,
        faults: &mut Collector,
    ) -> Option<Self> {
        let key = format!("gateway.{name}");
        check_name(name, &key, faults);
        let mut section = Foreign::default();
        let raw: RawGateway = extract(table, &key, Strays::MoveTo(&mut section), faults)?;
        let option = |option: &str| format!("{key}.{option}");

        let adapter = required(
            raw.adapter,
            &option("adapter"),
            "write \"sms\" or \"email\"",
            faults,
        );
        let domain = required(
            raw.domain,
            &option("domain"),
            "write the component's domain",
            faults,
        );
        let domain = domain.and_then(|text| domain_jid(&text, &option("domain"), faults));
        let secret = component_secret(raw.secret, &option("secret"), faults);
        let server = raw
            .server
            .and_then(|text| server(&text, &option("server"), faults));
        let allow = raw
            .allow
            .map(|list| AccessList::new(bare_jids(Some(list), &option("allow"), faults)));
        let admits = |user: &BareJid| admits(&around.xmpp.allow, allow.as_ref(), user);
        let providers = provider_names(&section);
        let lines = Line::check_all(raw.line, &option("line"), &providers, admits, faults);

        let defaults = Defaults::of(adapter.as_deref().unwrap_or_default());
        let mut timing = Timing { key: &key, faults };
        let hold = timing.at_most("hold", raw.hold, defaults.hold, HOLD_MAX);
        let merge = timing.at_most("merge", raw.merge, defaults.merge, MERGE_MAX);
        let give_up = timing.at_least("give_up", raw.give_up, defaults.give_up);
        let give_up_inbound = timing.at_least(
            "give_up_inbound",
            raw.give_up_inbound,
            Duration::from_hours(14 * 24),
        );
        let limits = Limits::check(&raw.limits, &option("limits"), faults);
        let lang = language(raw.lang.as_deref(), &option("lang"), faults);
        Some(Self {
            name: name.to_owned(),
            adapter: adapter?,
            domain: domain.or_else(|| BareJid::new(NO_DOMAIN).ok())?,
            secret: secret.unwrap_or_default(),
            server: server.unwrap_or_else(|| around.xmpp.server.clone()),
            allow,
            registration: raw.registration.unwrap_or_default(),
            hold,
            merge,
            receipts: raw.receipts.unwrap_or_default(),
            optout_replies: raw.optout_replies.unwrap_or(false),
            verify_mobile: raw.verify_mobile.unwrap_or(false),
            files: raw.files.unwrap_or_default(),
            limits,
            give_up,
            give_up_inbound,
            report_after: duration(raw.report_after, Duration::from_hours(24)),
            balance_low: raw.balance_low.unwrap_or(5),
            parts_after: duration(raw.parts_after, Duration::from_mins(30)),
            lang,
            lines,
            base: around.base.to_owned(),
            section,
            origins: Arc::clone(around.origins),
        })
    }
}

/// Whether both lists admit the user: `xmpp.allow` comes first, always (semantics 13).
pub(super) fn admits(all: &AccessList, gateway: Option<&AccessList>, user: &BareJid) -> bool {
    all.admits(user) && gateway.is_none_or(|list| list.admits(user))
}

impl fmt::Debug for GatewayConfig {
    /// Without the adapter's table: which of its values are secrets, only the adapter knows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayConfig")
            .field("name", &self.name)
            .field("adapter", &self.adapter)
            .field("domain", &self.domain)
            .field("server", &self.server)
            .field("allow", &self.allow)
            .field("registration", &self.registration)
            .field("hold", &self.hold)
            .field("merge", &self.merge)
            .field("receipts", &self.receipts)
            .field("optout_replies", &self.optout_replies)
            .field("verify_mobile", &self.verify_mobile)
            .field("files", &self.files)
            .field("limits", &self.limits)
            .field("give_up", &self.give_up)
            .field("give_up_inbound", &self.give_up_inbound)
            .field("report_after", &self.report_after)
            .field("balance_low", &self.balance_low)
            .field("parts_after", &self.parts_after)
            .field("lang", &self.lang)
            .field("lines", &self.lines)
            .finish_non_exhaustive()
    }
}

/// Durations with bounds.
struct Timing<'a> {
    key: &'a str,
    faults: &'a mut Collector,
}

impl Timing<'_> {
    fn at_most(
        &mut self,
        option: &str,
        written: Option<HumaneDuration>,
        default: Duration,
        max: Duration,
    ) -> Duration {
        let value = duration(written, default);
        if value > max {
            let problem = format!("longer than {}", HumaneDuration(max));
            self.fault(
                option,
                problem,
                "shorten it: the message waits all that time",
            );
        }
        value
    }

    fn at_least(
        &mut self,
        option: &str,
        written: Option<HumaneDuration>,
        default: Duration,
    ) -> Duration {
        let value = duration(written, default);
        if value < GIVE_UP_MIN {
            let problem = "shorter than a minute".to_owned();
            self.fault(
                option,
                problem,
                "lengthen it: the first repeat comes later than that",
            );
        }
        value
    }

    fn fault(&mut self, option: &str, problem: String, remedy: &str) {
        self.faults
            .error(&format!("{}.{option}", self.key), problem, remedy);
    }
}

fn provider_names(section: &Foreign) -> Vec<&str> {
    section
        .table
        .get("provider")
        .and_then(|value| value.as_dict())
        .map(|table| table.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// The name stands in URLs, metrics and environment variables.
fn check_name(name: &str, key: &str, faults: &mut Collector) {
    let good = name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.contains("__")
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        });
    if !good {
        faults.error(
            key,
            format!("{name:?} cannot be a gateway's name"),
            "begin with a letter; use a to z, 0 to 9, - and single _, at most 32 of them",
        );
    }
}

fn required<T>(value: Option<T>, key: &str, remedy: &str, faults: &mut Collector) -> Option<T> {
    if value.is_none() {
        faults.error(key, "is missing", remedy);
    }
    value
}

fn domain_jid(text: &str, key: &str, faults: &mut Collector) -> Option<BareJid> {
    let domain = BareJid::new(text).ok().filter(|jid| jid.node().is_none());
    if domain.is_none() {
        faults.error(
            key,
            format!("{text:?} is not a domain"),
            "write the component's domain alone, as sms.example.org",
        );
    }
    domain
}

fn component_secret(
    secret: Option<SecretString>,
    key: &str,
    faults: &mut Collector,
) -> Option<SecretString> {
    const REMEDY: &str = "write the secret that the XMPP server has for this component";
    let secret = required(secret, key, REMEDY, faults)?;
    if secret.expose_secret().is_empty() {
        faults.error(key, "is empty", REMEDY);
    }
    Some(secret)
}

fn language(written: Option<&str>, key: &str, faults: &mut Collector) -> Lang {
    let Some(tag) = written else {
        return Lang::default();
    };
    Lang::from_tag(tag).unwrap_or_else(|| {
        faults.error(
            key,
            format!("{tag:?} is not one of our languages"),
            "write \"en\" or \"de\"",
        );
        Lang::default()
    })
}
