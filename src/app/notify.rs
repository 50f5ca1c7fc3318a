//! Words to the service manager (`sd_notify`), and signals from it.

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Draining has begun.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// What `systemctl status` shows.
pub(super) fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "The service manager was not told."
        );
    }
}
