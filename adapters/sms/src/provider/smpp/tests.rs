//! The account against an SMSC that is told what to say.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use tokio::{
    sync::{Semaphore, oneshot, watch},
    time::{Instant, timeout},
};
use transom_adapter::{
    Account, AccountName, AccountState, Address, Attempt, Busy, Clock, Context, Cursor, Event,
    Inbox, Key, MessageRef, Outcome, Part, Progress, Reason, Scope, SystemClock, Verdict,
    testkit::{
        CountingMeter, FixedDirectory, RecordingInbox, RecordingStates, conformance, context,
    },
};
use transom_smpp::{
    Deliver, Frame, Party, Submit, command, status,
    testkit::{Connection, Smsc},
};

use super::{account::SmppAccount, config};
use crate::provider::testing::{FIRST, client, env, faults_of, message, section};

mod received;

/// An account at a told SMSC, running.
struct Bench {
    smsc: Smsc,
    account: Arc<SmppAccount>,
    context: Context,
    inbox: Arc<RecordingInbox>,
    states: Arc<RecordingStates>,
    meter: Arc<CountingMeter>,
}

fn url(smsc: &Smsc) -> String {
    format!("smpp://127.0.0.1:{}", smsc.endpoint().port)
}

fn account(url: &str, more: &serde_json::Value) -> SmppAccount {
    let mut table = json!({ "url": url, "system_id": "transom", "password": "secret", "response_timeout": "1s" });
    for (key, value) in more.as_object().unwrap() {
        table[key] = value.clone();
    }
    let mut env = env(client());
    env.clock = Arc::new(SystemClock);
    config::account(AccountName::new("sms", "main"), &section(table), &env).unwrap()
}

impl Bench {
    async fn start(more: serde_json::Value) -> Self {
        let bench = Self::prepare(more).await;
        // Whoever could stop it is dropped, and it goes on.
        drop(bench.run());
        bench
    }

    async fn prepare(more: serde_json::Value) -> Self {
        let smsc = Smsc::start().await;
        let account = Arc::new(account(&url(&smsc), &more));
        let (inbox, meter) = (
            Arc::new(RecordingInbox::default()),
            Arc::new(CountingMeter::default()),
        );
        let states = Arc::new(RecordingStates::default());
        let mut context = context(
            Arc::clone(&inbox),
            FixedDirectory::default(),
            Arc::clone(&meter),
        );
        context.states = states.clone();
        Self {
            smsc,
            account,
            context,
            inbox,
            states,
            meter,
        }
    }

    /// Runs the account until it drains, or until what is returned is told to stop.
    fn run(&self) -> oneshot::Sender<()> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (running, inner) = (Arc::clone(&self.account), self.context.clone());
        self.context.lifecycle.spawn("smpp", async move {
            tokio::select! {
                run = running.run(&inner) => run.unwrap(),
                Ok(()) = stopped => {}
            }
        });
        stop
    }

    /// Sends a text of one part; the SMSC answers like this.
    async fn send(
        &self,
        connection: &mut Connection,
        text: &str,
        status: u32,
        id: &'static [u8],
    ) -> (Outcome, Deliver) {
        let text = message(text);
        let (outcome, submit) = tokio::join!(self.account.send(&text, FIRST), async {
            let submit = connection.next_of(command::SUBMIT_SM).await;
            connection.answer(&submit, status, id).await;
            submit
        });
        (outcome, Deliver::read(&submit.body).unwrap())
    }
}

/// The ids that a report names.
fn named(about: &[MessageRef]) -> Vec<&str> {
    let names = about.iter().map(|about| match about {
        MessageRef::External(id) => id.value.as_str(),
        MessageRef::Key(..) | MessageRef::OneOf(..) => "key",
    });
    names.collect()
}

const DELIVERED: u32 = command::DELIVER_SM | command::RESPONSE;

fn number(address: &str) -> Party {
    Party {
        ton: 1,
        npi: 1,
        address: address.to_owned(),
    }
}

