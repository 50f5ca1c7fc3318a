//! Operations on real databases: SQLite in a folder of its own, and what differs between engines on PostgreSQL too.

use std::{collections::HashSet, os::unix::fs::PermissionsExt as _, path::Path};

use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::UnixStream};
use transom_adapter::{Key, Lifecycle};
use transom_test_servers::{Postgres, Server, skipped};

use super::{
    control::{Answer, AskError, Control, ask},
    *,
};
use crate::{
    app::{Alone, App},
    config::{Config, Environment, StoreUrl},
    store::write::{ConversationRow, IdRow, NewIn, NewOut, Seen, Unowned, UserRow},
};

mod keys;

const ALICE: &str = "alice@example.org";
const PEER: &str = "+12025550147";

struct World {
    folder: tempfile::TempDir,
    alone: Alone,
}

impl World {
    async fn sqlite() -> Self {
        Self::on("sqlite://transom.db").await
    }

    async fn on(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let alone = open(folder.path(), url).await;
        Self { folder, alone }
    }

    fn on_it(&self) -> &Operations {
        &self.alone.operations
    }

    async fn ask(&self, request: Request) -> Result<Reply, Refusal> {
        self.on_it().perform(Actor::Admin, request).await
    }

    async fn refuses(&self, request: Request) -> String {
        self.ask(request).await.unwrap_err().to_string()
    }

    async fn line_id(&self, number: &str) -> i64 {
        let lines = self.on_it().store.lines_shown(None, Some(number), 9).await;
        lines.unwrap()[0].line_id
    }

    async fn user(&self, jid: &str) -> i64 {
        let on = self.on_it();
        let row = UserRow {
            user_id: on.ids.next(),
            gateway_id: on.gateways[0].id,
            jid: jid.to_owned(),
            state: "active",
            lang: None,
            at_ms: on.now_ms(),
        };
        on.commit(vec![Write::User(row)]).await.unwrap();
        on.store
            .user(on.gateways[0].id, jid)
            .await
            .unwrap()
            .unwrap()
            .0
    }

    async fn conversation(&self, user_id: i64, number: &str) -> ConversationRow {
        let on = self.on_it();
        let line_id = self.line_id(number).await;
        let known = on.store.conversation_id(user_id, PEER, line_id).await;
        ConversationRow {
            conversation_id: known.unwrap().unwrap_or_else(|| on.ids.next()),
            gateway_id: on.gateways[0].id,
            user_id,
            line_id,
            peer: PEER.to_owned(),
            peer_name: None,
            at_ms: on.now_ms(),
            plain_ms: on.now_ms(),
            shown_thread: None,
            members: 1,
            answers_to: None,
            group: Vec::new(),
        }
    }

    /// A text from the user that waits; the stanza's id is `stanza`.
    async fn outgoing(&self, user_id: i64, number: &str, stanza: &str) -> i64 {
        let on = self.on_it();
        let message_id = on.ids.next();
        let id = IdRow {
            scope_id: on.gateways[0].id,
            kind: "message-id",
            value: format!("{stanza}@networks.example"),
            part: 0,
            delivery_id: message_id,
        };
        let row = NewOut {
            conversation: self.conversation(user_id, number).await,
            message_id,
            body: "the secret text".to_owned(),
            fleeting: false,
            payload: None,
            stanza_id: stanza.to_owned(),
            repeat_key: Some(format!("o{}", {
                use sha2::{Digest, Sha256};
                hex::encode(Sha256::digest(format!("origin-{stanza}")))
            })),
            full_jid: format!("{ALICE}/phone"),
            receipt: true,
            units: 1,
            segments: 1,
            routes: "[\"main\"]".to_owned(),
            thread: None,
            ids: vec![id],
            day: 0,
            files: Vec::new(),
            held_until_ms: None,
            reached: 1,
            recipient: None,
            further: Vec::new(),
        };
        on.commit(vec![Write::Out(Box::new(row))]).await.unwrap();
        message_id
    }

