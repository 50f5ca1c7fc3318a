//! The store, opened while nothing runs on it.

use std::{fs::File, sync::Arc, time::Duration};

use transom_adapter::{Clock, Lifecycle, SystemClock};
use transom_simulator::Simulator;

use super::{App, StartError, adapters, base, control, parts};
use crate::{
    config::StoreUrl,
    operations::{Operations, once::Once},
    store::Store,
};

/// Operations on a store that nothing else uses; the lock is held as long as this lives.
pub struct Alone {
    /// The operations.
    pub operations: Operations,
    store: Store,
    lifecycle: Lifecycle,
    lock: Option<File>,
}

/// The writer ends at once when nobody holds it.
const GRACE: Duration = Duration::from_secs(5);

impl Alone {
    /// Closes the database, then lets go of the lock.
    pub async fn close(self) {
        let Self {
            operations,
            store,
            lifecycle,
            lock,
        } = self;
        drop(operations);
        lifecycle.drain();
        lifecycle.finish(GRACE).await;
        store.close().await;
        drop(lock);
    }
}

pub(super) async fn open(app: App) -> Result<Alone, StartError> {
    if let StoreUrl::Sqlite(path) = &app.config.store.url {
        // Made here it would belong to whoever types commands, root for one, and the service could not write to it.
        if !path.exists() {
            return Err(StartError::NoDatabase(path.clone()));
        }
    }
    let lock = base::lock(&app.config.store.url)?;
    let keys = app.keys().map_err(StartError::Config)?;
    let lifecycle = Lifecycle::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let base = base::try_open(&app, &lifecycle, &clock).await?;
    control::hold_if_copy(&base).await?;
    let simulator = Simulator::new(Arc::clone(&clock));
    let built = adapters::build(&app, &base.signer, &simulator).map_err(StartError::Config)?;
    let mut gateways = Vec::new();
    for (config, (_, adapter)) in app.config.gateways.iter().zip(built) {
        gateways.push(Arc::new(
            parts::gateway(&app, &base, config, adapter).await?,
        ));
    }
    let operations = control::operations(&base, gateways, (Once::default(), keys), None);
    Ok(Alone {
        operations,
        store: base.store,
        lifecycle,
        lock,
    })
}
