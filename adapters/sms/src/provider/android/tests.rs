use std::sync::Arc;

use proptest::prelude::*;
use transom_adapter::{
    Event, MessageRef, Progress,
    testkit::{
        CountingMeter, FixedDirectory, ManualClock, RecordingInbox, Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
        context, outgoing,
    },
};

use super::*;
use crate::provider::testing::{
    Call, FIRST, NOW, client, env, faults_of, hmac_sha256, json_soup, message, one_message,
    one_report, section,
};

const KEY: &str = "signing-key";

fn account(base_url: &str, http: HttpClient) -> AndroidAccount {
    let table = json!({
        "base_url": base_url, "username": "sms", "password": "foobar", "signing_key": KEY,
        "sims": ["+12025550100", "+12025550101"], "validity": "1h", "device": "phone-1",
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

fn taken() -> String {
    format!(
        r#"{{"id":"{}","deviceId":"phone-1","state":"Pending"}}"#,
        message("a").key
    )
}

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(url, http)),
        accepted: Reply::json(202, taken()),
        message: message("hello"),
    })
    .await;
}

#[tokio::test]
async fn a_text_goes_by_the_sim_of_its_line_under_our_own_id() {
    let server = ScriptedHttp::start([Reply::json(202, taken())]).await;
    let account = account(server.base_url(), client());
    for (line, sim) in [("+12025550100", 1), ("+12025550101", 2)] {
        let outgoing = outgoing(line, "+12025550147", "hello\r\n€");
        let outcome = account.send(&outgoing, FIRST).await;
        assert_eq!(outcome, Outcome::Accepted { ids: vec![] });
        let request = server.requests().pop().unwrap();
        assert!(
            request.head.starts_with("POST /messages HTTP/1.1"),
            "{}",
            request.head
        );
        assert!(
            request
                .head
                .contains("authorization: Basic c21zOmZvb2Jhcg==")
        );
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let want = json!({
            "id": outgoing.key.to_string(), "textMessage": { "text": "hello\n€" }, "phoneNumbers": ["+12025550147"],
            "withDeliveryReport": true, "simNumber": sim, "ttl": 3600, "deviceId": "phone-1",
        });
        assert_eq!(body, want);
    }
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    for (status, body, want) in [
        (409, String::new(), "Accepted"),
        (200, taken(), "Accepted"),
        (202, r#"{"id":"another"}"#.to_owned(), "Unknown"),
        (400, r#"{"message":"secret"}"#.to_owned(), "Rejected"),
        (401, String::new(), "Misconfigured"),
        (404, String::new(), "Misconfigured"),
        (429, String::new(), "Throttled"),
        (500, String::new(), "Unknown"),
        (502, String::new(), "Unknown"),
        (503, String::new(), "Transient"),
    ] {
        let server = ScriptedHttp::start([Reply::json(status, body)]).await;
        let outcome = account(server.base_url(), client())
            .send(&message("a"), FIRST)
            .await;
        let text = format!("{outcome:?}");
        assert!(
            text.starts_with(want) && !text.contains("secret"),
            "{status} gave {text}"
        );
    }
}

fn signed(body: &str, at: &str) -> Call {
    let mac = hmac_sha256(KEY, format!("{body}{at}").as_bytes());
    Call::post("", body)
        .with("X-Signature", &hex::encode(mac))
        .with("X-Timestamp", at)
}

fn call(body: &Value) -> Handled {
    let seconds = (NOW.0 / 1000).to_string();
    signed(&body.to_string(), &seconds)
        .send(&subject())
        .unwrap()
}

fn subject() -> AndroidAccount {
    account("http://127.0.0.1:8080", client())
}

fn received() -> Value {
    json!({
        "id": "ev-1", "webhookId": "w", "event": "sms:received", "deviceId": "phone-1",
        "payload": {
            "messageId": "abc123", "sender": "+12025550147", "recipient": null, "simNumber": 2,
            "message": "hello 👋", "receivedAt": "2026-09-21T16:13:20.000+02:00",
        },
    })
}

#[test]
fn a_text_comes_to_the_line_of_its_sim() {
    let handled = call(&received());
    let message = one_message(&handled);
    assert_eq!(
        (message.from.as_str(), message.to.as_str()),
        ("+12025550147", "+12025550101")
    );
    assert_eq!((&*message.text, message.sent_at), ("hello 👋", Some(NOW)));
    let mut exported = received();
    exported["id"] = "ev-2".into();
    let again = call(&exported);
    assert_eq!(
        one_message(&again).repeats,
        message.repeats,
        "the inbox again, by another call"
    );
    assert_eq!(handled.stored, WebReply::ok());
}

#[test]
fn pictures_come_with_their_content() {
    let handled = call(&json!({
        "id": "ev-1", "event": "mms:downloaded",
        "payload": {
            "messageId": "m", "sender": "+12025550147", "simNumber": 1, "body": "look", "receivedAt": "nonsense",
            "attachments": [
                { "partId": 1, "contentType": "image/PNG", "name": "../a.png", "size": 3, "data": "AQID" },
                { "contentType": "image/gif", "size": 9, "data": "***" },
            ],
        },
    }));
    let files = &one_message(&handled).attachments;
    assert_eq!(
        (&*files[0].name, &*files[0].content_type, files[0].bytes),
        ("a.png", "image/png", 3)
    );
    assert_eq!(files[0].content.as_deref(), Some(&[1, 2, 3][..]));
    assert_eq!((files[1].bytes, &files[1].content), (9, &None));
}

#[test]
fn every_state_has_its_meaning() {
    let key = message("a").key;
    for (event, progress) in [
        ("sms:sent", Progress::Sent),
        ("sms:delivered", Progress::Delivered),
        ("sms:failed", Progress::Failed),
        ("sms:cancelled", Progress::Failed),
    ] {
        let handled = call(
            &json!({ "event": event, "payload": { "messageId": key.to_string(), "sentAt": "2026-09-21T14:13:20Z" } }),
        );
        let report = one_report(&handled);
        assert_eq!(report.about, [MessageRef::Key(key, 0)]);
        assert_eq!(report.progress, progress, "{event}");
        assert_eq!(report.failure.is_some(), progress == Progress::Failed);
    }
    for (word, reason) in webhook::REASONS {
        let payload =
            json!({ "messageId": key.to_string(), "reason": format!("Failed: {word} (secret)") });
        let handled = call(&json!({ "event": "sms:failed", "payload": payload }));
        let failure = one_report(&handled).failure.clone().unwrap();
        assert_eq!(
            (failure.reason, failure.code.as_deref()),
            (*reason, Some(*word))
        );
    }
    for body in [
        json!({ "event": "sms:sent", "payload": { "messageId": "of-another-program" } }),
        json!({ "event": "system:ping", "payload": {} }),
        json!({ "event": "mms:received", "payload": { "messageId": "x" } }),
    ] {
        assert_eq!(call(&body).events, [], "{body}");
    }
}

#[test]
fn what_is_forged_old_or_broken_is_refused() {
    let account = subject();
    let body = received().to_string();
    let seconds = NOW.0 / 1000;
    let now = seconds.to_string();
    assert!(signed(&body, &now).send(&account).is_ok());
    assert!(
        signed(&body, &now).send(&account).is_ok(),
        "a repeat is the store's to know"
    );
    let mut tampered = signed(&body, &now);
    tampered.body[10] ^= 1;
    assert_eq!(tampered.send(&account), Err(Refused::Forged));
    let moved = signed(&body, &now).with("X-Timestamp", &(seconds + 1).to_string());
    assert_eq!(
        moved.send(&account),
        Err(Refused::Forged),
        "the time is signed"
    );
    let old = signed(&body, &(seconds - 301).to_string());
    assert_eq!(old.send(&account), Err(Refused::Replayed));
    assert_eq!(
        Call::post("", body.clone()).send(&account),
        Err(Refused::Unsigned)
    );
    let nonsense = Call::post("", body)
        .with("X-Signature", "zz")
        .with("X-Timestamp", &now);
    assert_eq!(nonsense.send(&account), Err(Refused::Forged));
    for broken in [
        "",
        "{}",
        "[]",
        r#"{"event":"sms:received"}"#,
        r#"{"event":"sms:received","payload":{"sender":"+1202"}}"#,
    ] {
        assert_eq!(
            signed(broken, &now).send(&account),
            Err(Refused::Malformed),
            "{broken}"
        );
    }
}

#[tokio::test]
async fn a_check_registers_what_the_phone_does_not_call_us_for() {
    let url = "https://gw.example.org/webhook/sms/main";
    let known = json!([{ "id": "1", "url": url, "event": "sms:received" }, { "url": "https://other", "event": "sms:sent" }]);
    let server =
        ScriptedHttp::start([Reply::json(200, known.to_string()), Reply::json(201, "{}")]).await;
    let report = account(server.base_url(), client()).check().await;
    assert_eq!(report.faults, Vec::<String>::new());
    let bodies = server.requests().split_off(1).into_iter();
    let events: Vec<_> = bodies
        .map(|r| serde_json::from_slice::<Value>(&r.body).unwrap()["event"].clone())
        .collect();
    assert_eq!(
        events,
        ["sms:sent", "sms:delivered", "sms:failed", "mms:downloaded"]
    );
    let server = ScriptedHttp::start([Reply::json(401, "")]).await;
    assert_eq!(
        account(server.base_url(), client())
            .check()
            .await
            .faults
            .len(),
        1
    );
}

#[tokio::test]
async fn after_a_pause_the_phone_is_asked_for_its_inbox() {
    let server = ScriptedHttp::start([Reply::json(202, "")]).await;
    let account = account(server.base_url(), client());
    let inbox = Arc::new(RecordingInbox::default());
    let context = context(
        Arc::clone(&inbox),
        FixedDirectory::default(),
        Arc::default(),
    );
    let cursor = transom_adapter::Cursor {
        name: "here".into(),
        value: NOW.0.to_string(),
    };
    transom_adapter::Inbox::commit(&*inbox, &account.name, vec![], Some(cursor))
        .await
        .unwrap();
    tokio::select! {
        _ = account.run(&context) => panic!("it goes on"),
        () = async { while server.requests().is_empty() { tokio::task::yield_now().await } } => {}
    }
    let request = server.requests().pop().unwrap();
    assert!(
        request.head.starts_with("POST /inbox/export "),
        "{}",
        request.head
    );
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["since"], "2026-09-21T13:58:20Z");
}

#[tokio::test]
async fn a_phone_that_refuses_its_inbox_is_asked_again_for_the_same_time() {
    for (status, is_asked_again) in [
        (400, true),
        (401, true),
        (403, true),
        (429, true),
        (500, true),
        (503, true),
        (404, false),
        (405, false),
        (501, false),
    ] {
        let server = ScriptedHttp::start([Reply::json(status, ""), Reply::json(202, "")]).await;
        let account = account(server.base_url(), client());
        let inbox = Arc::new(RecordingInbox::default());
        let meter = Arc::new(CountingMeter::default());
        let mut context = context(
            Arc::clone(&inbox),
            FixedDirectory::default(),
            Arc::clone(&meter),
        );
        let clock = Arc::new(ManualClock::at(NOW.after(Duration::from_mins(30))));
        context.clock = clock.clone();
        let cursor = transom_adapter::Cursor {
            name: "here".into(),
            value: NOW.0.to_string(),
        };
        let commit = transom_adapter::Inbox::commit(&*inbox, &account.name, vec![], Some(cursor));
        commit.await.unwrap();
        let here = || transom_adapter::Inbox::cursor(&*inbox, &account.name, "here");
        let turned = async {
            let word = if is_asked_again {
                "inbox_not_asked"
            } else {
                "inbox_asked"
            };
            while meter.of(word) == 0 {
                tokio::task::yield_now().await;
            }
            if is_asked_again {
                assert_eq!(here().await.unwrap(), Some(NOW.0.to_string()), "{status}");
                while meter.of("inbox_asked") == 0 {
                    clock.advance(Duration::from_mins(1));
                    tokio::task::yield_now().await;
                }
            }
            while inbox.commits() < 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = account.run(&context) => panic!("it goes on"),
            done = tokio::time::timeout(Duration::from_secs(10), turned) => assert!(done.is_ok(), "{status}"),
        }
        assert_ne!(here().await.unwrap(), Some(NOW.0.to_string()), "{status}");
        let requests = server.requests().into_iter();
        let asked: Vec<Value> = requests
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect();
        assert_eq!(asked.len(), 1 + usize::from(is_asked_again), "{status}");
        for body in asked {
            assert_eq!(body["since"], "2026-09-21T13:58:20Z", "{status}");
        }
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let table = json!({ "base_url": "ftp://x", "username": "a\nb", "sims": ["12"], "validity": "1s", "device": "/" });
    let faults = faults_of(config::account, table);
    assert_eq!(faults.len(), 7, "{faults:?}");
}

proptest! {
    #[test]
    fn nothing_that_is_called_makes_it_panic(body in json_soup(&[
        "id", "event", "payload", "messageId", "sender", "recipient", "simNumber", "message", "attachments", "data", "name",
        "sms:received", "sms:failed", "mms:downloaded", "reason",
    ])) {
        let events = events(body.to_string().as_bytes(), &["+12025550100".to_owned()], "US".parse().unwrap());
        if let Ok(events) = events {
            prop_assert!(events.iter().all(|event| matches!(event, Event::Message(_) | Event::Report(_))));
        }
    }
}
