//! Users, their lines and whom they block.

use super::*;

pub(super) async fn everything_of_a_user_moves(world: World) {
    let alice = world.user(ALICE).await;
    let out = world.outgoing(alice, "+12025550100", "s1").await;
    let inward = world.incoming(alice, "+12025550100").await;
    let Ok(Reply::UserRenamed(renamed)) = world.ask(rename(ALICE, "anna@example.org")).await else {
        panic!("not renamed")
    };
    assert_eq!(renamed.gateways, ["sms"]);
    assert_eq!(renamed.lines, ["+12025550100"]);
    assert_eq!(
        renamed.named_by,
        [
            "gateway.sms.line +12025550100",
            "gateway.sms.line +12025550103"
        ]
    );
    let on = world.on_it();
    let gateway = on.gateways[0].id;
    assert_eq!(on.store.user(gateway, ALICE).await.unwrap(), None);
    let anna = on.store.user(gateway, "anna@example.org").await.unwrap();
    assert_eq!(
        anna,
        Some((alice, "active".to_owned())),
        "the same registration"
    );
    let line = |number: &'static str| async move {
        on.store
            .lines_shown(None, Some(number), 9)
            .await
            .unwrap()
            .remove(0)
    };
    assert_eq!(line("+12025550100").await.owners, ["anna@example.org"]);
    assert_eq!(
        line("+12025550103").await.fallback.as_deref(),
        Some("anna@example.org")
    );
    assert_eq!(
        world.life(out).await.stanzas[0].jid,
        "anna@example.org/phone"
    );
    assert_eq!(world.life(inward).await.stanzas[0].jid, "anna@example.org");
    assert_eq!(
        world.life(inward).await.user.as_deref(),
        Some("anna@example.org")
    );
}

#[tokio::test]
async fn everything_of_a_user_moves_on_sqlite() {
    everything_of_a_user_moves(World::sqlite().await).await;
}

#[tokio::test]
async fn an_address_book_for_somebody_who_is_not_registered_is_refused_in_words() {
    let world = World::sqlite().await;
    let import = Request::ContactsImport {
        cards: "BEGIN:VCARD\nVERSION:3.0\nFN:Bob\nTEL:+12025550147\nEND:VCARD\n".to_owned(),
        user: Some(ALICE.to_owned()),
        gateway: None,
    };
    let refusal = world.ask(import).await.unwrap_err();
    // What the command's socket cannot carry, its caller takes for a process that broke off.
    let carried = serde_json::to_string(&refusal).unwrap();
    assert_eq!(
        serde_json::from_str::<Refusal>(&carried).unwrap(),
        Refusal::NoSuchUser {
            user: ALICE.to_owned(),
            gateway: Some("sms".to_owned()),
        }
    );
}

#[tokio::test]
async fn nobody_is_renamed_onto_somebody() {
    let world = World::sqlite().await;
    world.user(ALICE).await;
    world.user("bob@example.org").await;
    assert_eq!(
        world.refuses(rename(ALICE, "bob@example.org")).await,
        "bob@example.org is a user of sms already"
    );
    assert!(
        world
            .refuses(rename(ALICE, "x@other.net"))
            .await
            .contains("may not use sms")
    );
    assert_eq!(
        world
            .refuses(rename("zoe@example.org", "x@example.org"))
            .await,
        "zoe@example.org is not a user"
    );
    assert!(
        world
            .refuses(rename("example.org", ALICE))
            .await
            .contains("is not the bare JID")
    );
}

#[tokio::test]
async fn users_are_let_in_and_out() {
    let world = World::sqlite().await;
    let Ok(Reply::UserAdded(added)) = world
        .ask(add("bob@example.org", Some("(202) 555-0102")))
        .await
    else {
        panic!("not added")
    };
    assert_eq!(added.address.as_deref(), Some("+12025550102"));
    assert_eq!(
        world.refuses(add("bob@example.org", None)).await,
        "bob@example.org is a user of sms already"
    );
    assert!(
        world
            .refuses(add("mallory@other.net", None))
            .await
            .contains("xmpp.allow")
    );
    let taken = world
        .refuses(add("carl@example.org", Some("+12025550102")))
        .await;
    assert_eq!(
        taken,
        "+12025550102 is not free at sms; free are +12025550101"
    );
    let remove = Request::UserRemove {
        user: "bob@example.org".to_owned(),
        gateway: None,
    };
    assert!(world.ask(remove.clone()).await.is_ok());
    assert_eq!(world.refuses(remove).await, "bob@example.org is not a user");
}

