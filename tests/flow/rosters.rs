//! Contacts in rosters: by privilege, by an offer, by one question.

use transom_test_servers::{Element, Server, XmppClient, skipped};

use crate::world::{LINE, SMS, World, chat, contact};

on_each_server! {
    without_privilege_a_contact_asks_once,
    a_client_that_takes_entries_is_offered_one,
}

const PEER: &str = "+12025550147";
const OTHER: &str = "+12025550148";
const ROSTER: &str = "jabber:iq:roster";
const ROSTERX: &str = "http://jabber.org/protocol/rosterx";

fn bare(client: &XmppClient) -> String {
    let jid = client.jid();
    jid.split('/').next().unwrap_or_default().to_owned()
}

/// Whoever asked for the roster is told of each change.
pub(crate) async fn roster(client: &mut XmppClient) -> Element {
    let to = bare(client);
    let query = format!("<query xmlns='{ROSTER}'/>");
    client.iq("get", &to, &query).await
}

fn item<'a>(stanza: &'a Element, jid: &str) -> Option<&'a Element> {
    let query = stanza.child_in("query", ROSTER)?;
    query.children().find(|item| item.attr("jid") == Some(jid))
}

/// Waits until a contact is in the roster, both ways.
pub(crate) async fn entered(client: &mut XmppClient, jid: &str) -> Element {
    let is_there = |stanza: &Element| {
        stanza.attr("type") == Some("set")
            && item(stanza, jid).is_some_and(|item| item.attr("subscription") == Some("both"))
    };
    let push = client.expect("the contact in the roster", is_there).await;
    item(&push, jid).expect("it was just found").clone()
}

async fn present(client: &mut XmppClient, jid: &str) {
    let from = format!("{jid}/gw");
    let is_there = |stanza: &Element| {
        stanza.name() == "presence"
            && stanza.attr("type").is_none()
            && stanza.attr("from") == Some(from.as_str())
    };
    client.expect("the contact's presence", is_there).await;
}

fn questions(client: &XmppClient) -> usize {
    let received = client.received().iter();
    received
        .filter(|stanza| stanza.name() == "presence" && stanza.attr("type") == Some("subscribe"))
        .count()
}

async fn text(world: &World, sid: &str, from: &str, body: &str) {
    let taken = world.twilio.deliver(sid, from, LINE, body).await;
    assert_eq!(taken, Ok(200));
}

async fn hears(client: &mut XmppClient, body: &str) {
    client
        .expect(body, |stanza| stanza.body().as_deref() == Some(body))
        .await;
}

#[tokio::test]
async fn who_begins_by_adding_somebody_has_the_gateway_too() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    proves!(
        "XEP-0100: who begins by adding a contact has the gateway too",
        Prosody
    );
    let world = World::privileged("").await;
    let mut alice = world.client("alice").await;
    roster(&mut alice).await;
    let peer = contact(PEER);
    alice
        .send(&format!("<presence to='{peer}' type='subscribe'/>"))
        .await;
    entered(&mut alice, &peer).await;
    entered(&mut alice, SMS).await;
    present(&mut alice, SMS).await;
    assert_eq!(questions(&alice), 0);
}

#[tokio::test]
async fn with_privilege_contacts_are_there_without_a_question() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    proves!(
        "XEP-0356: contacts enter the roster, both ways, without a question",
        Prosody
    );
    proves!(
        "XEP-0100: registration puts the gateway into the roster",
        Prosody
    );
    let world = World::privileged("").await;
    let mut alice = world.client("alice").await;
    roster(&mut alice).await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    let gateway = entered(&mut alice, SMS).await;
    assert_eq!(gateway.attr("name"), Some("Text messages"));
    present(&mut alice, SMS).await;
    let peer = entered(&mut alice, &contact(PEER)).await;
    let group = peer.child_in("group", ROSTER).map(Element::text);
    assert_eq!(group.as_deref(), Some("Text messages"));
    present(&mut alice, &contact(PEER)).await;
    text(&world, "SMin1", OTHER, "who is this?").await;
    entered(&mut alice, &contact(OTHER)).await;
    present(&mut alice, &contact(OTHER)).await;
    hears(&mut alice, "who is this?").await;
    alice.barrier().await;
    assert_eq!(questions(&alice), 0);
}

