//! Texts that are whole and could not be delivered at once.

use super::*;
use crate::{
    gateway::registration::fixture::NOW,
    intake::people::tests::{Bench, POOL},
    store::write::{PartRow, Seen},
};

/// A text of two parts that are kept.
async fn kept(bench: &Bench, reference: u16) -> PartsOf {
    let of = PartsOf {
        line: POOL.into(),
        peer: "+12025550147".into(),
        reference,
        total: 2,
    };
    let part = |number: u8| {
        let row = PartRow {
            seen: Seen {
                scope_id: 1,
                digest: format!("{reference} {number}"),
                at_ms: NOW.0,
                stale_ms: 0,
            },
            part_id: bench.intake.next_id(),
            gateway_id: 1,
            scope_id: 1,
            line: of.line.clone(),
            peer: of.peer.clone(),
            peer_name: None,
            reference,
            total: 2,
            number,
            body: format!("part {number} "),
            sent_ms: None,
            at_ms: NOW.0,
        };
        Write::Part(Box::new(row))
    };
    let writes = vec![part(1), part(2)];
    bench.intake.writer.commit(writes).await.unwrap();
    of
}

async fn left(bench: &Bench, texts: &[PartsOf]) -> usize {
    bench.intake.store.parts(1, texts).await.unwrap().len()
}

#[tokio::test]
async fn a_whole_text_that_the_database_did_not_take_is_delivered_by_the_next_look() {
    let bench = Bench::with_alice().await;
    let of = [kept(&bench, 7).await];
    for table in ["deliveries", "conversations"] {
        bench.rename(table, "hidden").await;
        join_committed(&bench.intake, &of).await;
        bench.rename("hidden", table).await;
        assert_eq!(left(&bench, &of).await, 2, "without {table}");
    }
    sweep(&bench.intake).await;
    assert_eq!(left(&bench, &of).await, 0);
}

#[tokio::test]
async fn what_is_not_whole_waits_for_its_time() {
    let bench = Bench::with_alice().await;
    let of = [kept(&bench, 7).await];
    bench.sql("DELETE FROM parts WHERE number = 2").await;
    sweep(&bench.intake).await;
    assert_eq!(left(&bench, &of).await, 1);
    bench.clock.advance(bench.intake.gateway.config.parts_after);
    bench.clock.advance(SWEEP);
    sweep(&bench.intake).await;
    assert_eq!(left(&bench, &of).await, 0);
}

#[tokio::test]
async fn two_texts_that_each_begin_the_same_chat_are_both_delivered() {
    let bench = Bench::with_alice().await;
    let (one, other) = (kept(&bench, 7).await, kept(&bench, 8).await);
    let (one, other) = ([one], [other]);
    tokio::join!(
        join_committed(&bench.intake, &one),
        join_committed(&bench.intake, &other)
    );
    assert_eq!(left(&bench, &one).await + left(&bench, &other).await, 0);
}
