//! Ends that were asked for.

use std::time::Duration;

use super::{
    double::{Bench, Heard, bodies, incoming, outgoing},
    *,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn draining_closes_the_stream_and_reads_it_to_its_end() {
    let (mut bench, mut peer) = Bench::up().await;
    bench.link.send(outgoing("last")).await.unwrap();
    bench.life.drain();
    assert_eq!(peer.hear_message().await.body().as_deref(), Some("last"));
    assert_eq!(peer.hear().await, Heard::Close);
    assert_eq!(
        bench.link.send(outgoing("too late")).await,
        Err(SendError::Down)
    );
    // The server still had something.
    for number in 0..70 {
        peer.say_stanza(incoming(&number.to_string())).await;
    }
    peer.say("</stream:stream>").await;
    let mut seen = Vec::new();
    while let Some(event) = bench.events.recv().await {
        let LinkEvent::Batch(batch) = event else {
            panic!("{event:?}")
        };
        let (stanzas, commit) = batch.split();
        seen.extend(bodies(&stanzas));
        commit.committed();
    }
    assert_eq!(seen.len(), 70);
    assert!(matches!(*bench.link.state().borrow(), LinkState::Stopped));
    assert!(bench.life.finish(9 * SECOND).await);
}

#[tokio::test]
async fn what_was_tracked_is_answered_before_the_end() {
    let (bench, mut peer) = Bench::up().await;
    let mut outcome = bench.tracked(vec![outgoing("1").into()]);
    peer.hear_message().await;
    let ping = peer.hear_iq().await;
    bench.life.drain();
    peer.answer(&ping).await;
    assert_eq!(outcome.recv().await, Some(Ok(())));
    assert_eq!(peer.hear().await, Heard::Close);
}

#[tokio::test]
async fn a_server_that_does_not_close_is_left_behind() {
    let mut bench = Bench::with(|config| config.timing.stop = Duration::from_millis(100)).await;
    let mut peer = bench.log_in().await;
    bench.life.drain();
    assert_eq!(peer.hear().await, Heard::Close);
    assert!(bench.life.finish(9 * SECOND).await);
}

#[tokio::test]
async fn a_link_can_wait_for_its_holders_last_words() {
    let mut bench = Bench::with(|config| config.stop = StopWhen::Asked).await;
    let mut peer = bench.log_in().await;
    bench.life.drain();
    bench.link.send(outgoing("last")).await.unwrap();
    assert!(matches!(peer.hear().await, Heard::Stanza(_)));
    bench.link.stop();
    assert_eq!(peer.hear().await, Heard::Close);
    drop(peer);
    assert!(bench.life.finish(9 * SECOND).await);
}

#[tokio::test]
async fn abort_ends_at_once() {
    let (mut bench, peer) = Bench::up().await;
    bench.life.abort();
    assert!(bench.life.finish(9 * SECOND).await);
    assert!(bench.events.recv().await.is_none());
    drop(peer);
}

#[tokio::test]
async fn a_link_that_is_down_stops_at_once() {
    let mut bench = Bench::with(|config| config.backoff.min = 999 * SECOND).await;
    drop(bench.accept().await);
    bench.down().await;
    bench.life.drain();
    assert!(bench.life.finish(9 * SECOND).await);
}

#[tokio::test]
async fn a_link_that_logs_in_stops_at_once() {
    let mut bench = Bench::new().await;
    let _peer = bench.accept().await;
    bench.life.drain();
    assert!(bench.life.finish(9 * SECOND).await);
}

#[tokio::test]
async fn without_consumer_there_is_no_link() {
    let (mut bench, mut peer) = Bench::up().await;
    bench.events.close();
    peer.say_stanza(incoming("1")).await;
    bench.life.drain();
    assert!(bench.life.finish(9 * SECOND).await);
}

#[tokio::test]
async fn a_link_that_is_handed_over_reads_and_answers_and_leaves_the_rest_to_the_next() {
    let (permit, permitted) = tokio::sync::watch::channel(Permit::Yes);
    let mut bench = Bench::with(|config| config.permit = Some(permitted)).await;
    let mut peer = bench.log_in().await;
    let mut before = bench.tracked(vec![outgoing("before").into()]);
    peer.hear_message().await;
    let ping = peer.hear_iq().await;
    permit.send_replace(Permit::HandedOver);
    let mut since = bench.tracked(vec![outgoing("since").into()]);
    assert_eq!(since.recv().await, Some(Err(Lost::Link)));
    bench.link.send(outgoing("an answer")).await.unwrap();
    let heard = peer.hear_message().await;
    assert_eq!(heard.body().as_deref(), Some("an answer"));
    peer.answer(&ping).await;
    assert_eq!(before.recv().await, Some(Ok(())));
    peer.say_stanza(incoming("on the way")).await;
    peer.say_stream_error("conflict", "Replaced by a new connection")
        .await;
    let batch = bench.batch().await;
    assert_eq!(bodies(&batch.stanzas), ["on the way"]);
    batch.committed();
    assert!(matches!(bench.down().await, LinkError::ConflictLive { .. }));
}
