//! The order of starting and of stopping.

use std::{
    collections::HashMap,
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc;
use transom_adapter::{
    AccountName, Adapter, Clock, Context, HttpClient, HttpLimits, Lifecycle, Signer, SystemClock,
};
use transom_simulator::Simulator;

use super::{App, Ended, StartError, adapters, control, lines, notify, readiness};
use crate::{
    config::{GatewayConfig, StoreUrl},
    gateway::Gateway,
    http::{HttpOptions, HttpState, Server},
    intake::{self, Doors, Intake, Knock},
    metrics::Metrics,
    queue::{Online, Queue, QueueGateway, Surroundings, Teller},
    store::{Ids, Store, StoreError, Writer},
    xmpp::{
        jid::DomainPart,
        stream::{Endpoint, Link, LinkConfig, LinkEvent, LinkHandle, StopWhen},
    },
};

/// What is under way gets this long to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(30);
/// Between two looks at a database that cannot be reached.
const STORE_RETRY: Duration = Duration::from_secs(2);
/// Events of a link and calls of accounts that wait for the intake.
const WAITING_MAX: usize = 256;

/// Runs until it is asked to stop.
pub(super) async fn run(app: App, lifecycle: Lifecycle) -> Result<Ended, StartError> {
    // Faults that are visible without a network end the process before it opens anything.
    app.check().map_err(StartError::Config)?;
    let mut signals =
        notify::Signals::new().map_err(|error| StartError::System(error.to_string()))?;
    let listen = app.config.http.listen;
    let options = HttpOptions {
        listen,
        public_url: app.config.http.public_url.clone(),
        trusted_proxies: app.config.http.trusted_proxies.clone(),
    };
    let server = Server::bind(options).map_err(|source| StartError::Listen {
        address: listen.to_string(),
        source,
    })?;
    let lock = lock(&app.config.store.url)?;
    let starting = open(&app, &lifecycle);
    let base = tokio::select! {
        base = starting => base?,
        () = signals.next() => return Ok(Ended::Drained),
    };
    control::hold_if_copy(&base).await?;
    let store = base.store.clone();
    start(&app, base, server, &lifecycle).await?;
    notify::ready();
    tracing::info!("Ready.");
    let ended = stop(&mut signals, &lifecycle).await;
    store.close().await;
    drop(lock);
    Ok(ended)
}

/// Waits for the word to stop, then for everything to end.
async fn stop(signals: &mut notify::Signals, lifecycle: &Lifecycle) -> Ended {
    tokio::select! {
        () = signals.next() => {}
        () = lifecycle.draining() => {}
    }
    notify::stopping();
    tracing::info!("Draining.");
    lifecycle.drain();
    let drained = tokio::select! {
        drained = lifecycle.finish(GRACE) => drained,
        () = signals.next() => {
            lifecycle.abort();
            lifecycle.finish(Duration::from_secs(1)).await;
            false
        }
    };
    match (lifecycle.has_failed(), drained) {
        (true, _) => Ended::Failed,
        (false, true) => Ended::Drained,
        (false, false) => Ended::Aborted,
    }
}

/// One process at a time on one SQLite file. The lock goes with the process.
pub(super) fn lock(url: &StoreUrl) -> Result<Option<File>, StartError> {
    let StoreUrl::Sqlite(path) = url else {
        return Ok(None);
    };
    let path = Path::new(path).with_extension("lock");
    let cannot = |error: std::io::Error| {
        StartError::System(format!("cannot lock {}: {error}", path.display()))
    };
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(StartError::Taken(path)),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// The database and what depends on nothing else.
pub(super) struct Base {
    pub(super) store: Store,
    pub(super) writer: Writer,
    pub(super) ids: Ids,
    pub(super) signer: Signer,
    pub(super) clock: Arc<dyn Clock>,
    metrics: Metrics,
}

/// Opens the database, waiting for a server that cannot be reached.
async fn open(app: &App, lifecycle: &Lifecycle) -> Result<Base, StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    loop {
        match try_open(app, lifecycle, &clock).await {
            Ok(base) => return Ok(base),
            Err(error @ (StoreError::Newer { .. } | StoreError::Unmigrated { .. })) => {
                return Err(error.into());
            }
            // A file is there or not: waiting does not make one. A server may come back.
            Err(error) if matches!(app.config.store.url, StoreUrl::Sqlite(_)) => {
                return Err(error.into());
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "The database cannot be used; check store.url, and that the server runs. Trying again."
                );
                tokio::time::sleep(STORE_RETRY).await;
            }
        }
    }
}

pub(super) async fn try_open(
    app: &App,
    lifecycle: &Lifecycle,
    clock: &Arc<dyn Clock>,
) -> Result<Base, StoreError> {
    let store = Store::open(&app.config.store.url, lifecycle.clone()).await?;
    let applied = store.migrate(app.config.store.migrate).await?;
    if applied > 0 {
        tracing::info!(applied, "Migrated the database.");
    }
    let signer = Signer::new(store.secret().await?);
    let ids = store.ids(Arc::clone(clock), 0).await?;
    let metrics = Metrics::new();
    let writer = store.writer(metrics.clone());
    Ok(Base {
        store,
        writer,
        ids,
        signer,
        clock: Arc::clone(clock),
        metrics,
    })
}