#[tokio::test]
async fn a_number_is_nobodys_when_its_user_could_not_be_stored() {
    let world = World::sqlite().await;
    let add = || add("bob@example.org", Some("+12025550102"));
    let full = "CREATE TRIGGER full BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'full'); END";
    world.sql(full).await;
    world.ask(add()).await.unwrap_err();
    world.sql("DROP TRIGGER full").await;
    let Ok(Reply::UserAdded(added)) = world.ask(add()).await else {
        panic!("the number is not free")
    };
    assert_eq!(added.address.as_deref(), Some("+12025550102"));
}

/// A process that runs, whose links take whatever is written.
struct Silent;

#[async_trait]
impl Running for Silent {
    async fn look_again(&self) {}

    fn tell(&self, _: Vec<i64>) {}

    async fn introduce(&self, _: i64, _: &BareJid, _: Vec<BareJid>) {}

    fn left(&self, _: i64, _: &BareJid, _: Vec<String>) {}

    async fn send(&self, _: i64, _: Vec<Stanza>) {}

    async fn try_message(&self, _: i64, _: Message) -> Option<Vec<Stanza>> {
        None
    }

    fn links(&self) -> Vec<LinkNow> {
        Vec::new()
    }

    async fn found(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn accounts(&self) -> Vec<AccountNow> {
        Vec::new()
    }

    fn own_account(&self, _: i64) -> Option<AccountState> {
        None
    }

    fn go_on(&self, _: BoxFuture<'static, ()>) {}

    fn log_level(&self, _: &str) -> bool {
        false
    }
}

fn add(user: &str, address: Option<&str>) -> Request {
    Request::UserAdd {
        user: user.to_owned(),
        gateway: None,
        address: address.map(str::to_owned),
    }
}

#[tokio::test]
async fn whoever_waits_is_let_in_with_a_number_while_transom_runs() {
    let mut world = World::sqlite().await;
    world.alone.operations.running = Some(Arc::new(Silent));
    let bob = world.user("bob@example.org").await;
    world.sql("UPDATE users SET state = 'pending'").await;
    let Ok(Reply::UserAdded(added)) = world
        .ask(add("bob@example.org", Some("+12025550102")))
        .await
    else {
        panic!("not added")
    };
    assert_eq!(added.address.as_deref(), Some("+12025550102"));
    assert_eq!(added.before.as_deref(), Some("pending"));
    let on = world.on_it();
    let member = on.store.member(on.gateways[0].id, "bob@example.org", "");
    let member = member.await.unwrap().unwrap();
    assert_eq!((member.user_id, member.state.as_str()), (bob, "active"));
    assert!(member.contact.asked, "the gateway asked for presence");
}

#[tokio::test]
async fn whoever_is_let_in_is_woken_by_the_same_commit() {
    let world = World::sqlite().await;
    let alice = world.user(ALICE).await;
    world.incoming(alice, "+12025550100").await;
    world
        .sql("UPDATE users SET state = 'pending'; UPDATE lanes SET due_ms = 9000000000000000;")
        .await;
    let full = "CREATE TRIGGER full BEFORE UPDATE ON lanes BEGIN SELECT RAISE(ABORT, 'full'); END";
    world.sql(full).await;
    world.ask(add(ALICE, None)).await.unwrap_err();
    let on = world.on_it();
    let user = on.store.user(on.gateways[0].id, ALICE).await.unwrap();
    assert_eq!(user, Some((alice, "pending".to_owned())));
}

#[tokio::test]
async fn a_line_rests_only_where_somebody_talked_on_it() {
    let world = World::sqlite().await;
    let bob = world.user("bob@example.org").await;
    world
        .ask(assign("+12025550101", "bob@example.org"))
        .await
        .unwrap();
    let fresh = world.ask(release("+12025550101")).await.unwrap();
    assert!(
        matches!(
            fresh,
            Reply::LineReleased {
                rests_until: None,
                ..
            }
        ),
        "{fresh:?}"
    );
    assert!(
        world
            .ask(assign("+12025550101", "bob@example.org"))
            .await
            .is_ok()
    );
    world.outgoing(bob, "+12025550101", "s1").await;
    let used = world.ask(release("+12025550101")).await.unwrap();
    assert!(
        matches!(
            used,
            Reply::LineReleased {
                rests_until: Some(_),
                ..
            }
        ),
        "{used:?}"
    );
    let other = world.refuses(assign("+12025550101", ALICE)).await;
    assert!(other.contains("rests until"), "{other}");
    assert!(
        world
            .ask(assign("+12025550101", "bob@example.org"))
            .await
            .is_ok(),
        "comes back"
    );
}

#[tokio::test]
async fn the_configuration_file_wins_over_commands() {
    let world = World::sqlite().await;
    for request in [
        assign("+12025550100", "bob@example.org"),
        release("+12025550100"),
        release("+12025550103"),
    ] {
        let why = world.refuses(request).await;
        assert!(
            why.starts_with("the configuration file says whose"),
            "{why}"
        );
    }
    assert!(
        world
            .refuses(release("+12025559999"))
            .await
            .contains("not one of our numbers")
    );
}

#[tokio::test]
async fn an_owner_who_left_the_file_leaves_the_line() {
    let owned = "owner = \"alice@example.org\"\n";
    for (now, kind) in [("", "pool"), ("shared = true\n", "shared")] {
        let world = World::sqlite().await.reopened(owned, now).await;
        let store = &world.on_it().store;
        let lines = store.lines_shown(None, Some("+12025550100"), 9).await;
        let line = lines.unwrap().remove(0);
        assert_eq!(
            (line.kind.as_str(), line.owners.len()),
            (kind, 0),
            "{line:?}"
        );
        let gateway = world.on_it().gateways[0].id;
        let free = store.free_lines(gateway, world.on_it().now_ms(), 9).await;
        let is_free = free.unwrap().contains(&line.address);
        assert_eq!(is_free, kind == "pool");
    }
}

#[tokio::test]
async fn whoever_has_a_number_of_the_pool_keeps_it_when_the_file_is_read_again() {
    let world = World::sqlite().await;
    world.user("bob@example.org").await;
    let number = "+12025550101";
    world.ask(assign(number, "bob@example.org")).await.unwrap();
    let world = world
        .reopened("shared = true\nfallback = \"alice@example.org\"\n", "")
        .await;
    let lines = world.on_it().store.lines_shown(None, Some(number), 9).await;
    assert_eq!(lines.unwrap()[0].owners, ["bob@example.org"]);
}

#[tokio::test]
async fn blocks_are_kept_in_the_peers_one_spelling() {
    let world = World::sqlite().await;
    let peer = "(202) 555-0147".to_owned();
    let set = Request::BlockAdd {
        peer: peer.clone(),
        gateway: None,
    };
    world.ask(set.clone()).await.unwrap();
    world.ask(set).await.unwrap();
    let Ok(Reply::Blocks(blocks)) = world.ask(Request::BlockList { gateway: None }).await else {
        panic!("no list")
    };
    assert_eq!(
        blocks
            .iter()
            .map(|block| block.peer.as_str())
            .collect::<Vec<_>>(),
        [PEER]
    );
    let unset = Request::BlockRemove {
        peer,
        gateway: None,
    };
    world.ask(unset.clone()).await.unwrap();
    assert_eq!(world.refuses(unset).await, format!("{PEER} is not blocked"));
}

#[tokio::test]
async fn the_export_of_a_user_has_all_contacts_blocks_and_optouts() {
    let mut world = World::sqlite().await;
    let base = "https://gw.example.org".parse().unwrap();
    world.alone.operations.once = Arc::new(Once::new(Some(base), None));
    world.user(ALICE).await;
    world
        .sql(
            "CREATE TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
                               SELECT i, '+1202556' || (1000 + i) AS peer FROM n;
             INSERT INTO conversations (conversation_id, gateway_id, user_id, line_id, peer, created_ms, active_ms, plain_ms, members)
             SELECT n.i, u.gateway_id, u.user_id, l.line_id, n.peer, 0, n.i, 0, 1
               FROM n, users u, lines l WHERE l.address = '+12025550100';
             INSERT INTO blocks (gateway_id, user_id, peer, since_ms) SELECT gateway_id, user_id, peer, 0 FROM n, users;
             INSERT INTO optouts (line_id, peer, since_ms) SELECT line_id, peer, 0 FROM n, lines WHERE address = '+12025550100';",
        )
        .await;
    let on = world.on_it();
    let asker = Actor::User(Asker {
        gateway: "sms".to_owned(),
        jid: BareJid::new(ALICE).unwrap(),
        lang: crate::texts::Lang::En,
    });
    let Ok(Reply::Export(link)) = on.perform(asker, Request::Export).await else {
        panic!("no export")
    };
    let token = link.url.rsplit('/').next().unwrap();
    let Some(once::Purpose::Download { bytes, .. }) = on.once.take(token, on.clock.now()) else {
        panic!("no file")
    };
    let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    for what in ["contacts", "blocked", "optouts"] {
        let found = document[what].as_array().or_else(|| {
            let inner = document[what]
                .as_object()?
                .values()
                .find(|value| value.is_array())?;
            inner.as_array()
        });
        assert_eq!(found.map(Vec::len), Some(450), "{what}");
    }
}
