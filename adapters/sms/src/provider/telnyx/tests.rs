use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use proptest::prelude::*;
use serde_json::json;
use transom_adapter::{
    Failure, MessageRef, Progress, Reason, Repeats,
    testkit::{
        Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
    },
};

use super::*;
use crate::provider::testing::{
    Call, FIRST, NOW, check_table, client, env, json_soup, message, one_message, one_report,
    outcome_of, section, to_group, with_picture,
};

fn keys() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn account(base_url: &str, http: HttpClient) -> TelnyxAccount {
    let public_key = BASE64_STANDARD.encode(keys().public_key().as_ref());
    let table = json!({
        "api_key": "KEY1", "public_key": public_key, "messaging_profile_id": "4001-a", "base_url": base_url,
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

fn at(base_url: &str) -> TelnyxAccount {
    account(base_url, client())
}

fn offline() -> TelnyxAccount {
    at("https://api.telnyx.com")
}

const ACCEPTED: &str = r#"{"data":{"id":"40385f64-5717-4562-b3fc-2c963f66afa6","parts":1,"to":[{"status":"queued"}],"new":{}}}"#;

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(url, http)),
        accepted: Reply::json(200, ACCEPTED),
        message: message("hello"),
    })
    .await;
}

#[tokio::test]
async fn a_text_is_sent_under_a_key_that_stays() {
    let server = ScriptedHttp::start([Reply::json(200, ACCEPTED)]).await;
    let (account, message) = (at(server.base_url()), message("hello\r\nthere"));
    let outcome = account.send(&message, FIRST).await;
    let ids = vec![ExternalId::new(
        "telnyx",
        "40385f64-5717-4562-b3fc-2c963f66afa6",
    )];
    assert_eq!(outcome, Outcome::Accepted { ids: ids.clone() });
    // An attempt without an answer is asked about with the same bytes.
    assert_eq!(
        account.reconcile(&message, FIRST).await,
        Some(Outcome::Accepted { ids })
    );
    let [first, second] = &server.requests()[..] else {
        panic!("two requests")
    };
    assert_eq!(first.body, second.body);
    let key = format!("idempotency-key: transom-{}", message.key);
    for request in [first, second] {
        assert!(request.head.starts_with("POST /v2/messages HTTP/1.1"));
        assert!(
            request.head.contains("authorization: Bearer KEY1"),
            "{}",
            request.head
        );
        assert!(request.head.contains(&key), "{}", request.head);
    }
    let body: Value = serde_json::from_slice(&first.body).unwrap();
    let wanted = json!({
        "from": "+12025550100", "to": "+12025550147", "text": "hello\nthere", "messaging_profile_id": "4001-a",
        "webhook_url": format!("https://gw.example.org/webhook/sms/main?key={}", message.key),
    });
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn a_picture_goes_by_its_url() {
    let server = ScriptedHttp::start([Reply::json(200, ACCEPTED)]).await;
    let mut message = with_picture(&message(""));
    at(server.base_url()).send(&message, FIRST).await;
    let body: Value = serde_json::from_slice(&server.requests()[0].body).unwrap();
    assert_eq!(
        body["media_urls"],
        json!(["https://gw.example.org/files/x/a.png"])
    );
    assert_eq!(body.get("text"), None);
    message.files[0].stored = None;
    let outcome = at(server.base_url()).send(&message, FIRST).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert_eq!(server.requests().len(), 1, "nothing was sent");
}

#[test]
fn every_row_of_the_error_table_is_obeyed() {
    let body = |code: u32| {
        json!({ "errors": [{ "code": code.to_string(), "title": "secret", "detail": "secret text" }] })
            .to_string()
    };
    check_table(errors::TABLE, 400, body, |reply| outcome(reply, None));
    check_table(errors::TABLE, 422, body, |reply| outcome(reply, None));
}

#[tokio::test]
async fn what_is_not_in_the_table_is_judged_by_its_status() {
    for (status, body, want) in [
        (400, r#"{"errors":[{"code":"99999"}]}"#, "Rejected"),
        (400, r#"{"errors":{}}"#, "Rejected"),
        (429, r#"{"errors":[{"code":"99999"}]}"#, "Throttled"),
        (409, "{}", "Unknown"),
        (500, "{}", "Unknown"),
        (503, "", "Transient"),
        (404, "", "Misconfigured"),
        (200, r#"{"data":{"id":7.5}}"#, "Accepted"),
        (200, r#"{"data":[]}"#, "Unknown"),
    ] {
        let outcome = outcome_of(at, Reply::json(status, body)).await;
        let outcome = format!("{outcome:?}");
        assert!(outcome.starts_with(want), "{status} {body} gave {outcome}");
    }
    for doubtful in [Reply::json(422, "{}"), Reply::Close, Reply::text(500, "")] {
        let server = ScriptedHttp::start([doubtful]).await;
        let found = at(server.base_url()).reconcile(&message("a"), FIRST).await;
        assert_eq!(found, None, "a repeat that fails says nothing of the first");
    }
}

fn sign(second: i64, body: &str) -> Call {
    let message = format!("{second}|{body}");
    let signature = BASE64_STANDARD.encode(keys().sign(message.as_bytes()));
    Call::post("?key=aaaaaaaaaaaaa", body)
        .with("telnyx-signature-ed25519", &signature)
        .with("telnyx-timestamp", &second.to_string())
}

fn call(body: &Value) -> Result<Handled, Refused> {
    sign(NOW.0 / 1000, &body.to_string()).send(&offline())
}

/// Made from the same seed with the reference code of RFC 8032, §6, in Python.
#[test]
fn a_signature_of_another_library_verifies() {
    let signature =
        "i5VcCHIJSfqvj0xWFzH8T0TmhK3azGQPmBa7gPUBguX9J8zM2uFs/nBgHuXLHHBq/fn2GvLR3HHNfc9mOJcDAg==";
    let call = Call::post("", r#"{"data":{"event_type":"none"}}"#)
        .with("telnyx-signature-ed25519", signature)
        .with("telnyx-timestamp", "1790000000");
    assert_eq!(call.send(&offline()).unwrap().events, []);
}

#[test]
fn whatever_is_changed_is_noticed() {
    let good = sign(NOW.0 / 1000, r#"{"data":{}}"#);
    assert!(good.send(&offline()).is_ok());
    assert!(
        good.send(&offline()).is_ok(),
        "a repeat is known by its id, not by its signature"
    );
    let mut changed = good.clone();
    changed.body.push(b' ');
    assert_eq!(changed.send(&offline()), Err(Refused::Forged));
    for (name, value, want) in [
        ("telnyx-timestamp", "1790000001", Refused::Forged),
        ("telnyx-signature-ed25519", "AAAA", Refused::Forged),
        ("telnyx-signature-ed25519", "!", Refused::Forged),
    ] {
        assert_eq!(
            good.clone().with(name, value).send(&offline()),
            Err(want),
            "{name}"
        );
    }
    let mut unsigned = good.clone();
    unsigned.headers.remove("telnyx-signature-ed25519");
    assert_eq!(unsigned.send(&offline()), Err(Refused::Unsigned));
    for second in [NOW.0 / 1000 - 301, NOW.0 / 1000 + 301] {
        let old = sign(second, r#"{"data":{}}"#).send(&offline());
        assert_eq!(old, Err(Refused::Replayed));
    }
}

#[test]
fn a_text_with_a_picture_comes_in() {
    let body = json!({ "data": {
        "event_type": "message.received", "id": "e1", "occurred_at": "2026-09-21T14:13:20Z", "record_type": "event",
        "payload": {
            "id": "m1", "direction": "inbound", "type": "MMS", "text": "héllo", "received_at": "2026-09-21T14:13:20.000+00:00",
            "from": { "phone_number": "+12025550147", "carrier": "T", "line_type": "Wireless" },
            "to": [{ "phone_number": "+12025550100", "status": "webhook_delivered" }], "cc": [],
            "media": [{ "url": "https://media.example.com/1", "content_type": "image/png", "size": 5 }, { "size": 5 }, 7],
        },
    }, "meta": { "attempt": 1 } });
    let handled = call(&body).unwrap();
    let message = one_message(&handled);
    assert_eq!(
        message.repeats,
        Repeats::ById(ExternalId::new("telnyx", "m1"))
    );
    assert_eq!(message.from.as_str(), "+12025550147");
    assert_eq!(message.to.as_str(), "+12025550100");
    assert_eq!(message.text, "héllo");
    assert_eq!(message.sent_at, Some(NOW));
    assert_eq!(message.media.len(), 1);
    assert_eq!(
        (handled.stored.status.as_u16(), handled.busy.status.as_u16()),
        (200, 503)
    );
}

#[test]
fn every_status_has_its_meaning() {
    let failed = |reason, code: &str| Some(Failure::new(reason).with_code(code));
    let none = Some(Failure::new(Reason::Unspecified));
    for (kind, status, code, progress, failure) in [
        ("message.sent", "queued", 0, Progress::Accepted, None),
        ("message.sent", "sending", 0, Progress::Accepted, None),
        ("message.sent", "sent", 0, Progress::Sent, None),
        (
            "message.finalized",
            "delivered",
            0,
            Progress::Delivered,
            None,
        ),
        ("message.finalized", "read", 0, Progress::Read, None),
        (
            "message.finalized",
            "sending_failed",
            40300,
            Progress::Failed,
            failed(Reason::OptedOut, "40300"),
        ),
        (
            "message.finalized",
            "delivery_failed",
            0,
            Progress::Failed,
            none.clone(),
        ),
        (
            "message.finalized",
            "delivery_failed",
            40005,
            Progress::Expired,
            failed(Reason::Expired, "40005"),
        ),
        ("message.finalized", "expired", 0, Progress::Expired, none),
        (
            "message.finalized",
            "delivery_unconfirmed",
            0,
            Progress::Unknown,
            None,
        ),
    ] {
        let errors = if code == 0 {
            json!([])
        } else {
            json!([{ "code": code.to_string() }])
        };
        let body = json!({ "data": { "event_type": kind, "payload": {
            "id": "m1", "to": [{ "status": status }], "errors": errors, "completed_at": "2026-09-21T14:13:20Z" } } });
        let handled = call(&body).unwrap();
        let report = one_report(&handled);
        let key = MessageRef::Key("aaaaaaaaaaaaa".parse().unwrap(), 0);
        let id = MessageRef::External(ExternalId::new("telnyx", "m1"));
        assert_eq!(report.about, [id, key]);
        assert_eq!(
            (report.progress, &report.failure),
            (progress, &failure),
            "{status}"
        );
        assert_eq!(report.at, Some(NOW));
    }
}

#[test]
fn what_is_of_no_use_is_taken_and_what_is_broken_is_not() {
    for body in [
        json!({}),
        json!([]),
        json!({ "data": { "event_type": "call.initiated" } }),
        json!({ "data": { "event_type": "message.finalized", "payload": { "id": "m1", "to": [{ "status": "teleported" }] } } }),
    ] {
        assert_eq!(call(&body).unwrap().events, [], "{body}");
    }
    for payload in [
        json!({}),
        json!({ "id": "m1" }),
        json!({ "id": "", "from": { "phone_number": "1" }, "to": [] }),
        json!(7),
    ] {
        let body = json!({ "data": { "event_type": "message.received", "payload": payload } });
        assert_eq!(call(&body), Err(Refused::Malformed), "{body}");
    }
    let broken = sign(NOW.0 / 1000, "{").send(&offline());
    assert_eq!(broken, Err(Refused::Malformed));
}

#[tokio::test]
async fn a_check_says_which_profiles_do_not_send_here() {
    let profiles = json!({ "data": [
        { "name": "ours", "webhook_url": "https://gw.example.org/webhook/sms/main" },
        { "name": "theirs", "webhook_url": null },
    ] });
    let server = ScriptedHttp::start([Reply::json(200, profiles.to_string())]).await;
    let report = at(server.base_url()).check().await;
    assert_eq!(
        (report.findings.len(), report.faults.len()),
        (2, 1),
        "{report:?}"
    );
    let server = ScriptedHttp::start([Reply::json(401, "{}")]).await;
    assert_eq!(at(server.base_url()).check().await.faults.len(), 1);
}

#[test]
fn a_key_that_is_none_is_a_fault() {
    let table = json!({ "api_key": "KEY1", "public_key": "AAAA" });
    let faults = config::account(
        AccountName::new("sms", "main"),
        &section(table),
        &env(client()),
    );
    let faults = faults.map(drop).unwrap_err();
    assert_eq!(faults[0].key, "gateway.sms.provider.main.public_key");
}

const WORDS: &[&str] = &[
    "data",
    "event_type",
    "message.received",
    "message.sent",
    "message.finalized",
    "payload",
    "id",
    "from",
    "to",
    "phone_number",
    "text",
    "media",
    "url",
    "errors",
    "code",
    "status",
    "delivery_failed",
    "received_at",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_that_is_signed_makes_it_panic(body in json_soup(WORDS), query in ".{0,20}") {
        let home = "US".parse().unwrap();
        drop(events(&query, body.to_string().as_bytes(), home));
        let wrapped = json!({ "data": { "event_type": "message.received", "payload": body } });
        drop(events(&query, wrapped.to_string().as_bytes(), home));
    }
}

#[tokio::test]
async fn a_group_gets_one_text_and_each_of_it_is_reported() {
    let answer =
        r#"{"data":{"id":"g1","type":"MMS","to":[{"status":"queued"},{"status":"queued"}]}}"#;
    let server = ScriptedHttp::start([Reply::json(200, answer)]).await;
    let message = to_group(&message("hello all"));
    let outcome = at(server.base_url()).send(&message, FIRST).await;
    let id = |number: &str, part| ExternalId::new("telnyx", format!("g1/{number}")).for_part(part);
    let ids = vec![id("+12025550147", 0), id("+12025550148", 1)];
    assert_eq!(outcome, Outcome::Accepted { ids });
    let request = &server.requests()[0];
    assert!(
        request
            .head
            .starts_with("POST /v2/messages/group_mms HTTP/1.1")
    );
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let wanted = json!({
        "from": "+12025550100", "to": ["+12025550147", "+12025550148"], "text": "hello all",
        "webhook_url": "https://gw.example.org/webhook/sms/main",
    });
    assert_eq!(body, wanted);

    // A report a member, which names the group beside itself.
    let report = json!({ "data": { "event_type": "message.finalized", "payload": {
        "id": "own", "group_message_id": "g1",
        "to": [{ "phone_number": "+12025550148", "status": "delivered" }],
    } } });
    let handled = call(&report).unwrap();
    let about = &one_report(&handled).about;
    assert_eq!(
        about[0],
        MessageRef::External(ExternalId::new("telnyx", "g1/+12025550148"))
    );
    assert!(
        about
            .iter()
            .all(|about| matches!(about, MessageRef::External(_))),
        "no key"
    );
    let both = json!({ "data": { "event_type": "message.finalized", "payload": { "id": "g1", "to": [
        { "phone_number": "+12025550147", "status": "delivered" },
        { "phone_number": "+12025550148", "status": "delivery_failed" }, 7,
    ] } } });
    let events = call(&both).unwrap().events;
    let progress = |event: &transom_adapter::Event| match event {
        transom_adapter::Event::Report(report) => report.progress,
        _ => panic!("no report"),
    };
    let progress: Vec<_> = events.iter().map(progress).collect();
    assert_eq!(progress, [Progress::Delivered, Progress::Failed]);
}

#[test]
fn a_text_of_a_group_names_the_others() {
    let body = json!({ "data": { "event_type": "message.received", "payload": {
        "id": "m1", "text": "hi", "from": { "phone_number": "+12025550147" },
        "to": [{ "phone_number": "+12025550100" }, { "phone_number": "+12025550149" }],
        "cc": [{ "phone_number": "+12025550148" }, "+12025550150", {}, 7],
    } } });
    let handled = call(&body).unwrap();
    let message = one_message(&handled);
    let others: Vec<&str> = message
        .others
        .iter()
        .map(|other| other.address.as_str())
        .collect();
    assert_eq!(
        others[..3],
        ["+12025550149", "+12025550148", "+12025550150"]
    );
}
