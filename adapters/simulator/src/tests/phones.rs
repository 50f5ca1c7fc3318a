//! What a phone keeps and what is written on it.

use std::collections::HashSet;

use transom_adapter::{Repeats, Verdict};

use super::*;

#[tokio::test]
async fn an_answer_is_committed_to_the_account_of_the_line() {
    let bench = Bench::proven().await;
    let other = AccountName::new("sms", "other");
    bench.simulator.account(other.clone());
    bench
        .simulator
        .add_line(&Address::new("+12025550109"), &other);
    let phone = bench.simulator.phone(BOB);

    assert_eq!(phone.answer(LINE, "yes\u{0}!").await, Ok(Verdict::Stored));
    let events = bench.inbox.events();
    let Some(Event::Message(message)) = events.last() else {
        panic!("no message");
    };
    let addresses = (message.from.as_str(), message.to.as_str());
    assert_eq!(addresses, (BOB, LINE));
    assert_eq!(message.text, "yes\u{0}!");
    assert_eq!(bench.state(BOB), Some(State::Stored));

    let elsewhere = phone.answer("+12025550109", "anybody?").await;
    assert_eq!(elsewhere, Err(AnswerError::NotRunning));
    let nowhere = phone.answer("+12025550108", "anybody?").await;
    assert_eq!(nowhere, Err(AnswerError::NoAccount));
    assert_eq!(bench.state(BOB), Some(State::NoAccount));
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let mut ids = HashSet::new();
    for _ in 0..2 {
        let bench = Bench::proven().await;
        for number in [BOB, BOB, "+12025550148"] {
            let phone = bench.simulator.phone(number);
            phone.answer(LINE, "the same").await.unwrap();
        }
        for event in bench.inbox.events().into_iter().skip(1) {
            let Event::Message(message) = event else {
                panic!("no message");
            };
            let Repeats::ById(id) = message.repeats else {
                panic!("no id");
            };
            assert!(ids.insert(id.value), "an id twice");
        }
    }
    assert_eq!(ids.len(), 6);
}

#[tokio::test]
async fn the_gateways_verdict_is_shown() {
    let bench = Bench::proven().await;
    let phone = bench.simulator.phone(BOB);
    bench.inbox.refuse(Address::new("+12025550108"));
    let refused = phone.answer("+12025550108", "hello").await;
    assert_eq!(refused, Ok(Verdict::NoSuchRecipient));
    assert_eq!(bench.state(BOB), Some(State::NoSuchRecipient));
    bench.inbox.set_busy(true);
    let busy = phone.answer(LINE, "hello").await;
    assert_eq!(busy, Err(AnswerError::Busy));
    assert_eq!(bench.state(BOB), Some(State::Busy));
}

#[tokio::test]
async fn what_is_no_text_is_not_written() {
    let bench = Bench::proven().await;
    let long = "x".repeat(8193);
    let cases = [
        (BOB, LINE, " \n", AnswerError::Empty),
        (BOB, LINE, &long, AnswerError::TooLong),
        (BOB, "nobody", "x", AnswerError::Number),
        ("<script>", LINE, "x", AnswerError::Number),
    ];
    for (phone, line, text, error) in cases {
        let phone = bench.simulator.phone(phone);
        assert_eq!(phone.answer(line, text).await, Err(error));
        assert_eq!(phone.messages(), []);
    }
}

#[tokio::test]
async fn a_phone_keeps_its_last_texts_and_gives_up_what_waited() {
    let bench = Bench::running();
    let phone = bench.simulator.phone(BOB);
    phone.set_behaviour(Behaviour::Off);
    for key in 0..201 {
        bench.send(key, BOB, &key.to_string()).await;
    }
    let texts = phone.messages();
    assert_eq!((texts.len(), &*texts[0].text), (200, "1"));
    let events = bench.inbox.wait_for(1).await;
    assert_eq!(told(&events[0]), (0, Progress::Expired));
    phone.set_behaviour(Behaviour::Normal);
    assert_eq!(bench.inbox.wait_for(201).await.len(), 201);
    assert_eq!(phone.received(), 200);
}

#[tokio::test]
async fn the_stillest_phone_makes_room() {
    let bench = Bench::at_rest();
    let number = |n: usize| format!("+1202{n:07}");
    let phones = i64::try_from(PHONES_MAX).unwrap();
    for n in 0..PHONES_MAX {
        bench.send(n.try_into().unwrap(), &number(n), "hello").await;
    }
    bench.send(phones, &number(0), "again").await;
    bench
        .send(phones + 1, &number(PHONES_MAX), "one more")
        .await;
    assert_eq!(bench.simulator.phone(&number(0)).messages().len(), 2);
    assert_eq!(bench.simulator.phone(&number(1)).messages(), []);
    assert_eq!(bench.simulator.phone(&number(2)).messages().len(), 1);
}

#[tokio::test]
async fn huge_texts_do_not_fill_the_memory() {
    let bench = Bench::at_rest();
    let huge = "x".repeat(8192);
    let number = |n: i64| format!("+1202{n:07}");
    // 32 MiB are 4,096 of them.
    for key in 0..4_200 {
        bench.send(key, &number(key / 100), &huge).await;
    }
    assert_eq!(bench.simulator.phone(&number(0)).messages(), []);
    assert_eq!(bench.simulator.phone(&number(1)).messages(), []);
    assert_eq!(bench.simulator.phone(&number(2)).messages().len(), 100);
    assert_eq!(bench.simulator.phone(&number(41)).messages().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_texts_ends() {
    let bench = Bench::at_rest();
    let phone = bench.simulator.phone(BOB);
    bench.send(1, BOB, "only one").await;
    assert_eq!(phone.wait_for(1, LONG).await.unwrap().len(), 1);
    let missing = phone.wait_for(2, Duration::ZERO).await.unwrap_err();
    assert_eq!(missing.to_string(), "the phone has 1 of 2 texts after 0ns");
}
