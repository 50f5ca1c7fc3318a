//! The main flows on ejabberd.

use transom_test_servers::{Answer, Ejabberd, Server, Transom, XmppClient, free_port, skipped};

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
    let line = format!(
        "[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"{user}@example.org\"\n[files]\nallow_hosts = [\"{}\"]\n",
        server.http_addr()
    );
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
async fn where_the_roster_is_refused_after_all_a_contact_asks_once() {
    if skipped(&[Server::Ejabberd]) {
        return;
    }
    proves_instead!(
        "XEP-0356: contacts enter the roster, both ways, without a question",
        "one question a contact, and no second",
        Ejabberd
    );
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
}
