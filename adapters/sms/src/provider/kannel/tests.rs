use std::sync::Arc;

use http::{HeaderMap, Method};
use proptest::prelude::*;
use serde_json::json;
use transom_adapter::{
    Event, MessageRef, Progress,
    testkit::{
        Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
    },
};

use super::*;
use crate::provider::testing::{FIRST, TOKEN, client, env, message, section};

fn account(base_url: &str, http: HttpClient) -> KannelAccount {
    let table = json!({
        "base_url": base_url, "username": "tester", "password": "foobar", "webhook_token": TOKEN,
        "callback_url": "http://127.0.0.1:8480", "smsc": "FAKE", "validity": "90s",
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(url, http)),
        accepted: Reply::text(202, "0: Accepted for delivery"),
        message: message("hello"),
    })
    .await;
}

#[tokio::test]
async fn a_text_is_sent_without_its_password_in_the_url() {
    let server = ScriptedHttp::start([Reply::text(202, "3: Queued for later delivery")]).await;
    let account = account(server.base_url(), client());
    for (text, coding) in [("hello €\r\n", "0"), ("Привет", "2")] {
        let message = message(text);
        let outcome = account.send(&message, FIRST).await;
        assert_eq!(outcome, Outcome::Accepted { ids: vec![] });
        let request = server.requests().pop().unwrap();
        let key = message.key;
        for line in [
            "POST /cgi-bin/sendsms HTTP/1.1".to_owned(),
            "content-type: text/plain; charset=UTF-8".to_owned(),
            "x-kannel-username: tester".to_owned(),
            "x-kannel-password: foobar".to_owned(),
            "x-kannel-to: +12025550147".to_owned(),
            "x-kannel-from: +12025550100".to_owned(),
            format!("x-kannel-coding: {coding}"),
            "x-kannel-smsc: FAKE".to_owned(),
            "x-kannel-validity: 2".to_owned(),
            "x-kannel-dlr-mask: 31".to_owned(),
            format!(
                "x-kannel-dlr-url: http://127.0.0.1:8480/webhook/sms/main/{TOKEN}?key={key}&d=%d&A=%A&F=%F&smsc=%i&ts=%T"
            ),
        ] {
            assert!(
                request.head.lines().any(|known| known == line),
                "{line} in {}",
                request.head
            );
        }
        assert_eq!(
            String::from_utf8(request.body).unwrap(),
            text.replace("\r\n", "\n")
        );
    }
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    for (status, body, want) in [
        (202, "Sent.", "Accepted"),
        (200, "0: Accepted for delivery", "Unknown"),
        (400, "Missing receiver number, rejected", "Rejected"),
        (403, "Authorization failed for sendsms", "Misconfigured"),
        (404, "Not found", "Misconfigured"),
        (415, "Unsupported content-type, rejected", "Misconfigured"),
        (413, "", "Rejected"),
        (503, "Temporal failure, try again later.", "Transient"),
        (500, "", "Unknown"),
        (504, "", "Unknown"),
    ] {
        let server = ScriptedHttp::start([Reply::text(status, body)]).await;
        let outcome = account(server.base_url(), client())
            .send(&message("a"), FIRST)
            .await;
        assert!(
            format!("{outcome:?}").starts_with(want),
            "{status} gave {outcome:?}"
        );
    }
}

#[test]
fn a_refusal_is_logged_without_numbers_and_texts() {
    let phrase = "Missing receiver(s) number(s), rejected";
    assert_eq!(short_phrase(phrase.as_bytes()), Some(phrase));
    for body in ["", "to +12025550147", "a: b", "\u{e9}", &"a".repeat(81)] {
        assert_eq!(short_phrase(body.as_bytes()), None, "{body}");
    }
    assert_eq!(short_phrase(b"\xff"), None);
}

