mod webhook;

use std::sync::Arc;

use serde_json::json;
use transom_adapter::{
    Event, ExternalId, Failure, HttpLimits, Reason,
    testkit::{
        Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
        outgoing,
    },
};

use super::*;
use crate::provider::{
    catch_up::InboundList as _,
    testing::{FIRST, NOW, check_table, env, section, with_picture},
};

fn account(base_url: &str, http: HttpClient) -> TwilioAccount {
    let table = json!({
        "account_sid": "AC123", "auth_token": "12345", "base_url": base_url, "validity": "4h",
        "shared_key_id": "key1", "shared_key_secret": "shared",
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

fn at(server: &ScriptedHttp) -> TwilioAccount {
    let limits = HttpLimits {
        total: Duration::from_secs(5),
        ..HttpLimits::default()
    };
    account(server.base_url(), HttpClient::new(limits).unwrap())
}

fn offline() -> TwilioAccount {
    account(
        "https://api.twilio.com",
        HttpClient::new(HttpLimits::default()).unwrap(),
    )
}

fn message() -> Outgoing {
    outgoing("+12025550100", "+12025550147", "hello\r\nthere")
}

async fn outcome_of(reply: Reply) -> Outcome {
    let server = ScriptedHttp::start([reply]).await;
    at(&server).send(&message(), FIRST).await
}

#[test]
fn as_many_messages_are_under_way_as_the_window_says() {
    let http = || HttpClient::new(HttpLimits::default()).unwrap();
    let with = |window: serde_json::Value| {
        let table = json!({ "account_sid": "AC123", "auth_token": "12345", "window": window });
        let name = AccountName::new("sms", "main");
        let account = config::account(name, &section(table), &env(http()));
        account.map(|account| account.capabilities().concurrency)
    };
    assert_eq!(offline().capabilities().concurrency, 10);
    assert_eq!(with(json!(100)).unwrap(), 100);
    assert_eq!(with(json!("25")).unwrap(), 25, "from the environment");
    for bad in [0, 101] {
        let faults = with(json!(bad)).unwrap_err();
        assert!(faults[0].to_string().contains("window"), "{faults:?}");
    }
}

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(url, http)),
        accepted: Reply::json(201, r#"{"sid":"SM1","status":"queued","num_segments":"1"}"#),
        message: message(),
    })
    .await;
}

