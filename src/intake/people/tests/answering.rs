//! Answers to words: how many, and that one that cannot be written costs no other.

use crate::intake::commands::ANSWERS_PER_MINUTE;

use super::*;

#[tokio::test]
async fn two_machines_that_talk_come_to_an_end() {
    let mut bench = Bench::new().await;
    for _ in 0..3 * ANSWERS_PER_MINUTE {
        bench
            .take(fixture::said("alice@example.org/bot", "what?"))
            .await;
    }
    let list = "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>";
    bench
        .take(fixture::iq(
            crate::xmpp::stanza::IqType::Get,
            "sms.example.org",
            list,
        ))
        .await;
    let heard = bench.until("type='result'").await;
    // The last one says that nothing more is read, once.
    assert_eq!(
        heard.matches("</message>").count(),
        ANSWERS_PER_MINUTE as usize + 1
    );
    assert_eq!(heard.matches("too much at once").count(), 1, "{heard}");
    bench.clock.advance(Duration::from_mins(1));
    bench
        .take(fixture::said("alice@example.org/bot", "help"))
        .await;
    bench.until("</message>").await;
}

#[tokio::test]
async fn one_answer_that_cannot_be_written_costs_no_other() {
    let mut bench = Bench::new().await;
    let answer = |body: &str| -> Stanza {
        let (from, to) = ("+12025550147@sms.example.org", "alice@example.org");
        let (from, to) = (Jid::new(from).unwrap(), Jid::new(to).unwrap());
        Message::chat(from, to).with_body(body).into()
    };
    let answers = |last| vec![answer(&"x".repeat(1 << 20)), answer(last)];
    bench.intake.answer(answers("alone")).await;
    bench.until("<body>alone</body>").await;
    let lifecycle = bench.intake.lifecycle.clone();
    bench.intake.processes = Processes::one_of_two(&bench.intake.store, &lifecycle).await;
    bench.intake.answer(answers("of two")).await;
    bench.until("<body>of two</body>").await;
}
