//! The simulated phones: what somebody sees who tries transom without any account.

use std::net::SocketAddr;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use transom_test_servers::{Answer, PATIENCE, Server, Transom, get, post_with, skipped, until};

use crate::{
    files::{FileWorld, Wish, fetched, png, shared, sharing},
    world::{LINE, World, chat, contact, is_receipt_of},
};

const PEER: &str = "+12025550147";

/// A second gateway would need a second component; the simulated provider takes the place of Twilio's double.
pub(crate) async fn world() -> World {
    World::with(Server::Prosody, &line(), "").await
}

/// Alice's line, which is at the simulated provider.
pub(crate) fn line() -> String {
    format!(
        "[gateway.sms.provider.phones]\nkind = \"simulator\"\n\
         [[gateway.sms.line]]\nnumber = \"{LINE}\"\nprovider = \"phones\"\nowner = \"alice@example.org\"\n"
    )
}

/// Waits until a text is on the phone.
pub(crate) async fn on_the_phone(http: SocketAddr, text: &str) {
    let shown = async || {
        let state = get(http, "/simulator/state?phone=%2B12025550147").await;
        state.ok()?.text().contains(text).then_some(())
    };
    until("the text on the phone", PATIENCE, shown)
        .await
        .unwrap();
}

/// Writes a text on the phone.
pub(crate) async fn answer_on_the_phone(http: SocketAddr, text: &str) {
    let answer = format!(r#"{{"line":"{LINE}","phone":"{PEER}","text":"{text}"}}"#);
    let headers = [("Content-Type", "application/json"), ("X-Transom", "1")];
    let reply = post_with(http, "/simulator/answer", &headers, answer.as_bytes()).await;
    let reply = reply.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn a_text_appears_on_the_phone_and_the_answer_typed_there_comes_back() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = world().await;
    let http = world.transom.http();
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "hello phone")).await;
    alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    let page = get(http, "/simulator/").await.unwrap();
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<html"), "a page");
    on_the_phone(http, "hello phone").await;
    answer_on_the_phone(http, "hello gateway").await;
    let text = alice
        .expect("the answer", |stanza| stanza.body().is_some())
        .await;
    assert_eq!(text.body().as_deref(), Some("hello gateway"));
    assert_eq!(text.attr("from"), Some(contact(PEER).as_str()));
}

/// Where the page finds the file of the phone's latest text.
async fn file_on_the_phone(http: SocketAddr, name: &str) -> String {
    let shown = async || {
        let state = get(http, "/simulator/state?phone=%2B12025550147").await;
        let state: serde_json::Value = serde_json::from_str(&state.ok()?.text()).ok()?;
        let text = state["texts"].as_array()?.last()?;
        let file = text["files"].as_array()?.last()?;
        let run = state["run"].as_str()?;
        (file["name"] == name)
            .then(|| format!("/simulator/file?run={run}&number={}", file["number"]))
    };
    until("the file on the phone", PATIENCE, shown)
        .await
        .unwrap()
}

#[tokio::test]
async fn pictures_go_to_a_simulated_phone_and_come_from_it() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut world = FileWorld::prepare(Wish::default()).await;
    let config = world.transom.config_text();
    let (before, rest) = config.split_once("[gateway.sms.provider.main]").unwrap();
    let (_, lines) = rest.split_once("[[gateway.sms.line]]").unwrap();
    let simulated = "[gateway.sms.provider.main]\nkind = \"simulator\"\n[[gateway.sms.line]]";
    world
        .transom
        .configure(&format!("{before}{simulated}{lines}"));
    world.transom.start().await;
    world.up().await;
    let http = world.transom.http();
    let mut alice = world.alice().await;
    let picture = png(2_000);
    let offered = picture.clone();
    world
        .pictures
        .answer_by(move |_| Answer::with(200, "image/png", offered.clone()));
    let url = world.pictures.url("/upload/1/boat.png");
    alice
        .send(&sharing(&contact(PEER), "f1", &url, "Our boat"))
        .await;
    alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "f1"))
        .await;
    on_the_phone(http, "Our boat").await;
    let shown = get(http, &file_on_the_phone(http, "boat.png").await).await;
    assert_eq!(shown.unwrap().body, picture);

    let content = BASE64_STANDARD.encode(&picture);
    let file = format!(r#"{{"name":"mine.png","content_type":"image/png","content":"{content}"}}"#);
    let answer = format!(r#"{{"line":"{LINE}","phone":"{PEER}","text":"","files":[{file}]}}"#);
    let headers = [("Content-Type", "application/json"), ("X-Transom", "1")];
    let reply = post_with(http, "/simulator/answer", &headers, answer.as_bytes()).await;
    assert_eq!(reply.unwrap().status, 200);
    let stanza = alice
        .expect("the picture", |stanza| shared(stanza).is_some())
        .await;
    let url = shared(&stanza).unwrap();
    assert!(url.ends_with("/mine.png"), "{url}");
    assert_eq!(fetched(&url).await.body, picture);
}

#[tokio::test]
async fn the_pages_of_health_and_metrics_answer() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = world().await;
    let http = world.transom.http();
    for path in ["/healthz", "/readyz", "/readyz?links=1", "/metrics"] {
        let answer = get(http, path).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    assert_eq!(get(http, "/nowhere").await.unwrap().status, 404);
    assert_eq!(get(http, "/webhook/sms/nobody").await.unwrap().status, 404);
}

#[tokio::test]
async fn a_check_sends_one_real_message_and_says_when_it_came_how_far() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut world = world().await;
    let check = async |transom: &Transom, to: &str, user: &str| {
        let arguments = ["check", "--live", "--send-to", to, "--as", user];
        let output = transom.command(&arguments).await;
        let both = [&output.stdout[..], &output.stderr].concat();
        let text = String::from_utf8_lossy(&both).into_owned();
        (output.status.code(), text)
    };
    let alice = "alice@example.org";
    let (_, text) = check(&world.transom, "(202) 555-0147", alice).await;
    let last = text.lines().last().unwrap();
    assert!(last.contains(" ms  delivered, by sms/phones"), "{text}");
    let state = get(
        world.transom.http(),
        "/simulator/state?phone=%2B12025550147",
    )
    .await
    .unwrap();
    assert!(
        state.text().contains("This is a test of sms.example.org."),
        "{}",
        state.text()
    );

    // For programs it is one JSON document, and nothing beside it.
    let arguments = [
        "check",
        "--live",
        "--json",
        "--send-to",
        PEER,
        "--as",
        alice,
    ];
    let output = world.transom.command(&arguments).await;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = report["trial"]["steps"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["state"], "delivered", "{report}");

    // The rules that hold for everybody hold for it.
    let (code, text) = check(&world.transom, "911", alice).await;
    assert_eq!(code, Some(65), "{text}");
    assert!(text.contains("the message was not taken: "), "{text}");
    let (code, text) = check(&world.transom, PEER, "mallory@example.com").await;
    assert_eq!(code, Some(65), "{text}");
    assert!(text.contains("the message was not taken: "), "{text}");

    world.transom.sigterm().await;
    let (code, text) = check(&world.transom, PEER, alice).await;
    assert_eq!(code, Some(69), "{text}");
    assert!(
        text.contains("this needs a running transom, and none runs"),
        "{text}"
    );
}
