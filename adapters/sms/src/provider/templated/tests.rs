use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use transom_adapter::{
    ConfigFault, ExternalId, MessageRef, Progress, Repeats,
    testkit::{
        Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
    },
};

use super::*;
use crate::provider::testing::{
    Call, FIRST, NOW, TOKEN, client, env, message, one_message, one_report, section, soup,
};

fn table(base_url: &str) -> Value {
    json!({
        "secret": { "token": "s3cret" },
        "webhook_token": TOKEN,
        "send": {
            "url": format!("{base_url}/v1/sms/{{{{ to_digits | urlencode }}}}"),
            "headers": { "Authorization": "Bearer {{ secret.token }}", "Content-Type": "application/json" },
            "body": r#"{"to":{{ to|tojson }},"from":{{ from|tojson }},"text":{{ text|tojson }},"ref":{{ key|tojson }},"cb":{{ callback_url|tojson }}}"#,
            "id": "/data/id",
            "error": "/error/code",
            "errors": {
                "E1": "rejected", "E2": "no-such-recipient", "E3": "not-permitted", "E4": "opted-out", "E5": "filtered",
                "E6": "throttled", "E7": "transient", "8": "misconfigured",
            },
        },
        "webhook": {
            "from": "/sender", "to": "/receiver", "text": "/content", "id": "/uid", "time": "/at",
            "state": "/status", "message_id": "/uid", "key": "/ref", "code": "/reason",
            "states": { "0": "accepted", "SENT": "sent", "OK": "delivered", "BAD": "failed", "OLD": "expired", "HUH": "unknown" },
        },
    })
}

fn build(table: Value) -> Result<HttpAccount, Vec<ConfigFault>> {
    build_with(table, client())
}

fn build_with(table: Value, http: HttpClient) -> Result<HttpAccount, Vec<ConfigFault>> {
    config::account(AccountName::new("sms", "main"), &section(table), &env(http))
}

fn subject() -> HttpAccount {
    build(table("https://api.example.com")).ok().unwrap()
}

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(build_with(table(url), http).ok().unwrap()),
        accepted: Reply::json(201, r#"{"data":{"id":7}}"#),
        message: message("hello"),
    })
    .await;
}

