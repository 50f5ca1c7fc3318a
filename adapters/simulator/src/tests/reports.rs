//! What the gateway is answered and told, behaviour by behaviour.

use super::*;

#[tokio::test]
async fn the_account_conforms() {
    conformance::account(&*Bench::at_rest().account);
}

#[tokio::test]
async fn a_text_arrives_and_is_reported_by_its_id() {
    let bench = Bench::running();
    assert_eq!(bench.send(7, BOB, "hello").await, accepted(7));
    let events = bench.inbox.wait_for(1).await;
    assert_eq!(told(&events[0]), (7, Progress::Delivered));
    let Event::Report(report) = &events[0] else {
        panic!("no report");
    };
    assert_eq!(report.about[0], MessageRef::External(id(7)));
    let phone = bench.simulator.phone(BOB);
    let reported = |text: &Text| (text.state == State::Reported).then(|| text.text.clone());
    assert_eq!(&*phone.wait_until(LONG, reported).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_repeat_gets_the_same_id_and_is_no_second_text() {
    let bench = Bench::running();
    for number in 1..=3 {
        let attempt = Attempt { number, ..FIRST };
        let outcome = bench.account.send(&text_to(7, BOB, "once"), attempt).await;
        assert_eq!(outcome, accepted(7));
    }
    assert_eq!(bench.send(8, BOB, "twice").await, accepted(8));
    let events = bench.inbox.wait_for(2).await;
    let told: Vec<_> = events.iter().map(|event| told(event).0).collect();
    assert_eq!(told, [7, 8]);
    assert_eq!(bench.simulator.phone(BOB).received(), 2);
}

#[tokio::test]
async fn the_units_of_a_message_are_texts_of_their_own() {
    let bench = Bench::at_rest();
    let message = text_to(7, BOB, "part");
    let second = Attempt { unit: 1, ..FIRST };
    let outcome = bench.account.send(&message, second).await;
    let value = format!("sim-{}-1", Key(7));
    let ids = vec![ExternalId::new("sim", value).for_part(1)];
    assert_eq!(outcome, Outcome::Accepted { ids });
    assert_eq!(bench.account.send(&message, FIRST).await, accepted(7));
    assert_eq!(bench.simulator.phone(BOB).received(), 2);
}

#[tokio::test]
async fn a_phone_that_is_off_reports_when_it_is_switched_on() {
    let bench = Bench::running();
    let phone = bench.simulator.phone(BOB);
    phone.set_behaviour(Behaviour::Off);
    assert_eq!(bench.send(1, BOB, "wait").await, accepted(1));
    assert_eq!(bench.send(2, BOB, "for me").await, accepted(2));
    assert_eq!(bench.state(BOB), Some(State::Waiting));
    // The report on another phone shows that none is on its way for this one.
    bench.send(3, LINE, "proof").await;
    assert_eq!(told(&bench.inbox.wait_for(1).await[0]).0, 3);
    assert_eq!(phone.received(), 0);

    phone.set_behaviour(Behaviour::Normal);
    let events = bench.inbox.wait_for(3).await;
    let told: Vec<_> = events.iter().skip(1).map(told).collect();
    assert_eq!(told, [(1, Progress::Delivered), (2, Progress::Delivered)]);
    assert_eq!(phone.received(), 2);
}

#[tokio::test]
async fn a_number_that_is_not_in_use_is_refused() {
    let bench = Bench::at_rest();
    let outcome = bench.send(1, "+12025550192", "anybody?").await;
    let Outcome::Rejected(failure) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(failure.reason, Reason::NoSuchRecipient);
    assert_eq!(bench.state("+12025550192"), Some(State::Refused));
}

#[tokio::test]
async fn a_carrier_reports_failure() {
    let bench = Bench::running();
    assert_eq!(bench.send(1, "+12025550193", "anybody?").await, accepted(1));
    let events = bench.inbox.wait_for(1).await;
    assert_eq!(told(&events[0]), (1, Progress::Failed));
    let Event::Report(report) = &events[0] else {
        panic!("no report");
    };
    let reason = report.failure.as_ref().map(|failure| failure.reason);
    assert_eq!(reason, Some(Reason::Unreachable));
    assert_eq!(bench.state("+12025550193"), Some(State::Failed));
}

#[tokio::test]
async fn each_text_is_throttled_once() {
    let bench = Bench::at_rest();
    for key in [1, 2] {
        let first = bench.send(key, "+12025550194", "slowly").await;
        assert!(matches!(first, Outcome::Throttled { .. }), "{first:?}");
        assert_eq!(bench.state("+12025550194"), Some(State::Throttled));
        assert_eq!(
            bench.send(key, "+12025550194", "slowly").await,
            accepted(key)
        );
    }
    let texts = bench.simulator.phone("+12025550194").messages();
    assert_eq!(texts.len(), 2, "a retry is the same text");
    assert!(texts.iter().all(|text| text.state == State::OnPhone));
}

#[tokio::test]
async fn an_unknown_outcome_is_settled_when_the_phone_answers_again() {
    let bench = Bench::running();
    let message = text_to(1, "+12025550195", "hello?");
    for _ in 0..2 {
        let outcome = bench.account.send(&message, FIRST).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        assert_eq!(bench.account.reconcile(&message, FIRST).await, None);
    }
    let phone = bench.simulator.phone("+12025550195");
    phone.set_behaviour(Behaviour::Normal);
    let events = bench.inbox.wait_for(1).await;
    assert_eq!(told(&events[0]), (1, Progress::Delivered));
    let found = bench.account.reconcile(&message, FIRST).await;
    assert_eq!(found, Some(accepted(1)));
    assert_eq!(bench.account.send(&message, FIRST).await, accepted(1));
    assert_eq!(phone.messages().len(), 1);
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused() {
    let bench = Bench::at_rest();
    let outcome = bench.send(1, BOB, &"x".repeat(8193)).await;
    let Outcome::Rejected(failure) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(failure.reason, Reason::TooLarge);
    assert_eq!(bench.state(BOB), None);
}

#[tokio::test]
async fn a_drain_commits_what_waits() {
    let bench = Bench::at_rest();
    for key in 0..1000 {
        bench.send(key, BOB, "many").await;
    }
    bench.context.lifecycle.drain();
    bench.account.run(&bench.context).await.unwrap();
    assert_eq!(bench.inbox.events().len(), 1000);
}

#[tokio::test]
async fn a_drain_is_not_held_up_by_a_busy_gateway() {
    let bench = Bench::at_rest();
    bench.inbox.set_busy(true);
    bench.send(1, BOB, "hello").await;
    bench.context.lifecycle.drain();
    bench.account.run(&bench.context).await.unwrap();
    assert_eq!(bench.inbox.events(), []);
    assert_eq!(bench.state(BOB), Some(State::OnPhone));
}

#[tokio::test(start_paused = true)]
async fn reports_outlive_a_busy_gateway() {
    let bench = Bench::at_rest();
    bench.inbox.set_busy(true);
    bench.send(1, BOB, "hello").await;
    bench.run();
    tokio::task::yield_now().await;
    bench.inbox.set_busy(false);
    assert_eq!(told(&bench.inbox.wait_for(1).await[0]).0, 1);
}

#[tokio::test(start_paused = true)]
async fn texts_wait_while_too_many_reports_do() {
    let bench = Bench::at_rest();
    for key in 0..16_384 {
        assert_eq!(bench.send(key, BOB, "many").await, accepted(key));
    }
    let outcome = bench.send(16_384, BOB, "one more").await;
    assert!(matches!(outcome, Outcome::Transient(_)), "{outcome:?}");

    let (sent, ()) = tokio::join!(bench.send(16_384, BOB, "one more"), async {
        bench.context.lifecycle.drain();
        bench.inbox.set_busy(true);
        bench.account.run(&bench.context).await.unwrap();
    });
    assert_eq!(sent, accepted(16_384), "the taken batch made room");
}
