//! What a user's server sends back, before and after the outcome of the attempt is committed (semantics 23).

use transom_adapter::Lifecycle;
use transom_test_servers::{Postgres, Server, skipped};

use super::*;
use crate::{
    config::StoreUrl,
    processes::Processes,
    store::{
        Write, WriteError,
        write::{
            Operation,
            sweep::tests::{Base, incoming, message},
        },
    },
};

const MAIL: i64 = 1_000;
const TEXT: i64 = 3_000;
const RETRY_MS: i64 = 700_000;

#[tokio::test]
async fn what_is_sent_back_waits_whichever_is_committed_first_on_sqlite() {
    in_each_order(&Base::new().await).await;
}

#[tokio::test]
async fn what_is_sent_back_waits_whichever_is_committed_first_on_postgresql() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::start().await;
    let url = StoreUrl::Postgres(postgres.database().await.into());
    in_each_order(&Base::on(&url, None).await).await;
}

#[tokio::test]
async fn a_start_mark_whose_commit_was_not_answered_holds_on_sqlite() {
    started_again(&Base::new().await).await;
}

#[tokio::test]
async fn a_start_mark_whose_commit_was_not_answered_holds_on_postgresql() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::start().await;
    let url = StoreUrl::Postgres(postgres.database().await.into());
    started_again(&Base::on(&url, None).await).await;
}

async fn started_again(base: &Base) {
    let joined = Processes::join(&base.store, &Lifecycle::new()).await;
    let (processes, ..) = joined.unwrap();
    base.writer.commit_one(message(TEXT, false)).await.unwrap();
    let start = |at_ms, process_id| {
        Write::Start(Start {
            delivery_id: TEXT,
            account_id: 1,
            process_id,
            units: 1,
            at_ms,
        })
    };
    let own = processes.id();
    for (at_ms, process_id, expected) in [
        (100, own, Done::Written),
        (100, own, Done::Written),
        (101, own, Done::Unchanged),
        (100, own + 1, Done::Unchanged),
    ] {
        let done = base.writer.commit_one(start(at_ms, process_id)).await;
        assert_eq!(done, Ok(expected), "{at_ms} {}", process_id == own);
    }
    let life = base.store.life(TEXT).await.unwrap().unwrap();
    assert_eq!(life.waiting.attempts, 1, "one attempt");
}

#[tokio::test]
async fn a_commit_that_was_not_answered_is_unknown() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::start().await;
    let url = postgres.database().await;
    let base = Base::on(&StoreUrl::Postgres(url.clone().into()), None).await;
    // The first transaction with a message loses its connection while it commits.
    for sql in [
        "CREATE SEQUENCE commits",
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF nextval('commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
           RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW EXECUTE FUNCTION cut()",
    ] {
        postgres.query(&url, sql).await;
    }
    let lost = base.writer.commit_one(message(TEXT, false)).await;
    assert!(matches!(lost, Err(WriteError::Unknown(_))), "{lost:?}");
    let kept = base.writer.keep_one(message(TEXT, false)).await;
    assert_eq!(kept, Ok(Done::Written));
}

#[tokio::test]
async fn quiet_hours_are_told_once() {
    let base = Base::new().await;
    base.writer.commit_one(message(TEXT, false)).await.unwrap();
    let to_tell = async || {
        let postponed = OutcomeRow {
            tell: Some(TellKind::Night),
            ..OutcomeRow::new(TEXT, TEXT, State::Queued)
        };
        base.writer
            .commit_one(Write::Outcome(postponed))
            .await
            .unwrap();
        let life = base.store.life(TEXT).await.unwrap().unwrap();
        life.tell
    };
    assert_eq!(to_tell().await.as_deref(), Some("night"));
    let told = Told {
        delivery_id: TEXT,
        what: TellKind::Night,
    };
    base.writer.commit_one(Write::Told(told)).await.unwrap();
    assert_eq!(to_tell().await, None, "it is looked at again by night");
}

#[tokio::test]
async fn what_went_out_was_not_taken_back_in_time() {
    let base = Base::new().await;
    base.writer.commit_one(message(TEXT, false)).await.unwrap();
    let cancel = Operation::Cancel {
        delivery_id: TEXT,
        at_ms: TEXT,
    };
    let outcome = |state| Write::Outcome(OutcomeRow::new(TEXT, TEXT, state));
    let state = async || {
        let life = base.store.life(TEXT).await.unwrap().unwrap();
        life.waiting.state
    };
    // An account that recognises repeats needs no start mark: nothing stood in the way of taking it back.
    base.writer
        .commit_one(Write::Operation(cancel))
        .await
        .unwrap();
    for failed in [State::Queued, State::Failed, State::Unknown] {
        base.writer.commit_one(outcome(failed)).await.unwrap();
        assert_eq!(state().await, Some(State::Cancelled), "{failed:?}");
    }
    base.writer
        .commit_one(outcome(State::Accepted))
        .await
        .unwrap();
    assert_eq!(state().await, Some(State::Accepted));
}

async fn in_each_order(base: &Base) {
    for (message_id, peer, bounced_first) in [
        (MAIL, "+12025550147", false),
        (MAIL * 2, "+12025550148", true),
    ] {
        let row = incoming(message_id, peer, message_id);
        base.writer
            .commit_one(Write::In(Box::new(row)))
            .await
            .unwrap();
        let lane = lane_of(base, message_id).await;
        let mut writes = vec![delivered(message_id, lane), sent_back(message_id, lane)];
        if bounced_first {
            writes.reverse();
        }
        for write in writes {
            base.writer.commit_one(write).await.unwrap();
        }
        let waiting = base.store.life(message_id).await.unwrap().unwrap().waiting;
        assert_eq!(
            waiting.state,
            Some(State::Queued),
            "sent back first: {bounced_first}"
        );
        let lanes = base.store.due_lanes(0, 10).await.unwrap();
        let due = lanes.iter().find(|due| due.lane_id == lane);
        assert_eq!(
            due.map(|due| due.due_ms),
            Some(RETRY_MS),
            "sent back first: {bounced_first}"
        );
    }
}

async fn lane_of(base: &Base, at_ms: i64) -> i64 {
    let lanes = base.store.due_lanes(0, 10).await.unwrap();
    let lane = lanes.iter().find(|lane| lane.due_ms == at_ms);
    lane.expect("its lane is due").lane_id
}

fn sent_back(delivery_id: i64, lane_id: i64) -> Write {
    Write::Bounced(Bounced {
        delivery_id,
        lane_id,
        at_ms: 100_000,
        state: "queued",
        code: "service-unavailable".into(),
        due_ms: RETRY_MS,
    })
}

/// As it is written when the server has answered the ping behind the message.
fn delivered(delivery_id: i64, lane_id: i64) -> Write {
    Write::Outcome(OutcomeRow {
        attempts_before: Some(0),
        units_done: 1,
        attempts: 1,
        done_ms: Some(100_000),
        lane_due_ms: 100_000,
        ..OutcomeRow::new(delivery_id, lane_id, State::Delivered)
    })
}
