//! One mailbox on a real Dovecot, which one process reads.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use transom_test_servers::{
    Dovecot, MAIL_PASSWORD, MailSink, Mailboxes, PATIENCE, Prosody, Proxy, Server, XmppClient,
    skipped, until,
};

use super::{TAKE_OVER_MAX, Trio};
use crate::world::chat;

const MAIL: &str = "mail.example.org";
const OWNER: &str = "bridge";

struct Read {
    trio: Trio,
    dovecot: Dovecot,
    /// Each process's way to the mailbox.
    wires: Vec<Proxy>,
    alice: XmppClient,
    _prosody: Prosody,
    put: usize,
}

#[tokio::test]
async fn one_of_three_processes_reads_a_mailbox_and_a_kill_or_a_freeze_moves_that() {
    if skipped(&[Server::Prosody, Server::Postgres, Server::Dovecot]) {
        return;
    }
    let mut world = Read::start().await;
    let first = world.reader_but(&[], &[0; 3]).await;
    world.put(20);
    world.arrived().await;
    let connections = world.connections();
    for other in (0..3).filter(|place| *place != first) {
        assert_eq!(connections[other], 0, "{other} reads too: {connections:?}");
    }

    // A kill amid a stack of mails.
    world.put(30);
    world.trio.transoms[first].kill9();
    let (since, before) = (Instant::now(), world.connections());
    let second = world.reader_but(&[first], &before).await;
    let after_kill = since.elapsed();
    world.put(10);
    world.arrived().await;
    world.trio.transoms[first].start().await;

    // A freeze amid another, for longer than the others wait.
    world.put(30);
    world.trio.freeze(second);
    let (since, before) = (Instant::now(), world.connections());
    let third = world.reader_but(&[second], &before).await;
    let after_freeze = since.elapsed();
    world.put(10);
    world.arrived().await;
    let before = world.connections();
    world.trio.thaw(second);
    world.trio.noticed(second).await;
    world.put(10);
    world.arrived().await;
    assert_eq!(
        world.connections(),
        before,
        "nobody but process {third} reads, and it goes on"
    );

    // The mailbox comes back to one that had lost it.
    for place in (0..3).filter(|place| *place != second) {
        world.trio.transoms[place].kill9();
    }
    assert_eq!(world.reader_but(&[], &before).await, second);
    world.put(10);
    world.arrived().await;
    eprintln!(
        "IMAP: read again {after_kill:?} after a kill, {after_freeze:?} after a freeze; {} mails",
        world.put
    );
    assert!(after_kill < TAKE_OVER_MAX && after_freeze < TAKE_OVER_MAX);
}

impl Read {
    /// Alice has an address, and one process reads.
    async fn start() -> Self {
        let prosody = Prosody::builder()
            .component(MAIL, "secret")
            .user("alice")
            .with(transom_test_servers::Feature::KickOld)
            .start()
            .await;
        let sink = MailSink::start().await;
        let dovecot = Dovecot::start(Mailboxes::CatchAll(OWNER.to_owned())).await;
        let mut wires = Vec::new();
        for _ in 0..3 {
            wires.push(Proxy::to(dovecot.imap_addr()).await);
        }
        let (server, smtp) = (prosody.component_addr(), sink.addr());
        let trio = Trio::start("mail", |place, http, store| {
            format!(
                "{store}[xmpp]\nserver = \"{server}\"\nallow = [\"example.org\"]\n[http]\nlisten = \"{http}\"\n\
                 [gateway.mail]\nadapter = \"email\"\ndomain = \"{MAIL}\"\nsecret = \"secret\"\naddress_domain = \"{MAIL}\"\n\
                 home = \"example.org\"\nhold = \"0s\"\nmerge = \"0s\"\n[gateway.mail.smtp]\nurl = \"smtp://{smtp}?tls=none\"\n\
                 [gateway.mail.imap]\nurl = \"imap://{}?tls=none\"\nusername = \"{OWNER}\"\npassword = \"{MAIL_PASSWORD}\"\n",
                wires[place].addr(),
            )
        })
        .await;
        let alice = prosody.client("alice", "phone").await;
        let mut world = Self {
            trio,
            dovecot,
            wires,
            alice,
            _prosody: prosody,
            put: 0,
        };
        // The first word makes the address.
        let bob = format!("bob\\40example.com@{MAIL}");
        world.alice.send(&chat(&bob, "m1", "hello")).await;
        sink.mail("hello", |_| true).await;
        world
    }

    /// Puts so many mails into the mailbox; every other one has no Message-ID, as from scripts.
    fn put(&mut self, count: usize) {
        let mails = (self.put..self.put + count).map(|number| {
            let id = if number % 2 == 0 {
                format!("Message-ID: <n{number}@example.com>\r\n")
            } else {
                String::new()
            };
            let mail = format!(
                "Delivered-To: alice@{MAIL}\r\nFrom: Bob <bob@example.com>\r\nTo: alice@{MAIL}\r\nSubject: Numbers\r\n{id}\r\n\
                 number {number}.\r\n"
            );
            (format!("{}.{number}.host", 1_764_000_000 + number), mail)
        });
        self.dovecot.put_all(OWNER, mails);
        self.put += count;
    }

    /// How often each process connected.
    fn connections(&self) -> Vec<usize> {
        self.wires.iter().map(Proxy::connections).collect()
    }

    /// Which process, other than these, connects to the mailbox anew.
    async fn reader_but(&self, others: &[usize], before: &[usize]) -> usize {
        let probe = async || {
            let now = self.connections();
            (0..3).find(|place| !others.contains(place) && now[*place] > before[*place])
        };
        let reader = until("a process to read the mailbox", PATIENCE, probe).await;
        reader.unwrap_or_else(|why| panic!("{why}:\n{}", self.trio.logs()))
    }

    /// Waits until every mail has arrived; each under one id.
    async fn arrived(&mut self) {
        let deadline = Instant::now() + 2 * PATIENCE;
        loop {
            self.alice.barrier().await;
            let arrived = self.by_number();
            let doubled: Vec<_> = arrived.iter().filter(|(_, ids)| ids.len() > 1).collect();
            assert!(
                doubled.is_empty(),
                "arrived as several: {doubled:?}\n{}",
                self.trio.logs()
            );
            if arrived.len() == self.put {
                return;
            }
            let missing: Vec<usize> = (0..self.put)
                .filter(|number| !arrived.contains_key(number))
                .collect();
            assert!(
                Instant::now() < deadline,
                "missing: {missing:?}\n{}",
                self.trio.logs()
            );
        }
    }

    fn by_number(&self) -> BTreeMap<usize, BTreeSet<String>> {
        let mut arrived = BTreeMap::new();
        for stanza in self.alice.received() {
            let Some(body) = stanza.body() else { continue };
            let Some((_, number)) = body.rsplit_once("number ") else {
                continue;
            };
            let number: usize = number.trim_end_matches('.').parse().unwrap();
            let id = stanza.attr("id").unwrap_or_default().to_owned();
            arrived
                .entry(number)
                .or_insert_with(BTreeSet::new)
                .insert(id);
        }
        arrived
    }
}