fn from_bob(text: &[u8]) -> Submit {
    Submit {
        source: number("12025550147"),
        destination: number("12025550100"),
        text: Bytes::copy_from_slice(text),
        ..Submit::default()
    }
}

fn receipt(text: &str) -> Submit {
    Submit {
        esm_class: 0x04,
        ..from_bob(text.as_bytes())
    }
}

#[tokio::test]
async fn a_text_goes_out_and_its_receipt_comes_back() {
    let bench = Bench::start(json!({ "validity": "4h" })).await;
    let (mut connection, bind) = bench.smsc.bound(status::OK).await;
    assert_eq!(bind.command, command::BIND_TRANSCEIVER);
    let (outcome, submit) = bench
        .send(&mut connection, "hello", status::OK, b"00AB\0")
        .await;
    let Outcome::Accepted { ids } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        (ids[0].kind, ids[0].value.as_str(), ids[0].part),
        ("smpp", "ab", 0)
    );
    assert_eq!(
        (submit.source, submit.destination),
        (number("12025550100"), number("12025550147"))
    );
    assert_eq!(
        (submit.esm_class, submit.data_coding, &submit.text[..]),
        (0, 0, &b"hello"[..])
    );
    assert_eq!(
        connection.deliver(&receipt("id:171 stat:DELIVRD")).await,
        status::OK
    );
    let events = bench.inbox.wait_for(1).await;
    let Event::Report(report) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(report.progress, Progress::Delivered);
    let ids = named(&report.about);
    assert_eq!(
        ids,
        ["ab", "171"],
        "as hexadecimal, then as written: 0xAB is 171"
    );
    assert_eq!(bench.states.said().last(), Some(&AccountState::Up));
}

/// What an SMSC's ids look like is known before the first answer: its receipt may be about what an earlier process sent.
#[tokio::test]
async fn how_the_smsc_writes_ids_outlives_the_process() {
    let bench = Bench::prepare(json!({})).await;
    let stop = bench.run();
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    bench
        .send(&mut connection, "hello", status::OK, b"1a2b3c\0")
        .await;
    let kept = async {
        while bench.inbox.commits() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), kept).await.unwrap();
    stop.send(()).unwrap();
    let mut next = Bench::prepare(json!({})).await;
    next.context.inbox = bench.inbox.clone();
    next.account = Arc::new(account(&url(&bench.smsc), &json!({})));
    drop(next.run());
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    let early = receipt("id:0001715004 stat:DELIVRD");
    assert_eq!(connection.deliver(&early).await, status::OK);
    let events = bench.inbox.wait_for(1).await;
    let Event::Report(report) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(named(&report.about), ["1a2b3c", "1715004"]);
}

#[tokio::test]
async fn the_parts_of_a_text_belong_together() {
    let bench = Bench::start(json!({ "window": 5 })).await;
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    let mut text = message(&"ж".repeat(100));
    text.key = Key(0x0102_0304);
    let mut headers = Vec::new();
    for unit in 0..2 {
        let attempt = Attempt { unit, ..FIRST };
        let (outcome, submit) = tokio::join!(bench.account.send(&text, attempt), async {
            let submit = connection.next_of(command::SUBMIT_SM).await;
            connection.answer(&submit, status::OK, b"x\0").await;
            Deliver::read(&submit.body).unwrap()
        });
        let Outcome::Accepted { ids } = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(ids[0].part, unit);
        assert_eq!((submit.esm_class, submit.data_coding), (0x40, 8));
        headers.push(submit.text.slice(..6).to_vec());
    }
    assert_eq!(headers, [[5, 0, 3, 4, 2, 1], [5, 0, 3, 4, 2, 2]]);
}

#[tokio::test]
async fn no_more_leave_in_a_second_than_the_smsc_wants() {
    let bench = Bench::start(json!({ "per_second": 2 })).await;
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    let began = SystemClock.now();
    for text in ["one", "two", "three"] {
        bench.send(&mut connection, text, status::OK, b"1\0").await;
    }
    let took = SystemClock.now().0 - began.0;
    assert!(took >= 1_000, "{took} ms for three");
}