    async fn incoming(&self, user_id: i64, number: &str) -> i64 {
        let on = self.on_it();
        let message_id = on.ids.next();
        let row = NewIn {
            seen: self.seen(message_id),
            conversation: self.conversation(user_id, number).await,
            message_id,
            body: "the secret text".to_owned(),
            payload: None,
            stanza_id: format!("in-{message_id}"),
            user_jid: ALICE.to_owned(),
            due_ms: Some(0),
            stranger: None,
            line: number.to_owned(),
            thread: None,
            ids: Vec::new(),
            files: Vec::new(),
            confirm: None,
            repeat_key: None,
        };
        on.commit(vec![Write::In(Box::new(row))]).await.unwrap();
        message_id
    }

    async fn unowned(&self, number: &str) -> i64 {
        let on = self.on_it();
        let unowned_id = on.ids.next();
        let row = Unowned {
            seen: self.seen(unowned_id),
            unowned_id,
            line_id: self.line_id(number).await,
            peer: PEER.to_owned(),
            body: "the secret text".to_owned(),
            at_ms: on.now_ms(),
        };
        on.commit(vec![Write::Unowned(row)]).await.unwrap();
        unowned_id
    }

    fn seen(&self, digest: i64) -> Seen {
        Seen {
            scope_id: 1,
            digest: digest.to_string(),
            at_ms: self.on_it().now_ms(),
            stale_ms: 0,
        }
    }

    async fn queue(&self) -> Vec<Waiting> {
        let list = Request::QueueList {
            gateway: None,
            direction: None,
            limit: 100,
        };
        let Ok(Reply::Queue(waiting)) = self.ask(list).await else {
            panic!("no list")
        };
        waiting
    }

    async fn life(&self, id: i64) -> Life {
        let show = Request::QueueShow { id: id.to_string() };
        let Ok(Reply::Messages(mut lives)) = self.ask(show).await else {
            panic!("no life of {id}")
        };
        lives.remove(0)
    }
}

async fn open(folder: &Path, url: &str) -> Alone {
    let text = format!(
        "[store]\nurl = \"{url}\"\n[xmpp]\nallow = [\"example.org\"]\n\
         [gateway.sms]\nadapter = \"sms\"\ndomain = \"sms.example.org\"\nsecret = \"component\"\nregion = \"US\"\n\
         [gateway.sms.provider.main]\nkind = \"simulator\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550100\"\nowner = \"alice@example.org\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550101\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550102\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550103\"\nshared = true\nfallback = \"alice@example.org\"\n"
    );
    let file = folder.join("transom.toml");
    let config = Config::parse(&text, &file, &Environment::default())
        .unwrap()
        .config;
    if let StoreUrl::Sqlite(path) = &config.store.url {
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
    }
    App::builder().build(config).alone().await.unwrap()
}

fn retry(id: i64, to: Option<&str>) -> Request {
    Request::QueueRetry {
        ids: vec![id.to_string()],
        to: to.map(str::to_owned),
    }
}

fn rename(old: &str, new: &str) -> Request {
    Request::UserRename {
        old: old.to_owned(),
        new: new.to_owned(),
    }
}

fn assign(number: &str, user: &str) -> Request {
    Request::LineAssign {
        number: number.to_owned(),
        user: user.to_owned(),
    }
}

fn release(number: &str) -> Request {
    Request::LineRelease {
        number: number.to_owned(),
    }
}

fn trace(id: &str) -> Request {
    Request::Trace { id: id.to_owned() }
}

