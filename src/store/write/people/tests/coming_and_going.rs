//! Users who come, come back and leave.

use transom_test_servers::{Postgres, Server, skipped};

use super::*;
use crate::store::{WriteError, write::sweep::tests::Base as Both};

#[tokio::test]
async fn unregistering_leaves_nothing_of_the_user() {
    let base = Base::new().await;
    let writes = vec![
        line(20, POOL, "pool", "file", 1),
        owner(POOL, ALICE, 1),
        user(ALICE, "active", 1),
        contact("", 1, 1),
        message(1),
    ];
    base.writer.commit(writes).await.unwrap();
    assert_eq!(base.write(unregister(ALICE, 2)).await, Done::Written);
    assert_eq!(base.write(unregister(ALICE, 2)).await, Done::Unchanged);
    let counts = Sql::both(
        "SELECT (SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM contacts) + (SELECT COUNT(*) FROM conversations)
              + (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM message_stanzas) + (SELECT COUNT(*) FROM lanes)
              + (SELECT COUNT(*) FROM deliveries) + (SELECT COUNT(*) FROM line_owners)
              + (SELECT COUNT(*) FROM usage_days WHERE user_id <> 0)",
    );
    let rows = base.store.rows(counts, Vec::new()).await.unwrap();
    assert_eq!(rows[0].int(0).unwrap(), 0);
    assert_eq!(base.state_of(POOL).await, "resting");
}

#[tokio::test]
async fn presence_wakes_what_is_held_and_nothing_else() {
    let base = Base::new().await;
    let writes = vec![
        line(20, POOL, "owned", "file", 0),
        user(ALICE, "active", 0),
        message(0),
    ];
    base.writer.commit(writes).await.unwrap();
    let lanes =
        "INSERT INTO lanes (lane_id, conversation_id, due_ms, failures) VALUES (-50, 50, 9000, 1);
                 UPDATE lanes SET due_ms = 8000 WHERE lane_id = 50";
    base.store
        .database
        .writer()
        .await
        .unwrap()
        .batch(lanes)
        .await
        .unwrap();
    let wake = |jid: &str, at_ms| {
        Write::Wake(Wake {
            gateway_id: GATEWAY,
            jid: jid.into(),
            at_ms,
        })
    };
    assert!(base.store.has_held(GATEWAY, ALICE, 100).await.unwrap());
    assert!(!base.store.has_held(GATEWAY, ALICE, 9000).await.unwrap());
    assert_eq!(
        base.write(wake("bob@example.org", 100)).await,
        Done::Unchanged
    );
    assert_eq!(base.write(wake(ALICE, 100)).await, Done::Written);
    assert_eq!(base.write(wake(ALICE, 100)).await, Done::Unchanged);
    let due = Sql::both("SELECT due_ms FROM lanes ORDER BY lane_id");
    let due = base.store.rows(due, Vec::new()).await.unwrap();
    assert_eq!(
        (due[0].int(0).unwrap(), due[1].int(0).unwrap()),
        (100, 8000),
        "outwards nothing changes"
    );
}

#[tokio::test]
async fn registrations_on_sqlite() {
    gets_the_number_too_or_nothing(&Both::new().await).await;
    stays_for_who_came_back(&Both::new().await).await;
}

#[tokio::test]
async fn registrations_on_postgresql() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::start().await;
    let base = async || Both::on(&StoreUrl::Postgres(postgres.database().await.into()), None).await;
    gets_the_number_too_or_nothing(&base().await).await;
    stays_for_who_came_back(&base().await).await;
}

/// The sweep has read that alice was away.
async fn stays_for_who_came_back(base: &Both) {
    let over = || {
        Write::Unregister(Unregister {
            gateway_id: GATEWAY,
            jid: ALICE.into(),
            disabled_before_ms: Some(10),
            at_ms: 20,
        })
    };
    let commit = async |writes| base.writer.commit(writes).await.unwrap();
    for back in [user(ALICE, "active", 9), user(ALICE, "disabled", 10)] {
        commit(vec![user(ALICE, "disabled", 1)]).await;
        commit(vec![back.clone()]).await;
        assert_eq!(commit(vec![over()]).await, [Done::Unchanged], "{back:?}");
    }
    commit(vec![user(ALICE, "disabled", 1)]).await;
    // In the same commit: whoever comes back has come back.
    let both = commit(vec![over(), user(ALICE, "active", 20)]).await;
    assert_eq!(both, [Done::Unchanged, Done::Written]);
    commit(vec![user(ALICE, "disabled", 1)]).await;
    assert_eq!(commit(vec![over()]).await, [Done::Written]);
    assert_eq!(base.store.user(GATEWAY, ALICE).await.unwrap(), None);
}

/// Alice has a number already.
async fn gets_the_number_too_or_nothing(base: &Both) {
    const BOB: &str = "bob@example.org";
    let comes = |address| {
        let writes = vec![owner(address, BOB, 2), user(BOB, "active", 2)];
        base.writer.commit(writes)
    };
    let taken = comes("+12025550100").await;
    assert!(matches!(taken, Err(WriteError::Conflict(_))), "{taken:?}");
    assert_eq!(base.store.user(GATEWAY, BOB).await.unwrap(), None);
    let free = line(21, POOL, "pool", "file", 1);
    base.writer.commit_one(free).await.unwrap();
    comes(POOL).await.unwrap();
    assert!(base.store.user(GATEWAY, BOB).await.unwrap().is_some());
}
