use super::*;

const PATH: &str = "/webhook/sms/main";
const URL: &str = "https://gw.example.org/webhook/sms/main";

#[tokio::test]
async fn what_is_under_way_is_answered_and_nothing_new_is_accepted() {
    let server = Running::start(Wish::default());
    let (gate, mut under_way) = server.held(PATH, URL).await;
    // Opened and never used: must not hold up the stop.
    let mut unused = server.connect().await;
    // Connections are accepted in their order: once this is answered, the one before is the server's.
    assert_eq!(server.get("/healthz").await.status, 200);

    server.lifecycle.drain();
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    timeout(DEADLINE, refused).await.unwrap();
    let mut nothing = Vec::new();
    let read = timeout(DEADLINE, unused.read_to_end(&mut nothing)).await;
    assert!(read.is_ok() && nothing.is_empty());

    gate.add_permits(1);
    assert_eq!(read_reply(&mut under_way).await.status, 200);
    assert!(server.lifecycle.finish(DEADLINE).await);
    assert_eq!(server.inbox.recording.events().len(), 1);
}

#[tokio::test]
async fn what_does_not_end_is_given_up() {
    let mut wish = Wish::default();
    wish.limits.stop = Duration::from_millis(50);
    let server = Running::start(wish);
    let (gate, mut under_way) = server.held(PATH, URL).await;

    server.lifecycle.drain();
    let mut nothing = Vec::new();
    let read = timeout(DEADLINE, under_way.read_to_end(&mut nothing)).await;
    assert!(read.is_ok() && nothing.is_empty());
    // The commit is not given up with its caller.
    gate.add_permits(1);
    assert!(server.lifecycle.finish(DEADLINE).await);
    assert_eq!(server.inbox.recording.events().len(), 1);
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_stop() {
    let server = Running::start(Wish::default());
    let mut idle = server.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    server.counted(r#"{route="healthz",status="200"} 1"#).await;
    server.lifecycle.drain();
    assert_eq!(read_reply(&mut idle).await.body, "alive\n");
    assert!(server.lifecycle.finish(DEADLINE).await);
}

#[tokio::test]
async fn a_taken_port_shows_at_once() {
    let server = Running::start(Wish::default());
    let taken = Server::bind(HttpOptions {
        listen: server.address,
        public_url: None,
        trusted_proxies: Vec::new(),
    });
    assert_eq!(taken.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}
