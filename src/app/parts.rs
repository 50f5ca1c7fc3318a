//! The parts of a running process, gateway by gateway, and what connects them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::mpsc;
use transom_adapter::{Account, AccountName, Adapter, Context, Holder, Lifecycle};
use transom_simulator::Simulator;

use super::{App, StartError, adapters, base::Base, lines};
use crate::{
    config::GatewayConfig,
    files::Files,
    gateway::{Gateway, files::FilePolicy},
    intake::{self, Doors, Intake, Knock, Rosters, Strangers, Trial},
    operations::Operations,
    processes::{Hint, Processes},
    queue::{
        AccountStates, Brought, Online, Queue, QueueGateway, Surroundings, Teller, TellerInbox,
    },
    xmpp::{
        jid::DomainPart,
        stream::{Endpoint, Link, LinkConfig, LinkEvent, LinkHandle, StopWhen},
    },
};

/// Events of a link and calls of accounts that wait for the intake.
const WAITING_MAX: usize = 256;
/// How long an answer to a ping may take where the link is handed from process to process.
const SHARED_BARRIER: Duration = Duration::from_secs(10);
/// Trials that wait for the intake: an admin makes one at a time.
const TRIALS_MAX: usize = 4;

/// Every gateway, and the doors that accounts knock at.
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    pub(super) doors: Doors,
}

/// One gateway while it is being put together.
pub(super) struct Part {
    pub(super) gateway: Arc<Gateway>,
    link: LinkHandle,
    rosters: Rosters,
    events: mpsc::Receiver<LinkEvent>,
    door: mpsc::Receiver<Knock>,
    trials: mpsc::Receiver<Trial>,
    trial: mpsc::Sender<Trial>,
}

impl Parts {
    /// Makes the gateways and starts their links.
    pub(super) async fn make(
        app: &App,
        (base, processes): (&Base, &Processes),
        simulator: &Simulator,
        lifecycle: &Lifecycle,
    ) -> Result<Self, StartError> {
        let built = adapters::build(app, &base.signer, simulator).map_err(StartError::Config)?;
        let mut parts = Vec::new();
        let mut doors = HashMap::new();
        for (config, (_, adapter)) in app.config.gateways.iter().zip(built) {
            adapters::tell_simulator(simulator, config);
            let gateway = Arc::new(gateway(app, base, config, adapter).await?);
            let (knocks, door) = mpsc::channel(WAITING_MAX);
            doors.insert(config.name.clone(), knocks);
            let (sender, events) = mpsc::channel(WAITING_MAX);
            let accounts = gateway.adapter.accounts();
            let is_whole =
                |account: &Arc<dyn Account>| account.capabilities().holder == Holder::One;
            let permit = processes.add(gateway.id, accounts.iter().any(is_whole));
            let mut link_config = link_config(app, config)?;
            link_config.permit = permit.await?;
            if link_config.permit.is_some() {
                // While two connections stand, ejabberd may give the answer to a ping to the other one.
                link_config.timing.barrier = SHARED_BARRIER;
            }
            let link = Link::spawn(link_config, lifecycle, sender);
            let (trial, trials) = mpsc::channel(TRIALS_MAX);
            parts.push(Part {
                gateway,
                link,
                rosters: Rosters::default(),
                events,
                door,
                trials,
                trial,
            });
        }
        let named = |part: &Part| (part.gateway.config.name.clone(), Arc::clone(&part.gateway));
        let gateways = Arc::new(parts.iter().map(named).collect());
        let doors = Doors {
            doors: Arc::new(doors),
            gateways,
            store: base.store.clone(),
        };
        Ok(Self { parts, doors })
    }
}

impl Part {
    /// The gateway and its link.
    pub(super) fn watched(&self) -> (Arc<Gateway>, LinkHandle) {
        (Arc::clone(&self.gateway), self.link.clone())
    }

    /// The gateway's name and its key.
    pub(super) fn holds(&self) -> (String, i64) {
        (self.gateway.config.name.clone(), self.gateway.id)
    }

    /// The gateway's name and its link.
    pub(super) fn link(&self) -> (String, LinkHandle) {
        (self.gateway.config.name.clone(), self.link.clone())
    }

    /// The gateway's key, and who should know whom there.
    pub(super) fn rosters(&self) -> (i64, Rosters) {
        (self.gateway.id, self.rosters.clone())
    }

    /// The gateway's key, and where its trials go.
    pub(super) fn trial(&self) -> (i64, mpsc::Sender<Trial>) {
        (self.gateway.id, self.trial.clone())
    }

    /// The gateway's key, its name and its link.
    pub(super) fn numbered_link(&self) -> (i64, String, LinkHandle) {
        (
            self.gateway.id,
            self.gateway.config.name.clone(),
            self.link.clone(),
        )
    }
}

/// The queue, and what works with it.
pub(super) struct Works {
    /// Every account of every gateway.
    pub(super) accounts: HashMap<AccountName, Arc<dyn transom_adapter::Account>>,
    pub(super) queue: Queue,
    pub(super) teller: Teller,
    online: Online,
    files: Files,
}

