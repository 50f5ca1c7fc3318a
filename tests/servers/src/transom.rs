//! The gateway under test: the built binary with a configuration, a folder and a life of its own.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::http_client::get;
use crate::process::{Launch, Process, Signal};
use crate::scratch::{Scratch, tail};
use crate::wait::{PATIENCE, until, within};

/// The configuration's file, in the gateway's folder.
const CONFIG: &str = "transom.toml";
/// The socket for `READY=1`, in the gateway's folder.
const NOTIFY: &str = "notify.sock";
/// Standard output and error, in the gateway's folder.
const LOG: &str = "transom.log";

/// A transom: `run` by default; it may be running or not.
pub struct Transom {
    launch: Launch,
    notifications: UnixDatagram,
    process: Option<Process>,
    http: Option<SocketAddr>,
    scratch: Scratch,
}

impl Transom {
    /// Describes a gateway; `binary` is `env!("CARGO_BIN_EXE_transom")`.
    pub fn builder(binary: &str) -> TransomBuilder {
        TransomBuilder {
            binary: binary.into(),
            config: String::new(),
            envs: Vec::new(),
            http: None,
        }
    }

    /// Starts `transom run`, and waits until it tells systemd that it is ready.
    pub async fn start(&mut self) {
        assert!(self.process.is_none(), "transom runs already");
        self.drain_notifications();
        let mut process = self.launch.spawn();
        let notifications = &self.notifications;
        process
            .ready("ready by sd_notify", async || says_ready(notifications))
            .await;
        self.process = Some(process);
    }

    /// Starts `transom run`, and waits until it is ready or has ended; true when it is ready.
    pub async fn start_or_end(&mut self) -> bool {
        self.spawn();
        let ready = until("READY or the end", PATIENCE, async || {
            if says_ready(&self.notifications) {
                return Some(true);
            }
            let ended = self.process.as_mut().and_then(Process::ended);
            ended.map(|_| false)
        });
        let ready = ready.await.unwrap_or_else(|why| panic!("{why}"));
        if !ready {
            self.process = None;
        }
        ready
    }

    /// Starts `transom run` without waiting for anything; [`wait`](Self::wait) gives the end.
    pub fn spawn(&mut self) {
        assert!(self.process.is_none(), "transom runs already");
        self.drain_notifications();
        self.process = Some(self.launch.spawn());
    }

    /// The text of its configuration.
    pub fn config_text(&self) -> String {
        std::fs::read_to_string(self.config_path()).expect("the configuration")
    }

    /// Where its HTTP listener is, if the builder was told.
    pub fn http(&self) -> SocketAddr {
        self.http.expect("the builder was told the address")
    }

    /// SIGKILL.
    pub fn kill9(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// SIGTERM, and the exit status when it has drained.
    pub async fn sigterm(&mut self) -> ExitStatus {
        let process = self.process.take().expect("transom runs");
        process.terminate(Signal::TERM).await
    }

    /// Sends a signal and waits for nothing: SIGHUP to read the configuration again, SIGSTOP and SIGCONT to freeze it,
    /// or two SIGTERM.
    pub fn signal(&self, signal: Signal) {
        self.process.as_ref().expect("transom runs").signal(signal);
    }

    /// Waits until it ends by itself.
    pub async fn wait(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("transom runs");
        process.wait().await
    }

    /// SIGTERM, then a new start.
    pub async fn restart(&mut self) {
        let status = self.sigterm().await;
        assert!(
            status.success(),
            "transom ended with {status}:\n{}",
            self.log_tail()
        );
        self.start().await;
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.ended().is_none())
    }

    /// Replaces the configuration; the next start or SIGHUP reads it.
    pub fn configure(&self, config: &str) {
        self.scratch.write(CONFIG, config);
    }

