//! What people read when something fails: each sentence whole.

use std::time::Duration;

use transom_test_servers::{Answer, Element, Server, TurnedClock, XmppClient, skipped};

use crate::{
    files::error,
    world::{World, alices_line, chat, contact, is_receipt_of},
};

const PEER: &str = "+12025550147";

async fn world(change: impl FnOnce(&mut World)) -> (World, XmppClient) {
    let mut world = World::prepare(&alices_line(), "", |builder| builder).await;
    change(&mut world);
    world.transom.start().await;
    world.up().await;
    let alice = world.client("alice").await;
    (world, alice)
}

#[tokio::test]
async fn each_refusal_of_a_provider_has_a_sentence_of_its_own() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut clock = None;
    let (world, mut alice) = world(|world| {
        let transom = &mut world.transom;
        transom.set_env("TRANSOM_GATEWAY__SMS__GIVE_UP", "1m");
        clock = Some(TurnedClock::of(transom));
    })
    .await;
    let clock = clock.expect("one was made");
    let code = |status, code: u32| Answer::json(status, &format!(r#"{{"code":{code}}}"#));
    let mut tries = 0;
    for (answer, condition, sentence) in [
        (
            code(400, 21211),
            "item-not-found",
            "This number is not in service. Check it.",
        ),
        (
            code(400, 21614),
            "item-not-found",
            "This number cannot receive text messages; it may be a landline.",
        ),
        (
            Answer::status(503),
            "remote-server-timeout",
            "It could not be delivered within 60 seconds. Send it again if it still matters.",
        ),
        (
            code(429, 20429).header("Retry-After", "2"),
            "resource-constraint",
            "Too many messages were sent in a short time. Send it again later.",
        ),
        (
            code(401, 20003),
            "internal-server-error",
            "This gateway cannot send at the moment. Its administrators have been told.",
        ),
    ] {
        tries += 1;
        world.twilio.api.answer_by(move |_| answer.clone());
        let peer = contact(PEER);
        alice.send(&chat(&peer, sentence, sentence)).await;
        world.twilio.text(sentence).await;
        // What may pass was tried again for as long as texts are.
        clock.turn(Duration::from_mins(5) * tries);
        let told = error(&mut alice, sentence).await;
        assert_eq!(told, (condition.to_owned(), sentence.to_owned()));
    }
}

#[tokio::test]
async fn what_is_no_number_is_said_with_what_to_write() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let (world, mut alice) = world(|_| ()).await;
    for (to, condition, sentence) in [
        (
            "2025550147",
            "gone",
            "This is not how a phone number is written here. Write to +12025550147@sms.example.org.",
        ),
        (
            "hello",
            "item-not-found",
            "This is not a phone number. Write it with plus sign and country code, as +12025550147.",
        ),
    ] {
        alice.send(&chat(&contact(to), to, "hello")).await;
        let told = error(&mut alice, to).await;
        assert_eq!(told, (condition.to_owned(), sentence.to_owned()));
    }
    assert!(world.twilio.sent().is_empty(), "at no cost");
}

/// Semantics 4: an answer that says nothing leaves everybody in doubt; its writer is told, and corrected when a report comes after all.
#[tokio::test]
async fn who_wrote_a_text_of_unknown_outcome_is_told_what_to_do() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    for (what, answer) in [
        ("garbage", Answer::with(200, "text/html", "<h1>?")),
        ("nothing", Answer::Close),
        ("500", Answer::status(500)),
    ] {
        let mut clock = None;
        let with_clock = |world: &mut World| clock = Some(TurnedClock::of(&mut world.transom));
        let (world, mut alice) = world(with_clock).await;
        world.twilio.api.answer_next(answer);
        alice.send(&chat(&contact(PEER), "m1", "doubtful")).await;
        alice.send(&chat(&contact(PEER), "m2", "next")).await;
        let sent = world.twilio.text("doubtful").await;
        world.twilio.text("next").await;
        clock.expect("one was made").turn(Duration::from_mins(16));
        let mut said = async |sentence: &str| {
            let is_it = |stanza: &Element| stanza.body().as_deref() == Some(sentence);
            let line = alice.expect(what, is_it).await;
            assert_eq!(line.attr("from"), Some(contact(PEER).as_str()), "{what}");
        };
        said("⚠ \"doubtful\" may or may not have arrived. Send it again if you need to be sure.")
            .await;
        // It names our own key.
        let reported = world.twilio.report(&sent, "SMdoubtful", "delivered", "");
        assert_eq!(reported.await, Ok(200));
        said("✓ \"doubtful\" was delivered after all.").await;
        alice
            .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
            .await;
        let bodies = world.twilio.sent();
        let bodies = bodies.iter().filter_map(|sent| sent.form("Body"));
        assert_eq!(bodies.collect::<Vec<_>>(), ["doubtful", "next"], "{what}");
    }
}
