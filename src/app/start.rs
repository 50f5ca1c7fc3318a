//! The order of starting and of stopping.

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
    time::Duration,
};

use transom_adapter::{Account, AccountState, Clock, Context, Lifecycle, Signer, SystemClock};
use transom_simulator::Simulator;

use super::{
    App, Ended, StartError, control, notify,
    parts::{Part, Parts, context, has_simulator, intakes, queue},
    readiness, upkeep,
};
use crate::{
    accounts::{Keeper, OwnBoard},
    config::StoreUrl,
    files::{Files, sweep},
    gateway::Gateway,
    http::{HttpOptions, HttpState, Server},
    metrics::Metrics,
    operations::Operations,
    operations::once::Once,
    page::OperatorPage,
    queue::{AccountStates, Brought, Queue},
    seal::KeyRing,
    store::{Ids, Store, StoreError, Writer},
    xmpp::stream::LinkHandle,
};

/// What is under way gets this long to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(30);
/// Between two looks at a database that cannot be reached.
const STORE_RETRY: Duration = Duration::from_secs(2);

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
        () = signals.next(&*app.reload) => return Ok(Ended::Drained),
    };
    control::hold_if_copy(&base).await?;
    let store = base.store.clone();
    start(&app, base, server, &lifecycle).await?;
    notify::ready();
    tracing::info!("Ready.");
    let ended = stop(&mut signals, &*app.reload, &lifecycle).await;
    store.close().await;
    drop(lock);
    Ok(ended)
}

