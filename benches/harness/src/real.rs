//! Texts through a real XMPP server, beside what that server does by itself.
//!
//! The load generator is a component of its own on the same server, whose users write to transom's. Before that it writes to a component
//! which swaps two addresses in the bytes and sends them back: the server's own rate.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    thread,
};

use anyhow::{Context, Result};
use transom_test_servers::{Ejabberd, Prosody, Server, skipped};

use crate::{
    cut::Cutter,
    figures::{Figures, Meter},
    load::windowed,
    process::{Gateway, for_servers},
    server::{DOMAIN, HOME, HOME_SECRET, Link, SECRET, STREAM_END, attribute, log_in},
    text_in, text_out,
    world::{self, Provider, USERS, chat, config},
};

/// A server with two components.
struct Real {
    name: &'static str,
    gateway: SocketAddr,
    home: SocketAddr,
    _server: Running,
}

#[expect(dead_code, reason = "a server runs for as long as it is held")]
enum Running {
    Prosody(Prosody),
    Ejabberd(Ejabberd),
}

/// Both servers, as far as they are installed.
pub(crate) fn measure(
    binary: &Path,
    folder: &Path,
    messages: usize,
    figures: &mut Figures,
) -> Result<()> {
    let runtime = for_servers()?;
    for server in [Server::Prosody, Server::Ejabberd] {
        if skipped(&[server]) {
            continue;
        }
        let real = runtime.block_on(Real::start(server));
        eprintln!("  (f) through {}", real.name);
        real.raw(messages, figures)?;
        real.texts(binary, &folder.join(real.name), messages, figures)?;
    }
    Ok(())
}

impl Real {
    async fn start(server: Server) -> Self {
        if server == Server::Ejabberd {
            let server = Ejabberd::start().await;
            let (gateway, home) = (server.component(), server.component());
            return Self {
                name: "ejabberd",
                gateway: gateway.addr,
                home: home.addr,
                _server: Running::Ejabberd(server),
            };
        }
        let server = Prosody::builder()
            .component(DOMAIN, SECRET)
            .component(HOME, HOME_SECRET)
            .start()
            .await;
        let addr = server.component_addr();
        Self {
            name: "Prosody",
            gateway: addr,
            home: addr,
            _server: Running::Prosody(server),
        }
    }

    fn users(&self) -> Result<Link> {
        Link::on(log_in(self.home, HOME, HOME_SECRET)?)
    }

    /// What the server carries when nobody does anything.
    fn raw(&self, messages: usize, figures: &mut Figures) -> Result<()> {
        let stream = log_in(self.gateway, DOMAIN, SECRET)?;
        let mut end = stream.try_clone()?;
        let echo = thread::spawn(move || swap_all(stream));
        let link = self.users()?;
        let write = |out: &mut String, number: usize, mark: &str| {
            let (user, contact) = chat(number);
            world::text_out(out, user, contact, mark);
        };
        windowed(&link, messages, text_out::WINDOW, write)?;
        let meter = Meter::start(std::process::id())?;
        windowed(&link, messages, text_out::WINDOW, write)?;
        let what = format!("(f) raw echo through {}", self.name);
        figures.add(format!("{what}: messages a second"), meter.rate(messages)?);
        link.close()?;
        end.write_all(STREAM_END)?;
        echo.join().ok();
        Ok(())
    }

    fn texts(
        &self,
        binary: &Path,
        folder: &Path,
        messages: usize,
        figures: &mut Figures,
    ) -> Result<()> {
        for (path, provider) in [("b", Provider::Simulator), ("c", Provider::Twilio)] {
            let what = format!("(f) {path} through {}", self.name);
            let transom = Gateway::start_at(
                binary,
                &folder.join(path),
                self.gateway,
                self.users()?,
                |server, http| config(provider, USERS, server, http),
            )?;
            if provider == Provider::Simulator {
                text_out::warm_up(&transom, text_out::WINDOW)?;
                text_out::loaded(&transom, &what, (messages, text_out::WINDOW), figures)?;
            } else {
                world::register(&transom.link)?;
                text_in::warm_up(&transom)?;
                text_in::loaded(&transom, &what, messages, figures)?;
            }
            transom.link.close()?;
            transom.stop()?;
        }
        Ok(())
    }
}

/// Sends everything back until the connection ends.
fn swap_all(mut stream: TcpStream) -> Result<()> {
    let mut cutter = Cutter::default();
    let mut buffer = vec![0; 256 * 1024];
    let mut out = Vec::new();
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        cutter.feed(buffer.get(..count).unwrap_or_default());
        out.clear();
        while let Some(stanza) = cutter.next() {
            let stanza = str::from_utf8(stanza)?;
            let (head, rest) = stanza.split_once('>').context("half a stanza")?;
            let (Some(from), Some(to)) = (attribute(head, "from"), attribute(head, "to")) else {
                continue;
            };
            let head = head.replace(from, "\0").replace(to, from).replace('\0', to);
            write!(out, "{head}>{rest}")?;
        }
        stream.write_all(&out)?;
    }
}
