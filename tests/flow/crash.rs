//! Kills in every gap of both directions, on both databases: nothing is lost, nothing is doubled (semantics 1 to 6).

use std::collections::{BTreeMap, BTreeSet};

use transom::hooks::Step;
use transom_test_servers::{PATIENCE, Server, XmppClient, skipped, until};

use crate::world::{Database, LINE, Twilio, World, chat, contact, is_receipt_of, store};

const PEERS: [&str; 3] = ["+12025550147", "+12025550148", "+12025550149"];
const MESSAGES: usize = 6;

/// What one run of traffic through a kill came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    /// Texts that reached the network, by how often.
    sends: BTreeMap<String, usize>,
    /// Texts whose receipt came.
    receipts: BTreeSet<String>,
    /// Texts of which transom says that nobody knows.
    unknown: BTreeSet<usize>,
    /// Texts and pictures that reached the user, by the ids of their stanzas.
    arrived: BTreeMap<String, BTreeSet<String>>,
}

#[tokio::test]
async fn a_kill_at_any_step_loses_and_doubles_nothing_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    proves!("a kill loses and doubles nothing", Prosody);
    every_step(Database::Sqlite).await;
}

#[tokio::test]
async fn a_kill_at_any_step_loses_and_doubles_nothing_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    every_step(Database::Postgres).await;
}

async fn every_step(database: Database) {
    for step in Step::ALL {
        // The second pass too: then something has been committed before. The first commits are those of the start.
        let commits = matches!(step, Step::BeforeCommit | Step::AfterCommit);
        let passes = if commits { 1..=5 } else { 1..=2 };
        for pass in passes {
            let account = through_a_kill(database, step, pass).await;
            check(database, step, pass, &account);
        }
    }
}

