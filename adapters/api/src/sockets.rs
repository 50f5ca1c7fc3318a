//! Listeners that were opened before the process began, by the service manager.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixListener,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// Listeners that wait for whoever is configured to listen there. While the process restarts, callers wait in them instead of
/// being refused. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sockets(Arc<Mutex<Vec<Socket>>>);

/// One listener.
#[derive(Debug)]
pub enum Socket {
    /// A TCP port.
    Tcp(TcpListener),
    /// A socket file.
    Unix(UnixListener),
}

impl Sockets {
    /// These.
    pub fn new(sockets: Vec<Socket>) -> Self {
        Self(Arc::new(Mutex::new(sockets)))
    }

    /// The listener of this port, ready for an event loop; `None` when nobody opened one.
    ///
    /// # Errors
    ///
    /// When the operating system does not let it be used so.
    pub fn tcp(&self, address: SocketAddr) -> io::Result<Option<TcpListener>> {
        let is_it = |socket: &Socket| match socket {
            Socket::Tcp(listener) => listener.local_addr().is_ok_and(|own| own == address),
            Socket::Unix(_) => false,
        };
        match self.take(is_it) {
            Some(Socket::Tcp(listener)) => {
                listener.set_nonblocking(true)?;
                Ok(Some(listener))
            }
            _ => Ok(None),
        }
    }

    /// The listener of this socket file, ready for an event loop; `None` when nobody opened one.
    ///
    /// # Errors
    ///
    /// When the operating system does not let it be used so.
    pub fn unix(&self, path: &Path) -> io::Result<Option<UnixListener>> {
        let is_it = |socket: &Socket| match socket {
            Socket::Unix(listener) => listener
                .local_addr()
                .is_ok_and(|own| own.as_pathname() == Some(path)),
            Socket::Tcp(_) => false,
        };
        match self.take(is_it) {
            Some(Socket::Unix(listener)) => {
                listener.set_nonblocking(true)?;
                Ok(Some(listener))
            }
            _ => Ok(None),
        }
    }

    /// Where those listen that nobody took: the configuration names other places.
    pub fn left(&self) -> Vec<String> {
        let sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |socket: &Socket| match socket {
            Socket::Tcp(listener) => listener.local_addr().map(|address| address.to_string()),
            Socket::Unix(listener) => listener.local_addr().map(|address| format!("{address:?}")),
        };
        sockets
            .iter()
            .filter_map(|socket| place(socket).ok())
            .collect()
    }

    fn take(&self, is_it: impl Fn(&Socket) -> bool) -> Option<Socket> {
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = sockets.iter().position(is_it)?;
        Some(sockets.swap_remove(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_by_its_place_once() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let folder = std::env::temp_dir().join(format!("transom-sockets-{}", std::process::id()));
        std::fs::remove_file(&folder).ok();
        let unix = UnixListener::bind(&folder).unwrap();
        let sockets = Sockets::new(vec![Socket::Tcp(tcp), Socket::Unix(unix)]);
        assert!(
            sockets
                .tcp("127.0.0.1:1".parse().unwrap())
                .unwrap()
                .is_none()
        );
        assert!(sockets.unix(Path::new("/nowhere")).unwrap().is_none());
        assert!(sockets.clone().tcp(address).unwrap().is_some());
        assert!(sockets.tcp(address).unwrap().is_none(), "taken");
        assert_eq!(sockets.left().len(), 1);
        assert!(sockets.unix(&folder).unwrap().is_some());
        std::fs::remove_file(&folder).unwrap();
    }
}