/// One gateway while it is being put together.
struct Part {
    gateway: Arc<Gateway>,
    link: LinkHandle,
    events: mpsc::Receiver<LinkEvent>,
    door: mpsc::Receiver<Knock>,
}

async fn start(
    app: &App,
    base: Base,
    server: Server,
    lifecycle: &Lifecycle,
) -> Result<(), StartError> {
    let simulator = Simulator::new(Arc::clone(&base.clock));
    let built = adapters::build(app, &base.signer, &simulator).map_err(StartError::Config)?;
    let mut parts = Vec::new();
    let mut doors = HashMap::new();
    for (config, (_, adapter)) in app.config.gateways.iter().zip(built) {
        adapters::tell_simulator(&simulator, config);
        let gateway = Arc::new(gateway(app, &base, config, adapter).await?);
        let (knocks, door) = mpsc::channel(WAITING_MAX);
        doors.insert(config.name.clone(), knocks);
        let (sender, events) = mpsc::channel(WAITING_MAX);
        let link = Link::spawn(link_config(app, config)?, lifecycle, sender);
        parts.push(Part {
            gateway,
            link,
            events,
            door,
        });
    }
    let by_name = parts
        .iter()
        .map(|part| (part.gateway.config.name.clone(), Arc::clone(&part.gateway)))
        .collect();
    let doors = Doors {
        doors: Arc::new(doors),
        gateways: Arc::new(by_name),
        store: base.store.clone(),
    };
    let links: Vec<_> = parts
        .iter()
        .map(|part| (part.gateway.config.name.clone(), part.link.clone()))
        .collect();
    let context = context(&base, &doors, lifecycle)?;
    let gateways = parts.iter().map(|part| Arc::clone(&part.gateway)).collect();
    let handles = parts
        .iter()
        .map(|part| {
            (
                part.gateway.id,
                part.gateway.config.name.clone(),
                part.link.clone(),
            )
        })
        .collect();
    let (accounts, queue, teller) = queue_and_intakes(&base, parts, lifecycle);
    control::start(
        app,
        &base,
        gateways,
        control::Live {
            queue,
            teller,
            links: handles,
        },
        lifecycle,
    );
    for account in accounts.values() {
        // A port that is taken shows before READY, not in the log of a process that looks well.
        account.bind().await.map_err(StartError::Bind)?;
    }
    for account in accounts.values() {
        let (account, context) = (Arc::clone(account), context.clone());
        lifecycle.spawn("account", async move { account.run(&context).await });
    }
    readiness::watch_links(&links, lifecycle);
    let ready = readiness::Ready::new(base.store.clone(), links);
    let has_simulator = app.config.gateways.iter().any(has_simulator);
    let state = HttpState {
        accounts: Arc::new(accounts),
        inbox: Arc::new(doors),
        clock: Arc::clone(&base.clock),
        metrics: base.metrics.clone(),
        ready: Arc::new(ready),
        simulator: has_simulator.then(|| Arc::new(simulator) as _),
    };
    lifecycle.spawn("http", server.run(state, lifecycle.clone()));
    Ok(())
}

/// The queue, and for each gateway its intake.
fn queue_and_intakes(
    base: &Base,
    parts: Vec<Part>,
    lifecycle: &Lifecycle,
) -> (
    HashMap<AccountName, Arc<dyn transom_adapter::Account>>,
    Queue,
    Teller,
) {
    let (teller, tells) = Teller::new();
    let online = Online::default();
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
        };
        (part.gateway.id, entry)
    };
    let gateways: HashMap<i64, QueueGateway> = parts.iter().map(entry).collect();
    let accounts = gateways
        .values()
        .flat_map(|entry| entry.accounts.clone())
        .collect();
    let surroundings = Surroundings {
        store: base.store.clone(),
        writer: base.writer.clone(),
        clock: Arc::clone(&base.clock),
        lifecycle: lifecycle.clone(),
        metrics: base.metrics.clone(),
        gateways: Arc::new(gateways),
        teller: teller.clone(),
    };
    let queue = Queue::start(&surroundings, online.clone(), tells);
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
            queue: queue.clone(),
            teller: teller.clone(),
            online: online.clone(),
        };
        lifecycle.spawn("intake", intake::run(intake, part.events, part.door));
    }
    (accounts, queue, teller)
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

fn context(base: &Base, doors: &Doors, lifecycle: &Lifecycle) -> Result<Context, StartError> {
    let http = HttpClient::new(HttpLimits::default())
        .map_err(|error| StartError::System(error.to_string()))?;
    Ok(Context {
        clock: Arc::clone(&base.clock),
        lifecycle: lifecycle.clone(),
        inbox: Arc::new(doors.clone()),
        directory: Arc::new(doors.clone()),
        http,
        signer: base.signer.clone(),
        meter: Arc::new(base.metrics.clone()),
    })
}

fn has_simulator(gateway: &GatewayConfig) -> bool {
    let section = gateway.section();
    let providers = section
        .table
        .get("provider")
        .and_then(serde_json::Value::as_object);
    let is_simulator =
        |provider: &serde_json::Value| provider.get("kind").is_some_and(|kind| kind == "simulator");
    providers.is_some_and(|providers| providers.values().any(is_simulator))
}
