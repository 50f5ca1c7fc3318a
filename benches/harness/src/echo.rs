//! A bare component echo on transom's link, beside the same in other libraries: what reading, parsing and writing a stanza costs.
//!
//! The programs are `examples/echo.rs` and those in `benches/peers`; each takes the server's address, its domain and the secret.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{
    figures::{Figures, Meter},
    load::windowed,
    megabytes,
    process::memory_of,
    server::{DOMAIN, SECRET, Server},
    world::{chat, text_out},
};

/// Messages that are not back yet.
const WINDOW: usize = 1000;

/// A component that sends every message back.
struct Echo {
    name: &'static str,
    command: Vec<PathBuf>,
    /// How many times the messages of a run, so that fast ones run long enough to be measured.
    times: usize,
}

/// All that can be run here, one after the other.
pub(crate) fn measure(
    echo: Option<&Path>,
    peers: Option<&Path>,
    messages: usize,
    figures: &mut Figures,
) -> Result<()> {
    for echo in programs(echo, peers) {
        let what = format!("(a) echo, {}", echo.name);
        if !echo.command.iter().all(|part| part.exists()) {
            eprintln!("  {what}: left out, for it is not built");
            continue;
        }
        eprintln!("  {what}");
        echo.run(&what, messages, figures)?;
    }
    Ok(())
}

fn programs(echo: Option<&Path>, peers: Option<&Path>) -> Vec<Echo> {
    let mut programs = Vec::new();
    if let Some(echo) = echo {
        programs.push(Echo {
            name: "transom's link",
            command: vec![echo.to_owned()],
            times: 10,
        });
    }
    let Some(peers) = peers else { return programs };
    programs.push(Echo {
        name: "tokio-xmpp",
        command: vec![peers.join("tokio-xmpp/target/release/transom-bench-tokio-xmpp")],
        times: 10,
    });
    programs.push(Echo {
        name: "@xmpp/component",
        command: vec![
            "/usr/bin/node".into(),
            peers.join("xmpp-js/echo.js"),
            peers.join("xmpp-js/node_modules"),
        ],
        times: 2,
    });
    programs.push(Echo {
        name: "slixmpp",
        command: vec![
            // Where tests/run installs it.
            peers.join("../../tests/servers/slixmpp/venv/bin/python"),
            peers.join("slixmpp/echo.py"),
        ],
        times: 1,
    });
    programs
}

impl Echo {
    fn run(&self, what: &str, messages: usize, figures: &mut Figures) -> Result<()> {
        let server = Server::bind()?;
        let (program, files) = self.command.split_first().context("no program")?;
        let child = Command::new(program)
            .args(files.iter().filter(|file| file.is_file()))
            .args([&server.addr()?.to_string(), DOMAIN, SECRET])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let child = Running(child);
        let link = server.accept()?;
        let write = |out: &mut String, number: usize, mark: &str| {
            let (user, contact) = chat(number);
            text_out(out, user, contact, mark);
        };
        // Compilers in the peers get to know the work first.
        windowed(&link, messages, WINDOW, write)?;
        let messages = messages * self.times;
        let meter = Meter::start(child.0.id())?;
        let times = windowed(&link, messages, WINDOW, write)?;
        meter.stop(what, messages, figures)?;
        figures.add_times(what, times);
        let (_, most) = memory_of(child.0.id())?;
        figures.add(
            format!("{what}: most resident memory (MB)"),
            megabytes(most),
        );
        Ok(())
    }
}

/// Ends with the measurement.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
