//! A line with several owners (semantics 17): each gets what comes, and sees what another one writes.

use transom_test_servers::{Element, PATIENCE, Server, XmppClient, skipped, until};

use crate::world::{
    Database, LINE, PLAIN, Twilio, World, chat, contact, is_receipt_of, store, up_or_ended,
};

on_each_server! {
    each_owner_gets_every_text_and_sees_what_the_others_write,
    what_is_taken_back_or_corrected_is_seen_too,
}

const PEER: &str = "+12025550147";

/// A line of alice and bob, on which both have written once, so that both are registered.
async fn world(
    on: Server,
    database: Database,
    environment: &[(&str, &str)],
) -> (World, XmppClient, XmppClient) {
    let lines = format!(
        "[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowners = [\"alice@example.org\", \"bob@example.org\"]\n"
    );
    let store = store(database).await;
    let mut world = World::prepare_on(on, &PLAIN, &lines, &store, |builder| {
        environment
            .iter()
            .fold(builder, |builder, (name, value)| builder.env(name, value))
    })
    .await;
    world.transom.start().await;
    world.up().await;
    let (alice, bob) = both(&world).await;
    (world, alice, bob)
}

async fn both(world: &World) -> (XmppClient, XmppClient) {
    let (mut alice, mut bob) = (world.client("alice").await, world.client("bob").await);
    for (client, id) in [(&mut alice, "a0"), (&mut bob, "b0")] {
        let other = contact("+12025550199");
        client.send(&chat(&other, id, &format!("hello {id}"))).await;
        world.twilio.text(&format!("hello {id}")).await;
        client.barrier().await;
    }
    (alice, bob)
}

fn is_from_peer(stanza: &Element) -> bool {
    stanza.attr("from") == Some(&*contact(PEER)) && stanza.body().is_some()
}

async fn body(client: &mut XmppClient, what: &str) -> String {
    let stanza = client.expect(what, is_from_peer).await;
    assert_eq!(stanza.attr("type"), Some("chat"), "{stanza}");
    assert!(
        stanza.child_in("request", "urn:xmpp:receipts").is_none(),
        "no receipt is asked for: {stanza}"
    );
    stanza.body().unwrap_or_default()
}

async fn each_owner_gets_every_text_and_sees_what_the_others_write(on: Server) {
    proves!(
        "a line of several: each gets every text, and sees what another one writes",
        Prosody,
        Ejabberd
    );
    let (world, mut alice, mut bob) = world(on, Database::Sqlite, &[]).await;
    let delivered = world.twilio.deliver("SMa", PEER, LINE, "is it open").await;
    assert_eq!(delivered, Ok(200));
    assert_eq!(body(&mut alice, "the text").await, "is it open");
    assert_eq!(body(&mut bob, "the same text").await, "is it open");
    alice.send(&chat(&contact(PEER), "a1", "until six")).await;
    assert_eq!(body(&mut bob, "what alice wrote").await, "alice: until six");
    bob.send(&chat(&contact(PEER), "b1", "or seven")).await;
    assert_eq!(body(&mut alice, "what bob wrote").await, "bob: or seven");
    // A picture is shown, beside the words.
    let picture = "https://files.example.org/door.png";
    let shared = format!("<body>{picture}</body><x xmlns='jabber:x:oob'><url>{picture}</url></x>");
    let words = chat(&contact(PEER), "b2", "the door");
    bob.send(&words).await;
    assert_eq!(body(&mut alice, "the words").await, "bob: the door");
    let message = format!(
        "<message to='{}' type='chat' id='b3'>{shared}</message>",
        contact(PEER)
    );
    bob.send(&message).await;
    assert_eq!(body(&mut alice, "whose picture").await, "bob:");
    let stanza = alice.expect("the picture", is_from_peer).await;
    assert_eq!(stanza.body().as_deref(), Some(picture), "{stanza}");
    assert!(stanza.child_in("x", "jabber:x:oob").is_some(), "{stanza}");
    // Nothing came back to whoever wrote, and each text left once.
    let sent = world.twilio.text("until six").await;
    let third = Twilio::sid(3);
    let reported = world.twilio.report(&sent, &third, "delivered", "").await;
    assert_eq!(reported, Ok(200));
    let receipt = |stanza: &Element| is_receipt_of(stanza, "a1");
    alice.expect("the writer's receipt", receipt).await;
    bob.barrier().await;
    let rest = bob.take_rest();
    assert!(!rest.iter().any(receipt), "bob has no receipt: {rest:?}");
    assert!(!rest.iter().any(is_from_peer), "no echo: {rest:?}");
}

