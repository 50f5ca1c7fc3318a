//! The page and its JSON.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use transom_adapter::WebReply;

use super::*;

const PAGE: &str = include_str!("../page.html");

async fn call(simulator: &Simulator, method: Method, target: &str, body: &[u8]) -> WebReply {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::new();
    headers.insert("x-transom", HeaderValue::from_static("1"));
    simulator.handle(&method, path, query, &headers, body).await
}

async fn post(simulator: &Simulator, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let reply = call(simulator, Method::POST, path, body.as_bytes()).await;
    let value = serde_json::from_slice(&reply.body).unwrap();
    (reply.status.as_u16(), value)
}

async fn state(simulator: &Simulator, query: &str) -> Value {
    let target = format!("/simulator/state?{query}");
    let reply = call(simulator, Method::GET, &target, b"").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.content_type, "application/json");
    serde_json::from_slice(&reply.body).unwrap()
}

/// The query for what changed after this state.
fn after(state: &Value) -> String {
    let run = state["run"].as_str().unwrap();
    format!("run={run}&since={}&phone=%2B12025550147", state["version"])
}

#[tokio::test]
async fn the_state_tells_what_changed() {
    let bench = Bench::at_rest();
    bench.send(1, BOB, "<b>hello</b>").await;
    let first = state(&bench.simulator, "phone=%2B12025550147").await;
    assert_eq!(first["whole"], true);
    assert_eq!(first["lines"], json!([LINE]));
    assert_eq!(first["phones"][0]["number"], BOB);
    assert_eq!(first["phones"][0]["kind"], "phone");
    assert_eq!(first["texts"][0]["text"], "<b>hello</b>");
    assert_eq!(first["texts"][0]["state"], "on-phone");

    let same = state(&bench.simulator, &after(&first)).await;
    assert_eq!(same["version"], first["version"]);
    assert_eq!(
        (&same["phones"], &same["texts"]),
        (&json!([]), &Value::Null)
    );

    bench.send(2, "+12025550148", "hi").await;
    let other = state(&bench.simulator, &after(&first)).await;
    assert_eq!(other["phones"].as_array().unwrap().len(), 1);
    assert_eq!(other["phones"][0]["number"], "+12025550148");
    assert_eq!(other["texts"], Value::Null);

    let foreign = "run=another&since=1";
    assert_eq!(state(&bench.simulator, foreign).await["whole"], true);
}

#[tokio::test]
async fn a_page_that_missed_a_dropped_phone_begins_anew() {
    let bench = Bench::at_rest();
    bench.send(1, BOB, "hello").await;
    let before = state(&bench.simulator, "").await;
    for n in 0..PHONES_MAX {
        let phone = bench.simulator.phone(&format!("+1202{n:07}"));
        phone.set_behaviour(Behaviour::Normal);
    }
    let whole = state(&bench.simulator, &after(&before)).await;
    assert_eq!(whole["whole"], true);
    assert_eq!(whole["phones"].as_array().unwrap().len(), PHONES_MAX);
    assert_eq!(whole["texts"], json!([]), "the open phone is gone");
}

#[tokio::test]
async fn an_answer_is_called_delivered_after_the_commit() {
    let bench = Bench::proven().await;
    let body = json!({"line": LINE, "phone": BOB, "text": "yes"});
    let (status, reply) = post(&bench.simulator, "/simulator/answer", &body).await;
    assert_eq!(status, 200);
    assert_eq!(
        reply,
        json!({"state": "stored", "note": "delivered to the gateway"})
    );
    bench.inbox.set_busy(true);
    let (status, reply) = post(&bench.simulator, "/simulator/answer", &body).await;
    let note = "the gateway is busy and did not take the text; send it again";
    assert_eq!((status, reply), (503, json!({"note": note})));
    bench.inbox.set_busy(false);
    bench.inbox.refuse(Address::new("+12025550108"));
    let body = json!({"line": "+12025550108", "phone": BOB, "text": "yes"});
    let (status, reply) = post(&bench.simulator, "/simulator/answer", &body).await;
    assert_eq!(status, 404);
    assert_eq!(reply["note"], "nobody at the gateway has this line");
}

#[tokio::test]
async fn the_behaviour_is_set_by_its_word() {
    let bench = Bench::at_rest();
    let words = [
        "off",
        "unassigned",
        "failing",
        "throttled",
        "unknown",
        "normal",
    ];
    for word in words {
        let body = json!({"phone": BOB, "behaviour": word});
        let (status, _) = post(&bench.simulator, "/simulator/behaviour", &body).await;
        assert_eq!(status, 200);
        let shown = &state(&bench.simulator, "").await["phones"][0]["behaviour"];
        assert_eq!(shown, word);
        let option = format!("<option value=\"{word}\">");
        assert!(PAGE.contains(&option), "the page does not offer {word}");
    }
}

