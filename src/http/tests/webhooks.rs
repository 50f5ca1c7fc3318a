use super::*;

const PATH: &str = "/webhook/sms/main";
const URL: &str = "https://gw.example.org/webhook/sms/main";

#[tokio::test]
async fn a_signed_call_is_stored_and_answered_in_the_providers_form() {
    let server = Running::start(Wish::default());
    let reply = server.signed(PATH, URL, "hello").await;
    assert_eq!((reply.status, &*reply.body), (200, "<Response/>"));
    assert!(reply.head.contains("content-type: text/xml"));
    assert_eq!(server.inbox.recording.events().len(), 1);
}

#[tokio::test]
async fn a_verified_call_without_use_is_answered_and_counted() {
    let server = Running::start(Wish::default());
    let reply = server.signed(PATH, URL, "none").await;
    assert_eq!((reply.status, &*reply.body), (200, "<Response/>"));
    assert!(server.inbox.recording.events().is_empty());
    server.counted(r#"what="webhook_unused"} 1"#).await;
}

#[tokio::test]
async fn what_is_not_the_providers_is_refused_and_counted() {
    let server = Running::start(Wish::default());
    let forged = server.signed(PATH, "https://evil.example/", "hello").await;
    assert_eq!(
        (forged.status, &*forged.body),
        (403, "the signature is wrong\n")
    );
    let unsigned = server.get(PATH).await;
    assert_eq!(unsigned.status, 403);
    let unknown = server.signed("/webhook/sms/other", URL, "hello").await;
    assert_eq!(
        (unknown.status, &*unknown.body),
        (404, "there is no such webhook\n")
    );
    assert_eq!(server.get("/webhook/sms%ff/main").await.status, 404);
    assert!(server.inbox.recording.events().is_empty());
    server
        .counted(r#"transom_events_total{account="sms/main",what="webhook_forged"} 1"#)
        .await;
    server.counted(r#"what="webhook_unsigned"} 1"#).await;
    server.counted(r#"{route="webhook",status="403"} 2"#).await;
    server.counted(r#"{route="webhook",status="404"} 2"#).await;
}

#[tokio::test]
async fn other_methods_are_refused_without_asking_the_account() {
    let server = Running::start(Wish::default());
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let reply = server.send(request(method, PATH, "", "")).await;
        assert_eq!(reply.status, 405, "{method}");
    }
    assert!(server.account.seen.lock().unwrap().is_none());
}

#[tokio::test]
async fn the_url_is_handed_over_as_it_was_called() {
    let server = Running::start(Wish::default());
    let query = "a=%20+b&&c=%2f";
    let path = format!("{PATH}/t%6fken?{query}");
    let url = format!("https://gw.example.org{path}");
    let reply = server.signed(&path, &url, "hello").await;
    assert_eq!(reply.status, 200);
    let seen = server.account.seen();
    assert_eq!(seen.url, url);
    assert_eq!(
        (&*seen.query, seen.token.as_deref()),
        (query, Some("token"))
    );
}

#[tokio::test]
async fn a_public_url_with_a_path_works_whatever_the_proxy_does_with_it() {
    let server = Running::start(Wish {
        public_url: Some("https://example.org/transom/"),
        ..Wish::default()
    });
    let url = "https://example.org/transom/webhook/sms/main?x=1";
    let removed = server.signed("/webhook/sms/main?x=1", url, "a").await;
    let left = server
        .signed("/transom/webhook/sms/main?x=1", url, "b")
        .await;
    assert_eq!((removed.status, left.status), (200, 200));
}

#[tokio::test]
async fn the_caller_is_told_from_its_proxy() {
    let server = Running::start(Wish {
        trusted: "127.0.0.0/8",
        ..Wish::default()
    });
    let forwarded = "X-Forwarded-For: 203.0.113.5, 198.51.100.9\r\n";
    server.send(request("POST", PATH, forwarded, "x")).await;
    let peer = server.account.seen().peer.unwrap();
    assert_eq!(peer.to_string(), "198.51.100.9");

    let server = Running::start(Wish::default());
    server.send(request("POST", PATH, forwarded, "x")).await;
    let peer = server.account.seen().peer.unwrap();
    assert_eq!(peer.to_string(), "127.0.0.1");
}

#[tokio::test]
async fn a_busy_store_makes_the_provider_come_again() {
    let server = Running::start(Wish::default());
    server.inbox.recording.set_busy(true);
    let reply = server.signed(PATH, URL, "hello").await;
    assert_eq!((reply.status, &*reply.body), (503, "<Busy/>"));
    server.counted(r#"what="webhook_busy"} 1"#).await;
}

#[tokio::test]
async fn a_commit_that_takes_too_long_is_answered_busy_and_still_made() {
    let mut wish = Wish::default();
    wish.limits.commit = Duration::from_millis(30);
    let server = Running::start(wish);
    let gate = server.inbox.hold();
    let reply = server.signed(PATH, URL, "hello").await;
    assert_eq!((reply.status, &*reply.body), (503, "<Busy/>"));
    gate.add_permits(1);
    let stored = server.inbox.recording.wait_for(1);
    assert_eq!(timeout(DEADLINE, stored).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_caller_told_is_stored_even_when_it_hangs_up() {
    let server = Running::start(Wish::default());
    let (gate, stream) = server.held(PATH, URL).await;
    drop(stream);
    server.counted(r#"{route="webhook",status="499"} 1"#).await;
    gate.add_permits(1);
    let stored = server.inbox.recording.wait_for(1);
    assert_eq!(timeout(DEADLINE, stored).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_account_that_panics_breaks_one_request() {
    let server = Running::start(Wish::default());
    let reply = server.signed(PATH, URL, "panic").await;
    assert_eq!(
        (reply.status, &*reply.body),
        (500, "something broke here\n")
    );
    server.counted(r#"{route="webhook",status="500"} 1"#).await;
    assert_eq!(server.signed(PATH, URL, "hello").await.status, 200);
    assert!(!server.lifecycle.has_failed());
}
