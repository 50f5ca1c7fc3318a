//! Threats that only a whole flow can try; `docs/THREATS.md` names these and all others.

use transom_test_servers::{Answer, Server, get, skipped};

use crate::world::{LINE, World, chat, condition, contact};

const PEER: &str = "+12025550147";

#[tokio::test]
async fn nothing_private_is_logged() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut world = World::start("").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "zebra words")).await;
    let sent = world.twilio.text("zebra words").await;
    assert_eq!(
        world.twilio.report(&sent, "SMone", "delivered", "").await,
        Ok(200)
    );
    let delivered = world
        .twilio
        .deliver("SMin", PEER, LINE, "giraffe words")
        .await;
    assert_eq!(delivered, Ok(200));
    let arrived =
        |stanza: &transom_test_servers::Element| stanza.body().as_deref() == Some("giraffe words");
    alice.expect("the text", arrived).await;
    // What goes wrong is logged most.
    let refusal =
        r#"{"code":21211,"message":"The 'To' number +12025550147 is not a valid phone number"}"#;
    world.twilio.api.answer_next(Answer::json(400, refusal));
    alice.send(&chat(&contact(PEER), "m2", "okapi words")).await;
    alice
        .expect("the error", |stanza| condition(stanza).is_some())
        .await;
    alice
        .send(&chat("nobody@sms.example.org", "m3", "gnu words"))
        .await;
    alice
        .expect("the error", |stanza| stanza.attr("id") == Some("m3"))
        .await;
    let forged = world
        .twilio
        .call("?forged", &[("Body", "lion words")])
        .await;
    assert!(forged.is_ok());
    let page = world.transom.metrics().await;
    let command_line = world.transom.command_line();
    assert!(world.transom.sigterm().await.success());
    let log = world.transom.log();
    assert!(log.contains("Handed to the network."), "it logs: {log}");
    for (where_to, text) in [
        ("log", &log),
        ("metrics", &page),
        ("processes", &command_line),
    ] {
        for word in ["zebra", "giraffe", "okapi", "gnu words", "lion"] {
            assert!(!text.contains(word), "{where_to}: a text: {text}");
        }
        // Whole numbers of people and of ours, as they are or in a URL; the last digits may show.
        for number in ["2025550147", "2025550100"] {
            assert!(!text.contains(number), "{where_to}: a number: {text}");
        }
        // The component's secret, and the provider's login as HTTP carries it.
        for secret in ["component-secret", "QUMxOjEyMzQ1"] {
            assert!(!text.contains(secret), "{where_to}: a secret: {text}");
        }
    }
}

#[tokio::test]
async fn nobody_learns_of_what_another_wrote() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    alice.send(&chat(&contact(PEER), "m1", "zebra words")).await;
    world.twilio.text("zebra words").await;
    let gateway = "sms.example.org";
    let mut answers = Vec::new();
    for (number, id) in ["m1", "never-was"].iter().enumerate() {
        let question = format!("q{number}");
        bob.message(gateway, &question, &format!("trace {id}"))
            .await;
        let answer = bob
            .expect("the gateway's answer", |stanza| {
                stanza.body().is_some()
                    && stanza
                        .attr("from")
                        .is_some_and(|from| from.starts_with(gateway))
            })
            .await;
        let answer = answer.body().unwrap_or_default();
        for word in ["zebra", "0147", "alice"] {
            assert!(!answer.contains(word), "{answer}");
        }
        answers.push(answer.replace(id, "ID"));
    }
    assert_eq!(
        answers[0], answers[1],
        "whether there is such a message shows"
    );
    // Her contact is his own affair: what he writes there is not in her conversation.
    bob.send(&chat(&contact(PEER), "m2", "me too")).await;
    bob.expect("a refusal", |stanza| condition(stanza).is_some())
        .await;
}

#[tokio::test]
async fn words_from_outside_stay_words() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    world.twilio.text("hello").await;
    let words = "</body></message><message to='bob@example.org' type='chat'><body>gotcha ]]> &amp; \u{202e}";
    assert_eq!(
        world.twilio.deliver("SMin", PEER, LINE, words).await,
        Ok(200)
    );
    alice
        .expect("the words as they are", |stanza| {
            stanza.body().as_deref() == Some(words)
        })
        .await;
    bob.barrier().await;
    let heard = bob.take_rest();
    assert!(
        heard.iter().all(|stanza| stanza.body().is_none()),
        "{heard:?}"
    );
}

#[tokio::test]
async fn files_are_found_by_their_token_alone() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let http = world.transom.http();
    for path in [
        "/files/",
        "/files/a/b.png",
        "/files/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/b.png",
        "/files/../transom.toml",
        "/files/..%2f..%2ftransom.toml/x",
        "/files/%2e%2e/transom.toml",
        "/files//etc/passwd",
        "/files/%00/x",
    ] {
        let answer = get(http, path).await.unwrap();
        let status = answer.status;
        assert!((400..500).contains(&status), "{path}: {status}");
        let text = answer.text();
        assert!(
            !text.contains("component-secret") && !text.contains("root:"),
            "{path}: {text}"
        );
    }
}
