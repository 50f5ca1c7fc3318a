//! The order of starting and of stopping.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::mpsc;
use transom_adapter::{Account, AccountName, AccountState, Context, Holder, Lifecycle, Sockets};
use transom_simulator::Simulator;

use super::{
    App, Ended, StartError,
    base::{Base, Joined, lock, open},
    control, inherited, notify,
    parts::{Part, Parts, context, has_simulator, intakes, queue, surroundings},
    readiness, upkeep,
};
use crate::{
    accounts::{Keeper, OwnBoard},
    files::{Files, sweep},
    gateway::Gateway,
    http::{HttpOptions, HttpState, Server},
    operations::Operations,
    operations::once::Once,
    page::OperatorPage,
    processes::{Hint, Processes},
    queue::{AccountStates, Brought, Queue},
    seal::KeyRing,
    xmpp::stream::LinkHandle,
};

/// What is under way gets this long to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(30);
/// Hints of other processes that wait; those beyond are lost, which costs seconds.
const HINTS_MAX: usize = 1024;

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
    let sockets = inherited::sockets();
    let server = match sockets.tcp(listen) {
        Ok(Some(listener)) => Server::on(listener, options),
        Ok(None) => Server::bind(options),
        Err(error) => Err(error),
    };
    let server = server.map_err(|source| StartError::Listen {
        address: listen.to_string(),
        source,
    })?;
    let lock = lock(&app.config.store.url)?;
    let starting = open(&app, &lifecycle);
    let (joined, runner) = tokio::select! {
        joined = starting => joined?,
        () = signals.next(&*app.reload) => return Ok(Ended::Drained),
    };
    let Joined { base, processes } = joined;
    let store = base.store.clone();
    let (heard, hints) = mpsc::channel(HINTS_MAX);
    let beating = runner.run(base.ids.clone(), heard);
    let working = async {
        control::hold_if_copy(&base).await?;
        let here = Here {
            processes: processes.clone(),
            hints,
            sockets,
        };
        start(&app, base, server, (here, &lifecycle)).await?;
        notify::ready().await;
        tracing::info!("Ready.");
        Ok::<_, StartError>(stop(&mut signals, &*app.reload, &lifecycle).await)
    };
    // The process says that it lives until its last attempt has ended.
    let ended = tokio::select! {
        ended = working => ended?,
        () = beating => Ended::Failed,
    };
    processes.leave().await;
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
    tracing::info!("Draining.");
    lifecycle.drain();
    notify::stopping().await;
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

/// This process among the others.
struct Here {
    processes: Processes,
    hints: mpsc::Receiver<Hint>,
    sockets: Sockets,
}

async fn start(
    app: &App,
    base: Base,
    server: Server,
    (here, lifecycle): (Here, &Lifecycle),
) -> Result<(), StartError> {
    let Here {
        processes,
        hints,
        sockets,
    } = here;
    let files = open_files(app, &base)?;
    let keys = app.keys().map_err(StartError::Config)?;
    let simulator = Simulator::new(Arc::clone(&base.clock));
    let Parts { parts, doors } =
        Parts::make(app, (&base, &processes), &simulator, lifecycle).await?;
    let (board, brought) = (OwnBoard::new(base.metrics.clone()), Brought::default());
    let states = AccountStates::new(Arc::clone(&base.clock), base.metrics.clone());
    let states = states.with_own(Arc::new(board.clone()));
    let context = context(&base, &doors, (&files, &states), lifecycle);
    let links: Vec<_> = parts.iter().map(Part::link).collect();
    let watched: Vec<_> = parts.iter().map(Part::watched).collect();
    let gateways = parts.iter().map(|part| Arc::clone(&part.gateway)).collect();
    let handles = parts.iter().map(Part::numbered_link).collect();
    let rosters = parts.iter().map(Part::rosters).collect();
    let kept = (&files, states.clone());
    let surroundings = surroundings(&base, &processes, kept, (&parts, &brought), lifecycle);
    let works = queue(surroundings, hints);
    let live = control::Live {
        queue: works.queue.clone(),
        teller: works.teller.clone(),
        links: handles,
        rosters,
        allow: app.config.xmpp.allow.clone(),
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
    let held = parts.iter().map(Part::holds).collect::<HashMap<_, _>>();
    let working = (&works, &brought, &processes);
    intakes(&base, parts, working, &operations, lifecycle);
    let accounts = works.accounts;
    start_accounts(&accounts, &held, &context, (&processes, &sockets)).await?;
    let sending = (works.queue, brought, processes.clone());
    keep_own(&base, watched.clone(), sending, (keys, board, context));
    upkeep::start(app, (&base, &processes), watched, states, lifecycle);
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
    sweep_files(&base, files.clone(), processes, lifecycle);
    lifecycle.spawn("http", server.run(state, lifecycle.clone()));
    Ok(())
}

/// Starts the one who keeps the accounts that users brought.
fn keep_own(
    base: &Base,
    gateways: Vec<(Arc<Gateway>, LinkHandle)>,
    (queue, brought, processes): (Queue, Brought, Processes),
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
        processes,
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

/// Opens what accounts listen on, and starts their long-lived sides: each in every process, or where its gateway is.
async fn start_accounts(
    accounts: &HashMap<AccountName, Arc<dyn Account>>,
    held: &HashMap<String, i64>,
    context: &Context,
    (processes, sockets): (&Processes, &Sockets),
) -> Result<(), StartError> {
    for account in accounts.values() {
        account.inherit(sockets);
        // A port that is taken shows before READY, not in the log of a process that looks well.
        account.bind().await.map_err(StartError::Bind)?;
    }
    for place in sockets.left() {
        tracing::warn!(
            place,
            "The service manager listens where the configuration does not: look at its .socket unit."
        );
    }
    let lifecycle = &context.lifecycle;
    for account in accounts.values() {
        let gateway_id = held.get(account.name().gateway()).copied();
        let (account, context) = (Arc::clone(account), context.clone());
        if account.capabilities().holder == Holder::Anyone {
            lifecycle.spawn("account", run_account(account, context));
        } else {
            let until = lifecycle.clone();
            let run = move || run_account(Arc::clone(&account), context.clone());
            let running = processes.clone().while_held(gateway_id, until, run);
            lifecycle.spawn("account", running);
        }
    }
    Ok(())
}

/// Forgets files whose time is over, in one of the processes.
fn sweep_files(base: &Base, files: Files, processes: Processes, lifecycle: &Lifecycle) {
    let (writer, clock) = (base.writer.clone(), Arc::clone(&base.clock));
    let (own, until) = (lifecycle.clone(), lifecycle.clone());
    let sweeping = processes.while_held(None, until, move || {
        let (writer, clock) = (writer.clone(), Arc::clone(&clock));
        sweep::run(files.clone(), writer, clock, own.clone())
    });
    lifecycle.spawn("files.sweep", sweeping);
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
