//! Folders for servers: one a server, all under one a process, gone when their owner is.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::owner::{Owner, set_mode};

/// How many lines of each log a failing test prints.
const TAIL_LINES: usize = 60;

/// A folder that is removed on drop; when a test is failing, its logs are printed first.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = ROOT.path.join(format!("{name}-{number}"));
        fs::create_dir(&path).expect("a new folder");
        set_mode(&path, 0o755);
        Self { path }
    }

    /// A folder that belongs to the user a server runs as.
    pub(crate) fn owned(name: &str, owner: Option<&Owner>) -> Self {
        let scratch = Self::new(name);
        if let Some(owner) = owner {
            owner.take(&scratch.path);
        }
        scratch
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, content).expect("a file in our own folder");
        path
    }

    pub(crate) fn folder(&self, name: &str, owner: Option<&Owner>) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(&path).expect("a folder in our own folder");
        if let Some(owner) = owner {
            owner.take(&path);
        }
        path
    }

    /// Prints the logs when the test that this thread runs is failing.
    pub(crate) fn print_logs_on_failure(&self) {
        if std::thread::panicking() {
            for log in logs_in(&self.path) {
                eprintln!("---- {}\n{}", log.display(), tail(&log));
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.print_logs_on_failure();
        fs::remove_dir_all(&self.path).ok(); // the sweeper takes what is left
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

fn logs_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut logs: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs
}

static ROOT: LazyLock<Root> = LazyLock::new(Root::create);

/// The process's folder, and a shell that waits for the process's end, however it comes, to remove it.
struct Root {
    path: PathBuf,
    _sweeper: Child, // holds the pipe whose end the shell waits for
}

impl Root {
    fn create() -> Self {
        let path = tempfile::Builder::new()
            .prefix("transom-test-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        set_mode(&path, 0o755); // servers of other users pass through
        // The servers die with us too; a moment later none of them writes any more.
        let sweeper = Command::new("sh")
            .args(["-c", "cat; sleep 1; rm -rf -- \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh");
        Self {
            path,
            _sweeper: sweeper,
        }
    }
}