/// Waits for the word to stop, then for everything to end.
async fn stop(
    signals: &mut notify::Signals,
    reload: &(dyn Fn() + Send + Sync),
    lifecycle: &Lifecycle,
) -> Ended {
    tokio::select! {
        () = signals.next(reload) => {}
        () = lifecycle.draining() => {}
    }
    notify::stopping();
    tracing::info!("Draining.");
    lifecycle.drain();
    let drained = tokio::select! {
        drained = lifecycle.finish(GRACE) => drained,
        () = signals.next(reload) => {
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
///
/// # Errors
///
/// [`StartError::Taken`] when something runs on the file.
pub fn lock(url: &StoreUrl) -> Result<Option<File>, StartError> {
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
    pub(super) metrics: Metrics,
}

/// Opens the database, waiting for a server that cannot be reached.
async fn open(app: &App, lifecycle: &Lifecycle) -> Result<Base, StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    loop {
        match try_open(app, lifecycle, &clock).await {
            Ok(base) => return Ok(base),
            Err(
                error @ (StoreError::Newer { .. }
                | StoreError::Unmigrated { .. }
                | StoreError::Moved { .. }),
            ) => {
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
    store.refuse_moved().await?;
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

/// The folder of attachments, and what fetches them.
fn open_files(app: &App, base: &Base) -> Result<Files, StartError> {
    let http = app
        .http()
        .map_err(|error| StartError::System(error.to_string()))?;
    Files::open(&app.config.files, http, base.store.clone()).map_err(|error| {
        let folder = app.config.files.directory.display();
        StartError::System(format!("cannot use the folder of files, {folder}: {error}"))
    })
}

async fn start(
    app: &App,
    base: Base,
    server: Server,
    lifecycle: &Lifecycle,
) -> Result<(), StartError> {
    let files = open_files(app, &base)?;
    let keys = app.keys().map_err(StartError::Config)?;
    let simulator = Simulator::new(Arc::clone(&base.clock));
    let Parts { parts, doors } = Parts::make(app, &base, &simulator, lifecycle).await?;
    let board = OwnBoard::default();
    let states = AccountStates::new(Arc::clone(&base.clock), base.metrics.clone());
    let states = states.with_own(Arc::new(board.clone()));
    let context = context(&base, &doors, (&files, &states), lifecycle);
    let links: Vec<_> = parts.iter().map(Part::link).collect();
    let watched: Vec<_> = parts.iter().map(Part::watched).collect();
    let gateways = parts.iter().map(|part| Arc::clone(&part.gateway)).collect();
    let handles = parts.iter().map(Part::numbered_link).collect();
    let rosters = parts.iter().map(Part::rosters).collect();
    let works = queue(&base, &parts, (&files, states.clone()), lifecycle);
    let live = control::Live {
        queue: works.queue.clone(),
        teller: works.teller.clone(),
        links: handles,
        rosters,
        trials: parts.iter().map(Part::trial).collect(),
        states: states.clone(),
        own: board.clone(),
        lifecycle: lifecycle.clone(),
        log_level: Arc::clone(&app.log_level),
    };
    let here = format!("http://{}", app.config.http.listen);
    let once = Once::new(app.config.http.public_url.clone(), Some(here));
    let operations =
        control::operations(&base, gateways, (once, keys.clone()), Some(Arc::new(live)));
    let operations = Arc::new(operations);
    control::start(app, &operations, lifecycle);
    intakes(&base, parts, &works, &operations, lifecycle);
    let accounts = works.accounts;
    for account in accounts.values() {
        // A port that is taken shows before READY, not in the log of a process that looks well.
        account.bind().await.map_err(StartError::Bind)?;
    }
    for account in accounts.values() {
        let (account, context) = (Arc::clone(account), context.clone());
        lifecycle.spawn("account", run_account(account, context));
    }
    keep_own(
        &base,
        watched.clone(),
        (works.queue, works.brought),
        (keys, board, context),
    );
    upkeep::start(app, &base, watched, states, lifecycle);
    readiness::watch_links(&links, lifecycle);
    let ready = readiness::Ready::new(base.store.clone(), links);
    let page = page(app, operations);
    let has_simulator = app.config.gateways.iter().any(has_simulator);
    let state = HttpState {
        accounts: Arc::new(accounts),
        inbox: Arc::new(doors),
        clock: Arc::clone(&base.clock),
        metrics: base.metrics.clone(),
        ready: Arc::new(ready),
        simulator: has_simulator.then(|| Arc::new(simulator) as _),
        files: Some(files.clone()),
        admin: Some(Arc::new(page)),
    };
    sweep_files(&base, &files, lifecycle);
    lifecycle.spawn("http", server.run(state, lifecycle.clone()));
    Ok(())
}

/// Starts the one who removes files that have expired.
fn sweep_files(base: &Base, files: &Files, lifecycle: &Lifecycle) {
    let sweeping = sweep::run(
        files.clone(),
        base.writer.clone(),
        Arc::clone(&base.clock),
        lifecycle.clone(),
    );
    lifecycle.spawn("files.sweep", sweeping);
}

/// Starts the one who keeps the accounts that users brought.
fn keep_own(
    base: &Base,
    gateways: Vec<(Arc<Gateway>, LinkHandle)>,
    (queue, brought): (Queue, Brought),
    (keys, board, context): (Option<KeyRing>, OwnBoard, Context),
) {
    let lifecycle = context.lifecycle.clone();
    let keeper = Keeper {
        gateways,
        store: base.store.clone(),
        writer: base.writer.clone(),
        keys,
        context,
        metrics: base.metrics.clone(),
        queue,
        brought,
        board,
    };
    lifecycle.spawn("accounts", keeper.run());
}

/// The page of operators and of one-time links.
fn page(app: &App, operations: Arc<Operations>) -> OperatorPage {
    let http = &app.config.http;
    let public = http.public_url.as_ref();
    let is_secure = public.is_some_and(|url| url.scheme() == "https");
    OperatorPage::new(operations, http.admin_token.clone(), is_secure)
}

/// An account's long-lived side. One that ends by itself stays down until somebody changes the configuration.
async fn run_account(account: Arc<dyn Account>, context: Context) {
    let Err(failure) = account.run(&context).await else {
        return;
    };
    let name = account.name();
    tracing::error!(
        account = name.as_str(),
        reason = failure.reason.as_str(),
        code = failure.code.as_deref().unwrap_or(""),
        detail = failure.detail.as_deref().unwrap_or(""),
        "The account cannot work as it is configured; change that, and start transom again."
    );
    context.report_state(name, AccountState::LoggedOut(failure));
}
