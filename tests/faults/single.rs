//! One process, and everything around it going wrong in turn.

use std::time::Duration;

use tokio::time::Instant;
use transom_test_servers::{Postgres, Prosody, Proxy, Server, Signal, Transom, skipped};

use crate::{
    house::{alone, lines, prosody},
    random::{Random, number_of},
    traffic::Traffic,
    world::{SMS, link_up},
};

#[tokio::test]
async fn faults_all_around_lose_and_double_nothing_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    faults(None).await;
}

#[tokio::test]
async fn faults_all_around_lose_and_double_nothing_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    faults(Some(Postgres::start().await)).await;
}

/// What is between transom and the rest of the world.
struct Stage {
    transom: Transom,
    prosody: Prosody,
    proxy: Proxy,
    postgres: Option<Postgres>,
    counts: [usize; 7],
}

const NAMES: [&str; 7] = [
    "kills",
    "restarts",
    "freezes",
    "cuts",
    "dead wires",
    "server restarts",
    "database restarts",
];

/// Where kills are counted.
const KILLS: usize = 0;

async fn faults(mut postgres: Option<Postgres>) {
    let seed = Random::seed();
    let seconds = number_of("TRANSOM_FAULT_SECONDS", 25);
    let texts = usize::try_from(number_of("TRANSOM_FAULT_TEXTS", 0)).unwrap();
    let kills = usize::try_from(number_of("TRANSOM_FAULT_KILLS", 0)).unwrap();
    let mut random = Random::new(seed);
    let prosody = prosody(&["alice"]).await;
    let proxy = Proxy::to(prosody.component_addr()).await;
    let store = match &mut postgres {
        Some(postgres) => format!("[store]\nurl = \"{}\"\n", postgres.database().await),
        None => String::new(),
    };
    let (mut transom, twilio) = alone(proxy.addr(), &lines("alice"), &store).await;
    transom.start().await;
    link_up(&transom, "sms").await;
    let alice = prosody.client("alice", "phone").await;
    let mut stage = Stage {
        transom,
        prosody,
        proxy,
        postgres,
        counts: [0; 7],
    };
    let mut traffic = Traffic::new(twilio, (SMS, alice), seed, 40);
    traffic.begin().await;
    let webhooks = [stage.transom.http()];
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end || traffic.each_way() < texts || stage.counts[KILLS] < kills {
        let until = Instant::now() + Duration::from_millis(200 + random.below(1_200));
        while Instant::now() < until {
            traffic.burst(&webhooks).await;
        }
        traffic = stage.fault(traffic, &mut random).await;
        // Half of the faults hit while the one before is still felt.
        if random.below(2) == 0 {
            link_up(&stage.transom, "sms").await;
        }
    }
    link_up(&stage.transom, "sms").await;
    traffic.settle(&webhooks, &stage.transom).await;
    let account = traffic.account(&stage.transom).await;
    let count = |(name, count): (&&str, &usize)| format!("{count} {name}");
    let counts: Vec<String> = NAMES.iter().zip(&stage.counts).map(count).collect();
    let database = if stage.postgres.is_some() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    let faults = format!("{}, seed {seed}", counts.join(", "));
    let what = format!("1 process, {database}, Prosody");
    account.settled(&what, &faults, &stage.transom);
    account.in_order(&stage.transom);
}

impl Stage {
    /// One fault, and its end.
    async fn fault(&mut self, mut traffic: Traffic, random: &mut Random) -> Traffic {
        let webhooks = [self.transom.http()];
        // Kills are what is wanted most of.
        let which = match random.below(17) {
            0..=9 => KILLS,
            10 => 1,
            11 => 2,
            12 | 13 => 3,
            14 => 4,
            15 => 5,
            _ => 6,
        };
        self.counts[which] += 1;
        let pause = Instant::now() + Duration::from_millis(100 + random.below(1_500));
        match which {
            KILLS => {
                self.transom.kill9();
                self.transom.start().await;
            }
            1 => self.transom.restart().await,
            2 => {
                self.transom.signal(Signal::STOP);
                tokio::time::timeout_at(pause, std::future::pending::<()>())
                    .await
                    .ok();
                self.transom.signal(Signal::CONT);
            }
            3 => self.proxy.cut(),
            4 => {
                self.proxy.die();
                while Instant::now() < pause {
                    traffic.burst(&webhooks).await;
                }
                self.proxy.cut();
            }
            5 => {
                link_up(&self.transom, "sms").await;
                let prosody = &mut self.prosody;
                traffic = traffic
                    .away(async || {
                        prosody.restart().await;
                        prosody.client("alice", "phone").await
                    })
                    .await;
            }
            _ => match &mut self.postgres {
                Some(postgres) => {
                    postgres.stop().await;
                    while Instant::now() < pause {
                        traffic.burst(&webhooks).await;
                    }
                    postgres.resume().await;
                }
                None => self.counts[which] -= 1,
            },
        }
        traffic
    }
}
