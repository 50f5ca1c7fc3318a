//! A day in a minute: everything that goes by the clock, with a provider that is out of order twice for hours.

use std::time::Duration;

use transom_test_servers::{Server, TurnedClock, skipped};

use crate::{
    house::{alone, lines, prosody},
    random::{Random, number_of},
    traffic::Traffic,
    world::{SMS, link_up},
};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
/// From when until when the provider is out of order: the longer time is shorter than texts are tried.
const OUTAGES: [(Duration, Duration); 2] = [
    (Duration::from_hours(3), Duration::from_hours(5)),
    (Duration::from_hours(12), Duration::from_mins(15 * 60 + 30)),
];
/// How much of the resident memory after the first hour there may be at the end.
const PERCENT_MAX: u64 = 110;

#[tokio::test]
async fn a_day_with_outages_leaves_nothing_behind() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let step = Duration::from_mins(number_of("TRANSOM_FAULT_DAY_STEP_MINUTES", 10));
    let prosody = prosody(&["alice"]).await;
    let (mut transom, twilio) = alone(prosody.component_addr(), &lines("alice"), "").await;
    let clock = TurnedClock::of(&mut transom);
    transom.start().await;
    link_up(&transom, "sms").await;
    let alice = prosody.client("alice", "phone").await;
    let mut traffic = Traffic::new(twilio, (SMS, alice), Random::seed(), 0);
    traffic.begin().await;
    let webhooks = [transom.http()];
    let (mut ahead, mut early, mut hourly) = (Duration::ZERO, 0, Vec::new());
    while ahead < DAY {
        ahead += step;
        clock.turn(ahead);
        traffic.network(
            OUTAGES
                .iter()
                .any(|(from, until)| (*from..*until).contains(&ahead)),
        );
        for _ in 0..3 {
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
    let account = traffic.account(&transom).await;
    account.settled(
        "1 process, SQLite, a simulated day",
        "2 outages of the provider, 2 h and 3.5 h",
        &transom,
    );
    account.in_order(&transom);
    eprintln!(
        "resident: {} KiB after the first hour, {} KiB at the end, by the hour {hourly:?}",
        early / 1024,
        late / 1024
    );
    assert_eq!(
        (account.delivered, account.unknown),
        (account.out, 0),
        "{account:?}"
    );
    assert!(account.errors.is_empty(), "{account:?}");
    assert!(
        late * 100 <= early * PERCENT_MAX,
        "{early} bytes became {late}"
    );
}
