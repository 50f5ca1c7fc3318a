//! Connecting and binding.

use std::{fmt, sync::Arc, time::Duration};

use bytes::{BufMut, BytesMut};
use rustls::{ClientConfig, pki_types::ServerName};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    frame::{Frame, command},
    message::put_text,
    status,
};

/// Where an SMSC listens.
#[derive(Clone)]
pub struct Endpoint {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// With TLS from the first octet on.
    pub tls: Option<Arc<ClientConfig>>,
}

/// How to log in.
#[derive(Clone)]
pub struct Login {
    /// For what.
    pub bind: Bind,
    /// The version that we say we speak.
    pub version: Version,
    /// At most 15 characters.
    pub system_id: String,
    /// At most 8 characters by the specification; longer ones are in use.
    pub password: SecretString,
    /// At most 12 characters; mostly empty.
    pub system_type: String,
    /// `address_range`; mostly empty.
    pub address_range: String,
}

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bind {
    /// Both directions.
    Transceiver,
    /// Sending alone.
    Transmitter,
    /// Receiving alone.
    Receiver,
}

/// `interface_version`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Version {
    /// 0x34
    V3_4,
    /// 0x50
    V5_0,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody answers there.
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    /// The host is none that a certificate could name.
    #[error("the host is no name that a certificate can hold")]
    Name,
    /// No TLS.
    #[error("TLS failed: {0}")]
    Tls(std::io::Error),
    /// The connection ended before the answer.
    #[error("the connection ended before the bind was answered: {0}")]
    Lost(std::io::Error),
    /// It took too long.
    #[error("no answer to the bind within {} seconds", .0.as_secs())]
    Late(Duration),
    /// What came is no SMPP.
    #[error("what answers there does not speak SMPP")]
    NotSmpp,
    /// The SMSC says no.
    #[error("the SMSC refuses the bind with {}", status::name(*.0))]
    Refused(u32),
}

impl OpenError {
    /// Whether somebody has to change something, here or there.
    pub fn is_refusal(&self) -> bool {
        // Out of order, full, throttled, or still bound by a connection that has not been noticed to be dead: it passes.
        let passes = [
            status::SYSTEM_ERROR,
            status::ALREADY_BOUND,
            status::QUEUE_FULL,
            status::THROTTLED,
        ];
        matches!(self, Self::Refused(status) if !passes.contains(status))
            || matches!(self, Self::Name | Self::NotSmpp)
    }
}

/// Octets both ways: TCP, or TLS over it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that is bound.
pub struct Session {
    pub(crate) stream: Box<dyn Stream>,
    /// What was read beyond the answer to the bind.
    pub(crate) read: BytesMut,
}

impl Session {
    /// Connects and binds, everything within `deadline`.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub async fn open(
        endpoint: &Endpoint,
        login: &Login,
        deadline: Duration,
    ) -> Result<Self, OpenError> {
        let opened = timeout(deadline, async {
            let mut session = Self {
                stream: connect(endpoint).await?,
                read: BytesMut::new(),
            };
            session.bind(login).await?;
            Ok(session)
        });
        opened.await.unwrap_or(Err(OpenError::Late(deadline)))
    }

    async fn bind(&mut self, login: &Login) -> Result<(), OpenError> {
        let request = Frame::new(login.bind.command(), 1, login.body());
        let mut wire = BytesMut::new();
        request.write(&mut wire);
        self.stream
            .write_all(&wire)
            .await
            .map_err(OpenError::Lost)?;
        loop {
            let frame = match Frame::take(&mut self.read) {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    let read = self.stream.read_buf(&mut self.read).await;
                    if read.map_err(OpenError::Lost)? == 0 {
                        return Err(OpenError::Lost(std::io::ErrorKind::UnexpectedEof.into()));
                    }
                    continue;
                }
                Err(_) => return Err(OpenError::NotSmpp),
            };
            let is_answer = frame.command == request.command | command::RESPONSE
                || frame.command == command::GENERIC_NACK;
            match frame.status {
                _ if !is_answer => {}
                status::OK => return Ok(()),
                refused => return Err(OpenError::Refused(refused)),
            }
        }
    }

    /// Ends a session that carried nothing, in good manners.
    pub async fn close(mut self, deadline: Duration) {
        let mut wire = BytesMut::new();
        Frame::new(command::UNBIND, 2, BytesMut::new()).write(&mut wire);
        let closing = async {
            self.stream.write_all(&wire).await?;
            self.stream.shutdown().await
        };
        // It is over either way.
        drop(timeout(deadline, closing).await);
    }
}

async fn connect(endpoint: &Endpoint) -> Result<Box<dyn Stream>, OpenError> {
    let address = (endpoint.host.as_str(), endpoint.port);
    let tcp = TcpStream::connect(address)
        .await
        .map_err(OpenError::Connect)?;
    tcp.set_nodelay(true).map_err(OpenError::Connect)?;
    let Some(tls) = &endpoint.tls else {
        return Ok(Box::new(tcp));
    };
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| OpenError::Name)?;
    let tls = TlsConnector::from(Arc::clone(tls)).connect(name, tcp);
    Ok(Box::new(tls.await.map_err(OpenError::Tls)?))
}

impl Bind {
    fn command(self) -> u32 {
        match self {
            Self::Transceiver => command::BIND_TRANSCEIVER,
            Self::Transmitter => command::BIND_TRANSMITTER,
            Self::Receiver => command::BIND_RECEIVER,
        }
    }

    /// Whether messages can be sent.
    pub fn sends(self) -> bool {
        self != Self::Receiver
    }
}

impl Login {
    fn body(&self) -> BytesMut {
        let mut body = BytesMut::new();
        put_text(&mut body, &self.system_id);
        put_text(&mut body, self.password.expose_secret());
        put_text(&mut body, &self.system_type);
        body.put_u8(match self.version {
            Version::V3_4 => 0x34,
            Version::V5_0 => 0x50,
        });
        // addr_ton, addr_npi
        body.put_slice(&[0, 0]);
        put_text(&mut body, &self.address_range);
        body
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}