/// What the queue's tasks share.
pub(super) fn surroundings(
    base: &Base,
    processes: &Processes,
    (files, states): (&Files, AccountStates),
    (parts, brought): (&[Part], &Brought),
    lifecycle: &Lifecycle,
) -> (Surroundings, TellerInbox) {
    let (teller, tells) = Teller::new(processes.clone());
    let entry = |part: &Part| {
        let accounts = part.gateway.adapter.accounts();
        let accounts = accounts
            .into_iter()
            .map(|account| (account.name().clone(), account))
            .collect();
        let entry = QueueGateway {
            gateway: Arc::clone(&part.gateway),
            link: part.link.clone(),
            accounts,
            brought: brought.clone(),
            announced: part.rosters.announced(),
        };
        (part.gateway.id, entry)
    };
    let gateways: HashMap<i64, QueueGateway> = parts.iter().map(entry).collect();
    let surroundings = Surroundings {
        store: base.store.clone(),
        writer: base.writer.clone(),
        clock: Arc::clone(&base.clock),
        lifecycle: lifecycle.clone(),
        metrics: base.metrics.clone(),
        gateways: Arc::new(gateways),
        teller,
        files: files.clone(),
        states,
        processes: processes.clone(),
    };
    (surroundings, tells)
}

/// Starts the queue. `hints`: what other processes tell.
pub(super) fn queue(
    (surroundings, tells): (Surroundings, TellerInbox),
    hints: mpsc::Receiver<Hint>,
) -> Works {
    let online = Online::default();
    let queue = Queue::start(&surroundings, online.clone(), tells, hints);
    let Surroundings {
        gateways,
        teller,
        files,
        ..
    } = surroundings;
    let accounts = gateways
        .values()
        .flat_map(|entry| entry.accounts.clone())
        .collect();
    Works {
        accounts,
        queue,
        teller,
        online,
        files,
    }
}

/// Starts each gateway's intake.
pub(super) fn intakes(
    base: &Base,
    parts: Vec<Part>,
    (works, brought, processes): (&Works, &Brought, &Processes),
    operations: &Arc<Operations>,
    lifecycle: &Lifecycle,
) {
    for part in parts {
        let intake = Intake {
            gateway: part.gateway,
            link: part.link,
            store: base.store.clone(),
            writer: base.writer.clone(),
            ids: base.ids.clone(),
            clock: Arc::clone(&base.clock),
            lifecycle: lifecycle.clone(),
            metrics: base.metrics.clone(),
            queue: works.queue.clone(),
            brought: brought.clone(),
            teller: works.teller.clone(),
            online: works.online.clone(),
            rosters: part.rosters,
            strangers: Strangers::default(),
            operations: Arc::clone(operations),
            files: works.files.clone(),
            processes: processes.clone(),
        };
        let running = intake::run(intake, part.events, part.door, part.trials);
        lifecycle.spawn("intake", running);
    }
}

pub(super) async fn gateway(
    app: &App,
    base: &Base,
    config: &GatewayConfig,
    adapter: Arc<dyn Adapter>,
) -> Result<Gateway, StartError> {
    let id = base.store.gateway_id(&config.name, base.ids.next()).await?;
    let mut accounts = HashMap::new();
    for account in adapter.accounts() {
        let account_id = base
            .store
            .account_id(account.name().as_str(), base.ids.next())
            .await?;
        accounts.insert(account.name().clone(), account_id);
    }
    let changes = lines::changes(&base.store, config, id, &base.ids, base.clock.now().0).await?;
    let committed = base.writer.commit(changes).await;
    committed.map_err(|error| {
        StartError::System(format!(
            "cannot store the lines of the configuration: {error}"
        ))
    })?;
    Ok(Gateway {
        id,
        config: config.clone(),
        allow: app.config.xmpp.allow.clone(),
        admins: app.config.xmpp.admins.clone(),
        adapter,
        accounts,
        files: FilePolicy {
            size_bytes_max: app.config.files.size_bytes_max,
            keep: app.config.keep.files,
            keep_originals: app.config.keep.files.min(app.config.keep.bodies),
            public_url: app.config.http.public_url.clone(),
        },
        keeps_texts: app.config.keep.bodies,
        since: base.clock.now(),
    })
}

pub(super) fn link_config(app: &App, config: &GatewayConfig) -> Result<LinkConfig, StartError> {
    let system = |error: String| StartError::System(format!("gateway.{}: {error}", config.name));
    let endpoint: Endpoint = config
        .server
        .to_string()
        .parse()
        .map_err(|error| system(format!("{error}")))?;
    let domain = DomainPart::new(config.domain.as_str())
        .map_err(|error| system(error.to_string()))?
        .into_owned();
    let mut link = LinkConfig::new(endpoint, domain, config.secret.clone());
    link.home_domains = app
        .config
        .xmpp
        .allow
        .domains()
        .filter_map(|domain| DomainPart::new(domain).ok())
        .map(std::borrow::Cow::into_owned)
        .collect();
    link.stop = StopWhen::Asked;
    Ok(link)
}

pub(super) fn context(
    base: &Base,
    doors: &Doors,
    (files, states): (&Files, &AccountStates),
    lifecycle: &Lifecycle,
) -> Context {
    Context {
        clock: Arc::clone(&base.clock),
        lifecycle: lifecycle.clone(),
        inbox: Arc::new(doors.clone()),
        directory: Arc::new(doors.clone()),
        http: files.http.clone(),
        signer: base.signer.clone(),
        meter: Arc::new(base.metrics.clone()),
        states: Arc::new(states.clone()),
    }
}

pub(super) fn has_simulator(gateway: &GatewayConfig) -> bool {
    let section = gateway.section();
    let providers = section
        .table
        .get("provider")
        .and_then(serde_json::Value::as_object);
    let is_simulator =
        |provider: &serde_json::Value| provider.get("kind").is_some_and(|kind| kind == "simulator");
    providers.is_some_and(|providers| providers.values().any(is_simulator))
}
