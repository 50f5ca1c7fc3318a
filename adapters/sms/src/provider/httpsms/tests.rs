use std::sync::Arc;

use proptest::prelude::*;
use transom_adapter::{
    Cursor, Event, ExternalId, Inbox, MessageRef, Progress, Repeats,
    testkit::{
        CountingMeter, FixedDirectory, RecordingInbox, Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
        context,
    },
};

use super::*;
use crate::provider::testing::{
    Call, FIRST, NOW, TOKEN, client, env, faults_of, json_soup, jwt, message, one_message,
    one_report, outcome_of, section,
};

const KEY: &str = "signing-key";

fn account(base_url: &str, http: HttpClient) -> HttpsmsAccount {
    let table = json!({
        "base_url": base_url, "api_key": "api-key", "signing_key": KEY, "webhook_token": TOKEN, "numbers": ["+12025550100"],
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

fn taken() -> Reply {
    Reply::json(
        200,
        r#"{"status":"success","message":"queued","data":{"id":"u-1","status":"pending"}}"#,
    )
}

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(url, http)),
        accepted: taken(),
        message: message("hello"),
    })
    .await;
}

#[tokio::test]
async fn a_text_is_sent_with_our_key_and_theirs() {
    let server = ScriptedHttp::start([taken()]).await;
    let outcome = account(server.base_url(), client())
        .send(&message("hi\r\n👋"), FIRST)
        .await;
    assert_eq!(
        outcome,
        Outcome::Accepted {
            ids: vec![ExternalId::new("httpsms", "u-1")]
        }
    );
    let request = server.requests().pop().unwrap();
    assert!(
        request.head.starts_with("POST /v1/messages/send HTTP/1.1"),
        "{}",
        request.head
    );
    assert!(
        request.head.contains("x-api-key: api-key"),
        "{}",
        request.head
    );
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let key = message("").key.to_string();
    let want = json!({ "from": "+12025550100", "to": "+12025550147", "content": "hi\n👋", "request_id": key, "encrypted": false });
    assert_eq!(body, want);
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    for (status, body, want) in [
        (200, r#"{"data":{}}"#, "Unknown"),
        (400, r#"{"message":"secret"}"#, "Rejected"),
        (401, "", "Misconfigured"),
        (402, "", "Misconfigured"),
        (422, r#"{"data":{"to":["secret"]}}"#, "Rejected"),
        (429, "", "Throttled"),
        (500, "", "Unknown"),
        (503, "", "Transient"),
    ] {
        let outcome = outcome_of(|url| account(url, client()), Reply::json(status, body)).await;
        let text = format!("{outcome:?}");
        assert!(
            text.starts_with(want) && !text.contains("secret"),
            "{status} gave {text}"
        );
    }
}

fn claims() -> Value {
    let seconds = NOW.0 / 1000;
    let url = format!("https://gw.example.org/webhook/sms/main/{TOKEN}");
    json!({ "iss": "api.httpsms.com", "aud": [url], "sub": "user", "nbf": seconds - 600, "iat": seconds, "exp": seconds + 600 })
}

fn signed(body: &str, claims: &Value) -> Call {
    let token = jwt("HS256", claims, KEY);
    Call::post("", body)
        .with_token(TOKEN)
        .with("Authorization", &format!("Bearer {token}"))
}

fn call(body: &Value) -> Handled {
    signed(&body.to_string(), &claims())
        .send(&subject())
        .unwrap()
}

fn subject() -> HttpsmsAccount {
    account("http://127.0.0.1:1", client())
}

fn received() -> Value {
    json!({
        "specversion": "1.0", "id": "ce-1", "type": "message.phone.received",
        "data": {
            "message_id": "m-1", "user_id": "u", "owner": "+12025550100", "contact": "+12025550147", "content": "hi 👋",
            "sim": "SIM1", "encrypted": false, "timestamp": "2026-09-21T14:13:20Z",
        },
    })
}

#[test]
fn a_text_comes_in() {
    let handled = call(&received());
    let message = one_message(&handled);
    assert_eq!(
        (message.from.as_str(), message.to.as_str()),
        ("+12025550147", "+12025550100")
    );
    assert_eq!((&*message.text, message.sent_at), ("hi 👋", Some(NOW)));
    assert_eq!(
        message.repeats,
        Repeats::ById(ExternalId::new("httpsms-in", "m-1"))
    );
    assert_eq!(call(&received()), handled, "a repeat is the same");
}

#[test]
fn every_event_has_its_meaning() {
    for (event, last, progress) in [
        ("message.phone.sent", true, Progress::Sent),
        ("message.phone.delivered", true, Progress::Delivered),
        ("message.send.failed", true, Progress::Failed),
        ("message.send.expired", true, Progress::Expired),
        ("message.send.expired", false, Progress::Delayed),
    ] {
        let handled = call(
            &json!({ "type": event, "data": { "id": "u-1", "is_final": last, "error_message": "secret" } }),
        );
        let report = one_report(&handled);
        assert_eq!(
            report.about,
            [MessageRef::External(ExternalId::new("httpsms", "u-1"))]
        );
        assert_eq!(report.progress, progress);
        assert!(!format!("{report:?}").contains("secret"));
    }
    for (word, reason) in webhook::REASONS {
        let handled = call(
            &json!({ "type": "message.send.failed", "data": { "message_id": "u-1", "error_message": word } }),
        );
        assert_eq!(
            one_report(&handled).failure.as_ref().map(|f| f.reason),
            Some(*reason)
        );
    }
    for body in [
        json!({ "type": "call.missed", "data": {} }),
        json!({ "type": "message.phone.sent", "data": {} }),
    ] {
        assert_eq!(call(&body).events, []);
    }
}

#[test]
fn what_was_sent_elsewhere_is_told_from_ours() {
    let sent = |request_id: Value| {
        let data = json!({
            "id": "u-9", "request_id": request_id, "owner": "+12025550100", "contact": "+12025550147", "content": "on my way",
            "timestamp": "2026-09-21T14:13:26Z",
        });
        call(&json!({ "type": "message.phone.sent", "data": data })).events
    };
    for foreign in [Value::Null, json!("their own")] {
        let events = sent(foreign);
        let [Event::Sent(message)] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(message.text, "on my way");
        assert_eq!(message.to.as_str(), "+12025550100", "our line");
        assert_eq!(message.from.as_str(), "+12025550147", "whom it went to");
    }
    let ours = sent(json!(message("hello").key.to_string()));
    assert!(matches!(&ours[..], [Event::Report(_)]), "{ours:?}");
}

#[test]
fn what_is_forged_old_or_broken_is_refused() {
    let account = subject();
    let body = received().to_string();
    let with = |key: &str, value: Value| {
        let mut claims = claims();
        claims[key] = value;
        signed(&body, &claims).send(&account)
    };
    assert!(signed(&body, &claims()).send(&account).is_ok());
    assert_eq!(
        with("exp", (NOW.0 / 1000 - 61).into()),
        Err(Refused::Replayed)
    );
    assert_eq!(with("exp", Value::Null), Err(Refused::Forged));
    assert_eq!(
        with("aud", json!(["https://gw.example.org/other"])),
        Err(Refused::Forged)
    );
    assert_eq!(with("aud", Value::Null), Err(Refused::Forged));
    let other = format!("Bearer {}", jwt("HS256", &claims(), "another key"));
    let none = format!("Bearer {}", jwt("none", &claims(), KEY));
    for bearer in [&*other, &*none, "Bearer x", "Bearer "] {
        let call = Call::post("", body.clone())
            .with_token(TOKEN)
            .with("Authorization", bearer);
        assert_eq!(call.send(&account), Err(Refused::Forged), "{bearer}");
    }
    assert_eq!(
        Call::post("", body.clone())
            .with_token(TOKEN)
            .send(&account),
        Err(Refused::Unsigned)
    );
    assert_eq!(
        signed(&body, &claims())
            .with_token("0123456789abcdeF")
            .send(&account),
        Err(Refused::Forged)
    );
    for broken in [
        "",
        "{}",
        r#"{"type":"message.phone.received","data":{"message_id":"m"}}"#,
    ] {
        assert_eq!(
            signed(broken, &claims()).send(&account),
            Err(Refused::Malformed),
            "{broken}"
        );
    }
}

#[tokio::test]
async fn what_was_missed_is_asked_for() {
    let threads = json!({ "data": [
        { "contact": "+12025550147", "order_timestamp": "2026-09-21T14:13:25Z" },
        { "contact": "+12025550148", "order_timestamp": "2026-09-20T14:13:20Z" },
    ] });
    let messages = json!({ "data": [
        { "id": "m-1", "type": "mobile-originated", "owner": "+12025550100", "contact": "+12025550147", "content": "missed", "order_timestamp": "2026-09-21T14:13:25Z" },
        { "id": "m-2", "type": "mobile-terminated", "owner": "+12025550100", "contact": "+12025550147", "content": "ours", "order_timestamp": "2026-09-21T14:13:26Z" },
        { "id": "m-0", "type": "mobile-originated", "owner": "+12025550100", "contact": "+12025550147", "content": "old", "order_timestamp": "2026-09-20T14:13:20Z" },
    ] });
    let server = ScriptedHttp::start([
        Reply::json(500, ""),
        Reply::json(200, threads.to_string()),
        Reply::json(200, messages.to_string()),
    ])
    .await;
    let account = account(server.base_url(), client());
    let (inbox, _, context) = since_now(&account).await;
    assert_eq!(
        catch_up::pass(&account, &context).await,
        None,
        "and the cursor stays"
    );
    assert_eq!(catch_up::pass(&account, &context).await, Some(()));
    let events = inbox.events();
    let [Event::Message(message)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(message.text, "missed");
    // Brought by a call as well it is the same.
    assert_eq!(message.repeats, one_message(&call(&received())).repeats);
    let heads: Vec<_> = server
        .requests()
        .into_iter()
        .map(|r| r.head.lines().next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        heads[1..],
        [
            "GET /v1/message-threads?owner=%2B12025550100&limit=20&skip=0 HTTP/1.1",
            "GET /v1/messages?owner=%2B12025550100&contact=%2B12025550147&limit=20&skip=0 HTTP/1.1",
        ]
    );
}

fn thread(contact: &str, at: &str) -> Value {
    json!({ "contact": contact, "order_timestamp": at })
}

fn missed(id: &str, at: &str) -> Value {
    json!({ "id": id, "type": "mobile-originated", "owner": "+12025550100", "contact": "+12025550147", "content": id,
        "order_timestamp": at })
}

fn page(items: &[Value]) -> Reply {
    Reply::json(200, json!({ "data": items }).to_string())
}

const NEW: &str = "2026-09-21T14:13:25Z";
const OLD: &str = "2026-09-20T14:13:20Z";

/// A gateway that was last here at [`NOW`].
async fn since_now(account: &HttpsmsAccount) -> (Arc<RecordingInbox>, Arc<CountingMeter>, Context) {
    let (inbox, meter) = (
        Arc::new(RecordingInbox::default()),
        Arc::new(CountingMeter::default()),
    );
    let context = context(
        Arc::clone(&inbox),
        FixedDirectory::default(),
        Arc::clone(&meter),
    );
    let cursor = Cursor {
        name: "seen".into(),
        value: NOW.0.to_string(),
    };
    inbox
        .commit(&account.name, vec![], Some(cursor))
        .await
        .unwrap();
    (inbox, meter, context)
}

#[tokio::test]
async fn what_was_missed_is_read_page_by_page() {
    let (first, second, third) = ("+12025550147", "+12025550148", "+12025550149");
    let full: Vec<Value> = (0..20)
        .map(|n| missed(&format!("m-{:02}", 40 - n), NEW))
        .collect();
    let script = [
        page(&vec![thread(first, NEW); 20]),
        page(&[thread(second, NEW), thread("+12025550150", OLD)]),
        // What moved to the top while the second page was read stands on none of the two.
        page(&[thread(third, NEW), thread(first, NEW)]),
        page(&full),
        page(&[missed("m-20", NEW), missed("m-old", OLD)]),
        page(&[missed("m-10", NEW)]),
        page(&[missed("m-00", NEW)]),
    ];
    let server = ScriptedHttp::start(script).await;
    let account = account(server.base_url(), client());
    let (inbox, meter, context) = since_now(&account).await;
    assert_eq!(catch_up::pass(&account, &context).await, Some(()));
    let texts: Vec<_> = inbox
        .events()
        .into_iter()
        .map(|event| match event {
            Event::Message(message) => message.text,
            other => panic!("{other:?}"),
        })
        .collect();
    let oldest_first = (20..41).chain([10, 0]).map(|n| format!("m-{n:02}"));
    assert_eq!(texts, oldest_first.collect::<Vec<_>>());
    let asked: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.head.lines().next().unwrap_or_default().to_owned())
        .collect();
    let skips = [0, 20, 0, 0, 20, 0, 0].map(|skip| format!("&limit=20&skip={skip} HTTP/1.1"));
    assert_eq!(asked.len(), skips.len(), "{asked:?}");
    for (line, skip) in asked.iter().zip(&skips) {
        assert!(line.ends_with(skip), "{asked:?}");
    }
    let seen = inbox.cursor(&account.name, "seen").await.unwrap().unwrap();
    assert!(seen.parse::<i64>().unwrap() > NOW.0, "{seen}");
    assert_eq!(meter.of("catch_up_cut_short"), 0);
}

#[tokio::test]
async fn the_position_stays_before_what_was_not_read() {
    let script = [
        page(&[thread("+12025550147", NEW)]),
        page(&vec![missed("m-1", NEW); 20]),
    ];
    let server = ScriptedHttp::start(script).await;
    let account = account(server.base_url(), client());
    let (inbox, meter, context) = since_now(&account).await;
    assert_eq!(catch_up::pass(&account, &context).await, Some(()));
    assert_eq!(inbox.events().len(), 1, "what was read is brought");
    let seen = inbox.cursor(&account.name, "seen").await.unwrap();
    assert_eq!(seen, Some(NOW.0.to_string()));
    assert_eq!(meter.of("catch_up_cut_short"), 1);
    assert_eq!(server.requests().len(), 101, "it ends");
}

#[tokio::test]
async fn a_check_knows_the_phones() {
    for (number, faults) in [("+12025550100", 0), ("+12025550109", 1)] {
        let phones = json!({ "data": [{ "phone_number": number }] });
        let server = ScriptedHttp::start([Reply::json(200, phones.to_string())]).await;
        let report = account(server.base_url(), client()).check().await;
        assert_eq!((report.findings.len(), report.faults.len()), (1, faults));
    }
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

#[test]
fn all_faults_are_told_at_once() {
    let table = json!({ "base_url": "x", "webhook_token": "short", "numbers": ["12"] });
    let faults = faults_of(config::account, table);
    assert_eq!(faults.len(), 5, "{faults:?}");
}

proptest! {
    #[test]
    fn nothing_that_is_called_makes_it_panic(body in json_soup(&[
        "type", "data", "id", "message_id", "owner", "contact", "content", "timestamp", "message.phone.received", "message.send.failed", "error_message",
    ])) {
        drop(events(body.to_string().as_bytes(), "US".parse().unwrap()));
    }
}
