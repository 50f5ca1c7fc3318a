//! Kills in the gaps of files, both ways and on both databases: no file is lost, none comes twice.

use std::collections::{BTreeMap, BTreeSet};

use transom::hooks::Step;
use transom_test_servers::{Answer, Feature, Mailer, PATIENCE, Server, XmppClient, skipped, until};

use crate::{
    files::{BOB, FileWorld, Wish, attached, fetched, png, shared, sharing, with_files},
    world::{Database, store},
};

/// The gaps that a mail's file passes inwards, and a picture outwards.
const STEPS: [Step; 10] = [
    Step::StanzaRead,
    Step::EventReceived,
    Step::FileKept,
    Step::BeforeCommit,
    Step::AfterCommit,
    Step::BeforeAnswer,
    Step::FileUploaded,
    Step::BeforeHandOver,
    Step::AfterHandOver,
    Step::AfterSend,
];

#[tokio::test]
async fn a_kill_loses_no_file_and_doubles_none_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    every_step(Database::Sqlite).await;
}

#[tokio::test]
async fn a_kill_loses_no_file_and_doubles_none_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    every_step(Database::Postgres).await;
}

async fn every_step(database: Database) {
    for step in STEPS {
        through_a_kill(database, step).await;
    }
}

async fn through_a_kill(database: Database, step: Step) {
    let store = store(database).await;
    let features = [Feature::Upload, Feature::Offline];
    let mut world = FileWorld::prepare(Wish {
        features: &features,
        store: &store,
        ..Wish::default()
    })
    .await;
    world.transom.set_env("TRANSOM_ABORT_AT", "none:0");
    world.transom.start().await;
    world.up().await;
    let mut alice = world.alice().await;
    // The first word makes her address; the kill comes later.
    alice.message(BOB, "m0", "hello").await;
    world.sink.mail("the first mail", |_| true).await;
    world.transom.sigterm().await;
    world
        .transom
        .set_env("TRANSOM_ABORT_AT", &format!("{step:?}:{}", pass(step)));
    world.transom.start().await;
    let picture = png(20_000);
    let content = picture.clone();
    world
        .pictures
        .answer_by(move |_| Answer::with(200, "image/png", content.clone()));
    // A text that is written before the link stands comes back, and is written again.
    let killed = until("the kill", PATIENCE, async || {
        traffic(&world, &mut alice).await;
        (!world.transom.is_running()).then_some(())
    });
    killed.await.unwrap_or_else(|why| panic!("{why}"));
    world.transom.wait().await;
    world.transom.set_env("TRANSOM_ABORT_AT", "none:0");
    world.transom.start().await;
    world.up().await;
    settle(
        &world,
        &mut alice,
        &format!("{database:?}, killed at {step:?}"),
        &picture,
    )
    .await;
}

/// The commits of the start are passed by.
fn pass(step: Step) -> u32 {
    match step {
        Step::BeforeCommit | Step::AfterCommit => 4,
        _ => 1,
    }
}

/// A mail with a file in, a picture out; both ends repeat what had no answer.
async fn traffic(world: &FileWorld, alice: &mut XmppClient) {
    let mail = with_files("f1", "in 1", &[("in.png", "image/png", &png(30_000))]);
    Mailer::lmtp(world.lmtp)
        .attempt("bob@example.com", &["alice@mail.example.org"], &mail)
        .await;
    let url = world.pictures.url("/1/out.png");
    alice.send(&sharing(BOB, "m1", &url, "out 1")).await;
}

async fn settle(world: &FileWorld, alice: &mut XmppClient, at: &str, picture: &[u8]) {
    let mut quiet = 0;
    let settled = until("the files to arrive", PATIENCE, async || {
        traffic(world, alice).await;
        alice.barrier().await;
        let (files, mails) = (arrived(alice), sent(world));
        quiet = if files.is_empty() || mails.is_empty() {
            0
        } else {
            quiet + 1
        };
        (quiet >= 10).then_some(())
    });
    if let Err(why) = settled.await {
        panic!("{why}; {at}\n{}", world.transom.log());
    }
    let files = arrived(alice);
    assert_eq!(files.len(), 1, "one stanza id a file; {at}: {files:?}");
    // A kill between the upload and its commit makes a second upload, and only the second is ever shown.
    for urls in files.values() {
        assert_eq!(urls.len(), 1, "the same stanza each time; {at}: {files:?}");
        for url in urls {
            assert_eq!(fetched(url).await.body, png(30_000), "{at}");
        }
    }
    // SMTP knows a repeat by its Message-ID (semantics 4): the same mail, to the byte.
    let mails = sent(world);
    assert_eq!(mails.len(), 1, "{at}: {mails:?}");
    let mail = world
        .sink
        .mails()
        .into_iter()
        .find(|mail| attached(mail, "out.png").is_some());
    assert_eq!(
        attached(&mail.unwrap(), "out.png").as_deref(),
        Some(picture),
        "{at}"
    );
}

/// The files that arrived: their stanzas' ids, and the URLs that each had.
fn arrived(alice: &XmppClient) -> BTreeMap<String, BTreeSet<String>> {
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for stanza in alice.received() {
        if let (Some(url), Some(id)) = (shared(stanza), stanza.attr("id")) {
            files.entry(id.to_owned()).or_default().insert(url);
        }
    }
    files
}

/// The Message-IDs of the mails that hold the picture.
fn sent(world: &FileWorld) -> BTreeSet<String> {
    let mails = world.sink.mails();
    let with_picture = mails
        .iter()
        .filter(|mail| attached(mail, "out.png").is_some());
    with_picture
        .filter_map(|mail| mail.header("Message-ID"))
        .collect()
}
