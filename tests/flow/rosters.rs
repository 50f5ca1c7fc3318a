//! Contacts in rosters: by privilege, by an offer, by one question.

use transom_test_servers::{Element, Server, XmppClient};

use crate::commands::say;
use crate::world::{LINE, SMS, World, chat, contact};

on_each_server! {
    who_begins_by_adding_somebody_has_the_gateway_too,
    contacts_come_into_the_roster_as_the_server_lets_them,
    a_name_and_a_group_that_the_user_gave_stay,
    who_unregisters_has_a_tidy_roster,
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

/// The same on either server: where it refuses to change rosters, the user confirms the one question.
pub(crate) async fn comes(on: Server, client: &mut XmppClient, jid: &str) -> Element {
    if on == Server::Ejabberd {
        let asks = |stanza: &Element| {
            stanza.attr("type") == Some("subscribe") && stanza.attr("from") == Some(jid)
        };
        client.expect("the question", asks).await;
        for kind in ["subscribed", "subscribe"] {
            let answer = format!("<presence to='{jid}' type='{kind}'/>");
            client.send(&answer).await;
        }
    }
    entered(client, jid).await
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

async fn who_begins_by_adding_somebody_has_the_gateway_too(on: Server) {
    proves!(
        "XEP-0100: who begins by adding a contact has the gateway too",
        Prosody
    );
    proves_instead!(
        "XEP-0100: who begins by adding a contact has the gateway too",
        "the gateway asks once, and is there when that is confirmed",
        Ejabberd
    );
    let world = World::privileged_on(on, "").await;
    let mut alice = world.client("alice").await;
    roster(&mut alice).await;
    let peer = contact(PEER);
    alice
        .send(&format!("<presence to='{peer}' type='subscribe'/>"))
        .await;
    comes(on, &mut alice, &peer).await;
    comes(on, &mut alice, SMS).await;
    present(&mut alice, SMS).await;
    alice.barrier().await;
    let asked = if on == Server::Ejabberd { 2 } else { 0 };
    assert_eq!(questions(&alice), asked);
}

async fn contacts_come_into_the_roster_as_the_server_lets_them(on: Server) {
    proves!(
        "XEP-0356: contacts enter the roster, both ways, without a question",
        Prosody
    );
    proves!(
        "XEP-0100: registration puts the gateway into the roster",
        Prosody
    );
    proves_instead!(
        "XEP-0100: registration puts the gateway into the roster",
        "the gateway asks once, and is there when that is confirmed",
        Ejabberd
    );
    let world = World::privileged_on(on, "").await;
    let mut alice = world.client("alice").await;
    roster(&mut alice).await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    let gateway = comes(on, &mut alice, SMS).await;
    present(&mut alice, SMS).await;
    text(&world, "SMin1", OTHER, "who is this?").await;
    let other = comes(on, &mut alice, &contact(OTHER)).await;
    present(&mut alice, &contact(OTHER)).await;
    hears(&mut alice, "who is this?").await;
    if on == Server::Prosody {
        assert_eq!(gateway.attr("name"), Some("Text messages"));
        let group = other.child_in("group", ROSTER).map(Element::text);
        assert_eq!(group.as_deref(), Some("Text messages"));
        entered(&mut alice, &contact(PEER)).await;
        present(&mut alice, &contact(PEER)).await;
    }
    text(&world, "SMin2", OTHER, "hello?").await;
    hears(&mut alice, "hello?").await;
    alice.barrier().await;
    // Whom she wrote to asks nothing either way.
    let asked = if on == Server::Ejabberd { 2 } else { 0 };
    assert_eq!(questions(&alice), asked);
}

async fn a_name_and_a_group_that_the_user_gave_stay(on: Server) {
    proves!(
        "a name that the user gave is never overwritten",
        Prosody,
        Ejabberd
    );
    let world = World::privileged_on(on, "").await;
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
    text(&world, "SMin2", PEER, "hello yourself").await;
    let entry = comes(on, &mut alice, &peer).await;
    assert_eq!(entry.attr("name"), Some("Bobby"));
    let group = entry.child_in("group", ROSTER).map(Element::text);
    assert_eq!(group.as_deref(), Some("Friends"));
}

async fn who_unregisters_has_a_tidy_roster(on: Server) {
    proves!(
        "XEP-0077: unregistering takes the contacts out of the roster",
        Prosody
    );
    proves_instead!(
        "XEP-0077: unregistering takes the contacts out of the roster",
        "gateway and contacts end both subscriptions at once",
        Ejabberd
    );
    let world = World::privileged_on(on, "").await;
    let mut alice = world.client("alice").await;
    roster(&mut alice).await;
    for by_chat in [false, true] {
        let (id, body) = (format!("m{by_chat}"), format!("by chat: {by_chat}"));
        alice.send(&chat(&contact(PEER), &id, &body)).await;
        world.twilio.text(&body).await;
        comes(on, &mut alice, SMS).await;
        text(&world, &format!("SM{id}"), PEER, "hello").await;
        comes(on, &mut alice, &contact(PEER)).await;
        if by_chat {
            say(&mut alice, "unregister").await;
            alice.message(SMS, "sure", "yes").await;
        } else {
            let remove = "<query xmlns='jabber:iq:register'><remove/></query>";
            let done = alice.iq("set", SMS, remove).await;
            assert_eq!(done.attr("type"), Some("result"), "{done:?}");
        }
        let left = if on == Server::Ejabberd {
            "none"
        } else {
            "remove"
        };
        for jid in [SMS.to_owned(), contact(PEER)] {
            let is_gone = |stanza: &Element| {
                item(stanza, &jid).is_some_and(|item| item.attr("subscription") == Some(left))
            };
            alice.expect("the entry to go", is_gone).await;
        }
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
