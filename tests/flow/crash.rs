//! Kills in every gap of both directions, on both databases: nothing is lost, nothing is doubled (semantics 1 to 6).

mod mails;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use transom::hooks::Step;
use transom_test_servers::{PATIENCE, Server, Transom, XmppClient, skipped, until};

use crate::{
    files::{fetched, shared},
    world::{Database, PICTURE, is_receipt_of, link_up, store, up_or_ended},
};
use mails::Mails;
use texts::Texts;

/// How many go each way; every other one that comes in has a picture.
const MESSAGES: usize = 6;
/// How many people they go to and come from.
const PEERS: usize = 3;

/// Traffic on one network, and the transom that is killed under it.
trait Traffic: Sized {
    /// The gateways whose links have to be up.
    const LINKS: &'static [&'static str];
    /// The key of the configuration that says how long a message is held.
    const HOLD: &'static str;
    /// Whether the network knows a repeat: then all that was accepted is sent in the end (semantics 4).
    const KNOWS_REPEATS: bool;
    /// At how many passes of a step it is killed; at the second something has been committed before.
    const KILLS: u32;
    /// The first commit that it is killed at.
    const FIRST_COMMIT: u32;

    async fn prepare(store: &str) -> Self;
    fn transom(&mut self) -> &mut Transom;
    async fn alice(&self) -> XmppClient;
    /// The stanza of what alice writes: a message that says [`out_body`].
    fn written(&self, number: usize) -> String;
    /// Something from outside that says [`in_body`], with [`PICTURE`] if it is [`has_picture`]. It comes again until it is answered.
    async fn deliver(&self, number: usize);
    /// Tells transom that everything it sent was delivered; whatever fails is made up for later.
    async fn report_all(&self);
    /// What reached the network whole: its text, and what a repeat has in common with it.
    fn sent(&self) -> Vec<(String, String)>;
}

/// What one run of traffic through a kill came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    /// What reached the network, by what the network tells messages apart by.
    sends: BTreeMap<String, BTreeSet<String>>,
    /// Messages whose receipt came.
    receipts: BTreeSet<String>,
    /// Messages of which transom says that nobody knows.
    unknown: BTreeSet<usize>,
    /// Texts and pictures that reached the user, by the ids of their stanzas; a picture's with its URL.
    arrived: BTreeMap<String, BTreeSet<String>>,
}

#[tokio::test]
async fn a_kill_at_any_step_loses_and_doubles_nothing_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    proves!("a kill loses and doubles nothing", Prosody);
    every_step::<Texts>(Database::Sqlite).await;
}

#[tokio::test]
async fn a_kill_at_any_step_loses_and_doubles_nothing_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    every_step::<Texts>(Database::Postgres).await;
}

#[tokio::test]
async fn a_kill_at_any_step_loses_and_doubles_no_mail_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    every_step::<Mails>(Database::Sqlite).await;
}

#[tokio::test]
async fn a_kill_at_any_step_loses_and_doubles_no_mail_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    every_step::<Mails>(Database::Postgres).await;
}

async fn every_step<T: Traffic>(database: Database) {
    for step in Step::ALL {
        // A file is kept on either way.
        let kills = T::KILLS.max(u32::from(step == Step::FileKept) * 2);
        let mut killed = 0;
        let commits = matches!(step, Step::BeforeCommit | Step::AfterCommit);
        let first = if commits { T::FIRST_COMMIT } else { 1 };
        for pass in first.. {
            let (account, under_traffic) = through_a_kill::<T>(database, step, pass).await;
            let at = format!("{database:?}, killed at {step:?} pass {pass}: {account:#?}");
            check::<T>(&account, &at);
            // The first commits are those of the start; how many depends on how many gather for one.
            killed += u32::from(under_traffic);
            if killed == kills {
                break;
            }
        }
    }
}

fn check<T: Traffic>(account: &Account, at: &str) {
    let mut sends = account.sends.iter();
    let doubled = sends.find(|(_, ids)| ids.len() > 1);
    assert_eq!(doubled, None, "sent twice; {at}");
    // Killed between the start mark and the send, the outcome is unknown, and an unknown text is never sent again (semantics 4).
    let is_known = |number: &usize| account.sends.contains_key(&out_body(*number));
    let unsent: BTreeSet<usize> = (0..MESSAGES).filter(|number| !is_known(number)).collect();
    assert_eq!(
        account.unknown, unsent,
        "never sent, and not of unknown outcome; {at}"
    );
    assert!(
        unsent.is_empty() || !T::KNOWS_REPEATS,
        "it could be repeated; {at}"
    );
    let sent: BTreeSet<String> = account.sends.keys().cloned().collect();
    assert_eq!(
        account.receipts, sent,
        "what was sent was delivered, and that was told; {at}"
    );
    assert_eq!(
        account.arrived.len(),
        MESSAGES + MESSAGES / 2,
        "every text and every picture from outside arrived; {at}"
    );
    for (body, ids) in &account.arrived {
        assert_eq!(ids.len(), 1, "{body} arrived as several messages; {at}");
    }
}

