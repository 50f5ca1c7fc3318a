//! Mail out: stanza → committed → SMTP into a sink that takes everything → outcome committed → receipt.
//!
//! The gateway has `receipts = "accepted"`, so that each mail that the sink took shows as a receipt. Beside it, in the same run and into the
//! same kind of sink, Postfix's own load generator, which stores nothing.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    os::unix::fs::MetadataExt,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    figures::{Figures, Meter},
    load,
    process::{Gateway, free_port, program},
    world::{CONTACTS, USERS, chat, mail_out},
};

/// Mails without their receipt.
const WINDOW: usize = 512;
/// SMTP sessions at once: what transom's account has.
pub(crate) const SESSIONS: usize = 4;
/// How long the sink may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Postfix's smtp-sink on a port of its own.
pub(crate) struct Sink {
    child: Child,
    /// Where it listens.
    pub(crate) addr: SocketAddr,
}

impl Sink {
    /// Starts one; `None` where Postfix is not installed.
    pub(crate) fn start() -> Result<Option<Self>> {
        let Some(sink) = program("smtp-sink") else {
            return Ok(None);
        };
        let addr = free_port()?;
        let mut command = Command::new(sink);
        // It wants to be somebody else than root.
        if fs::metadata("/proc/self")?.uid() == 0 {
            command.args(["-u", "nobody"]);
        }
        let child = command
            .args([&addr.to_string(), "1000"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start smtp-sink")?;
        let sink = Self { child, addr };
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(addr).is_err() {
            ensure!(Instant::now() < until, "smtp-sink does not listen");
            thread::yield_now();
        }
        Ok(Some(sink))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Every chat once.
pub(crate) fn warm_up(gateway: &Gateway) -> Result<()> {
    windowed(gateway, USERS * CONTACTS).map(drop)
}

/// As fast as the sink takes them.
pub(crate) fn loaded(gateway: &Gateway, messages: usize, figures: &mut Figures) -> Result<()> {
    let meter = Meter::start(gateway.pid())?;
    let times = windowed(gateway, messages)?;
    meter.stop("(d) mail out, full load", messages, figures)?;
    figures.add_times("(d) mail out, full load: stanza to receipt", times);
    Ok(())
}

/// The peer: the same number of mails through as many sessions, from memory.
pub(crate) fn peer(messages: usize, figures: &mut Figures) -> Result<()> {
    let (Some(source), Some(sink)) = (program("smtp-source"), Sink::start()?) else {
        return Ok(());
    };
    let began = Instant::now();
    let status = Command::new(source)
        .args(["-s", &SESSIONS.to_string(), "-m", &messages.to_string()])
        .args(["-l", "600", "-f", "a@example.org", "-t", "b@example.com"])
        .arg(sink.addr.to_string())
        .status()?;
    ensure!(status.success(), "smtp-source ended with {status}");
    let rate = f64::from(u32::try_from(messages)?) / began.elapsed().as_secs_f64();
    figures.add("(d) smtp-source into the same sink: mails a second", rate);
    Ok(())
}

fn windowed(gateway: &Gateway, messages: usize) -> Result<Vec<Duration>> {
    load::windowed(&gateway.link, messages, WINDOW, |out, number, mark| {
        let (user, contact) = chat(number);
        mail_out(out, user, contact, mark);
    })
}
