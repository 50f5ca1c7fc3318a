//! Half a minute of random kills on each database, under traffic in both directions; the counts are printed.
//!
//! `TRANSOM_KILL_SEED` repeats a run, `TRANSOM_KILL_SECONDS` makes it longer.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;
use transom_test_servers::{PATIENCE, Server, XmppClient, skipped};

use crate::world::{Database, LINE, Twilio, World, chat, contact, store};

const PEERS: [&str; 4] = [
    "+12025550147",
    "+12025550148",
    "+12025550149",
    "+12025550150",
];
/// Texts written between two kills, at most: while nobody is there, they come back at once.
const A_LIFE: usize = 100;

#[tokio::test]
async fn random_kills_lose_and_double_nothing_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    random_kills(Database::Sqlite).await;
}

#[tokio::test]
async fn random_kills_lose_and_double_nothing_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    random_kills(Database::Postgres).await;
}

/// A small generator, so that a seed repeats a run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What was written, and what came of it.
#[derive(Default)]
struct Ledger {
    out: usize,
    incoming: usize,
    /// Texts from outside that transom has answered 200 to.
    taken: BTreeSet<usize>,
    /// How many calls were reported as delivered already, in the order of the sends.
    reported: usize,
    receipts: BTreeSet<usize>,
    sends: BTreeMap<String, usize>,
    arrived: BTreeMap<String, BTreeSet<String>>,
}

fn number_of(name: &str) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

async fn random_kills(database: Database) {
    let seed = match number_of("TRANSOM_KILL_SEED") {
        0 => 20_261_123,
        seed => seed,
    };
    let seconds = match number_of("TRANSOM_KILL_SECONDS") {
        0 => 60,
        seconds => seconds,
    };
    let mut random = Random(seed);
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
    let caps = "[gateway.sms.limits]\nmessages_per_day = 100000\nsegments_per_day = 100000\ngateway_per_day = 100000\n";
    let mut world = World::with(
        Server::Prosody,
        &format!("{line}{caps}"),
        &store(database).await,
    )
    .await;
    let mut alice = world.client("alice").await;
    let mut ledger = Ledger::default();
    // The first text registers her: nobody is registered by what comes in (semantics 14).
    write(&mut alice, 0).await;
    ledger.out = 1;
    world.twilio.text("out 0").await;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut kills = 0;
    while Instant::now() < end {
        // Half of the kills hit a process that has just begun, the others one that works.
        if random.below(2) == 0 {
            world.up().await;
        }
        let until = Instant::now() + Duration::from_millis(50 + random.below(700));
        let last = ledger.out + A_LIFE;
        while Instant::now() < until {
            if ledger.out < last {
                burst(&world, &mut alice, &mut ledger, &mut random).await;
            } else {
                alice.barrier().await;
            }
        }
        // In the middle of whatever the last burst has set off.
        world.transom.kill9();
        kills += 1;
        world.transom.start().await;
    }
    world.up().await;
    settle(&world, &mut alice, &mut ledger).await;
    let unknown = judge(&world, &ledger).await;
    eprintln!(
        "{database:?}, seed {seed}: {kills} kills; {} texts out: {} sent once, {unknown} of unknown outcome, 0 doubled, 0 lost; \
         {} texts in: all arrived, none twice",
        ledger.out,
        ledger.sends.len(),
        ledger.incoming,
    );
}

/// Some new texts both ways, and what is due of the old ones.
async fn burst(world: &World, alice: &mut XmppClient, ledger: &mut Ledger, random: &mut Random) {
    for _ in 0..=random.below(4) {
        write(alice, ledger.out).await;
        ledger.out += 1;
    }
    if random.below(2) == 0 {
        call(world, ledger, ledger.incoming).await;
        ledger.incoming += 1;
    }
    if random.below(3) == 0 {
        report(world, ledger).await;
    }
}

async fn write(alice: &mut XmppClient, number: usize) {
    let peer = PEERS[number % PEERS.len()];
    alice
        .send(&chat(
            &contact(peer),
            &format!("m{number}"),
            &format!("out {number}"),
        ))
        .await;
}

async fn call(world: &World, ledger: &mut Ledger, number: usize) {
    let peer = PEERS[number % PEERS.len()];
    let answer = world
        .twilio
        .deliver(
            &format!("SMin{number}"),
            peer,
            LINE,
            &format!("in {number}"),
        )
        .await;
    if answer == Ok(200) {
        ledger.taken.insert(number);
    }
}