#[tokio::test]
async fn a_text_is_sent_as_the_templates_say() {
    let server = ScriptedHttp::start([Reply::json(201, r#"{"data":{"id":7}}"#)]).await;
    let account = build(table(server.base_url())).ok().unwrap();
    let message = message("\"quoted\" {{ secret.token }}\r\n👋");
    let outcome = account.send(&message, FIRST).await;
    assert_eq!(
        outcome,
        Outcome::Accepted {
            ids: vec![ExternalId::new("http", "7")]
        }
    );
    let request = server.requests().pop().unwrap();
    assert!(
        request
            .head
            .starts_with("POST /v1/sms/12025550147 HTTP/1.1"),
        "{}",
        request.head
    );
    assert!(
        request.head.contains("authorization: Bearer s3cret"),
        "{}",
        request.head
    );
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let callback = format!("https://gw.example.org/webhook/sms/main/{TOKEN}");
    let want = json!({
        "to": "+12025550147", "from": "+12025550100", "text": "\"quoted\" {{ secret.token }}\n👋",
        "ref": message.key.to_string(), "cb": callback,
    });
    assert_eq!(body, want, "what people write is no template");
}

#[tokio::test]
async fn a_text_can_go_by_get() {
    let server = ScriptedHttp::start([Reply::text(200, "OK")]).await;
    let table = json!({ "send": { "method": "GET", "url": format!("{}/send?to={{{{ to|urlencode }}}}&msg={{{{ text|urlencode }}}}", server.base_url()) } });
    let account = build(table).ok().unwrap();
    assert_eq!(
        account.send(&message("a & b"), FIRST).await,
        Outcome::Accepted { ids: vec![] }
    );
    let head = server.requests().pop().unwrap().head;
    assert!(
        head.starts_with("GET /send?to=%2B12025550147&msg=a%20%26%20b HTTP/1.1"),
        "{head}"
    );
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    let server = ScriptedHttp::start([Reply::text(200, "")]).await;
    let replies = build(table(server.base_url())).ok().unwrap().replies;
    for (code, meaning) in &replies.errors {
        for status in [200, 400, 500] {
            let body = format!(r#"{{"error":{{"code":"{code}","text":"secret"}}}}"#);
            let reply = HttpReply {
                status: StatusCode::from_u16(status).unwrap(),
                headers: http::HeaderMap::new(),
                body: body.into(),
            };
            let (verdict, reason) = meaning.means();
            let want = answer::outcome(verdict, Failure::new(reason).with_code(code), None);
            assert_eq!(replies.outcome(&reply), want);
        }
    }
    for (status, body, want) in [
        (201, r#"{"data":{}}"#, "Unknown"),
        (204, r#"{"data":{"id":"7"}}"#, "Unknown"),
        (400, r#"{"error":{"code":"E99"}}"#, "Rejected"),
        (503, "", "Transient"),
        (502, "", "Unknown"),
    ] {
        let reply = HttpReply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: body.into(),
        };
        let outcome = format!("{:?}", replies.outcome(&reply));
        assert!(outcome.starts_with(want), "{status} {body} gave {outcome}");
    }
}

#[tokio::test]
async fn a_template_that_goes_wrong_sends_nothing_and_tells_no_secret() {
    let server = ScriptedHttp::start([Reply::text(200, "")]).await;
    let base = server.base_url();
    for (key, template) in [
        (
            "body",
            "{% if text == 'now' %}{{ secret.token ~ nothing }}{% endif %}",
        ),
        (
            "body",
            "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
        ),
        (
            "url",
            "{% if text == 'now' %}http://{{ secret.token }}.example.net/{% else %}BASE/{% endif %}",
        ),
    ] {
        let mut table = table(base);
        table["send"][key] = template.replace("BASE", base).into();
        let Ok(account) = build(table) else { continue };
        let outcome = format!("{:?}", account.send(&message("now"), FIRST).await);
        assert!(outcome.starts_with("Misconfigured"), "{outcome}");
        assert!(!outcome.contains("s3cret"), "{outcome}");
    }
    assert_eq!(server.requests().len(), 0);
}

fn call(query: &str, body: &str) -> Result<Handled, Refused> {
    let call = Call::post(query, body).with_token(TOKEN);
    SUBJECT.with(|subject| call.send(subject))
}

#[test]
fn a_text_is_read_out_of_json_a_form_or_a_query() {
    let json = r#"{"uid":"u-1","sender":"+12025550147","receiver":12025550100,"content":"hi 👋","at":"2026-09-21T14:13:20Z"}"#;
    let form = "uid=u-1&sender=%2B12025550147&receiver=12025550100&content=hi+%F0%9F%91%8B&at=2026-09-21T14%3A13%3A20Z";
    for (query, body) in [("", json), ("", form), (&*format!("?{form}"), "")] {
        let handled = call(query, body).unwrap();
        let message = one_message(&handled);
        assert_eq!(
            (message.from.as_str(), message.to.as_str()),
            ("+12025550147", "+12025550100")
        );
        assert_eq!((&*message.text, message.sent_at), ("hi 👋", Some(NOW)));
        assert_eq!(
            message.repeats,
            Repeats::ById(ExternalId::new("http-in", "u-1"))
        );
    }
    let digest = |text: &str| {
        one_message(&call("", &format!("sender=1&receiver=2222&content={text}")).unwrap())
            .repeats
            .clone()
    };
    assert_eq!(digest("a"), digest("a"));
    assert_ne!(digest("a"), digest("b"));
}

#[test]
fn several_come_in_one_call() {
    let mut table = table("https://api.example.com");
    table["webhook"]["items"] = "/results".into();
    let account = build(table).ok().unwrap();
    let item = json!({ "uid": "u", "sender": "+12025550147", "receiver": "+12025550100", "content": "hi" });
    let body =
        json!({ "results": [item, { "status": "OK", "uid": "m" }, { "other": 1 }] }).to_string();
    let call = |body: &str| Call::post("", body).with_token(TOKEN).send(&account);
    assert_eq!(call(&body).unwrap().events.len(), 2);
    assert_eq!(call("{}"), Err(Refused::Malformed));
}

#[test]
fn every_state_has_its_meaning() {
    let key = message("").key;
    for (word, progress, failed) in [
        ("0", Progress::Accepted, false),
        ("SENT", Progress::Sent, false),
        ("OK", Progress::Delivered, false),
        ("BAD", Progress::Failed, true),
        ("OLD", Progress::Expired, true),
        ("HUH", Progress::Unknown, true),
    ] {
        let handled = call(
            "",
            &format!(r#"{{"status":"{word}","uid":"m-1","ref":"{key}","reason":"X-1"}}"#),
        )
        .unwrap();
        let report = one_report(&handled);
        let by_id = MessageRef::External(ExternalId::new("http", "m-1"));
        assert_eq!(report.about, [MessageRef::Key(key, 0), by_id]);
        assert_eq!(report.progress, progress);
        assert_eq!(
            report.failure.as_ref().and_then(|f| f.code.as_deref()),
            failed.then_some("X-1")
        );
    }
    for body in [
        r#"{"status":"NEW","uid":"m"}"#,
        r#"{"status":"OK"}"#,
        r#"{"else":1}"#,
    ] {
        assert_eq!(call("", body).unwrap().events, [], "{body}");
    }
}

#[test]
fn without_the_token_nothing_is_read() {
    let body = "sender=1&receiver=2222&content=a";
    assert_eq!(
        Call::post("", body).send(&subject()),
        Err(Refused::Unsigned)
    );
    assert_eq!(
        Call::post("", body)
            .with_token("0123456789abcdeF")
            .send(&subject()),
        Err(Refused::Forged)
    );
    let deaf = build(json!({ "send": { "url": "https://api.example.com/" } }))
        .ok()
        .unwrap();
    assert_eq!(
        Call::post("", body).with_token(TOKEN).send(&deaf),
        Err(Refused::NoWebhook)
    );
    for body in [
        "",
        "{",
        "sender=1&content=a",
        r#"{"sender":"1","content":"a","receiver":null}"#,
    ] {
        assert_eq!(call("", body), Err(Refused::Malformed), "{body}");
    }
}

#[tokio::test]
async fn a_check_says_what_it_can_know() {
    let report = subject().check().await;
    assert!(
        report.findings[0].contains("https://api.example.com")
            && !report.findings[0].contains("s3cret")
    );
    assert!(report.faults.is_empty());
}

#[test]
fn all_faults_are_told_at_once_and_no_secret_with_them() {
    let told = |table: Value| -> Vec<String> {
        let faults = build(table).err().unwrap();
        faults
            .iter()
            .map(|fault| format!("{}: {}", fault.key, fault.problem))
            .collect()
    };
    let mut table = table("https://api.example.com");
    table["send"]["url"] = "{{ secret.token }}".into();
    table["send"]["method"] = "PUT".into();
    table["send"]["id"] = "data.id".into();
    table["webhook"]["text"] = "content".into();
    table["webhook_token"] = "short".into();
    table["max_segments"] = "0".into();
    table["secret"]["token_file"] = "/nonexistent".into();
    table["secret"]["other"] = "".into();
    let faults = told(table);
    assert_eq!(faults.len(), 8, "{faults:?}");
    let empty = "gateway.sms.provider.main.secret.other: is empty".to_owned();
    assert!(faults.contains(&empty), "{faults:?}");
    assert!(!faults.concat().contains("s3cret"), "{faults:?}");
    for body in [
        "{{ nobody }}",
        "{{ secret.nothing }}",
        "{% if %}",
        "{{ text|nofilter }}",
    ] {
        let faults = told(json!({ "send": { "url": "https://api.example.com/", "body": body } }));
        assert_eq!(faults.len(), 1, "{body}");
        assert!(
            faults[0].starts_with("gateway.sms.provider.main.send.body"),
            "{faults:?}"
        );
    }
}

thread_local! {
    /// Made once: a client reads the trust store.
    static SUBJECT: HttpAccount = subject();
}

proptest! {
    #[test]
    fn nothing_that_is_called_makes_it_panic(body in soup(&[
        "{", "}", "\"sender\":", "\"content\":", "\"status\":", "\"OK\"", "\"uid\":", ",", "1", "null", "sender=", "content=", "&", "%", "status=BAD",
    ])) {
        drop(call("", &String::from_utf8_lossy(&body)));
    }

    #[test]
    fn any_text_comes_out_of_the_template_as_it_was(text in "\\PC{0,80}") {
        let message = message(&text);
        let sent = SUBJECT.with(|account| account.templates.fill(&message, account.home).unwrap());
        let body: Value = serde_json::from_str(&sent.body.unwrap()).unwrap();
        prop_assert_eq!(&body["text"], &Value::from(text.replace("\r\n", "\n").replace('\r', "\n")));
    }
}
