//! A scripted SMTP server: takes the mails that the gateway or Postfix sends out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::lines::Lines;
use crate::mail::Mail;
use crate::ports::free_port;
use crate::wait::{PATIENCE, until};

/// A step of the SMTP dialog that a script can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The greeting after the connection.
    Connect,
    /// `AUTH`.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`, each of them.
    Rcpt,
    /// `DATA`.
    Data,
    /// The dot after the mail.
    Dot,
}

/// What the sink does at a stage instead of accepting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This reply: `451 4.3.0 try again later`.
    Reply(String),
    /// Silence, with the connection kept open until [`MailSink::let_go`].
    Hang,
    /// At the dot: records the mail, then the same.
    KeepAndHang,
    /// Closes without a reply. At the dot, nothing is recorded.
    Close,
    /// At the dot: records the mail, then closes without a reply, so that the sender cannot know.
    KeepAndClose,
}

impl Verdict {
    /// A reply.
    pub fn reply(text: &str) -> Self {
        Self::Reply(text.to_owned())
    }
}

/// The server. Without a script it accepts everything.
pub struct MailSink {
    addr: SocketAddr,
    script: Arc<Mutex<Script>>,
    server: JoinSet<()>,
}

type Judge = Arc<dyn Fn(&Mail) -> Option<Verdict> + Send + Sync>;

#[derive(Default)]
struct Script {
    once: VecDeque<(Stage, Verdict)>,
    always: Vec<(Stage, Verdict)>,
    judge: Option<Judge>,
    let_go: Arc<Notify>,
    mails: Vec<Mail>,
    untaken: VecDeque<usize>,
    logins: Vec<String>,
    connections: usize,
}

impl MailSink {
    /// Starts to listen on a port of its own.
    pub async fn start() -> Self {
        let mut sink = Self {
            addr: free_port(),
            script: Arc::default(),
            server: JoinSet::new(),
        };
        sink.resume().await;
        sink
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers so the next time the stage comes; several for one stage are used in order.
    pub fn answer_next(&self, stage: Stage, verdict: Verdict) {
        self.lock().once.push_back((stage, verdict));
    }

    /// Answers so whenever the stage comes; `None` accepts again.
    pub fn answer_always(&self, stage: Stage, verdict: Option<Verdict>) {
        let mut script = self.lock();
        script.always.retain(|(at, _)| *at != stage);
        script
            .always
            .extend(verdict.map(|verdict| (stage, verdict)));
    }

    /// Decides at the dot of each mail for which nothing else is scripted.
    pub fn judge_by(&self, judge: impl Fn(&Mail) -> Option<Verdict> + Send + Sync + 'static) {
        self.lock().judge = Some(Arc::new(judge));
    }

    /// Closes every connection that hangs.
    pub fn let_go(&self) {
        self.lock().let_go.notify_waiters();
    }

    /// All mails so far, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.lock().mails.clone()
    }

    /// One of them, counted from 0.
    pub fn nth(&self, place: usize) -> Option<Mail> {
        self.lock().mails.get(place).cloned()
    }

    /// What `AUTH` carried, each time: mechanism and initial response.
    pub fn logins(&self) -> Vec<String> {
        self.lock().logins.clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// The oldest mail not yet taken that `wanted` accepts; waits for it.
    pub async fn mail(&self, what: &str, wanted: impl Fn(&Mail) -> bool) -> Mail {
        let found = until(what, PATIENCE, async || self.lock().take(&wanted)).await;
        found.unwrap_or_else(|late| {
            let seen: Vec<String> = self.mails().iter().map(Mail::to_string).collect();
            panic!("{late}; mails so far:\n{}", seen.join("\n----\n"))
        })
    }

    /// Goes away: connections are cut and new ones refused.
    pub async fn pause(&mut self) {
        self.server.shutdown().await;
    }

    /// Comes back on the same port.
    pub async fn resume(&mut self) {
        let listener = TcpListener::bind(self.addr).await.expect("our own port");
        self.server.spawn(serve(listener, Arc::clone(&self.script)));
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        locked(&self.script)
    }
}

impl Script {
    fn verdict(&mut self, stage: Stage) -> Option<Verdict> {
        if let Some(place) = self.once.iter().position(|(at, _)| *at == stage) {
            return self.once.remove(place).map(|(_, verdict)| verdict);
        }
        let found = self.always.iter().find(|(at, _)| *at == stage);
        found.map(|(_, verdict)| verdict.clone())
    }

    fn take(&mut self, wanted: impl Fn(&Mail) -> bool) -> Option<Mail> {
        let place = self
            .untaken
            .iter()
            .position(|index| wanted(&self.mails[*index]))?;
        let index = self.untaken.remove(place)?;
        Some(self.mails[index].clone())
    }

