//! Ten thousand webhooks at once, of which not all are what they say.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use transom_test_servers::{PATIENCE, Server, post_with, skipped};

use crate::world::{LINE, World, chat, contact};

const PEER: &str = "+12025550147";
const CALLS: usize = 10_000;
/// Of each ten calls: eight are new, one repeats the first of them, one is forged.
const NEW: usize = CALLS / 10 * 8;
/// As the metric counts them: a tenth.
const FORGED: f64 = 1000.0;
/// At the same time, as a provider does it that has something to make up for.
const CALLERS: usize = 16;
/// More than a debug build needs, and less than it would take to keep ten thousand calls.
const GROWTH_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[tokio::test]
async fn a_storm_of_webhooks_becomes_each_text_once_and_no_forged_one() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut alice = world.client("alice").await;
    // Traffic from outside makes no users: she has to write first.
    alice.send(&chat(&contact(PEER), "m0", "hello")).await;
    world.twilio.text("hello").await;
    // The first tenth warms caches, pools and the allocator.
    storm(&world, 0..CALLS / 10).await;
    let early = world.transom.resident_bytes();
    storm(&world, CALLS / 10..CALLS).await;
    let late = world.transom.resident_bytes();
    eprintln!(
        "resident: {} KiB after a tenth, {} KiB after all",
        early / 1024,
        late / 1024
    );
    assert!(
        late < early + GROWTH_BYTES_MAX,
        "{early} bytes became {late}"
    );

    let (mut ids, mut bodies) = (HashSet::new(), HashSet::new());
    while bodies.len() < NEW {
        let text = alice
            .expect_within(PATIENCE * 4, "another text", |stanza| {
                stanza.body().is_some()
            })
            .await;
        let body = text.body().expect("a body");
        assert!(
            ids.insert(text.attr("id").expect("an id").to_owned()),
            "{body} came twice"
        );
        assert!(bodies.insert(body.clone()), "{body} came twice");
        assert!(!body.contains("forged"), "{body}");
    }
    alice.barrier().await;
    assert!(
        alice
            .take_rest()
            .iter()
            .all(|stanza| stanza.body().is_none()),
        "one came twice"
    );
    let forged = r#"transom_events_total{account="sms/main",what="webhook_forged"}"#;
    assert_eq!(world.transom.metric(forged).await, Some(FORGED));
}

async fn storm(world: &World, calls: std::ops::Range<usize>) {
    let next = AtomicUsize::new(calls.start);
    let caller = async || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= calls.end {
                return;
            }
            call(world, number).await;
        }
    };
    join_all((0..CALLERS).map(|_| caller())).await;
}

async fn call(world: &World, number: usize) {
    match number % 10 {
        9 => forge(world, number).await,
        8 => deliver(world, number - 8).await,
        _ => deliver(world, number).await,
    }
}

/// As a provider does it: until it is taken.
async fn deliver(world: &World, number: usize) {
    let peer = format!("+120255501{:02}", number / 10 % 50 + 20);
    let (sid, body) = (format!("SM{number:032x}"), format!("text {number}"));
    loop {
        let status = world.twilio.deliver(&sid, &peer, LINE, &body).await;
        match status.expect("an answer") {
            200 => return,
            503 => tokio::task::yield_now().await,
            other => panic!("{other}"),
        }
    }
}

async fn forge(world: &World, number: usize) {
    let headers = [
        ("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let body =
        format!("MessageSid=SM{number:032x}&From=%2B12025550147&To=%2B12025550100&Body=forged");
    let answer = post_with(
        world.transom.http(),
        "/webhook/sms/main",
        &headers,
        body.as_bytes(),
    )
    .await;
    assert_eq!(answer.expect("an answer").status, 403);
}
