//! Wiring: from a checked configuration to a running process.
//!
//! Anybody can build a gateway with an adapter of their own: `App::builder().adapter(Mine).build(config).run().await`.

mod adapters;
mod alone;
mod base;
mod control;
mod found;
mod inherited;
mod lines;
mod live;
mod notify;
mod parts;
mod readiness;
mod start;
mod upkeep;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use transom_adapter::{
    Adapter, AllowedHosts, ConfigFault, HttpClient, HttpLimits, Lifecycle, Section, Signer,
    SystemClock,
};
use transom_simulator::Simulator;
use url::Url;

pub use adapters::json_schema;
pub use alone::Alone;
pub use base::lock;
pub use live::{Finding, Live};

use crate::{
    config::{Config, Fault},
    seal::{KeyFileError, KeyRing},
    store::StoreError,
};

/// A configured process that has not started.
pub struct App {
    config: Config,
    factories: Vec<Box<dyn AdapterFactory>>,
    reload: Box<dyn Fn() + Send + Sync>,
    log_level: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    http: OnceLock<HttpClient>,
}

/// Collects adapters.
#[derive(Default)]
pub struct Builder {
    factories: Vec<Box<dyn AdapterFactory>>,
}

/// Builds the adapter of a gateway whose `adapter` option names it.
pub trait AdapterFactory: Send + Sync {
    /// The name in the configuration.
    fn name(&self) -> &'static str;

    /// Builds it.
    ///
    /// # Errors
    ///
    /// Every fault of its part of the configuration.
    fn build(&self, setup: &Setup) -> Result<Arc<dyn Adapter>, Vec<ConfigFault>>;
}

/// What an adapter is built from.
pub struct Setup {
    /// The gateway's name.
    pub gateway: String,
    /// The adapter's part of the configuration.
    pub section: Section,
    /// `http.public_url`.
    pub public_url: Option<Url>,
    /// Tokens that cannot be guessed.
    pub signer: Signer,
    /// Phones in the process.
    pub simulator: Simulator,
    /// Calls to providers; it fetches from the hosts of `files.allow_hosts` although they are private.
    pub http: HttpClient,
}

/// Why the process could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error("the configuration cannot be used")]
    Config(Vec<crate::config::Fault>),
    /// The listener cannot be opened.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// `http.listen`.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// An account cannot open its listener.
    #[error("{0}")]
    Bind(ConfigFault),
    /// The database refuses for good.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no database yet.
    #[error("there is no database {} yet: `transom run` makes it", .0.display())]
    NoDatabase(PathBuf),
    /// Another `run` holds the database.
    #[error("another transom runs on {}", .0.display())]
    Taken(PathBuf),
    /// Something of the machine.
    #[error("{0}")]
    System(String),
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It was asked to, and drained.
    Drained,
    /// It was asked twice, or did not drain in time.
    Aborted,
    /// A task failed.
    Failed,
}

impl App {
    /// The adapters that come with transom, and room for more.
    pub fn builder() -> Builder {
        Builder {
            factories: adapters::built_in(),
        }
    }

    /// What SIGHUP does.
    #[must_use]
    pub fn on_hangup(mut self, reload: impl Fn() + Send + Sync + 'static) -> Self {
        self.reload = Box::new(reload);
        self
    }

    /// What the command that changes the log's level does; it says whether that level exists.
    #[must_use]
    pub fn on_log_level(mut self, change: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.log_level = Arc::new(change);
        self
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// # Errors
    ///
    /// [`StartError`], for faults that are visible without a network.
    pub async fn run(self) -> Result<Ended, StartError> {
        // Whoever waits for it does not carry all of it.
        Box::pin(start::run(self, Lifecycle::new())).await
    }

    /// Opens the store alone, for operations while nothing runs.
    ///
    /// # Errors
    ///
    /// [`StartError`]; [`StartError::Taken`] when something runs.
    pub async fn alone(self) -> Result<Alone, StartError> {
        alone::open(self).await
    }

    /// Logs in wherever this configuration says, and says what was found. `running`: what a running process says of itself.
    pub async fn check_live(self, running: Option<crate::operations::Now>) -> Live {
        live::check(self, running).await
    }

    /// What makes the process's HTTP calls, all with one trust store and one pool of connections.
    fn http(&self) -> Result<HttpClient, rustls::Error> {
        if let Some(http) = self.http.get() {
            return Ok(http.clone());
        }
        let hosts = AllowedHosts::new(self.config.files.allow_hosts.iter().cloned());
        let http = HttpClient::new(HttpLimits::default())?.except(hosts);
        Ok(self.http.get_or_init(|| http).clone())
    }

    /// Builds every adapter and lets it go: what is wrong with their parts of the configuration.
    ///
    /// # Errors
    ///
    /// Every fault.
    pub fn check(&self) -> Result<(), Vec<crate::config::Fault>> {
        let signer = Signer::new(vec![0; 32].into());
        let built = adapters::build(self, &signer, &Simulator::new(Arc::new(SystemClock)));
        let mut faults = built.err().unwrap_or_default();
        faults.extend(self.keys().err().unwrap_or_default());
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// The keys that logins are sealed with.
    fn keys(&self) -> Result<Option<KeyRing>, Vec<Fault>> {
        KeyRing::load(self.config.store.key_file.as_deref()).map_err(|error| {
            let remedy = match error {
                KeyFileError::Open(_) => "take the right to read it from others: chmod 600",
                _ => "name the right file, or make one: `transom key rotate`",
            };
            let fault = ConfigFault {
                key: "store.key_file".to_owned(),
                problem: error.to_string(),
                remedy: remedy.to_owned(),
            };
            let gateways = self.config.gateways.iter().take(1);
            gateways
                .map(|gateway| gateway.locate(fault.clone()))
                .collect::<Vec<_>>()
        })
    }
}

impl Builder {
    /// Adds an adapter.
    #[must_use]
    pub fn adapter(mut self, factory: impl AdapterFactory + 'static) -> Self {
        self.factories.push(Box::new(factory));
        self
    }

    /// With this configuration.
    pub fn build(self, config: Config) -> App {
        App {
            config,
            factories: self.factories,
            reload: Box::new(|| {}),
            log_level: Arc::new(|_| false),
            http: OnceLock::new(),
        }
    }
}