async fn everything_of_a_user_moves(world: World) {
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
    let add = |user: &str, address: Option<&str>| Request::UserAdd {
        user: user.to_owned(),
        gateway: None,
        address: address.map(str::to_owned),
    };
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

async fn what_waits_is_shown_tried_and_given_up(world: World) {
    let alice = world.user(ALICE).await;
    let first = world.outgoing(alice, "+12025550100", "s1").await;
    let second = world.outgoing(alice, "+12025550100", "s2").await;
    let inward = world.incoming(alice, "+12025550100").await;
    let orphan = world.unowned("+12025550103").await;
    let waiting = world.queue().await;
    let ids: Vec<String> = [first, second, inward, orphan]
        .map(|id| id.to_string())
        .into();
    assert_eq!(
        waiting.iter().map(|one| one.id.clone()).collect::<Vec<_>>(),
        ids,
        "the oldest first"
    );
    assert_eq!(waiting[3].state, WaitingState::Unowned);
    assert_eq!(waiting[2].direction, Direction::In);
    assert_eq!(
        world.ask(retry(first, None)).await.unwrap(),
        Reply::Retried(1)
    );
    let cancel = |id: i64| Request::QueueCancel {
        ids: vec![id.to_string(), id.to_string()],
    };
    let told = |messages, told| Reply::Cancelled { messages, told };
    assert_eq!(world.ask(cancel(first)).await.unwrap(), told(1, 1));
    let life = world.life(first).await;
    assert_eq!(
        (life.state.as_str(), life.to_tell.as_deref()),
        ("cancelled", Some("error"))
    );
    assert!(
        world.life(second).await.due.is_some(),
        "what waits behind it goes on"
    );
    assert_eq!(
        world.ask(cancel(inward)).await.unwrap(),
        told(1, 0),
        "nothing goes back to the outside"
    );
    assert_eq!(
        world.refuses(cancel(first)).await,
        format!("message {first} does not wait: it is cancelled")
    );
    let lanes = world.on_it().store.due_lanes(i64::MIN, 10).await.unwrap();
    assert_eq!(lanes.len(), 1, "a lane with nothing left is due never");
}

#[tokio::test]
async fn what_waits_is_shown_tried_and_given_up_on_sqlite() {
    what_waits_is_shown_tried_and_given_up(World::sqlite().await).await;
}

#[tokio::test]
async fn one_bad_id_means_that_nothing_is_done() {
    let world = World::sqlite().await;
    let alice = world.user(ALICE).await;
    let out = world.outgoing(alice, "+12025550100", "s1").await;
    for bad in [
        "7",
        "x",
        "",
        "-1",
        "99999999999999999999",
        "'; DROP TABLE deliveries; --",
    ] {
        let ids = vec![out.to_string(), bad.to_owned()];
        let refusal = world.ask(Request::QueueCancel { ids }).await.unwrap_err();
        assert_eq!(refusal.fault(), Fault::Data, "{bad}");
    }
    assert_eq!(world.life(out).await.state, "queued");
}

async fn a_text_of_nobody_gets_somebody_once(world: World) {
    let alice = world.user(ALICE).await;
    let orphans = [
        world.unowned("+12025550103").await,
        world.unowned("+12025550103").await,
    ];
    let out = world.outgoing(alice, "+12025550100", "s1").await;
    assert!(
        world
            .refuses(retry(orphans[0], None))
            .await
            .contains("--to JID")
    );
    assert!(
        world
            .refuses(retry(out, Some(ALICE)))
            .await
            .contains("is alice@example.org's")
    );
    assert_eq!(
        world
            .refuses(retry(orphans[0], Some("bob@example.org")))
            .await,
        "bob@example.org is not a user of sms"
    );
    let both = Request::QueueRetry {
        ids: orphans.map(|id| id.to_string()).into(),
        to: Some(ALICE.to_owned()),
    };
    let delivered = Reply::Delivered {
        texts: 2,
        to: ALICE.to_owned(),
    };
    assert_eq!(world.ask(both).await.unwrap(), delivered);
    assert!(
        world
            .refuses(retry(orphans[0], Some(ALICE)))
            .await
            .contains("no message")
    );
    let inward: Vec<Waiting> = world
        .queue()
        .await
        .into_iter()
        .filter(|one| one.direction == Direction::In)
        .collect();
    assert_eq!(inward.len(), 2);
    assert!(
        inward
            .iter()
            .all(|one| one.user.as_deref() == Some(ALICE) && one.peer == PEER)
    );
}

#[tokio::test]
async fn a_text_of_nobody_gets_somebody_once_on_sqlite() {
    a_text_of_nobody_gets_somebody_once(World::sqlite().await).await;
}

async fn a_message_is_found_by_each_of_its_ids(world: World) {
    let alice = world.user(ALICE).await;
    let out = world.outgoing(alice, "+12025550100", "s1").await;
    world.outgoing(alice, "+12025550100", "s2").await;
    let (decimal, key) = (out.to_string(), Key(out).to_string());
    for id in [
        decimal.as_str(),
        &key,
        "s1",
        "origin-s1",
        "s1@networks.example",
        "<s1@networks.example>",
        " s1 ",
    ] {
        let Ok(Reply::Messages(lives)) = world.ask(trace(id)).await else {
            panic!("{id} is not found")
        };
        assert_eq!(
            lives.iter().map(|life| &life.id).collect::<Vec<_>>(),
            [&decimal],
            "by {id}"
        );
        let json = serde_json::to_string(&lives).unwrap();
        assert!(!json.contains("secret text"), "a body is shown");
        assert_eq!(
            lives[0].contact.as_deref(),
            Some("+12025550147@sms.example.org")
        );
        assert_eq!(lives[0].network_ids[0].kind, "message-id");
    }
    for id in ["", "s", "<>", "%", &"x".repeat(2000)] {
        assert!(
            matches!(
                world.ask(trace(id)).await,
                Err(Refusal::NoSuchMessage { .. })
            ),
            "by {id}"
        );
    }
}

#[tokio::test]
async fn a_message_is_found_by_each_of_its_ids_on_sqlite() {
    a_message_is_found_by_each_of_its_ids(World::sqlite().await).await;
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

async fn restored(world: &World, out: &[i64], inward: i64) {
    let on = world.on_it();
    assert_eq!(
        world.life(inward).await.state,
        "queued",
        "repeats inwards are recognised"
    );
    for id in out {
        assert_eq!(world.life(*id).await.state, "restored");
    }
    assert!(
        world
            .refuses(retry(out[0], None))
            .await
            .contains("queue release")
    );
    let due: HashSet<i64> = on
        .store
        .due_lanes(i64::MIN, 10)
        .await
        .unwrap()
        .iter()
        .map(|lane| lane.lane_id)
        .collect();
    assert!(
        due.iter().all(|lane| *lane < 0),
        "nothing outwards is due: {due:?}"
    );
    let fresh = world
        .outgoing(world.user(ALICE).await, "+12025550100", "new")
        .await;
    assert_eq!(world.life(fresh).await.state, "queued", "new messages pass");
    let one = Request::QueueRelease {
        ids: vec![out[1].to_string()],
    };
    assert_eq!(world.ask(one.clone()).await.unwrap(), Reply::Released(1));
    assert!(matches!(world.ask(one).await, Err(Refusal::NotHeld { .. })));
    let all = Request::QueueRelease { ids: Vec::new() };
    assert_eq!(world.ask(all).await.unwrap(), Reply::Released(1));
    let lane = on
        .store
        .due_lanes(i64::MIN, 10)
        .await
        .unwrap()
        .iter()
        .map(|lane| lane.lane_id)
        .find(|lane| *lane > 0);
    let rows = on.store.waiting_out(&[lane.unwrap()], 10).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.delivery_id).collect::<Vec<_>>(),
        [out[0], out[1], fresh],
        "in their order"
    );
}

