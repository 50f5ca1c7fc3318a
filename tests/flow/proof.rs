//! Where an admin wants it, users prove a mobile number before they write; and what a provider knows of an opt-out.

use transom_test_servers::{Answer, Element, Request, Server, skipped};

use crate::{
    commands::say,
    world::{LINE, PLAIN, World, chat, condition, contact},
};

const PEER: &str = "+12025550147";
const OWN: &str = "+12025550188";

/// The six digits of a text.
fn code(text: &Request) -> String {
    let body = text.form("Body").expect("a body");
    let digits: String = body
        .chars()
        .take_while(|character| *character != ' ')
        .collect();
    assert_eq!(digits.len(), 6, "{body}");
    digits
}

/// Another one.
fn wrong(code: &str) -> String {
    let code: u32 = code.parse().unwrap();
    format!("{:06}", (code + 1) % 1_000_000)
}

async fn code_for(world: &World, number: usize) -> String {
    let to_own = |request: &&Request| request.form("To").as_deref() == Some(OWN);
    let nth = async || {
        let sent = world.twilio.sent();
        sent.iter().filter(to_own).nth(number).map(code)
    };
    transom_test_servers::until("the code", transom_test_servers::PATIENCE, nth)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_mobile_number_is_proved_by_a_texted_code_before_anything_is_sent() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
    let mut world = World::prepare_on(Server::Prosody, &PLAIN, &line, "", |builder| builder).await;
    let config = world.transom.config_text();
    world
        .transom
        .configure(&config.replace("region = ", "verify_mobile = true\nregion = "));
    world.transom.start().await;
    world.up().await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "too early")).await;
    let refused = |stanza: &Element| stanza.attr("id") == Some("m1");
    let error = alice.expect("the refusal", refused).await;
    assert_eq!(condition(&error).as_deref(), Some("registration-required"));
    assert!(error.to_string().contains("verify"), "{error}");
    assert!(
        say(&mut alice, "verify (202) 555-0188")
            .await
            .contains("register")
    );
    say(&mut alice, "register").await;
    assert!(
        say(&mut alice, "code 123456")
            .await
            .contains("No code waits")
    );
    let said = say(&mut alice, "verify (202) 555-0188").await;
    assert!(said.contains(OWN) && said.contains("10 minutes"), "{said}");
    let first = code_for(&world, 0).await;
    let said = say(&mut alice, &format!("code {}", wrong(&first))).await;
    assert!(said.contains("4 times more"), "{said}");
    // A new code replaces the one before.
    say(&mut alice, "verify +12025550188").await;
    let second = code_for(&world, 1).await;
    // The sender proves nothing by claiming to be the one who sends codes.
    alice
        .send(&chat(&contact(PEER), "m2", "still too early"))
        .await;
    alice
        .expect("the refusal", |stanza| stanza.attr("id") == Some("m2"))
        .await;
    let said = say(&mut alice, &format!("code {second}")).await;
    assert!(said.contains(OWN) && said.contains("yours"), "{said}");
    assert!(
        say(&mut alice, &format!("code {second}"))
            .await
            .contains("No code waits")
    );
    alice.send(&chat(&contact(PEER), "m3", "at last")).await;
    world.twilio.text("at last").await;
    assert_eq!(world.twilio.sent().len(), 3, "two codes and one text");
    // Three a day.
    say(&mut alice, "verify +12025550188").await;
    let said = say(&mut alice, "verify +12025550188").await;
    assert!(said.contains("tomorrow"), "{said}");
}

#[tokio::test]
async fn nobody_proves_anything_unless_an_admin_wants_it() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut alice = world.client("alice").await;
    let help = say(&mut alice, "help").await;
    assert!(!help.contains("verify"), "{help}");
    let said = say(&mut alice, "verify +12025550188").await;
    assert!(said.contains("is not a command"), "{said}");
    assert!(world.twilio.sent().is_empty());
}

#[tokio::test]
async fn an_opt_out_that_only_the_provider_knows_is_heeded_until_start() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut alice = world.client("alice").await;
    let stopped = Answer::json(400, r#"{"code":21610,"message":"no","status":400}"#);
    world.twilio.api.answer_next(stopped);
    for id in ["m1", "m2"] {
        alice.send(&chat(&contact(PEER), id, "hello")).await;
        let refused = |stanza: &Element| {
            stanza.attr("id") == Some(id) && stanza.attr("type") == Some("error")
        };
        let error = alice.expect("the refusal", refused).await;
        assert_eq!(condition(&error).as_deref(), Some("not-allowed"));
    }
    assert_eq!(world.twilio.sent().len(), 1, "asked once");
    assert!(say(&mut alice, "optouts").await.contains(PEER));
    // The same by a report, about somebody else.
    let other = "+12025550148";
    alice.send(&chat(&contact(other), "m3", "hello you")).await;
    let sent = world.twilio.text("hello you").await;
    let sid = crate::world::Twilio::sid(1);
    let reported = world.twilio.report(&sent, &sid, "undelivered", "21610");
    assert_eq!(reported.await, Ok(200));
    let failed = |stanza: &Element| stanza.attr("id") == Some("m3");
    alice.expect("that it failed", failed).await;
    assert!(say(&mut alice, "optouts").await.contains(other));
    for (sid, peer) in [("SM1", PEER), ("SM2", other)] {
        assert_eq!(
            world.twilio.deliver(sid, peer, LINE, "START").await,
            Ok(200)
        );
    }
    alice
        .send(&chat(&contact(PEER), "m4", "welcome back"))
        .await;
    world.twilio.text("welcome back").await;
}
