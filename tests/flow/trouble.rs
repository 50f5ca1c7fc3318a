//! What goes wrong around transom, and what it says and does about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use transom_test_servers::{
    Answer, PATIENCE, Postgres, Server, Transom, TransomBuilder, free_port, skipped, until,
};

use crate::world::{LINE, PLAIN, SECRET, World, alices_line, chat, contact, link_up};

on_each_server! {
    a_wrong_secret_is_said_with_its_remedy_and_does_not_stop_the_rest,
    the_server_restarts_under_load_and_every_text_arrives_once,
}

const PEER: &str = "+12025550147";

async fn a_wrong_secret_is_said_with_its_remedy_and_does_not_stop_the_rest(on: Server) {
    proves!("a refused login is said with its remedy", Prosody, Ejabberd);
    let wrong = |builder: TransomBuilder| builder.env("TRANSOM_GATEWAY__SMS__SECRET", "wrong");
    let mut world = World::prepare_on(on, &PLAIN, &alices_line(), "", wrong).await;
    // READY all the same: the store commits and the listeners accept (semantics 35).
    world.transom.start().await;
    let said = match on {
        Server::Ejabberd => "the server refused the component's name or secret",
        _ => "the server refused the secret (Given token does not match calculated token)",
    };
    let remedies = [
        said,
        "under `Component \"sms.example.org\"`: component_secret = \"the gateway's secret\"",
        "in the listener of ejabberd_service: hosts: {\"sms.example.org\": {password: \"the gateway's secret\"}}",
    ];
    logged(&world.transom, &remedies).await;
    let ready = transom_test_servers::get(world.transom.http(), "/readyz")
        .await
        .unwrap();
    assert_eq!(ready.status, 200, "{}", ready.text());
    let links = transom_test_servers::get(world.transom.http(), "/readyz?links=1")
        .await
        .unwrap();
    assert_eq!(links.status, 503, "{}", links.text());
    assert!(world.transom.sigterm().await.success());
    world
        .transom
        .set_env("TRANSOM_GATEWAY__SMS__SECRET", SECRET);
    world.transom.start().await;
    world.up().await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "at last")).await;
    world.twilio.text("at last").await;
}

#[tokio::test]
async fn a_taken_component_name_is_said_with_its_remedy() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let first = World::start("").await;
    let transom = second_of(&first).await;
    let said = [
        "another connection holds the component's name (Component already connected)",
        "under `Component \"sms.example.org\"`: component_conflict_resolve = \"kick_old\" (if no other transom runs)",
    ];
    logged(&transom, &said).await;
    first.up().await;
}

/// ejabberd has no such refusal: it takes both and shares the stanzas out between them, so that neither can know.
#[tokio::test]
async fn a_taken_component_name_is_nothing_to_ejabberd() {
    if skipped(&[Server::Ejabberd]) {
        return;
    }
    let first = World::on(Server::Ejabberd, "").await;
    let second = second_of(&first).await;
    link_up(&second, "sms").await;
    first.up().await;
}

/// A second transom with the component's name of another.
async fn second_of(first: &World) -> Transom {
    let http = free_port();
    let config = first.transom.config_text();
    let config = config.replace(&first.transom.http().to_string(), &http.to_string());
    let mut second = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .http(http)
        .prepare();
    second.start().await;
    second
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
        (
            none,
            [
                "The database cannot be used; check store.url, and that the server runs. Trying again.",
                "_that_nobody_made\" does not exist",
            ],
        ),
        (
            "sqlite:///nowhere/at/all/transom.db".to_owned(),
            [
                "cannot make /nowhere/at/all/transom.lock, which stands beside the database, and lock it",
                "store.url has to name a file in a folder that is there and that transom may write to",
            ],
        ),
    ] {
        let store = format!("[store]\nurl = \"{url}\"\n");
        let mut world = World::prepare("", &store, |builder| builder).await;
        world.transom.spawn();
        logged(&world.transom, &why).await;
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
    let expected = std::fs::read_to_string(format!("{dir}.expected")).unwrap();
    let transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .prepare();
    for command in ["check", "run"] {
        let output = transom.command(&[command]).await;
        assert_eq!(output.status.code(), Some(78), "{command}");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let text = one_line(&text);
        // The words beside it, of which the command makes paragraphs: key, fault, place, remedy.
        for fault in expected.lines() {
            let (key, rest) = fault.split_once(": ").unwrap();
            let (said, _) = rest.rsplit_once(" (").unwrap();
            let (fault, remedy) = said.rsplit_once("; ").unwrap();
            for words in [format!("error {key} {fault} at "), format!(" fix {remedy}")] {
                assert!(text.contains(&words), "{command} lacks {words:?}: {text}");
            }
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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

async fn the_server_restarts_under_load_and_every_text_arrives_once(on: Server) {
    proves!(
        "the server restarts under load: every text arrives once",
        Prosody,
        Ejabberd
    );
    let mut world = World::on(on, "").await;
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
    // ejabberd hands out what waits before it lets a user in: what it stores in that moment comes at the next login.
    let name = "transom_messages_total{gateway=\"sms\",direction=\"in\",outcome=\"delivered\"}";
    let transom = &world.transom;
    let all = async || (transom.metric(name).await == Some(40.0)).then_some(());
    until("40 texts handed over", PATIENCE, all).await.unwrap();
    let mut alice = world.client("alice").await;
    alice
        .expect("the last", |stanza| {
            stanza.body().as_deref() == Some("text 39")
        })
        .await;
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
        let log = transom.log().replace("\\\"", "\"");
        words.iter().all(|word| log.contains(word)).then_some(())
    };
    until(&format!("{words:?} in the log"), PATIENCE, all)
        .await
        .unwrap_or_else(|why| panic!("{why}: {}", transom.log()));
}