#[tokio::test]
async fn a_text_is_sent_with_all_that_twilio_needs() {
    let server =
        ScriptedHttp::start([Reply::json(201, r#"{"sid":"SM1","status":"queued"}"#)]).await;
    let outcome = at(&server).send(&message(), FIRST).await;
    let ids = vec![ExternalId::new("sid", "SM1")];
    assert_eq!(outcome, Outcome::Accepted { ids });
    let request = server.requests().pop().unwrap();
    assert!(
        request
            .head
            .starts_with("POST /2010-04-01/Accounts/AC123/Messages.json HTTP/1.1")
    );
    // AC123:12345
    assert!(request.head.contains("Basic QUMxMjM6MTIzNDU="));
    let callback = url::form_urlencoded::byte_serialize(
        format!(
            "https://gw.example.org/webhook/sms/main?key={}",
            message().key
        )
        .as_bytes(),
    )
    .collect::<String>();
    assert_eq!(
        String::from_utf8(request.body).unwrap(),
        format!(
            "To=%2B12025550147&From=%2B12025550100&Body=hello%0Athere&ValidityPeriod=14400&StatusCallback={callback}"
        )
    );
}

#[test]
fn every_row_of_the_error_table_is_obeyed() {
    let body = |code| {
        json!({ "code": code, "message": "secret text +12025550147", "status": 400 }).to_string()
    };
    check_table(errors::TABLE, 400, body, messages::outcome);
}

#[tokio::test]
async fn what_is_not_in_the_table_is_judged_by_its_status() {
    let json = |status, body: &str| Reply::json(status, body);
    let rejected = outcome_of(json(400, r#"{"code":21999}"#)).await;
    let failure = Failure::new(Reason::Unspecified).with_code("21999");
    assert_eq!(rejected, Outcome::Rejected(failure));
    for (reply, want) in [
        (json(429, r#"{"code":99999}"#), "Throttled"),
        (json(503, r#"{"code":99999}"#), "Transient"),
        (json(500, r#"{"code":20500}"#), "Unknown"),
        (json(502, "<html>"), "Unknown"),
        (json(404, "{}"), "Misconfigured"),
        (json(302, ""), "Misconfigured"),
        (json(201, r#"{"sid":"SM 1"}"#), "Unknown"),
        (
            json(201, r#"{"sid":"SM1","status":"failed","error_code":30006}"#),
            "Rejected",
        ),
    ] {
        let outcome = format!("{:?}", outcome_of(reply.clone()).await);
        assert!(outcome.starts_with(want), "{reply:?} gave {outcome}");
    }
}

#[tokio::test]
async fn a_look_up_decides_only_without_doubt() {
    // The attempt began at 2026-09-21T14:13:20Z.
    let row = |sid: &str, body: &str, date: &str, status: &str| json!({ "sid": sid, "body": body, "date_created": date, "status": status, "error_code": 30006 });
    let (text, new) = ("hello\nthere", "Mon, 21 Sep 2026 14:13:22 +0000");
    let old = "Mon, 21 Sep 2026 14:10:00 +0000";
    let page = |rows: &[serde_json::Value], next: Option<&str>| {
        json!({ "messages": rows, "next_page_uri": next }).to_string()
    };
    let ours = row("SM1", text, new, "sent");
    let accepted = Some("Accepted");
    for (body, want) in [
        (page(std::slice::from_ref(&ours), None), accepted),
        (
            page(&[row("SM2", "other", new, "sent"), ours.clone()], None),
            accepted,
        ),
        (
            page(&[ours.clone(), row("SM0", text, old, "sent")], Some("/2")),
            accepted,
        ),
        (
            page(&[row("SM1", text, new, "undelivered")], None),
            Some("Rejected"),
        ),
        (page(std::slice::from_ref(&ours), Some("/2")), None),
        (
            page(&[ours.clone(), row("SM2", text, new, "sent")], None),
            None,
        ),
        (page(&[row("SM1", text, old, "sent")], None), None),
        (page(&[row("SM1", text, "nonsense", "sent")], None), None),
        (page(&[], None), None),
        ("{".to_owned(), None),
    ] {
        let server = ScriptedHttp::start([Reply::json(200, body.clone())]).await;
        let outcome = at(&server).reconcile(&message(), FIRST).await;
        let outcome = outcome.map(|outcome| format!("{outcome:?}"));
        let starts = |want: &str| outcome.as_ref().is_some_and(|o| o.starts_with(want));
        assert!(
            want.map_or(outcome.is_none(), starts),
            "{body} gave {outcome:?}"
        );
        let head = server.requests().pop().unwrap().head;
        assert!(
            head.contains("To=%2B12025550147&From=%2B12025550100"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn what_left_before_the_attempt_began_is_not_it() {
    // The same text, written again while the first was on its way, waited ten minutes.
    let attempt = Attempt {
        number: 2,
        started_at: NOW.after(Duration::from_mins(10)),
        ..FIRST
    };
    for (date, want) in [
        ("Mon, 21 Sep 2026 14:13:22 +0000", None),
        ("Mon, 21 Sep 2026 14:23:14 +0000", None),
        ("Mon, 21 Sep 2026 14:23:15 +0000", Some("SM1")),
        ("Mon, 21 Sep 2026 14:23:22 +0000", Some("SM1")),
    ] {
        let row =
            json!({ "sid": "SM1", "body": "hello\nthere", "date_created": date, "status": "sent" });
        let page = json!({ "messages": [row], "next_page_uri": null });
        let server = ScriptedHttp::start([Reply::json(200, page.to_string())]).await;
        let found = at(&server).reconcile(&message(), attempt).await;
        let want = want.map(|sid| Outcome::Accepted {
            ids: vec![ExternalId::new("sid", sid)],
        });
        assert_eq!(found, want, "{date}");
    }
}

#[tokio::test]
async fn a_check_says_which_numbers_do_not_come_here() {
    let numbers = json!({ "incoming_phone_numbers": [
        { "phone_number": "+12025550100", "sms_url": "https://gw.example.org/webhook/sms/main#rc=3" },
        { "phone_number": "+12025550101", "sms_url": "https://demo.twilio.com" },
        { "phone_number": "+12025550102", "sms_url": null },
    ]});
    let script = [
        Reply::json(200, r#"{"status":"active","type":"Full"}"#),
        Reply::json(200, numbers.to_string()),
    ];
    let server = ScriptedHttp::start(script).await;
    let report = at(&server).check().await;
    assert_eq!(report.findings.len(), 2, "{report:?}");
    assert_eq!(report.faults.len(), 2, "{report:?}");
    let server = ScriptedHttp::start([Reply::json(401, "{}")]).await;
    assert_eq!(at(&server).check().await.faults.len(), 2);
}

#[tokio::test]
async fn a_picture_is_fetched_with_the_login_of_the_account() {
    let server = ScriptedHttp::start([Reply::text(200, "picture")]).await;
    let media = MediaRef {
        url: format!("{}/2010-04-01/Accounts/AC123/Media/ME1", server.base_url()),
        content_type: Some("image/jpeg".to_owned()),
    };
    let fetched = at(&server).fetch(&media, 100).await.unwrap();
    assert_eq!(fetched.content, "picture");
    let request = server.requests().pop().unwrap();
    // AC123:12345
    assert!(request.head.contains("Basic QUMxMjM6MTIzNDU="));
}

#[tokio::test]
async fn a_picture_of_a_forged_url_is_not_fetched() {
    let elsewhere = ScriptedHttp::start([Reply::text(200, "secret")]).await;
    let server = ScriptedHttp::start([Reply::text(200, "picture")]).await;
    let media = MediaRef {
        url: elsewhere.base_url().to_owned(),
        content_type: None,
    };
    let fetched = at(&server).fetch(&media, 100).await;
    assert_eq!(fetched, Err(FetchFailure::Forbidden));
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn pictures_go_by_their_urls() {
    let server =
        ScriptedHttp::start([Reply::json(201, r#"{"sid":"MM1","status":"queued"}"#)]).await;
    let mut message = with_picture(&outgoing("+12025550100", "+12025550147", ""));
    let outcome = at(&server).send(&message, FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let body = String::from_utf8(server.requests()[0].body.clone()).unwrap();
    let media = "MediaUrl=https%3A%2F%2Fgw.example.org%2Ffiles%2Fx%2Fa.png";
    assert!(body.contains(media) && !body.contains("Body="), "{body}");
    message.files[0].stored = None;
    let outcome = at(&server).send(&message, FIRST).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert_eq!(server.requests().len(), 1, "nothing was sent");
    assert!(at(&server).capabilities().files.is_some());
}

#[tokio::test]
async fn what_came_during_a_downtime_is_listed_page_by_page() {
    let row = |sid: &str, direction: &str, date: &str, media: &str| {
        json!({ "sid": sid, "direction": direction, "date_sent": date, "num_media": media, "from": "+12025550147",
            "to": "+12025550100", "body": sid })
    };
    let (new, old) = (
        "Mon, 21 Sep 2026 14:13:22 +0000",
        "Mon, 21 Sep 2026 14:13:19 +0000",
    );
    let first = json!({ "messages": [row("SM3", "inbound", new, "0"), row("SM4", "outbound-api", new, "0")],
        "next_page_uri": "/2010-04-01/Accounts/AC123/Messages.json?PageToken=p2" });
    let second = json!({ "messages": [row("MM2", "inbound", new, "1"), row("../1", "inbound", new, "0"), row("SM1", "inbound", old, "0")],
        "next_page_uri": "/2010-04-01/Accounts/AC999/Messages.json" });
    let media = json!({ "media_list": [
        { "uri": "/2010-04-01/Accounts/AC123/Messages/MM2/Media/ME1.json", "content_type": "image/png" },
        { "uri": "@evil.example.com/", "content_type": "image/png" }] });
    let script = [&first, &second, &media].map(|page| Reply::json(200, page.to_string()));
    let server = ScriptedHttp::start(script).await;
    let found = at(&server).inbound_since(NOW).await.unwrap();
    let [(at_two, Event::Message(two)), (_, Event::Message(three))] = &found.texts[..] else {
        panic!("{:?}", found.texts)
    };
    assert!(found.is_cut_short, "the next page is not ours to read");
    assert_eq!((&*two.text, &*three.text), ("MM2", "SM3"), "oldest first");
    assert_eq!(*at_two, UnixMillis(NOW.0 + 2000));
    let url = format!(
        "{}/2010-04-01/Accounts/AC123/Messages/MM2/Media/ME1",
        server.base_url()
    );
    assert_eq!(two.media.len(), 1);
    assert_eq!(two.media[0].url, url);
    let heads: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.head)
        .collect();
    assert!(
        heads[0].contains("DateSent%3E=2026-09-21T14%3A13%3A20Z"),
        "{}",
        heads[0]
    );
    assert!(heads[1].contains("PageToken=p2"), "{}", heads[1]);
    // The rest of the day is left alone: nothing behind a page of older ones is new.
    let older = json!({ "messages": [row("SM1", "inbound", old, "0"), row("SM0", "outbound-api", old, "0")],
        "next_page_uri": "/2010-04-01/Accounts/AC123/Messages.json?PageToken=p2" });
    let server = ScriptedHttp::start([Reply::json(200, older.to_string())]).await;
    let found = at(&server).inbound_since(NOW).await.unwrap();
    assert!(found.texts.is_empty() && !found.is_cut_short);
    assert_eq!(server.requests().len(), 1);
    let server = ScriptedHttp::start([Reply::text(500, "")]).await;
    assert!(at(&server).inbound_since(NOW).await.is_err());
}

#[tokio::test]
async fn it_says_what_is_left() {
    let answer = r#"{"account_sid":"AC123","balance":"-3.2500","currency":"EUR"}"#;
    let server = ScriptedHttp::start([Reply::json(200, answer), Reply::json(401, "{}")]).await;
    let account = at(&server);
    let left = Balance {
        amount: -3.25,
        currency: "EUR".to_owned(),
    };
    assert_eq!(account.balance().await, Some(left));
    assert_eq!(account.balance().await, None);
}
