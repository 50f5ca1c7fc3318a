//! The main flows on ejabberd.

use transom_test_servers::{Answer, Ejabberd, Server, Transom, XmppClient, free_port, skipped};

use crate::people;
use crate::text;
use crate::world::{LINE, Seat, Twilio, chat, condition, config, is_receipt_of, link_up};

const PEER: &str = "+12025550147";

pub(crate) struct EjabberdWorld {
    transom: Transom,
    pub(crate) twilio: Twilio,
    pub(crate) domain: String,
    user: String,
    pub(crate) server: &'static Ejabberd,
}

/// Every test has a component and a user of its own on the one ejabberd of the run.
pub(crate) async fn world(user: &str) -> EjabberdWorld {
    let server = Ejabberd::shared().await;
    let component = server.component();
    server.add_user(user).await;
    let http = free_port();
    let twilio = Twilio::start(http).await;
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"{user}@example.org\"\n");
    let seat = Seat {
        server: component.addr,
        domain: &component.domain,
        secret: &component.secret,
    };
    let config = config(&seat, http, &twilio, &line, "");
    let mut transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .http(http)
        .prepare();
    transom.start().await;
    link_up(&transom, "sms").await;
    EjabberdWorld {
        transom,
        twilio,
        domain: component.domain.clone(),
        user: user.to_owned(),
        server,
    }
}

impl EjabberdWorld {
    async fn client(&self) -> XmppClient {
        self.server.client(&self.user, "phone").await
    }

    pub(crate) fn contact(&self) -> String {
        format!("{PEER}@{}", self.domain)
    }
}

#[tokio::test]
async fn texts_go_and_come_with_receipts_on_ejabberd() {
    if skipped(&[Server::Ejabberd]) {
        return;
    }
    proves!("texts come in their order", Ejabberd);
    proves!("XEP-0184: a receipt when the phone has it", Ejabberd);
    let world = world("erin").await;
    let mut erin = world.client().await;
    erin.send(&chat(&world.contact(), "m1", "hello from ejabberd"))
        .await;
    let sent = world.twilio.text("hello from ejabberd").await;
    assert_eq!(
        world
            .twilio
            .report(&sent, &Twilio::sid(1), "delivered", "")
            .await,
        Ok(200)
    );
    erin.expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    for number in 0..20 {
        assert_eq!(
            world
                .twilio
                .deliver(
                    &format!("SMin{number}"),
                    PEER,
                    LINE,
                    &format!("text {number}")
                )
                .await,
            Ok(200)
        );
    }
    for number in 0..20 {
        let wanted = format!("text {number}");
        let text = erin
            .expect("the next text, in its order", |stanza| {
                stanza.body().is_some()
            })
            .await;
        assert_eq!(text.body(), Some(wanted));
        assert_eq!(text.attr("from"), Some(world.contact().as_str()));
    }
}

#[tokio::test]
async fn failures_become_errors_and_a_kill_changes_nothing_on_ejabberd() {
    if skipped(&[Server::Ejabberd]) {
        return;
    }
    proves!("failures become errors, with a sentence", Ejabberd);
    proves!("a kill loses and doubles nothing", Ejabberd);
    let mut world = world("frank").await;
    let mut frank = world.client().await;
    world.twilio.api.answer_next(Answer::json(
        400,
        r#"{"code":21211,"message":"no","status":400}"#,
    ));
    frank.send(&chat(&world.contact(), "m1", "to nobody")).await;
    let error = frank
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(condition(&error).as_deref(), Some("item-not-found"));
    frank
        .send(&chat(&world.contact(), "m2", "before the kill"))
        .await;
    let sent = world.twilio.text("before the kill").await;
    world.transom.kill9();
    world.transom.start().await;
    link_up(&world.transom, "sms").await;
    assert_eq!(
        world
            .twilio
            .report(&sent, &Twilio::sid(2), "delivered", "")
            .await,
        Ok(200)
    );
    frank
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m2"))
        .await;
    assert_eq!(world.twilio.sent().len(), 2, "nothing was sent again");
}

