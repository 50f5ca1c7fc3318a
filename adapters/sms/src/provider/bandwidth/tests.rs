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
use crate::provider::testing::{
    Call, FIRST, NOW, TOKEN, client, env, json_soup, message, one_message, one_report, section,
    text_and_picture, to_group,
};

fn account(token_url: &str, base_url: &str, http: HttpClient) -> BandwidthAccount {
    let table = json!({
        "account_id": "5500", "application_id": "app", "client_id": "id", "client_secret": "secret", "webhook_token": TOKEN,
        "webhook_user": "band", "webhook_password": "width", "validity": "2h", "base_url": base_url, "token_url": token_url,
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

fn offline() -> BandwidthAccount {
    account(
        "https://api.example.com/token",
        "https://messaging.bandwidth.com",
        client(),
    )
}

#[test]
fn a_switch_may_come_as_text() {
    let read = |reports: &str| {
        let table = json!({
            "account_id": "5500", "application_id": "app", "client_id": "id", "client_secret": "secret", "webhook_token": TOKEN,
            "mms_delivery_reports": reports,
        });
        let account = config::account(
            AccountName::new("sms", "main"),
            &section(table),
            &env(client()),
        );
        account.map(|account| account.mms_delivery_reports)
    };
    assert_eq!(read("true").ok(), Some(true));
    assert_eq!(read("false").ok(), Some(false));
    assert!(read("perhaps").is_err());
}

/// Gives an access token whenever it is asked.
async fn token_server() -> ScriptedHttp {
    ScriptedHttp::start([Reply::json(
        200,
        r#"{"access_token":"t1","expires_in":3600}"#,
    )])
    .await
}

#[tokio::test]
async fn it_is_a_good_account() {
    let tokens = token_server().await;
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(tokens.base_url(), url, http)),
        accepted: Reply::json(
            202,
            r#"{"id":"m1","owner":"+12025550100","segmentCount":1,"direction":"out"}"#,
        ),
        message: message("hello"),
    })
    .await;
}

