//! What senders are told, and when.

use std::time::Duration;

use super::*;
use crate::{
    queue::{
        Queue, overdue,
        tests::{Bench, GATEWAY, LANE, PATIENCE, row},
    },
    store::write::{OutcomeRow, State, TellKind},
    xmpp::stream::tests::double,
};

/// A look may meet a database that is out of order, or find more than it can take: it is not the last one.
#[tokio::test]
async fn what_is_untold_is_looked_for_again_by_and_by() {
    let bench = Bench::new().await;
    let (orders, _orders) = mpsc::channel(64);
    let processes = bench.surroundings.processes.clone();
    let queue = Queue { orders, processes };
    let lifecycle = bench.surroundings.lifecycle.clone();
    let running = overdue::run(bench.surroundings.clone(), queue);
    lifecycle.spawn("queue.overdue", running);
    for look in 0..3 {
        let again = async {
            loop {
                bench.clock.advance(Duration::from_secs(5));
                let soon = Duration::from_millis(10);
                let looked = bench.tells.look_again.notified();
                if tokio::time::timeout(soon, looked).await.is_ok() {
                    return;
                }
            }
        };
        let looked = tokio::time::timeout(PATIENCE, again).await;
        assert!(looked.is_ok(), "look {look} never came");
    }
}

/// An error repeats the id of its message, which may be as long as the server lets through.
#[tokio::test]
async fn an_error_that_cannot_be_written_holds_up_no_other() {
    let (mut bench, (link, mut server)) = (Bench::new().await, double::Bench::narrow(4_000).await);
    bench.link_to(&link.link);
    for number in 11..14 {
        let Write::Out(mut out) = row(number) else {
            unreachable!()
        };
        if number == 12 {
            out.stanza_id = "x".repeat(4_000);
        }
        let failed = OutcomeRow {
            attempts_before: Some(0),
            tell: Some(TellKind::Error),
            ..OutcomeRow::new(number, LANE, State::Failed)
        };
        bench
            .write(vec![Write::Out(out), Write::Outcome(failed)])
            .await;
    }
    let untold = async || bench.surroundings.store.pending_tells(0, 9).await.unwrap();
    assert_eq!(untold().await, [11, 12, 13].map(|one| (one, GATEWAY)));
    let online = Online::default();
    let (told, heard) = tokio::join!(
        tell(&bench.surroundings, &online, &[11, 12, 13]),
        server.take(),
    );
    assert!(told);
    let ids: Vec<_> = heard.iter().filter_map(|one| one.id.as_deref()).collect();
    assert!(ids.contains(&"s11") && ids.contains(&"s13"), "{ids:?}");
    assert!(untold().await.is_empty());
    let counted = bench.surroundings.metrics.render();
    assert!(
        counted.contains(r#"what="tell_refused"} "#),
        "it is counted: {counted}"
    );
}
