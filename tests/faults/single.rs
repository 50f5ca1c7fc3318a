//! One process, and everything around it going wrong in turn.

use std::time::Duration;

use tokio::time::Instant;
use transom_test_servers::{Postgres, Prosody, Proxy, Server, Signal, Transom, skipped};

use crate::{
    house::{SECRET, alone, lines, links_up, prosody},
    random::{Random, number_of},
    time::Time,
    traffic::{Others, Traffic},
    world::SMS,
};

/// What is not simply taken, in a thousand messages of each network.
const MOODS: u64 = 40;

#[tokio::test]
async fn faults_all_around_lose_and_double_nothing_on_sqlite() {
    if skipped(&[Server::Prosody, Server::Dovecot, Server::NpmSmsc]) {
        return;
    }
    faults(None).await;
}

#[tokio::test]
async fn faults_all_around_lose_and_double_nothing_on_postgresql() {
    if skipped(&[
        Server::Prosody,
        Server::Dovecot,
        Server::NpmSmsc,
        Server::Postgres,
    ]) {
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
    time: Time,
    counts: [usize; 8],
}

const NAMES: [&str; 8] = [
    "kills",
    "restarts",
    "freezes",
    "cuts",
    "dead wires",
    "server restarts",
    "clock jumps",
    "database restarts",
];

/// No clock jumps further, so that no text is given up for it.
const JUMP_SECONDS_MAX: u64 = 1_800;

/// Where kills are counted.
const KILLS: usize = 0;
/// Where restarts of the database are.
const DATABASES: usize = 7;

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
    let others = Others::start(seed, MOODS).await;
    let gateways = lines("alice") + &others.config(SECRET);
    let (mut transom, twilio) = alone(proxy.addr(), &gateways, &store).await;
    let time = Time::of(&mut transom);
    transom.start().await;
    links_up(&transom).await;
    let alice = prosody.client("alice", "phone").await;
    let mut stage = Stage {
        transom,
        prosody,
        proxy,
        postgres,
        time,
        counts: [0; 8],
    };
    let traffic = Traffic::new(twilio, (SMS, alice), seed, MOODS);
    let mut traffic = traffic.beside(others, seed).by(&stage.time);
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
            links_up(&stage.transom).await;
        }
    }
    links_up(&stage.transom).await;
    // What is written again meets a link that is away, which nobody has noticed yet.
    stage.proxy.cut();
    traffic.settle(&webhooks, &stage.transom).await;
    let accounts = traffic.accounts(&stage.transom).await;
    let count = |(name, count): (&&str, &usize)| format!("{count} {name}");
    let counts: Vec<String> = NAMES.iter().zip(&stage.counts).map(count).collect();
    let database = if stage.postgres.is_some() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    let faults = format!("{}, seed {seed}", counts.join(", "));
    let what = format!("1 process, {database}, Prosody");
    for account in &accounts {
        account.settled(&what, &faults, &stage.transom);
    }
    for account in &accounts {
        account.in_order(&stage.transom);
    }
}

impl Stage {
    /// One fault, and its end.
    async fn fault(&mut self, mut traffic: Traffic, random: &mut Random) -> Traffic {
        let webhooks = [self.transom.http()];
        // Kills are what is wanted most of.
        let which = match random.below(19) {
            0..=9 => KILLS,
            10 => 1,
            11 => 2,
            12 | 13 => 3,
            14 => 4,
            15 => 5,
            16 | 17 => 6,
            _ => 7,
        };
        self.counts[which] += 1;
        let pause = Instant::now() + Duration::from_millis(100 + random.below(1_500));
        match which {
            KILLS => {
                self.transom.kill9();
                self.transom.start().await;
            }
            1 => self.restart(&mut traffic).await,
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
                links_up(&self.transom).await;
                let prosody = &mut self.prosody;
                traffic = traffic
                    .away(async || {
                        prosody.restart().await;
                        prosody.client("alice", "phone").await
                    })
                    .await;
            }
            6 => {
                traffic.answered(&webhooks).await;
                let by = Duration::from_secs(1 + random.below(JUMP_SECONDS_MAX));
                // What a new process finds waiting is as late as the clock was set back: nobody would catch up.
                if random.below(2) == 0 || traffic.is_behind() {
                    self.time.forward(by);
                } else {
                    self.time.back(by);
                }
            }
            _ => self.without_database(&mut traffic, pause).await,
        }
        traffic
    }

    async fn restart(&mut self, traffic: &mut Traffic) {
        traffic.let_go().await;
        let status = self.transom.sigterm().await;
        assert_eq!(status.code(), Some(0), "{}", self.transom.log());
        self.transom.start().await;
    }

    /// Where there is one that can go away.
    async fn without_database(&mut self, traffic: &mut Traffic, until: Instant) {
        let Some(postgres) = &mut self.postgres else {
            self.counts[DATABASES] -= 1;
            return;
        };
        postgres.stop().await;
        while Instant::now() < until {
            traffic.knock(&[self.transom.http()]).await;
        }
        postgres.resume().await;
    }
}