fn check(database: Database, step: Step, pass: u32, account: &Account) {
    let at = format!("{database:?}, killed at {step:?} pass {pass}: {account:#?}");
    let doubled: Vec<_> = account
        .sends
        .iter()
        .filter(|(_, count)| **count > 1)
        .collect();
    assert!(doubled.is_empty(), "sent twice: {doubled:?}; {at}");
    // Killed between the start mark and the send, the outcome is unknown, and an unknown text is never sent again (semantics 4).
    let is_known = |number: &usize| account.sends.contains_key(&out_body(*number));
    let unsent: BTreeSet<usize> = (0..MESSAGES).filter(|number| !is_known(number)).collect();
    assert_eq!(
        account.unknown, unsent,
        "never sent, and not of unknown outcome; {at}"
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

async fn through_a_kill(database: Database, step: Step, pass: u32) -> Account {
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
    let store = store(database).await;
    let mut world = World::prepare(&line, &store, |builder| {
        let builder = builder.env("TRANSOM_ABORT_AT", &format!("{step:?}:{pass}"));
        // Only what was held is released.
        let hold = if step == Step::AfterRelease {
            "1s"
        } else {
            "0s"
        };
        builder.env("TRANSOM_GATEWAY__SMS__HOLD", hold)
    })
    .await;
    // The start commits too: a kill there leaves nothing behind that the next start minds.
    let started = world.transom.start_or_end().await && world.up_or_ended().await;
    let mut alice = world.client("alice").await;
    if started {
        // How many commits the traffic takes depends on how many gather for one: it comes again, under the same ids, until the kill.
        let killed = until("the kill", PATIENCE, async || {
            traffic(&world, &mut alice).await;
            (!world.transom.is_running()).then_some(())
        });
        killed
            .await
            .unwrap_or_else(|why| panic!("{why}; {step:?} {pass}"));
        world.transom.wait().await;
    }
    world.transom.set_env("TRANSOM_ABORT_AT", "none:0");
    world.transom.start().await;
    world.up().await;
    if !started {
        traffic(&world, &mut alice).await;
    }
    let mut account = Account::default();
    settle(&world, &mut alice, &mut account).await;
    for number in 0..MESSAGES {
        let trace = world
            .transom
            .command(&["trace", &format!("m{number}"), "--json"])
            .await;
        if String::from_utf8_lossy(&trace.stdout).contains("\"unknown\"") {
            account.unknown.insert(number);
        }
    }
    account
}

fn out_body(number: usize) -> String {
    format!("out {number}")
}

fn in_body(number: usize) -> String {
    format!("in {number}")
}

/// Texts both ways, and reports on those that went out; whatever fails is made up for later.
async fn traffic(world: &World, alice: &mut XmppClient) {
    for number in 0..MESSAGES {
        let peer = PEERS[number % PEERS.len()];
        alice
            .send(&chat(
                &contact(peer),
                &format!("m{number}"),
                &out_body(number),
            ))
            .await;
        deliver(world, number).await;
        report_all(world).await;
    }
}

/// A text from a phone; every other one has a picture.
async fn deliver(world: &World, number: usize) {
    let (sid, peer) = (format!("SMin{number}"), PEERS[number % PEERS.len()]);
    let (twilio, body) = (&world.twilio, in_body(number));
    let delivered = if number.is_multiple_of(2) {
        twilio.deliver_picture(&sid, peer, LINE, &body).await
    } else {
        twilio.deliver(&sid, peer, LINE, &body).await
    };
    // It comes again until it is answered.
    delivered.ok();
}

/// Tells transom that everything it sent was delivered; false when it did not take all of it.
async fn report_all(world: &World) -> bool {
    let mut taken = true;
    for (number, sent) in (1..).zip(world.twilio.sent()) {
        taken &= world
            .twilio
            .report(&sent, &Twilio::sid(number), "delivered", "")
            .await
            == Ok(200);
    }
    taken
}

/// Rounds after everything is settled, so that what would come twice has come.
const ROUNDS_MORE: usize = 20;

/// What clients and providers do when they saw no answer: they repeat, under the same ids, until everything is settled.
async fn settle(world: &World, alice: &mut XmppClient, account: &mut Account) {
    let settled = until("the accounts to settle", PATIENCE, async || {
        repeat(world, alice, account).await;
        let done = account.receipts.len() >= account.sends.len()
            && account.arrived.len() == MESSAGES + MESSAGES / 2
            && account.sends.len() + PEERS.len() >= MESSAGES;
        done.then_some(())
    });
    if let Err(why) = settled.await {
        panic!("{why}: {account:#?}\n{}", world.transom.log());
    }
    for _ in 0..ROUNDS_MORE {
        repeat(world, alice, account).await;
    }
}

async fn repeat(world: &World, alice: &mut XmppClient, account: &mut Account) {
    for number in 0..MESSAGES {
        if !account.receipts.contains(&out_body(number)) {
            let peer = PEERS[number % PEERS.len()];
            alice
                .send(&chat(
                    &contact(peer),
                    &format!("m{number}"),
                    &out_body(number),
                ))
                .await;
        }
        deliver(world, number).await;
    }
    report_all(world).await;
    alice.barrier().await;
    read(world, alice, account);
}

fn read(world: &World, alice: &XmppClient, account: &mut Account) {
    account.sends.clear();
    for body in world
        .twilio
        .sent()
        .iter()
        .filter_map(|sent| sent.form("Body"))
    {
        *account.sends.entry(body).or_default() += 1;
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
        if crate::files::shared(stanza).is_some() {
            // Its URL may be another one after a kill between the upload and its commit; its message is the same.
            let message = id.rsplit_once("-f").map_or(id, |(message, _)| message);
            let picture = format!("picture of {message}");
            account
                .arrived
                .entry(picture)
                .or_default()
                .insert(id.to_owned());
        }
        if body.starts_with("in ") {
            account
                .arrived
                .entry(body)
                .or_default()
                .insert(id.to_owned());
        }
    }
}
