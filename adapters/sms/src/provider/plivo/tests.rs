use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::Method;
use proptest::prelude::*;
use transom_adapter::{
    Event, ExternalId, Failure, MessageRef, Progress, Reason, Repeats,
    testkit::{
        Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
    },
};

use super::*;
use crate::provider::testing::{
    Call, FIRST, TOKEN, client, env, hmac_sha256, message, one_message, one_report, outcome_of,
    section, soup, text_and_picture,
};

const SECRET: &str = "my_auth_token";

fn account(base_url: &str, http: HttpClient) -> PlivoAccount {
    let table = json!({
        "auth_id": "MAXX", "auth_token": SECRET, "webhook_token": TOKEN, "base_url": base_url, "validity": "2h",
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

fn at(base_url: &str) -> PlivoAccount {
    account(base_url, client())
}

fn offline() -> PlivoAccount {
    at("https://api.plivo.com")
}

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(url, http)),
        accepted: Reply::json(
            202,
            r#"{"api_id":"a","message":"message(s) queued","message_uuid":["u1"]}"#,
        ),
        message: message("hello"),
    })
    .await;
}

#[tokio::test]
async fn a_text_is_sent_with_all_that_plivo_needs() {
    let server = ScriptedHttp::start([Reply::json(202, r#"{"message_uuid":["u1"]}"#)]).await;
    let message = message("hello\r\nthere");
    let account = at(server.base_url());
    let id = ExternalId::new("plivo", "u1");
    let [text, picture] = text_and_picture(&account, &server, &message, id).await;
    assert!(
        text.head
            .starts_with("POST /v1/Account/MAXX/Message/ HTTP/1.1")
    );
    let mut wanted = json!({
        "src": "+12025550100", "dst": "+12025550147", "text": "hello\nthere", "type": "sms", "message_expiry": 7200,
        "url": format!("https://gw.example.org/webhook/sms/main/{TOKEN}?key={}", message.key), "method": "POST",
    });
    assert_eq!(serde_json::from_slice::<Value>(&text.body).unwrap(), wanted);
    wanted["type"] = "mms".into();
    wanted["media_urls"] = json!(["https://gw.example.org/files/x/a.png"]);
    assert_eq!(
        serde_json::from_slice::<Value>(&picture.body).unwrap(),
        wanted
    );
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    for (status, body, want) in [
        (202, r#"{"message_uuid":[]}"#, "Unknown"),
        (202, r#"{"message_uuid":"u1"}"#, "Unknown"),
        (400, r#"{"error":"secret"}"#, "Rejected"),
        (401, "", "Misconfigured"),
        (403, "", "Misconfigured"),
        (404, "", "Misconfigured"),
        (405, "", "Misconfigured"),
        (422, "", "Rejected"),
        (429, "", "Throttled"),
        (500, "", "Unknown"),
    ] {
        let outcome = format!("{:?}", outcome_of(at, Reply::json(status, body)).await);
        assert!(outcome.starts_with(want), "{status} gave {outcome}");
        assert!(!outcome.contains("secret"));
    }
}

/// From Plivo's documentation.
#[test]
fn plivos_own_signature_verifies() {
    let mut call = Call::post("", "")
        .with("x-plivo-signature-v2-nonce", "12345")
        .with(
            "x-plivo-signature-v2",
            "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc=",
        );
    call.url = "https://answer.url".into();
    assert_eq!(caller::verify(&call.request(), &SECRET.into()), Ok(()));
    call.url = "https://answer.url?a=b".into();
    assert_eq!(
        caller::verify(&call.request(), &SECRET.into()),
        Ok(()),
        "the query is not covered"
    );
    call.url = "https://answer.url/".into();
    assert_eq!(
        caller::verify(&call.request(), &SECRET.into()),
        Err(Refused::Forged)
    );
}

fn signed(mut call: Call, header: &'static str) -> Call {
    let base = call.url.clone();
    let (path, query) = base
        .split_once('?')
        .map_or((&*base, None), |(path, query)| (path, Some(query)));
    let path = format!("{path}/{TOKEN}");
    let mac = BASE64_STANDARD.encode(hmac_sha256(SECRET, format!("{path}nonce1").as_bytes()));
    call.url = query.map_or(path.clone(), |query| format!("{path}?{query}"));
    call.with_token(TOKEN)
        .with("x-plivo-signature-v2-nonce", "nonce1")
        .with(header, &mac)
}

fn post(query: &str, form: &str) -> Result<Handled, Refused> {
    signed(Call::post(query, form), "x-plivo-signature-v2").send(&offline())
}

#[test]
fn signature_and_token_both_have_to_be_right() {
    let good = signed(Call::post("", "a=b"), "x-plivo-signature-v2");
    assert!(good.send(&offline()).is_ok());
    assert!(good.send(&offline()).is_ok(), "a repeat is known by its id");
    assert!(
        signed(Call::post("", "a=b"), "x-plivo-signature-ma-v2")
            .send(&offline())
            .is_ok()
    );
    let mut without = good.clone();
    without.token = None;
    assert_eq!(without.send(&offline()), Err(Refused::Unsigned));
    assert_eq!(
        good.clone().with_token("other").send(&offline()),
        Err(Refused::Forged)
    );
    let value = good.headers["x-plivo-signature-v2"]
        .to_str()
        .unwrap()
        .to_owned();
    let several = good
        .clone()
        .with("x-plivo-signature-v2", &format!("AAAA, {value}"));
    assert!(several.send(&offline()).is_ok());
    for (name, value) in [
        ("x-plivo-signature-v2", "AAAA"),
        ("x-plivo-signature-v2-nonce", "nonce2"),
    ] {
        assert_eq!(
            good.clone().with(name, value).send(&offline()),
            Err(Refused::Forged)
        );
    }
    for name in ["x-plivo-signature-v2", "x-plivo-signature-v2-nonce"] {
        let mut unsigned = good.clone();
        unsigned.headers.remove(name);
        assert_eq!(unsigned.send(&offline()), Err(Refused::Unsigned));
    }
}

#[test]
fn texts_and_pictures_come_in() {
    let handled = post(
        "",
        "MessageUUID=u1&From=12025550147&To=12025550100&Text=h%C3%A9llo&Type=sms&Units=1&New=x",
    )
    .unwrap();
    assert_eq!(
        (&*handled.stored.body, handled.stored.content_type),
        (&b"<Response/>"[..], "text/xml")
    );
    let message = one_message(&handled);
    assert_eq!(
        message.repeats,
        Repeats::ById(ExternalId::new("plivo", "u1"))
    );
    assert_eq!(
        (message.from.as_str(), message.to.as_str()),
        ("+12025550147", "+12025550100")
    );
    assert_eq!(message.text, "héllo");
    for first in [0, 1] {
        let form = format!(
            "MessageUUID=u2&From=12025550147&To=12025550100&Body=look&Type=mms&MediaCount=2&Media{first}=https%3A%2F%2Fm.example.com%2F1&Media{}=https%3A%2F%2Fm.example.com%2F2",
            first + 1
        );
        let handled = post("", &form).unwrap();
        let message = one_message(&handled);
        assert_eq!((&*message.text, message.media.len()), ("look", 2), "{form}");
    }
    let mut get = Call::post("?MessageUUID=u3&From=12025550147&To=12025550100&Text=a", "");
    get.method = Method::GET;
    let handled = signed(get, "x-plivo-signature-v2")
        .send(&offline())
        .unwrap();
    assert_eq!(one_message(&handled).text, "a");
    for broken in [
        "MessageUUID=u1&To=1&Text=a",
        "MessageUUID=u1&From=1&Text=a",
        "MessageUUID=u1",
    ] {
        assert_eq!(post("", broken), Err(Refused::Malformed), "{broken}");
    }
    assert_eq!(post("", "CallUUID=1").unwrap().events, []);
}

/// What each report of a call is about: the place of the part, by the id and by the key.
fn parts_told(query: &str, form: &str) -> Vec<(String, u16)> {
    let told = post(query, form).unwrap().events;
    let about = told.iter().map(|event| match event {
        Event::Report(report) => match &report.about[..] {
            [MessageRef::External(id), MessageRef::Key(_, part)] => (id.value.clone(), *part),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    });
    about.collect()
}

#[tokio::test]
async fn each_part_of_a_long_text_has_its_report() {
    let server = ScriptedHttp::start([Reply::json(202, r#"{"message_uuid":["u1"]}"#)]).await;
    let long = message(&"a".repeat(400));
    let outcome = at(server.base_url()).send(&long, FIRST).await;
    let id = |value: &str, part| ExternalId::new("plivo", value).for_part(part);
    let ids = vec![id("u1", 0), id("u1/2", 1), id("u1/3", 2)];
    assert_eq!(outcome, Outcome::Accepted { ids });
    let body: Value = serde_json::from_slice(&server.requests()[0].body).unwrap();
    let url = body["url"].as_str().unwrap();
    let (_, query) = url.split_once('?').unwrap();
    let query = format!("?{query}");
    assert!(query.ends_with("&parts=3"), "{query}");

    let told = |more: &str| {
        let form = format!("MessageUUID=own&ParentMessageUUID=u1&Status=delivered&{more}");
        parts_told(&query, &form)
    };
    let part = |value: &str, part| (value.to_owned(), part);
    assert_eq!(told("PartInfo=1+of+3"), [part("u1", 0)]);
    assert_eq!(told("PartInfo=2+of+3"), [part("u1/2", 1)]);
    assert_eq!(told("PartInfo=3+of+3"), [part("u1/3", 2)]);
    let rest = [part("u1/2", 1), part("u1/3", 2)];
    assert_eq!(told("PartInfo=2+of+2"), rest, "Plivo counts fewer");
    let all = [part("u1", 0), part("u1/2", 1), part("u1/3", 2)];
    for uncounted in [
        "",
        "PartInfo=",
        "PartInfo=0+of+3",
        "PartInfo=4+of+3",
        "PartInfo=x",
    ] {
        assert_eq!(told(uncounted), all, "{uncounted}");
    }
}

#[test]
fn every_status_and_every_code_has_its_meaning() {
    let report = |rest: &str| {
        let form = format!(
            "MessageUUID=u1&ParentMessageUUID=u1&PartInfo=1+of+1&From=12025550100&To=12025550147&Status={rest}"
        );
        let handled = post("?key=aaaaaaaaaaaaa", &form).unwrap();
        one_report(&handled).clone()
    };
    for (rest, progress, failure) in [
        ("queued&ErrorCode=", Progress::Accepted, None),
        ("sent", Progress::Sent, None),
        ("delivered", Progress::Delivered, None),
        ("read", Progress::Read, None),
        (
            "rejected",
            Progress::Failed,
            Some(Failure::new(Reason::Unspecified)),
        ),
        (
            "failed&ErrorCode=12",
            Progress::Failed,
            Some(Failure::new(Reason::Unspecified).with_code("12")),
        ),
    ] {
        let report = report(rest);
        assert_eq!(
            (report.progress, report.failure),
            (progress, failure),
            "{rest}"
        );
        let id = MessageRef::External(ExternalId::new("plivo", "u1"));
        let key = MessageRef::Key("aaaaaaaaaaaaa".parse().unwrap(), 0);
        assert_eq!(report.about, [id, key]);
    }
    for row in codes::TABLE {
        let report = report(&format!("undelivered&ErrorCode={}", row.code));
        let failure = Failure::new(row.reason).with_code(row.code.to_string());
        assert_eq!(report.failure, Some(failure));
        assert_eq!(
            report.progress == Progress::Expired,
            row.code == codes::EXPIRED
        );
    }
    let future = post("", "MessageUUID=u1&Status=teleported").unwrap();
    assert_eq!(future.events, []);
}

#[tokio::test]
async fn a_check_says_what_it_found() {
    let script = [
        Reply::json(200, r#"{"cash_credits":"12.5","state":null}"#),
        Reply::json(401, "{}"),
    ];
    let server = ScriptedHttp::start(script).await;
    let report = at(server.base_url()).check().await;
    assert!(report.findings[0].contains("12.5"), "{report:?}");
    assert_eq!(at(server.base_url()).check().await.faults.len(), 1);
}

const WORDS: &[&str] = &[
    "MessageUUID=u",
    "From=",
    "To=",
    "Text=",
    "Body=",
    "Media0=",
    "Status=",
    "ErrorCode=",
    "key=",
    "&",
    "&",
    "&",
    "%",
    "+1202",
    "delivered",
    "failed",
    "420",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_that_is_signed_makes_it_panic(body in soup(WORDS), query in soup(WORDS)) {
        let (query, home) = (String::from_utf8_lossy(&query), "US".parse().unwrap());
        drop(events(&Method::POST, &query, &body, home));
        drop(events(&Method::GET, &query, &body, home));
    }
}

#[tokio::test]
async fn it_says_what_is_left() {
    let answer = r#"{"cash_credits":"4.99231","auth_id":"MA1"}"#;
    let server = ScriptedHttp::start([Reply::json(200, answer), Reply::json(500, "{}")]).await;
    let account = at(server.base_url());
    let left = Balance {
        amount: 4.99231,
        currency: "USD".to_owned(),
    };
    assert_eq!(account.balance().await, Some(left));
    assert_eq!(account.balance().await, None);
}
