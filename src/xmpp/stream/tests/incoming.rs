//! Batches, commits, and what hostile or broken input does.

use std::time::Duration;

use super::{
    double::{Bench, Heard, bodies, incoming, jid, outgoing},
    *,
};
use crate::xmpp::stanza::{Fault, Message, ParseError, Stanza};

#[tokio::test]
async fn stanzas_of_one_read_come_together() {
    let (mut bench, mut peer) = Bench::up().await;
    peer.say("<message from='a@example.org' to='b@sms.example.org'><body>1</body></message> <message from='a@example.org' \
              to='b@sms.example.org'><body>2</body></message>")
        .await;
    let batch = bench.batch().await;
    assert_eq!(bodies(&batch.stanzas), ["1", "2"]);
    assert_eq!(bench.link.counters().uncommitted(), 2);
    batch.committed();
    peer.say_stanza(incoming("3")).await;
    assert_eq!(bodies(&bench.batch().await.stanzas), ["3"]);
    assert_eq!(
        (
            bench.link.counters().stanzas_in(),
            bench.link.counters().dropped()
        ),
        (3, 0)
    );
}

#[tokio::test]
async fn nothing_more_is_read_before_the_commit() {
    let (mut bench, mut peer) = Bench::up().await;
    let mut text = Vec::new();
    for number in 0..100 {
        Stanza::from(incoming(&number.to_string())).write(&mut text);
    }
    peer.say(str::from_utf8(&text).unwrap()).await;
    let (mut seen, mut batches) = (Vec::new(), Vec::new());
    while seen.len() < 100 {
        let (stanzas, commit) = bench.batch().await.split();
        assert!(stanzas.len() <= 64);
        assert_eq!(bench.link.counters().uncommitted(), stanzas.len() as u64);
        assert!(bench.events.try_recv().is_err());
        seen.extend(bodies(&stanzas));
        batches.push(stanzas.len());
        commit.committed();
    }
    assert_eq!(
        seen,
        (0..100)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
    assert!(batches.len() >= 2);
}

#[tokio::test]
async fn a_batch_is_bounded_in_bytes() {
    let (mut bench, mut peer) = Bench::up().await;
    let big = "x".repeat(100_000);
    let all = async {
        for _ in 0..8 {
            peer.say_stanza(incoming(&big)).await;
        }
    };
    let batches = async {
        let mut seen = 0;
        while seen < 8 {
            let (stanzas, commit) = bench.batch().await.split();
            assert!(stanzas.len() <= 3, "{} stanzas", stanzas.len());
            seen += stanzas.len();
            commit.committed();
        }
    };
    tokio::join!(all, batches);
}

#[tokio::test]
async fn a_dropped_batch_counts_and_the_link_reads_on() {
    let (mut bench, mut peer) = Bench::up().await;
    peer.say_stanza(incoming("1")).await;
    drop(bench.batch().await);
    peer.say_stanza(incoming("2")).await;
    bench.batch().await.committed();
    peer.say_stanza(incoming("3")).await;
    bench.batch().await.committed();
    assert_eq!(bench.link.counters().dropped(), 1);
}

#[tokio::test]
async fn what_is_no_stanza_for_us_does_not_end_the_stream() {
    let (mut bench, mut peer) = Bench::up().await;
    let deep = format!("{}{}", "<a>".repeat(99), "</a>".repeat(99));
    let long = "x".repeat(600_000);
    for (text, want, answered) in [
        (
            "<message from='@' to='b@sms.example.org'/>".to_owned(),
            Fault::BadFrom,
            false,
        ),
        (
            "<iq from='a@example.org' to='sms.example.org' type='x' id='1'/>".to_owned(),
            Fault::UnknownType,
            true,
        ),
        (
            "<iq from='a@example.org' to='sms.example.org' type='get'/>".to_owned(),
            Fault::MissingId,
            true,
        ),
        ("<coffee/>".to_owned(), Fault::NoStanza, false),
        (
            "<message from='a@example.org' to='b@mail.example.org'/>".to_owned(),
            Fault::NotOurs,
            false,
        ),
        (
            format!("<message from='a@example.org' to='b@sms.example.org'>{deep}</message>"),
            Fault::Unreadable(ParseError::TooBig {
                what: "elements inside each other",
                max: 64,
            }),
            true,
        ),
        (
            format!(
                "<message from='a@example.org' to='b@sms.example.org'><body>{long}</body></message>"
            ),
            Fault::Unreadable(ParseError::TooBig {
                what: "bytes in a stanza",
                max: 524_288,
            }),
            true,
        ),
        (
            "<message from='a@example.org' to='b@sms.example.org'><p:x/></message>".to_owned(),
            Fault::Unreadable(ParseError::Namespace("an undeclared prefix")),
            true,
        ),
    ] {
        peer.say(&text).await;
        let (stanzas, commit) = bench.batch().await.split();
        let [Received::Invalid(invalid)] = &*stanzas else {
            panic!("not invalid: {stanzas:?}")
        };
        assert_eq!(
            (&invalid.fault, invalid.error_reply().is_some()),
            (&want, answered)
        );
        commit.committed();
    }
    peer.say_stanza(incoming("still here")).await;
    assert_eq!(bodies(&bench.batch().await.stanzas), ["still here"]);
    assert_eq!(bench.link.counters().invalid(), 8);
}

#[tokio::test]
async fn what_is_not_xml_ends_the_stream_and_the_server_is_told() {
    for (text, condition) in [
        ("<message></iq>", "not-well-formed"),
        ("<message>&nbsp;</message>", "not-well-formed"),
        ("hello", "not-well-formed"),
        ("<message><!-- x --></message>", "restricted-xml"),
        ("<!DOCTYPE x>", "restricted-xml"),
    ] {
        let (mut bench, mut peer) = Bench::up().await;
        peer.say_stanza(incoming("before")).await;
        let batch = bench.batch().await;
        assert_eq!(bodies(&batch.stanzas), ["before"]);
        batch.committed();
        peer.say(text).await;
        match peer.hear().await {
            Heard::Other(error) => {
                assert!(error.is("error", crate::xmpp::ns::STREAM));
                assert!(
                    error
                        .child(condition, crate::xmpp::ns::STREAM_ERRORS)
                        .is_some(),
                    "for {text}"
                );
            }
            other => panic!("no stream error: {other:?}"),
        }
        assert_eq!(peer.hear().await, Heard::Close);
        assert!(matches!(bench.down().await, LinkError::Malformed(_)));
        bench.log_in().await;
    }
}

#[tokio::test]
async fn a_conflict_is_read_to_its_end_and_then_the_link_comes_back() {
    let (mut bench, mut peer) = Bench::up().await;
    peer.say_stanza(incoming("last words")).await;
    peer.say_stream_error("conflict", "Replaced by a new connection")
        .await;
    drop(peer);
    let batch = bench.batch().await;
    assert_eq!(bodies(&batch.stanzas), ["last words"]);
    assert!(bench.events.try_recv().is_err());
    batch.committed();
    let text = Some("Replaced by a new connection".to_owned());
    assert_eq!(bench.down().await, LinkError::ConflictLive { text });
    bench.log_in().await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_closed() {
    let (mut bench, mut peer) = Bench::up().await;
    peer.say("<message from='a@example.org' to='b@sms.example.org'><body>hal")
        .await;
    drop(peer);
    assert_eq!(bench.down().await, LinkError::Closed(Phase::Live));
    assert!(!bench.link.is_up());
    assert_eq!(bench.link.send(outgoing("x")).await, Err(SendError::Down));
    bench.log_in().await;
}

#[tokio::test]
async fn requests_go_to_the_consumer_and_nothing_is_answered() {
    let (mut bench, mut peer) = Bench::up().await;
    peer.say("<iq from='a@example.org/x' to='sms.example.org' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    let batch = bench.batch().await;
    let [Received::Stanza(Stanza::Iq(iq))] = &*batch.stanzas else {
        panic!("no iq")
    };
    let answer = iq.result(None).unwrap();
    batch.committed();
    bench.link.send(answer.clone()).await.unwrap();
    // The first thing that is heard is the consumer's answer.
    assert_eq!(peer.hear_iq().await, answer);
}

#[tokio::test]
async fn a_silent_connection_is_pinged_and_then_given_up() {
    let mut bench =
        Bench::with(|config| config.timing.keepalive = Duration::from_millis(200)).await;
    let mut peer = bench.log_in().await;
    let ping = peer.hear_iq().await;
    assert_eq!(ping.to, Some(jid("example.org")));
    peer.answer(&ping).await;
    // An answer keeps it alive; the next one does not come.
    let _unanswered = peer.hear_iq().await;
    assert_eq!(bench.down().await, LinkError::TimedOut(Waiting::Traffic));
}

#[tokio::test]
async fn a_slow_consumer_is_no_dead_server() {
    let mut bench = Bench::with(|config| {
        config.timing.keepalive = Duration::from_millis(100);
        config.timing.barrier = Duration::from_millis(100);
    })
    .await;
    let mut peer = bench.log_in().await;
    peer.say_stanza(incoming("1")).await;
    let batch = bench.batch().await;
    // Longer than every deadline: nothing may happen meanwhile.
    let quiet = tokio::time::timeout(Duration::from_millis(500), bench.events.recv()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    batch.committed();
    peer.say_stanza(incoming("2")).await;
    assert_eq!(bodies(&bench.batch().await.stanzas), ["2"]);
}

#[tokio::test]
async fn a_stray_answer_reaches_the_consumer_unharmed() {
    let (mut bench, mut peer) = Bench::up().await;
    peer.say("<iq from='example.org' to='sms.example.org' type='result' id='b0'/>")
        .await;
    let batch = bench.batch().await;
    assert!(matches!(&*batch.stanzas, [Received::Stanza(Stanza::Iq(_))]));
    batch.committed();
    let error = Message {
        kind: crate::xmpp::stanza::MessageType::Error,
        ..incoming("x")
    };
    peer.say_stanza(error).await;
    assert!(matches!(
        &*bench.batch().await.stanzas,
        [Received::Stanza(Stanza::Message(_))]
    ));
}
