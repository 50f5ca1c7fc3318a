//! Where the server is, and the connection to it.

use std::{fmt, io, net::SocketAddr, str::FromStr, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{LinkError, Waiting};

/// The server's component port: `host:port`, or `tls://host:port` for TLS from the first byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: String,
    port: u16,
    tls: bool,
}

/// Why a text is no [`Endpoint`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no server address; write host:port or tls://host:port")]
pub struct EndpointError {
    text: String,
}

impl Endpoint {
    /// Whether the connection begins with TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A name or an address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let error = || EndpointError {
            text: text.to_owned(),
        };
        let (tls, rest) = match text.trim().strip_prefix("tls://") {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        let (host, port) = rest.rsplit_once(':').ok_or_else(error)?;
        let port = port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(error)?;
        let host = match host.strip_prefix('[') {
            Some(v6) => v6
                .strip_suffix(']')
                .filter(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok()),
            None => Some(host).filter(|host| !host.contains([':', '/', '@', ' ', ']'])),
        };
        let host = host.filter(|host| !host.is_empty()).ok_or_else(error)?;
        Ok(Self {
            host: host.to_owned(),
            port,
            tls,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tls://" } else { "" };
        if self.host.contains(':') {
            write!(f, "{scheme}[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}{}:{}", self.host, self.port)
        }
    }
}

/// Either kind of connection.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

/// The system's receive buffer. What lies there when the process is killed was handed over by the server and is
/// gone, so it must not grow to megabytes (semantics 1); the kernel doubles it.
const RECEIVE_BUFFER_BYTES: u32 = 128 * 1024;

/// Connects, with TLS if the endpoint says so; all in `deadline`.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    tls: Option<&Arc<ClientConfig>>,
    deadline: Duration,
) -> Result<Box<dyn Connection>, LinkError> {
    let connecting = async {
        let stream = open(endpoint)
            .await
            .map_err(|error| LinkError::Unreachable {
                endpoint: endpoint.to_string(),
                reason: error.to_string(),
            })?;
        if endpoint.tls {
            Ok(Box::new(encrypt(endpoint, tls, stream).await?) as Box<dyn Connection>)
        } else {
            Ok(Box::new(stream) as Box<dyn Connection>)
        }
    };
    timeout(deadline, connecting)
        .await
        .unwrap_or(Err(LinkError::TimedOut(Waiting::Connect)))
}

async fn open(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host((endpoint.host.as_str(), endpoint.port)).await? {
        match open_at(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn open_at(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.set_nodelay(true)?;
    socket.connect(address).await
}

async fn encrypt(
    endpoint: &Endpoint,
    config: Option<&Arc<ClientConfig>>,
    stream: TcpStream,
) -> Result<impl Connection + use<>, LinkError> {
    let failed = |reason: String| LinkError::Tls {
        endpoint: endpoint.to_string(),
        reason,
    };
    let config = match config {
        Some(config) => Arc::clone(config),
        None => transom_adapter::client_config().map_err(|error| failed(error.to_string()))?,
    };
    let name =
        ServerName::try_from(endpoint.host.clone()).map_err(|error| failed(error.to_string()))?;
    TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive() {
        for text in [
            "127.0.0.1:5347",
            "tls://xmpp.example.org:5270",
            "[::1]:5347",
            "tls://[2001:db8::1]:5347",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        assert!("tls://a:1".parse::<Endpoint>().unwrap().is_tls());
        assert_eq!("[::1]:5347".parse::<Endpoint>().unwrap().host(), "::1");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "a",
            "a:",
            ":1",
            "a:0",
            "a:99999",
            "a:b",
            "::1:5347",
            "http://a:1",
            "a b:1",
            "u@a:1",
            "[::1]5347",
            "[x]:1",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert_eq!(
                error,
                format!("{text:?} is no server address; write host:port or tls://host:port")
            );
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_unreachable() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        drop(socket);
        let endpoint = address.to_string().parse().unwrap();
        let error = connect(&endpoint, None, Duration::from_secs(5)).await.err();
        assert!(
            matches!(error, Some(LinkError::Unreachable { .. })),
            "{error:?}"
        );
    }
}
