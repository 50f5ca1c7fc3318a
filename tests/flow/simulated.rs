//! The simulated phones: what somebody sees who tries transom without any account.

use transom_test_servers::{PATIENCE, Server, get, post_with, skipped, until};

use crate::world::{LINE, World, chat, contact, is_receipt_of};

const PEER: &str = "+12025550147";

/// A second gateway would need a second component; the simulated provider takes the place of Twilio's double.
async fn world() -> World {
    let line = format!(
        "[[gateway.sms.line]]\nnumber = \"{LINE}\"\nprovider = \"phones\"\nowner = \"alice@example.org\"\n"
    );
    World::with(
        &format!("[gateway.sms.provider.phones]\nkind = \"simulator\"\n{line}"),
        "",
    )
    .await
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
    let shown = async || {
        let state = get(http, "/simulator/state?phone=%2B12025550147")
            .await
            .ok()?;
        state.text().contains("hello phone").then_some(())
    };
    until("the text on the phone", PATIENCE, shown)
        .await
        .unwrap();
    let answer = format!(r#"{{"line":"{LINE}","phone":"{PEER}","text":"hello gateway"}}"#);
    let headers = [("Content-Type", "application/json"), ("X-Transom", "1")];
    let reply = post_with(http, "/simulator/answer", &headers, answer.as_bytes())
        .await
        .unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = alice
        .expect("the answer", |stanza| stanza.body().is_some())
        .await;
    assert_eq!(text.body().as_deref(), Some("hello gateway"));
    assert_eq!(text.attr("from"), Some(contact(PEER).as_str()));
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