    fn keep(&mut self, mail: Mail) {
        self.untaken.push_back(self.mails.len());
        self.mails.push(mail);
    }
}

fn locked(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, script: Arc<Mutex<Script>>) {
    let mut connections = JoinSet::new(); // they end with the server
    while let Ok((stream, _)) = listener.accept().await {
        let mut dialog = Dialog {
            lines: Lines::on(stream),
            script: Arc::clone(&script),
            mail: None,
        };
        locked(&script).connections += 1;
        connections.spawn(async move { dialog.run().await.unwrap_or_default() });
    }
}

/// One connection. `None` anywhere means: it is over.
struct Dialog {
    lines: Lines,
    script: Arc<Mutex<Script>>,
    mail: Option<Mail>,
}

/// Whether the stage was accepted.
type Accepted = bool;

impl Dialog {
    async fn run(&mut self) -> Option<()> {
        self.step(Stage::Connect, "220 sink.example.net ESMTP")
            .await?;
        loop {
            let line = self.lines.raw_line().await?;
            let line = String::from_utf8_lossy(&line).into_owned();
            self.command(&line).await?;
        }
    }

    async fn command(&mut self, line: &str) -> Option<()> {
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.extensions().await,
            "HELO" | "NOOP" => self.lines.answer("250 2.0.0 ok").await,
            "RSET" => {
                self.mail = None;
                self.lines.answer("250 2.0.0 ok").await;
            }
            "AUTH" => {
                locked(&self.script).logins.push(line.to_owned());
                self.step(Stage::Auth, "235 2.7.0 welcome").await?;
            }
            "MAIL" => {
                if self.step(Stage::Mail, "250 2.1.0 ok").await? {
                    self.mail = Some(envelope(line));
                }
            }
            "RCPT" => self.recipient(line).await?,
            "DATA" => self.data().await?,
            "QUIT" => {
                self.lines.answer("221 2.0.0 bye").await;
                return None;
            }
            _ => self.lines.answer("502 5.5.2 unknown command").await,
        }
        Some(())
    }

    async fn extensions(&mut self) {
        let extensions = [
            "sink.example.net",
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "DSN",
            "ENHANCEDSTATUSCODES",
            "AUTH PLAIN LOGIN",
        ];
        for extension in extensions {
            self.lines.answer(&format!("250-{extension}")).await;
        }
        self.lines.answer("250 SIZE 26214400").await;
    }

    async fn recipient(&mut self, line: &str) -> Option<()> {
        if self.mail.is_none() {
            self.lines.answer("503 5.5.1 MAIL first").await;
            return Some(());
        }
        if self.step(Stage::Rcpt, "250 2.1.5 ok").await?
            && let Some(mail) = &mut self.mail
        {
            mail.to.push(address(line));
        }
        Some(())
    }

    async fn data(&mut self) -> Option<()> {
        if self.mail.as_ref().is_none_or(|mail| mail.to.is_empty()) {
            self.lines.answer("554 5.5.1 no valid recipients").await;
            return Some(());
        }
        if !self.step(Stage::Data, "354 go ahead").await? {
            return Some(());
        }
        let mut mail = self.mail.take()?;
        mail.content = self.content().await?;
        let (verdict, judge) = {
            let mut script = locked(&self.script);
            (script.verdict(Stage::Dot), script.judge.clone())
        };
        let verdict = verdict.or_else(|| judge?(&mail));
        if matches!(
            verdict,
            None | Some(Verdict::KeepAndClose | Verdict::KeepAndHang)
        ) {
            locked(&self.script).keep(mail);
        }
        self.obey(verdict, "250 2.0.0 kept").await?;
        Some(())
    }

    /// RFC 5321 §4.5.2: up to the dot alone on its line; a first dot of two is taken away.
    async fn content(&mut self) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        loop {
            let line = self.lines.raw_line().await?;
            if line == b"." {
                return Some(content);
            }
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            content.extend_from_slice(b"\r\n");
        }
    }

    async fn step(&mut self, stage: Stage, consent: &str) -> Option<Accepted> {
        let verdict = locked(&self.script).verdict(stage);
        self.obey(verdict, consent).await
    }

    async fn obey(&mut self, verdict: Option<Verdict>, consent: &str) -> Option<Accepted> {
        match verdict {
            None => {
                self.lines.answer(consent).await;
                Some(true)
            }
            Some(Verdict::Reply(reply)) => {
                self.lines.answer(&reply).await;
                Some(reply.starts_with(['2', '3']))
            }
            Some(Verdict::Hang | Verdict::KeepAndHang) => {
                let let_go = Arc::clone(&locked(&self.script).let_go);
                let_go.notified().await;
                None
            }
            Some(Verdict::Close | Verdict::KeepAndClose) => None,
        }
    }
}

fn envelope(line: &str) -> Mail {
    let rest = line.split_once('>').map_or("", |(_, rest)| rest);
    Mail {
        from: address(line),
        parameters: rest.split_whitespace().map(str::to_owned).collect(),
        to: Vec::new(),
        content: Vec::new(),
    }
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}
