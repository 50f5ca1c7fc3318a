//! A mailbox of our own that can be cut, garbled, refused and renumbered.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use transom_adapter::Lifecycle;

/// A mailbox and what is wrong with its server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) validity: u32,
    pub(super) next: u32,
    pub(super) mails: Vec<(u32, Vec<u8>)>,
    pub(super) password: &'static str,
    /// The access tokens that are taken.
    pub(super) tokens: Vec<&'static str>,
    /// What the folder of sent mail is called; it holds the same mails.
    pub(super) sent: &'static str,
    pub(super) has_idle: bool,
    /// IDLE announces nothing and DONE is not answered.
    pub(super) deaf: bool,
    /// How often the body of a mail is cut in the middle.
    pub(super) cuts: HashMap<u32, u32>,
    /// How often a mail is not given, in words: not even its header.
    pub(super) refusals: HashMap<u32, u32>,
    /// How often no mail is given at all.
    pub(super) outage: u32,
    /// How often the connection ends where the answer to a question for a mail would begin.
    pub(super) hang_ups: u32,
    /// Mails that are listed and gone before they are read.
    pub(super) gone: Vec<u32>,
    /// Mails whose body does not come.
    pub(super) hanging: Vec<u32>,
    /// Mails whose body comes as nonsense.
    pub(super) garbled: Vec<u32>,
    pub(super) sizes: HashMap<u32, u32>,
    pub(super) connections: u32,
    /// By how much the UIDNEXT that it says is too low.
    pub(super) late: u32,
    pub(super) commands: Vec<String>,
}

#[derive(Clone)]
pub(super) struct Host {
    pub(super) server: Arc<Mutex<Server>>,
    pub(super) news: Arc<watch::Sender<u32>>,
    pub(super) port: u16,
    pub(super) since_days: u16,
    pub(super) lifecycle: Lifecycle,
}

impl Host {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Self {
            server: Arc::new(Mutex::new(Server {
                validity: 7,
                next: 1,
                mails: Vec::new(),
                password: "s3cret",
                tokens: Vec::new(),
                sent: "",
                has_idle: true,
                deaf: false,
                cuts: HashMap::new(),
                refusals: HashMap::new(),
                outage: 0,
                hang_ups: 0,
                gone: Vec::new(),
                hanging: Vec::new(),
                garbled: Vec::new(),
                sizes: HashMap::new(),
                connections: 0,
                late: 0,
                commands: Vec::new(),
            })),
            news: Arc::new(watch::channel(0).0),
            port: listener.local_addr().unwrap().port(),
            since_days: 0,
            lifecycle: Lifecycle::new(),
        };
        let inner = host.clone();
        host.lifecycle.spawn("imap-host", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let host = inner.clone();
                inner.lifecycle.spawn("imap-connection", async move {
                    drop(host.serve(stream).await);
                });
            }
        });
        host
    }

    pub(super) fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap()
    }

    /// Puts a mail into the mailbox and gives its UID.
    pub(super) fn deliver(&self, to: &str, text: &str) -> u32 {
        self.deliver_from("bob@example.com", to, text)
    }

    pub(super) fn deliver_from(&self, from: &str, to: &str, text: &str) -> u32 {
        let mut server = self.server();
        let uid = server.next;
        server.next += 1;
        let mail = format!(
            "Delivered-To: {to}\r\nFrom: Bob <{from}>\r\nMessage-ID: <{text}@example.com>\r\nSubject: {text}\r\n\r\n{text}\r\n"
        );
        server.mails.push((uid, mail.into_bytes()));
        drop(server);
        self.news.send_modify(|count| *count += 1);
        uid
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        self.server().connections += 1;
        let mut stream = BufReader::new(stream);
        let mut news = self.news.subscribe();
        stream.write_all(b"* OK ready\r\n").await?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
            self.server().commands.push(command.to_owned());
            if command == "IDLE" {
                stream.write_all(b"+ idling\r\n").await?;
                self.idle(&mut stream, &mut news, tag).await?;
                continue;
            }
            if command == "AUTHENTICATE XOAUTH2" {
                stream.write_all(b"+ \r\n").await?;
                let mut bearer = String::new();
                stream.read_line(&mut bearer).await?;
                let bearer = STANDARD.decode(bearer.trim_end()).unwrap();
                let bearer = String::from_utf8(bearer).unwrap();
                let is_taken = |token: &&str| bearer.contains(&format!("auth=Bearer {token}\x01"));
                let answer = if self.server().tokens.iter().any(is_taken) {
                    "OK"
                } else {
                    "NO [AUTHENTICATIONFAILED] no"
                };
                stream
                    .write_all(format!("{tag} {answer}\r\n").as_bytes())
                    .await?;
                continue;
            }
            let hangs = |uid: &u32| command.contains(&format!("FETCH {uid} (UID BODY.PEEK[]"));
            if self.server().hanging.iter().any(hangs) {
                std::future::pending::<()>().await;
            }
            let (bytes, cut) = self.answer(tag, command);
            stream.write_all(&bytes).await?;
            if cut || command == "LOGOUT" {
                return Ok(());
            }
        }
    }

    async fn idle(
        &self,
        stream: &mut BufReader<TcpStream>,
        news: &mut watch::Receiver<u32>,
        tag: &str,
    ) -> std::io::Result<()> {
        let deaf = self.server().deaf;
        let mut line = String::new();
        loop {
            tokio::select! {
                changed = news.changed(), if !deaf => {
                    changed.map_err(std::io::Error::other)?;
                    let count = self.server().mails.len();
                    stream.write_all(format!("* {count} EXISTS\r\n").as_bytes()).await?;
                }
                read = stream.read_line(&mut line) => {
                    if read? == 0 {
                        return Err(std::io::ErrorKind::UnexpectedEof.into());
                    }
                    if deaf {
                        std::future::pending::<()>().await;
                    }
                    return stream.write_all(format!("{tag} OK done\r\n").as_bytes()).await;
                }
            }
        }
    }

    /// The answer, and whether the connection ends with it.
    fn answer(&self, tag: &str, command: &str) -> (Vec<u8>, bool) {
        let mut server = self.server();
        let ok = format!("{tag} OK\r\n");
        let words: Vec<&str> = command.split(' ').collect();
        let text = match words.as_slice() {
            ["LOGIN", _, password] if password.trim_matches('"') == server.password => ok,
            ["LOGIN", ..] => format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n"),
            ["CAPABILITY"] => {
                let idle = if server.has_idle { " IDLE" } else { "" };
                format!("* CAPABILITY IMAP4rev1{idle}\r\n{ok}")
            }
            ["SELECT", name] if ["INBOX", server.sent].contains(&name.trim_matches('"')) => {
                let Server {
                    validity,
                    late,
                    ref mails,
                    ..
                } = *server;
                let next = server.next - late;
                format!(
                    "* {} EXISTS\r\n* OK [UIDVALIDITY {validity}] x\r\n* OK [UIDNEXT {next}] x\r\n{ok}",
                    mails.len()
                )
            }
            ["LIST", ..] => {
                let sent = server.sent;
                format!("* LIST (\\HasNoChildren \\Sent) \"/\" \"{sent}\"\r\n{ok}")
            }
            ["SELECT", ..] => format!("{tag} NO no such mailbox\r\n"),
            ["UID", "SEARCH", ..] => {
                let uids: Vec<String> = server
                    .mails
                    .iter()
                    .map(|(uid, _)| uid.to_string())
                    .collect();
                format!("* SEARCH {}\r\n{ok}", uids.join(" "))
            }
            ["UID", "FETCH", set, "(UID", "RFC822.SIZE", ..] => server.list(set) + &ok,
            ["UID", "FETCH", uid, "(UID", what] => {
                let uid: u32 = uid.parse().unwrap();
                return server.body(uid, what, tag);
            }
            ["FETCH", place @ ("1" | "*"), ..] => {
                let mail = match *place {
                    "1" => server.mails.first(),
                    _ => server.mails.last(),
                };
                let uid = mail.map_or(0, |(uid, _)| *uid);
                return server.body(uid, "HEADER", tag);
            }
            ["FETCH", ..] => server.heads() + &ok,
            ["NOOP"] => ok,
            ["LOGOUT"] => format!("* BYE\r\n{ok}"),
            _ => format!("{tag} BAD what\r\n"),
        };
        (text.into_bytes(), false)
    }
}

