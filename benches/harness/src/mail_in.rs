//! Mail in: LMTP → committed, then answered → stanza → barrier.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};

use crate::{
    figures::{Figures, Meter},
    process::Gateway,
    tally::mark,
    world::{CONTACTS, MAIL_DOMAIN, USERS, chat, mail_in},
};

/// LMTP sessions, each with one mail under way: what a Postfix on a small machine opens.
pub(crate) const SESSIONS: usize = 20;

/// Every chat once.
pub(crate) fn warm_up(gateway: &Gateway, lmtp: SocketAddr) -> Result<()> {
    run(gateway, lmtp, USERS * CONTACTS).map(drop)
}

/// As fast as they are taken.
pub(crate) fn loaded(
    gateway: &Gateway,
    lmtp: SocketAddr,
    messages: usize,
    figures: &mut Figures,
) -> Result<()> {
    let meter = Meter::start(gateway.pid())?;
    let answered = run(gateway, lmtp, messages)?;
    meter.stop("(e) mail in by LMTP, full load", messages, figures)?;
    figures.add_times("(e) mail in by LMTP, full load: data to answer", answered);
    Ok(())
}

/// How long each mail took from its first command to its answer; ends when all stanzas have arrived.
fn run(gateway: &Gateway, lmtp: SocketAddr, messages: usize) -> Result<Vec<Duration>> {
    let load = gateway.link.tally.begin(messages);
    let next = AtomicUsize::new(0);
    let deliver = || -> Result<Vec<Duration>> {
        let mut session = Session::open(lmtp)?;
        let mut times = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= messages {
                return Ok(times);
            }
            let began = Instant::now();
            session.deliver(load, number)?;
            times.push(began.elapsed());
        }
    };
    let mut times = Vec::with_capacity(messages);
    thread::scope(|scope| {
        let sessions: Vec<_> = (0..SESSIONS).map(|_| scope.spawn(deliver)).collect();
        for session in sessions {
            times.extend(
                session
                    .join()
                    .map_err(|_| anyhow!("a session panicked"))??,
            );
        }
        anyhow::Ok(())
    })?;
    gateway.link.tally.all()?;
    Ok(times)
}

struct Session {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Session {
    fn open(lmtp: SocketAddr) -> Result<Self> {
        let writer = TcpStream::connect(lmtp)?;
        writer.set_nodelay(true)?;
        let mut session = Self {
            reader: BufReader::new(writer.try_clone()?),
            writer,
        };
        session.expect("220")?;
        session.say("LHLO bench.example.org\r\n")?;
        session.expect("250")?;
        Ok(session)
    }

    /// One mail as an MTA hands it over: commands in one packet (RFC 2920), then the data.
    fn deliver(&mut self, load: usize, number: usize) -> Result<()> {
        let (user, contact) = chat(number);
        let (to, from) = (
            format!("user{user}@{MAIL_DOMAIN}"),
            format!("person{contact}@example.com"),
        );
        let mark = mark(load, number);
        self.say(&format!("MAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\nDATA\r\n"))?;
        for code in ["250", "250", "354"] {
            self.expect(code)?;
        }
        let mail = mail_in(user, contact, number, &mark);
        self.say(&format!("{mail}.\r\n"))?;
        self.expect("250")
    }

    fn say(&mut self, text: &str) -> Result<()> {
        Ok(self.writer.write_all(text.as_bytes())?)
    }

    /// Reads one answer, all its lines.
    fn expect(&mut self, code: &str) -> Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            ensure!(line.starts_with(code), "instead of {code}: {line}");
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}
