//! What a report on a text of unknown fate changes, on both databases; and that the network may say anything.

use sha2::{Digest, Sha256};
use transom_test_servers::{Postgres, Server, skipped};

use super::*;
use crate::{
    config::StoreUrl,
    store::{
        Write, WriteError,
        write::{
            Done, FurtherDelivery, NewIn,
            sweep::tests::{Base, incoming, message},
        },
    },
};

const TEXT: i64 = 1_000;
const DOUBT_MS: i64 = 900_000;
const SILENT_MS: i64 = 86_400_000;

#[tokio::test]
async fn reports_on_sqlite() {
    a_text_that_was_heard_of_is_not_silent_before_its_time(&Base::new().await).await;
    nul_is_no_trouble(&Base::new().await).await;
    a_report_on_one_of_several_is_booked_on_whom_it_names(&Base::new().await).await;
}

#[tokio::test]
async fn reports_on_postgresql() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::start().await;
    for number in 0..4 {
        let url = StoreUrl::Postgres(postgres.database().await.into());
        let base = Base::on(&url, None).await;
        match number {
            0 => a_text_that_was_heard_of_is_not_silent_before_its_time(&base).await,
            1 => nul_is_no_trouble(&base).await,
            2 => a_report_on_one_of_several_is_booked_on_whom_it_names(&base).await,
            _ => what_no_index_takes_is_refused_alone(&base).await,
        }
    }
}

async fn a_text_that_was_heard_of_is_not_silent_before_its_time(base: &Base) {
    let unknown = OutcomeRow {
        attempts: 1,
        unknowns: 1,
        due_ms: Some(DOUBT_MS),
        ..OutcomeRow::new(TEXT, TEXT, State::Unknown)
    };
    let writes = vec![message(TEXT, false), Write::Outcome(unknown)];
    base.writer.commit(writes).await.unwrap();
    let overdue = async |now_ms| base.store.overdue(now_ms, 10).await.unwrap();
    assert_eq!(overdue(DOUBT_MS).await, [(TEXT, State::Unknown)]);
    for progress in [Progress::Sent, Progress::Delayed] {
        let report = ReportRow {
            key: Some((TEXT, 0)),
            recipients: None,
            ids: Vec::new(),
            scope_id: 1,
            progress,
            reason: None,
            code: None,
            at_ms: 0,
            silent_ms: if progress == Progress::Sent {
                SILENT_MS
            } else {
                SILENT_MS * 2
            },
        };
        base.writer.commit_one(Write::Report(report)).await.unwrap();
        assert_eq!(overdue(DOUBT_MS).await, [], "{progress:?}: no doubt");
    }
    assert_eq!(
        overdue(SILENT_MS).await,
        [(TEXT, State::Delayed)],
        "a day after the first that was heard of it"
    );
}

async fn a_report_on_one_of_several_is_booked_on_whom_it_names(base: &Base) {
    const BOB: &str = "bob@example.com";
    const CAROL: &str = "carol@example.com";
    let Write::Out(mut out) = message(TEXT, false) else {
        panic!("no message")
    };
    out.recipient = Some(BOB.to_owned());
    out.further = vec![FurtherDelivery {
        delivery_id: TEXT + 1,
        recipient: CAROL.to_owned(),
        segments: 1,
        units: 1,
        routes: "[]".into(),
    }];
    let alone = message(TEXT + 2, false);
    let accepted =
        |id, message_id| Write::Outcome(OutcomeRow::new(id, message_id, State::Accepted));
    let mut writes = vec![Write::Out(out), alone];
    writes.extend(
        [(TEXT, TEXT), (TEXT + 1, TEXT), (TEXT + 2, TEXT + 2)]
            .map(|(id, message_id)| accepted(id, message_id)),
    );
    base.writer.commit(writes).await.unwrap();
    let told = async |key: i64, recipients: &[&str]| {
        let report = ReportRow {
            key: Some((key, 0)),
            recipients: Some(recipients.iter().map(|&name| name.to_owned()).collect()),
            ids: Vec::new(),
            scope_id: 1,
            progress: Progress::Failed,
            reason: None,
            code: None,
            at_ms: 0,
            silent_ms: SILENT_MS,
        };
        match base.writer.commit_one(Write::Report(report)).await.unwrap() {
            Done::Tells(tells) => tells.iter().map(|tell| tell.delivery_id).collect(),
            _ => Vec::new(),
        }
    };
    assert_eq!(told(TEXT, &[]).await, [0; 0], "nobody is named");
    assert_eq!(told(TEXT, &["dave@example.com"]).await, [0; 0]);
    assert_eq!(told(TEXT, &["dave@example.com", CAROL]).await, [TEXT + 1]);
    assert_eq!(told(TEXT + 1, &[BOB]).await, [TEXT]);
    assert_eq!(told(TEXT + 2, &["dave@example.com"]).await, [TEXT + 2]);
}

async fn nul_is_no_trouble(base: &Base) {
    let row = NewIn {
        body: "one\0two".into(),
        ..incoming(TEXT, "+1\0", TEXT)
    };
    let stored = base.writer.commit_one(Write::In(Box::new(row))).await;
    stored.expect("it is stored");
    let lanes = base.store.due_lanes(0, 10).await.unwrap();
    let lanes: Vec<i64> = lanes.iter().map(|lane| lane.lane_id).collect();
    let rows = base.store.waiting_in(&lanes, 10).await.unwrap();
    let (body, peer) = (&*rows[0].body, &*rows[0].peer);
    assert_eq!((body, peer), ("one\u{FFFD}two", "+1\u{FFFD}"));
}

/// What is larger than an index of PostgreSQL takes is not the database's trouble.
async fn what_no_index_takes_is_refused_alone(base: &Base) {
    // What repeats itself would be packed.
    let hashes = (0..100_u32).map(|number| hex::encode(Sha256::digest(number.to_be_bytes())));
    let random: String = hashes.collect();
    let report = |value: String| {
        Write::Report(ReportRow {
            key: None,
            recipients: None,
            ids: vec![("id", value)],
            scope_id: 1,
            progress: Progress::Sent,
            reason: None,
            code: None,
            at_ms: 0,
            silent_ms: SILENT_MS,
        })
    };
    let large = base.writer.commit_one(report(random));
    let small = base.writer.commit_one(report("id".into()));
    let (large, small) = tokio::join!(large, small);
    assert!(matches!(large, Err(WriteError::Conflict(_))), "{large:?}");
    assert_eq!(small, Ok(Done::Written));
}
