//! Texts through Twilio's double: out, in, reports, failures.

use transom_test_servers::{Answer, PATIENCE, Server, XmppClient, skipped, until};

use crate::world::{
    Database, LINE, SMS, Twilio, World, chat, condition, contact, is_receipt_of, store,
};

on_each_server! {
    a_text_goes_out_and_its_delivery_report_becomes_a_receipt,
    a_receipt_means_delivered_and_nothing_less,
    texts_go_and_come_in_their_order,
    a_short_code_is_answered_and_a_name_is_not,
    a_text_comes_in_once_however_often_it_is_told,
    a_repeat_of_a_stanza_is_not_sent_again_and_a_reused_id_is,
    a_refused_text_becomes_an_error_with_a_sentence,
    what_cannot_be_sent_is_refused_at_no_cost,
    states_receipts_and_empty_bodies_are_never_sent_nor_answered,
    a_late_failure_is_also_a_line_in_the_chat,
}

const PEER: &str = "+12025550147";

async fn a_text_goes_out_and_its_delivery_report_becomes_a_receipt(on: Server) {
    proves!(
        "XEP-0184: a receipt when the phone has it",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    alice
        .send(&chat(
            &contact(PEER),
            "m1",
            "Grüße & <bye>"
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .as_str(),
        ))
        .await;
    let sent = world.twilio.text("Grüße & <bye>").await;
    assert_eq!(sent.form("To").as_deref(), Some(PEER));
    assert_eq!(sent.form("From").as_deref(), Some(LINE));
    assert_eq!(
        world
            .twilio
            .report(&sent, &Twilio::sid(1), "delivered", "")
            .await,
        Ok(200)
    );
    let receipt = alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    assert_eq!(
        receipt.attr("from"),
        Some(contact(PEER).as_str()),
        "from the contact's bare JID"
    );
    assert_eq!(world.twilio.sent().len(), 1);
}

#[tokio::test]
async fn texts_go_and_come_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
    let world = World::with(Server::Prosody, &line, &store(Database::Postgres).await).await;
    let mut alice = world.client("alice").await;
    for number in 0..5 {
        let (id, body) = (format!("m{number}"), format!("text {number}"));
        alice.send(&chat(&contact(PEER), &id, &body)).await;
        let sent = world.twilio.text(&body).await;
        assert_eq!(
            world
                .twilio
                .report(&sent, &Twilio::sid(number + 1), "delivered", "")
                .await,
            Ok(200)
        );
        alice
            .expect("the receipt", |stanza| is_receipt_of(stanza, &id))
            .await;
        assert_eq!(
            world
                .twilio
                .deliver(
                    &format!("SMin{number}"),
                    PEER,
                    LINE,
                    &format!("answer {number}")
                )
                .await,
            Ok(200)
        );
        let answer = format!("answer {number}");
        alice
            .expect("the answer", |stanza| {
                stanza.body().as_ref() == Some(&answer)
            })
            .await;
    }
    let sent = world.twilio.sent().swap_remove(0);
    assert_eq!(
        world
            .twilio
            .report(&sent, &Twilio::sid(1), "undelivered", "30003")
            .await,
        Ok(200),
        "late, and lesser"
    );
}

