//! What a user's server sends back, since nobody is there to take it (semantics 23).

use transom_test_servers::{Element, PATIENCE, Postgres, Server, Transom, skipped, until};

use crate::world::{LINE, SMS, World, alices_line, chat, contact};

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
    held(&world.transom).await;
    let mut alice = world.client("alice").await;
    alice.send(&format!("<presence to='{SMS}'/>")).await;
    let is_it = |stanza: &Element| stanza.body().as_deref() == Some("are you there");
    let text = alice.expect("the text, now that she is there", is_it).await;
    assert_eq!(text.attr("from"), Some(&*contact(PEER)), "{text}");
    alice.barrier().await;
    assert!(!alice.take_rest().iter().any(is_it), "it came once");
    assert_eq!(world.twilio.sent().len(), 1, "nobody outside hears of it");
}

async fn held(transom: &Transom) {
    let held = "transom_messages_total{gateway=\"sms\",direction=\"in\",outcome=\"held\"}";
    let is_held = async || transom.metric(held).await.filter(|count| *count >= 1.0);
    until("the text to be held", PATIENCE, is_held)
        .await
        .unwrap_or_else(|why| panic!("{why}: {}", transom.log()));
}

#[tokio::test]
async fn what_is_sent_back_while_the_database_is_out_of_order_comes_again() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let postgres = Postgres::start().await;
    let url = postgres.database().await;
    let store = format!("[store]\nurl = \"{url}\"\n");
    let world = World::with(Server::Prosody, &alices_line(), &store).await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "a1", "write to me")).await;
    world.twilio.text("write to me").await;
    let delivered = world.twilio.deliver("SMa", PEER, LINE, "not now").await;
    assert_eq!(delivered, Ok(200));
    let is_it = |stanza: &Element| stanza.body().as_deref() == Some("not now");
    let text = alice.expect("the text", is_it).await;
    for (from, to) in [("message_stanzas", "hidden"), ("hidden", "message_stanzas")] {
        let rename = format!("ALTER TABLE {from} RENAME TO {to}");
        postgres.query(&url, &rename).await;
        if to == "hidden" {
            // Her client takes it and cannot keep it.
            alice.send(&refused(&text)).await;
            let cannot = async || {
                let log = world.transom.log();
                log.contains("Cannot read what a message").then_some(())
            };
            until("the error to come", PATIENCE, cannot).await.unwrap();
        }
    }
    held(&world.transom).await;
    alice.send(&format!("<presence to='{SMS}'/>")).await;
    let again = alice.expect("the text again", is_it).await;
    assert_eq!(again.attr("id"), text.attr("id"), "it is the same one");
}

fn refused(text: &Element) -> String {
    let attr = |name| text.attr(name).unwrap();
    format!(
        "<message type='error' id='{}' to='{}'><error type='wait'>\
         <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
        attr("id"),
        attr("from")
    )
}
