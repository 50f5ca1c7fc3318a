//! What every account must do, whatever it speaks.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method};

use super::{FIRST, Reply, ScriptedHttp};
use crate::{Account, HttpClient, HttpLimits, Outcome, Outgoing, UnixMillis, WebRequest};

/// An account that speaks HTTP, and what its provider says when all is well.
pub struct HttpSubject<'a> {
    /// Builds the account against this base URL with this client.
    pub build: &'a dyn Fn(&str, HttpClient) -> Arc<dyn Account>,
    /// The provider's answer that means "accepted".
    pub accepted: Reply,
    /// A message that it can send.
    pub message: Outgoing,
}

/// The rules of `send` for accounts that speak HTTP: one request an attempt, and an outcome that is never more certain than the answer.
pub async fn http_account(subject: &HttpSubject<'_>) {
    let accepted = outcome_of(subject, subject.accepted.clone()).await;
    assert!(
        matches!(accepted, Outcome::Accepted { .. }),
        "the accepting answer gave {accepted:?}"
    );

    let throttled = outcome_of(subject, Reply::text(429, "")).await;
    assert!(
        matches!(throttled, Outcome::Throttled { .. }),
        "429 gave {throttled:?}"
    );

    let denied = outcome_of(subject, Reply::text(401, "")).await;
    assert!(
        matches!(denied, Outcome::Misconfigured(_)),
        "401 gave {denied:?}"
    );

    let failed = outcome_of(subject, Reply::text(500, "oops")).await;
    assert!(
        matches!(failed, Outcome::Transient(_) | Outcome::Unknown(_)),
        "500 gave {failed:?}"
    );

    // From here on the request was read and nobody can say whether it was acted on.
    let endless = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n{}",
        "x".repeat(3_000_000)
    );
    let doubtful = [
        ("no answer", Reply::Close),
        (
            "garbage for HTTP",
            Reply::Raw(b"\x00\xff garbage \r\n\r\n".to_vec()),
        ),
        (
            "garbage for a body",
            Reply::text(200, "<<<\u{0} not what was promised"),
        ),
        ("an empty body", Reply::text(200, "")),
        (
            "an answer cut short",
            Reply::Raw(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{".to_vec()),
        ),
        ("an endless answer", Reply::Raw(endless.into_bytes())),
        ("silence", Reply::Hang),
    ];
    for (what, reply) in doubtful {
        let outcome = outcome_of(subject, reply).await;
        assert!(
            matches!(outcome, Outcome::Unknown(_)),
            "{what} gave {outcome:?}"
        );
    }

    let nobody = (subject.build)(&closed_port().await, client());
    let outcome = nobody.send(&subject.message, FIRST).await;
    assert!(
        matches!(outcome, Outcome::Transient(_)),
        "a refused connection gave {outcome:?}"
    );

    account(&*nobody);
}

/// The rules for any account.
pub fn account(account: &dyn Account) {
    let capabilities = account.capabilities();
    assert_eq!(
        capabilities,
        account.capabilities(),
        "capabilities never change"
    );
    assert!(
        capabilities.concurrency >= 1,
        "an account that sends nothing"
    );
    assert!(
        (1..=900).contains(&capabilities.send_seconds_max),
        "a send has a deadline"
    );
    assert!(
        account.name().as_str().contains('/'),
        "named gateway/account"
    );
    let (method, headers) = (Method::POST, HeaderMap::new());
    for body in [
        &b""[..],
        b"\xff\xfe\x00",
        b"{",
        b"{}",
        b"[]",
        b"a=b&a=b&%zz",
        &[b'{'; 4096],
    ] {
        let request = WebRequest {
            method: &method,
            public_url: "https://gw.example.org/webhook/sms/main",
            query: "",
            token: None,
            headers: &headers,
            body,
            peer: None,
        };
        let answer = account.webhook(&request, UnixMillis(1_790_000_000_000));
        assert!(
            answer.is_err(),
            "a call without signature or token was taken: {answer:?}"
        );
    }
}

async fn outcome_of(subject: &HttpSubject<'_>, reply: Reply) -> Outcome {
    let server = ScriptedHttp::start([reply]).await;
    let account = (subject.build)(server.base_url(), client());
    let outcome = account.send(&subject.message, FIRST).await;
    assert_eq!(server.requests().len(), 1, "one request an attempt");
    outcome
}

/// Short deadlines: the suite lets every account run into them once.
fn client() -> HttpClient {
    let limits = HttpLimits {
        total: Duration::from_millis(800),
        ..HttpLimits::default()
    };
    HttpClient::new(limits).unwrap()
}

/// A base URL where nobody listens.
async fn closed_port() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
