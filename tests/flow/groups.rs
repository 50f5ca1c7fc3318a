//! Several people as one contact: on the simulated phones, which take a text to a group, and at Twilio, which does not.

use serde_json::Value;
use transom_test_servers::{Element, PATIENCE, Server, get, post_with, skipped, until};

use crate::world::{Database, LINE, SMS, World, chat, condition, contact, is_receipt_of, store};

on_each_server! {
    a_text_goes_to_a_group_and_its_answer_comes_back_to_it,
}

const BOB: &str = "+12025550147";
const CAROL: &str = "+12025550148";
const OFF: &str = "+12025550191";
const UNASSIGNED: &str = "+12025550192";

async fn phones(on: Server, database: Database) -> World {
    let line = format!(
        "[[gateway.sms.line]]\nnumber = \"{LINE}\"\nprovider = \"phones\"\nowner = \"alice@example.org\"\n"
    );
    let lines = format!("[gateway.sms.provider.phones]\nkind = \"simulator\"\n{line}");
    World::with(on, &lines, &store(database).await).await
}

fn group(members: &[&str]) -> String {
    contact(&members.join(","))
}

async fn simulator(world: &World, path: &str, body: &str) -> u16 {
    let headers = [("Content-Type", "application/json"), ("X-Transom", "1")];
    let path = format!("/simulator/{path}");
    let reply = post_with(world.transom.http(), &path, &headers, body.as_bytes()).await;
    reply.unwrap().status
}

/// The text on a phone, once it is there.
async fn on_phone(world: &World, phone: &str, body: &str) -> Value {
    let path = format!(
        "/simulator/state?phone=%2B{}",
        phone.trim_start_matches('+')
    );
    let look = async || {
        let state = get(world.transom.http(), &path).await.ok()?;
        let state: Value = serde_json::from_str(&state.text()).ok()?;
        let texts = state.get("texts")?.as_array()?.clone();
        texts.into_iter().find(|text| text["text"] == body)
    };
    until("the text on the phone", PATIENCE, look)
        .await
        .unwrap()
}

/// The JIDs that a stanza names, with what each is to it.
fn addresses(stanza: &Element) -> Vec<(String, String)> {
    let list = stanza.child_in("addresses", "http://jabber.org/protocol/address");
    let each = list.into_iter().flat_map(Element::children);
    let attr = |child: &Element, name: &str| child.attr(name).unwrap_or_default().to_owned();
    each.map(|child| (attr(child, "type"), attr(child, "jid")))
        .collect()
}

async fn there_and_back(on: Server, database: Database) {
    let world = phones(on, database).await;
    let mut alice = world.client("alice").await;
    let both = group(&[BOB, CAROL]);
    // Another order is told the right one.
    alice
        .send(&chat(&group(&[CAROL, BOB]), "m0", "hello"))
        .await;
    let wrong = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(condition(&wrong).as_deref(), Some("gone"));
    assert!(wrong.to_string().contains(&both), "{wrong}");

    alice.send(&chat(&both, "m1", "hello both")).await;
    for (phone, other) in [(BOB, CAROL), (CAROL, BOB)] {
        let text = on_phone(&world, phone, "hello both").await;
        assert_eq!(text["others"][0], other, "each sees the other");
    }
    let receipt = alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    assert_eq!(receipt.attr("from"), Some(both.as_str()));

    let answer = format!(
        r#"{{"line":"{LINE}","phone":"{BOB}","text":"hello from Bob","others":["{CAROL}"]}}"#
    );
    assert_eq!(simulator(&world, "answer", &answer).await, 200);
    let text = alice
        .expect("the answer", |stanza| stanza.body().is_some())
        .await;
    assert_eq!(text.attr("from"), Some(both.as_str()));
    assert_eq!(text.body().as_deref(), Some("+12025550147: hello from Bob"));
    let want = [
        ("to", "alice@example.org".to_owned()),
        ("ofrom", contact(BOB)),
        ("to", contact(CAROL)),
    ];
    assert_eq!(
        addresses(&text),
        want.map(|(role, jid)| (role.to_owned(), jid))
    );

    // XEP-0444 would take one member's reaction for everybody's: it stays a text, with its author.
    let liked = answer.replace("hello from Bob", "Liked \u{201c}hello both\u{201d}");
    assert_eq!(simulator(&world, "answer", &liked).await, 200);
    let text = alice
        .expect("the reaction", |stanza| stanza.body().is_some())
        .await;
    let want = "+12025550147: Liked \u{201c}hello both\u{201d}";
    assert_eq!(text.body().as_deref(), Some(want));
    assert!(text.child("reactions").is_none(), "{text}");

    // The stanza itself names them, in any order: it is the same group.
    let list = format!(
        "<addresses xmlns='http://jabber.org/protocol/address'><address type='to' uri='sms:{CAROL}'/>\
         <address type='to' jid='{}'/></addresses>",
        contact(BOB)
    );
    let stanza =
        chat(SMS, "m2", "to both again").replace("</message>", &format!("{list}</message>"));
    alice.send(&stanza).await;
    on_phone(&world, CAROL, "to both again").await;
    let receipt = alice
        .expect("its receipt", |stanza| is_receipt_of(stanza, "m2"))
        .await;
    assert_eq!(receipt.attr("from"), Some(both.as_str()));
}

