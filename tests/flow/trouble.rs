//! What goes wrong around transom, and what it says and does about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use transom_test_servers::{Answer, Element, PATIENCE, Postgres, Server, Transom, skipped, until};

use crate::world::{LINE, World, chat, contact, is_receipt_of};

const PEER: &str = "+12025550147";

#[tokio::test]
async fn a_wrong_secret_is_said_with_its_remedy_and_does_not_stop_the_rest() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    proves!("a refused login is said with its remedy", Prosody);
    let mut world = World::prepare("", "", |builder| {
        builder.env("TRANSOM_GATEWAY__SMS__SECRET", "wrong")
    })
    .await;
    // READY all the same: the store commits and the listeners accept (semantics 35).
    world.transom.start().await;
    logged(&world.transom, &["component_secret", "sms.example.org"]).await;
    let ready = transom_test_servers::get(world.transom.http(), "/readyz")
        .await
        .unwrap();
    assert_eq!(ready.status, 200, "{}", ready.text());
    let links = transom_test_servers::get(world.transom.http(), "/readyz?links=1")
        .await
        .unwrap();
    assert_eq!(links.status, 503, "{}", links.text());
    assert!(world.transom.sigterm().await.success());
}

#[tokio::test]
async fn a_taken_component_name_is_said_with_its_remedy() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let first = World::start("").await;
    let second = World::prepare("", "", |builder| builder).await;
    let config = second.transom.config_text().replace(
        &second.server.component_addr().to_string(),
        &first.server.component_addr().to_string(),
    );
    let mut transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .http(second.transom.http())
        .prepare();
    transom.start().await;
    logged(&transom, &["kick_old"]).await;
    first.up().await;
}

#[tokio::test]
async fn a_database_that_is_down_is_waited_for() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let mut postgres = Postgres::start().await;
    let url = postgres.database().await;
    postgres.stop().await;
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
    let mut world = World::prepare(&line, &format!("[store]\nurl = \"{url}\"\n"), |builder| {
        builder
    })
    .await;
    world.transom.spawn();
    logged(&world.transom, &["store.url"]).await;
    postgres.resume().await;
    world.up().await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "after all")).await;
    world.twilio.text("after all").await;
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_named() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let none = Postgres::shared().await.database().await + "_that_nobody_made";
    for (url, why) in [
        (none, "_that_nobody_made\" does not exist"),
        (
            "sqlite:///nowhere/at/all/transom.db".to_owned(),
            "/nowhere/at/all/",
        ),
    ] {
        let store = format!("[store]\nurl = \"{url}\"\n");
        let mut world = World::prepare("", &store, |builder| builder).await;
        world.transom.spawn();
        logged(&world.transom, &["store.url", why]).await;
    }
}

#[tokio::test]
async fn a_database_that_restarts_loses_nothing() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let mut postgres = Postgres::start().await;
    let url = postgres.database().await;
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
    let world = World::with(
        Server::Prosody,
        &line,
        &format!("[store]\nurl = \"{url}\"\n"),
    )
    .await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "before")).await;
    world.twilio.text("before").await;
    postgres.stop().await;
    // The source is told to come back, and what a user writes waits.
    let busy = world
        .twilio
        .deliver("SMin", PEER, LINE, "while it is down")
        .await
        .unwrap();
    assert!(busy >= 500, "{busy}");
    alice.send(&chat(&contact(PEER), "m2", "meanwhile")).await;
    postgres.resume().await;
    world.twilio.text("meanwhile").await;
    let taken = async || {
        (world
            .twilio
            .deliver("SMin", PEER, LINE, "while it is down")
            .await
            == Ok(200))
        .then_some(())
    };
    until("the text to be taken", PATIENCE, taken)
        .await
        .unwrap();
    alice
        .expect("the text", |stanza| {
            stanza.body().as_deref() == Some("while it is down")
        })
        .await;
    let bodies: Vec<_> = world
        .twilio
        .sent()
        .iter()
        .filter_map(|sent| sent.form("Body"))
        .collect();
    assert_eq!(bodies, ["before", "meanwhile"]);
}

#[tokio::test]
async fn faults_of_the_configuration_end_with_78_and_their_keys() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad_configs/five_faults");
    let config = std::fs::read_to_string(format!("{dir}.toml")).unwrap();
    let transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .prepare();
    for command in ["check", "run"] {
        let output = transom.command(&[command]).await;
        assert_eq!(output.status.code(), Some(78), "{command}");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        for key in [
            "xmpp.server",
            "http.listn",
            "gateway.sms.secret",
            "gateway.sms.hold",
            "gateway.sms.line[1].number",
        ] {
            assert!(text.contains(key), "{command} does not name {key}: {text}");
        }
    }
}

