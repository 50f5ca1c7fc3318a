//! Files that somebody made: the configuration, an address book, a picture, an export.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use transom::{
    config::{Config, Environment, StoreUrl},
    files::pictures::shrink,
    operations::cards as book,
    store::{MoveError, Store},
};
use transom_adapter::Lifecycle;

/// Address books: any text is cards or none, and what is kept of them is the same cards.
pub fn cards(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = book::read(&text);
    assert_eq!(
        book::read(&book::essence(&text)),
        read,
        "the essence is the same"
    );
}

/// The configuration file: any text gives a configuration or faults.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let environment = Environment::from_variables([("TRANSOM_XMPP__SERVER", "127.0.0.1:5347")]);
    match Config::parse(&text, Path::new("transom.toml"), &environment) {
        Ok(loaded) => assert!(
            !loaded.config.gateways.is_empty(),
            "a configuration without a gateway is none"
        ),
        Err(faults) => assert!(!faults.to_string().is_empty(), "a fault says what it is"),
    }
}

/// Pictures: what is made of one is a JPEG that fits.
pub fn pictures(data: &[u8]) {
    const BYTES_MAX: u64 = 20_000;
    if let Some(made) = shrink(data, BYTES_MAX) {
        assert!(made.len() as u64 <= BYTES_MAX, "it fits");
        assert!(made.starts_with(b"\xFF\xD8"), "it is a JPEG");
    }
}

/// Exports: all of one is taken, and then it comes out again, or nothing is. `HEAD` in the first line becomes what this version writes there.
pub fn import(data: &[u8]) {
    static EMPTY: Mutex<Option<Target>> = Mutex::new(None);
    let mut kept = EMPTY.lock().unwrap_or_else(PoisonError::into_inner);
    let target = kept.take().unwrap_or_else(Target::new);
    let data = match data.strip_prefix(b"HEAD\n") {
        Some(rest) => [target.head(), rest].concat(),
        None => data.to_vec(),
    };
    if target.take(&data) {
        let written = target.give();
        let other = Target::new();
        assert!(other.take(&written), "what comes out goes in");
        assert_eq!(other.give(), written, "and comes out the same");
    } else {
        // It is as empty as before, which the next one will find.
        *kept = Some(target);
    }
}

/// A database, and what it runs on.
struct Target {
    runtime: Runtime,
    store: Store,
    head: Vec<u8>,
    _folder: TempDir,
}

impl Target {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("transom.db"));
        let store = runtime.block_on(async {
            let store = Store::open(&url, Lifecycle::new())
                .await
                .expect("a database");
            store.migrate(true).await.expect("its tables");
            store
        });
        let mut target = Self {
            runtime,
            store,
            head: Vec::new(),
            _folder: folder,
        };
        let written = target.give();
        target.head = written
            .split_inclusive(|byte| *byte == b'\n')
            .take(1)
            .flatten()
            .copied()
            .collect();
        target
    }

    /// The first line of an export, with its end.
    fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether it has all of this now; else it has nothing.
    fn take(&self, mut data: &[u8]) -> bool {
        let imported = self.runtime.block_on(self.store.import(&mut data));
        if let Err(error) = &imported {
            let is_fault_of_ours = matches!(error, MoveError::NotEmpty { .. });
            assert!(!is_fault_of_ours, "the one before left something: {error}");
            assert!(!error.to_string().is_empty(), "a fault says what it is");
        }
        imported.is_ok()
    }

    fn give(&self) -> Vec<u8> {
        let mut written = Vec::new();
        let exported = self.runtime.block_on(self.store.export(&mut written, true));
        exported.expect("what was taken can be given");
        written
    }
}
