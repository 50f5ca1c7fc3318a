//! Several processes on one PostgreSQL: shared work, take-over, hand-over.

use std::time::Duration;

use tokio::time::Instant;
use transom_test_servers::{Server, Transom, skipped};

use crate::{
    house::{House, SECRET, Xmpp},
    random::{Random, number_of},
    time::Time,
    traffic::{Others, Traffic},
};

/// What is not simply taken, in a thousand messages of each network.
const MOODS: u64 = 40;
/// The goal for a take-over after a kill or a freeze.
const TAKE_OVER_MAX: Duration = Duration::from_secs(10);

#[tokio::test]
async fn three_processes_under_kills_and_freezes_lose_and_double_nothing() {
    if skipped(&[
        Server::Prosody,
        Server::Postgres,
        Server::Dovecot,
        Server::NpmSmsc,
    ]) {
        return;
    }
    let seed = Random::seed();
    let seconds = number_of("TRANSOM_FAULT_SECONDS", 30);
    let mut random = Random::new(seed);
    let mut others = Others::start(seed, MOODS).await;
    let gateways = |http| others.config_of(SECRET, http);
    let time = Time::new();
    let server = Xmpp::prosody().await;
    let (mut house, twilio) = House::with(3, server, Some(&time), gateways).await;
    let traffic = Traffic::new(twilio, house.alice().await, seed, MOODS);
    let mut traffic = traffic.beside(others, seed).by(&time);
    traffic.begin().await;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut harms = Harms::default();
    while Instant::now() < end {
        let until = Instant::now() + Duration::from_millis(1_500 + random.below(2_500));
        while Instant::now() < until {
            let webhooks = house.webhooks();
            let mut burst = std::pin::pin!(traffic.burst(&webhooks));
            // An SMSC waits for the answer of whoever is bound, frozen or not.
            loop {
                tokio::select! {
                    () = &mut burst => break,
                    () = house.thaw_in_time() => (),
                }
            }
        }
        let frozen = |member: &crate::house::Member| member.frozen_until.is_some();
        if house.transoms.iter().any(frozen) {
            continue;
        }
        harm(&mut house, &mut random, &mut harms).await;
    }
    for member in &mut house.transoms {
        member.thaw();
    }
    house.holder().await;
    traffic
        .settle(&house.webhooks(), &house.transoms[0].transom)
        .await;
    let accounts = traffic.accounts(&house.transoms[0].transom).await;
    let Harms {
        kills,
        freezes,
        taken_over,
    } = harms;
    let faults = format!("{kills} kills, {freezes} freezes, seed {seed}");
    let what = "3 processes, PostgreSQL, Prosody";
    for account in &accounts {
        account.settled(what, &faults, &house.transoms[0].transom);
    }
    eprintln!("taken over after {taken_over:?}");
    let slow: Vec<_> = taken_over
        .iter()
        .filter(|time| **time > TAKE_OVER_MAX)
        .collect();
    assert!(
        slow.is_empty(),
        "taken over after {slow:?}\n{}",
        house.logs()
    );
}

/// What was done to the processes.
#[derive(Default)]
struct Harms {
    kills: usize,
    freezes: usize,
    /// How long it took until another had the link.
    taken_over: Vec<Duration>,
}

/// Kills or freezes one of the processes, every other time whoever has the link.
async fn harm(house: &mut House, random: &mut Random, harms: &mut Harms) {
    let holder = house.holder().await;
    let victim = if random.below(2) == 0 {
        holder
    } else {
        random.index(3)
    };
    let since = Instant::now();
    let member = &mut house.transoms[victim];
    if random.below(2) == 0 {
        member.transom.kill9();
        harms.kills += 1;
        if victim == holder {
            house.holder_but(victim).await;
            harms.taken_over.push(since.elapsed());
        }
        house.transoms[victim].transom.start().await;
        return;
    }
    member.freeze(Duration::from_millis(2_000 + random.below(9_000)));
    harms.freezes += 1;
    if victim == holder && random.below(2) == 0 {
        member.frozen_until = Some(since + Duration::from_mins(1));
        house.holder_but(victim).await;
        harms.taken_over.push(since.elapsed());
        house.transoms[victim].thaw();
    }
}

