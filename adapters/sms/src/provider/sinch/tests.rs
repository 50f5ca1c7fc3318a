use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use transom_adapter::{
    Event, ExternalId, Failure, MessageRef, Progress, Reason, Repeats,
    testkit::{
        Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
    },
};

use super::*;
use crate::provider::{
    catch_up::{InboundList as _, PAGES_MAX},
    testing::{
        Call, FIRST, NOW, TOKEN, client, env, hmac_sha256, json_soup, message, one_message,
        one_report, outcome_of, section, text_and_picture,
    },
};

const SECRET: &str = "foo_secret1234";

fn account(base_url: &str, http: HttpClient) -> SinchAccount {
    let table = json!({
        "service_plan_id": "plan1", "api_token": "token1", "base_url": base_url, "validity": "2h",
        "webhook_secret": SECRET,
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

fn at(base_url: &str) -> SinchAccount {
    account(base_url, client())
}

fn offline() -> SinchAccount {
    at("https://us.sms.api.sinch.com")
}

/// Nothing is signed there; the path has a token.
fn by_token() -> SinchAccount {
    let table = json!({ "service_plan_id": "plan1", "api_token": "token1", "region": "eu", "webhook_token": TOKEN });
    config::account(
        AccountName::new("sms", "main"),
        &section(table),
        &env(client()),
    )
    .unwrap()
}

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(url, http)),
        accepted: Reply::json(
            201,
            r#"{"id":"01FC66621","to":["12025550147"],"canceled":false}"#,
        ),
        message: message("hello"),
    })
    .await;
    conformance::account(&by_token());
}