#[tokio::test]
async fn a_check_tells_a_wrong_password_from_a_right_one() {
    for (status, findings) in [(400, 1), (403, 0)] {
        let server = ScriptedHttp::start([Reply::text(status, "")]).await;
        let report = account(server.base_url(), client()).check().await;
        assert_eq!(
            (report.findings.len(), report.faults.len()),
            (findings, 1 - findings)
        );
        let head = server.requests().pop().unwrap().head.to_lowercase();
        assert!(!head.contains("x-kannel-to"), "nothing is sent");
    }
}

fn call(token: Option<&str>, query: &str) -> Result<Handled, Refused> {
    SUBJECT.with(|account| {
        let request = WebRequest {
            method: &Method::GET,
            public_url: "https://gw.example.org/webhook/sms/main",
            query,
            token,
            headers: &HeaderMap::new(),
            body: b"",
            peer: None,
        };
        account.webhook(&request, UnixMillis(0))
    })
}

#[test]
fn the_token_opens_the_door_and_nothing_else_does() {
    let query = "id=1&from=%2B12025550147&to=%2B12025550100&bin=hello&charset=UTF-8&coding=0";
    let handled = call(Some(TOKEN), query).unwrap();
    assert_eq!(
        handled.stored,
        WebReply::ok(),
        "a body would be sent as a text"
    );
    assert!(matches!(&handled.events[..], [Event::Message(m)] if m.text == "hello"));
    assert_eq!(call(None, query), Err(Refused::Unsigned));
    for token in [
        "",
        "0123456789abcde",
        "0123456789abcdeF",
        "0123456789abcdef0",
    ] {
        assert_eq!(call(Some(token), query), Err(Refused::Forged), "{token}");
    }
}

#[test]
fn what_it_asked_kannel_to_call_is_what_it_understands() {
    let key = message("a").key;
    // Seen: Kannel 1.4.5 with its fake SMSC.
    let query = format!("key={key}&d=8&A=ACK%2F&F=&smsc=FAKE&ts=1790000000");
    let handled = call(Some(TOKEN), &query).unwrap();
    let [Event::Report(report)] = &handled.events[..] else {
        panic!("{handled:?}")
    };
    assert_eq!(report.about, [MessageRef::Key(key, 0)]);
    assert_eq!(report.progress, Progress::Sent);
}

thread_local! {
    static SUBJECT: KannelAccount = account("http://127.0.0.1:13013", client());
}

/// Words that mean something and bytes that do not, in any order.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "key=",
        "id=",
        "from=",
        "to=",
        "bin=",
        "text=",
        "udh=",
        "charset=",
        "coding=",
        "ts=",
        "d=",
        "A=",
        "UTF-16BE",
        "8-BIT",
        "stat:",
        "NACK/",
        "&",
        "&",
        "&",
        "=",
        "%",
        "+",
        "%FF",
        "%05%00%03",
        "aaaaaaaaaaaaa",
        "1",
        "2",
        "99999999999999999999",
    ];
    let word = proptest::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    let byte = any::<u8>().prop_map(|byte| vec![byte]);
    proptest::collection::vec(prop_oneof![4 => word, 1 => byte], 0..24)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn nothing_that_is_called_makes_it_panic(
        query in soup(),
        token in prop_oneof![Just(Some(TOKEN)), Just(Some("")), Just(Some("0123456789abcdeé")), Just(None)],
    ) {
        let query = String::from_utf8_lossy(&query);
        let answer = call(token, &query);
        if token != Some(TOKEN) {
            prop_assert!(answer.is_err());
        }
    }

    #[test]
    fn any_header_of_a_text_is_survived(udh in proptest::collection::vec(any::<u8>(), 0..40), bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let encode = |bytes: &[u8]| url::form_urlencoded::byte_serialize(bytes).collect::<String>();
        for charset in ["UTF-8", "UTF-16BE", "ISO-8859-1", "KOI8-R", ""] {
            let query = format!("id=1&from=a&to=b&udh={}&bin={}&charset={charset}", encode(&udh), encode(&bytes));
            prop_assert!(call(Some(TOKEN), &query).is_ok());
        }
    }
}
