//! A flood of texts from phones: each call is answered by what is true, nobody else waits behind them, memory stays flat.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{task::JoinSet, time::Instant};
use transom_test_servers::{Answer, Element, HttpDouble, PATIENCE, Server, skipped};

use super::{GROWTH_BYTES_MAX, lines};
use crate::{
    house::{alone, prosody},
    world::{LINE, Twilio, chat, contact, link_up},
};

const TEXTS: usize = 2_400;
const AT_ONCE: usize = 100;
/// After as many the memory is looked at for the first time: what is needed to work is there by then.
const EARLY: usize = TEXTS / 4;
/// Of each text: as long as a provider lets one be.
const LENGTH: usize = 1_500;

#[tokio::test]
async fn a_flood_of_webhooks_is_stored_or_told_to_come_back_and_holds_up_nobody_else() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let prosody = prosody(&["alice", "bob"]).await;
    let other = HttpDouble::start().await;
    other.answer_by(|_| {
        let json = r#"{"sid":"SMother","status":"queued","num_segments":"1"}"#;
        Answer::json(201, json)
    });
    let (mut transom, twilio) = alone(prosody.component_addr(), &lines(&other), "").await;
    transom.start().await;
    link_up(&transom, "sms").await;
    let mut alice = prosody.client("alice", "phone").await;
    let mut bob = prosody.client("bob", "phone").await;
    alice
        .send(&chat(&contact("+12025550140"), "a1", "hello"))
        .await;
    twilio.text("hello").await;
    let twilio = Arc::new(twilio);
    let (mut calls, mut answers) = (JoinSet::new(), BTreeMap::new());
    let (mut next, mut early, mut waited) = (0, 0, Vec::new());
    while next < TEXTS || !calls.is_empty() {
        while next < TEXTS && calls.len() < AT_ONCE {
            calls.spawn(call(Arc::clone(&twilio), next));
            next += 1;
            if next == EARLY {
                early = transom.resident_bytes();
            }
            if next % (TEXTS / 4) == 0 {
                let (id, asked) = (format!("in between {next}"), Instant::now());
                bob.send(&chat(&contact("+12025550199"), &id, &id)).await;
                let is_it = |request: &transom_test_servers::Request| {
                    request.form("Body").as_deref() == Some(&*id)
                };
                other.request("bob's text", is_it).await;
                waited.push(asked.elapsed());
            }
        }
        for status in calls.join_next().await.unwrap().unwrap() {
            *answers.entry(status).or_insert(0) += 1;
        }
    }
    let mut arrived = BTreeMap::<String, usize>::new();
    while arrived.len() < TEXTS {
        let is_one = |stanza: &Element| {
            let body = stanza.body().unwrap_or_default();
            body.starts_with("flood ")
        };
        let text = alice.expect("a text", is_one).await;
        *arrived.entry(text.body().unwrap()).or_default() += 1;
    }
    let late = transom.resident_bytes();
    eprintln!(
        "{TEXTS} webhooks, {AT_ONCE} at once: answered {answers:?}; bob's texts left after {waited:?}; resident {} KiB after {EARLY}, \
         {} KiB at the end",
        early / 1024,
        late / 1024
    );
    assert_eq!(answers.remove(&200), Some(TEXTS), "{answers:?}");
    assert!(
        answers.keys().all(|status| [429, 503].contains(status)),
        "{answers:?}"
    );
    assert!(arrived.values().all(|count| *count == 1));
    assert!(waited.iter().all(|time| *time < PATIENCE / 2), "{waited:?}");
    assert!(
        late < early + GROWTH_BYTES_MAX,
        "{early} bytes became {late}"
    );
}

/// A provider calls until its event is taken; every answer that it got.
async fn call(twilio: Arc<Twilio>, number: usize) -> Vec<u16> {
    let from = format!("+120255501{:02}", 40 + number % 20);
    let text = format!("flood {number} {}", "x".repeat(LENGTH));
    let (sid, mut statuses) = (format!("SMin{number}"), Vec::new());
    while statuses.last() != Some(&200) {
        let answer = twilio.deliver(&sid, &from, LINE, &text).await;
        statuses.push(answer.unwrap_or_else(|why| panic!("{number}: {why}")));
    }
    statuses
}
