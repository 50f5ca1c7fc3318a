//! A gateway under measurement: the release binary, or a peer.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    figures::Figures,
    server::{DOMAIN, HOME, Link, Server},
    tally::mark,
};

/// The kernel counts processor time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);
const START_PATIENCE: Duration = Duration::from_secs(20);
/// What a process writes, in its folder.
const LOG: &str = "gateway.log";
const POLL: Duration = Duration::from_millis(20);

/// A process that runs in a folder of its own, with its stream.
pub(crate) struct Gateway {
    child: Child,
    folder: PathBuf,
    /// Its component stream.
    pub(crate) link: Link,
    /// Its HTTP listener.
    pub(crate) http: SocketAddr,
    /// From the start of the process to `READY=1`; a peer's: to its login.
    pub(crate) ready_after: Duration,
}

impl Gateway {
    /// Starts `transom run` at a server that is this program; the configuration is made of the server's address and of the one to
    /// listen on.
    pub(crate) fn start(
        binary: &Path,
        folder: &Path,
        config: impl FnOnce(SocketAddr, SocketAddr) -> String,
    ) -> Result<Self> {
        Self::start_for(binary, folder, 0, config)
    }

    /// The same, with a load of so many messages that begins before the process does: it finds them waiting.
    pub(crate) fn start_for(
        binary: &Path,
        folder: &Path,
        messages: usize,
        config: impl FnOnce(SocketAddr, SocketAddr) -> String,
    ) -> Result<Self> {
        let (server, http) = (Server::bind()?, free_port()?);
        server.tally.begin(messages);
        let config = config(server.addr()?, http);
        Self::launch(binary, folder, &config, http, || server.accept())
    }

    /// The same at a real server, where `link` is logged in beside it.
    pub(crate) fn start_at(
        binary: &Path,
        folder: &Path,
        server: SocketAddr,
        link: Link,
        config: impl FnOnce(SocketAddr, SocketAddr) -> String,
    ) -> Result<Self> {
        let http = free_port()?;
        let config = config(server, http);
        Self::launch(binary, folder, &config, http, || {
            await_link(http)?;
            await_route(&link)?;
            Ok(link)
        })
    }

