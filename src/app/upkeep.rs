//! What is done beside the messages, wired.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use transom_adapter::Lifecycle;

use super::{App, base::Base};
use crate::{
    config::{Config, StoreUrl},
    gateway::Gateway,
    processes::Processes,
    queue::AccountStates,
    upkeep::{Retention, Watch},
    xmpp::stream::LinkHandle,
};

/// Starts it; nobody is told of anything where there are no admins.
pub(super) fn start(
    app: &App,
    (base, processes): (&Base, &Processes),
    gateways: Vec<(Arc<Gateway>, LinkHandle)>,
    accounts: AccountStates,
    lifecycle: &Lifecycle,
) {
    let retention = Retention {
        keep: app.config.keep,
        clock: Arc::clone(&base.clock),
        store: base.store.clone(),
        writer: base.writer.clone(),
        lifecycle: lifecycle.clone(),
    };
    let retaining = processes
        .clone()
        .while_held(None, lifecycle.clone(), move || retention.clone().run());
    lifecycle.spawn("upkeep.retention", retaining);
    let admins = app.config.xmpp.admins.clone();
    if admins.is_empty() {
        return;
    }
    let watch = Watch {
        gateways,
        admins,
        accounts,
        folders: folders(&app.config),
        store: base.store.clone(),
        writer: base.writer.clone(),
        clock: Arc::clone(&base.clock),
        lifecycle: lifecycle.clone(),
    };
    let watching = processes
        .clone()
        .while_held(None, lifecycle.clone(), move || watch.clone().run());
    lifecycle.spawn("upkeep.watch", watching);
}

/// The folders that are written to, as far as they are there.
fn folders(config: &Config) -> Vec<PathBuf> {
    let database = match &config.store.url {
        StoreUrl::Sqlite(path) => path.parent().map(Path::to_owned),
        StoreUrl::Postgres(_) => None,
    };
    let files = config.files.directory.clone();
    let mut folders: Vec<PathBuf> = database.into_iter().chain([files]).collect();
    folders.retain(|folder| folder.is_dir());
    folders
}