#[tokio::test]
async fn what_the_smsc_says_is_believed() {
    let bench = Bench::start(json!({})).await;
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    let (throttled, _) = bench
        .send(&mut connection, "a", status::THROTTLED, b"")
        .await;
    assert!(
        matches!(
            throttled,
            Outcome::Throttled {
                scope: Scope::Account,
                ..
            }
        ),
        "{throttled:?}"
    );
    let (refused, _) = bench.send(&mut connection, "b", 0x0b, b"").await;
    assert!(
        matches!(&refused, Outcome::Rejected(failure) if failure.reason == Reason::NoSuchRecipient),
        "{refused:?}"
    );
    let text = message("c");
    let (unknown, _) = tokio::join!(
        bench.account.send(&text, FIRST),
        connection.next_of(command::SUBMIT_SM)
    );
    assert!(
        matches!(unknown, Outcome::Unknown(_)),
        "no answer: {unknown:?}"
    );
    assert_eq!(bench.meter.of("smpp_no_response"), 1);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_settles_what_was_unknown() {
    let bench = Bench::start(json!({})).await;
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    let mut late = Vec::new();
    for unit in 0..2 {
        let (text, attempt) = (message(&"ж".repeat(100)), Attempt { unit, ..FIRST });
        let (unknown, submit) = tokio::join!(
            bench.account.send(&text, attempt),
            connection.next_of(command::SUBMIT_SM)
        );
        assert!(matches!(unknown, Outcome::Unknown(_)), "{unknown:?}");
        late.push(submit);
    }
    connection.answer(&late[0], status::OK, b"00AB\0").await;
    let receipt = receipt("id:AB stat:DELIVRD");
    assert_eq!(connection.deliver(&receipt).await, status::OK);
    connection.answer(&late[1], 0x0b, b"").await;
    let events = bench.inbox.wait_for(3).await;
    let told = events.iter().map(|event| match event {
        Event::Report(report) => {
            let reason = report.failure.as_ref().map(|failure| failure.reason);
            (report.about[0].clone(), report.progress, reason)
        }
        other => panic!("{other:?}"),
    });
    let of = |part| MessageRef::Key(message("").key, part);
    let refused = Some(Reason::NoSuchRecipient);
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (of(0), Progress::Accepted, None),
            (of(0), Progress::Delivered, None),
            (of(1), Progress::Failed, refused)
        ]
    );
    assert_eq!(bench.meter.of("smpp_late_response"), 2);
    // Another message gets the id: the receipt is about that one.
    bench
        .send(&mut connection, "next", status::OK, b"AB\0")
        .await;
    assert_eq!(connection.deliver(&receipt).await, status::OK);
    let events = bench.inbox.wait_for(4).await;
    let Event::Report(report) = &events[3] else {
        panic!("{events:?}")
    };
    assert_eq!(named(&report.about), ["ab"]);
}

#[tokio::test]
async fn a_broken_session_is_bound_again() {
    let bench = Bench::start(json!({})).await;
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    let text = message("hello");
    let (unknown, ()) = tokio::join!(bench.account.send(&text, FIRST), async {
        connection.next_of(command::SUBMIT_SM).await;
        drop(connection);
    });
    assert!(matches!(unknown, Outcome::Unknown(_)), "{unknown:?}");
    bench
        .states
        .wait_for(|state| matches!(state, AccountState::Down(_)))
        .await;
    let down = bench.account.send(&text, FIRST).await;
    assert!(matches!(down, Outcome::Transient(_)), "{down:?}");
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    bench
        .states
        .wait_for(|state| *state == AccountState::Up)
        .await;
    let (outcome, _) = bench
        .send(&mut connection, "again", status::OK, b"7\0")
        .await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
}

