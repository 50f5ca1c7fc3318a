//! Measures transom's release binary from both ends of its paths, and asserts nothing but that every message arrives.
//!
//! ```text
//!   (a)  load ─stanzas─▶ bare echo of transom or of another library ─stanzas─▶ load
//!   (b)  load ─stanzas─▶ transom (simulated provider) ─receipts─▶ load
//!        or, over HTTP:  transom ─POST─▶ stub ─status callbacks─▶ transom ─receipts─▶ load
//!   (c)  load ─signed webhooks─▶ transom ─answers, stanzas─▶ load
//!   (d)  load ─stanzas─▶ transom ─SMTP─▶ smtp-sink;  smtp-source ─SMTP─▶ smtp-sink
//!   (e)  load ─LMTP─▶ transom ─answers, stanzas─▶ load;  Dovecot ─IMAP─▶ transom ─stanzas─▶ load
//!   (f)  load ─stanzas─▶ Prosody or ejabberd ─▶ transom, as in (b) and (c); load ─▶ server ─▶ raw echo ─▶ server ─▶ load
//! ```
//!
//! But for (f) the load generator speaks XEP-0114 as the server does, so that no other server's speed is in the figures. Begin at
//! [`measure`].

mod cut;
mod disk;
mod echo;
mod figures;
mod load;
mod mail_in;
mod mail_out;
mod mailbox;
mod over_http;
mod process;
mod real;
mod report;
mod scale;
mod server;
mod slidge;
mod stub;
mod tally;
mod text_in;
mod text_out;
mod webhook;
mod world;

use std::{
    env,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    figures::Figures,
    mail_out::Sink,
    process::{Gateway, free_port},
    scale::Size,
    world::{Provider, USERS, config, mail_config},
};

/// How long an idle process is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(10);
/// Messages of an unloaded measurement.
const UNLOADED: usize = 500;
/// Messages a second of a paced measurement.
const RATE: u32 = 1000;

/// What is asked for on the command line.
struct Options {
    binary: PathBuf,
    /// Databases are written here; its disk is what is measured.
    folder: PathBuf,
    /// Where the table goes; without it, to standard error.
    report: Option<PathBuf>,
    runs: usize,
    messages: usize,
    /// The bare component on our own link.
    echo: Option<PathBuf>,
    /// The folder of the peers' programs.
    peers: Option<PathBuf>,
    /// Only these paths; all when there are none.
    only: Vec<String>,
    /// Databases of these sizes besides.
    scale: Vec<Size>,
}

const USAGE: &str = "usage: transom-bench --binary FILE [--echo FILE] [--peers DIR] [--folder DIR] [--report FILE]
                     [--runs N] [--messages N] [--only idle,a,b,http,c,mail,imap,f,g] [--scale CONTACTS[+WAITING],...]";

fn main() -> Result<()> {
    let options = Options::read(env::args().skip(1))?;
    let mut runs = Vec::new();
    for run in 1..=options.runs {
        eprintln!("run {run} of {}", options.runs);
        runs.push(measure(&options)?);
    }
    let table = report::table(&runs, &options.binary);
    let Some(file) = &options.report else {
        eprintln!("{table}");
        return Ok(());
    };
    report::write(file, &table)
}

/// Measures one path, in a folder of its own.
type Measure = fn(&Options, &Path, &mut Figures) -> Result<()>;

/// One run of everything.
fn measure(options: &Options) -> Result<Figures> {
    let scratch = tempfile::Builder::new()
        .prefix("transom-bench")
        .tempdir_in(&options.folder)?;
    let mut figures = Figures::default();
    let mut writes = disk::fdatasync(scratch.path())?;
    let paths: [(&str, Measure); 9] = [
        ("idle", idle),
        ("a", echo),
        ("b", text_out),
        ("http", over_http),
        ("c", text_in),
        ("mail", mail),
        ("imap", mailbox),
        ("f", real),
        ("g", slidge),
    ];
    for (name, path) in paths {
        if options.only.is_empty() || options.only.iter().any(|only| only == name) {
            path(options, &scratch.path().join(name), &mut figures)?;
            writes.extend(disk::fdatasync(scratch.path())?);
        }
    }
    for size in &options.scale {
        let folder = tempfile::tempdir_in(scratch.path())?;
        scale::measure(
            &options.binary,
            folder.path(),
            size,
            options.messages,
            &mut figures,
        )?;
        writes.extend(disk::fdatasync(scratch.path())?);
    }
    disk::figures(writes, &mut figures);
    Ok(figures)
}

fn idle(options: &Options, folder: &Path, figures: &mut Figures) -> Result<()> {
    let transom = Gateway::start(&options.binary, folder, |server, http| {
        config(Provider::Twilio, 1, server, http)
    })?;
    figures.add(
        "start to READY, new database (ms)",
        transom.ready_after.as_secs_f64() * 1e3,
    );
    thread::sleep(IDLE);
    figures.add("idle: resident memory (MB)", megabytes(transom.memory()?.0));
    transom.stop()?;
    let again = Gateway::start(&options.binary, &folder.join("again"), |server, http| {
        config(Provider::Twilio, 1, server, http).replace("transom.db", "../transom.db")
    })?;
    figures.add(
        "start to READY, existing database (ms)",
        again.ready_after.as_secs_f64() * 1e3,
    );
    again.stop()
}

