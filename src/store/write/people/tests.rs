//! Registrations against a real SQLite file.

mod coming_and_going;
mod members;
mod numbers;

use std::sync::Arc;

use tempfile::TempDir;
use transom_adapter::{Lifecycle, SystemClock};

use super::*;
use crate::{
    config::StoreUrl,
    metrics::Metrics,
    store::{
        Store, Write, Writer,
        write::{
            NewOut,
            fixture::{conversation, written},
        },
    },
};

const GATEWAY: i64 = 1;

const DAY: i64 = 24 * 3_600_000;

const ALICE: &str = "alice@example.org";

const POOL: &str = "+12025550101";

struct Base {
    store: Store,
    writer: Writer,
    _folder: TempDir,
}

impl Base {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("test.db"));
        let store = Store::open(&url, Lifecycle::new()).await.unwrap();
        store.migrate(true).await.unwrap();
        let writer = store.writer(Metrics::new());
        assert_eq!(store.gateway_id("sms", GATEWAY).await.unwrap(), GATEWAY);
        // Keys are made somewhere; here they are written down.
        drop(store.ids(Arc::new(SystemClock), 0).await.unwrap());
        Self {
            store,
            writer,
            _folder: folder,
        }
    }

    async fn write(&self, write: Write) -> Done {
        self.writer.commit_one(write).await.unwrap()
    }

    async fn state_of(&self, address: &str) -> String {
        let lines = self.store.lines(GATEWAY).await.unwrap();
        lines
            .into_iter()
            .find(|line| line.address == address)
            .unwrap()
            .state
    }
}

fn user(jid: &str, state: &'static str, at_ms: i64) -> Write {
    let user_id = if jid == ALICE { 10 } else { 11 };
    Write::User(UserRow {
        user_id,
        gateway_id: GATEWAY,
        jid: jid.into(),
        state,
        lang: Some("de".into()),
        at_ms,
    })
}

fn line(
    line_id: i64,
    address: &str,
    kind: &'static str,
    source: &'static str,
    at_ms: i64,
) -> Write {
    Write::Line(LineRow {
        line_id,
        gateway_id: GATEWAY,
        address: address.into(),
        kind,
        state: "active",
        source,
        routes: "[]".into(),
        fallback: None,
        at_ms,
    })
}

fn owner(address: &str, jid: &str, at_ms: i64) -> Write {
    Write::Owner(OwnerRow {
        gateway_id: GATEWAY,
        address: address.into(),
        jid: jid.into(),
        owned: true,
        at_ms,
    })
}

fn contact(peer: &str, subscribed: i64, asked: i64) -> Write {
    Write::Contact(ContactRow {
        user_id: 10,
        peer: peer.into(),
        subscribed,
        asked,
    })
}

fn message(at_ms: i64) -> Write {
    Write::Out(Box::new(NewOut {
        day: at_ms / DAY,
        ..written(60, conversation(50, "+12025550147", at_ms))
    }))
}

fn unregister(jid: &str, at_ms: i64) -> Write {
    Write::Unregister(Unregister {
        gateway_id: GATEWAY,
        jid: jid.into(),
        disabled_before_ms: None,
        at_ms,
    })
}
