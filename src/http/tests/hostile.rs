use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use transom_simulator::Simulator;

use super::*;

const CALLERS: u64 = 8;
const REQUESTS_EACH: usize = 1250;

/// Pieces that a hostile path, header or body is made of.
const PIECES: [&[u8]; 40] = [
    b"/",
    b"//",
    b"/webhook/",
    b"sms",
    b"main",
    b"/sms/main",
    b"/simulator",
    b"/simulator/state",
    b"/readyz",
    b"/metrics",
    b"?",
    b"&",
    b"=",
    b"links=1",
    b"since=18446744073709551616",
    b"%",
    b"%00",
    b"%ff",
    b"%2e%2e",
    b"..",
    b"{",
    b"}",
    b"#",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xe2\x82\xac",
    b"HTTP/1.1",
    b"HTTP/9.9",
    b"http://[::1",
    b"http://a@b:99999/",
    b"*",
    b"\"",
    b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    b"{\"line\":\"\",\"phone\":1e999}",
];
const METHODS: [&[u8]; 8] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"CONNECT",
    b"OPTIONS",
    b"G\0T",
    b"",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];
const PATHS: [&[u8]; 8] = [
    b"/webhook/sms/main",
    b"/webhook/sms/main/",
    b"/webhook/sms/",
    b"/simulator/answer",
    b"/simulator/",
    b"/readyz?",
    b"/",
    b"",
];
const HEADERS: [&[u8]; 14] = [
    b"Content-Length",
    b"Transfer-Encoding",
    b"Upgrade",
    b"Connection",
    b"\xffodd",
    b"Host",
    b"X-Forwarded-For",
    b"X-Forwarded-Proto",
    b"Expect",
    b"X-Signature",
    b"X-Transom",
    b"Content-Type",
    b"Range",
    b"Cookie",
];
const VALUES: [&[u8]; 14] = [
    b"close",
    b"chunked",
    b"chunked, chunked",
    b"0",
    b"-1",
    b"18446744073709551616",
    b"5",
    b"100-continue",
    b"websocket",
    b"1",
    b"::ffff:1.2.3.4, [::1]:0, unknown",
    b"https",
    b"localhost:99999",
    b"\x80\x81",
];

fn one_of<'a>(rng: &mut StdRng, list: &[&'a [u8]]) -> &'a [u8] {
    list[rng.random_range(0..list.len())]
}

fn pieces(rng: &mut StdRng, into: &mut Vec<u8>, at_most: usize) {
    for _ in 0..rng.random_range(0..=at_most) {
        into.extend_from_slice(one_of(rng, &PIECES));
    }
}

/// Noise, a request that is hardly one, or one whose form is right and whose content is hostile.
fn hostile_request(rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = Vec::new();
    match rng.random_range(0..20) {
        0 => {
            bytes.resize(rng.random_range(0..2000), 0);
            rng.fill_bytes(&mut bytes);
        }
        1..10 => malformed(rng, &mut bytes),
        _ => well_formed(rng, &mut bytes),
    }
    bytes
}

fn malformed(rng: &mut StdRng, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(one_of(rng, &METHODS));
    bytes.push(b' ');
    bytes.extend_from_slice(one_of(rng, &PATHS));
    pieces(rng, bytes, 4);
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    headers(rng, bytes, &HEADERS);
    if rng.random_ratio(1, 50) {
        bytes.extend(b"X: y\r\n".repeat(rng.random_range(0..20_000)));
    }
    bytes.extend_from_slice(b"\r\n");
    pieces(rng, bytes, 20);
}

fn well_formed(rng: &mut StdRng, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(one_of(rng, &METHODS[..2]));
    bytes.push(b' ');
    bytes.extend_from_slice(one_of(rng, &PATHS[..7]));
    let mut rest = Vec::new();
    pieces(rng, &mut rest, 4);
    bytes.extend(rest.into_iter().filter(u8::is_ascii_graphic));
    bytes.extend_from_slice(b" HTTP/1.1\r\nConnection: close\r\n");
    // Without those that decide where the body ends.
    headers(rng, bytes, &HEADERS[5..]);
    let mut body = Vec::new();
    pieces(rng, &mut body, 20);
    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
    bytes.extend(body);
}

fn headers(rng: &mut StdRng, bytes: &mut Vec<u8>, names: &[&[u8]]) {
    for _ in 0..rng.random_range(0..6) {
        bytes.extend_from_slice(one_of(rng, names));
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(one_of(rng, &VALUES));
        bytes.extend_from_slice(b"\r\n");
    }
}

/// Sends everything, hangs up without listening now and then, and otherwise reads to the end.
async fn attack(address: SocketAddr, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..REQUESTS_EACH {
        let bytes = hostile_request(&mut rng);
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may have hung up before everything was written.
        stream.write_all(&bytes).await.ok();
        if rng.random_ratio(4, 5) {
            stream.shutdown().await.ok();
            let mut answer = Vec::new();
            let read = timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
            assert!(
                read.is_ok(),
                "no end to the answer to {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hostile_requests_break_nothing() {
    let server = Running::start(Wish {
        trusted: "127.0.0.0/8",
        public_url: None,
        simulator: Some(Arc::new(Simulator::new(Arc::new(SystemClock)))),
        ..Wish::default()
    });
    let attacks = (0..CALLERS).map(|seed| attack(server.address, seed));
    futures_util::future::join_all(attacks).await;

    assert_eq!(server.get("/healthz").await.status, 200);
    let url = "http://gw.example.org/webhook/sms/main";
    assert_eq!(
        server
            .signed("/webhook/sms/main", url, "hello")
            .await
            .status,
        200
    );
    let counted = server.get("/metrics").await.body;
    assert!(
        counted.contains("route=\"simulator\""),
        "the attack came nowhere"
    );
    assert!(!counted.contains("status=\"500\""), "{counted}");
    assert!(!server.lifecycle.has_failed());
}
