//! XEP-0334: what is to be kept nowhere is forgotten as soon as nothing more is done with it.

use std::time::Duration;

use transom_test_servers::{PATIENCE, Server, TurnedClock, until};

use crate::world::{PLAIN, Twilio, World, alices_line, chat, contact, is_receipt_of};

on_each_server! {
    what_is_to_be_kept_nowhere_is_forgotten_once_it_is_delivered,
}

const PEER: &str = "+12025550147";

async fn what_is_to_be_kept_nowhere_is_forgotten_once_it_is_delivered(on: Server) {
    proves!(
        "XEP-0334: a text that is to be kept nowhere is forgotten once it is delivered, others are not",
        Prosody,
        Ejabberd
    );
    let mut world = World::prepare_on(on, &PLAIN, &alices_line(), "", |builder| builder).await;
    let clock = TurnedClock::of(&mut world.transom);
    world.transom.start().await;
    world.up().await;
    let mut alice = world.client("alice").await;
    let hint = "<no-store xmlns='urn:xmpp:hints'/></message>";
    let secret = chat(&contact(PEER), "m1", "our secret").replace("</message>", hint);
    alice.send(&secret).await;
    alice.send(&chat(&contact(PEER), "m2", "no secret")).await;
    for (number, (id, body)) in (1..).zip([("m1", "our secret"), ("m2", "no secret")]) {
        let sent = world.twilio.text(body).await;
        let sid = Twilio::sid(number);
        let told = world.twilio.report(&sent, &sid, "delivered", "").await;
        assert_eq!(told, Ok(200));
        alice
            .expect("the receipt", |stanza| is_receipt_of(stanza, id))
            .await;
    }
    clock.turn(Duration::from_mins(5));
    let kept = async |id: &str| {
        let trace = world.transom.command(&["trace", id, "--json"]).await;
        String::from_utf8_lossy(&trace.stdout).contains("\"text_is_kept\": true")
    };
    let forgotten = async || (!kept("m1").await).then_some(());
    until("the text to be forgotten", PATIENCE, forgotten)
        .await
        .unwrap_or_else(|late| panic!("{late}: {}", world.transom.log()));
    assert!(kept("m2").await, "nobody asked for that");
}
