//! (g) The same texts through slidge with the least of a plugin (`benches/peers/slidge`), which says what is durable there.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    figures::Figures,
    memory,
    process::{Gateway, free_port},
    server::{DOMAIN, HOME, SECRET, Server},
    text_in, text_out, world,
};

/// How often its webhook is called until it listens, and how long after each other.
const CALLS: u32 = 100;
const POLL: Duration = Duration::from_millis(100);

/// So many times fewer messages than the others get, and so many texts at once: with more, no receipt comes for half a minute.
const FEWER: usize = 20;
const WINDOW: usize = 64;

/// Left out where it is not installed.
pub(crate) fn measure(
    peers: &Path,
    folder: &Path,
    messages: usize,
    figures: &mut Figures,
) -> Result<()> {
    let program = peers.join("slidge/venv/bin/python");
    if !program.exists() {
        eprintln!("  (g) slidge: left out, for it is not installed");
        return Ok(());
    }
    let (program, plugin) = (
        std::path::absolute(program)?,
        peers.join("slidge").canonicalize()?,
    );
    fs::create_dir_all(folder)?;
    let (server, http) = (Server::bind()?, free_port()?);
    let addr = server.addr()?;
    let mut command = Command::new(program);
    command
        .args(["-m", "slidge", "--quiet", "--legacy-module", "plugin"])
        .args(["--jid", DOMAIN, "--secret", SECRET])
        .args([
            "--server",
            &addr.ip().to_string(),
            "--port",
            &addr.port().to_string(),
        ])
        .args(["--user-jid-validator", &format!(".*@{HOME}")])
        .arg("--home-dir")
        .arg(folder.canonicalize()?)
        .env("PYTHONPATH", plugin)
        .env("WEBHOOK_PORT", http.port().to_string());
    let slidge = Gateway::start_peer(command, folder, &server, http)?;
    eprintln!("  (g) slidge, process {}", slidge.pid());
    await_webhook(&slidge)?;
    world::register(&slidge.link)?;
    let messages = messages / FEWER;
    text_out::warm_up(&slidge, WINDOW)?;
    text_out::loaded(&slidge, "(g) b through slidge", (messages, WINDOW), figures)?;
    text_in::warm_up(&slidge)?;
    text_in::loaded(&slidge, "(g) c through slidge", messages, figures)?;
    memory(&slidge, "(g) slidge", figures)
}

fn await_webhook(slidge: &Gateway) -> Result<()> {
    for _ in 0..CALLS {
        if std::net::TcpStream::connect(slidge.http).is_ok() {
            return Ok(());
        }
        thread::sleep(POLL);
    }
    ensure!(false, "slidge's webhook never listened");
    Ok(())
}