async fn what_is_taken_back_or_corrected_is_seen_too(on: Server) {
    let hold = [("TRANSOM_GATEWAY__SMS__HOLD", "3s")];
    let (world, mut alice, mut bob) = world(on, Database::Sqlite, &hold).await;
    alice.send(&chat(&contact(PEER), "a1", "at sixx")).await;
    assert_eq!(body(&mut bob, "what alice wrote").await, "alice: at sixx");
    let replace = "<replace xmlns='urn:xmpp:message-correct:0' id='a1'/></message>";
    let corrected = chat(&contact(PEER), "a2", "at six").replace("</message>", replace);
    alice.send(&corrected).await;
    assert_eq!(body(&mut bob, "the correction").await, "alice: * at six");
    world.twilio.text("at six").await;
    alice.send(&chat(&contact(PEER), "a3", "never mind")).await;
    body(&mut bob, "what alice wrote next").await;
    let retraction = format!(
        "<message to='{}' type='chat' id='a4'><retract xmlns='urn:xmpp:message-retract:1' id='a3'/></message>",
        contact(PEER)
    );
    alice.send(&retraction).await;
    assert_eq!(
        body(&mut bob, "that it was taken back").await,
        "alice: \"never mind\" was taken back before it was sent."
    );
    assert_eq!(world.twilio.sent().len(), 3, "two greetings and one text");
}

#[tokio::test]
async fn a_kill_neither_loses_nor_doubles_what_the_others_see() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    for (step, database) in [
        ("BeforeCommit:7", Database::Sqlite),
        ("AfterCommit:8", Database::Sqlite),
        ("AfterCommit:9", Database::Postgres),
    ] {
        through_a_kill(step, database).await;
    }
}

/// Alice writes, again and again under the same ids, until the process is killed at one of its first commits; then until all is there.
async fn through_a_kill(step: &str, database: Database) {
    let (mut world, mut alice, mut bob) = world(Server::Prosody, database, &[]).await;
    world.transom.sigterm().await;
    world.transom.set_env("TRANSOM_ABORT_AT", step);
    // On a slow machine the start takes more commits, and the kill comes before alice has written.
    let transom = &mut world.transom;
    if transom.start_or_end().await && up_or_ended(transom, &["sms"]).await {
        let killed = until("the kill", PATIENCE, async || {
            write(&mut alice).await;
            (!world.transom.is_running()).then_some(())
        });
        killed.await.unwrap_or_else(|why| panic!("{why}; {step}"));
        world.transom.wait().await;
    }
    world.transom.set_env("TRANSOM_ABORT_AT", "none:0");
    world.transom.start().await;
    world.up().await;
    let seen = |bob: &XmppClient, number: usize| {
        let wanted = format!("alice: text {number}");
        let is_it = |stanza: &&Element| stanza.body().as_deref() == Some(&*wanted);
        let found = bob.received().iter().filter(is_it);
        let ids: std::collections::BTreeSet<_> = found.filter_map(|one| one.attr("id")).collect();
        ids.len()
    };
    let all = until("all to be seen", PATIENCE, async || {
        write(&mut alice).await;
        bob.barrier().await;
        (0..TEXTS)
            .all(|number| seen(&bob, number) > 0)
            .then_some(())
    });
    all.await
        .unwrap_or_else(|why| panic!("{why}; {step}: {}", world.transom.log()));
    for _ in 0..5 {
        write(&mut alice).await;
        alice.barrier().await;
        bob.barrier().await;
    }
    for number in 0..TEXTS {
        assert_eq!(seen(&bob, number), 1, "text {number}, killed at {step}");
    }
}

const TEXTS: usize = 8;

async fn write(alice: &mut XmppClient) {
    for number in 0..TEXTS {
        let (id, text) = (format!("m{number}"), format!("text {number}"));
        alice.send(&chat(&contact(PEER), &id, &text)).await;
    }
}
