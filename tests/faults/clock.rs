//! A clock that is set back by hours: nobody waits for the difference.

use std::time::Duration;

use transom_test_servers::{Answer, NpmSmsc, PATIENCE, Server, skipped, until};

use crate::{
    house::{SECRET, alone, lines, prosody},
    time::Time,
    traffic::Smsc,
    world::{LINE, SMS, chat, is_receipt_of, link_up},
};

/// Far more than a test waits.
const BACK: Duration = Duration::from_hours(6);
const PEER: &str = "+12025550140";

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nobody_wait_for_the_difference() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let prosody = prosody(&["alice"]).await;
    let mut smsc = NpmSmsc::start().await;
    let gateways = lines("alice") + &Smsc::gateway(&smsc.url(), SECRET);
    let (mut transom, twilio) = alone(prosody.component_addr(), &gateways, "").await;
    let time = Time::of(&mut transom);
    transom.start().await;
    link_up(&transom, "sms").await;
    smsc.wait_until_bound().await;
    let mut alice = prosody.client("alice", "phone").await;
    let logged = async |words: &str| {
        let said = async || transom.log().contains(words).then_some(());
        let said = until(words, PATIENCE, said).await;
        said.unwrap_or_else(|why| panic!("{why}\n{}", transom.log()));
    };

    // A text that waits for its next attempt, and an account that waits for its next bind.
    twilio
        .api
        .answer_next(Answer::json(429, r#"{"code":20429}"#).header("Retry-After", "5"));
    alice
        .send(&chat(&format!("{PEER}@{SMS}"), "m1", "patience"))
        .await;
    twilio.text("patience").await;
    logged("attempt=1").await;
    smsc.stop().await;
    logged("Lost the session with the SMSC.").await;
    time.back(BACK);
    smsc.start_again().await;
    smsc.wait_until_bound().await;
    let sent = twilio.text("patience").await;

    // Neither does what is new.
    assert_eq!(
        twilio
            .report(&sent, "SM00000000000000000000000000000001", "delivered", "")
            .await,
        Ok(200)
    );
    alice
        .expect("m1", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    assert_eq!(
        twilio.deliver("SMin", PEER, LINE, "in the past").await,
        Ok(200)
    );
    alice
        .expect("a text", |stanza| {
            stanza.body().as_deref() == Some("in the past")
        })
        .await;
    alice
        .send(&chat(&format!("{PEER}@{SMS}"), "m2", "in the past too"))
        .await;
    twilio.text("in the past too").await;
}
