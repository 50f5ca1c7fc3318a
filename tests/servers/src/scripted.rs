//! Clients of others that go once through what people do, and tell what they see.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::USER_PASSWORD;
use crate::process::{Launch, Process, find_program};
use crate::scratch::Scratch;
use crate::wait::{PATIENCE, until};

/// Standard output and error.
const LOG: &str = "client.log";

/// Who talks with whom.
#[derive(Clone, Copy, Debug)]
pub struct Roles<'a> {
    /// The user's bare JID.
    pub user: &'a str,
    /// The gateway's.
    pub gateway: &'a str,
    /// The contact's that will be added.
    pub contact: &'a str,
}

/// A running client. Each of its steps is a line of JSON; the test plays the other side.
pub struct ScriptedClient {
    process: Process,
    log: PathBuf,
    taken: usize,
    _scratch: Scratch,
}

impl ScriptedClient {
    /// The Python library slixmpp: `slixmpp/client.py`.
    pub fn slixmpp(server: SocketAddr, roles: Roles<'_>) -> Self {
        let folder = folder("slixmpp");
        let scratch = Scratch::owned("slixmpp", None);
        let args = [
            folder.join("client.py").display().to_string(),
            server.ip().to_string(),
            server.port().to_string(),
        ];
        let launch = Launch::new(
            installed(folder.join("venv/bin/python")),
            scratch.path(),
            LOG,
        )
        .args(args)
        .args(spoken(roles));
        Self::run(&launch, scratch)
    }

    /// Converse.js in Chromium, without a window, at a server's WebSocket: `converse/person.mjs`. With `TRANSOM_TEST_SCREENSHOTS` set to a folder,
    /// the pictures of the screen stay there.
    pub fn converse(websocket: &str, roles: Roles<'_>) -> Self {
        let folder = folder("converse");
        installed(folder.join("node_modules/converse.js/package.json"));
        let scratch = Scratch::owned("converse", None);
        let pictures = env::var("TRANSOM_TEST_SCREENSHOTS")
            .unwrap_or_else(|_| scratch.path().display().to_string());
        let launch = Launch::new(find_program("node"), scratch.path(), LOG)
            .args([
                folder.join("person.mjs").display().to_string(),
                websocket.to_owned(),
            ])
            .args(spoken(roles))
            .args([
                find_program("chromium").display().to_string(),
                scratch.path().display().to_string(),
                pictures,
            ]);
        Self::run(&launch, scratch)
    }

    fn run(launch: &Launch, scratch: Scratch) -> Self {
        Self {
            process: launch.spawn(),
            log: scratch.join(LOG),
            taken: 0,
            _scratch: scratch,
        }
    }

    /// Waits until the client does the next step, which has to be this one, and gives what was seen.
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

fn folder(client: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(client)
}

fn installed(file: PathBuf) -> PathBuf {
    assert!(
        file.is_file(),
        "{} is missing; tests/run installs it",
        file.display()
    );
    file
}

fn spoken(roles: Roles<'_>) -> [&str; 4] {
    [roles.user, USER_PASSWORD, roles.gateway, roles.contact]
}

/// The complete line of JSON after so many; what a client complains of stands between them.
fn nth_line(log: &Path, count: usize) -> Option<String> {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let complete = text.rsplit_once('\n').map_or("", |(before, _)| before);
    let mut lines = complete.lines().filter(|line| line.starts_with('{'));
    lines.nth(count).map(str::to_owned)
}
