//! A network that has a text and says nothing; and a process that stands still while it has one.

use std::{process::Command, time::Duration};

use tokio::time::timeout;
use transom_test_servers::{Answer, PATIENCE, Server, Signal, Transom, skipped, until};

use crate::{
    house::{alone, lines, prosody},
    time::Time,
    world::{SMS, Twilio, chat, is_receipt_of, link_up},
};

/// More than any call to a provider may take (30 s), for both that wait.
const PAST_THE_DEADLINE: Duration = Duration::from_secs(33);
/// More than a doubt waits for a report.
const QUARTER: Duration = Duration::from_mins(16);

fn to(chat: usize) -> String {
    format!("+120255501{:02}@{SMS}", 40 + chat)
}

async fn trace(transom: &Transom, id: &str) -> String {
    let trace = transom.command(&["trace", id, "--json"]).await;
    String::from_utf8_lossy(&trace.stdout).into_owned()
}

/// How often the network got a text with this body.
fn times(twilio: &Twilio, body: &str) -> usize {
    let sent = twilio.sent();
    let has_it =
        |request: &&transom_test_servers::Request| request.form("Body").as_deref() == Some(body);
    sent.iter().filter(has_it).count()
}

/// Nobody knows what became of either text: neither is ever sent again, the chat goes on, and its writer is told.
#[tokio::test]
async fn what_hangs_and_what_was_under_way_in_a_frozen_process_is_never_sent_again() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let prosody = prosody(&["alice"]).await;
    let (mut transom, twilio) = alone(prosody.component_addr(), &lines("alice"), "").await;
    let time = Time::of(&mut transom);
    transom.start().await;
    link_up(&transom, "sms").await;
    let mut alice = prosody.client("alice", "phone").await;

    twilio.api.answer_next(Answer::Hang);
    alice.send(&chat(&to(0), "m1", "hangs")).await;
    let hung = twilio.text("hangs").await;
    alice.send(&chat(&to(0), "m2", "behind it")).await;
    alice.send(&chat(&to(1), "m3", "elsewhere")).await;
    twilio.text("elsewhere").await;
    assert_eq!(
        times(&twilio, "behind it"),
        0,
        "order within the chat is strict"
    );

    // The network has the text before the process stands still, and its answer comes while it does.
    let id = transom.id().to_string();
    twilio.api.answer_by(move |request| {
        if request.form("Body").as_deref() == Some("frozen") {
            let stopped = Command::new("kill").args(["-STOP", &id]).status();
            assert!(stopped.is_ok_and(|status| status.success()), "kill -STOP");
        }
        Answer::json(
            201,
            r#"{"sid":"SMlater","status":"queued","num_segments":"1"}"#,
        )
    });
    alice.send(&chat(&to(2), "m4", "frozen")).await;
    let frozen = twilio.text("frozen").await;
    timeout(PAST_THE_DEADLINE, std::future::pending::<()>())
        .await
        .ok();
    transom.signal(Signal::CONT);

    // Both deadlines are over.
    twilio.text("behind it").await;
    let outcome = async || {
        let trace = trace(&transom, "m4").await;
        let is_over = |state: &str| trace.contains(&format!(r#""state": "{state}""#));
        (is_over("accepted") || is_over("unknown")).then_some(())
    };
    until("the end of the attempt", PATIENCE, outcome)
        .await
        .unwrap_or_else(|why| panic!("{why}\n{}", transom.log()));
    let hanging = trace(&transom, "m1").await;
    assert!(hanging.contains(r#""state": "unknown""#), "{hanging}");

    time.forward(QUARTER);
    let told = |body: &str| body.contains("\"hangs\" may or may not have arrived");
    let is_told =
        |stanza: &transom_test_servers::Element| stanza.body().is_some_and(|body| told(&body));
    alice.expect("a doubt", is_told).await;
    transom.kill9();
    transom.start().await;
    link_up(&transom, "sms").await;
    // A report decides after all, and names the text by the key that it was sent with.
    for (id, sent, sid) in [("m1", &hung, "SMhung"), ("m4", &frozen, "SMlater")] {
        assert_eq!(twilio.report(sent, sid, "delivered", "").await, Ok(200));
        alice.expect(id, |stanza| is_receipt_of(stanza, id)).await;
    }
    for body in ["hangs", "behind it", "elsewhere", "frozen"] {
        assert_eq!(times(&twilio, body), 1, "{body}");
    }
}

/// A process that is to end does not wait for a network without end, and says itself what it does not know.
#[tokio::test]
async fn a_process_ends_in_good_order_while_a_network_hangs() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let prosody = prosody(&["alice"]).await;
    let (mut transom, twilio) = alone(prosody.component_addr(), &lines("alice"), "").await;
    transom.start().await;
    link_up(&transom, "sms").await;
    let mut alice = prosody.client("alice", "phone").await;
    twilio.api.answer_next(Answer::Hang);
    alice.send(&chat(&to(0), "m1", "hangs")).await;
    twilio.text("hangs").await;
    alice.send(&chat(&to(0), "m2", "behind it")).await;
    alice.barrier().await;
    let status = transom.sigterm().await;
    assert_eq!(status.code(), Some(0), "{}", transom.log());
    transom.start().await;
    link_up(&transom, "sms").await;
    twilio.text("behind it").await;
    let hanging = trace(&transom, "m1").await;
    assert!(hanging.contains(r#""state": "unknown""#), "{hanging}");
    assert_eq!(times(&twilio, "hangs"), 1);
}
