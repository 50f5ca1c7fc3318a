//! Sends, barriers, requests, presences.

use std::time::Duration;

use super::{
    double::{Bench, Heard, incoming, jid, outgoing},
    *,
};
use crate::xmpp::{
    stanza::{Condition, Iq, Message, Presence, PresenceType, Stanza, StanzaError},
    xep::ping::ping,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn sends_keep_their_order() {
    let (bench, mut peer) = Bench::up().await;
    for number in 0..500 {
        bench
            .link
            .send(outgoing(&number.to_string()))
            .await
            .unwrap();
    }
    for number in 0..500 {
        assert_eq!(
            peer.hear_message().await.body().as_deref(),
            Some(&*number.to_string())
        );
    }
}

#[tokio::test]
async fn a_tracked_send_is_done_when_a_later_ping_is_answered() {
    let (mut bench, mut peer) = Bench::up().await;
    let mut outcome = bench.tracked(vec![outgoing("1").into(), outgoing("2").into()]);
    assert_eq!(peer.hear_message().await.body().as_deref(), Some("1"));
    assert_eq!(peer.hear_message().await.body().as_deref(), Some("2"));
    let ping = peer.hear_iq().await;
    assert_eq!(
        (&ping.from, &ping.to),
        (&Some(jid("sms.example.org")), &Some(jid("example.org")))
    );
    assert!(outcome.try_recv().is_err());
    // An error is as good as a result.
    let refusal = StanzaError::new(Condition::ServiceUnavailable);
    peer.say_stanza(ping.error_reply(&refusal).unwrap()).await;
    assert_eq!(outcome.recv().await, Some(Ok(())));
    // The pong was the link's own affair.
    assert!(bench.events.try_recv().is_err());
}

#[tokio::test]
async fn many_tracked_sends_share_pings() {
    let (bench, mut peer) = Bench::up().await;
    let mut outcomes: Vec<_> = (0..200)
        .map(|n| bench.tracked(vec![outgoing(&n.to_string()).into()]))
        .collect();
    let (mut messages, mut pings) = (0, 0);
    while messages < 200 {
        match peer.hear().await {
            Heard::Stanza(Stanza::Message(_)) => messages += 1,
            Heard::Stanza(Stanza::Iq(ping)) => {
                pings += 1;
                peer.answer(&ping).await;
            }
            other => panic!("{other:?}"),
        }
    }
    let last = peer.hear_iq().await;
    peer.answer(&last).await;
    for outcome in &mut outcomes {
        assert_eq!(outcome.recv().await, Some(Ok(())));
    }
    assert!(pings < 100, "{pings} pings for 200 messages");
}

#[tokio::test]
async fn a_lost_stream_loses_what_was_not_answered() {
    let (mut bench, mut peer) = Bench::up().await;
    let mut outcome = bench.tracked(vec![outgoing("1").into()]);
    peer.hear_message().await;
    drop(peer);
    assert_eq!(outcome.recv().await, Some(Err(Lost::Link)));
    assert_eq!(bench.down().await, LinkError::Closed(Phase::Live));
    // Nothing of the old stream is written on the new one.
    let mut peer = bench.log_in().await;
    bench.link.send(outgoing("2")).await.unwrap();
    assert_eq!(peer.hear_message().await.body().as_deref(), Some("2"));
}

#[tokio::test]
async fn a_server_that_drops_pings_is_found_out() {
    let mut bench = Bench::with(|config| config.timing.barrier = Duration::from_millis(50)).await;
    let mut peer = bench.log_in().await;
    let mut outcome = bench.tracked(vec![outgoing("1").into()]);
    peer.hear_message().await;
    peer.hear_iq().await;
    let barrier = peer.hear_message().await;
    assert_eq!(barrier.to, Some(jid("sms.example.org")));
    peer.say_stanza(barrier).await;
    assert_eq!(outcome.recv().await, Some(Ok(())));
    let mut outcome = bench.tracked(vec![outgoing("2").into()]);
    peer.hear_message().await;
    let barrier = peer.hear_message().await;
    peer.say_stanza(barrier).await;
    assert_eq!(outcome.recv().await, Some(Ok(())));
    assert!(bench.events.try_recv().is_err());
}

#[tokio::test]
async fn a_server_that_answers_nothing_is_given_up() {
    let mut bench = Bench::with(|config| config.timing.barrier = Duration::from_millis(50)).await;
    let _peer = bench.log_in().await;
    let mut outcome = bench.tracked(vec![outgoing("1").into()]);
    assert_eq!(bench.down().await, LinkError::TimedOut(Waiting::Barrier));
    assert_eq!(outcome.recv().await, Some(Err(Lost::Link)));
}

#[tokio::test]
async fn wrong_addresses_are_never_written() {
    let (bench, mut peer) = Bench::up().await;
    let mut foreign = outgoing("1");
    foreign.from = Some(jid("mallory@example.org"));
    let mut nobody = outgoing("2");
    nobody.to = None;
    let refusal = Refusal::ForeignFrom {
        found: "example.org".into(),
    };
    assert_eq!(
        bench.link.send(foreign.clone()).await,
        Err(SendError::Refused(refusal.clone()))
    );
    assert_eq!(
        bench.link.send(nobody.clone()).await,
        Err(SendError::Refused(Refusal::MissingTo))
    );
    let all = vec![outgoing("3").into(), foreign.into()];
    assert_eq!(
        bench.link.send_tracked(all).await,
        Err(Lost::Refused(refusal))
    );
    assert_eq!(bench.link.send_tracked(Vec::new()).await, Ok(()));
    bench.link.send(outgoing("4")).await.unwrap();
    assert_eq!(peer.hear_message().await.body().as_deref(), Some("4"));
}

#[tokio::test]
async fn of_several_groups_the_wrong_one_alone_is_left_out() {
    let (bench, mut peer) = Bench::narrow(1_000).await;
    let big = outgoing(&"x".repeat(1_000));
    let groups = [
        vec![outgoing("1").into(), outgoing("2").into()],
        vec![outgoing("3").into(), big.into()],
        Vec::new(),
        vec![outgoing("4").into()],
    ];
    let sending = bench.link.send_groups(groups.iter().map(Vec::as_slice));
    let (written, heard) = tokio::join!(sending, peer.take());
    assert!(
        matches!(
            written.as_deref(),
            Ok([Ok(()), Err(Refusal::TooBig { .. }), Ok(()), Ok(())])
        ),
        "{written:?}"
    );
    let bodies: Vec<_> = heard.iter().filter_map(Message::body).collect();
    assert_eq!(bodies, ["1", "2", "4"]);
    // Nothing is left of this one: nothing is waited for.
    let written = bench.link.send_groups([&groups[1][1..]]).await;
    assert!(matches!(written.as_deref(), Ok([Err(_)])), "{written:?}");
    drop(peer);
}

/// Until what came is committed the connection is not let go of; whoever has something to send must not try again and again.
#[tokio::test]
async fn a_link_that_is_read_to_its_end_is_not_up() {
    let (mut bench, mut peer) = Bench::up().await;
    let mut last = Vec::new();
    Stanza::from(incoming("1")).write(&mut last);
    let last = String::from_utf8(last).unwrap();
    peer.say(&format!("{last}</stream:stream>")).await;
    let batch = bench.batch().await;
    let refused = async {
        while bench.link.send(outgoing("x")).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(20 * SECOND, refused).await.unwrap();
    assert!(!bench.link.is_up());
    assert!(matches!(
        *bench.link.state().borrow(),
        LinkState::Down {
            error: LinkError::Closed(Phase::Live),
            ..
        }
    ));
    batch.committed();
    assert_eq!(bench.down().await, LinkError::Closed(Phase::Live));
    let _peer = bench.log_in().await;
    assert!(bench.link.is_up());
}

#[tokio::test]
async fn a_request_brings_its_answer() {
    let (mut bench, mut peer) = Bench::up().await;
    let ask = || Iq::get(jid("sms.example.org"), jid("upload.example.org"), ping());
    let server = async {
        let iq = peer.hear_iq().await;
        let mut forged = iq.result(None).unwrap();
        forged.from = Some(jid("mallory@example.org"));
        peer.say_stanza(forged).await;
        peer.answer(&iq).await;
        let iq = peer.hear_iq().await;
        peer.say_stanza(
            iq.error_reply(&StanzaError::new(Condition::Forbidden))
                .unwrap(),
        )
        .await;
        peer.hear_iq().await;
        peer
    };
    let client = async {
        let answer = bench.link.request(ask(), 9 * SECOND).await.unwrap();
        assert_eq!(answer.from, Some(jid("upload.example.org")));
        let refused = bench.link.request(ask(), 9 * SECOND).await;
        assert_eq!(
            refused,
            Err(RequestError::Refused(StanzaError::new(
                Condition::Forbidden
            )))
        );
        let late = bench.link.request(ask(), Duration::from_millis(50)).await;
        assert_eq!(late, Err(RequestError::TimedOut));
    };
    // The forged answer is the consumer's.
    let consumer = async {
        bench
            .events
            .recv()
            .await
            .map(|event| matches!(event, LinkEvent::Batch(_)))
    };
    let (peer, (), forged) = tokio::join!(server, client, consumer);
    assert_eq!(forged, Some(true));
    drop(peer);
    bench.down().await;
    assert_eq!(
        bench.link.request(ask(), SECOND).await,
        Err(RequestError::Lost)
    );
}

#[tokio::test]
async fn presences_never_go_ahead_of_messages() {
    let (bench, mut peer) = Bench::up().await;
    let presence = |n: usize| {
        Presence::new(
            PresenceType::Available,
            jid("sms.example.org"),
            jid(&format!("u{n}@example.org")),
        )
    };
    for n in 0..20 {
        bench.link.send_presence(presence(n)).unwrap();
    }
    // Nothing ran in between: the messages are queued before the first presence is taken.
    for n in 0..20 {
        bench.link.send(outgoing(&n.to_string())).await.unwrap();
    }
    let mut heard = Vec::new();
    for _ in 0..40 {
        heard.push(matches!(
            peer.hear().await,
            Heard::Stanza(Stanza::Message(_))
        ));
    }
    assert_eq!(
        heard.iter().rposition(|message| *message),
        Some(19),
        "{heard:?}"
    );
}

#[tokio::test]
async fn presences_are_paced_and_none_is_dropped_silently() {
    let mut bench = Bench::with(|config| {
        config.queues.presences = 8;
        config.queues.presences_per_second = 40;
    })
    .await;
    let mut peer = bench.log_in().await;
    let presence = || {
        Presence::new(
            PresenceType::Available,
            jid("sms.example.org"),
            jid("a@example.org"),
        )
    };
    let began = std::time::Instant::now();
    let sent = (0..12)
        .filter(|_| bench.link.send_presence(presence()) != Err(SendError::Full))
        .count();
    assert!((8..12).contains(&sent), "{sent}");
    for _ in 0..sent {
        assert!(matches!(
            peer.hear().await,
            Heard::Stanza(Stanza::Presence(_))
        ));
    }
    // 25 ms each, the first at once.
    assert!(
        began.elapsed() >= Duration::from_millis(25 * (sent as u64 - 1)),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_server_that_takes_nothing_is_given_up() {
    let mut bench = Bench::with(|config| config.timing.write = Duration::from_millis(100)).await;
    let _peer = bench.log_in().await;
    let link = bench.link.clone();
    let body = "x".repeat(100_000);
    let flood = async { while link.send(outgoing(&body)).await.is_ok() {} };
    let ((), error) = tokio::join!(flood, bench.down());
    assert_eq!(error, LinkError::TimedOut(Waiting::Write));
}

#[tokio::test]
async fn a_stream_error_after_a_failed_write_is_still_read() {
    let (mut bench, mut peer) = Bench::up().await;
    peer.say_stanza(incoming("1")).await;
    let batch = bench.batch().await;
    peer.say_stream_error("invalid-from", "Component tried to send")
        .await;
    drop(peer);
    // These run into the closed connection.
    for _ in 0..50 {
        if bench.link.send(outgoing("x")).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    batch.committed();
    let error = bench.down().await;
    assert!(
        matches!(
            error,
            LinkError::InvalidFrom { .. } | LinkError::Closed(Phase::Live)
        ),
        "{error}"
    );
}
