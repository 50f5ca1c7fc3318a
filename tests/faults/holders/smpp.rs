//! One bind at a real SMSC, which keeps texts and receipts until somebody says that he has them.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use transom_test_servers::{Element, NpmSmsc, PATIENCE, Server, XmppClient, skipped, until};

use super::{TAKE_OVER_MAX, Trio};
use crate::{
    house::{lines, prosody},
    world::{LINE, SECRET, SMS, chat, contact, is_receipt_of},
};

const PEERS: [&str; 4] = [
    "+12025550140",
    "+12025550141",
    "+12025550142",
    "+12025550143",
];

struct Bound {
    trio: Trio,
    smsc: NpmSmsc,
    alice: XmppClient,
    written: usize,
    stored: usize,
}

#[tokio::test]
async fn one_of_three_processes_is_bound_and_a_kill_or_a_freeze_moves_the_bind() {
    if skipped(&[Server::Prosody, Server::Postgres, Server::NpmSmsc]) {
        return;
    }
    let prosody = prosody(&["alice"]).await;
    let smsc = NpmSmsc::start().await;
    smsc.receipts("stored").await;
    let (server, url) = (prosody.component_addr(), smsc.url());
    let trio = Trio::start("sms", |place, http, store| {
        format!(
            "{store}[xmpp]\nserver = \"{server}\"\nallow = [\"example.org\"]\n[http]\nlisten = \"{http}\"\n\
             [gateway.sms]\nadapter = \"sms\"\ndomain = \"{SMS}\"\nsecret = \"{SECRET}\"\nregion = \"US\"\n\
             [gateway.sms.provider.main]\nkind = \"smpp\"\nurl = \"{url}\"\nsystem_id = \"transom\"\npassword = \"secret\"\n\
             system_type = \"p{place}\"\nresponse_timeout = \"5s\"\n{}",
            lines("alice"),
        )
    })
    .await;
    let alice = prosody.client("alice", "phone").await;
    let mut world = Bound {
        trio,
        smsc,
        alice,
        written: 0,
        stored: 0,
    };
    let handed = world.bound_but(&[]).await;
    world.begin().await;

    // A restart: the bind is handed over, and what is under way gets its answer.
    world.burst(8).await;
    assert!(world.trio.transoms[handed].sigterm().await.success());
    let first = world.bound_but(&[handed]).await;
    world.trio.transoms[handed].start().await;
    assert_eq!(world.settle(first).await, 0, "unknown after a restart");
    world.burst(8).await;

    // A kill.
    world.trio.transoms[first].kill9();
    let since = Instant::now();
    world.burst(4).await;
    let second = world.bound_but(&[first]).await;
    let after_kill = since.elapsed();
    world.burst(8).await;
    world.trio.transoms[first].start().await;

    // A freeze, for longer than the others wait.
    world.burst(4).await;
    world.trio.freeze(second);
    let since = Instant::now();
    world.burst(4).await;
    let third = world.bound_but(&[second]).await;
    let after_freeze = since.elapsed();
    world.burst(8).await;
    let before = world.smsc.received().await.len();
    world.trio.thaw(second);
    world.trio.noticed(second).await;
    world.burst(8).await;
    world.alone(third).await;
    let received = world.smsc.received().await;
    let late: Vec<_> = received[before..]
        .iter()
        .filter(|one| one["by"] == format!("p{second}"))
        .collect();
    assert!(late.is_empty(), "sent by the thawed process: {late:?}");

    // The bind comes back to one that had lost it.
    for place in (0..3).filter(|place| *place != second) {
        world.trio.transoms[place].kill9();
    }
    assert_eq!(world.bound_but(&[]).await, second);
    world.burst(8).await;
    let unknown = world.settle(second).await;
    eprintln!(
        "SMPP: bound again {after_kill:?} after a kill, {after_freeze:?} after a freeze; {} texts out, {unknown} unknown, {} in",
        world.written, world.stored
    );
    assert!(after_kill < TAKE_OVER_MAX && after_freeze < TAKE_OVER_MAX);
}

impl Bound {
    /// Alice's first text registers her: nobody is registered by what comes in (semantics 14).
    async fn begin(&mut self) {
        self.written = 1;
        self.write(0).await;
        let is_it = |stanza: &Element| is_receipt_of(stanza, "m0");
        self.alice.expect("the first receipt", is_it).await;
    }