#[tokio::test]
async fn texts_are_sent_with_one_access_token() {
    let tokens = token_server().await;
    let server = ScriptedHttp::start([Reply::json(202, r#"{"id":"m1"}"#)]).await;
    let account = account(tokens.base_url(), server.base_url(), client());
    let message = message("hello\r\nthere");
    let id = ExternalId::new("bandwidth", "m1");
    let [text, picture] = text_and_picture(&account, &server, &message, id).await;
    assert_eq!(tokens.requests().len(), 1);
    assert!(
        text.head
            .starts_with("POST /api/v2/users/5500/messages HTTP/1.1")
    );
    assert!(text.head.contains("authorization: Bearer t1"));
    let mut wanted = json!({
        "applicationId": "app", "from": "+12025550100", "to": ["+12025550147"], "text": "hello\nthere",
        "tag": message.key.to_string(), "expiration": "2026-09-21T16:13:20Z",
    });
    assert_eq!(serde_json::from_slice::<Value>(&text.body).unwrap(), wanted);
    wanted["tag"] = format!("{}.mms", message.key).into();
    wanted["media"] = json!(["https://gw.example.org/files/x/a.png"]);
    assert_eq!(
        serde_json::from_slice::<Value>(&picture.body).unwrap(),
        wanted
    );
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    for (status, body, want) in [
        (202, "[]", "Unknown"),
        (
            400,
            r#"{"type":"request-validation","description":"secret"}"#,
            "Rejected",
        ),
        (401, "", "Misconfigured"),
        (403, "", "Misconfigured"),
        (404, "", "Misconfigured"),
        (406, "", "Rejected"),
        (415, "", "Misconfigured"),
        (
            429,
            r#"{"type":"max-message-queue-size-exceeded"}"#,
            "Throttled",
        ),
        (500, "", "Unknown"),
    ] {
        let tokens = token_server().await;
        let server = ScriptedHttp::start([Reply::json(status, body)]).await;
        let account = account(tokens.base_url(), server.base_url(), client());
        let outcome = format!("{:?}", account.send(&message("a"), FIRST).await);
        assert!(outcome.starts_with(want), "{status} gave {outcome}");
        assert!(!outcome.contains("secret"));
        account.send(&message("a"), FIRST).await;
        let asked = if status == 401 { 2 } else { 1 };
        assert_eq!(
            tokens.requests().len(),
            asked,
            "a refused token is not used again"
        );
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let tokens = ScriptedHttp::start([Reply::json(401, "{}")]).await;
    let server = ScriptedHttp::start([Reply::json(202, "{}")]).await;
    let account = account(tokens.base_url(), server.base_url(), client());
    let outcome = account.send(&message("a"), FIRST).await;
    assert!(matches!(outcome, Outcome::Misconfigured(_)), "{outcome:?}");
    assert_eq!(server.requests().len(), 0);
    assert_eq!(account.check().await.faults.len(), 1);
}

fn signed(body: &Value) -> Call {
    let login = BASE64_STANDARD.encode("band:width");
    Call::post("", body.to_string())
        .with_token(TOKEN)
        .with("authorization", &format!("Basic {login}"))
}

fn call(body: &Value) -> Result<Handled, Refused> {
    signed(body).send(&offline())
}

#[test]
fn token_login_and_application_all_have_to_be_right() {
    let good = signed(&json!([]));
    assert!(good.send(&offline()).is_ok());
    let mut without = good.clone();
    without.token = None;
    assert_eq!(without.send(&offline()), Err(Refused::Unsigned));
    assert_eq!(
        good.clone().with_token("other").send(&offline()),
        Err(Refused::Forged)
    );
    let other = good.clone().with("authorization", "Basic AAAA");
    assert_eq!(other.send(&offline()), Err(Refused::Forged));
    let mut unsigned = good;
    unsigned.headers.clear();
    assert_eq!(unsigned.send(&offline()), Err(Refused::Unsigned));
    let other = json!([{ "type": "message-received", "message": { "applicationId": "other" } }]);
    assert_eq!(call(&other), Err(Refused::Forged));
}

fn received(id: &str) -> Value {
    json!({ "type": "message-received", "time": "2026-09-21T14:13:21Z", "description": "Incoming message received", "to": "+12025550100",
        "message": { "id": id, "owner": "+12025550100", "applicationId": "app", "time": "2026-09-21T14:13:20Z", "segmentCount": 1,
            "direction": "in", "to": ["+12025550155", "+12025550100"], "from": "+12025550147", "text": "héllo",
            "media": ["https://messaging.bandwidth.com/api/v2/users/5500/media/1.png", {}] } })
}

#[test]
fn a_list_of_texts_comes_in() {
    let handled = call(&json!([received("m1")])).unwrap();
    let message = one_message(&handled);
    assert_eq!(
        message.repeats,
        Repeats::ById(ExternalId::new("bandwidth", "m1"))
    );
    assert_eq!(
        (message.from.as_str(), message.to.as_str()),
        ("+12025550147", "+12025550100")
    );
    assert_eq!(
        (&*message.text, message.media.len(), message.sent_at),
        ("héllo", 1, Some(NOW))
    );
    let several = json!([received("m1"), { "type": "message-received", "message": {} }, received("m2"), 7, { "type": "new" }]);
    assert_eq!(
        call(&several).unwrap().events.len(),
        2,
        "what can be understood is taken"
    );
    for broken in [
        json!({}),
        json!([7]),
        json!([{ "type": "message-received" }]),
    ] {
        assert_eq!(call(&broken), Err(Refused::Malformed), "{broken}");
    }
}

#[test]
fn every_status_and_every_code_has_its_meaning() {
    let report = |kind: &str, code: Option<u32>, tag: &str| {
        let body = json!([{ "type": kind, "time": "2026-09-21T14:13:20Z", "errorCode": code, "to": "+12025550147",
            "message": { "id": "m1", "applicationId": "app", "tag": tag, "text": "", "direction": "out" } }]);
        one_report(&call(&body).unwrap()).clone()
    };
    let (plain, mms) = ("aaaaaaaaaaaaa", "aaaaaaaaaaaaa.mms");
    for (kind, tag, progress) in [
        ("message-sending", mms, Progress::Accepted),
        ("message-sent", plain, Progress::Sent),
        ("message-delivered", plain, Progress::Delivered),
        ("message-delivered", mms, Progress::Sent),
        ("message-read", mms, Progress::Read),
    ] {
        let report = report(kind, None, tag);
        assert_eq!(
            (report.progress, report.failure),
            (progress, None),
            "{kind}"
        );
        let id = MessageRef::External(ExternalId::new("bandwidth", "m1"));
        let key = MessageRef::Key(plain.parse().unwrap(), 0);
        assert_eq!((report.about, report.at), (vec![id, key], Some(NOW)));
    }
    for row in codes::TABLE {
        let report = report("message-failed", Some(row.code), plain);
        let failure = Failure::new(row.reason).with_code(row.code.to_string());
        assert_eq!(report.failure, Some(failure));
        assert_eq!(
            report.progress == Progress::Expired,
            row.code == codes::EXPIRED
        );
    }
    for code in codes::NOT_KNOWN {
        assert_eq!(
            report("message-failed", Some(*code), plain).progress,
            Progress::Unknown
        );
    }
    let failed = report("message-failed", Some(4999), plain);
    assert_eq!(
        failed.failure,
        Some(Failure::new(Reason::Unspecified).with_code("4999"))
    );
    let delivered = json!([{ "type": "message-delivered", "message": { "id": "m1", "tag": mms } }]);
    let reader = Reader {
        application_id: "app",
        mms_delivery_reports: true,
        home: "US".parse().unwrap(),
    };
    let handled = reader.handle(delivered.to_string().as_bytes()).unwrap();
    assert_eq!(one_report(&handled).progress, Progress::Delivered);
}

#[test]
fn a_login_is_a_pair() {
    let table = json!({ "account_id": "5500", "application_id": "app", "client_id": "id", "client_secret": "s", "webhook_token": TOKEN, "webhook_user": "u" });
    let faults = config::account(
        AccountName::new("sms", "main"),
        &section(table),
        &env(client()),
    );
    assert_eq!(
        faults.map(drop).unwrap_err()[0].key,
        "gateway.sms.provider.main.webhook_user"
    );
}

const WORDS: &[&str] = &[
    "type",
    "message-received",
    "message-failed",
    "message-delivered",
    "message",
    "id",
    "owner",
    "from",
    "to",
    "text",
    "media",
    "tag",
    "errorCode",
    "time",
    "applicationId",
    "app",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_that_knows_the_token_makes_it_panic(message in json_soup(WORDS), kind in proptest::sample::select(WORDS)) {
        let body = json!([{ "type": kind, "message": message, "errorCode": message }, message]);
        let read: Result<Vec<Event>, _> = events(body.to_string().as_bytes(), "US".parse().unwrap());
        drop(read);
    }
}

#[tokio::test]
async fn a_group_gets_one_text_and_each_of_it_is_reported() {
    let tokens = token_server().await;
    let server = ScriptedHttp::start([Reply::json(202, r#"{"id":"m1"}"#)]).await;
    let account = account(tokens.base_url(), server.base_url(), client());
    let message = to_group(&message("hello all"));
    let outcome = account.send(&message, FIRST).await;
    let id = |number: &str, part| ExternalId::new(ID, format!("m1/{number}")).for_part(part);
    let ids = vec![id("+12025550147", 0), id("+12025550148", 1)];
    assert_eq!(outcome, Outcome::Accepted { ids });
    let body: Value = serde_json::from_slice(&server.requests()[0].body).unwrap();
    assert_eq!(body["to"], json!(["+12025550147", "+12025550148"]));

    let tag = body["tag"].as_str().unwrap();
    let delivered = json!([{ "type": "message-delivered", "to": "+12025550148", "message": {
        "id": "m1", "tag": tag, "applicationId": "app", "to": ["+12025550147", "+12025550148"],
    } }]);
    let handled = call(&delivered).unwrap();
    let report = one_report(&handled);
    let about = MessageRef::External(ExternalId::new(ID, "m1/+12025550148"));
    assert_eq!(report.about, [about]);
    assert_eq!(
        report.progress,
        Progress::Sent,
        "without reports of MMS it says no more"
    );
}

#[test]
fn a_text_of_a_group_names_the_others() {
    let body = json!([{ "type": "message-received", "message": {
        "id": "m1", "owner": "+12025550100", "from": "+12025550147", "text": "hi", "applicationId": "app",
        "to": ["+12025550100", "+12025550148"],
    } }]);
    let handled = call(&body).unwrap();
    let message = one_message(&handled);
    let others: Vec<&str> = message
        .others
        .iter()
        .map(|other| other.address.as_str())
        .collect();
    assert_eq!(
        (message.to.as_str(), others),
        ("+12025550100", vec!["+12025550148"])
    );
}
