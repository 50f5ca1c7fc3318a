//! A provider that takes a few texts a minute, for an hour of the clock, with many more waiting.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use transom_test_servers::{
    Answer, HttpDouble, PATIENCE, Request, Server, TurnedClock, skipped, until,
};

use super::{GROWTH_BYTES_MAX, lines};
use crate::{
    house::{alone, prosody},
    world::{Twilio, chat, contact, link_up},
};

const TEXTS: usize = 400;
const PEERS: usize = 20;
const MINUTES: u64 = 60;
/// So many it takes in a minute.
const A_MINUTE: usize = 3;

/// What it has taken, by body.
type Taken = Arc<Mutex<BTreeMap<String, usize>>>;

#[tokio::test]
async fn an_hour_of_a_slow_provider_starves_nobody_and_loses_nothing() {
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
    let clock = TurnedClock::of(&mut transom);
    transom.start().await;
    link_up(&transom, "sms").await;
    let (room, taken) = slow(&twilio);
    let mut alice = prosody.client("alice", "phone").await;
    let mut bob = prosody.client("bob", "phone").await;
    for number in 0..TEXTS {
        let to = contact(&format!("+120255501{:02}", 40 + number % PEERS));
        let stanza = chat(&to, &format!("m{number}"), &format!("slow {number}"));
        alice.send(&stanza).await;
    }
    alice.barrier().await;
    let (mut early, mut waited) = (0, Vec::new());
    for minute in 1..=MINUTES {
        clock.turn(Duration::from_mins(minute));
        room.store(A_MINUTE, Ordering::Relaxed);
        let id = format!("in between {minute}");
        let asked = Instant::now();
        bob.send(&chat(&contact("+12025550199"), &id, &id)).await;
        let is_it = |request: &Request| request.form("Body").as_deref() == Some(&*id);
        other.request("bob's text", is_it).await;
        waited.push(asked.elapsed());
        if minute == MINUTES / 6 {
            early = transom.resident_bytes();
        }
    }
    let late = transom.resident_bytes();
    let slowly = taken.lock().unwrap().len();
    assert!(slowly < TEXTS, "it was not slow: {slowly}");
    room.store(usize::MAX, Ordering::Relaxed);
    let mut ahead = MINUTES;
    let all = async || {
        // Pauses go by the clock.
        ahead += 1;
        clock.turn(Duration::from_mins(ahead.min(3 * MINUTES)));
        (taken.lock().unwrap().len() == TEXTS).then_some(())
    };
    until("the queue to drain", 2 * PATIENCE, all)
        .await
        .unwrap_or_else(|why| panic!("{why}: {} of {TEXTS}", taken.lock().unwrap().len()));
    waited.sort_unstable();
    eprintln!(
        "{slowly} of {TEXTS} taken in an hour; bob's {MINUTES} texts left after {:?} at most, {:?} in the middle; resident {} KiB after ten \
         minutes, {} KiB after the hour",
        waited[waited.len() - 1],
        waited[waited.len() / 2],
        early / 1024,
        late / 1024
    );
    assert!(taken.lock().unwrap().values().all(|count| *count == 1));
    assert!(
        late < early + GROWTH_BYTES_MAX,
        "{early} bytes became {late}"
    );
    let errors = alice
        .received()
        .iter()
        .filter(|stanza| stanza.attr("type") == Some("error"));
    assert_eq!(errors.count(), 0, "none was given up");
}

/// Takes as many as it has room for, and tells the others to come in a minute.
fn slow(twilio: &Twilio) -> (Arc<AtomicUsize>, Taken) {
    let (room, taken) = (Arc::new(AtomicUsize::new(0)), Taken::default());
    let (left, book) = (Arc::clone(&room), Arc::clone(&taken));
    twilio.api.answer_by(move |request| {
        if request.method != "POST" {
            return Answer::status(404);
        }
        let took = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        });
        if took.is_err() {
            return Answer::json(429, r#"{"code":20429}"#).header("Retry-After", "60");
        }
        let mut book = book.lock().unwrap();
        *book.entry(request.form("Body").unwrap()).or_default() += 1;
        let sid = format!("SM{:032x}", book.len());
        Answer::json(
            201,
            &format!(r#"{{"sid":"{sid}","status":"queued","num_segments":"1"}}"#),
        )
    });
    (room, taken)
}
