use transom_simulator::Simulator;

use super::*;

#[tokio::test]
async fn alive_is_said_whatever_the_store_does() {
    let server = Running::start(Wish::default());
    server.ready.set(|answers| answers.store = None);
    let reply = server.get("/healthz").await;
    assert_eq!((reply.status, &*reply.body), (200, "alive\n"));
}

/// What `/readyz` says with these answers.
#[track_caller]
fn check(path: &'static str, change: fn(&mut Answers), status: u16, body: &'static str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut wish = Wish::default();
        wish.limits.ready = Duration::from_millis(100);
        let server = Running::start(wish);
        server.ready.set(change);
        let reply = server.get(path).await;
        assert_eq!((reply.status, &*reply.body), (status, body), "for {path}");
    });
}

#[test]
fn ready_says_in_plain_lines_what_is_wrong() {
    check("/readyz", |_| {}, 200, "ready\n");
    let broken = "the store does not commit\na listener does not accept\n";
    let breaks: fn(&mut Answers) = |answers| {
        answers.store = Some(false);
        answers.listeners = false;
    };
    check("/readyz", breaks, 503, broken);
    let hung = "the store did not commit within 100ms\n";
    check("/readyz", |answers| answers.store = None, 503, hung);
}

#[test]
fn links_count_only_for_those_who_ask() {
    let links: fn(&mut Answers) = |answers| {
        let link = |gateway: &str, up, detail: &str| LinkHealth {
            gateway: gateway.into(),
            up,
            detail: detail.into(),
        };
        answers.links = vec![
            link("sms", false, "refused:\nconflict"),
            link("mail", true, ""),
        ];
    };
    check("/readyz", links, 200, "ready\n");
    check("/readyz?links=0", links, 200, "ready\n");
    let down = "the link of sms is down: refused: conflict\n";
    check("/readyz?x&links=1", links, 503, down);
    check("/readyz?links=1", |_| {}, 200, "ready\n");
}

#[tokio::test]
async fn the_store_is_not_asked_by_everybody_at_once() {
    let server = Running::start(Wish::default());
    let many = (0..100).map(|_| server.get("/readyz"));
    let replies = futures_util::future::join_all(many).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert!(server.ready.now().asked < 10);
}

#[tokio::test]
async fn the_metrics_can_be_read_by_their_reader() {
    let server = Running::start(Wish::default());
    server.metrics.gateway("sms").link(true);
    server.get("/healthz").await;
    let reply = server.get("/metrics").await;
    assert_eq!(reply.status, 200);
    assert!(
        reply
            .head
            .contains("content-type: application/openmetrics-text")
    );
    assert!(
        reply
            .body
            .contains("transom_http_requests_total{route=\"healthz\",status=\"200\"} 1")
    );
    let (last, lines) = reply
        .body
        .lines()
        .collect::<Vec<_>>()
        .split_last()
        .map(|(last, lines)| (*last, lines.to_vec()))
        .unwrap();
    assert_eq!(last, "# EOF");
    for line in lines {
        let sample = line.rsplit_once(' ').unwrap();
        let comment = ["# HELP ", "# TYPE ", "# UNIT "]
            .iter()
            .any(|word| line.starts_with(word));
        let value = sample.0.starts_with("transom_") && sample.1.parse::<f64>().is_ok();
        assert!(comment || value, "{line}");
    }
}

#[tokio::test]
async fn the_simulators_page_is_there_only_with_a_simulator() {
    let server = Running::start(Wish::default());
    assert_eq!(server.get("/simulator/").await.status, 404);

    let simulator = Simulator::new(Arc::new(SystemClock));
    let server = Running::start(Wish {
        simulator: Some(Arc::new(simulator)),
        ..Wish::default()
    });
    for path in ["/simulator", "/simulator/", "/simulator/state?since=0"] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.head.contains("x-frame-options: deny"), "{path}");
    }
    let unguarded = server
        .send(request("POST", "/simulator/answer", "", "{}"))
        .await;
    assert_eq!(unguarded.status, 403);
}

#[tokio::test]
async fn every_answer_has_the_safe_headers() {
    let server = Running::start(Wish::default());
    for path in [
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/webhook/a/b",
        "/admin/",
        "/%00",
    ] {
        let reply = server.get(path).await;
        assert!(
            reply.head.contains("x-content-type-options: nosniff"),
            "{path}"
        );
        assert!(reply.head.contains("cache-control: no-store"), "{path}");
        assert!(!reply.head.contains("\r\nserver:"), "{path}");
    }
    assert_eq!(server.get("/admin/").await.body, "there is nothing here\n");
}