async fn a_text_goes_to_a_group_and_its_answer_comes_back_to_it(on: Server) {
    proves!(
        "XEP-0033: a group of numbers as one contact, both ways",
        Prosody,
        Ejabberd
    );
    proves!(
        "XEP-0033: a message to several people, named in the stanza",
        Prosody,
        Ejabberd
    );
    there_and_back(on, Database::Sqlite).await;
}

#[tokio::test]
async fn groups_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    there_and_back(Server::Prosody, Database::Postgres).await;
}

#[tokio::test]
async fn a_receipt_waits_for_everybody_and_a_failure_says_who() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = phones(Server::Prosody, Database::Sqlite).await;
    let mut alice = world.client("alice").await;
    alice
        .send(&chat(&group(&[BOB, OFF]), "m1", "are you all there"))
        .await;
    let with_bob = on_phone(&world, BOB, "are you all there").await;
    assert_eq!(with_bob["others"][0], OFF);
    // Behind it, in another chat: its receipt comes, and still none for the group.
    alice.send(&chat(&contact(BOB), "m2", "only you")).await;
    let first = alice
        .expect("a receipt", |stanza| {
            stanza.child_in("received", "urn:xmpp:receipts").is_some()
        })
        .await;
    assert!(is_receipt_of(&first, "m2"), "{first}");
    let on = format!(r#"{{"phone":"{OFF}","behaviour":"normal"}}"#);
    assert_eq!(simulator(&world, "behaviour", &on).await, 200);
    alice
        .expect("the receipt of all", |stanza| is_receipt_of(stanza, "m1"))
        .await;

    let with_nobody = group(&[BOB, UNASSIGNED]);
    alice
        .send(&chat(&with_nobody, "m3", "who is missing"))
        .await;
    let error = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(error.attr("id"), Some("m3"));
    assert_eq!(condition(&error).as_deref(), Some("item-not-found"));
    let line = alice
        .expect("the line in the chat", |stanza| stanza.body().is_some())
        .await;
    let body = line.body().unwrap();
    assert!(
        body.starts_with("⚠ ") && body.ends_with(&format!("({UNASSIGNED})")),
        "{body}"
    );
}

#[tokio::test]
async fn without_group_texts_each_gets_a_text_of_their_own() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut alice = world.client("alice").await;
    let both = group(&[BOB, CAROL]);
    alice.send(&chat(&both, "m1", "hello each")).await;
    let notice = alice
        .expect("how it is sent", |stanza| stanza.body().is_some())
        .await;
    assert_eq!(notice.attr("from"), Some(both.as_str()));
    assert!(
        notice.body().unwrap().contains("a text of their own"),
        "{notice}"
    );
    let two = async || (world.twilio.sent().len() == 2).then(|| world.twilio.sent());
    let sent = until("both texts", PATIENCE, two).await.unwrap();
    let mut to: Vec<String> = sent.iter().filter_map(|text| text.form("To")).collect();
    to.sort();
    assert_eq!(to, [BOB, CAROL]);
    // The numbers of the ids are those of the requests, which one lane makes in order.
    let status = world
        .twilio
        .report(&sent[0], &crate::world::Twilio::sid(1), "delivered", "")
        .await;
    assert_eq!(status, Ok(200));
    let status = world
        .twilio
        .report(&sent[1], &crate::world::Twilio::sid(2), "delivered", "")
        .await;
    assert_eq!(status, Ok(200));
    alice
        .expect("one receipt for both", |stanza| is_receipt_of(stanza, "m1"))
        .await;

    // Bob wants no more: nobody gets the next one.
    assert_eq!(
        world.twilio.deliver("SMin1", BOB, LINE, "STOP").await,
        Ok(200)
    );
    alice
        .expect("bob's word", |stanza| {
            stanza.body().is_some_and(|body| body.contains("STOP"))
        })
        .await;
    alice.send(&chat(&both, "m2", "and now")).await;
    let error = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(error.attr("id"), Some("m2"));
    assert!(error.to_string().contains(&format!("({BOB})")), "{error}");
    assert_eq!(world.twilio.sent().len(), 2);
}
