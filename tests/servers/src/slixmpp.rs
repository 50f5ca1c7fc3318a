//! A client on the Python library slixmpp, which goes through a scenario of its own and tells what it sees.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::USER_PASSWORD;
use crate::process::{Launch, Process};
use crate::scratch::Scratch;
use crate::wait::{PATIENCE, until};

/// Where `tests/run` installs the library, and where the scenario stands.
const FOLDER: &str = "slixmpp";
/// Standard output and error.
const LOG: &str = "slixmpp.log";

/// A running client: `slixmpp/client.py`.
pub struct Slixmpp {
    process: Process,
    log: PathBuf,
    taken: usize,
    _scratch: Scratch,
}

impl Slixmpp {
    /// Starts one that logs in at `server`.
    pub fn start(server: SocketAddr, jid: &str, gateway: &str, contact: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
        let python = folder.join("venv/bin/python");
        assert!(
            python.is_file(),
            "slixmpp is not installed; tests/run installs it"
        );
        let scratch = Scratch::owned("slixmpp", None);
        let launch = Launch::new(python, scratch.path(), LOG).args([
            folder.join("client.py").display().to_string(),
            server.ip().to_string(),
            server.port().to_string(),
            jid.to_owned(),
            USER_PASSWORD.to_owned(),
            gateway.to_owned(),
            contact.to_owned(),
        ]);
        Self {
            process: launch.spawn(),
            log: scratch.join(LOG),
            taken: 0,
            _scratch: scratch,
        }
    }

    /// Waits for the next step, which has to be this one, and gives what was seen.
    pub async fn step(&mut self, name: &str) -> Value {
        let (log, taken) = (&self.log, self.taken);
        let what = format!("the client's step {name:?}");
        let mut seen = None;
        let is_there = async || {
            seen = nth_line(log, taken);
            seen.is_some()
        };
        self.process.ready(&what, is_there).await;
        self.taken += 1;
        let seen: Value = serde_json::from_str(&seen.expect("seen just now")).expect("JSON");
        assert_eq!(seen["step"], name, "{seen}");
        seen
    }

    /// Waits until the client has logged out and ended.
    pub async fn end(mut self) {
        self.step("end").await;
        let ended = until("the client to end", PATIENCE, async || self.process.ended());
        let status = ended.await.unwrap_or_else(|late| panic!("{late}"));
        assert!(status.success(), "the client ended with {status}");
    }
}

/// The complete line of JSON after so many; what Python complains of stands between them.
fn nth_line(log: &Path, count: usize) -> Option<String> {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let complete = text.rsplit_once('\n').map_or("", |(before, _)| before);
    let mut lines = complete.lines().filter(|line| line.starts_with('{'));
    lines.nth(count).map(str::to_owned)
}
