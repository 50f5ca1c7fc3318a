//! Where the mail server connects: a TCP port or a socket file.

use std::{
    fs::Permissions,
    io,
    net::IpAddr,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::{TcpListener, UnixListener, UnixStream};
use transom_adapter::Sockets;

use crate::config::Listen;

/// A connection, whatever carries it.
pub(crate) type Stream = Box<dyn Duplex>;

/// Both directions of a byte stream.
pub(crate) trait Duplex:
    tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin
{
}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Duplex for T {}

/// An open listener; a socket file is removed with it.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        /// Removed when the listener is dropped, unless it is the service manager's.
        _file: Option<SocketFile>,
    },
}

#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

impl Listener {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// When the address is taken or may not be used.
    pub(crate) async fn open(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Listen::Unix(path) => {
                remove_stale(path).await?;
                let listener = UnixListener::bind(path)?;
                let file = SocketFile(path.clone());
                // The mail server reaches it through its group; nobody else may hand mail in.
                std::fs::set_permissions(path, Permissions::from_mode(0o660))?;
                Ok(Self::Unix {
                    listener,
                    _file: Some(file),
                })
            }
        }
    }

    /// Takes it from those that the service manager opened.
    ///
    /// # Errors
    ///
    /// When it cannot be used.
    pub(crate) fn inherited(listen: &Listen, sockets: &Sockets) -> io::Result<Option<Self>> {
        Ok(match listen {
            Listen::Tcp(address) => {
                let Ok(address) = address.parse() else {
                    return Ok(None);
                };
                match sockets.tcp(address)? {
                    Some(listener) => Some(Self::Tcp(TcpListener::from_std(listener)?)),
                    None => None,
                }
            }
            Listen::Unix(path) => match sockets.unix(path)? {
                Some(listener) => Some(Self::Unix {
                    listener: UnixListener::from_std(listener)?,
                    _file: None,
                }),
                None => None,
            },
        })
    }

    /// The next connection, and who it is where that can be told.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Some(peer.ip())))
            }
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::new(stream), None))
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Tcp(listener) => listener.local_addr().map_or(0, |address| address.port()),
            Self::Unix { .. } => 0,
        }
    }
}

/// A socket file that nobody listens on is left from a process that was killed.
async fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if !is_socket {
        return Ok(());
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}
