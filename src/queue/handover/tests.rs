//! What the user's server is given.

use super::*;
use crate::{
    queue::tests::{Bench, GATEWAY, LANE},
    xmpp::stream::tests::double,
};

#[tokio::test]
async fn one_message_that_cannot_be_written_fails_alone() {
    let (mut bench, (link, mut server)) = (Bench::new().await, double::Bench::narrow(4_000).await);
    bench.link_to(&link.link);
    let (finished, mut orders) = mpsc::channel(1);
    let task = HandOver {
        surroundings: bench.surroundings.clone(),
        gateway: bench.surroundings.gateways[&GATEWAY].clone(),
        lane_id: LANE,
        works: vec![
            work(11, "s11"),
            work(12, &"x".repeat(4_000)),
            work(13, "s13"),
        ],
        slot: 0,
        finished,
    };
    let ((), heard) = tokio::join!(run(task), server.take());
    let ids: Vec<_> = heard.iter().filter_map(|one| one.id.as_deref()).collect();
    assert_eq!(ids, ["s11", "s13"]);
    let Some(Order::HandedOver { lost, .. }) = orders.recv().await else {
        panic!("it is not said that it is done")
    };
    assert!(lost.is_empty(), "{lost:?}");
    let counted = bench.surroundings.metrics.render();
    for (outcome, count) in [("delivered", 2), ("failed", 1)] {
        let wanted = format!("direction=\"in\",outcome=\"{outcome}\"}} {count}\n");
        assert!(counted.contains(&wanted), "{wanted}: {counted}");
    }
}

fn work(number: i64, stanza_id: &str) -> Work {
    let row = InRow {
        delivery_id: number,
        lane_id: LANE,
        attempts: 0,
        jid: "alice@example.org".to_owned(),
        peer: "+12025550147".to_owned(),
        line: "+12025550100".to_owned(),
        stanza_id: stanza_id.to_owned(),
        body: format!("text {number}"),
        payload: None,
        created_ms: 0,
        has_files: false,
    };
    Work::In(Box::new(row.into()))
}