#[tokio::test]
async fn a_rolling_restart_fails_no_message_on_prosody() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let unheard = rolling_restart(Xmpp::prosody().await, "restart, Prosody", |_, _| ()).await;
    assert_eq!(unheard, 0, "texts without a word");
}

#[tokio::test]
async fn a_rolling_restart_fails_no_message_on_ejabberd() {
    if skipped(&[Server::Ejabberd, Server::Postgres]) {
        return;
    }
    let unheard = rolling_restart(Xmpp::ejabberd().await, "restart, ejabberd", |_, _| ()).await;
    // Seldom one is lost with the old connection when ejabberd closes it (docs/FAULTS.md), and then written again.
    assert!(unheard <= 1, "{unheard} texts without a word");
}

/// Each process in turn is restarted under traffic, changed before it starts again: its gateway is handed over before its link closes.
/// How many texts had to be written again.
pub(crate) async fn rolling_restart(
    server: Xmpp,
    name: &str,
    change: impl Fn(u64, &mut Transom),
) -> usize {
    let restarts = number_of("TRANSOM_FAULT_RESTARTS", 3);
    let (mut house, twilio) = House::start(2, server).await;
    let alice = house.alice().await;
    let mut traffic = Traffic::new(twilio, alice, Random::seed(), 0);
    traffic.begin().await;
    for restart in 0..restarts {
        let place = usize::from(restart % 2 == 1);
        let webhooks = vec![house.transoms[1 - place].transom.http()];
        for _ in 0..10 {
            traffic.burst(&webhooks).await;
        }
        let member = &mut house.transoms[place];
        let again = async {
            assert!(member.transom.sigterm().await.success());
            change(restart, &mut member.transom);
            member.transom.start().await;
        };
        let mut again = std::pin::pin!(again);
        loop {
            tokio::select! {
                () = &mut again => break,
                () = traffic.burst(&webhooks) => traffic.write_in_vain().await,
            }
        }
    }
    let since = Instant::now();
    let unheard = traffic.unheard(&house.webhooks()).await;
    let heard = since.elapsed();
    traffic
        .settle(&house.webhooks(), &house.transoms[0].transom)
        .await;
    let account = traffic.account(&house.transoms[0].transom).await;
    let what = format!("2 processes, PostgreSQL, rolling {name}");
    let faults = format!("{restarts} restarts");
    account.settled(&what, &faults, &house.transoms[0].transom);
    eprintln!("{unheard} texts written again; all the others heard of after {heard:?}");
    assert!(account.errors.is_empty(), "{account:?}\n{}", house.logs());
    assert_eq!(account.unknown, 0, "{account:?}");
    unheard
}

#[tokio::test]
async fn both_processes_send_and_either_takes_what_comes_in() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let (house, twilio) = House::start(2, Xmpp::prosody().await).await;
    let alice = house.alice().await;
    let mut traffic = Traffic::new(twilio, alice, 7, 0);
    traffic.begin().await;
    while traffic.each_way() < 24 {
        traffic.burst(&house.webhooks()).await;
    }
    traffic
        .settle(&house.webhooks(), &house.transoms[0].transom)
        .await;
    let account = traffic.account(&house.transoms[0].transom).await;
    account.settled(
        "2 processes, PostgreSQL",
        "none",
        &house.transoms[0].transom,
    );
    assert_eq!(account.delivered, account.out, "{account:?}");
    let sent = "Handed to the network.";
    for (place, member) in house.transoms.iter().enumerate() {
        let log = member.transom.log();
        assert!(log.contains(sent), "process {place} sent nothing:\n{log}");
    }
}
