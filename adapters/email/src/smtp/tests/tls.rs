//! What goes out under TLS, and what does not go without.

use tokio::io::AsyncReadExt;

use super::*;

/// The greeting and EHLO in the clear, STARTTLS answered with `answer`, then the script under TLS.
async fn tls_server(answer: &'static str, script: Script) -> Server {
    let mut server = Server::start([]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    server.port = listener.local_addr().unwrap().port();
    let lines = Arc::clone(&server.lines);
    server.lifecycle.spawn("tls-smtp", async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 500];
        for reply in ["220 mx", "250-mx\r\n250 STARTTLS", answer] {
            stream
                .write_all(format!("{reply}\r\n").as_bytes())
                .await
                .unwrap();
            if reply != answer {
                assert!(stream.read(&mut buffer).await.unwrap() > 0);
            }
        }
        if let Ok(stream) = acceptor().accept(stream).await {
            // The library's EHLO comes first: there is no second greeting.
            let mut stream = BufReader::new(stream);
            let mut ehlo = String::new();
            stream.read_line(&mut ehlo).await.unwrap();
            serve(stream, script, lines).await;
        }
    });
    server
}

const CERTIFICATE: &[u8] = include_bytes!("../../../tests/fixtures/tls/cert.der");

const PRIVATE_KEY: &[u8] = include_bytes!("../../../tests/fixtures/tls/key.der");

fn acceptor() -> tokio_rustls::TlsAcceptor {
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(PRIVATE_KEY);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFICATE.into()], key.into())
        .unwrap();
    Arc::new(config).into()
}

fn trusting() -> Arc<ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CERTIFICATE.into()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

#[tokio::test]
async fn a_mail_goes_out_under_starttls() {
    let under_tls = [&[OFFERS, OFFERS, "235 welcome"], &SENT[..]].concat();
    let server = tls_server("220 go", under_tls).await;
    let account = server.account_with(Security::Required, true, Some(trusting()));
    let outcome = account.send(&message(), FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert!(
        server
            .lines()
            .iter()
            .any(|line| line.starts_with("AUTH PLAIN"))
    );
}

#[tokio::test]
async fn what_is_written_ahead_of_the_handshake_is_not_believed() {
    let under_tls = [&[OFFERS, OFFERS], &SENT[..]].concat();
    // A meddler's replies to come: believed, they would shift every later one.
    let server = tls_server("220 go\r\n250-mx\r\n250 DSN\r\n250 ok", under_tls).await;
    let account = server.account_with(Security::Required, false, Some(trusting()));
    let outcome = account.send(&message(), FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert!(
        server.lines().iter().any(|line| line.contains(" SIZE=")),
        "the real offers count"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let system = transom_adapter::client_config().unwrap();
    for security in [Security::Required, Security::Opportunistic] {
        let server = tls_server("220 go", Vec::new()).await;
        let account = server.account_with(security, false, Some(Arc::clone(&system)));
        let outcome = account.send(&message(), FIRST).await;
        assert!(matches!(outcome, Outcome::Transient(_)), "{outcome:?}");
        assert!(server.lines().is_empty());
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_where_tls_is_required() {
    let server = Server::start([vec!["220 mx", OFFERS]]).await;
    let outcome = server
        .account(Security::Required, false)
        .send(&message(), FIRST)
        .await;
    assert!(matches!(outcome, Outcome::Misconfigured(_)), "{outcome:?}");
    assert_eq!(server.lines(), ["EHLO mail.example.org"]);
}

#[tokio::test]
async fn opportunistic_goes_on_without_tls_but_sends_no_password() {
    let plain = ["220 mx", OFFERS, OFFERS, OFFERS];
    let server = Server::start([[&plain[..], &SENT].concat(), plain.to_vec()]).await;
    let outcome = server
        .account(Security::Opportunistic, false)
        .send(&message(), FIRST)
        .await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let outcome = server
        .account(Security::Opportunistic, true)
        .send(&message(), FIRST)
        .await;
    assert!(matches!(outcome, Outcome::Misconfigured(_)), "{outcome:?}");
    assert!(!server.lines().iter().any(|line| line.starts_with("AUTH")));
}
