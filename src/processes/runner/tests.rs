//! What a process does with a gateway that it takes over.

use std::sync::Arc;

use tokio::sync::watch;
use transom_adapter::testkit::ManualClock;

use super::{super::Entry, *};
use crate::{
    config::StoreUrl,
    gateway::registration::fixture::NOW,
    metrics::Metrics,
    store::{Store, Write, fixture::rename, write::UserRow},
};

const GATEWAY: i64 = 1;

/// The last holder's clock went ahead: its newest message must not end up behind what this process takes.
#[tokio::test]
async fn a_gateway_is_nobodys_before_its_newest_message_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let lifecycle = Lifecycle::new();
    let store = Store::open(&StoreUrl::Sqlite(file.clone()), lifecycle.clone())
        .await
        .unwrap();
    store.migrate(true).await.unwrap();
    store.gateway_id("g", GATEWAY).await.unwrap();
    store.holder_row(GATEWAY).await.unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let ids = store.ids(clock, 1).await.unwrap();
    let newest = ids.next() + (1 << 40);
    write_user(&store, newest).await;
    let (mut beating, permitted) = beating(&store, ids, lifecycle).await;
    let has = |beating: &Beating| beating.processes.inner.view.borrow().has(GATEWAY);
    rename(&file, "lines", "hidden").await;
    // The first one takes it; the second finds it taken, like one whose taking was committed without an answer.
    for _ in 0..2 {
        beating.beat().await;
        assert_eq!(*permitted.borrow(), Permit::No);
        assert!(!has(&beating));
    }
    rename(&file, "hidden", "lines").await;
    beating.beat().await;
    assert_eq!(*permitted.borrow(), Permit::Yes);
    assert!(has(&beating));
    assert!(beating.ids.next() > newest);
    // Once is enough.
    rename(&file, "lines", "hidden").await;
    beating.beat().await;
    assert_eq!(*permitted.borrow(), Permit::Yes);
}

async fn beating(
    store: &Store,
    ids: Ids,
    lifecycle: Lifecycle,
) -> (Beating, watch::Receiver<Permit>) {
    let (processes, ..) = Processes::join(store, &lifecycle).await.unwrap();
    let (permit, permitted) = watch::channel(Permit::No);
    let entry = Entry {
        permit,
        is_whole: false,
    };
    processes.gateways().insert(GATEWAY, entry);
    let beating = Beating {
        processes,
        ids,
        lifecycle,
        heard_at: Instant::now(),
        free_since: BTreeMap::new(),
        raised: BTreeSet::new(),
        is_leaving: false,
        is_one_missing: false,
    };
    (beating, permitted)
}

async fn write_user(store: &Store, user_id: i64) {
    let user = UserRow {
        user_id,
        gateway_id: GATEWAY,
        jid: "alice@example.org".into(),
        state: "active",
        lang: None,
        at_ms: NOW.0,
    };
    let writer = store.writer(Metrics::new());
    writer.commit_one(Write::User(user)).await.unwrap();
}
