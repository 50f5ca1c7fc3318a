//! Sessions against an SMSC that is told what to say.

mod tls;

use std::{future::pending, sync::Mutex, time::Duration};

use bytes::Bytes;
use tokio::sync::Notify;

use super::*;
use crate::testkit::Smsc;

const LIMITS: Limits = Limits {
    window: 2,
    response: Duration::from_secs(10),
    enquire: Duration::from_secs(30),
};
/// Shorter than anybody should wait in a test.
const HASTY: Limits = Limits {
    window: 2,
    response: Duration::from_millis(200),
    enquire: Duration::from_millis(100),
};
const OPEN: Duration = Duration::from_secs(10);

fn login(bind: Bind) -> Login {
    Login {
        bind,
        version: Version::V3_4,
        system_id: "transom".into(),
        password: "secret".to_owned().into(),
        system_type: String::new(),
        address_range: String::new(),
    }
}

async fn open(smsc: &Smsc) -> Result<Session, OpenError> {
    Session::open(&smsc.endpoint(), &login(Bind::Transceiver), OPEN).await
}

/// Takes everything, or answers with a status.
#[derive(Default)]
struct Desk {
    taken: Mutex<Vec<Deliver>>,
    counted: Mutex<Vec<&'static str>>,
    late: Mutex<Vec<(Mark, u32, String)>>,
    hold: Option<Notify>,
}

impl Handler for Desk {
    async fn deliver(&self, deliver: Deliver) -> u32 {
        if let Some(hold) = &self.hold {
            hold.notified().await;
        }
        self.taken.lock().unwrap().push(deliver);
        status::OK
    }

    async fn late(&self, mark: Mark, status: u32, message_id: String) {
        self.late.lock().unwrap().push((mark, status, message_id));
    }

    fn count(&self, what: &'static str) {
        self.counted.lock().unwrap().push(what);
    }
}

fn text(text: &'static [u8]) -> Submit {
    Submit {
        text: Bytes::from_static(text),
        ..Submit::default()
    }
}

#[tokio::test]
async fn a_bind_says_who_we_are() {
    let smsc = Smsc::start().await;
    let (opened, (_connection, bind)) = tokio::join!(open(&smsc), smsc.bound(status::OK));
    opened.unwrap();
    assert_eq!(bind.command, command::BIND_TRANSCEIVER);
    assert_eq!(&bind.body[..], b"transom\0secret\0\0\x34\0\0\0");
}

#[tokio::test]
async fn a_bind_that_is_refused_says_why() {
    let smsc = Smsc::start().await;
    for (status, is_refusal) in [(0x0e, true), (0x0d, true), (0x05, false), (0x08, false)] {
        let (opened, _) = tokio::join!(open(&smsc), smsc.bound(status));
        let error = opened.unwrap_err();
        assert!(
            matches!(error, OpenError::Refused(known) if known == status),
            "{error}"
        );
        assert_eq!(error.is_refusal(), is_refusal, "{error}");
    }
}

#[tokio::test]
async fn what_is_no_smsc_is_told() {
    let smsc = Smsc::start().await;
    let (opened, ()) = tokio::join!(open(&smsc), async {
        smsc.accept()
            .await
            .raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await;
    });
    assert!(matches!(opened, Err(OpenError::NotSmpp)), "{opened:?}");
    let (opened, ()) = tokio::join!(open(&smsc), async {
        drop(smsc.accept().await.next().await);
    });
    assert!(matches!(opened, Err(OpenError::Lost(_))), "{opened:?}");
}

#[tokio::test]
async fn answers_find_their_requests_in_any_order_and_the_window_holds() {
    let smsc = Smsc::start().await;
    let (opened, (mut connection, _)) = tokio::join!(open(&smsc), smsc.bound(status::OK));
    let (client, mut requests) = channel();
    let desk = Desk::default();
    let session = opened.unwrap().run(&mut requests, &desk, LIMITS, pending());
    let asked = |what: &'static [u8]| client.request(command::SUBMIT_SM, Bytes::from_static(what));
    let server = async {
        let first = connection.next().await.unwrap();
        let second = connection.next().await.unwrap();
        // An answer to nothing, and an unknown PDU between them.
        connection
            .write(&Frame::new(
                command::SUBMIT_SM | command::RESPONSE,
                9_999,
                Bytes::new(),
            ))
            .await;
        connection.request(0x77, Bytes::new()).await;
        let nack = connection.next().await.unwrap();
        assert_eq!(
            (nack.command, nack.status),
            (command::GENERIC_NACK, status::INVALID_COMMAND),
            "the third waits"
        );
        connection.answer(&second, 0, b"two\0").await;
        let third = connection.next().await.unwrap();
        connection.answer(&third, status::THROTTLED, b"").await;
        connection.answer(&first, 0, b"one\0").await;
    };
    let id = |outcome| match outcome {
        Outcome::Answered(status, body) => (status, message_id(&body)),
        other => panic!("{other:?}"),
    };
    let all = async {
        let (a, b, c) = tokio::join!(asked(b"a"), asked(b"b"), asked(b"c"));
        assert_eq!(id(a), (0, "one".into()));
        assert_eq!(id(b), (0, "two".into()));
        assert_eq!(id(c), (status::THROTTLED, String::new()));
    };
    tokio::select! {
        ended = session => panic!("{ended}"),
        () = async { tokio::join!(all, server); } => {}
    }
}

