//! Connections to mail servers: where, and how safe.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use transom_adapter::AllowedHosts;

use crate::excess::{Answers, Watch};

/// For name, TCP and TLS each.
const CONNECT: Duration = Duration::from_secs(20);

/// When a connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Security {
    /// Never: `tls=none`.
    None,
    /// By STARTTLS where it is offered. A password is not sent without it.
    Opportunistic,
    /// By STARTTLS, or not at all: the default.
    Required,
    /// From the first byte: `smtps`, `imaps`. RFC 8314
    Implicit,
}

/// A mail server of the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) reach: Reach,
}

/// Where a connection may lead to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Reach {
    /// Anywhere: an admin has named the host.
    #[default]
    Anywhere,
    /// To public addresses, and to hosts that the admin excepts: a user has named it.
    Public(AllowedHosts),
}

impl Endpoint {
    /// Reads `scheme://host:port?tls=…`; `plain` and `implicit` are the schemes with their ports.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(crate) fn parse(
        text: &str,
        plain: (&str, u16),
        implicit: (&str, u16),
    ) -> Result<Self, String> {
        let url = url::Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
        let (scheme, port) = match url.scheme() {
            scheme if scheme == plain.0 => plain,
            scheme if scheme == implicit.0 => implicit,
            other => {
                return Err(format!(
                    "{other}:// is not {}:// or {}://",
                    plain.0, implicit.0
                ));
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a name or password, which belong into keys of their own".to_owned());
        }
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("has more than a host, a port and ?tls=".to_owned());
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or("has no host")?.trim_matches(['[', ']']);
        let starts_plain = scheme == plain.0;
        let mut security = if starts_plain {
            Security::Required
        } else {
            Security::Implicit
        };
        for (name, value) in url.query_pairs() {
            security = match (&*name, &*value) {
                ("tls", "none") if starts_plain => Security::None,
                ("tls", "opportunistic") if starts_plain => Security::Opportunistic,
                ("tls", "required") => security,
                _ => {
                    return Err(format!(
                        "{name}={value} is not tls=none, required or opportunistic"
                    ));
                }
            };
        }
        Ok(Self {
            host: host.to_owned(),
            port: url.port().unwrap_or(port),
            security,
            reach: Reach::Anywhere,
        })
    }

    /// Opens the TCP connection and, for [`Security::Implicit`], TLS on it.
    ///
    /// # Errors
    ///
    /// When it cannot be opened in time, or the certificate is not good.
    pub(crate) async fn connect(&self, tls: Option<&Arc<ClientConfig>>) -> io::Result<Stream> {
        let tcp = timeout(CONNECT, self.tcp())
            .await
            .map_err(|_| late("connecting"))??;
        // Commands are small and wait for answers: Nagle would cost 40 ms each.
        tcp.set_nodelay(true)?;
        if self.security == Security::Implicit {
            return self.encrypt(tcp, tls).await;
        }
        Ok(Stream::plain(tcp))
    }

    async fn tcp(&self) -> io::Result<TcpStream> {
        match &self.reach {
            Reach::Anywhere => TcpStream::connect((self.host.as_str(), self.port)).await,
            Reach::Public(allowed) => {
                transom_adapter::connect_guarded(&self.host, self.port, allowed).await
            }
        }
    }

    /// TLS on a connection that was plain until now. Nothing that was read before it is kept.
    ///
    /// # Errors
    ///
    /// When the handshake fails or takes too long.
    pub(crate) async fn encrypt(
        &self,
        tcp: TcpStream,
        tls: Option<&Arc<ClientConfig>>,
    ) -> io::Result<Stream> {
        let config = tls.ok_or_else(|| io::Error::other("there is no TLS configuration"))?;
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = timeout(CONNECT, connector.connect(name, tcp))
            .await
            .map_err(|_| late("the TLS handshake"))??;
        Ok(Stream::new(Inner::Tls(Box::new(stream))))
    }
}

fn late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} took too long"))
}

