//! What the scheduler hands out, and when.

use super::*;
use crate::queue::{
    Online,
    tests::{Bench, LANE, PATIENCE, row, text, word_of},
};
use transom_adapter::Lifecycle;

#[tokio::test]
async fn what_waits_at_the_start_is_passed_by_nothing_that_comes_while_it_is_read() {
    let mut bench = Bench::new().await;
    bench.write((11..14).map(row).collect()).await;
    let queue = Queue::start(
        &bench.surroundings,
        Online::default(),
        bench.tells,
        mpsc::channel(1).1,
    );
    // A user writes before the scheduler has had its first look.
    bench
        .surroundings
        .writer
        .commit(vec![row(14)])
        .await
        .unwrap();
    queue.arrived(vec![word_of(14)]).await;
    for number in 11..=14 {
        let sent = tokio::time::timeout(PATIENCE, bench.sent.recv()).await;
        assert_eq!(sent.unwrap().unwrap(), text(number).text);
    }
}

#[tokio::test]
async fn what_waits_is_asked_for_again_while_the_database_is_out_of_order() {
    let bench = Bench::new().await;
    bench.write(vec![row(11)]).await;
    for table in ["lanes", "deliveries"] {
        bench.rename(table, "hidden").await;
        let stopping = Lifecycle::new();
        stopping.drain();
        let surroundings = Surroundings {
            lifecycle: stopping,
            ..bench.surroundings.clone()
        };
        let found = left_over(&surroundings).await;
        assert!(found.is_none(), "{table}: nothing is known of what waits");
        bench.rename("hidden", table).await;
    }
    let found = left_over(&bench.surroundings).await.unwrap();
    let lanes: Vec<i64> = found.iter().map(|lane| lane.lane_id).collect();
    assert_eq!(lanes, [LANE]);
}
