//! Registration, presence, requests and the chat with the gateway, on a real Prosody.

use transom_test_servers::{Element, PATIENCE, Server, XmppClient, until};

use crate::world::{LINE, SMS, Twilio, World, chat, condition, contact};

on_each_server! {
    a_pool_number_is_claimed_by_registering_and_texts_leave_from_it,
    a_contact_answers_a_subscription_once_and_has_capabilities,
    every_request_is_answered,
    the_gateway_says_since_when_and_what_it_keeps,
    the_gateway_itself_talks_and_sends_nothing,
    removing_the_gateway_disables_and_coming_back_brings_what_was_held,
    a_contact_has_a_card_and_a_picture_and_is_found,
    a_blocked_contact_neither_reaches_the_user_nor_costs_anything,
    who_is_blocked_at_the_users_own_server_stays_silent,
    a_call_is_rejected_with_a_sentence,
    the_admins_are_asked_once_about_somebody_who_writes,
}

const PEER: &str = "+12025550147";
const POOL: &str = "+12025550105";
const REGISTER: &str = "jabber:iq:register";

fn pool() -> String {
    format!("[[gateway.sms.line]]\nnumber = \"{POOL}\"\n")
}

async fn presence(client: &mut XmppClient, kind: Option<&str>, from: &str) -> Element {
    let is_wanted = |stanza: &Element| {
        let sender = stanza.attr("from").unwrap_or_default();
        stanza.name() == "presence"
            && stanza.attr("type") == kind
            && sender.split('/').next() == Some(from)
    };
    client.expect("a presence", is_wanted).await
}

async fn a_pool_number_is_claimed_by_registering_and_texts_leave_from_it(on: Server) {
    proves!(
        "XEP-0077: a number of the pool is claimed, kept and given up",
        Prosody,
        Ejabberd
    );
    let world = World::with(on, &pool(), "").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m0", "too early")).await;
    let error = alice
        .expect("the refusal", |stanza| stanza.attr("id") == Some("m0"))
        .await;
    assert_eq!(condition(&error).as_deref(), Some("registration-required"));
    let query = format!("<query xmlns='{REGISTER}'/>");
    let offer = alice.iq("get", SMS, &query).await;
    assert!(offer.find("instructions", REGISTER).is_some(), "{offer:?}");
    let claim = format!("<query xmlns='{REGISTER}'><phone>{POOL}</phone></query>");
    let done = alice.iq("set", SMS, &claim).await;
    assert_eq!(done.attr("type"), Some("result"), "{done:?}");
    presence(&mut alice, Some("subscribe"), SMS).await;
    let again = alice.iq("get", SMS, &query).await;
    assert!(again.find("registered", REGISTER).is_some(), "{again:?}");
    alice
        .send(&chat(&contact(PEER), "m1", "now it works"))
        .await;
    let sent = world.twilio.text("now it works").await;
    assert_eq!(sent.form("From").as_deref(), Some(POOL));
    // Nobody else can have it.
    let mut bob = world.client("bob").await;
    let refused = bob.iq("set", SMS, &claim).await;
    assert_eq!(refused.attr("type"), Some("error"), "{refused:?}");
    // Leaving is complete.
    let remove = format!("<query xmlns='{REGISTER}'><remove/></query>");
    assert_eq!(
        alice.iq("set", SMS, &remove).await.attr("type"),
        Some("result")
    );
    presence(&mut alice, Some("unavailable"), SMS).await;
    let gone = alice.iq("get", SMS, &query).await;
    assert!(gone.find("registered", REGISTER).is_none(), "{gone:?}");
}