#[tokio::test]
async fn a_post_of_another_page_is_refused() {
    let bench = Bench::proven().await;
    let body = json!({"line": LINE, "phone": BOB, "text": "forged"}).to_string();
    for path in ["/simulator/answer", "/simulator/behaviour"] {
        let headers = HeaderMap::new();
        let reply = bench
            .simulator
            .handle(&Method::POST, path, "", &headers, body.as_bytes())
            .await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(bench.state(BOB), None);
}

#[tokio::test]
async fn hostile_bodies_are_refused_plainly() {
    let bench = Bench::proven().await;
    let too_large = vec![b' '; 1024 * 1024 + 1];
    let deep = "[".repeat(60_000);
    let unlike_base64 = br#"{"line":"+12025550100","phone":"+12025550147","text":"","files":[{"name":"","content_type":"","content":"%"}]}"#;
    let bodies: [(&[u8], u16); 9] = [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (br#"{"line":1,"phone":2,"text":3}"#, 400),
        (br#"{"line":"","phone":"","text":"","more":1}"#, 400),
        (deep.as_bytes(), 400),
        (&too_large, 413),
        (unlike_base64, 400),
    ];
    for path in ["/simulator/answer", "/simulator/behaviour"] {
        for (body, status) in bodies {
            let reply = call(&bench.simulator, Method::POST, path, body).await;
            assert_eq!(reply.status.as_u16(), status);
            let reply: Value = serde_json::from_slice(&reply.body).unwrap();
            assert!(reply["note"].is_string());
        }
    }
    let bad = json!({"phone": "<img>", "behaviour": "off"});
    let (status, _) = post(&bench.simulator, "/simulator/behaviour", &bad).await;
    assert_eq!(status, 400);
    let phones = &state(&bench.simulator, "").await["phones"];
    assert_eq!(phones.as_array().unwrap().len(), 1, "no phone appeared");
}

#[tokio::test]
async fn paths_and_methods_are_told_apart() {
    let simulator = Bench::at_rest().simulator;
    let cases = [
        (Method::GET, "/simulator/", 200),
        (Method::GET, "/simulator", 200),
        (Method::HEAD, "/simulator/", 200),
        (Method::POST, "/simulator/", 405),
        (Method::GET, "/simulator/answer", 405),
        (Method::POST, "/simulator/file", 405),
        (Method::GET, "/simulator/file", 404),
        (Method::DELETE, "/simulator/state", 405),
        (Method::GET, "/simulator/../etc/passwd", 404),
        (Method::GET, "/simulatorstate", 404),
        (Method::GET, "/", 404),
        (Method::GET, "", 404),
    ];
    for (method, path, status) in cases {
        let reply = call(&simulator, method.clone(), path, b"").await;
        assert_eq!(reply.status.as_u16(), status, "{method} {path}");
    }
}

proptest! {
    #[test]
    fn no_request_panics(path in "/simulator(/(state|file|answer|behaviour)?)?", query in ".{0,60}", body in any::<Vec<u8>>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let simulator = Simulator::new(Arc::new(SystemClock));
        for method in [Method::GET, Method::POST] {
            let target = format!("{path}?{query}");
            runtime.block_on(call(&simulator, method, &target, &body));
        }
    }
}

#[test]
fn the_page_loads_nothing_and_has_no_inline_handlers() {
    for forbidden in [
        "http://",
        "https://",
        "src=",
        "@import",
        "url(",
        "innerHTML",
        "insertAdjacent",
        "eval(",
    ] {
        assert!(!PAGE.contains(forbidden), "the page has {forbidden}");
    }
    let handlers: Vec<_> = PAGE
        .split([' ', '\n'])
        .filter(|word| word.starts_with("on") && word.contains('='))
        .collect();
    assert_eq!(handlers, Vec::<&str>::new());
    assert!(!PAGE.contains(" style="), "a style attribute");
    assert!(!PAGE.contains("javascript:"));
}

#[test]
fn the_page_permits_its_own_script_and_style_alone() {
    for (tag, directive) in [("script", "script-src"), ("style", "style-src")] {
        let (_, rest) = PAGE.split_once(&format!("<{tag}>")).unwrap();
        let (content, _) = rest.split_once(&format!("</{tag}>")).unwrap();
        let hash = BASE64_STANDARD.encode(Sha256::digest(content));
        let rule = format!("{directive} 'sha256-{hash}';");
        assert!(PAGE.contains(&rule), "the page's policy needs: {rule}");
    }
}

#[test]
fn the_page_has_words_for_every_state() {
    let states = [
        State::Waiting,
        State::OnPhone,
        State::Reported,
        State::Refused,
        State::Failed,
        State::Throttled,
        State::Unknown,
        State::Sending,
        State::Stored,
        State::Duplicate,
        State::NoSuchRecipient,
        State::Busy,
        State::NoAccount,
    ];
    for state in states {
        let word = serde_json::to_string(&state).unwrap();
        assert!(
            PAGE.contains(&format!("  {word}: [")),
            "no words for {word}"
        );
    }
}