    /// Sets an environment variable for all later starts and commands.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.launch.envs.retain(|(key, _)| key != name);
        self.launch.envs.push((name.to_owned(), value.to_owned()));
    }

    /// Opens these places, and hands them over at each start from now on, as systemd does with its `.socket` units: between two starts
    /// whoever connects waits.
    pub fn hold_sockets(&mut self, places: [SocketAddr; 2]) {
        let open = |place| TcpListener::bind(place).expect("a port of ours");
        self.launch.sockets = Some(Arc::new(places.map(open)));
    }

    /// Runs another command of the binary, with the same configuration, to its end.
    pub async fn command(&self, args: &[&str]) -> Output {
        self.command_with_input(args, b"").await
    }

    /// As [`command`](Self::command), with a standard input.
    pub async fn command_with_input(&self, args: &[&str], input: &[u8]) -> Output {
        let mut launch = self.launch.clone();
        launch.args = args.iter().map(ToString::to_string).collect();
        launch.envs.retain(|(name, _)| name != "NOTIFY_SOCKET");
        launch.envs.push((
            "TRANSOM_CONFIG".to_owned(),
            self.config_path().display().to_string(),
        ));
        let input_file = self.scratch.write("stdin", input);
        let mut command = tokio::process::Command::from(launch.command());
        let output = command
            .stdin(std::fs::File::open(input_file).expect("written just now"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .output();
        let what = format!("transom {}", args.join(" "));
        within(&what, output).await.expect("transom starts")
    }

    /// All metrics, as Prometheus reads them.
    pub async fn metrics(&self) -> String {
        let http = self.http.expect("`http` was given to the builder");
        let page = get(http, "/metrics").await.expect("transom answers");
        assert_eq!(page.status, 200, "{}", page.text());
        page.text()
    }

    /// All metrics, unless the process is just ending.
    pub async fn metrics_if_any(&self) -> Option<String> {
        let page = get(self.http?, "/metrics").await.ok()?;
        (page.status == 200).then(|| page.text())
    }

    /// One metric, named with its labels as on the page: `transom_link_up{gateway="sms"}`.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let page = self.metrics().await;
        page.lines().find_map(|line| {
            let value = line.strip_prefix(name)?.strip_prefix(' ')?;
            value.split(' ').next()?.parse().ok()
        })
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("transom runs").id()
    }

    /// The resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// Its private memory in bytes, touched or not: what `RLIMIT_DATA` counts.
    pub fn data_bytes(&self) -> u64 {
        self.status_bytes("VmData:")
    }

    fn status_bytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("/proc");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.expect("kB") * 1024
    }

    /// What the list of processes shows of it: its arguments.
    pub fn command_line(&self) -> String {
        let id = self.id();
        let bytes = std::fs::read(format!("/proc/{id}/cmdline")).expect("/proc");
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    }

    /// The processor time used so far, user and system, in the kernel's ticks of ten milliseconds.
    pub fn cpu_time(&self) -> Duration {
        let id = self.id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("/proc");
        // proc(5): the name in parentheses may hold blanks; utime and stime are the 12th and 13th after it.
        let (_, fields) = stat.rsplit_once(") ").expect("the program's name");
        let ticks = fields
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().unwrap_or(0));
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// The folder: the configuration, the database of a relative URL, the log.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// The configuration's file.
    pub fn config_path(&self) -> PathBuf {
        self.scratch.join(CONFIG)
    }

    /// All that it wrote to standard output and error, over all starts.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.launch.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_tail(&self) -> String {
        tail(&self.launch.log)
    }

    fn drain_notifications(&self) {
        while receive(&self.notifications).is_some() {}
    }
}

/// A gateway to be started.
pub struct TransomBuilder {
    binary: PathBuf,
    config: String,
    envs: Vec<(String, String)>,
    http: Option<SocketAddr>,
}

impl TransomBuilder {
    /// The configuration, in TOML.
    #[must_use]
    pub fn config(mut self, config: &str) -> Self {
        config.clone_into(&mut self.config);
        self
    }

    /// Sets an environment variable. It starts with none but `PATH`, `HOME`, `LANG` and `NOTIFY_SOCKET`.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.envs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What the configuration says under `http.listen`: where [`Transom::metrics`] asks.
    #[must_use]
    pub fn http(mut self, addr: SocketAddr) -> Self {
        self.http = Some(addr);
        self
    }

    /// Writes the configuration, but starts nothing yet.
    pub fn prepare(self) -> Transom {
        let scratch = Scratch::new("transom");
        let config = scratch.write(CONFIG, &self.config).display().to_string();
        let socket = scratch.join(NOTIFY);
        let notifications = UnixDatagram::bind(&socket).expect("a socket in our own folder");
        notifications
            .set_nonblocking(true)
            .expect("a socket of ours");
        let mut launch = Launch::new(self.binary, scratch.path(), LOG)
            .args(["run", "--config", &config])
            .env("NOTIFY_SOCKET", socket.display().to_string());
        launch.envs.extend(self.envs);
        Transom {
            launch,
            notifications,
            process: None,
            http: self.http,
            scratch,
        }
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Transom {
        let mut transom = self.prepare();
        transom.start().await;
        transom
    }
}

fn receive(socket: &UnixDatagram) -> Option<String> {
    let mut buffer = [0; 4096];
    let count = socket.recv(&mut buffer).ok()?;
    Some(String::from_utf8_lossy(&buffer[..count]).into_owned())
}

fn says_ready(socket: &UnixDatagram) -> bool {
    while let Some(message) = receive(socket) {
        if message.lines().any(|line| line == "READY=1") {
            return true;
        }
    }
    false
}
