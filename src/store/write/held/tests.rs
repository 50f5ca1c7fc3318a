//! What is taken back leaves nothing to look for, on both databases.

use transom_test_servers::{Postgres, Server, skipped};

use super::*;
use crate::{
    config::StoreUrl,
    store::{
        Write,
        write::sweep::tests::{Base, message},
    },
};

const UNTIL_MS: i64 = 9_000;

#[tokio::test]
async fn a_lane_with_nothing_left_is_due_never_on_sqlite() {
    is_due_never(&Base::new().await).await;
}

#[tokio::test]
async fn a_lane_with_nothing_left_is_due_never_on_postgresql() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::start().await;
    let url = StoreUrl::Postgres(postgres.database().await.into());
    is_due_never(&Base::on(&url, None).await).await;
}

async fn is_due_never(base: &Base) {
    base.writer
        .commit(vec![held(1_000), held(2_000)])
        .await
        .unwrap();
    let due = async || {
        let lanes = base.store.due_lanes(0, 10).await.unwrap();
        lanes.iter().map(|lane| lane.due_ms).collect::<Vec<_>>()
    };
    assert_eq!(due().await, [UNTIL_MS]);
    take_back(base, 1_000).await;
    assert_eq!(due().await, [UNTIL_MS], "the other one waits");
    take_back(base, 2_000).await;
    assert_eq!(due().await, [0; 0]);
}

/// What alice wrote, while she may still change it.
fn held(message_id: i64) -> Write {
    let Write::Out(mut new) = message(message_id, false) else {
        panic!("not a message");
    };
    new.held_until_ms = Some(UNTIL_MS);
    Write::Out(new)
}

async fn take_back(base: &Base, message_id: i64) {
    let gone = TakeBack {
        message_id,
        at_ms: 3_000,
        shown: Vec::new(),
    };
    let done = base.writer.commit_one(Write::TakeBack(gone)).await.unwrap();
    assert_eq!(done, Done::Written);
}