impl Server {
    fn list(&self, set: &str) -> String {
        let (first, last) = set.split_once(':').unwrap();
        let first: u32 = first.parse().unwrap();
        let last: u32 = last.parse().unwrap_or(u32::MAX);
        let highest = self.mails.iter().map(|(uid, _)| *uid).max().unwrap_or(0);
        let mut text = String::new();
        for (sequence, (uid, mail)) in (1..).zip(&self.mails) {
            // RFC 3501 §6.4.8: `*` always names the last mail.
            if (*uid >= first && *uid <= last) || (last == u32::MAX && *uid == highest) {
                let length = u32::try_from(mail.len()).unwrap();
                let size = self.sizes.get(uid).copied().unwrap_or(length);
                writeln!(text, "* {sequence} FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE \"02-Nov-2026 10:00:00 +0000\")\r").unwrap();
            }
        }
        text
    }

    fn heads(&self) -> String {
        let mut text = String::new();
        for (sequence, (_, mail)) in (1..).zip(&self.mails) {
            let mail = String::from_utf8_lossy(mail);
            let head = mail.split("\r\n\r\n").next().unwrap().to_owned() + "\r\n\r\n";
            let length = head.len();
            writeln!(
                text,
                "* {sequence} FETCH (BODY[HEADER]<0> {{{length}}}\r\n{head})\r"
            )
            .unwrap();
        }
        text
    }

    fn body(&mut self, uid: u32, what: &str, tag: &str) -> (Vec<u8>, bool) {
        let ok = format!("{tag} OK\r\n");
        if self.hang_ups > 0 {
            self.hang_ups -= 1;
            return (Vec::new(), true);
        }
        let refusals = match self.outage {
            0 => self.refusals.entry(uid).or_default(),
            _ => &mut self.outage,
        };
        if *refusals > 0 {
            *refusals -= 1;
            let no = format!("{tag} NO [SERVERBUG] Internal error occurred.\r\n");
            return (no.into_bytes(), false);
        }
        let found = self.mails.iter().find(|(known, _)| *known == uid);
        let Some((_, mail)) = found.filter(|_| !self.gone.contains(&uid)) else {
            return (ok.into_bytes(), false);
        };
        let is_header = what.contains("HEADER");
        if !is_header && self.garbled.contains(&uid) {
            return (b"* 1 FETCH (UID (((( {x}\r\n".to_vec(), false);
        }
        let (content, section) = if is_header {
            let end = mail
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
                .unwrap()
                + 4;
            (&mail[..end], "BODY[HEADER]<0>")
        } else {
            (&mail[..], "BODY[]<0>")
        };
        let mut bytes =
            format!("* 1 FETCH (UID {uid} {section} {{{}}}\r\n", content.len()).into_bytes();
        let cuts = self.cuts.entry(uid).or_default();
        if !is_header && *cuts > 0 {
            *cuts -= 1;
            bytes.extend_from_slice(&content[..content.len() / 2]);
            return (bytes, true);
        }
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(format!(")\r\n{ok}").as_bytes());
        (bytes, false)
    }
}
