//! What operators do beside and without a running transom: the page, and moving between databases.

use std::process::Output;

use transom_test_servers::{Postgres, Server, get, post_with, skipped};

use crate::world::{SMS, World, chat, contact};

const PEER: &str = "+12025550147";

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[tokio::test]
async fn a_link_opens_the_operators_page_once() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let printed = text(&world.transom.command(&["admin-link"]).await);
    let (_, path) = printed.split_once("/admin/in/").expect("a link");
    let path = format!("/admin/in/{}", path.trim());
    let http = world.transom.http();
    let looked = get(http, &path).await.expect("transom answers");
    assert_eq!(looked.status, 200, "{}", looked.text());
    let opened = post_with(http, &path, &[], b"")
        .await
        .expect("transom answers");
    assert_eq!(opened.status, 303, "{}", opened.text());
    let again = post_with(http, &path, &[], b"")
        .await
        .expect("transom answers");
    assert_eq!(again.status, 410, "{}", again.text());
    let without = get(http, "/admin/queue").await.expect("transom answers");
    assert_eq!(without.status, 401);
    assert!(!without.text().contains(SMS), "{}", without.text());
}

#[tokio::test]
async fn an_installation_moves_to_postgresql_and_the_source_refuses() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let mut world = World::start("").await;
    let mut alice = world.client("alice").await;
    alice
        .send(&chat(&contact(PEER), "m1", "before the move"))
        .await;
    world.twilio.text("before the move").await;
    let file = world
        .transom
        .folder()
        .join("moved.jsonl")
        .display()
        .to_string();
    let refused = world.transom.command(&["export", &file]).await;
    assert!(
        text(&refused).contains("stop it first"),
        "{}",
        text(&refused)
    );
    assert!(world.transom.sigterm().await.success());
    let exported = world.transom.command(&["export", &file]).await;
    assert!(exported.status.success(), "{}", text(&exported));
    let listed = world.transom.command(&["user", "list"]).await;
    assert!(
        text(&listed).contains("was moved away"),
        "{}",
        text(&listed)
    );
    assert!(
        !world.transom.start_or_end().await,
        "the source refuses to run"
    );
    let url = Postgres::shared().await.database().await;
    let config = world.transom.config_text();
    assert!(!config.contains("[store]"), "the default is SQLite");
    world
        .transom
        .configure(&format!("[store]\nurl = \"{url}\"\n{config}"));
    let imported = world.transom.command(&["import", &file]).await;
    assert!(imported.status.success(), "{}", text(&imported));
    world.transom.start().await;
    world.up().await;
    // The conversation goes on: the answer finds its way, and what was sent is known.
    let delivered = world
        .twilio
        .deliver("SMnew", PEER, crate::world::LINE, "after the move")
        .await;
    assert_eq!(delivered, Ok(200));
    alice
        .expect("the answer", |stanza| {
            stanza.body().as_deref() == Some("after the move")
        })
        .await;
    let user = text(
        &world
            .transom
            .command(&["user", "show", "alice@example.org"])
            .await,
    );
    assert!(user.contains(PEER), "{user}");
}
