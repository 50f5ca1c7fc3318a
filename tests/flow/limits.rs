//! What the caps refuse, and how they say it.

use transom_test_servers::{Element, Server, XmppClient};

use crate::world::{World, chat, condition, contact};

on_each_server! {
    every_cap_refuses_with_its_reason_and_sends_nothing,
}

const FRIEND: &str = "+12025550147";
const MOTHER: &str = "+12025550148";
const STRANGER: &str = "+12025550149";

/// The condition and the sentence that come back.
async fn refused(client: &mut XmppClient, to: &str, id: &str, body: &str) -> (String, String) {
    client.send(&chat(&contact(to), id, body)).await;
    let is_it =
        |stanza: &Element| stanza.attr("type") == Some("error") && stanza.attr("id") == Some(id);
    let stanza = client.expect(id, is_it).await;
    let sentence = stanza.child("error").and_then(|error| error.child("text"));
    (
        condition(&stanza).unwrap_or_default(),
        sentence.map(Element::text).unwrap_or_default(),
    )
}

async fn every_cap_refuses_with_its_reason_and_sends_nothing(on: Server) {
    proves!(
        "caps: each refuses with its reason, and nothing is sent",
        Prosody,
        Ejabberd
    );
    let more = "[[gateway.sms.line]]\nnumber = \"+12025550101\"\nowner = \"bob@example.org\"\n\
        [gateway.sms.limits]\nsegments_per_message = 2\nnew_peers_per_hour = 2\nsegments_per_day = 4\n\
        messages_per_day = 4\ngateway_per_day = 5\n";
    let world = World::on(on, more).await;
    let mut alice = world.client("alice").await;
    let sends = async |client: &mut XmppClient, to: &str, body: &str| {
        client.send(&chat(&contact(to), body, body)).await;
        world.twilio.text(body).await;
    };
    let says = |what: (String, String), condition: &str, words: &str| {
        assert_eq!(what.0, condition, "{}", what.1);
        assert!(what.1.contains(words), "{}", what.1);
    };
    let busy = "resource-constraint";
    let long = "a".repeat(400);
    says(
        refused(&mut alice, FRIEND, "r1", &long).await,
        "not-acceptable",
        "3 text messages, and 2",
    );
    sends(&mut alice, FRIEND, "one").await;
    sends(&mut alice, MOTHER, "two").await;
    // Velocity: nobody new for a while; whom she knows she may go on writing to.
    says(
        refused(&mut alice, STRANGER, "r2", "hi").await,
        busy,
        "2 new people",
    );
    sends(&mut alice, FRIEND, "three").await;
    let two_segments = "b".repeat(161);
    says(
        refused(&mut alice, FRIEND, "r3", &two_segments).await,
        busy,
        "4 text message parts",
    );
    sends(&mut alice, MOTHER, "four").await;
    says(
        refused(&mut alice, FRIEND, "r4", "five").await,
        busy,
        "4 messages",
    );
    // Another user is not held by her caps, but by the gateway's.
    let mut bob = world.client("bob").await;
    sends(&mut bob, FRIEND, "six").await;
    says(
        refused(&mut bob, FRIEND, "r5", "seven").await,
        busy,
        "This gateway has sent",
    );
    let sent = world.twilio.sent();
    let bodies: Vec<String> = sent.iter().filter_map(|text| text.form("Body")).collect();
    assert_eq!(bodies, ["one", "two", "three", "four", "six"]);
}
