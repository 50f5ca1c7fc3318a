//! The database, opened: what everything else stands on.

use std::{
    fs::{File, TryLockError},
    sync::Arc,
    time::Duration,
};

use transom_adapter::{Clock, Lifecycle, Signer};

use super::{App, StartError};
use crate::{
    config::StoreUrl,
    hooks,
    metrics::Metrics,
    processes::{Processes, Runner},
    store::{Ids, Store, StoreError, Writer, give_to_owner},
};

/// Between two looks at a database that cannot be reached.
const STORE_RETRY: Duration = Duration::from_secs(2);

/// The database and what depends on nothing else.
pub(super) struct Base {
    pub(super) store: Store,
    pub(super) writer: Writer,
    pub(super) ids: Ids,
    pub(super) signer: Signer,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Metrics,
}

/// The database, and this process among those that run on it.
pub(super) struct Joined {
    pub(super) base: Base,
    pub(super) processes: Processes,
}

/// Opens the database, waiting for a server that cannot be reached.
pub(super) async fn open(app: &App, lifecycle: &Lifecycle) -> Result<(Joined, Runner), StartError> {
    let clock = hooks::clock();
    loop {
        match try_join(app, lifecycle, &clock).await {
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

async fn try_join(
    app: &App,
    lifecycle: &Lifecycle,
    clock: &Arc<dyn Clock>,
) -> Result<(Joined, Runner), StoreError> {
    let base = try_open(app, lifecycle, clock).await?;
    let (processes, runner, number) = Processes::join(&base.store, lifecycle).await?;
    base.ids.renumber(number);
    Ok((Joined { base, processes }, runner))
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

/// One process at a time on one SQLite file. The lock goes with the process.
///
/// # Errors
///
/// [`StartError::Taken`] when something runs on the file.
pub fn lock(url: &StoreUrl) -> Result<Option<File>, StartError> {
    let StoreUrl::Sqlite(path) = url else {
        return Ok(None);
    };
    let database = path;
    let path = database.with_extension("lock");
    let cannot = |error: std::io::Error| {
        StartError::System(format!(
            "cannot make {}, which stands beside the database, and lock it: {error}; store.url has to name a file in a folder that \
             is there and that transom may write to, and a lock that is there has to be transom's own",
            path.display()
        ))
    };
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(cannot)?;
    // The service has to be able to lock it, whoever made it.
    give_to_owner(&file, database);
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(StartError::Taken(path)),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}
