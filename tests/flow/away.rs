//! What a user's server sends back, since nobody is there to take it (semantics 23).

use transom_test_servers::{Element, PATIENCE, Server, until};

use crate::world::{LINE, SMS, World, chat, contact};

on_each_server! {
    what_the_server_sends_back_comes_again_when_its_user_is_there,
}

const PEER: &str = "+12025550147";

async fn what_the_server_sends_back_comes_again_when_its_user_is_there(on: Server) {
    proves!(
        "what the server sends back comes again when its user is there",
        Prosody,
        Ejabberd
    );
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
    // A server that keeps nothing for whoever is away.
    let mut world = World::prepare_on(on, &[], &line, "", |builder| builder).await;
    world.transom.start().await;
    world.up().await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "a1", "I leave now")).await;
    world.twilio.text("I leave now").await;
    alice.disconnect().await;
    let delivered = world
        .twilio
        .deliver("SMa", PEER, LINE, "are you there")
        .await;
    assert_eq!(delivered, Ok(200));
    let held = "transom_messages_total{gateway=\"sms\",direction=\"in\",outcome=\"held\"}";
    let is_held = async || {
        world
            .transom
            .metric(held)
            .await
            .filter(|count| *count >= 1.0)
    };
    until("the text to be held", PATIENCE, is_held)
        .await
        .unwrap_or_else(|why| panic!("{why}: {}", world.transom.log()));
    let mut alice = world.client("alice").await;
    alice.send(&format!("<presence to='{SMS}'/>")).await;
    let is_it = |stanza: &Element| stanza.body().as_deref() == Some("are you there");
    let text = alice.expect("the text, now that she is there", is_it).await;
    assert_eq!(text.attr("from"), Some(&*contact(PEER)), "{text}");
    alice.barrier().await;
    assert!(!alice.take_rest().iter().any(is_it), "it came once");
    assert_eq!(world.twilio.sent().len(), 1, "nobody outside hears of it");
}