async fn a_contact_answers_a_subscription_once_and_has_capabilities(on: Server) {
    proves!(
        "RFC 6121: subscriptions both ways, and XEP-0115 from one resource",
        Prosody,
        Ejabberd
    );
    proves!(
        "any spelling of a number: an error with the right JID",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    let peer = contact(PEER);
    // Who asked for the roster is told of each change: the server keeps `subscribed` itself to itself.
    let roster = alice.jid().split('/').next().unwrap_or_default().to_owned();
    alice
        .iq("get", &roster, "<query xmlns='jabber:iq:roster'/>")
        .await;
    alice
        .send(&format!("<presence to='{peer}' type='subscribe'/>"))
        .await;
    let subscribed = |stanza: &Element| {
        let item = stanza.find("item", "jabber:iq:roster");
        item.is_some_and(|item| item.attr("subscription") == Some("to"))
    };
    alice.expect("the contact in the roster", subscribed).await;
    let here = presence(&mut alice, None, &peer).await;
    assert_eq!(
        here.attr("from"),
        Some(format!("{peer}/gw").as_str()),
        "one resource"
    );
    let caps = here
        .child_in("c", "http://jabber.org/protocol/caps")
        .expect("capabilities");
    assert!(caps.attr("ver").is_some_and(|ver| !ver.is_empty()));
    presence(&mut alice, Some("subscribe"), &peer).await;
    let wrong = contact("2025550147");
    alice
        .send(&format!("<presence to='{wrong}' type='subscribe'/>"))
        .await;
    let error = presence(&mut alice, Some("error"), &wrong).await;
    assert_eq!(condition(&error).as_deref(), Some("gone"), "{error:?}");
}

async fn every_request_is_answered(on: Server) {
    proves!(
        "XEP-0030, XEP-0092, XEP-0157, XEP-0199, XEP-0202: every request is answered",
        Prosody,
        Ejabberd
    );
    proves!("XEP-0100: what was typed becomes a JID", Prosody, Ejabberd);
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    answers_every_request(&mut alice, SMS, &contact(PEER)).await;
}

/// What a client asks of the gateway and of a contact, and what nobody knows.
async fn answers_every_request(alice: &mut XmppClient, gateway: &str, peer: &str) {
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let about = alice.iq("get", gateway, info).await;
    let identity = about
        .find("identity", "http://jabber.org/protocol/disco#info")
        .expect("an identity");
    assert_eq!(
        (identity.attr("category"), identity.attr("type")),
        (Some("gateway"), Some("sms"))
    );
    let person = alice.iq("get", peer, info).await;
    let features: Vec<_> = person
        .child("query")
        .expect("a query")
        .children()
        .filter_map(|child| child.attr("var"))
        .collect();
    assert!(features.contains(&"urn:xmpp:receipts"), "{features:?}");
    assert!(
        !features
            .iter()
            .any(|feature| feature.contains("omemo") || feature.contains("jingle")),
        "{features:?}"
    );
    assert!(
        about.to_string().contains("xmpp:admin@example.org"),
        "XEP-0157: {about}"
    );
    for to in [gateway, peer] {
        for (payload, wanted) in [
            ("<ping xmlns='urn:xmpp:ping'/>", None),
            ("<query xmlns='jabber:iq:version'/>", None),
            ("<time xmlns='urn:xmpp:time'/>", None),
            (
                "<nonsense xmlns='urn:example:nonsense'/>",
                Some("service-unavailable"),
            ),
        ] {
            let answer = alice.iq("get", to, payload).await;
            assert_eq!(
                condition(&answer).as_deref(),
                wanted,
                "{to} {payload}: {answer}"
            );
        }
    }
    let version = alice
        .iq("get", gateway, "<query xmlns='jabber:iq:version'/>")
        .await;
    let said = |name: &str| version.find(name, "jabber:iq:version").map(Element::text);
    assert_eq!(said("name").as_deref(), Some("transom"));
    assert_eq!(said("version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    for typed in ["(202) 555-0147", "tel:+1-202-555-0147"] {
        let typed = format!("<query xmlns='jabber:iq:gateway'><prompt>{typed}</prompt></query>");
        let jid = alice.iq("set", gateway, &typed).await;
        let jid = jid.find("jid", "jabber:iq:gateway").map(Element::text);
        assert_eq!(jid.as_deref(), Some(peer));
    }
}

async fn the_gateway_says_since_when_and_what_it_keeps(on: Server) {
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    proves!(
        "XEP-0012, XEP-0504: since when, and what is kept for how long",
        Prosody,
        Ejabberd
    );
    let last = alice
        .iq("get", SMS, "<query xmlns='jabber:iq:last'/>")
        .await;
    let last = last.find("query", "jabber:iq:last").expect("an answer");
    assert!(
        last.attr("seconds")
            .is_some_and(|seconds| seconds.parse::<u64>().is_ok())
    );
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let policy = alice.iq("get", SMS, info).await.to_string();
    for said in [
        "urn:xmpp:data-policy:0",
        "data_retention",
        "<value>720</value>",
    ] {
        assert!(policy.contains(said), "{said} in {policy}");
    }
}

async fn the_gateway_itself_talks_and_sends_nothing(on: Server) {
    proves!("the gateway is a chat partner", Prosody, Ejabberd);
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    for (id, said) in [("h1", "help"), ("h2", "blah blah")] {
        alice.message(SMS, id, said).await;
        let answer = alice
            .expect(said, |stanza| {
                stanza.attr("from") == Some(SMS) && stanza.body().is_some()
            })
            .await;
        assert!(
            answer.body().is_some_and(|body| body.contains("help")),
            "{answer:?}"
        );
    }
    alice.send(&chat(&contact(PEER), "m1", "marker")).await;
    world.twilio.text("marker").await;
    assert_eq!(
        world.twilio.sent().len(),
        1,
        "what is said to the gateway never leaves"
    );
}

async fn removing_the_gateway_disables_and_coming_back_brings_what_was_held(on: Server) {
    proves!(
        "removing the gateway from the roster holds what comes in",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    alice
        .send(&format!("<presence to='{SMS}' type='unsubscribe'/>"))
        .await;
    let gone = |stanza: &Element| stanza.attr("from") == Some(SMS) && stanza.body().is_some();
    alice.expect("how to come back", gone).await;
    alice.send(&chat(&contact(PEER), "m2", "not now")).await;
    let error = alice
        .expect("the refusal", |stanza| stanza.attr("id") == Some("m2"))
        .await;
    assert_eq!(condition(&error).as_deref(), Some("registration-required"));
    assert_eq!(
        world
            .twilio
            .deliver("SMheld", PEER, crate::world::LINE, "held for you")
            .await,
        Ok(200)
    );
    alice.barrier().await;
    assert!(
        !alice
            .received()
            .iter()
            .any(|stanza| stanza.body().as_deref() == Some("held for you"))
    );
    let set = format!("<query xmlns='{REGISTER}'/>");
    assert_eq!(
        alice.iq("set", SMS, &set).await.attr("type"),
        Some("result")
    );
    alice
        .expect("what was held", |stanza| {
            stanza.body().as_deref() == Some("held for you")
        })
        .await;
}

const CALLER: &str = "<query xmlns='jabber:iq:search'><nick>0147</nick></query>";

async fn a_contact_has_a_card_and_a_picture_and_is_found(on: Server) {
    proves!(
        "XEP-0054, XEP-0292, XEP-0084, XEP-0153: a card and one picture",
        Prosody,
        Ejabberd
    );
    proves!("XEP-0055: own contacts are found", Prosody, Ejabberd);
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    let peer = contact(PEER);
    let found = alice.iq("set", SMS, CALLER).await;
    assert!(
        found.find("item", "jabber:iq:search").is_none(),
        "{found:?}"
    );
    alice.send(&chat(&peer, "m1", "hello")).await;
    world.twilio.text("hello").await;
    let found = alice.iq("set", SMS, CALLER).await;
    let item = found.find("item", "jabber:iq:search").expect("the contact");
    assert_eq!(item.attr("jid"), Some(peer.as_str()));
    alice
        .send(&format!("<presence to='{peer}' type='subscribe'/>"))
        .await;
    let here = presence(&mut alice, None, &peer).await;
    let photo = here.find("photo", "vcard-temp:x:update").expect("a hash");
    let items = |node: &str| {
        format!("<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'/></pubsub>")
    };
    for node in ["urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data"] {
        let answer = alice.iq("get", &peer, &items(node)).await;
        let item = answer
            .find("item", "http://jabber.org/protocol/pubsub")
            .unwrap_or_else(|| panic!("{answer:?}"));
        assert_eq!(item.attr("id"), Some(photo.text().as_str()), "{node}");
    }
    let card = alice.iq("get", &peer, "<vCard xmlns='vcard-temp'/>").await;
    let number = card.find("NUMBER", "vcard-temp").map(Element::text);
    assert_eq!(number.as_deref(), Some(PEER));
    let card4 = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>";
    let card4 = alice.iq("get", &peer, card4).await;
    let uri = card4.find("uri", "urn:ietf:params:xml:ns:vcard-4.0");
    assert_eq!(uri.map(Element::text), Some(format!("tel:{PEER}")));
}

async fn a_blocked_contact_neither_reaches_the_user_nor_costs_anything(on: Server) {
    proves!(
        "XEP-0191: a blocked contact costs nothing",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    let peer = contact(PEER);
    blocks(&mut alice, SMS, &peer, &world.twilio).await;
}

/// Blocks a contact by XEP-0191, and lets it speak again.
async fn blocks(alice: &mut XmppClient, gateway: &str, peer: &str, twilio: &Twilio) {
    alice.send(&chat(peer, "m1", "hello")).await;
    twilio.text("hello").await;
    let item = format!("<item jid='{peer}'/>");
    let block = format!("<block xmlns='urn:xmpp:blocking'>{item}</block>");
    let done = alice.iq("set", gateway, &block).await;
    assert_eq!(done.attr("type"), Some("result"), "{done:?}");
    let list = "<blocklist xmlns='urn:xmpp:blocking'/>";
    let blocked = alice.iq("get", gateway, list).await;
    let first = blocked.find("item", "urn:xmpp:blocking").expect("an entry");
    assert_eq!(first.attr("jid"), Some(peer));
    alice.send(&chat(peer, "m2", "not to be sent")).await;
    let error = alice
        .expect("the refusal", |stanza| stanza.attr("id") == Some("m2"))
        .await;
    assert_eq!(condition(&error).as_deref(), Some("not-acceptable"));
    let unwanted = twilio.deliver("SMno", PEER, LINE, "unwanted").await;
    assert_eq!(unwanted, Ok(200));
    let unblock = format!("<unblock xmlns='urn:xmpp:blocking'>{item}</unblock>");
    alice.iq("set", gateway, &unblock).await;
    let wanted = twilio.deliver("SMyes", PEER, LINE, "wanted").await;
    assert_eq!(wanted, Ok(200));
    let text = alice
        .expect("the next text", |stanza| {
            stanza.attr("from") == Some(peer) && stanza.body().is_some()
        })
        .await;
    assert_eq!(text.body().as_deref(), Some("wanted"));
    assert_eq!(twilio.sent().len(), 1);
}

async fn who_is_blocked_at_the_users_own_server_stays_silent(on: Server) {
    proves!(
        "XEP-0191: a contact that is blocked at the user's own server stays silent",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    let peer = contact(PEER);
    alice.send(&chat(&peer, "m1", "hello")).await;
    world.twilio.text("hello").await;
    let block = format!("<block xmlns='urn:xmpp:blocking'><item jid='{peer}'/></block>");
    let done = alice.iq("set", "alice@example.org", &block).await;
    assert_eq!(done.attr("type"), Some("result"), "{done}");
    for (sid, from, body) in [
        ("SMno", PEER, "unwanted"),
        ("SMyes", "+12025550148", "wanted"),
    ] {
        let taken = world.twilio.deliver(sid, from, LINE, body).await;
        assert_eq!(taken, Ok(200));
    }
    let is_wanted = |stanza: &Element| stanza.body().as_deref() == Some("wanted");
    alice.expect("the other's text", is_wanted).await;
    // The server does not let her write there either.
    alice.send(&chat(&peer, "m2", "not to be sent")).await;
    let error = alice
        .expect("the refusal", |stanza| stanza.attr("id") == Some("m2"))
        .await;
    assert_eq!(condition(&error).as_deref(), Some("not-acceptable"));
    alice.barrier().await;
    let heard = alice.received().iter();
    let heard = heard.filter(|stanza| stanza.attr("type") != Some("error"));
    let heard: Vec<String> = heard.filter_map(Element::body).collect();
    assert_eq!(heard, ["wanted"], "nothing else, and nothing about it");
    let held = "transom_messages_total{gateway=\"sms\",direction=\"in\",outcome=\"held\"}";
    let came_back = async || (world.transom.metric(held).await == Some(1.0)).then_some(());
    until("the text that came back", PATIENCE, came_back)
        .await
        .unwrap();
    assert_eq!(world.twilio.sent().len(), 1);
}

async fn a_call_is_rejected_with_a_sentence(on: Server) {
    proves!(
        "XEP-0353: a call is rejected at once, with a sentence",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    let peer = contact(PEER);
    rejects_a_call(&mut alice, &peer).await;
    assert!(world.twilio.sent().is_empty());
}

/// Calls a contact.
async fn rejects_a_call(alice: &mut XmppClient, peer: &str) {
    let call = "urn:xmpp:jingle-message:0";
    alice
        .send(&format!(
            "<message to='{peer}' type='chat' id='c'><propose xmlns='{call}' id='call-1'><description \
             xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose><store xmlns='urn:xmpp:hints'/></message>"
        ))
        .await;
    let reject = alice
        .expect("the rejection", |stanza| {
            stanza.child_in("reject", call).is_some()
        })
        .await;
    let id = reject
        .child_in("reject", call)
        .and_then(|reject| reject.attr("id"));
    assert_eq!(id, Some("call-1"));
    let sentence = alice
        .expect("the sentence", |stanza| {
            stanza.attr("from") == Some(peer) && stanza.body().is_some()
        })
        .await;
    assert!(sentence.body().is_some_and(|body| body.contains("message")));
}

async fn the_admins_are_asked_once_about_somebody_who_writes(on: Server) {
    proves!(
        "registration by approval: the first message asks the admins, once",
        Prosody,
        Ejabberd
    );
    let world = World::approval(on).await;
    let mut admin = world.client("bob").await;
    let mut alice = world.client("alice").await;
    for id in ["m1", "m2"] {
        alice.send(&chat(&contact(PEER), id, "let me in")).await;
        let error = alice
            .expect("the refusal", |stanza| stanza.attr("id") == Some(id))
            .await;
        assert_eq!(condition(&error).as_deref(), Some("registration-required"));
    }
    let asks = |stanza: &Element| {
        stanza.attr("from") == Some(SMS)
            && stanza
                .body()
                .is_some_and(|body| body.contains("alice@example.org"))
    };
    admin.expect("the question", asks).await;
    admin.message(SMS, "a1", "user add alice@example.org").await;
    alice
        .expect("the good news", |stanza| {
            stanza.attr("from") == Some(SMS) && stanza.body().is_some()
        })
        .await;
    alice.send(&chat(&contact(PEER), "m3", "now")).await;
    world.twilio.text("now").await;
    let questions = admin.received().iter().filter(|stanza| {
        asks(stanza)
            && stanza
                .body()
                .is_some_and(|body| body.contains("would like"))
    });
    assert_eq!(questions.count(), 1);
    assert_eq!(
        world.twilio.sent().len(),
        1,
        "what was refused was not kept"
    );
}
