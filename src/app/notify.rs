//! Words to the service manager (`sd_notify`), and signals from it.

use std::{
    ffi::OsStr,
    io,
    os::unix::{ffi::OsStrExt as _, net::UnixDatagram},
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

/// So long the service manager may take to read. It must not be able to hold anything up: its socket takes few words, and whoever
/// writes one more would wait for ever.
const PATIENCE: Duration = Duration::from_secs(3);

/// SIGTERM and SIGINT as one stream, SIGHUP as another.
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next request to stop; SIGHUP calls `reload` meanwhile.
    pub(super) async fn next(&mut self, reload: &(dyn Fn() + Send + Sync)) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload(),
            }
        }
    }
}

/// The store commits and the listeners accept (semantics 35).
pub(super) async fn ready() {
    tell("READY=1").await;
}

/// Draining has begun.
pub(super) async fn stopping() {
    tell("STOPPING=1").await;
}

/// What `systemctl status` shows.
pub(super) async fn status(text: &str) {
    tell(&format!("STATUS={text}")).await;
}

async fn tell(word: &str) {
    let Some(place) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    if let Err(error) = tell_at(&place, word, PATIENCE).await {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "The service manager was not told."
        );
    }
}

/// `sd_notify(3)`: one datagram.
async fn tell_at(place: &OsStr, word: &str, patience: Duration) -> io::Result<()> {
    let telling = async {
        let socket = tokio::net::UnixDatagram::from_std(connected(place)?)?;
        socket.send(word.as_bytes()).await.map(drop)
    };
    let told = timeout(patience, telling).await;
    told.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn connected(place: &OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    #[cfg(target_os = "linux")]
    if let Some(name) = place.as_bytes().strip_prefix(b"@") {
        use std::os::{linux::net::SocketAddrExt as _, unix::net::SocketAddr};
        socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?;
        return Ok(socket);
    }
    socket.connect(place)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manager_that_does_not_read_holds_nothing_up() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("notify");
        let manager = UnixDatagram::bind(&place).unwrap();
        let tell = async |patience| tell_at(place.as_os_str(), "STATUS=up", patience).await;
        let mut told = 0;
        while tell(Duration::from_millis(50)).await.is_ok() {
            told += 1;
            assert!(told < 10_000, "the socket never was full");
        }
        let reading = tokio::task::spawn_blocking(move || {
            let mut word = [0; 64];
            let bytes = manager.recv(&mut word).unwrap();
            (manager, word[..bytes].to_vec())
        });
        assert!(tell(PATIENCE).await.is_ok(), "it reads again");
        assert_eq!(reading.await.unwrap().1, b"STATUS=up");
    }

    #[tokio::test]
    async fn nobody_at_the_place_is_an_error() {
        let place = OsStr::new("/nowhere/notify");
        assert!(tell_at(place, "READY=1", PATIENCE).await.is_err());
        let place = OsStr::new("@transom-nobody-listens-here");
        assert!(tell_at(place, "READY=1", PATIENCE).await.is_err());
    }
}