#[tokio::test]
async fn a_copy_sends_nothing_again_by_itself() {
    let world = World::sqlite().await;
    let alice = world.user(ALICE).await;
    let out = [
        world.outgoing(alice, "+12025550100", "s1").await,
        world.outgoing(alice, "+12025550100", "s2").await,
    ];
    let inward = world.incoming(alice, "+12025550100").await;
    let put_back = tempfile::tempdir().unwrap();
    let copy = put_back.path().join("transom.db");
    world.on_it().store.copy_to(&copy, "today").await.unwrap();
    let again = world
        .on_it()
        .store
        .copy_to(&copy, "today")
        .await
        .unwrap_err()
        .to_string();
    assert!(again.contains("exists"), "{again}");
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::read_dir(put_back.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
    let on = world.on_it();
    assert_eq!(
        restored::hold_if_copy(&on.store, &on.writer).await.unwrap(),
        None,
        "the original is none"
    );
    let alone = open(put_back.path(), "sqlite://transom.db").await;
    let world = World {
        folder: put_back,
        alone,
    };
    let on = world.on_it();
    assert_eq!(
        restored::hold_if_copy(&on.store, &on.writer).await.unwrap(),
        None,
        "it was held at the opening"
    );
    restored(&world, &out, inward).await;
}

#[tokio::test]
async fn the_same_on_postgres() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::shared().await;
    everything_of_a_user_moves(World::on(&postgres.database().await).await).await;
    what_waits_is_shown_tried_and_given_up(World::on(&postgres.database().await).await).await;
    a_text_of_nobody_gets_somebody_once(World::on(&postgres.database().await).await).await;
    a_message_is_found_by_each_of_its_ids(World::on(&postgres.database().await).await).await;
    let url = postgres.database().await;
    let world = World::on(&url).await;
    let alice = world.user(ALICE).await;
    let out = [
        world.outgoing(alice, "+12025550100", "s1").await,
        world.outgoing(alice, "+12025550100", "s2").await,
    ];
    let inward = world.incoming(alice, "+12025550100").await;
    let no_file = world
        .on_it()
        .store
        .copy_to(&world.folder.path().join("x"), "today")
        .await;
    assert!(no_file.is_err(), "PostgreSQL has tools of its own");
    world.alone.close().await;
    postgres
        .query(
            &url,
            "INSERT INTO meta (name, value) VALUES ('copy_of', 'pg_dump')",
        )
        .await;
    restored(&World::on(&url).await, &out, inward).await;
}

