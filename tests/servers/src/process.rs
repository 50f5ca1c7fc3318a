//! Child processes that never outlive the test process.

use std::fs::File;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, LazyLock, mpsc};
use std::time::Duration;

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};

use crate::owner::Owner;
use crate::scratch::tail;
use crate::wait::{START_PATIENCE, until};

/// How to start a program in the foreground.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) envs: Vec<(String, String)>,
    pub(crate) folder: PathBuf,
    /// Where its standard output and error go.
    pub(crate) log: PathBuf,
    pub(crate) owner: Option<Owner>,
    /// Whether we put it into a process group; otherwise it does so itself.
    pub(crate) grouped: bool,
    /// What ends it at once, on drop and at our death: KILL or QUIT.
    pub(crate) last_signal: Signal,
    /// Listeners that are ours and that each start gets, as from systemd.
    pub(crate) sockets: Option<Arc<[TcpListener; 2]>>,
}

/// `sd_listen_fds(3)`: the sockets are numbers 3 and 4, and the process is told so under its own id.
const HAND_OVER: &str =
    "exec 3<&0 4>&1 </dev/null >&2; export LISTEN_PID=$$ LISTEN_FDS=2; exec \"$@\"";

impl Launch {
    pub(crate) fn new(program: impl Into<PathBuf>, folder: &Path, log: &str) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            envs: Vec::new(),
            folder: folder.to_owned(),
            log: folder.join(log),
            owner: None,
            grouped: true,
            last_signal: Signal::KILL,
            sockets: None,
        }
    }

    pub(crate) fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.envs.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn owner(mut self, owner: Option<&Owner>) -> Self {
        self.owner = owner.cloned();
        self
    }

    pub(crate) fn spawn(&self) -> Process {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("a log file in our own folder");
        let errors = log.try_clone().expect("a second handle of the log");
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        if let Some(sockets) = &self.sockets {
            command = handing(&command, sockets);
            command.stderr(
                File::options()
                    .append(true)
                    .open(&self.log)
                    .expect("our log"),
            );
        }
        if self.grouped {
            command.process_group(0);
        }
        let child = spawn_for_life(command)
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", self.program.display()));
        Process {
            pid: Pid::from_child(&child),
            child,
            log: self.log.clone(),
            last_signal: self.last_signal,
        }
    }

    /// The command line, tied to our life.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        // setpriv sets the death signal after the change of user, which would clear it.
        let gentle = self.last_signal == Signal::QUIT;
        command.args(["--pdeathsig", if gentle { "QUIT" } else { "KILL" }]);
        if let Some(owner) = &self.owner {
            command.args([
                format!("--reuid={}", owner.uid),
                format!("--regid={}", owner.gid),
                "--clear-groups".to_owned(),
            ]);
        }
        command
            .arg("--")
            .arg(&self.program)
            .args(&self.args)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("LANG", "C.UTF-8")
            .envs(self.envs.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The same command behind a shell that hands these over; they travel as its standard input and output.
fn handing(command: &Command, sockets: &[TcpListener; 2]) -> Command {
    let [input, output] = sockets
        .each_ref()
        .map(|socket| Stdio::from(OwnedFd::from(socket.try_clone().expect("a second handle"))));
    let mut shell = Command::new("sh");
    shell
        .args(["-c", HAND_OVER, "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(input)
        .stdout(output);
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
}

/// A running program; its process group ends with this value.
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    log: PathBuf,
    last_signal: Signal,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The ids of its children, of the moment.
    pub(crate) fn children(&self) -> Vec<u32> {
        let id = self.id();
        let list = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let ids = list.unwrap_or_default();
        ids.split_whitespace()
            .filter_map(|id| id.parse().ok())
            .collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).ok(); // it may have ended by itself
    }

    /// The exit status, when it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our own child")
    }

    /// Waits for the end that something else brought about.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let ended = until("a process to end", START_PATIENCE, async || {
            child.try_wait().expect("our own child")
        });
        ended
            .await
            .unwrap_or_else(|late| panic!("{late}; its last words:\n{}", tail(&self.log)))
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn terminate(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait().await
    }

    /// SIGKILL to it and all its children.
    pub(crate) fn kill(mut self) {
        self.end(Signal::KILL);
    }

    /// Waits until `probe` holds; panics with the log when the process ends before, or at the deadline.
    pub(crate) async fn ready(&mut self, what: &str, mut probe: impl AsyncFnMut() -> bool) {
        let child = &mut self.child;
        let outcome = until(what, START_PATIENCE, async || {
            if probe().await {
                return Some(None);
            }
            child.try_wait().expect("our own child").map(Some)
        });
        match outcome.await {
            Ok(None) => {}
            Ok(Some(status)) => panic!("ended with {status}, not {what}:\n{}", tail(&self.log)),
            Err(late) => panic!("{late}:\n{}", tail(&self.log)),
        }
    }

    fn end(&mut self, signal: Signal) {
        if self.ended().is_none() {
            kill_process_group(self.pid, signal).ok();
            self.child.wait().ok();
        }
        kill_process_group(self.pid, Signal::KILL).ok(); // children that a dead parent left
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(self.last_signal);
    }
}

/// Whether a process has ended, even if nobody has asked for its exit status.
pub(crate) fn is_gone(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // proc(5): the state follows the name, which stands in parentheses.
    stat.rsplit_once(") ")
        .is_none_or(|(_, fields)| fields.starts_with('Z'))
}

/// Runs a program to its end; panics with its output when it fails.
pub(crate) async fn run(launch: &Launch) {
    let status = launch.spawn().wait().await;
    assert!(
        status.success(),
        "{} ended with {status}:\n{}",
        launch.program.display(),
        tail(&launch.log)
    );
}

/// The death signal comes when the *thread* that started the child ends, and a test is a thread. So one thread, which
/// ends with the process, starts all children.
fn spawn_for_life(command: Command) -> std::io::Result<Child> {
    type Job = (Command, mpsc::Sender<std::io::Result<Child>>);
    static SPAWNER: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || {
                for (mut command, answer) in queue {
                    answer.send(command.spawn()).ok();
                }
            })
            .expect("a thread");
        jobs
    });
    let (answer, child) = mpsc::channel();
    SPAWNER
        .send((command, answer))
        .expect("the spawner lives as long as we do");
    child
        .recv_timeout(Duration::from_secs(30))
        .expect("an answer of the spawner")
}

/// Where a server's program is: Debian keeps most out of a user's `PATH`.
pub(crate) fn find_program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed; tests/run installs it"))
}
