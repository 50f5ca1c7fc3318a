//! A provider that is out of order for long, under a flood: nobody else is held up, memory stays flat, nothing is dropped.

mod mails;
mod slow;
mod webhooks;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::time::Instant;
use transom_test_servers::{Answer, HttpDouble, PATIENCE, Server, skipped, until};

use crate::{
    house::{alone, prosody},
    world::{LINE, Twilio, chat, contact, link_up},
};

const TEXTS: usize = 1_000;
const PEERS: usize = 20;
/// More than a debug build needs for a thousand waiting texts, less than it would take to keep them several times.
const GROWTH_BYTES_MAX: u64 = 48 * 1024 * 1024;

#[tokio::test]
async fn a_flood_at_a_provider_that_is_down_holds_up_nobody_else() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let prosody = prosody(&["alice", "bob"]).await;
    let other = HttpDouble::start().await;
    other.answer_by(|_| {
        Answer::json(
            201,
            r#"{"sid":"SMother","status":"queued","num_segments":"1"}"#,
        )
    });
    let (mut transom, twilio) = alone(prosody.component_addr(), &lines(&other), "").await;
    transom.start().await;
    link_up(&transom, "sms").await;
    let (is_down, taken) = provider(&twilio);
    let mut alice = prosody.client("alice", "phone").await;
    let mut bob = prosody.client("bob", "phone").await;
    let early = transom.resident_bytes();
    for number in 0..TEXTS {
        let to = contact(&format!("+120255501{:02}", 40 + number % PEERS));
        alice
            .send(&chat(
                &to,
                &format!("m{number}"),
                &format!("flood {number}"),
            ))
            .await;
    }
    alice.barrier().await;
    let asked = Instant::now();
    bob.send(&chat(&contact("+12025550199"), "b1", "in between"))
        .await;
    other
        .request("bob's text", |request| {
            request.form("Body").as_deref() == Some("in between")
        })
        .await;
    eprintln!("bob's text left after {:?}", asked.elapsed());
    let late = transom.resident_bytes();
    eprintln!(
        "resident: {} KiB before, {} KiB under the flood",
        early / 1024,
        late / 1024
    );
    assert!(
        late < early + GROWTH_BYTES_MAX,
        "{early} bytes became {late}"
    );
    is_down.store(false, Ordering::Relaxed);
    let all = async || (taken.load(Ordering::Relaxed) >= TEXTS).then_some(());
    until("the queue to drain", 6 * PATIENCE, all)
        .await
        .unwrap_or_else(|why| panic!("{why}: {} of {TEXTS}", taken.load(Ordering::Relaxed)));
    in_order(&twilio);
}

/// Alice's line goes by the one provider, bob's by the other.
fn lines(other: &HttpDouble) -> String {
    format!(
        "[gateway.sms.provider.other]\nkind = \"twilio\"\naccount_sid = \"AC2\"\nauth_token = \"67890\"\nbase_url = \"{}\"\n\
         [[gateway.sms.line]]\nnumber = \"{LINE}\"\nprovider = \"main\"\nowner = \"alice@example.org\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550101\"\nprovider = \"other\"\nowner = \"bob@example.org\"\n\
         [gateway.sms.limits]\nmessages_per_day = 100000\nsegments_per_day = 100000\ngateway_per_day = 100000\nnew_peers_per_hour = 1000\n",
        other.url("")
    )
}

/// The provider is out of order until it is told otherwise, and counts what it takes.
fn provider(twilio: &Twilio) -> (Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (is_down, taken) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (down, count) = (Arc::clone(&is_down), Arc::clone(&taken));
    twilio.api.answer_by(move |request| {
        if request.method != "POST" {
            return Answer::status(404);
        }
        if down.load(Ordering::Relaxed) {
            return Answer::json(429, r#"{"code":20429}"#).header("Retry-After", "1");
        }
        let number = count.fetch_add(1, Ordering::Relaxed);
        Answer::json(
            201,
            &format!(r#"{{"sid":"SM{number:032x}","status":"queued","num_segments":"1"}}"#),
        )
    });
    (is_down, taken)
}

/// Each text was taken once, and each chat in its order: those that came after the provider was mended.
fn in_order(twilio: &Twilio) {
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for request in twilio.sent() {
        let body = request.form("Body").unwrap();
        let number: usize = body.strip_prefix("flood ").unwrap().parse().unwrap();
        let to = request.form("To").unwrap();
        // One that was refused comes again; nothing behind it passes meanwhile.
        let before = last.insert(to.clone(), number);
        assert!(
            before.is_none_or(|before| before <= number),
            "{to}: {before:?} before {number}"
        );
    }
    assert_eq!(last.len(), PEERS);
}