async fn a_short_code_is_answered_and_a_name_is_not(on: Server) {
    proves!(
        "short codes are contacts like others; names that send are too, and cannot be answered",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m0", "hello")).await;
    world.twilio.text("hello").await;
    let [code, name] = ["12345;phone-context=us", "acme\\20bank;phone-context=alpha"].map(contact);
    for (sid, from, body, jid) in [
        ("SMcode", "12345", "Your parcel is here", &code),
        ("SMname", "ACME Bank", "Your card was used", &name),
    ] {
        let taken = world.twilio.deliver(sid, from, LINE, body).await;
        assert_eq!(taken, Ok(200));
        let text = alice
            .expect(body, |stanza| stanza.body().as_deref() == Some(body))
            .await;
        assert_eq!(text.attr("from"), Some(jid.as_str()), "{text}");
    }
    alice.send(&chat(&code, "m1", "STATUS?")).await;
    let sent = world.twilio.text("STATUS?").await;
    assert_eq!(sent.form("To").as_deref(), Some("12345"));
    alice.send(&chat(&name, "m2", "That was not me")).await;
    let refused = alice
        .expect("the refusal", |stanza| stanza.attr("id") == Some("m2"))
        .await;
    assert_eq!(refused.attr("type"), Some("error"), "{refused}");
    let error = refused.child("error").expect("an error");
    let why = error.child("text").map(transom_test_servers::Element::text);
    assert!(
        why.is_some_and(|why| why.contains("cannot receive answers")),
        "{refused}"
    );
    // It is called what it wrote as.
    let card = alice.iq("get", &name, "<vCard xmlns='vcard-temp'/>").await;
    let called = card
        .find("FN", "vcard-temp")
        .map(transom_test_servers::Element::text);
    assert_eq!(called.as_deref(), Some("ACME Bank"));
    assert_eq!(world.twilio.sent().len(), 2);
}

async fn texts_go_and_come_in_their_order(on: Server) {
    proves!("texts go and come in their order", Prosody, Ejabberd);
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    let wanted: Vec<String> = (0..20).map(|number| format!("text {number}")).collect();
    for (number, body) in wanted.iter().enumerate() {
        let id = format!("m{number}");
        alice.send(&chat(&contact(PEER), &id, body)).await;
    }
    world.twilio.text("text 19").await;
    let sent: Vec<Option<String>> = world
        .twilio
        .sent()
        .iter()
        .map(|it| it.form("Body"))
        .collect();
    let all: Vec<Option<String>> = wanted.iter().cloned().map(Some).collect();
    assert_eq!(sent, all);
    for (number, body) in wanted.iter().enumerate() {
        let sid = format!("SMin{number}");
        let taken = world.twilio.deliver(&sid, PEER, LINE, body).await;
        assert_eq!(taken, Ok(200));
    }
    for body in &wanted {
        let text = alice
            .expect("the next text", |stanza| stanza.body().is_some())
            .await;
        assert_eq!(text.body().as_ref(), Some(body));
        assert_eq!(text.attr("from"), Some(contact(PEER).as_str()));
    }
}

async fn a_receipt_means_delivered_and_nothing_less(on: Server) {
    proves!(
        "XEP-0184: a receipt means delivered, and nothing less",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "one")).await;
    let sent = world.twilio.text("one").await;
    for status in ["sent", "sending", "queued"] {
        assert_eq!(
            world
                .twilio
                .report(&sent, &Twilio::sid(1), status, "")
                .await,
            Ok(200)
        );
    }
    // What comes after in the same chat proves that nothing came before.
    assert_eq!(
        world.twilio.deliver("SMin", PEER, LINE, "marker").await,
        Ok(200)
    );
    alice
        .expect("the marker", |stanza| {
            stanza.body().as_deref() == Some("marker")
        })
        .await;
    assert!(
        !alice
            .received()
            .iter()
            .any(|stanza| is_receipt_of(stanza, "m1")),
        "{:?}",
        alice.received()
    );
}

