//! Texts that came while transom was away, and that the provider keeps a list of.

use transom_test_servers::{Answer, Server, skipped};

use crate::world::{LINE, World, chat, contact};

const PEER: &str = "+12025550147";
const STRANGER: &str = "+12025550188";

/// What Twilio lists: newest first.
fn listed(texts: &[&str]) -> Answer {
    let now = jiff::fmt::rfc2822::to_string(&jiff::Zoned::now()).unwrap();
    let message = |(number, text): (usize, &&str)| {
        serde_json::json!({
            "sid": format!("SM{number:032x}"), "direction": "inbound", "date_sent": now, "num_media": "0",
            "from": STRANGER, "to": LINE, "body": text,
        })
    };
    let messages: Vec<_> = texts.iter().rev().enumerate().map(message).collect();
    Answer::json(
        200,
        &serde_json::json!({ "messages": messages }).to_string(),
    )
}

/// They are committed in one go, and each of them finds no chat yet.
#[tokio::test]
async fn several_texts_of_somebody_new_that_came_during_a_downtime_arrive_once_and_in_order() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut world = World::start("").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    let texts = ["one", "two", "three"];
    world.twilio.api.answer_by(move |_| listed(&texts));
    world.transom.restart().await;
    for text in texts {
        let shown = alice
            .expect("a text", |stanza| {
                stanza.attr("from") == Some(contact(STRANGER).as_str()) && stanza.body().is_some()
            })
            .await;
        assert_eq!(shown.body().as_deref(), Some(text));
    }
    world.transom.restart().await;
    let after = world.twilio.deliver("SMlast", STRANGER, LINE, "four");
    assert_eq!(after.await, Ok(200));
    let next = alice
        .expect("a text", |stanza| {
            stanza.attr("from") == Some(contact(STRANGER).as_str()) && stanza.body().is_some()
        })
        .await;
    assert_eq!(next.body().as_deref(), Some("four"), "none came twice");
}
