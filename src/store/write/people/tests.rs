//! Registrations against a real SQLite file.

use std::sync::Arc;

use tempfile::TempDir;
use transom_adapter::{Lifecycle, SystemClock};
use transom_test_servers::{Postgres, Server, skipped};

use super::*;
use crate::{
    config::StoreUrl,
    metrics::Metrics,
    store::{
        Store, Write, WriteError, Writer,
        read::{Ask, Subscription},
        write::{ConversationRow, NewOut, Operation, sweep::tests::Base as Both},
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
        conversation: ConversationRow {
            conversation_id: 50,
            gateway_id: GATEWAY,
            user_id: 10,
            line_id: 20,
            peer: "+12025550147".into(),
            peer_name: None,
            at_ms,
            plain_ms: at_ms,
            shown_thread: None,
            members: 1,
            answers_to: None,
            group: Vec::new(),
        },
        message_id: 60,
        body: "hi".into(),
        fleeting: false,
        payload: None,
        stanza_id: "s".into(),
        repeat_key: None,
        full_jid: "alice@example.org/x".into(),
        receipt: false,
        units: 1,
        segments: 1,
        routes: "[]".into(),
        thread: None,
        ids: Vec::new(),
        day: at_ms / DAY,
        files: Vec::new(),
        held_until_ms: None,
        reached: 1,
        recipient: None,
        further: Vec::new(),
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

#[tokio::test]
async fn a_member_is_read_with_one_contact() {
    let base = Base::new().await;
    assert_eq!(base.store.member(GATEWAY, ALICE, "").await.unwrap(), None);
    base.writer
        .commit(vec![
            user(ALICE, "active", 5),
            contact("", 1, 1),
            contact("+1", 0, 1),
        ])
        .await
        .unwrap();
    let member = base
        .store
        .member(GATEWAY, ALICE, "+1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (member.user_id, member.state.as_str(), member.changed_ms),
        (10, "active", 5)
    );
    assert_eq!(
        member.contact,
        Subscription {
            subscribed: false,
            asked: true
        }
    );
    assert_eq!(member.lang.as_deref(), Some("de"));
    assert_eq!(
        base.store.subscribers(GATEWAY, "", 10).await.unwrap(),
        [ALICE]
    );
    base.write(user(ALICE, "disabled", 6)).await;
    assert!(
        base.store
            .subscribers(GATEWAY, "", 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        base.store.disabled_before(GATEWAY, 7, 10).await.unwrap(),
        [ALICE]
    );
    assert!(
        base.store
            .disabled_before(GATEWAY, 6, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_number_of_the_pool_is_given_once() {
    let base = Base::new().await;
    base.write(line(20, POOL, "pool", "file", 1)).await;
    assert_eq!(base.store.free_lines(GATEWAY, 1, 10).await.unwrap(), [POOL]);
    assert_eq!(base.write(owner(POOL, ALICE, 2)).await, Done::Written);
    assert_eq!(
        base.write(owner(POOL, ALICE, 3)).await,
        Done::Written,
        "it is hers already"
    );
    assert_eq!(
        base.write(owner(POOL, "bob@example.org", 3)).await,
        Done::Unchanged
    );
    assert!(
        base.store
            .free_lines(GATEWAY, 4, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

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
async fn a_number_that_was_given_up_rests_ninety_days_across_restarts() {
    let base = Base::new().await;
    let writes = vec![
        line(20, POOL, "pool", "file", 0),
        owner(POOL, ALICE, 0),
        user(ALICE, "active", 0),
    ];
    base.writer.commit(writes).await.unwrap();
    base.write(unregister(ALICE, 10)).await;
    base.write(line(21, POOL, "pool", "file", 50 * DAY)).await;
    base.write(line(21, POOL, "pool", "file", 89 * DAY)).await;
    assert_eq!(base.state_of(POOL).await, "resting");
    assert!(
        base.store
            .free_lines(GATEWAY, 89 * DAY, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        base.store.free_lines(GATEWAY, 91 * DAY, 10).await.unwrap(),
        [POOL]
    );
    base.write(owner(POOL, "bob@example.org", 91 * DAY)).await;
    assert_eq!(base.state_of(POOL).await, "active");
}

#[tokio::test]
async fn the_configuration_s_lines_stay_their_owner_s() {
    let base = Base::new().await;
    let writes = vec![
        line(20, POOL, "owned", "file", 0),
        owner(POOL, ALICE, 0),
        user(ALICE, "active", 0),
    ];
    base.writer.commit(writes).await.unwrap();
    base.write(unregister(ALICE, 1)).await;
    assert_eq!(base.state_of(POOL).await, "active");
    assert_eq!(base.store.lines(GATEWAY).await.unwrap()[0].owners, [ALICE]);
}

#[tokio::test]
async fn an_address_made_at_registration_goes_to_nobody_else_and_back_to_its_user() {
    const MAIL: &str = "alice@mail.example.org";
    let base = Base::new().await;
    let made = || {
        vec![
            line(20, MAIL, "owned", "registration", 0),
            owner(MAIL, ALICE, 0),
            user(ALICE, "active", 0),
        ]
    };
    base.writer.commit(made()).await.unwrap();
    base.write(unregister(ALICE, 1)).await;
    assert_eq!(base.state_of(MAIL).await, "resting");
    assert_eq!(
        base.write(owner(MAIL, "bob@example.org", 2)).await,
        Done::Unchanged
    );
    assert_eq!(base.state_of(MAIL).await, "resting");
    let done = base.writer.commit(made()).await.unwrap();
    assert!(done.iter().all(|done| *done == Done::Written));
    assert_eq!(base.state_of(MAIL).await, "active");
    let ask = Ask::about_user(ALICE.into(), None);
    let view = base.store.outward(GATEWAY, &[ask], 3).await.unwrap();
    assert_eq!(view.lines[ALICE][0].line_id, 20);
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
async fn a_name_that_the_user_gave_beats_the_networks_and_is_kept_by_what_the_roster_says() {
    let base = Base::new().await;
    let name = |name: Option<&str>| {
        Write::Operation(Operation::NameContact {
            user_id: 10,
            peer: "+12025550147".into(),
            name: name.map(str::to_owned),
            yields: false,
        })
    };
    let known = async || {
        let member = base.store.member(GATEWAY, ALICE, "+12025550147").await;
        member.unwrap().unwrap()
    };
    base.write(user(ALICE, "active", 5)).await;
    base.write(line(20, POOL, "pool", "file", 5)).await;
    let Write::Out(mut named) = message(6) else {
        unreachable!()
    };
    named.conversation.peer_name = Some("R. Smith".into());
    base.write(Write::Out(named)).await;
    assert_eq!(known().await.name.as_deref(), Some("R. Smith"));
    base.write(name(Some("Bob"))).await;
    assert_eq!(known().await.name.as_deref(), Some("Bob"));
    base.write(contact("+12025550147", 1, 1)).await;
    let pinned = base
        .store
        .member(GATEWAY, ALICE, "+12025550147;line=+12025550101")
        .await;
    assert_eq!(pinned.unwrap().unwrap().name.as_deref(), Some("Bob"));
    assert_eq!(known().await.name.as_deref(), Some("Bob"));
    assert!(
        known().await.contact.subscribed,
        "a name says nothing of the roster"
    );
    base.write(name(None)).await;
    assert_eq!(known().await.name.as_deref(), Some("R. Smith"));
}

#[tokio::test]
async fn the_book_holds_everybody_once() {
    let base = Base::new().await;
    base.write(user(ALICE, "active", 5)).await;
    base.write(line(20, POOL, "pool", "file", 5)).await;
    base.write(message(6)).await;
    for (peer, name) in [("+12025550147", "Bob"), ("+12025550148", "Eve")] {
        base.write(Write::Operation(Operation::NameContact {
            user_id: 10,
            peer: peer.into(),
            name: Some(name.into()),
            yields: false,
        }))
        .await;
    }
    base.write(contact("", 1, 1)).await;
    base.write(contact("+12025550147;line=+12025550101", 1, 1))
        .await;
    let book = base.store.book(GATEWAY, ALICE, 100).await.unwrap();
    let seen: Vec<_> = book
        .iter()
        .map(|known| (known.peer.as_str(), known.name.as_deref()))
        .collect();
    assert_eq!(
        seen,
        [("+12025550147", Some("Bob")), ("+12025550148", Some("Eve"))]
    );
    assert_eq!(
        base.store
            .contacts_counted(10, "+12025550147")
            .await
            .unwrap(),
        3
    );
    assert!(
        base.store
            .book(GATEWAY, "eve@example.org", 100)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_user_blocks_for_nobody_else_and_takes_it_back() {
    let base = Base::new().await;
    base.write(user(ALICE, "active", 5)).await;
    base.write(user("bob@example.org", "active", 5)).await;
    let block = |blocked| {
        Write::Operation(Operation::Block {
            gateway_id: GATEWAY,
            user_id: 10,
            peer: "+1".into(),
            blocked,
            at_ms: 6,
        })
    };
    base.writer
        .commit(vec![block(true), block(true)])
        .await
        .unwrap();
    let of = async |user_id| {
        let blocks = base.store.blocks_of(GATEWAY, user_id, 10).await.unwrap();
        blocks.into_iter().map(|(peer, _)| peer).collect::<Vec<_>>()
    };
    assert_eq!(of(10).await, ["+1"]);
    assert!(of(11).await.is_empty());
    base.write(block(false)).await;
    assert!(of(10).await.is_empty());
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
