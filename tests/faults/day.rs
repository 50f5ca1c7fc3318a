//! A day in a minute: everything that goes by the clock, with networks that are out of order three times, twice for hours.

use std::time::Duration;

use transom_test_servers::{Server, skipped};

use crate::{
    house::{SECRET, alone, lines, links_up, prosody},
    random::{Random, number_of},
    time::Time,
    traffic::{Others, Traffic},
    world::SMS,
};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
/// From when until when the networks are out of order: the longer time is shorter than texts are tried.
const OUTAGES: [(Duration, Duration); 3] = [
    (Duration::from_mins(15), Duration::from_mins(45)),
    (Duration::from_hours(3), Duration::from_hours(5)),
    (Duration::from_hours(12), Duration::from_mins(15 * 60 + 30)),
];
/// How much of the resident memory after the first hour there may be at the end.
const PERCENT_MAX: u64 = 110;

#[tokio::test]
async fn a_day_with_outages_leaves_nothing_behind() {
    if skipped(&[Server::Prosody, Server::Dovecot, Server::NpmSmsc]) {
        return;
    }
    let step = Duration::from_mins(number_of("TRANSOM_FAULT_DAY_STEP_MINUTES", 10));
    let prosody = prosody(&["alice"]).await;
    let seed = Random::seed();
    let others = Others::start(seed, 0).await;
    let gateways = lines("alice") + &others.config(SECRET);
    let (mut transom, twilio) = alone(prosody.component_addr(), &gateways, "").await;
    let time = Time::of(&mut transom);
    transom.start().await;
    links_up(&transom).await;
    let alice = prosody.client("alice", "phone").await;
    let traffic = Traffic::new(twilio, (SMS, alice), seed, 0);
    let mut traffic = traffic.beside(others, seed).by(&time);
    traffic.begin().await;
    let webhooks = [transom.http()];
    let (mut ahead, mut early, mut hourly) = (Duration::ZERO, 0, Vec::new());
    while ahead < DAY {
        // What is filled once, caches above all, the first hour fills.
        let (step, bursts) = if ahead < HOUR {
            (MINUTE.min(step), 1)
        } else {
            (step, 2)
        };
        ahead += step;
        time.forward(step);
        let is_out = OUTAGES
            .iter()
            .any(|(from, until)| (*from..*until).contains(&ahead));
        traffic.network(is_out).await;
        for _ in 0..bursts {
            traffic.burst(&webhooks).await;
        }
        traffic.heard().await;
        if ahead.as_secs().is_multiple_of(HOUR.as_secs()) {
            hourly.push(transom.resident_bytes() / 1024);
        }
        if early == 0 && ahead >= HOUR {
            traffic.settle(&webhooks, &transom).await;
            early = transom.resident_bytes();
        }
    }
    traffic.settle(&webhooks, &transom).await;
    let late = transom.resident_bytes();
    let accounts = traffic.accounts(&transom).await;
    for account in &accounts {
        account.settled(
            "1 process, SQLite, a simulated day",
            "3 outages of the networks, 0.5 h, 2 h and 3.5 h",
            &transom,
        );
        account.in_order(&transom);
    }
    eprintln!(
        "resident: {} KiB after the first hour, {} KiB at the end, by the hour {hourly:?}",
        early / 1024,
        late / 1024
    );
    for account in &accounts {
        assert_eq!(
            (account.delivered, account.unknown),
            (account.out, 0),
            "{account:?}"
        );
        assert!(account.errors.is_empty(), "{account:?}");
    }
    assert!(
        late * 100 <= early * PERCENT_MAX,
        "{early} bytes became {late}"
    );
}