fn echo(options: &Options, _: &Path, figures: &mut Figures) -> Result<()> {
    let (echo, peers) = (options.echo.as_deref(), options.peers.as_deref());
    echo::measure(echo, peers, options.messages, figures)
}

fn text_out(options: &Options, folder: &Path, figures: &mut Figures) -> Result<()> {
    let transom = Gateway::start(&options.binary, folder, |server, http| {
        config(Provider::Simulator, USERS, server, http)
    })?;
    eprintln!("  (b) text out, process {}", transom.pid());
    text_out::warm_up(&transom, text_out::WINDOW)?;
    text_out::unloaded(&transom, UNLOADED, figures)?;
    text_out::paced(&transom, options.messages.min(5000), RATE, figures)?;
    text_out::loaded(
        &transom,
        "(b) text out, full load",
        (options.messages, text_out::WINDOW),
        figures,
    )?;
    memory(&transom, "(b) text out", figures)?;
    transom.stop()
}

fn over_http(options: &Options, folder: &Path, figures: &mut Figures) -> Result<()> {
    over_http::measure(&options.binary, folder, options.messages, figures)
}

fn text_in(options: &Options, folder: &Path, figures: &mut Figures) -> Result<()> {
    let transom = Gateway::start(&options.binary, folder, |server, http| {
        config(Provider::Twilio, USERS, server, http)
    })?;
    eprintln!("  (c) text in, process {}", transom.pid());
    world::register(&transom.link)?;
    text_in::warm_up(&transom)?;
    text_in::unloaded(&transom, UNLOADED, figures)?;
    text_in::paced(&transom, options.messages.min(5000), RATE, figures)?;
    text_in::loaded(
        &transom,
        "(c) text in, full load",
        options.messages,
        figures,
    )?;
    memory(&transom, "(c) text in", figures)?;
    transom.stop()
}

fn mail(options: &Options, folder: &Path, figures: &mut Figures) -> Result<()> {
    let Some(sink) = Sink::start()? else {
        eprintln!("  (d), (e) mail: not measured, for smtp-sink of the package postfix is missing");
        return Ok(());
    };
    let lmtp = free_port()?;
    let transom = Gateway::start(&options.binary, folder, |server, http| {
        let inlet = format!("[gateway.mail.lmtp]\nlisten = \"{lmtp}\"");
        mail_config(sink.addr, &inlet, server, http)
    })?;
    eprintln!("  (d), (e) mail, process {}", transom.pid());
    world::register(&transom.link)?;
    mail_out::warm_up(&transom)?;
    mail_out::loaded(&transom, options.messages, figures)?;
    mail_out::peer(options.messages, figures)?;
    mail_in::warm_up(&transom, lmtp)?;
    mail_in::loaded(&transom, lmtp, options.messages, figures)?;
    memory(&transom, "(d), (e) mail", figures)?;
    transom.stop()
}

fn mailbox(options: &Options, folder: &Path, figures: &mut Figures) -> Result<()> {
    mailbox::measure(&options.binary, folder, figures)
}

fn real(options: &Options, folder: &Path, figures: &mut Figures) -> Result<()> {
    real::measure(&options.binary, folder, options.messages, figures)
}

fn slidge(options: &Options, folder: &Path, figures: &mut Figures) -> Result<()> {
    let Some(peers) = &options.peers else {
        return Ok(());
    };
    slidge::measure(peers, folder, options.messages, figures)
}

fn memory(gateway: &Gateway, what: &str, figures: &mut Figures) -> Result<()> {
    let (now, most) = gateway.memory()?;
    figures.add(
        format!("{what}: resident memory after the load (MB)"),
        megabytes(now),
    );
    figures.add(
        format!("{what}: most resident memory (MB)"),
        megabytes(most),
    );
    Ok(())
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            binary: PathBuf::new(),
            folder: env::temp_dir(),
            report: None,
            runs: 5,
            messages: 30_000,
            echo: None,
            peers: None,
            only: Vec::new(),
            scale: Vec::new(),
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().context(USAGE)?;
            match name.as_str() {
                "--binary" => {
                    options.binary = PathBuf::from(&value)
                        .canonicalize()
                        .with_context(|| format!("no {value}"))?;
                }
                "--folder" => options.folder = value.into(),
                "--report" => options.report = Some(value.into()),
                "--runs" => options.runs = value.parse()?,
                "--echo" => options.echo = Some(value.into()),
                "--peers" => options.peers = Some(value.into()),
                "--only" => options.only = value.split(',').map(str::to_owned).collect(),
                "--scale" => {
                    options.scale = value.split(',').map(Size::read).collect::<Result<_>>()?;
                }
                "--messages" => options.messages = value.parse()?,
                _ => bail!("{USAGE}"),
            }
        }
        if options.binary.as_os_str().is_empty() {
            bail!("{USAGE}");
        }
        Ok(options)
    }
}