#[tokio::test]
async fn a_name_and_a_group_that_the_user_gave_stay() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    proves!(
        "XEP-0356: a name that the user gave is never overwritten",
        Prosody
    );
    let world = World::privileged("").await;
    let mut alice = world.client("alice").await;
    roster(&mut alice).await;
    let (peer, to) = (contact(PEER), bare(&alice));
    let own = format!(
        "<query xmlns='{ROSTER}'><item jid='{peer}' name='Bobby'><group>Friends</group></item></query>"
    );
    alice.iq("set", &to, &own).await;
    text(&world, "SMin1", PEER, "hi").await;
    // A message registers nobody; the first one out does.
    alice.send(&chat(&peer, "m1", "hello")).await;
    world.twilio.text("hello").await;
    let entry = entered(&mut alice, &peer).await;
    assert_eq!(entry.attr("name"), Some("Bobby"));
    let group = entry.child_in("group", ROSTER).map(Element::text);
    assert_eq!(group.as_deref(), Some("Friends"));
}

#[tokio::test]
async fn who_unregisters_has_a_tidy_roster() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    proves!(
        "XEP-0077: unregistering takes the contacts out of the roster",
        Prosody
    );
    let world = World::privileged("").await;
    let mut alice = world.client("alice").await;
    roster(&mut alice).await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    entered(&mut alice, SMS).await;
    entered(&mut alice, &contact(PEER)).await;
    let remove = "<query xmlns='jabber:iq:register'><remove/></query>";
    let done = alice.iq("set", SMS, remove).await;
    assert_eq!(done.attr("type"), Some("result"), "{done:?}");
    for jid in [SMS.to_owned(), contact(PEER)] {
        let is_gone = |stanza: &Element| {
            item(stanza, &jid).is_some_and(|item| item.attr("subscription") == Some("remove"))
        };
        alice.expect("the entry to go", is_gone).await;
    }
}

async fn without_privilege_a_contact_asks_once(on: Server) {
    proves!(
        "without privileges: one question a contact, never repeated",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(OTHER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    for round in ["one", "two", "three"] {
        text(&world, &format!("SM{round}"), PEER, round).await;
        hears(&mut alice, round).await;
    }
    let asks = |stanza: &Element| {
        stanza.attr("type") == Some("subscribe")
            && stanza.attr("from") == Some(contact(PEER).as_str())
    };
    alice.expect("the question", asks).await;
    text(&world, "SMfour", PEER, "four").await;
    hears(&mut alice, "four").await;
    alice.barrier().await;
    let of_peer = alice
        .received()
        .iter()
        .filter(|stanza| asks(stanza))
        .count();
    assert_eq!(of_peer, 1);
}

async fn a_client_that_takes_entries_is_offered_one(on: Server) {
    proves!(
        "XEP-0144: without privileges, an offer to clients that take it",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    alice.send(&format!("<presence to='{SMS}'/>")).await;
    alice.send(&chat(&contact(OTHER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    text(&world, "SMin1", PEER, "hi").await;
    let info = "http://jabber.org/protocol/disco#info";
    let question = alice
        .expect("a question about features", |stanza| {
            stanza.name() == "iq" && stanza.child_in("query", info).is_some()
        })
        .await;
    let id = question.attr("id").expect("an id");
    let answer = format!(
        "<iq type='result' to='{SMS}' id='{id}'><query xmlns='{info}'><identity category='client' type='pc'/>\
         <feature var='{info}'/><feature var='{ROSTERX}'/></query></iq>"
    );
    alice.send(&answer).await;
    let offer = alice
        .expect("the offer", |stanza| stanza.find("item", ROSTERX).is_some())
        .await;
    let item = offer.find("item", ROSTERX).expect("it was just found");
    assert!(
        [contact(PEER), contact(OTHER)]
            .iter()
            .any(|jid| item.attr("jid") == Some(jid.as_str())),
        "{offer:?}"
    );
}
