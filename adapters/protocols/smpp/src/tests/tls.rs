//! Sessions behind TLS.

use std::sync::Arc;

use bytes::BytesMut;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{Endpoint, Frame};

/// An SMSC whose certificate is for this name.
struct TlsSmsc {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    trusted: Arc<ClientConfig>,
}

impl TlsSmsc {
    async fn start(name: &str) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            acceptor: TlsAcceptor::from(Arc::new(server)),
            trusted: Arc::new(client),
        }
    }

    async fn open(&self, trusted: &Arc<ClientConfig>) -> Result<Session, OpenError> {
        let endpoint = Endpoint {
            host: "localhost".to_owned(),
            port: self.listener.local_addr().unwrap().port(),
            tls: Some(Arc::clone(trusted)),
        };
        Session::open(&endpoint, &login(Bind::Transceiver), OPEN).await
    }

    /// Answers one bind; `None` when it does not come so far.
    async fn answer(&self) -> Option<Frame> {
        let (tcp, _) = self.listener.accept().await.unwrap();
        let mut stream = self.acceptor.accept(tcp).await.ok()?;
        let mut read = BytesMut::new();
        loop {
            if let Some(bind) = Frame::take(&mut read).unwrap() {
                let mut wire = BytesMut::new();
                bind.answer(status::OK, b"smsc\0").write(&mut wire);
                stream.write_all(&wire).await.unwrap();
                return Some(bind);
            }
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

#[tokio::test]
async fn a_password_is_told_behind_tls_to_whom_it_is_meant_for() {
    let smsc = TlsSmsc::start("localhost").await;
    let (opened, bind) = tokio::join!(smsc.open(&smsc.trusted), smsc.answer());
    assert!(opened.is_ok());
    assert_eq!(bind.unwrap().command, command::BIND_TRANSCEIVER);
}

#[tokio::test]
async fn a_certificate_of_another_name_or_of_nobody_known_gets_no_password() {
    let other = TlsSmsc::start("smsc.example.org").await;
    let (opened, bind) = tokio::join!(other.open(&other.trusted), other.answer());
    assert!(matches!(opened, Err(OpenError::Tls(_))), "another name");
    assert!(bind.is_none());
    let (unknown, known) = (
        TlsSmsc::start("localhost").await,
        TlsSmsc::start("localhost").await,
    );
    let (opened, bind) = tokio::join!(unknown.open(&known.trusted), unknown.answer());
    assert!(matches!(opened, Err(OpenError::Tls(_))), "nobody known");
    assert!(bind.is_none());
}