#[tokio::test]
async fn a_fault_of_the_adapter_is_named_by_check_and_run() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::prepare(
        "[gateway.sms.provider.other]\nkind = \"twilio\"\naccount_sid = \"AC2\"\n",
        "",
        |b| b,
    )
    .await;
    for command in ["check", "run"] {
        let output = world.transom.command(&[command]).await;
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(78), "{command}: {text}");
        assert!(
            text.contains("gateway.sms.provider.other.auth_token"),
            "{command}: {text}"
        );
    }
}

#[tokio::test]
async fn two_runs_on_one_file_are_refused() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let output = world.transom.command(&["run"]).await;
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains("another transom") || text.contains("listen"),
        "{text}"
    );
}

#[tokio::test]
async fn a_throttle_is_waited_out_and_a_server_error_is_tried_again_in_order() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut alice = world.client("alice").await;
    world
        .twilio
        .api
        .answer_next(Answer::json(429, r#"{"code":20429}"#).header("Retry-After", "1"));
    world
        .twilio
        .api
        .answer_next(Answer::status(503).header("Retry-After", "1"));
    alice.send(&chat(&contact(PEER), "m1", "first")).await;
    alice.send(&chat(&contact(PEER), "m2", "second")).await;
    world.twilio.text("second").await;
    let bodies: Vec<_> = world
        .twilio
        .sent()
        .iter()
        .filter_map(|sent| sent.form("Body"))
        .collect();
    assert_eq!(
        bodies,
        ["first", "first", "first", "second"],
        "strictly in order, behind the one that is tried again"
    );
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_never_sent_again_and_holds_nobody_up() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    for (what, answer) in [
        ("garbage", Answer::with(200, "text/html", "<h1>?")),
        ("nothing", Answer::Close),
        ("500", Answer::status(500)),
    ] {
        let world = World::start("").await;
        let mut alice = world.client("alice").await;
        world.twilio.api.answer_next(answer);
        alice.send(&chat(&contact(PEER), "m1", "doubtful")).await;
        alice.send(&chat(&contact(PEER), "m2", "next")).await;
        world.twilio.text("next").await;
        let bodies: Vec<_> = world
            .twilio
            .sent()
            .iter()
            .filter_map(|sent| sent.form("Body"))
            .collect();
        assert_eq!(bodies, ["doubtful", "next"], "{what}");
        // A report settles it after all: it names our own key.
        let sent = world.twilio.text("doubtful").await;
        assert_eq!(
            world
                .twilio
                .report(&sent, "SMdoubtful", "delivered", "")
                .await,
            Ok(200)
        );
        alice
            .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
            .await;
    }
}

#[tokio::test]
async fn the_server_restarts_under_load_and_every_text_arrives_once() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    proves!(
        "the server restarts under load: every text arrives once",
        Prosody
    );
    let mut world = World::start("").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    let texts = |numbers: std::ops::Range<u32>| {
        let twilio = &world.twilio;
        async move {
            for number in numbers {
                let (sid, body) = (format!("SM{number}"), format!("text {number}"));
                assert_eq!(twilio.deliver(&sid, PEER, LINE, &body).await, Ok(200));
            }
        }
    };
    texts(0..20).await;
    // What comes while she is away waits at her server, old or new.
    alice.send("<presence type='unavailable'/>").await;
    alice.barrier().await;
    let mut seen = alice.received().to_vec();
    alice.disconnect().await;
    tokio::join!(world.server.restart(), texts(20..40));
    let mut alice = world.client("alice").await;
    let is_last = |stanza: &Element| stanza.body().as_deref() == Some("text 39");
    alice.expect("the last", is_last).await;
    seen.extend_from_slice(alice.received());
    // A repeat under the same id is one message (semantics 3).
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for stanza in seen.iter().filter(|stanza| stanza.name() == "message") {
        if let (Some(body), Some(id)) = (stanza.body(), stanza.attr("id")) {
            ids.entry(body).or_default().insert(id.to_owned());
        }
    }
    for number in 0..40 {
        let count = ids.get(&format!("text {number}")).map_or(0, BTreeSet::len);
        assert_eq!(count, 1, "text {number} of {ids:?}");
    }
}

#[tokio::test]
async fn sigterm_drains_and_ends_with_0() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut world = World::start("").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "last words")).await;
    world.twilio.text("last words").await;
    let begun = tokio::time::Instant::now();
    assert!(world.transom.sigterm().await.success());
    assert!(
        begun.elapsed() < Duration::from_secs(25),
        "it drained instead of running into its deadline"
    );
}

/// Waits until the log holds all of these.
async fn logged(transom: &Transom, words: &[&str]) {
    let all = async || {
        let log = transom.log();
        words.iter().all(|word| log.contains(word)).then_some(())
    };
    until(&format!("{words:?} in the log"), PATIENCE, all)
        .await
        .unwrap_or_else(|why| panic!("{why}: {}", transom.log()));
}
