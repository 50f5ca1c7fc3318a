//! A user of another host than the gateway's own: to transom what a federated one is (semantics 13).

use transom_test_servers::{Element, Feature, Server};

use crate::world::{LINE, SMS, Twilio, World, chat, condition, contact, is_receipt_of};

on_each_server! {
    a_user_of_another_host_writes_and_is_written_to_where_that_is_allowed,
}

const PEER: &str = "+12025550147";

async fn a_user_of_another_host_writes_and_is_written_to_where_that_is_allowed(on: Server) {
    proves!(
        "a user of another host, where that is allowed",
        Prosody,
        Ejabberd
    );
    let line = format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"carol@other.net\"\n");
    let features = [Feature::Offline, Feature::SecondHost];
    let mut world = World::prepare_on(on, &features, &line, "", |builder| builder).await;
    let config = world.transom.config_text();
    let config = config.replace("allow = [\"example.org\"]", "allow = [\"other.net\"]");
    world.transom.configure(&config);
    world.transom.start().await;
    world.up().await;
    let mut carol = world.client("carol@other.net").await;
    carol.send(&chat(&contact(PEER), "c1", "from afar")).await;
    let sent = world.twilio.text("from afar").await;
    assert_eq!(sent.form("From").as_deref(), Some(LINE));
    let (sid, delivered) = (Twilio::sid(1), "delivered");
    assert_eq!(
        world.twilio.report(&sent, &sid, delivered, "").await,
        Ok(200)
    );
    carol
        .expect("the receipt", |stanza| is_receipt_of(stanza, "c1"))
        .await;
    let answer = world.twilio.deliver("SMa", PEER, LINE, "from nearby").await;
    assert_eq!(answer, Ok(200));
    let is_answer = |stanza: &Element| stanza.body().as_deref() == Some("from nearby");
    let answer = carol.expect("the answer", is_answer).await;
    assert_eq!(answer.attr("from"), Some(&*contact(PEER)), "{answer}");
    let registered = carol
        .iq("get", SMS, "<query xmlns='jabber:iq:register'/>")
        .await;
    let is_registered = registered.find("registered", "jabber:iq:register");
    assert!(is_registered.is_some(), "{registered}");
    // Whoever is not allowed is not, and be it a user of the gateway's own host.
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "a1", "from here")).await;
    let is_it = |stanza: &Element| stanza.attr("id") == Some("a1");
    let refused = alice.expect("the refusal", is_it).await;
    assert_eq!(
        condition(&refused).as_deref(),
        Some("forbidden"),
        "{refused}"
    );
    assert_eq!(world.twilio.sent().len(), 1);
}