async fn a_text_comes_in_once_however_often_it_is_told(on: Server) {
    proves!(
        "a text comes once, however often the provider tells of it",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    for _ in 0..3 {
        assert_eq!(
            world.twilio.deliver("SMx", PEER, LINE, "héllo 👋").await,
            Ok(200)
        );
    }
    assert_eq!(
        world.twilio.deliver("SMy", PEER, LINE, "and on").await,
        Ok(200)
    );
    let first = alice
        .expect("the answer", |stanza| {
            stanza.body().as_deref() == Some("héllo 👋")
        })
        .await;
    assert_eq!(first.attr("from"), Some(contact(PEER).as_str()));
    assert_eq!(first.attr("type"), Some("chat"));
    let id = first.attr("id").unwrap();
    assert_eq!(
        uuid::Uuid::parse_str(id).map(|id| id.get_version_num()),
        Ok(7),
        "{id}"
    );
    assert_eq!(
        first
            .child_in("origin-id", "urn:xmpp:sid:0")
            .and_then(|origin| origin.attr("id")),
        Some(id)
    );
    alice
        .expect("the next", |stanza| {
            stanza.body().as_deref() == Some("and on")
        })
        .await;
    let copies = alice
        .received()
        .iter()
        .filter(|stanza| stanza.body().as_deref() == Some("héllo 👋"))
        .count();
    assert_eq!(copies, 1);
}

#[tokio::test]
async fn a_forged_call_is_refused_and_counted() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let http = world.transom.http();
    let body = b"MessageSid=SM1&From=%2B12025550147&To=%2B12025550100&Body=evil";
    let headers = [
        ("X-Twilio-Signature", "AAAA"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let answer = transom_test_servers::post_with(http, "/webhook/sms/main", &headers, body)
        .await
        .unwrap();
    assert_eq!(answer.status, 403);
    let count = world
        .transom
        .metric("transom_events_total{account=\"sms/main\",what=\"webhook_forged\"}")
        .await;
    assert_eq!(count, Some(1.0));
}

#[tokio::test]
async fn what_goes_through_the_link_is_counted() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    let sent = world.twilio.text("hello").await;
    let sid = Twilio::sid(1);
    let reported = world.twilio.report(&sent, &sid, "delivered", "");
    assert_eq!(reported.await, Ok(200));
    alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    for direction in ["out", "in"] {
        let name = format!("transom_stanzas_total{{gateway=\"sms\",direction=\"{direction}\"}}");
        let counted = async || {
            let count = world.transom.metric(&name).await;
            count.filter(|count| *count >= 1.0)
        };
        until("the stanzas to be counted", PATIENCE, counted)
            .await
            .unwrap();
    }
}

async fn a_repeat_of_a_stanza_is_not_sent_again_and_a_reused_id_is(on: Server) {
    proves!(
        "XEP-0359: what a client sends again is not sent again",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    for _ in 0..3 {
        alice.send(&chat(&contact(PEER), "same", "only once")).await;
    }
    // A script that reuses its ids, without origin-id: other text, other message.
    for body in ["first", "second", "second"] {
        alice
            .send(&format!(
                "<message to='{}' type='chat' id='1'><body>{body}</body></message>",
                contact(PEER)
            ))
            .await;
    }
    alice.send(&chat(&contact(PEER), "last", "last")).await;
    world.twilio.text("last").await;
    let bodies: Vec<String> = world
        .twilio
        .sent()
        .iter()
        .filter_map(|sent| sent.form("Body"))
        .collect();
    assert_eq!(bodies, ["only once", "first", "second", "last"]);
}

async fn a_refused_text_becomes_an_error_with_a_sentence(on: Server) {
    proves!("failures become errors, with a sentence", Prosody, Ejabberd);
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    world.twilio.api.answer_next(Answer::json(
        400,
        r#"{"code":21211,"message":"no","status":400}"#,
    ));
    alice.send(&chat(&contact(PEER), "m1", "to nobody")).await;
    let error = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(error.attr("id"), Some("m1"));
    assert_eq!(condition(&error).as_deref(), Some("item-not-found"));
    let text = error
        .child("error")
        .and_then(|error| error.child("text").map(transom_test_servers::Element::text));
    assert!(
        text.is_some_and(|text| text.ends_with('.') || text.ends_with('!')),
        "a sentence"
    );
}

/// Every kind of text that is refused before it costs anything.
async fn refuses_what_cannot_be_sent(alice: &mut XmppClient, gateway: &str) {
    let at = |number: &str| format!("{number}@{gateway}");
    let omemo = "<encrypted xmlns='eu.siacs.conversations.axolotl'/><body>I sent you an OMEMO encrypted message</body>";
    let cases = [
        (
            "e1",
            at("2025550147"),
            "<body>spelling</body>".to_owned(),
            "gone",
        ),
        (
            "e2",
            at("+18005550199x"),
            "<body>no number</body>".to_owned(),
            "item-not-found",
        ),
        ("e3", at(PEER), omemo.to_owned(), "not-acceptable"),
        (
            "e4",
            at("911"),
            "<body>help</body>".to_owned(),
            "not-allowed",
        ),
        (
            "e5",
            at("+19005550199"),
            "<body>premium</body>".to_owned(),
            "policy-violation",
        ),
        (
            "e6",
            at("+4930123456"),
            "<body>abroad</body>".to_owned(),
            "policy-violation",
        ),
        (
            "e7",
            at(PEER),
            format!("<body>{}</body>", "x".repeat(2_000)),
            "not-acceptable",
        ),
    ];
    // OMEMO 2, OpenPGP (XEP-0373, XEP-0027), what XEP-0380 names, OTR, and a file for OMEMO.
    let encrypted = [
        "<encrypted xmlns='urn:xmpp:omemo:2'/><body>encrypted</body>",
        "<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp><body>encrypted</body>",
        "<x xmlns='jabber:x:encrypted'>x</x><body>encrypted</body>",
        "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:example:new'/><body>encrypted</body>",
        "<body>?OTR:AAMDJ+MVmSfjFZcA</body>",
        "<body>aesgcm://example.org/x.png#00</body>",
    ];
    let encrypted = encrypted.map(|payload| ("", at(PEER), payload.to_owned(), "not-acceptable"));
    for (number, (id, to, payload, wanted)) in cases.into_iter().chain(encrypted).enumerate() {
        let own = format!("e-{number}");
        let id = if id.is_empty() { own.as_str() } else { id };
        alice
            .send(&format!(
                "<message to='{to}' type='chat' id='{id}'>{payload}</message>"
            ))
            .await;
        let error = alice
            .expect(id, |stanza| stanza.attr("id") == Some(id))
            .await;
        assert_eq!(
            condition(&error).as_deref(),
            Some(wanted),
            "{id}: {error:?}"
        );
    }
}

async fn what_cannot_be_sent_is_refused_at_no_cost(on: Server) {
    proves!(
        "encrypted, emergency, premium and foreign: refused with a sentence, at no cost",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    refuses_what_cannot_be_sent(&mut alice, SMS).await;
    alice.send(&chat(&contact(PEER), "last", "last")).await;
    world.twilio.text("last").await;
    assert_eq!(world.twilio.sent().len(), 1, "nothing else was sent");
}

async fn states_receipts_and_empty_bodies_are_never_sent_nor_answered(on: Server) {
    proves!(
        "XEP-0085, XEP-0333: states and marks are never sent as texts",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    for quiet in [
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<received xmlns='urn:xmpp:receipts' id='x'/>",
        "<body></body>",
    ] {
        alice
            .send(&format!(
                "<message to='{}' type='chat' id='q'>{quiet}</message>",
                contact(PEER)
            ))
            .await;
    }
    alice.send(&chat(&contact(PEER), "last", "last")).await;
    world.twilio.text("last").await;
    assert_eq!(world.twilio.sent().len(), 1, "nothing else was sent");
    assert!(
        !alice
            .received()
            .iter()
            .any(|stanza| stanza.attr("id") == Some("q")),
        "states are not answered"
    );
}

#[tokio::test]
async fn who_has_no_line_and_can_have_none_is_told_so() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut bob = world.client("bob").await;
    bob.send(&chat(&contact(PEER), "b1", "from bob")).await;
    let error = bob
        .expect("bob's error", |stanza| stanza.attr("id") == Some("b1"))
        .await;
    assert_eq!(condition(&error).as_deref(), Some("registration-required"));
    assert!(world.twilio.sent().is_empty());
}

async fn a_late_failure_is_also_a_line_in_the_chat(on: Server) {
    proves!(
        "a failure that is known late is told in the chat too",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    alice
        .send(&chat(&contact(PEER), "m1", "are you there"))
        .await;
    let sent = world.twilio.text("are you there").await;
    alice.disconnect().await;
    assert_eq!(
        world
            .twilio
            .report(&sent, &Twilio::sid(1), "undelivered", "30005")
            .await,
        Ok(200)
    );
    // What reaches ejabberd while she logs in waits there for her next login.
    let told = until("the failure to be told", PATIENCE, async || {
        let trace = world.transom.command(&["trace", "m1", "--json"]).await;
        let trace = String::from_utf8_lossy(&trace.stdout).into_owned();
        trace.contains(r#""told": "error""#).then_some(())
    });
    told.await.unwrap_or_else(|why| panic!("{why}"));
    let mut alice = world.server.client("alice", "desk").await;
    let wanted = |body: &str| body.starts_with('⚠') && body.contains("\"are you there\"");
    let line = alice
        .expect("the line", |stanza| {
            stanza.body().is_some_and(|body| wanted(&body))
        })
        .await;
    assert_eq!(line.attr("from"), Some(contact(PEER).as_str()));
    assert!(
        line.child_in("reply", "urn:xmpp:reply:0").is_some(),
        "it names its message: {line:?}"
    );
}
