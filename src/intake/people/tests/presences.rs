//! Who is told of the gateway and its contacts, how often, and that no message waits for that.

use super::*;

fn note() -> Message {
    let jid = |text| Jid::new(text).unwrap();
    Message::chat(
        jid("+12025550147@sms.example.org"),
        jid("alice@example.org"),
    )
    .with_body("a text")
}

#[tokio::test]
async fn the_first_presence_of_a_resource_is_answered_once() {
    let mut bench = Bench::with_alice().await;
    bench.presence(PresenceType::Subscribe).await;
    bench.until("</presence>").await;
    bench.until("</presence>").await;
    for _ in 0..3 {
        bench.presence(PresenceType::Available).await;
    }
    bench.ping().await;
    let seen = "from='sms.example.org/gw' to='alice@example.org/phone'";
    let heard = bench.all(&["type='result'", seen]).await;
    assert_eq!(heard.matches(seen).count(), 1, "{heard}");
    assert!(bench.intake.online.contains("alice@example.org/phone"));
    bench.presence(PresenceType::Unavailable).await;
    bench.idle().await;
    assert!(!bench.intake.online.contains("alice@example.org/phone"));
}

#[tokio::test]
async fn start_and_stop_are_told_once_to_who_sees_the_gateway() {
    let mut bench = Bench::new().await;
    bench.line(POOL).await;
    bench.presence(PresenceType::Subscribe).await;
    bench.until("</presence>").await;
    bench.register().await;
    bench.presence(PresenceType::Subscribe).await;
    bench.until("</presence>").await;
    bench.until("</presence>").await;
    announce(&bench.intake);
    let start = bench.until("</presence>").await;
    assert!(
        start.contains("from='sms.example.org/gw' to='alice@example.org'") && start.contains("<c "),
        "{start}"
    );
    farewell(&bench.intake).await;
    let stop = bench.until("type='unavailable'").await;
    assert!(stop.contains("from='sms.example.org/gw'"), "{stop}");
}

#[tokio::test]
async fn ten_thousand_users_see_one_presence_each_and_no_message_waits_for_that() {
    let mut bench = Bench::paced(10_000).await;
    crowd(&bench, 10_000).await;
    announce(&bench.intake);
    let mut heard = bench.until("</presence>").await;
    bench.intake.link.send(note()).await.unwrap();
    heard.push_str(&bench.until("</message>").await);
    let before = heard.matches("</presence>").count();
    assert!(before < 5000, "the text came behind {before} presences");
    for _ in before..10_000 {
        heard.push_str(&bench.until("</presence>").await);
    }
    heard.push_str(&bench.idle().await);
    assert_eq!(heard.matches("<presence ").count(), 10_000);
    assert_eq!(heard.matches("to='user77@example.org'").count(), 1);
}

#[tokio::test]
async fn a_user_who_comes_with_a_thousand_contacts_is_answered_a_thousand_times_behind_all_messages()
 {
    let mut bench = Bench::paced(2000).await;
    bench.line(POOL).await;
    bench.register().await;
    let number = |number: u32| format!("+1202555{number:04}");
    let member = bench.intake.store.member(1, "alice@example.org", "").await;
    let user_id = member.unwrap().unwrap().user_id;
    let contact = |of: u32| {
        Write::Contact(crate::store::write::ContactRow {
            user_id,
            peer: number(of),
            subscribed: 1,
            asked: 1,
        })
    };
    let contacts = (0..1000).map(contact).collect();
    bench.intake.writer.commit(contacts).await.unwrap();
    for of in 0..1000 {
        let to = format!("{}@sms.example.org", number(of));
        bench
            .take(fixture::presence(PresenceType::Probe, &to))
            .await;
    }
    let mut heard = bench.until("/gw' to='alice@example.org'").await;
    bench.intake.link.send(note()).await.unwrap();
    heard.push_str(&bench.until("a text").await);
    let before = heard.matches("</presence>").count();
    assert!(before < 500, "the text came behind {before} presences");
    let last = format!("{}@sms.example.org/gw", number(999));
    heard.push_str(&bench.until(&last).await);
    assert_eq!(heard.matches("/gw' to='alice@example.org'").count(), 999);
}