    fn launch(
        binary: &Path,
        folder: &Path,
        config: &str,
        http: SocketAddr,
        link: impl FnOnce() -> Result<Link>,
    ) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let file = folder.join("transom.toml");
        fs::write(&file, config)?;
        let socket = folder.join("notify.sock");
        let notified = UnixDatagram::bind(&socket)?;
        notified.set_read_timeout(Some(START_PATIENCE))?;
        let mut command = Command::new(binary);
        command
            .args(["run".as_ref(), "--config".as_ref(), file.as_os_str()])
            .env_clear()
            .env("NOTIFY_SOCKET", &socket);
        Self::spawn(command, folder, http, || {
            ready(&notified)?;
            let ready_at = Instant::now();
            Ok((ready_at, link()?))
        })
    }

    /// Starts a peer at a server that is this program, and that listens on `http`.
    pub(crate) fn start_peer(
        command: Command,
        folder: &Path,
        server: &Server,
        http: SocketAddr,
    ) -> Result<Self> {
        Self::spawn(command, folder, http, || {
            let link = server.accept()?;
            Ok((Instant::now(), link))
        })
    }

    /// Starts a process in its folder; `started` gives when it was ready, and its stream.
    fn spawn(
        mut command: Command,
        folder: &Path,
        http: SocketAddr,
        started: impl FnOnce() -> Result<(Instant, Link)>,
    ) -> Result<Self> {
        let log = File::create(folder.join(LOG))?;
        let began = Instant::now();
        let mut child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        match started() {
            Ok((ready_at, link)) => Ok(Self {
                child,
                folder: folder.to_owned(),
                link,
                http,
                ready_after: ready_at.saturating_duration_since(began),
            }),
            Err(error) => {
                child.kill().ok();
                let log = fs::read_to_string(folder.join(LOG)).unwrap_or_default();
                bail!("the gateway did not start: {error}\n{log}")
            }
        }
    }

    /// Resident memory in bytes, now and at most.
    pub(crate) fn memory(&self) -> Result<(u64, u64)> {
        memory_of(self.child.id())
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, and its end. What it had begun to hand over has been handed over then: each message has to have come, and how many came
    /// more than once goes into the table.
    pub(crate) fn stop_exactly(self, what: &str, figures: &mut Figures) -> Result<()> {
        let tally = Arc::clone(&self.link.tally);
        self.stop()?;
        tally.ended()?;
        let (extra, first) = tally.exactly()?;
        if let Some(stanza) = first {
            eprintln!("  {what}: {extra} too many, the first: {stanza}");
        }
        let extra = f64::from(u32::try_from(extra)?);
        figures.add(format!("{what}: messages too many"), extra);
        Ok(())
    }

    /// SIGTERM, and its end.
    pub(crate) fn stop(mut self) -> Result<()> {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()?;
        let status = self.child.wait()?;
        let log = fs::read_to_string(self.folder.join(LOG))?;
        ensure!(status.success(), "the gateway ended with {status}:\n{log}");
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Resident memory of a process in bytes, now and at most.
pub(crate) fn memory_of(process: u32) -> Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    Ok((
        field("VmRSS:").context("no VmRSS")?,
        field("VmHWM:").context("no VmHWM")?,
    ))
}

/// Processor time of a process so far: `self` or a number.
pub(crate) fn cpu_of(process: &str) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // proc(5): the name in parentheses may hold blanks; utime and stime are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(") ").context("an odd /proc/PID/stat")?;
    let ticks: u32 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    Ok(TICK * ticks)
}

/// Processor time of the whole machine so far, without idling.
pub(crate) fn cpu_of_machine() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let fields: Vec<u32> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    // proc(5): user nice system idle iowait irq softirq steal.
    let busy = |at: &usize| !matches!(at, 3 | 4) && *at < 8;
    Ok(TICK
        * (0..fields.len())
            .filter(busy)
            .filter_map(|at| fields.get(at))
            .sum::<u32>())
}

fn ready(socket: &UnixDatagram) -> Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match socket.recv(&mut buffer) {
            Ok(count)
                if buffer
                    .get(..count)
                    .unwrap_or_default()
                    .starts_with(b"READY=1") =>
            {
                return Ok(());
            }
            Ok(count)
                if String::from_utf8_lossy(buffer.get(..count).unwrap_or_default())
                    .contains("\nREADY=1") =>
            {
                return Ok(());
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("no READY=1"),
        }
    }
}

/// Waits until its link stands.
fn await_link(http: SocketAddr) -> Result<()> {
    let until = Instant::now() + START_PATIENCE;
    loop {
        let mut stream = TcpStream::connect(http)?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200") {
            return Ok(());
        }
        ensure!(Instant::now() < until, "the link does not stand: {answer}");
        thread::sleep(POLL);
    }
}

/// Waits until the server carries stanzas to it: ejabberd does so a moment after the login.
fn await_route(link: &Link) -> Result<()> {
    let until = Instant::now() + START_PATIENCE;
    loop {
        let id = mark(link.tally.begin(1), 0);
        link.write(&format!(
            "<iq type='get' from='user0@{HOME}/phone' to='{DOMAIN}' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>"
        ))?;
        match link.tally.all() {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > until => return Err(error),
            Err(_) => thread::sleep(POLL),
        }
    }
}

/// What the real servers of the tests are started on.
pub(crate) fn for_servers() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.worker_threads(1).enable_all().build()?)
}

/// A program of a mail server, wherever Debian put it.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/libexec/postfix", "/usr/lib/postfix/sbin"];
    folders
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}

/// A port that nobody has now.
pub(crate) fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