/// Reports the next sends as delivered, as far as transom takes it.
async fn report(world: &World, ledger: &mut Ledger) {
    for sent in world.twilio.sent().iter().skip(ledger.reported) {
        let number = u64::try_from(ledger.reported).unwrap() + 1;
        if world
            .twilio
            .report(sent, &Twilio::sid(number), "delivered", "")
            .await
            != Ok(200)
        {
            return;
        }
        ledger.reported += 1;
    }
}

/// Clients and providers repeat what was not answered, until nothing changes any more.
async fn settle(world: &World, alice: &mut XmppClient, ledger: &mut Ledger) {
    let deadline = Instant::now() + PATIENCE;
    let mut quiet = 0;
    while quiet < 5 && Instant::now() < deadline {
        let before = (
            ledger.receipts.len(),
            ledger.arrived.len(),
            ledger.sends.len(),
        );
        for number in (0..ledger.incoming)
            .filter(|number| !ledger.taken.contains(number))
            .collect::<Vec<_>>()
        {
            call(world, ledger, number).await;
        }
        for number in (0..ledger.out).filter(|number| !ledger.receipts.contains(number)) {
            write(alice, number).await;
        }
        report(world, ledger).await;
        alice.barrier().await;
        read(world, alice, ledger);
        let after = (
            ledger.receipts.len(),
            ledger.arrived.len(),
            ledger.sends.len(),
        );
        let complete =
            ledger.receipts.len() == ledger.sends.len() && ledger.arrived.len() == ledger.incoming;
        quiet = if complete && before == after {
            quiet + 1
        } else {
            0
        };
        if quiet == 5 && !waiting(world, ledger).await.is_empty() {
            quiet = 0;
        }
    }
}

/// The texts without a receipt of which it is not settled that nobody can know what became of them.
async fn waiting(world: &World, ledger: &Ledger) -> Vec<String> {
    let mut waiting = Vec::new();
    for number in (0..ledger.out).filter(|number| !ledger.receipts.contains(number)) {
        let trace = ["trace", &format!("m{number}"), "--json"];
        let trace = world.transom.command(&trace).await;
        let trace = String::from_utf8_lossy(&trace.stdout).into_owned();
        // Killed between the start mark and the send: never sent again, and told as a doubt after a quarter of an hour.
        if !trace.contains("unknown") {
            waiting.push(format!("text {number}: {trace}"));
        }
    }
    waiting
}

fn read(world: &World, alice: &mut XmppClient, ledger: &mut Ledger) {
    ledger.sends.clear();
    for body in world
        .twilio
        .sent()
        .iter()
        .filter_map(|sent| sent.form("Body"))
    {
        *ledger.sends.entry(body).or_default() += 1;
    }
    for stanza in alice.received() {
        if let Some(received) = stanza.child_in("received", "urn:xmpp:receipts") {
            let number = received
                .attr("id")
                .and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
            ledger.receipts.extend(number);
        }
        let (Some(body), Some(id)) = (stanza.body(), stanza.attr("id")) else {
            continue;
        };
        if body.starts_with("in ") {
            ledger
                .arrived
                .entry(body)
                .or_default()
                .insert(id.to_owned());
        }
    }
}

/// Every text is accounted for by semantics 1 to 6; says how many are of unknown outcome.
async fn judge(world: &World, ledger: &Ledger) -> usize {
    let doubled: Vec<_> = ledger
        .sends
        .iter()
        .filter(|(_, count)| **count > 1)
        .collect();
    assert!(doubled.is_empty(), "sent twice: {doubled:?}");
    let arrived = |number: &usize| ledger.arrived.contains_key(&format!("in {number}"));
    if let Some(number) = (0..ledger.incoming).find(|number| !arrived(number)) {
        let id = format!("SMin{number}");
        let trace = world.transom.command(&["trace", &id, "--json"]).await;
        let queue = world.transom.command(&["queue", "list", "--json"]).await;
        let seen = [trace.stdout, trace.stderr, queue.stdout].concat();
        let seen = String::from_utf8_lossy(&seen);
        panic!("{id} never arrived: {seen}\n{}", world.transom.log());
    }
    let twice: Vec<_> = ledger
        .arrived
        .iter()
        .filter(|(_, ids)| ids.len() > 1)
        .collect();
    assert!(twice.is_empty(), "arrived as several messages: {twice:?}");
    let untold = |number: &usize| !ledger.receipts.contains(number);
    let unknown: Vec<_> = (0..ledger.out).filter(untold).collect();
    if let Some(number) = unknown
        .iter()
        .find(|number| ledger.sends.contains_key(&format!("out {number}")))
    {
        panic!(
            "text {number} was delivered, and nobody was told\n{}",
            world.transom.log()
        );
    }
    let lost = waiting(world, ledger).await;
    assert!(lost.is_empty(), "lost: {lost:?}\n{}", world.transom.log());
    unknown.len()
}