/// A process that loses its gateway drops what it does with it, and begins again when it gets it back.
#[tokio::test]
async fn what_was_written_when_the_gateway_was_lost_is_unknown_and_the_account_runs_again() {
    let bench = Bench::prepare(json!({})).await;
    let stop = bench.run();
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    let text = message("hello");
    let (unknown, ()) = tokio::join!(bench.account.send(&text, FIRST), async {
        connection.next_of(command::SUBMIT_SM).await;
        stop.send(()).unwrap();
        assert_eq!(connection.next().await, None, "the connection ends");
    });
    assert!(matches!(unknown, Outcome::Unknown(_)), "{unknown:?}");
    let without = bench.account.send(&text, FIRST).await;
    assert!(matches!(without, Outcome::Transient(_)), "{without:?}");
    let _stop = bench.run();
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    let (outcome, _) = bench
        .send(&mut connection, "again", status::OK, b"7\0")
        .await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
}

#[tokio::test]
async fn who_is_told_that_another_is_bound_asks_again_soon() {
    let bench = Bench::start(json!({})).await;
    let since = Instant::now();
    bench.smsc.bound(status::ALREADY_BOUND).await;
    bench.smsc.bound(status::OK).await;
    assert!(since.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_wrong_password_is_for_an_admin() {
    let bench = Bench::start(json!({})).await;
    let (mut connection, _) = bench.smsc.bound(status::INVALID_PASSWORD).await;
    let state = bench
        .states
        .wait_for(|state| matches!(state, AccountState::LoggedOut(_)))
        .await;
    let AccountState::LoggedOut(failure) = state else {
        panic!()
    };
    assert_eq!(failure.code.as_deref(), Some("0x0E ESME_RINVPASWD"));
    let detail = failure.detail.unwrap();
    assert!(
        detail.contains("compare system_id and password") && !detail.contains("secret"),
        "{detail}"
    );
    assert!(connection.next().await.is_none(), "closed");
    let (report, _) = tokio::join!(
        bench.account.check(),
        bench.smsc.bound(status::INVALID_PASSWORD)
    );
    assert!(report.faults[0].contains("RINVPASWD"), "{report:?}");
}

#[tokio::test]
async fn a_pair_sends_on_one_and_receives_on_the_other() {
    let bench = Bench::start(json!({ "bind": "pair" })).await;
    let mut binds = Vec::new();
    for _ in 0..2 {
        let (connection, bind) = bench.smsc.bound(status::OK).await;
        binds.push((bind.command, connection));
    }
    binds.sort_by_key(|(command, _)| *command);
    let kinds: Vec<u32> = binds.iter().map(|(command, _)| *command).collect();
    assert_eq!(kinds, [command::BIND_RECEIVER, command::BIND_TRANSMITTER]);
    let (_, mut transmitter) = binds.pop().unwrap();
    let (_, mut receiver) = binds.pop().unwrap();
    let (outcome, _) = bench
        .send(&mut transmitter, "hello", status::OK, b"7\0")
        .await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(receiver.deliver(&from_bob(b"hi")).await, status::OK);
    bench
        .states
        .wait_for(|state| *state == AccountState::Up)
        .await;
}

#[tokio::test]
async fn a_drain_unbinds() {
    let bench = Bench::start(json!({})).await;
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    bench
        .states
        .wait_for(|state| *state == AccountState::Up)
        .await;
    bench.context.lifecycle.drain();
    let unbind: Frame = connection.next_of(command::UNBIND).await;
    connection.answer(&unbind, status::OK, b"").await;
    assert!(
        bench
            .context
            .lifecycle
            .finish(Duration::from_secs(10))
            .await
    );
}

#[test]
fn the_conformance_suite_passes() {
    conformance::account(&account("smpp://127.0.0.1:1", &json!({ "per_second": 5 })));
}

#[test]
fn every_fault_of_the_section_is_told() {
    let table = json!({
        "url": "http://smsc.example.com", "system_id": "more than fifteen characters", "window": 0, "version": "3.3",
        "validity": "1s", "source_ton": 99,
    });
    let faults: Vec<_> = faults_of(config::account, table)
        .iter()
        .map(|fault| fault.key.clone())
        .collect();
    for key in [
        "url",
        "password",
        "system_id",
        "window",
        "source_ton",
        "version",
        "validity",
    ] {
        assert!(
            faults.iter().any(|fault| fault.ends_with(key)),
            "{key} in {faults:?}"
        );
    }
}
