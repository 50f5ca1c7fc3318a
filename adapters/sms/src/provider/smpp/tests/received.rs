//! What comes in: answered once it is stored, known again, and told apart.

use super::*;

/// An inbox that commits when it is told to.
struct SlowInbox {
    inbox: Arc<RecordingInbox>,
    came: watch::Sender<usize>,
    go_on: Semaphore,
}

impl SlowInbox {
    fn over(inbox: &Arc<RecordingInbox>) -> Arc<Self> {
        Arc::new(Self {
            inbox: Arc::clone(inbox),
            came: watch::Sender::new(0),
            go_on: Semaphore::new(0),
        })
    }

    /// Until so many wait or were committed.
    async fn wait_for(&self, count: usize) {
        let mut came = self.came.subscribe();
        came.wait_for(|came| *came >= count).await.unwrap();
    }
}

#[async_trait]
impl Inbox for SlowInbox {
    async fn commit(
        &self,
        account: &AccountName,
        events: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Verdict>, Busy> {
        self.came.send_modify(|came| *came += 1);
        self.go_on.acquire().await.unwrap().forget();
        self.inbox.commit(account, events, cursor).await
    }

    async fn cursor(&self, account: &AccountName, name: &str) -> Result<Option<String>, Busy> {
        self.inbox.cursor(account, name).await
    }
}

#[tokio::test]
async fn a_message_is_answered_only_when_it_is_stored() {
    let bench = Bench::start(json!({})).await;
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    bench.inbox.set_busy(true);
    assert_eq!(
        connection.deliver(&from_bob(b"hi")).await,
        status::TEMPORARY
    );
    bench.inbox.set_busy(false);
    assert_eq!(connection.deliver(&from_bob(b"hi")).await, status::OK);
    assert_eq!(
        connection.deliver(&from_bob(b"hi")).await,
        status::OK,
        "said twice"
    );
    let events = bench.inbox.wait_for(2).await;
    let [Event::Message(first), Event::Message(second)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(first.from, Address::new("+12025550147"));
    assert_eq!(first.to, Address::new("+12025550100"));
    assert_eq!((first.text.as_str(), first.part), ("hi", None));
    assert_ne!(
        first.repeats, second.repeats,
        "within one session the same words are another message"
    );
}

#[tokio::test]
async fn what_was_not_answered_in_one_session_is_a_repeat_in_the_next() {
    let bench = Bench::start(json!({})).await;
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    connection
        .request(command::DELIVER_SM, from_bob(b"hi").body())
        .await;
    bench.inbox.wait_for(1).await;
    drop(connection);
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    assert_eq!(connection.deliver(&from_bob(b"hi")).await, status::OK);
    assert_eq!(
        bench.inbox.events().len(),
        1,
        "the fake inbox knows repeats by what they are"
    );
}

/// An SMSC brings what it kept during a downtime without waiting for answers.
#[tokio::test]
async fn the_same_words_twice_at_once_are_two_messages() {
    let mut bench = Bench::prepare(json!({})).await;
    let slow = SlowInbox::over(&bench.inbox);
    bench.context.inbox = slow.clone();
    drop(bench.run());
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    for place in [1, 2] {
        let body = from_bob(b"hi").body();
        connection.request(command::DELIVER_SM, body).await;
        slow.wait_for(place).await;
    }
    slow.go_on.add_permits(2);
    for _ in 0..2 {
        let taken = connection.next_of(DELIVERED).await;
        assert_eq!(taken.status, status::OK);
    }
    assert_eq!(bench.inbox.events().len(), 2);
}

#[tokio::test]
async fn what_was_refused_beside_its_like_is_taken_when_it_comes_again() {
    let mut bench = Bench::prepare(json!({})).await;
    let slow = SlowInbox::over(&bench.inbox);
    bench.context.inbox = slow.clone();
    drop(bench.run());
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    bench.inbox.set_busy(true);
    for place in [1, 2] {
        let body = from_bob(b"hi").body();
        connection.request(command::DELIVER_SM, body).await;
        slow.wait_for(place).await;
    }
    slow.go_on.add_permits(1);
    let refused = connection.next_of(DELIVERED).await;
    assert_eq!(refused.status, status::TEMPORARY);
    bench.inbox.set_busy(false);
    slow.go_on.add_permits(2);
    let taken = connection.next_of(DELIVERED).await;
    assert_eq!(taken.status, status::OK);
    assert_eq!(connection.deliver(&from_bob(b"hi")).await, status::OK);
    assert_eq!(bench.inbox.events().len(), 2);
}

#[tokio::test]
async fn parts_and_data_are_told_apart() {
    let bench = Bench::start(json!({})).await;
    let (mut connection, _) = bench.smsc.bound(status::OK).await;
    let part = Submit {
        esm_class: 0x40,
        ..from_bob(b"\x05\x00\x03\x07\x02\x01one")
    };
    let data = Submit {
        data_coding: 4,
        ..from_bob(b"\x01\x02")
    };
    let nothing = receipt("nothing that could be read");
    for deliver in [&part, &data, &nothing] {
        assert_eq!(connection.deliver(deliver).await, status::OK);
    }
    let events = bench.inbox.events();
    let [Event::Message(first)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        first.part,
        Some(Part {
            reference: 7,
            total: 2,
            number: 1
        })
    );
    assert_eq!(
        (
            bench.meter.of("smpp_data_dropped"),
            bench.meter.of("smpp_receipt_unreadable")
        ),
        (1, 1)
    );
}
