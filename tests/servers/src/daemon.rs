//! A server process that can be stopped and started again in its place.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::net::TcpStream;

use crate::process::{Launch, Process, Signal, is_gone};
use crate::wait::{PATIENCE, until};

/// When a server counts as started.
pub(crate) enum Ready {
    /// All accept connections.
    Ports(Vec<SocketAddr>),
    /// The log, of which only what this start wrote counts, holds the words.
    Log(PathBuf, &'static str),
}

/// A server: how it starts, when it is ready, and the process while it runs.
pub(crate) struct Daemon {
    launch: Launch,
    ready: Ready,
    stop_signal: Signal,
    process: Option<Process>,
}

impl Daemon {
    pub(crate) fn new(launch: Launch, ready: Ready, stop_signal: Signal) -> Self {
        Self {
            launch,
            ready,
            stop_signal,
            process: None,
        }
    }

    pub(crate) async fn started(launch: Launch, ready: Ready, stop_signal: Signal) -> Self {
        let mut daemon = Self::new(launch, ready, stop_signal);
        daemon.start().await;
        daemon
    }

    pub(crate) async fn start(&mut self) {
        assert!(self.process.is_none(), "the server runs already");
        let written_before = match &self.ready {
            Ready::Log(log, _) => length(log),
            Ready::Ports(_) => 0,
        };
        let mut process = self.launch.spawn();
        match &self.ready {
            Ready::Ports(ports) => {
                let what = format!("ready on {ports:?}");
                let mut silent = ports.clone();
                process
                    .ready(&what, async || accept(&mut silent).await)
                    .await;
            }
            Ready::Log(log, words) => {
                let what = format!("{words:?} in {}", log.display());
                process
                    .ready(&what, async || {
                        written_since(log, written_before).contains(words)
                    })
                    .await;
            }
        }
        self.process = Some(process);
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.terminate(self.stop_signal).await;
        }
    }

    /// Ends it and its children without a warning.
    pub(crate) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// As [`kill`](Self::kill), and waits for children in sessions of their own, which end when they notice.
    pub(crate) async fn kill_and_wait(&mut self) {
        let children = self.process.as_ref().map(Process::children);
        self.kill();
        for child in children.unwrap_or_default() {
            let what = format!("process {child} to notice its parent's death");
            let gone = until(&what, PATIENCE, async || is_gone(child).then_some(()));
            gone.await.unwrap_or_else(|late| panic!("{late}"));
        }
    }

    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }
}

/// Whether all ports accept connections; strikes those off that do.
async fn accept(silent: &mut Vec<SocketAddr>) -> bool {
    while let Some(port) = silent.last() {
        if TcpStream::connect(port).await.is_err() {
            return false;
        }
        silent.pop();
    }
    true
}

fn length(log: &Path) -> usize {
    std::fs::read(log).map_or(0, |bytes| bytes.len())
}

fn written_since(log: &Path, start: usize) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned()
}
