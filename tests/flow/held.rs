//! Messages that wait for corrections and retractions (semantics 26), through Twilio's double.

use transom_test_servers::{Element, PATIENCE, Server, skipped, until};

use crate::world::{
    Database, LINE, PLAIN, Twilio, World, chat, condition, contact, is_receipt_of, store,
};

on_each_server! {
    within_hold_a_correction_replaces_and_a_retraction_cancels,
}

const PEER: &str = "+12025550147";

/// Alice's line, and messages held for so long.
async fn world(on: Server, hold: &str, database: Database) -> World {
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
    let store = store(database).await;
    let mut world = World::prepare_on(on, &PLAIN, &line, &store, |builder| {
        builder.env("TRANSOM_GATEWAY__SMS__HOLD", hold)
    })
    .await;
    world.transom.start().await;
    world.up().await;
    world
}

fn correction(id: &str, of: &str, body: &str) -> String {
    let replace = format!("<replace xmlns='urn:xmpp:message-correct:0' id='{of}'/></message>");
    chat(&contact(PEER), id, body).replace("</message>", &replace)
}

fn retraction(id: &str, of: &str) -> String {
    format!(
        "<message to='{}' type='chat' id='{id}'><retract xmlns='urn:xmpp:message-retract:1' id='{of}'/>\
         <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>\
         <body>This person attempted to retract a previous message.</body></message>",
        contact(PEER)
    )
}

fn old_retraction(id: &str, of: &str) -> String {
    format!(
        "<message to='{}' type='chat' id='{id}'><apply-to xmlns='urn:xmpp:fasten:0' id='{of}'>\
         <retract xmlns='urn:xmpp:message-retract:0'/></apply-to></message>",
        contact(PEER)
    )
}

fn bodies(world: &World) -> Vec<String> {
    let sent = world.twilio.sent();
    sent.iter().filter_map(|sent| sent.form("Body")).collect()
}

/// Waits until so many messages were changed in this way.
async fn edits(world: &World, outcome: &str, count: f64) {
    let name = format!(
        "transom_messages_total{{gateway=\"sms\",direction=\"out\",outcome=\"{outcome}\"}}"
    );
    let all = async || (world.transom.metric(&name).await == Some(count)).then_some(());
    until(outcome, PATIENCE, all).await.unwrap();
}

/// What an admin sees waiting.
async fn held(world: &World, count: usize) {
    let waiting = world.transom.command(&["queue", "list", "--json"]).await;
    let waiting = String::from_utf8_lossy(&waiting.stdout).into_owned();
    assert_eq!(waiting.matches("\"held\"").count(), count, "{waiting}");
}

fn error_of(id: &str) -> impl Fn(&Element) -> bool {
    move |stanza| stanza.attr("type") == Some("error") && stanza.attr("id") == Some(id)
}

async fn within_hold_a_correction_replaces_and_a_retraction_cancels(on: Server) {
    proves!(
        "XEP-0308, XEP-0424: what is held is corrected and taken back",
        Prosody,
        Ejabberd
    );
    replaces_and_cancels(on, Database::Sqlite).await;
}

#[tokio::test]
async fn within_hold_a_correction_replaces_and_a_retraction_cancels_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    replaces_and_cancels(Server::Prosody, Database::Postgres).await;
}

async fn replaces_and_cancels(on: Server, database: Database) {
    let world = world(on, "3s", database).await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "frist")).await;
    alice.send(&chat(&contact(PEER), "m2", "second")).await;
    alice.send(&chat(&contact(PEER), "m3", "third")).await;
    alice.send(&chat(&contact(PEER), "m4", "fourth")).await;
    alice.send(&correction("c1", "m1", "fisrt")).await;
    alice.send(&retraction("r2", "m2")).await;
    alice.send(&old_retraction("r3", "m3")).await;
    // A correction of the correction, by the first id or by its own; and one that comes twice.
    alice.send(&correction("c2", "c1", "first")).await;
    alice.send(&correction("c2", "c1", "first")).await;
    edits(&world, "retracted", 2.0).await;
    held(&world, 2).await;
    world.twilio.text("fourth").await;
    assert_eq!(bodies(&world), ["first", "fourth"]);

    let sent = world.twilio.text("first").await;
    let reported = world
        .twilio
        .report(&sent, &Twilio::sid(1), "delivered", "")
        .await;
    assert_eq!(reported, Ok(200));
    for id in ["m1", "c1", "c2"] {
        alice.expect(id, |stanza| is_receipt_of(stanza, id)).await;
    }
    // Now it is too late for anything.
    alice.send(&retraction("r4", "m4")).await;
    let error = alice.expect("already sent", error_of("r4")).await;
    assert_eq!(condition(&error).as_deref(), Some("not-allowed"));
    alice.send(&correction("c4", "m4", "forth")).await;
    world.twilio.text("* forth").await;
    let silent = ["r2", "r3", "m2", "m3"];
    let said = |stanza: &&Element| stanza.attr("id").is_some_and(|id| silent.contains(&id));
    assert_eq!(
        alice.received().iter().find(said),
        None,
        "taken back in silence"
    );
}

#[tokio::test]
async fn what_is_held_survives_a_kill() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut world = world(Server::Prosody, "5s", Database::Sqlite).await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "one")).await;
    alice.send(&chat(&contact(PEER), "m2", "two")).await;
    alice.send(&correction("c1", "m1", "uno")).await;
    edits(&world, "corrected", 1.0).await;
    held(&world, 2).await;
    world.transom.kill9();
    world.transom.start().await;
    world.up().await;
    alice.send(&retraction("r2", "m2")).await;
    alice.send(&chat(&contact(PEER), "m3", "three")).await;
    world.twilio.text("three").await;
    assert_eq!(bodies(&world), ["uno", "three"]);
}