/// A connection, encrypted or not.
#[derive(Debug)]
pub(crate) struct Stream {
    inner: Inner,
    /// Read before anything that comes from the network.
    ahead: &'static [u8],
    watch: Watch,
}

#[derive(Debug)]
enum Inner {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn new(inner: Inner) -> Self {
        Self {
            inner,
            ahead: &[],
            watch: Watch::Replies(0),
        }
    }

    pub(crate) fn plain(tcp: TcpStream) -> Self {
        Self::new(Inner::Tcp(tcp))
    }

    /// Reads answers as IMAP has them, instead of replies to what is written.
    pub(crate) fn with_answers(mut self) -> Self {
        self.watch = Watch::Answers(Answers::default());
        self
    }

    /// From now on an answer may have so many bytes.
    pub(crate) fn take_answers_of(&mut self, bytes: usize) {
        if let Watch::Answers(answers) = &mut self.watch {
            answers.bytes_max = bytes;
        }
    }

    /// Puts bytes in front of what is read.
    pub(crate) fn with_ahead(mut self, ahead: &'static [u8]) -> Self {
        self.ahead = ahead;
        self
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        matches!(self.inner, Inner::Tls(_))
    }

    /// The bare connection again, if it is not encrypted.
    pub(crate) fn into_tcp(self) -> Option<TcpStream> {
        match self.inner {
            Inner::Tcp(tcp) => Some(tcp),
            Inner::Tls(_) => None,
        }
    }
}

impl lettre::transport::smtp::client::AsyncTokioStream for Stream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.inner {
            Inner::Tcp(tcp) => tcp.peer_addr(),
            Inner::Tls(tls) => tls.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let (now, later) = self.ahead.split_at(self.ahead.len().min(buf.remaining()));
            buf.put_slice(now);
            self.ahead = later;
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let read = match &mut self.inner {
            Inner::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Inner::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        };
        ready!(read)?;
        let came = buf.filled().get(before..).unwrap_or_default();
        if let Err(excess) = self.watch.read(came) {
            buf.set_filled(before);
            return Poll::Ready(Err(excess.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.watch.wrote();
        match &mut self.inner {
            Inner::Tcp(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Inner::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Inner::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = match &mut self.inner {
            Inner::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Inner::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        };
        Poll::Ready(ready!(done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint, String> {
        Endpoint::parse(text, ("smtp", 587), ("smtps", 465))
    }

    #[test]
    fn tls_is_required_unless_said_otherwise() {
        let cases = [
            ("smtp://mx.example.org", 587, Security::Required),
            ("smtp://mx.example.org:25?tls=none", 25, Security::None),
            (
                "smtp://mx.example.org?tls=required",
                587,
                Security::Required,
            ),
            (
                "smtp://mx.example.org:26?tls=opportunistic",
                26,
                Security::Opportunistic,
            ),
            ("smtps://mx.example.org", 465, Security::Implicit),
        ];
        for (text, port, security) in cases {
            let host = "mx.example.org".to_owned();
            let want = Endpoint {
                host,
                port,
                security,
                reach: Reach::Anywhere,
            };
            assert_eq!(parse(text), Ok(want), "for {text}");
        }
        assert_eq!(parse("smtp://[::1]:25?tls=none").unwrap().host, "::1");
    }

    #[test]
    fn a_wrong_url_is_told_apart() {
        for (text, want) in [
            (
                "mx.example.org:25",
                "mx.example.org:// is not smtp:// or smtps://",
            ),
            ("imap://mx", "imap:// is not smtp:// or smtps://"),
            (
                "smtp://a:b@mx",
                "holds a name or password, which belong into keys of their own",
            ),
            (
                "smtp://mx?tls=maybe",
                "tls=maybe is not tls=none, required or opportunistic",
            ),
            (
                "smtps://mx?tls=none",
                "tls=none is not tls=none, required or opportunistic",
            ),
            ("smtp://mx/path", "has more than a host, a port and ?tls="),
            ("smtp:", "has no host"),
        ] {
            assert_eq!(parse(text).unwrap_err(), want, "for {text}");
        }
    }
}