/// What came of it, and whether it was killed under traffic and not at its start.
async fn through_a_kill<T: Traffic>(database: Database, step: Step, pass: u32) -> (Account, bool) {
    let mut world = T::prepare(&store(database).await).await;
    let transom = world.transom();
    transom.set_env("TRANSOM_ABORT_AT", &format!("{step:?}:{pass}"));
    // Only what was held is released.
    let hold = if step == Step::AfterRelease {
        "1s"
    } else {
        "0s"
    };
    transom.set_env(T::HOLD, hold);
    // The start commits too: a kill there leaves nothing behind that the next start minds.
    let started = transom.start_or_end().await && up_or_ended(transom, T::LINKS).await;
    let mut alice = world.alice().await;
    if started {
        // How many commits the traffic takes depends on how many gather for one: it comes again, under the same ids, until the kill.
        let killed = until("the kill", PATIENCE, async || {
            traffic(&world, &mut alice).await;
            (!world.transom().is_running()).then_some(())
        });
        killed
            .await
            .unwrap_or_else(|why| panic!("{why}; {step:?} {pass}"));
        world.transom().wait().await;
    }
    world.transom().set_env("TRANSOM_ABORT_AT", "none:0");
    world.transom().start().await;
    for gateway in T::LINKS {
        link_up(world.transom(), gateway).await;
    }
    if !started {
        traffic(&world, &mut alice).await;
    }
    let account = settle(&mut world, &mut alice).await;
    let urls: BTreeSet<String> = alice.received().iter().filter_map(shared).collect();
    for url in urls {
        assert_eq!(fetched(&url).await.body, PICTURE, "{step:?} {pass}");
    }
    (account, started)
}

fn out_body(number: usize) -> String {
    format!("out {number}")
}

fn in_body(number: usize) -> String {
    format!("in {number}")
}

fn has_picture(number: usize) -> bool {
    number.is_multiple_of(2)
}

/// Messages both ways, and reports on those that went out.
async fn traffic<T: Traffic>(world: &T, alice: &mut XmppClient) {
    for number in 0..MESSAGES {
        alice.send(&world.written(number)).await;
        world.deliver(number).await;
        world.report_all().await;
    }
}

/// Rounds after everything is settled, so that what would come twice has come.
const ROUNDS_MORE: usize = 10;

/// What clients and networks do when they saw no answer: they repeat, under the same ids, until everything is settled.
async fn settle<T: Traffic>(world: &mut T, alice: &mut XmppClient) -> Account {
    let mut account = Account::default();
    let mut quiet = 0;
    let settled = until("the accounts to settle", PATIENCE, async || {
        for number in 0..MESSAGES {
            if !account.receipts.contains(&out_body(number)) {
                alice.send(&world.written(number)).await;
            }
            world.deliver(number).await;
        }
        world.report_all().await;
        alice.barrier().await;
        read(world, alice, &mut account);
        let done = account.receipts.len() >= account.sends.len()
            && account.arrived.len() == MESSAGES + MESSAGES / 2;
        quiet = if done { quiet + 1 } else { 0 };
        if quiet >= ROUNDS_MORE {
            // What is neither sent nor given up waits for something: for the word that its process is dead, on PostgreSQL.
            account.unknown = unknown(world).await;
            if account.sends.len() + account.unknown.len() < MESSAGES {
                quiet = 0;
            }
        }
        (quiet >= ROUNDS_MORE).then_some(())
    });
    if let Err(why) = settled.await {
        panic!("{why}: {account:#?}\n{}", world.transom().log());
    }
    account
}

/// Those of which transom says that nobody knows.
async fn unknown<T: Traffic>(world: &mut T) -> BTreeSet<usize> {
    let mut unknown = BTreeSet::new();
    for number in 0..MESSAGES {
        let id = format!("m{number}");
        let trace = world.transom().command(&["trace", &id, "--json"]).await;
        if String::from_utf8_lossy(&trace.stdout).contains("\"unknown\"") {
            unknown.insert(number);
        }
    }
    unknown
}

fn read<T: Traffic>(world: &T, alice: &XmppClient, account: &mut Account) {
    account.sends.clear();
    for (body, id) in world.sent() {
        account.sends.entry(body).or_default().insert(id);
    }
    for stanza in alice.received() {
        for number in 0..MESSAGES {
            if is_receipt_of(stanza, &format!("m{number}")) {
                account.receipts.insert(out_body(number));
            }
        }
        let (Some(body), Some(id)) = (stanza.body(), stanza.attr("id")) else {
            continue;
        };
        let arrived = if let Some(url) = shared(stanza) {
            // Uploaded again after a kill, it is shown by one URL all the same: that of before was never committed.
            let message = id.rsplit_once("-f").map_or(id, |(message, _)| message);
            Some((format!("picture of {message}"), format!("{id} {url}")))
        } else {
            let text = body.lines().find(|line| line.starts_with("in "));
            text.map(|text| (text.to_owned(), id.to_owned()))
        };
        if let Some((what, id)) = arrived {
            account.arrived.entry(what).or_default().insert(id);
        }
    }
}