fn listening(world: World) -> (tempfile::TempDir, std::path::PathBuf, Lifecycle) {
    let World { folder, alone } = world;
    let path = folder.path().join("control.sock");
    let control = Control::bind(&path).unwrap();
    let lifecycle = Lifecycle::new();
    let operations = Arc::new(alone.operations);
    lifecycle.spawn("control", control.serve(operations, lifecycle.clone()));
    (folder, path, lifecycle)
}

#[tokio::test]
async fn the_socket_answers_until_the_process_drains() {
    let world = World::sqlite().await;
    world.user(ALICE).await;
    let (_folder, path, lifecycle) = listening(world);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(Control::bind(&path).is_err(), "somebody listens there");
    let shown = ask(
        &path,
        &Request::UserShow {
            user: ALICE.to_owned(),
        },
    )
    .await
    .unwrap();
    assert!(matches!(shown, Answer::Reply(Reply::User(_))), "{shown:?}");
    let refused = ask(&path, &trace("nope")).await.unwrap();
    assert_eq!(
        refused,
        Answer::Refusal(Refusal::NoSuchMessage {
            id: "nope".to_owned()
        })
    );
    let many = futures_util::future::join_all((0..40).map(|_| ask(&path, &Request::Now))).await;
    assert!(many.iter().all(Result::is_ok), "more than fit wait");
    lifecycle.drain();
    assert!(lifecycle.finish(std::time::Duration::from_secs(20)).await);
    assert!(matches!(
        ask(&path, &Request::Now).await,
        Err(AskError::Nobody(_))
    ));
    assert!(!path.exists());
}

#[tokio::test]
async fn nonsense_on_the_socket_is_refused_and_survived() {
    let (_folder, path, _lifecycle) = listening(World::sqlite().await);
    let long = vec![b'x'; 70_000];
    let nonsense: [&[u8]; 6] = [
        b"\n",
        b"{}\n",
        b"{\"do\":\"fly\"}\n",
        b"\xff\xfe\n",
        b"{\"do\":\"user-list\",\"x\":1}\n",
        &long,
    ];
    for bytes in nonsense {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(bytes).await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        if bytes.len() < 1_000 {
            let answer: Answer = serde_json::from_slice(&answer).unwrap();
            assert!(
                matches!(answer, Answer::Refusal(Refusal::BadRequest(_))),
                "{answer:?}"
            );
        }
    }
    drop(UnixStream::connect(&path).await.unwrap());
    assert!(ask(&path, &Request::Now).await.is_ok());
}

#[tokio::test]
async fn what_a_killed_process_left_is_taken_away_but_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    drop(Control::bind(&path).unwrap());
    assert!(path.exists(), "left behind");
    assert!(Control::bind(&path).is_ok());
    let file = folder.path().join("precious");
    std::fs::write(&file, "x").unwrap();
    assert!(Control::bind(&file).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"x");
}

#[test]
fn every_refusal_survives_the_socket() {
    for refusal in [
        Refusal::Changed,
        Refusal::Busy("full".to_owned()),
        Refusal::NotBlocked {
            peer: PEER.to_owned(),
        },
    ] {
        let json = serde_json::to_string(&Answer::Refusal(refusal.clone())).unwrap();
        assert_eq!(
            serde_json::from_str::<Answer>(&json).unwrap(),
            Answer::Refusal(refusal)
        );
    }
}