    /// As many texts each way.
    async fn burst(&mut self, count: usize) {
        for _ in 0..count {
            let number = self.written;
            self.written += 1;
            self.write(number).await;
            let from = PEERS[self.stored % PEERS.len()].trim_start_matches('+');
            let text = format!("in {}", self.stored);
            self.stored += 1;
            let to = LINE.trim_start_matches('+');
            self.smsc.store(from, to, &text).await;
        }
        self.alice.barrier().await;
    }

    async fn write(&mut self, number: usize) {
        let to = contact(PEERS[number % PEERS.len()]);
        let stanza = chat(&to, &format!("m{number}"), &format!("out {number}"));
        self.alice.send(&stanza).await;
    }

    /// Which process, other than these, is bound; waits until one is.
    async fn bound_but(&self, others: &[usize]) -> usize {
        let probe = async || {
            let bound = self.smsc.bound().await;
            let mut places = bound.iter().map(|by| by[1..].parse::<usize>().unwrap());
            places.find(|place| !others.contains(place))
        };
        let bound = until("a process to be bound", PATIENCE, probe).await;
        bound.unwrap_or_else(|why| panic!("{why}:\n{}", self.trio.logs()))
    }

    /// Waits until this one alone is bound.
    async fn alone(&self, place: usize) {
        let expected = [format!("p{place}")];
        let probe = async || (self.smsc.bound().await == expected).then_some(());
        let alone = until("one bind to be left", PATIENCE, probe).await;
        alone.unwrap_or_else(|why| panic!("{why}:\n{}", self.trio.logs()));
    }

    /// Accounts for every text; how many of alice's nobody will ever know of.
    async fn settle(&mut self, place: usize) -> usize {
        let (mut unknown, deadline) = (BTreeSet::new(), Instant::now() + 2 * PATIENCE);
        loop {
            self.alice.barrier().await;
            let (receipts, arrived) = self.heard();
            let silent: Vec<usize> = (0..self.written)
                .filter(|number| !receipts.contains(number) && !unknown.contains(number))
                .collect();
            if silent.is_empty() && arrived.len() == self.stored {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "without a word: {silent:?}, arrived: {:?} of {}, {} with the SMSC\n{}",
                arrived.keys(),
                self.stored,
                self.smsc.stored().await,
                self.trio.logs()
            );
            for number in silent {
                let id = format!("m{number}");
                let transom = &self.trio.transoms[place];
                let trace = transom.command(&["trace", &id, "--json"]).await;
                let trace = String::from_utf8(trace.stdout).unwrap();
                if trace.contains(r#""state": "unknown""#) {
                    unknown.insert(number);
                } else {
                    self.write(number).await;
                }
            }
        }
        let (_, arrived) = self.heard();
        let doubled: Vec<_> = arrived.iter().filter(|(_, ids)| ids.len() > 1).collect();
        assert!(
            doubled.is_empty(),
            "arrived as several: {doubled:?}\n{}",
            self.trio.logs()
        );
        let mut sent = BTreeMap::<String, usize>::new();
        for one in self.smsc.received().await {
            *sent
                .entry(one["text"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        sent.retain(|_, count| *count > 1);
        assert!(
            sent.is_empty(),
            "sent twice: {sent:?}\n{}",
            self.trio.logs()
        );
        unknown.len()
    }

    /// Receipts by number, and what arrived, with the ids that it came under.
    fn heard(&self) -> (BTreeSet<usize>, BTreeMap<String, BTreeSet<String>>) {
        let (mut receipts, mut arrived) = (BTreeSet::new(), BTreeMap::new());
        for stanza in self.alice.received() {
            if let Some(received) = stanza.child_in("received", "urn:xmpp:receipts") {
                let id = received.attr("id").unwrap_or_default();
                receipts.extend(id.strip_prefix('m').and_then(|id| id.parse::<usize>().ok()));
            } else if let Some(body) = stanza.body().filter(|body| body.starts_with("in ")) {
                let id = stanza.attr("id").unwrap_or_default().to_owned();
                arrived.entry(body).or_insert_with(BTreeSet::new).insert(id);
            }
        }
        (receipts, arrived)
    }
}