#[tokio::test]
async fn contacts_have_cards_and_ask_once_where_the_roster_is_refused() {
    if skipped(&[Server::Ejabberd]) {
        return;
    }
    proves!(
        "XEP-0054, XEP-0292, XEP-0084, XEP-0153: a card and one picture",
        Ejabberd
    );
    proves!(
        "without privileges: one question a contact, never repeated",
        Ejabberd
    );
    proves!(
        "RFC 6121: subscriptions both ways, and XEP-0115 from one resource",
        Ejabberd
    );
    proves!("XEP-0055: own contacts are found", Ejabberd);
    let world = world("gina").await;
    let mut gina = world.client().await;
    let peer = world.contact();
    gina.send(&chat(&peer, "m1", "hello")).await;
    world.twilio.text("hello").await;
    // This version announces that rosters may be changed, and refuses each change.
    for (sid, body) in [("SMone", "one"), ("SMtwo", "two")] {
        assert_eq!(world.twilio.deliver(sid, PEER, LINE, body).await, Ok(200));
        gina.expect(body, |stanza| stanza.body().as_deref() == Some(body))
            .await;
    }
    let asks = |stanza: &transom_test_servers::Element| {
        stanza.attr("type") == Some("subscribe") && stanza.attr("from") == Some(peer.as_str())
    };
    gina.expect("the question", asks).await;
    gina.barrier().await;
    assert_eq!(
        gina.received().iter().filter(|stanza| asks(stanza)).count(),
        1
    );
    gina.send(&format!(
        "<presence to='{peer}' type='subscribed'/><presence to='{peer}' type='subscribe'/>"
    ))
    .await;
    let from = format!("{peer}/gw");
    let here = gina
        .expect("the contact's presence", |stanza| {
            stanza.name() == "presence" && stanza.attr("from") == Some(from.as_str())
        })
        .await;
    assert!(
        here.child_in("c", "http://jabber.org/protocol/caps")
            .is_some()
    );
    let photo = here.find("photo", "vcard-temp:x:update").expect("a hash");
    let node = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'/></pubsub>";
    let data = gina.iq("get", &peer, node).await;
    let item = data
        .find("item", "http://jabber.org/protocol/pubsub")
        .unwrap_or_else(|| panic!("{data:?}"));
    assert_eq!(item.attr("id"), Some(photo.text().as_str()));
    let card = gina.iq("get", &peer, "<vCard xmlns='vcard-temp'/>").await;
    assert!(card.find("PHOTO", "vcard-temp").is_some(), "{card:?}");
    let query = "<query xmlns='jabber:iq:search'><nick>0147</nick></query>";
    let found = gina.iq("set", &world.domain, query).await;
    let item = found.find("item", "jabber:iq:search").expect("the contact");
    assert_eq!(item.attr("jid"), Some(peer.as_str()));
}

#[tokio::test]
async fn requests_calls_blocks_and_what_cannot_be_sent_on_ejabberd() {
    if skipped(&[Server::Ejabberd]) {
        return;
    }
    proves!(
        "XEP-0030, XEP-0092, XEP-0199: every request is answered",
        Ejabberd
    );
    proves!("XEP-0100: what was typed becomes a JID", Ejabberd);
    proves!("XEP-0191: a blocked contact costs nothing", Ejabberd);
    proves!(
        "XEP-0353: a call is rejected at once, with a sentence",
        Ejabberd
    );
    proves!(
        "encrypted, emergency, premium and foreign: refused with a sentence, at no cost",
        Ejabberd
    );
    proves!(
        "any spelling of a number: an error with the right JID",
        Ejabberd
    );
    let world = world("hugo").await;
    let mut hugo = world.client().await;
    let peer = world.contact();
    people::answers_every_request(&mut hugo, &world.domain, &peer).await;
    people::rejects_a_call(&mut hugo, &peer).await;
    text::refuses_what_cannot_be_sent(&mut hugo, &world.domain).await;
    assert!(world.twilio.sent().is_empty());
    people::blocks(&mut hugo, &world.domain, &peer, &world.twilio).await;
    // Leaving is complete.
    let remove = "<query xmlns='jabber:iq:register'><remove/></query>";
    let left = hugo.iq("set", &world.domain, remove).await;
    assert_eq!(left.attr("type"), Some("result"), "{left}");
}
