//! The configuration: a TOML file and the environment, checked as a whole.
//!
//! [`Document`] merges the sources and reads secrets from their files → [`extract()`] makes the raw structs and
//! notes what has the wrong type or name → the checks make [`Config`], in which nothing has to be checked again. Every step
//! collects its faults, so that one run shows all of them.
//!
//! An adapter's own options stay as written until the adapter reads them: [`GatewayConfig::section`].

mod access;
mod address;
mod document;
mod environment;
mod extract;
mod fault;
mod faults;
mod gateway;
mod humane;
mod limits;
mod line;
mod origins;
mod raw;
mod schema;
mod secret_files;
mod sections;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use jid::BareJid;

pub use access::AccessList;
pub use address::{NotAServer, NotAStore, ServerAddress, StoreUrl};
pub use environment::Environment;
pub use fault::{Fault, Faults, Place, Severity};
pub use gateway::GatewayConfig;
pub use humane::{HumaneDuration, HumaneSize, NotHumane};
pub use limits::Limits;
pub use line::{Line, Ownership};
pub use raw::{FilesNotCarried, LogFormat, LogLevel, Receipts, Registration};
pub use schema::{AdapterSchema, json_schema};
pub use sections::{FilesConfig, HttpConfig, KeepConfig, LogConfig, StoreConfig, XmppConfig};

use document::Document;
use extract::{Strays, extract};
use faults::Collector;
use gateway::Surroundings;
use raw::RawConfig;

/// The whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the state is kept.
    pub store: StoreConfig,
    /// The XMPP server and who may use the gateways.
    pub xmpp: XmppConfig,
    /// The HTTP listener.
    pub http: HttpConfig,
    /// The gateways, by name. Never empty.
    pub gateways: Vec<GatewayConfig>,
    /// How long things are kept.
    pub keep: KeepConfig,
    /// Attachments.
    pub files: FilesConfig,
    /// The log.
    pub log: LogConfig,
    /// Where relative paths start: `$STATE_DIRECTORY`, else the file's folder.
    pub base: PathBuf,
}

/// A usable configuration and what is odd about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is odd, each with [`Severity::Warning`].
    pub warnings: Vec<Fault>,
}

/// A configuration as far as it could be read: for showing what else is wrong with it, and to run with once nothing is.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Of what is wrong or missing, the default or a placeholder stands in it.
    pub config: Config,
    /// What is wrong and what is odd.
    pub faults: Vec<Fault>,
}

impl Draft {
    /// The configuration, where nothing makes it unusable.
    ///
    /// # Errors
    ///
    /// Every fault that was found, warnings among them.
    pub fn finish(self) -> Result<Loaded, Faults> {
        let is_error = |fault: &Fault| fault.severity == Severity::Error;
        if self.faults.iter().any(is_error) {
            return Err(Faults(self.faults));
        }
        Ok(Loaded {
            config: self.config,
            warnings: self.faults,
        })
    }

    /// Adds what the adapters find wrong with their parts.
    pub fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.extend(faults);
        fault::put_in_order(&mut self.faults);
    }
}

impl Config {
    /// Reads and checks the file and the environment. Blocks; reads secret files too.
    ///
    /// # Errors
    ///
    /// Every fault that was found, warnings among them.
    pub fn load(file: &Path, environment: &Environment) -> Result<Loaded, Faults> {
        Self::draft(file, environment)?.finish()
    }

    /// The same, with what can be read of a configuration that cannot be used.
    ///
    /// # Errors
    ///
    /// The fault of a file of which nothing can be read.
    pub fn draft(file: &Path, environment: &Environment) -> Result<Draft, Faults> {
        let (document, faults) =
            Document::read(file, environment).map_err(|fault| Faults(vec![fault]))?;
        Ok(Self::check(document, faults))
    }

    /// The same for a text; `file` only says where it stands.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn parse(text: &str, file: &Path, environment: &Environment) -> Result<Loaded, Faults> {
        let (document, faults) =
            Document::parse(text, file, environment).map_err(|fault| Faults(vec![fault]))?;
        Self::check(document, faults).finish()
    }

    /// The gateway with this name.
    pub fn find_gateway(&self, name: &str) -> Option<&GatewayConfig> {
        self.gateways.iter().find(|gateway| gateway.name == name)
    }

    /// Whether this user may use this gateway (semantics 13).
    pub fn admits(&self, gateway: &GatewayConfig, user: &BareJid) -> bool {
        gateway::admits(&self.xmpp.allow, gateway.allow.as_ref(), user)
    }

    fn check(document: Document, mut faults: Collector) -> Draft {
        let Document {
            tree,
            origins,
            base,
        } = document;
        let raw: RawConfig = extract(tree, "", Strays::Fault(&[]), &mut faults).unwrap_or_default();
        let xmpp = XmppConfig::check(raw.xmpp, &mut faults);
        let around = Surroundings {
            xmpp: &xmpp,
            origins: &origins,
            base: &base,
        };
        let mut gateways = Vec::with_capacity(raw.gateway.len());
        let none_is_written = raw.gateway.is_empty();
        for (name, table) in raw.gateway {
            gateways.extend(GatewayConfig::check(&name, table, &around, &mut faults));
        }
        check_gateways(&gateways, none_is_written, &mut faults);
        let config = Self {
            store: StoreConfig::check(&raw.store, &base, &mut faults),
            http: HttpConfig::check(raw.http, &mut faults),
            keep: KeepConfig::check(&raw.keep, &mut faults),
            files: FilesConfig::check(&raw.files, &base, &mut faults),
            log: LogConfig {
                format: raw.log.format.unwrap_or_default(),
                level: raw.log.level.unwrap_or_default(),
            },
            xmpp,
            gateways,
            base,
        };
        Draft {
            config,
            faults: faults.into_faults(),
        }
    }
}

fn check_gateways(gateways: &[GatewayConfig], none_is_written: bool, faults: &mut Collector) {
    if none_is_written {
        faults.error(
            "gateway",
            "there is no gateway",
            "add one, as [gateway.sms]",
        );
    }
    for (index, gateway) in gateways.iter().enumerate() {
        let earlier = || gateways.iter().take(index);
        if let Some(other) = earlier().find(|other| other.domain == gateway.domain) {
            let problem = format!("{} is the domain of {} too", gateway.domain, other.name);
            let key = format!("gateway.{}.domain", gateway.name);
            faults.error(&key, problem, "give each gateway a domain of its own");
        }
        for (line, number) in gateway.lines.iter().map(|line| &line.number).enumerate() {
            let elsewhere =
                earlier().find(|other| other.lines.iter().any(|line| line.number == *number));
            if let Some(other) = elsewhere {
                let problem = format!("{number} is a line of {} too", other.name);
                let key = format!("gateway.{}.line.{line}.number", gateway.name);
                faults.error(&key, problem, "keep it in one gateway");
            }
        }
    }
}