#[tokio::test]
async fn no_answer_is_unknown_and_a_dead_session_is_noticed() {
    let smsc = Smsc::start().await;
    let (opened, (mut connection, _)) = tokio::join!(open(&smsc), smsc.bound(status::OK));
    let (client, mut requests) = channel();
    let desk = Desk::default();
    let session = opened.unwrap().run(&mut requests, &desk, HASTY, pending());
    let (ended, outcome, ()) = tokio::join!(
        session,
        client.request(command::SUBMIT_SM, Bytes::new()),
        async {
            let mut kinds = Vec::new();
            while let Some(frame) = connection.next().await {
                kinds.push(frame.command);
            }
            assert_eq!(kinds, [command::SUBMIT_SM, command::ENQUIRE_LINK]);
        }
    );
    assert_eq!(outcome, Outcome::Unknown);
    assert_eq!(ended, Ended::Silent);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_told_once() {
    let smsc = Smsc::start().await;
    let (opened, (mut connection, _)) = tokio::join!(open(&smsc), smsc.bound(status::OK));
    let (client, mut requests) = channel();
    let desk = Desk::default();
    let limits = Limits {
        response: HASTY.response,
        ..LIMITS
    };
    let stop = Notify::new();
    let session = opened
        .unwrap()
        .run(&mut requests, &desk, limits, stop.notified());
    let server = async {
        let asked = client.request_marked(command::SUBMIT_SM, Bytes::new(), Mark(7, 1));
        let (outcome, request) = tokio::join!(asked, connection.next());
        assert_eq!(outcome, Outcome::Unknown);
        let request = request.unwrap();
        // Of the second answer nobody wants to know.
        connection.answer(&request, status::OK, b"one\0").await;
        connection.answer(&request, status::OK, b"two\0").await;
        assert_eq!(connection.deliver(&text(b"hi")).await, status::OK);
        stop.notify_one();
        let unbind = connection.next_of(command::UNBIND).await;
        connection.answer(&unbind, status::OK, b"").await;
    };
    let (ended, ()) = tokio::join!(session, server);
    assert_eq!(ended, Ended::Stopped);
    let late = (Mark(7, 1), status::OK, "one".to_owned());
    assert_eq!(*desk.late.lock().unwrap(), [late]);
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_unanswered_unknown() {
    let smsc = Smsc::start().await;
    let (opened, (mut connection, _)) = tokio::join!(open(&smsc), smsc.bound(status::OK));
    let (client, mut requests) = channel();
    let desk = Desk::default();
    let session = opened.unwrap().run(&mut requests, &desk, LIMITS, pending());
    let (ended, outcome, ()) = tokio::join!(
        session,
        client.request(command::SUBMIT_SM, Bytes::new()),
        async {
            connection.next().await.unwrap();
            drop(connection);
        }
    );
    assert_eq!((ended, outcome), (Ended::Lost, Outcome::Unknown));
    let (outcome, ()) = tokio::join!(client.request(command::SUBMIT_SM, Bytes::new()), async {
        requests
            .refuse_until(async { tokio::task::yield_now().await })
            .await;
        drop(requests);
    });
    assert_eq!(outcome, Outcome::NotSent, "there is no session");
}

#[tokio::test]
async fn what_comes_is_answered_when_it_was_taken() {
    let smsc = Smsc::start().await;
    let (opened, (mut connection, _)) = tokio::join!(open(&smsc), smsc.bound(status::OK));
    let (_client, mut requests) = channel();
    let desk = Desk {
        hold: Some(Notify::new()),
        ..Desk::default()
    };
    let stop = Notify::new();
    let session = opened
        .unwrap()
        .run(&mut requests, &desk, LIMITS, stop.notified());
    let server = async {
        let broken = connection
            .request(command::DELIVER_SM, Bytes::from_static(b"\0\0"))
            .await;
        let answer = connection.next().await.unwrap();
        assert_eq!(
            (answer.sequence, answer.status),
            (broken, status::INVALID_LENGTH)
        );
        let good = connection
            .request(command::DELIVER_SM, text(b"hi").body())
            .await;
        let enquiry = connection
            .request(command::ENQUIRE_LINK, Bytes::new())
            .await;
        assert_eq!(
            connection.next().await.unwrap().sequence,
            enquiry,
            "not held up by the message"
        );
        // Stopping still answers what was taken in.
        stop.notify_one();
        desk.hold.as_ref().unwrap().notify_one();
        assert_eq!(connection.next().await.unwrap().sequence, good);
        while let Some(frame) = connection.next().await {
            if frame.command == command::UNBIND {
                connection.answer(&frame, 0, b"").await;
            }
        }
    };
    let (ended, ()) = tokio::join!(session, server);
    assert_eq!(ended, Ended::Stopped);
    assert_eq!(&desk.taken.lock().unwrap()[0].text[..], b"hi");
    assert!(desk.counted.lock().unwrap().contains(&"smpp_broken_pdu"));
}

#[tokio::test]
async fn a_length_that_cannot_be_ends_the_session() {
    let smsc = Smsc::start().await;
    let (opened, (mut connection, _)) = tokio::join!(open(&smsc), smsc.bound(status::OK));
    let (_client, mut requests) = channel();
    let desk = Desk::default();
    let session = opened.unwrap().run(&mut requests, &desk, LIMITS, pending());
    let (ended, ()) = tokio::join!(session, async { connection.raw(&[0xff; 16]).await });
    assert_eq!(ended, Ended::Garbage(BadLength(u32::MAX)));
}
