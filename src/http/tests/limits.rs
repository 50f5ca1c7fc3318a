use super::{super::body::BODY_BYTES_MAX, *};

const PATH: &str = "/webhook/sms/main";
const URL: &str = "https://gw.example.org/webhook/sms/main";

#[tokio::test]
async fn a_body_up_to_the_limit_is_taken_and_no_byte_more() {
    let server = Running::start(Wish::default());
    let most = "x".repeat(BODY_BYTES_MAX);
    assert_eq!(server.signed(PATH, URL, &most).await.status, 200);

    let announced = format!(
        "POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        BODY_BYTES_MAX + 1
    );
    let reply = server.send(announced).await;
    assert_eq!(reply.status, 413);
    assert_eq!(reply.body, "the body is larger than 1048576 bytes\n");

    let chunked = format!(
        "POST {PATH} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{most}x",
        BODY_BYTES_MAX + 1
    );
    assert_eq!(server.send(chunked).await.status, 413);
}

#[tokio::test]
async fn whoever_sends_no_head_is_cut_off() {
    let mut wish = Wish::default();
    wish.limits.head = Duration::from_millis(50);
    let server = Running::start(wish);
    for part in ["", "GET /healthz HTTP/1.1\r\nX-Slow: "] {
        let mut stream = server.connect().await;
        stream.write_all(part.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let read = timeout(DEADLINE, stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "still open after {part:?}");
    }
}

#[tokio::test]
async fn whoever_sends_no_body_is_told() {
    let mut wish = Wish::default();
    wish.limits.body = Duration::from_millis(50);
    let server = Running::start(wish);
    let half = format!("POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    assert_eq!(server.send(half).await.status, 408);
}

#[tokio::test]
async fn a_connection_is_not_used_for_ever() {
    let mut wish = Wish::default();
    wish.limits.connection = Duration::from_millis(50);
    let server = Running::start(wish);
    // Without `Connection: close` it is the server that ends it.
    let reply = server
        .send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn too_many_requests_are_told_so_and_alive_is_still_said() {
    let mut wish = Wish::default();
    wish.limits.requests = 1;
    let server = Running::start(wish);
    let (gate, mut first) = server.held(PATH, URL).await;

    let second = server.signed(PATH, URL, "hello").await;
    assert_eq!(
        (second.status, &*second.body),
        (503, "too many requests at once\n")
    );
    assert_eq!(server.get("/healthz").await.status, 200);
    gate.add_permits(1);
    assert_eq!(read_reply(&mut first).await.status, 200);
    server.counted(r#"{route="webhook",status="503"} 1"#).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let mut wish = Wish::default();
    wish.limits.connections = 1;
    let server = Running::start(wish);
    let (gate, mut first) = server.held(PATH, URL).await;

    let mut second = server.connect().await;
    let alive = request("GET", "/healthz", "", "");
    second.write_all(alive.as_bytes()).await.unwrap();
    let beside = timeout(Duration::from_millis(100), second.readable()).await;
    assert!(beside.is_err(), "served beside the first");
    gate.add_permits(1);
    assert_eq!(read_reply(&mut first).await.status, 200);
    assert_eq!(read_reply(&mut second).await.status, 200);
}

#[tokio::test]
async fn large_bodies_do_not_take_the_place_of_small_ones() {
    let mut wish = Wish::default();
    wish.limits.large_bodies = 1;
    let server = Running::start(wish);
    let mut large = server.connect().await;
    let endless = format!(
        "POST {PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    );
    large.write_all(endless.as_bytes()).await.unwrap();
    let mut line = [0; 25];
    large.read_exact(&mut line).await.unwrap();
    assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");

    let second = server.send(&endless).await;
    assert_eq!(
        (second.status, &*second.body),
        (503, "too many large requests at once\n")
    );
    assert_eq!(server.signed(PATH, URL, "small").await.status, 200);
    large.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(read_reply(&mut large).await.status, 403);
}