#[tokio::test]
async fn a_text_is_sent_with_all_that_sinch_needs() {
    let server = ScriptedHttp::start([Reply::json(201, r#"{"id":"b1"}"#)]).await;
    let message = message("hello\r\nthere");
    let account = at(server.base_url());
    let id = ExternalId::new("sinch", "b1");
    let [text, picture] = text_and_picture(&account, &server, &message, id).await;
    assert!(text.head.starts_with("POST /xms/v1/plan1/batches HTTP/1.1"));
    assert!(text.head.contains("authorization: Bearer token1"));
    let mut wanted = json!({
        "type": "mt_text", "from": "+12025550100", "to": ["+12025550147"], "body": "hello\nthere",
        "delivery_report": "per_recipient", "client_reference": message.key.to_string(),
        "expire_at": "2026-09-21T16:13:20Z", "callback_url": "https://gw.example.org/webhook/sms/main",
    });
    assert_eq!(serde_json::from_slice::<Value>(&text.body).unwrap(), wanted);
    wanted["type"] = "mt_media".into();
    wanted["body"] =
        json!({ "url": "https://gw.example.org/files/x/a.png", "message": "hello\nthere" });
    assert_eq!(
        serde_json::from_slice::<Value>(&picture.body).unwrap(),
        wanted
    );
    let url = by_token().callback_url.unwrap();
    assert!(
        url.expose_secret()
            .ends_with("/webhook/sms/main/0123456789abcdef")
    );
    assert_eq!(
        by_token().plan_url,
        "https://eu.sms.api.sinch.com/xms/v1/plan1"
    );
}

/// A project's key asks for a token first; one that is refused is asked for again.
#[tokio::test]
async fn a_project_signs_in_with_its_key() {
    let granted = |token: &str| {
        Reply::json(
            200,
            format!(r#"{{"access_token":"{token}","token_type":"bearer","expires_in":3599}}"#),
        )
    };
    let server = ScriptedHttp::start([
        granted("one"),
        Reply::json(401, "{}"),
        granted("two"),
        Reply::json(201, r#"{"id":"b1"}"#),
    ])
    .await;
    let table = json!({
        "project_id": "project1", "key_id": "key1", "key_secret": "secret1", "webhook_token": TOKEN,
        "base_url": server.base_url(), "token_url": format!("{}/oauth2/token", server.base_url()),
    });
    let name = AccountName::new("sms", "main");
    let account = config::account(name, &section(table), &env(client())).unwrap();
    let first = account.send(&message("a"), FIRST).await;
    assert!(matches!(first, Outcome::Misconfigured(_)), "{first:?}");
    let second = account.send(&message("a"), FIRST).await;
    assert!(matches!(second, Outcome::Accepted { .. }), "{second:?}");
    let heads: Vec<String> = server.requests().into_iter().map(|r| r.head).collect();
    assert!(heads[0].starts_with("POST /oauth2/token"), "{}", heads[0]);
    assert!(heads[0].contains("Basic a2V5MTpzZWNyZXQx"), "{}", heads[0]);
    assert!(heads[3].starts_with("POST /xms/v1/project1/batches"));
    assert!(heads[3].contains("Bearer two"), "{}", heads[3]);
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    for (status, body, want) in [
        (201, "{}", "Unknown"),
        (
            400,
            r#"{"code":"syntax_constraint_violation","text":"secret"}"#,
            "Rejected",
        ),
        (401, "", "Misconfigured"),
        (403, r#"{"code":"unauthorized"}"#, "Misconfigured"),
        (404, "", "Misconfigured"),
        (429, "", "Throttled"),
        (500, "", "Unknown"),
        (503, "", "Transient"),
    ] {
        let outcome = format!("{:?}", outcome_of(at, Reply::json(status, body)).await);
        assert!(outcome.starts_with(want), "{status} gave {outcome}");
        assert!(!outcome.contains("secret"));
    }
}

#[tokio::test]
async fn a_look_up_finds_the_batch_with_our_reference() {
    for (body, found) in [
        (r#"{"count":1,"batches":[{"id":"b1"}]}"#, true),
        (r#"{"count":0,"batches":[]}"#, false),
        (r#"{"count":2,"batches":[{"id":"b1"},{"id":"b2"}]}"#, false),
        (r#"{"batches":[{"id":[]}]}"#, false),
        ("{", false),
    ] {
        let server = ScriptedHttp::start([Reply::json(200, body)]).await;
        let message = message("a");
        let outcome = at(server.base_url()).reconcile(&message, FIRST).await;
        assert_eq!(outcome.is_some(), found, "{body}");
        let head = server.requests().pop().unwrap().head;
        let reference = format!("client_reference={}", message.key);
        assert!(head.contains(&reference), "{head}");
    }
    let server = ScriptedHttp::start([Reply::json(401, r#"{"batches":[{"id":"b1"}]}"#)]).await;
    assert_eq!(
        at(server.base_url()).reconcile(&message("a"), FIRST).await,
        None
    );
}

fn sign(second: i64, body: &str) -> Call {
    let message = format!("{body}.nonce1.{second}");
    Call::post("", body)
        .with(
            "x-sinch-webhook-signature",
            &BASE64_STANDARD.encode(hmac_sha256(SECRET, message.as_bytes())),
        )
        .with("x-sinch-webhook-signature-nonce", "nonce1")
        .with("x-sinch-webhook-signature-timestamp", &second.to_string())
}

fn call(body: &Value) -> Result<Handled, Refused> {
    sign(NOW.0 / 1000, &body.to_string()).send(&offline())
}

/// From the tests of Sinch's Python library.
#[test]
fn sinchs_own_signature_verifies() {
    let body = r#"{"app_id":"01EB37HMH1M6SV18BSNS3G135H","accepted_time":"2020-11-17T15:09:11.659Z","project_id":"c36f3d3d-1513-2edd-ae42-11995557ff61","message_delivery_report":{"message_id":"01EQBC1A3BEK731GY4YXEN0C2R","conversation_id":"01EPYATA64TMNZ1FV02JKF12JF","status":"QUEUED_ON_CHANNEL","contact_id":"01EXA07N79THJ20WSN6AS30TMW"}}"#;
    let mut call = Call::post("", body)
        .with(
            "x-sinch-webhook-signature",
            "Yc+3R1pIS78xLASybulhs8BsSo9BPB3Pr92QCUoczfk=",
        )
        .with(
            "x-sinch-webhook-signature-nonce",
            "01FJA8B4A7BM43YGWSG9GBV067",
        )
        .with("x-sinch-webhook-signature-timestamp", "1634579353");
    call.now = UnixMillis(1_634_579_353_000);
    assert_eq!(call.send(&offline()).unwrap().events, [], "of no use here");
    call.now = NOW;
    assert_eq!(call.send(&offline()), Err(Refused::Replayed));
}

#[test]
fn whatever_is_changed_is_noticed() {
    let good = sign(NOW.0 / 1000, "{}");
    assert!(good.send(&offline()).is_ok());
    for (name, value) in [
        ("x-sinch-webhook-signature-nonce", "nonce2"),
        ("x-sinch-webhook-signature-timestamp", "1790000001"),
        ("x-sinch-webhook-signature", "AAAA"),
        ("x-sinch-webhook-signature", "!"),
    ] {
        assert_eq!(
            good.clone().with(name, value).send(&offline()),
            Err(Refused::Forged),
            "{name}"
        );
    }
    let mut changed = good.clone();
    changed.body = b"{ }".to_vec();
    assert_eq!(changed.send(&offline()), Err(Refused::Forged));
    for name in [
        "x-sinch-webhook-signature",
        "x-sinch-webhook-signature-nonce",
    ] {
        let mut unsigned = good.clone();
        unsigned.headers.remove(name);
        assert_eq!(unsigned.send(&offline()), Err(Refused::Unsigned));
    }
    let unsigned = Call::post("", "{}");
    assert_eq!(unsigned.send(&by_token()), Err(Refused::Unsigned));
    assert!(unsigned.clone().with_token(TOKEN).send(&by_token()).is_ok());
    assert_eq!(
        unsigned.with_token("x").send(&by_token()),
        Err(Refused::Forged)
    );
}

#[test]
fn texts_and_pictures_come_in() {
    let text = json!({ "type": "mo_text", "id": "in1", "from": "12025550147", "to": "12025550100", "body": "héllo",
        "received_at": "2026-09-21T14:13:20.000Z", "operator_id": "310260", "something_new": {} });
    let handled = call(&text).unwrap();
    let message = one_message(&handled);
    assert_eq!(
        message.repeats,
        Repeats::ById(ExternalId::new("sinch", "in1"))
    );
    assert_eq!(
        (message.from.as_str(), message.to.as_str()),
        ("+12025550147", "+12025550100")
    );
    assert_eq!((&*message.text, message.sent_at), ("héllo", Some(NOW)));
    assert_eq!(handled.busy.status, 503, "a 4xx would not be repeated");
    let picture = json!({ "type": "mo_media", "id": "in2", "from": "12025550147", "to": "12025550100", "body": {
        "subject": "s", "message": "look", "media": [
            { "url": "https://s3.example.com/1", "content_type": "image/png", "status": "Uploaded", "code": 0 },
            { "content_type": "image/png", "status": "Failed", "code": 1 }] } });
    let handled = call(&picture).unwrap();
    let message = one_message(&handled);
    assert_eq!((&*message.text, message.media.len()), ("look", 1));
    for broken in [
        json!({}),
        json!({ "id": "1" }),
        json!({ "id": "1", "from": "1", "to": "" }),
        json!({ "id": {}, "from": "1", "to": "2" }),
    ] {
        let mut broken = broken;
        broken["type"] = "mo_text".into();
        assert_eq!(call(&broken), Err(Refused::Malformed), "{broken}");
    }
    for useless in [
        json!({}),
        json!([]),
        json!({ "type": "mo_binary", "id": "1" }),
        json!({ "type": "delivery_report_sms" }),
    ] {
        assert_eq!(call(&useless).unwrap().events, [], "{useless}");
    }
}

#[test]
fn every_status_and_every_code_has_its_meaning() {
    let report = |status: &str, code: u32| {
        let body = json!({ "type": "recipient_delivery_report_sms", "batch_id": "b1", "recipient": "12025550147", "code": code,
            "status": status, "at": "2026-09-21T14:13:20Z", "client_reference": "aaaaaaaaaaaaa" });
        one_report(&call(&body).unwrap()).clone()
    };
    let none = || Some(Failure::new(Reason::Unspecified));
    for (status, code, progress, failure) in [
        ("Queued", 400, Progress::Accepted, None),
        ("Dispatched", 401, Progress::Sent, None),
        ("DELIVERED", 0, Progress::Delivered, None),
        (
            "Expired",
            0,
            Progress::Expired,
            Some(Failure::new(Reason::Expired)),
        ),
        ("Rejected", 0, Progress::Failed, none()),
        ("Cancelled", 0, Progress::Failed, none()),
        ("Deleted", 0, Progress::Failed, none()),
        ("Unknown", 0, Progress::Unknown, none()),
    ] {
        let report = report(status, code);
        assert_eq!(
            (report.progress, report.failure),
            (progress, failure),
            "{status}"
        );
        let id = MessageRef::External(ExternalId::new("sinch", "b1"));
        let key = MessageRef::Key("aaaaaaaaaaaaa".parse().unwrap(), 0);
        assert_eq!((report.about, report.at), (vec![id, key], Some(NOW)));
    }
    for row in codes::TABLE {
        let report = report("Failed", row.code);
        let failure = Failure::new(row.reason).with_code(row.code.to_string());
        assert_eq!(report.failure, Some(failure));
        let expired = row.code == codes::EXPIRED;
        assert_eq!(report.progress == Progress::Expired, expired);
    }
    let future = json!({ "type": "recipient_delivery_report_sms", "batch_id": "b1", "status": "Teleported" });
    assert_eq!(call(&future).unwrap().events, []);
}

#[tokio::test]
async fn what_came_during_a_downtime_is_listed_page_by_page() {
    let inbound = |id: u32| {
        json!({ "type": "mo_text", "id": format!("in{id}"), "from": "12025550147", "to": "12025550100",
        "body": "x", "received_at": "2026-09-21T14:13:20Z" })
    };
    let full: Vec<_> = (0..100).map(inbound).collect();
    let last = vec![
        inbound(100),
        json!({ "type": "mo_binary" }),
        json!({ "type": "mo_text" }),
    ];
    let script = [full, last].map(|page| Reply::json(200, json!({ "inbounds": page }).to_string()));
    let server = ScriptedHttp::start(script).await;
    let found = at(server.base_url()).inbound_since(NOW).await.unwrap();
    assert_eq!((found.texts.len(), found.is_cut_short), (101, false));
    assert!(
        matches!(&found.texts[0].1, Event::Message(message) if message.repeats == Repeats::ById(ExternalId::new("sinch", "in100")))
    );
    let head = &server.requests()[1].head;
    assert!(
        head.contains("start_date=2026-09-21T14%3A13%3A20Z&page=1&page_size=100"),
        "{head}"
    );
    let server = ScriptedHttp::start([Reply::text(500, "")]).await;
    assert!(at(server.base_url()).inbound_since(NOW).await.is_err());
    let full: Vec<_> = (0..100).map(inbound).collect();
    let endless = (0..PAGES_MAX).map(|_| Reply::json(200, json!({ "inbounds": full }).to_string()));
    let server = ScriptedHttp::start(endless).await;
    let found = at(server.base_url()).inbound_since(NOW).await.unwrap();
    assert!(found.is_cut_short);
}

#[tokio::test]
async fn a_check_says_what_it_found() {
    let server = ScriptedHttp::start([
        Reply::json(200, r#"{"batches":[]}"#),
        Reply::json(401, "{}"),
    ])
    .await;
    assert_eq!(
        at(server.base_url()).check().await.faults,
        Vec::<String>::new()
    );
    assert_eq!(at(server.base_url()).check().await.faults.len(), 1);
}

#[test]
fn without_signature_and_token_nobody_could_call() {
    let table = json!({ "service_plan_id": "plan1", "api_token": "t", "region": "mars" });
    let faults = config::account(
        AccountName::new("sms", "main"),
        &section(table),
        &env(client()),
    );
    let keys: Vec<_> = faults
        .map(drop)
        .unwrap_err()
        .into_iter()
        .map(|fault| fault.key)
        .collect();
    assert_eq!(
        keys,
        [
            "gateway.sms.provider.main.region",
            "gateway.sms.provider.main.webhook_token"
        ]
    );
}

const WORDS: &[&str] = &[
    "type",
    "mo_text",
    "mo_media",
    "id",
    "from",
    "to",
    "body",
    "message",
    "media",
    "url",
    "received_at",
    "sent_at",
    "code",
    "recipient_delivery_report_sms",
    "status",
    "Failed",
    "batch_id",
    "client_reference",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_that_is_signed_makes_it_panic(mut body in json_soup(WORDS), kind in proptest::sample::select(WORDS)) {
        if let Some(object) = body.as_object_mut() {
            object.insert("type".into(), kind.into());
        }
        drop(events(body.to_string().as_bytes(), "US".parse().unwrap()));
    }
}
