//! Coming up, being refused, coming back.

use std::{sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

use super::{
    double::{Bench, HEADER, Heard, Peer},
    *,
};

#[tokio::test]
async fn the_handshake_is_made_and_the_link_is_up() {
    let mut bench = Bench::new().await;
    assert!(!bench.link.is_up());
    let mut peer = bench.accept().await;
    // sha1("3BF96D32" + "s3cr3t")
    assert_eq!(
        peer.hear_handshake().await,
        "ba33290100f616a33656a931798d6c9011cfa840"
    );
    peer.say("<handshake/>").await;
    assert!(matches!(bench.event().await, LinkEvent::Up));
    assert!(bench.link.is_up());
    assert_eq!(bench.link.counters().connected(), 1);
    assert!(bench.link.counters().since_last_traffic().is_some());
}

#[tokio::test]
async fn the_header_names_the_component() {
    let mut bench = Bench::new().await;
    let mut peer = bench.accept().await;
    let Heard::Open(header) = peer.hear().await else {
        panic!("no header")
    };
    assert_eq!(
        header,
        "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' \
         to='sms.example.org'>"
    );
}

#[tokio::test]
async fn a_login_byte_by_byte_with_a_stanza_behind_it_works() {
    let mut bench = Bench::new().await;
    let mut peer = bench.accept().await;
    assert!(matches!(peer.hear().await, Heard::Open(_)));
    let stanza = "<message from='a@example.org' to='b@sms.example.org'><body>hi</body></message>";
    for byte in format!("{HEADER}<handshake></handshake>{stanza}").chars() {
        peer.say(&byte.to_string()).await;
    }
    assert!(matches!(bench.event().await, LinkEvent::Up));
    assert_eq!(double::bodies(&bench.batch().await.stanzas), ["hi"]);
}

#[tokio::test]
async fn each_refusal_is_told_apart_and_the_link_comes_back() {
    let mut bench = Bench::new().await;
    let text = Some("Because".to_owned());
    for (condition, want) in [
        (
            "not-authorized",
            LinkError::WrongSecret { text: text.clone() },
        ),
        (
            "host-unknown",
            LinkError::UnknownHost { text: text.clone() },
        ),
        (
            "conflict",
            LinkError::ConflictAtLogin { text: text.clone() },
        ),
        (
            "system-shutdown",
            LinkError::SystemShutdown { text: text.clone() },
        ),
        (
            "invalid-namespace",
            LinkError::Refused {
                condition: "invalid-namespace".into(),
                text: text.clone(),
            },
        ),
    ] {
        let mut peer = bench.accept().await;
        peer.hear_handshake().await;
        peer.say_stream_error(condition, "Because").await;
        assert_eq!(bench.down().await, want);
    }
    bench.log_in().await;
    assert!(bench.link.is_up());
}

#[tokio::test]
async fn a_refusal_before_the_handshake_is_understood() {
    let mut bench = Bench::new().await;
    let mut peer = bench.accept().await;
    // As Prosody does it: no id.
    peer.say(
        "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='' \
         xmlns='jabber:component:accept' version='1.0'>",
    )
    .await;
    peer.say_stream_error("host-unknown", "Because").await;
    assert_eq!(
        bench.down().await,
        LinkError::UnknownHost {
            text: Some("Because".into())
        }
    );
}

#[tokio::test]
async fn servers_without_words_are_told_apart_too() {
    let mut bench = Bench::with(|config| config.timing.login = Duration::from_millis(200)).await;
    drop(bench.accept().await);
    assert_eq!(bench.down().await, LinkError::Closed(Phase::Login));

    let mut peer = bench.accept().await;
    peer.hear_handshake().await;
    peer.say("</stream:stream>").await;
    assert_eq!(bench.down().await, LinkError::Closed(Phase::Login));

    for garbage in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "<html>",
        "<stream:stream>",
        "\u{0}\u{1}",
    ] {
        let mut peer = bench.accept().await;
        peer.say(garbage).await;
        let error = bench.down().await;
        assert!(
            matches!(error, LinkError::Malformed(_)),
            "for {garbage:?}: {error}"
        );
    }

    let _silent = bench.accept().await;
    assert_eq!(bench.down().await, LinkError::TimedOut(Waiting::Login));
}

#[tokio::test]
async fn down_says_when_it_tries_again() {
    let mut bench = Bench::with(|config| config.backoff = Backoff::default()).await;
    drop(bench.accept().await);
    bench.down().await;
    let LinkState::Down { error, retry_at } = bench.link.state().borrow().clone() else {
        panic!("not down")
    };
    assert_eq!(error, LinkError::Closed(Phase::Login));
    assert!(retry_at > tokio::time::Instant::now());
}

fn server_tls() -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn client_tls() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(include_bytes!("tls/ca.pem")).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

fn over_tls(config: &mut LinkConfig, host: &str) {
    let port = config
        .endpoint
        .to_string()
        .rsplit_once(':')
        .unwrap()
        .1
        .to_owned();
    config.endpoint = format!("tls://{host}:{port}").parse().unwrap();
}

#[tokio::test]
async fn it_works_over_tls() {
    let mut bench = Bench::with(|config| {
        over_tls(config, "localhost");
        config.tls = Some(client_tls());
    })
    .await;
    let (stream, _) = bench.listener.accept().await.unwrap();
    let mut peer = Peer::new(server_tls().accept(stream).await.unwrap());
    peer.welcome().await;
    assert!(matches!(bench.event().await, LinkEvent::Up));
    let mut outcome = bench.tracked(vec![double::outgoing("x".repeat(100_000).as_str()).into()]);
    peer.hear_message().await;
    let ping = peer.hear_iq().await;
    peer.answer(&ping).await;
    assert_eq!(outcome.recv().await, Some(Ok(())));
}

#[tokio::test]
async fn a_wrong_certificate_is_a_tls_error() {
    for (host, tls) in [("127.0.0.1", Some(client_tls())), ("localhost", None)] {
        let mut bench = Bench::with(|config| {
            over_tls(config, host);
            config.tls = tls;
        })
        .await;
        let (stream, _) = bench.listener.accept().await.unwrap();
        assert!(server_tls().accept(stream).await.is_err());
        let error = bench.down().await;
        assert!(matches!(error, LinkError::Tls { .. }), "{error}");
    }
}

#[tokio::test]
async fn plain_text_where_tls_is_expected_is_a_tls_error() {
    let mut bench = Bench::with(|config| {
        over_tls(config, "localhost");
        config.tls = Some(client_tls());
    })
    .await;
    let mut peer = bench.accept().await;
    peer.say(HEADER).await;
    assert!(matches!(bench.down().await, LinkError::Tls { .. }));
}
