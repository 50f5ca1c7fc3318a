//! Listeners that systemd opened and handed over (`sd_listen_fds(3)`): `deploy/systemd/transom.socket`.

use listenfd::ListenFd;
use transom_adapter::{Socket, Sockets};

/// What was handed over; nothing where no service manager did.
pub(super) fn sockets() -> Sockets {
    let mut handed = ListenFd::from_env();
    let mut sockets = Vec::new();
    for place in 0..handed.len() {
        // What is no listener of the one kind may be one of the other.
        if let Ok(Some(listener)) = handed.take_tcp_listener(place) {
            sockets.push(Socket::Tcp(listener));
        } else if let Ok(Some(listener)) = handed.take_unix_listener(place) {
            sockets.push(Socket::Unix(listener));
        } else {
            tracing::warn!(
                place,
                "A socket of the service manager is no listener of a stream."
            );
        }
    }
    Sockets::new(sockets)
}
