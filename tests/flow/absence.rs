//! Who takes the gateway out of the roster: back in time all is as before, and dated; after thirty days it is over (semantics 15).

use std::time::Duration;

use transom_test_servers::{Element, PATIENCE, Server, TurnedClock, XmppClient, until};

use crate::world::{PLAIN, SMS, World, chat, condition, contact};

on_each_server! {
    an_hours_absence_is_made_up_for_and_a_months_is_the_end,
}

const PEER: &str = "+12025550147";
const POOL: &str = "+12025550105";

async fn register(alice: &mut XmppClient) {
    let claim = format!("<query xmlns='jabber:iq:register'><phone>{POOL}</phone></query>");
    let done = alice.iq("set", SMS, &claim).await;
    assert_eq!(done.attr("type"), Some("result"), "{done}");
    alice.expect("a welcome", of_gateway).await;
}

fn of_gateway(stanza: &Element) -> bool {
    stanza.attr("from") == Some(SMS) && stanza.body().is_some()
}

/// Says good-bye to the gateway, and is told what that means.
async fn leave(alice: &mut XmppClient) {
    alice.take_rest();
    alice
        .send(&format!("<presence to='{SMS}' type='unsubscribe'/>"))
        .await;
    alice.expect("how to come back", of_gateway).await;
}

async fn an_hours_absence_is_made_up_for_and_a_months_is_the_end(on: Server) {
    proves!(
        "XEP-0203: what is handed over late says since when",
        Prosody,
        Ejabberd
    );
    proves!(
        "who stays away for thirty days gives the number back",
        Prosody,
        Ejabberd
    );
    let pool = format!("[[gateway.sms.line]]\nnumber = \"{POOL}\"\n");
    let mut world = World::prepare_on(on, &PLAIN, &pool, "", |builder| builder).await;
    let clock = TurnedClock::of(&mut world.transom);
    world.transom.start().await;
    world.up().await;
    let mut alice = world.client("alice").await;
    register(&mut alice).await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    leave(&mut alice).await;
    let taken = world.twilio.deliver("SMheld", PEER, POOL, "held").await;
    assert_eq!(taken, Ok(200));
    alice.barrier().await;
    let is_held = |stanza: &Element| stanza.body().as_deref() == Some("held");
    assert!(!alice.received().iter().any(is_held), "it waits");
    clock.turn(Duration::from_hours(1));
    register(&mut alice).await;
    let text = alice.expect("what was held", is_held).await;
    let delay = text.child_in("delay", "urn:xmpp:delay");
    let delay = delay.unwrap_or_else(|| panic!("no delay: {text}"));
    assert!(delay.attr("stamp").is_some(), "{delay}");
    leave(&mut alice).await;
    clock.turn(Duration::from_hours(31 * 24));
    let is_over = async || {
        let listed = world.transom.command(&["user", "list", "--json"]).await;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        (!listed.contains("alice@example.org")).then_some(())
    };
    until("the registration to end", PATIENCE, is_over)
        .await
        .unwrap_or_else(|late| panic!("{late}: {}", world.transom.log()));
    alice
        .send(&chat(&contact(PEER), "m2", "am I still in?"))
        .await;
    let refused = alice
        .expect("the refusal", |stanza| stanza.attr("id") == Some("m2"))
        .await;
    assert_eq!(
        condition(&refused).as_deref(),
        Some("registration-required"),
        "{refused}"
    );
    assert_eq!(world.twilio.sent().len(), 1);
}
