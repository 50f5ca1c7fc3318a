use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use transom_adapter::{
    ExternalId, MessageRef, Progress, Repeats,
    testkit::{
        Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
    },
};

use super::*;
use crate::provider::testing::{
    Call, FIRST, TOKEN, client, env, faults_of, message, one_message, one_report, outcome_of,
    section, soup,
};

fn account(base_url: &str, http: HttpClient) -> JasminAccount {
    let table = json!({
        "base_url": base_url, "username": "foo", "password": "bar", "webhook_token": TOKEN,
        "callback_url": "http://127.0.0.1:8480", "validity": "90s",
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(url, http)),
        accepted: Reply::text(200, "Success \"07033084-5cfd-4812-90a4-e4d24ffb6e3d\""),
        message: message("hello"),
    })
    .await;
}

#[tokio::test]
async fn a_text_goes_in_the_encoding_that_is_named() {
    let server = ScriptedHttp::start([Reply::text(200, "Success \"u-1\"")]).await;
    let account = account(server.base_url(), client());
    let key = message("a").key;
    let url =
        format!("http%3A%2F%2F127.0.0.1%3A8480%2Fwebhook%2Fsms%2Fmain%2F{TOKEN}%3Fkey%3D{key}");
    for (text, coding, content) in [
        ("hi €\r\n@", "0", "6869201b650a00"),
        ("Пр👋", "8", "041f0440d83ddc4b"),
    ] {
        let outcome = account.send(&message(text), FIRST).await;
        assert_eq!(
            outcome,
            Outcome::Accepted {
                ids: vec![ExternalId::new("jasmin", "u-1")]
            }
        );
        let request = server.requests().pop().unwrap();
        assert!(
            request.head.starts_with("POST /send HTTP/1.1"),
            "{}",
            request.head
        );
        assert_eq!(
            String::from_utf8(request.body).unwrap(),
            format!(
                "username=foo&password=bar&from=%2B12025550100&to=%2B12025550147&coding={coding}&hex-content={content}\
                 &validity-period=2&dlr=yes&dlr-url={url}&dlr-level=3&dlr-method=POST"
            )
        );
    }
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    for (status, words, verdict, reason) in ERRORS {
        let body = format!("Error \"{words} secret\"");
        let outcome = outcome_of(|url| account(url, client()), Reply::text(*status, body)).await;
        let failure = Failure::new(*reason).with_code(format!("HTTP {status}"));
        assert_eq!(
            outcome,
            answer::outcome(*verdict, failure, None),
            "{status} {words}"
        );
    }
    for (status, body, want) in [
        (200, "Error \"?\"", "Unknown"),
        (200, "Success \"\"", "Unknown"),
        (500, "", "Unknown"),
        (
            500,
            "Error \"Cannot send submit_sm, check SMPPClientManagerPB log file for details\"",
            "Transient",
        ),
        // Jasmin 0.11, after it has put the text into its queue.
        (
            500,
            "Error \"Unknown error: 'Deferred' object has no attribute 'result'\"",
            "Unknown",
        ),
        (502, "Error \"?\"", "Unknown"),
        (503, "Error \"?\"", "Transient"),
        (404, "", "Misconfigured"),
    ] {
        let outcome = outcome_of(|url| account(url, client()), Reply::text(status, body)).await;
        assert!(
            format!("{outcome:?}").starts_with(want),
            "{status} {body} gave {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_check_tells_a_wrong_password_from_a_right_one() {
    for (status, faults) in [(200, 0), (403, 1)] {
        let server = ScriptedHttp::start([Reply::json(status, r#"{"balance":"ND"}"#)]).await;
        let report = account(server.base_url(), client()).check().await;
        assert_eq!(
            (report.findings.len(), report.faults.len()),
            (1 - faults, faults)
        );
    }
}

fn subject() -> JasminAccount {
    account("http://127.0.0.1:1401", client())
}

fn call(query: &str, body: &[u8]) -> Result<Handled, Refused> {
    let call = Call::post(query, body).with_token(TOKEN);
    SUBJECT.with(|subject| call.send(subject))
}

/// Seen: Jasmin 0.11.1, with the byte of the coding as it is.
const SEEN: &[u8] = b"id=8bd1a1a5-1&from=12025550147&to=12025550100&origin-connector=upstr&priority=0&coding=%00&validity=None\
    &content=MO+hello+%1Be&binary=4d4f2068656c6c6f201b65";

#[test]
fn a_text_is_read_from_its_bytes() {
    let handled = call("", SEEN).unwrap();
    let message = one_message(&handled);
    assert_eq!(message.text, "MO hello €");
    assert_eq!(
        (message.from.as_str(), message.to.as_str()),
        ("+12025550147", "+12025550100")
    );
    assert_eq!(
        message.repeats,
        Repeats::ById(ExternalId::new("jasmin-in", "8bd1a1a5-1"))
    );
    assert_eq!(&handled.stored.body[..], b"ACK/Jasmin");
    assert_eq!(handled.stored.status, 200);
    assert_eq!(handled.busy, WebReply::busy(), "then Jasmin comes again");
    assert_eq!(
        call("", SEEN).unwrap().events,
        handled.events,
        "a repeat is the same"
    );
}

#[test]
fn every_coding_is_read() {
    for (coding, binary, want) in [
        ("8", "041f0440d83ddc4b", Some("Пр👋")),
        ("%08", "041f", Some("П")),
        ("3", "e9", Some("é")),
        ("1", "41", Some("A")),
        ("0", "00", Some("@")),
        ("240", "41", Some("A")),
        ("4", "0102", None),
        ("245", "0102", None),
        ("8", "d83d", Some("\u{fffd}")),
    ] {
        let body = format!("id=1&from=1&to=12025550100&coding={coding}&binary={binary}");
        let handled = call("", body.as_bytes()).unwrap();
        let texts: Vec<_> = handled
            .events
            .iter()
            .map(|event| match event {
                transom_adapter::Event::Message(message) => &*message.text,
                _ => "a report",
            })
            .collect();
        assert_eq!(texts, Vec::from_iter(want), "{coding} {binary}");
    }
}

#[test]
fn every_state_has_its_meaning() {
    let key = message("a").key;
    for (word, progress, reason) in webhook::STATES {
        for (level, status) in [("1", (*word).to_owned()), ("2", word.to_lowercase())] {
            let body = format!(
                "id=u-1&message_status={status}&level={level}&connector=upstr&err=000&text=secret"
            );
            let handled = call(&format!("?key={key}"), body.as_bytes()).unwrap();
            let report = one_report(&handled);
            let by_id = MessageRef::External(ExternalId::new("jasmin", "u-1"));
            assert_eq!(report.about, [MessageRef::Key(key, 0), by_id]);
            assert_eq!(report.progress, *progress, "{word}");
            assert_eq!(
                report.failure.as_ref().map(|failure| failure.reason),
                *reason
            );
            assert!(!format!("{report:?}").contains("secret"));
        }
    }
    let refused = call("", b"id=u-1&message_status=ESME_RINVESMCLASS&level=1").unwrap();
    assert_eq!(one_report(&refused).progress, Progress::Failed);
    for body in [
        "message_status=DELIVRD",
        "id=u-1&message_status=NEW&level=2",
    ] {
        assert_eq!(call("", body.as_bytes()).unwrap().events, [], "{body}");
    }
    let by_get = call(
        &format!("?key={key}&id=u-1&message_status=DELIVRD&level=2"),
        b"",
    )
    .unwrap();
    assert_eq!(one_report(&by_get).progress, Progress::Delivered);
}

#[test]
fn without_the_token_nothing_is_read() {
    assert_eq!(
        Call::post("", SEEN).send(&subject()),
        Err(Refused::Unsigned)
    );
    let other = Call::post("", SEEN).with_token("0123456789abcdeF");
    assert_eq!(other.send(&subject()), Err(Refused::Forged));
    for body in [
        "",
        "from=1",
        "from=1&to=2",
        "from=1&to=2&binary=zz",
        "from=1&to=&content=x",
    ] {
        assert_eq!(call("", body.as_bytes()), Err(Refused::Malformed), "{body}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let table = json!({ "base_url": "x", "username": "foo", "webhook_token": "short", "max_parts": 0, "validity": "1s" });
    let faults = faults_of(config::account, table);
    assert_eq!(faults.len(), 5, "{faults:?}");
}

thread_local! {
    /// Made once: a client reads the trust store.
    static SUBJECT: JasminAccount = subject();
}

proptest! {
    #[test]
    fn nothing_that_is_called_makes_it_panic(
        query in soup(&["key=", "id=", "message_status=", "level=", "&", "aaaaaaaaaaaaa"]),
        body in soup(&["from=", "to=", "binary=", "content=", "coding=", "message_status=", "level=1", "ESME_", "d83d", "&", "&", "%08", "1"]),
    ) {
        let query = String::from_utf8_lossy(&query);
        drop(call(&format!("?{query}"), &body));
    }
}
