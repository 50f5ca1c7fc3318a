//! The account against a mailbox of our own that can be cut, garbled and renumbered.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Mutex, MutexGuard},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use transom_adapter::{
    Event, Inbox, Incoming, Lifecycle, Notice,
    testkit::{self, CountingMeter, FixedDirectory, RecordingInbox},
};

use super::*;
use crate::{
    config::Login,
    net::{Endpoint, Reach, Security},
};

/// A mailbox and what is wrong with its server.
#[derive(Debug)]
struct Server {
    validity: u32,
    next: u32,
    mails: Vec<(u32, Vec<u8>)>,
    password: &'static str,
    has_idle: bool,
    /// IDLE announces nothing and DONE is not answered.
    deaf: bool,
    /// How often the body of a mail is cut in the middle.
    cuts: HashMap<u32, u32>,
    /// How often a mail is not given, in words: not even its header.
    refusals: HashMap<u32, u32>,
    /// How often no mail is given at all.
    outage: u32,
    /// How often the connection ends where the answer to a question for a mail would begin.
    hang_ups: u32,
    /// Mails that are listed and gone before they are read.
    gone: Vec<u32>,
    /// Mails whose body does not come.
    hanging: Vec<u32>,
    /// Mails whose body comes as nonsense.
    garbled: Vec<u32>,
    sizes: HashMap<u32, u32>,
    connections: u32,
    /// By how much the UIDNEXT that it says is too low.
    late: u32,
    commands: Vec<String>,
}

#[derive(Clone)]
struct Host {
    server: Arc<Mutex<Server>>,
    news: Arc<watch::Sender<u32>>,
    port: u16,
    since_days: u16,
    lifecycle: Lifecycle,
}

impl Host {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Self {
            server: Arc::new(Mutex::new(Server {
                validity: 7,
                next: 1,
                mails: Vec::new(),
                password: "s3cret",
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

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap()
    }

    /// Puts a mail into the mailbox and gives its UID.
    fn deliver(&self, to: &str, text: &str) -> u32 {
        self.deliver_from("bob@example.com", to, text)
    }

    fn deliver_from(&self, from: &str, to: &str, text: &str) -> u32 {
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
            ["SELECT", name] if name.trim_matches('"') == "INBOX" => {
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

const FAST: Pace = Pace {
    command: Duration::from_secs(2),
    body: Duration::from_secs(2),
    silence: Duration::from_millis(300),
    idle: Duration::from_secs(5),
    poll: Duration::from_millis(20),
    reconnect: Duration::from_millis(5),
    reconnect_max: Duration::from_millis(10),
    busy: Duration::from_millis(5),
};

struct Watched {
    host: Host,
    inbox: Arc<RecordingInbox>,
    meter: Arc<CountingMeter>,
    context: Context,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.host.lifecycle.abort();
        self.context.lifecycle.abort();
    }
}

fn account(host: &Host, pace: Pace) -> ImapAccount {
    let config = ImapConfig {
        endpoint: Endpoint {
            host: "127.0.0.1".to_owned(),
            port: host.port,
            security: Security::None,
            reach: Reach::Anywhere,
        },
        login: Login {
            username: "bridge".to_owned(),
            password: "s3cret".to_owned().into(),
            tokens: None,
        },
        mailbox: "INBOX".to_owned(),
        whose: Whose::Recipients {
            header: "Delivered-To".to_owned(),
            fallback: false,
        },
        since_days: host.since_days,
        sent_every: Duration::ZERO,
        silence: crate::config::SILENCE,
    };
    let ids = OwnIds::new(testkit::signer(), "mail.example.org".to_owned());
    let mut account = ImapAccount::new(AccountName::new("mail", "imap"), ids, config, None);
    account.pace = pace;
    account
}

impl Watched {
    async fn start() -> Self {
        Self::on(Host::start().await)
    }

    fn on(host: Host) -> Self {
        let (inbox, meter) = (
            Arc::<RecordingInbox>::default(),
            Arc::<CountingMeter>::default(),
        );
        let context = testkit::context(
            Arc::clone(&inbox),
            FixedDirectory::default(),
            Arc::clone(&meter),
        );
        let this = Self {
            host,
            inbox,
            meter,
            context,
        };
        this.run();
        this
    }

    fn run(&self) {
        let (account, context) = (account(&self.host, FAST), self.context.clone());
        let inner = self.context.clone();
        context
            .lifecycle
            .spawn("imap", async move { account.run(&inner).await.unwrap() });
    }

    /// Ends the watch; [`run`](Self::run) begins another on the same store.
    async fn stopped(mut self) -> Self {
        self.context.lifecycle.drain();
        assert!(self.context.lifecycle.finish(Duration::from_secs(5)).await);
        self.context.lifecycle = Lifecycle::new();
        self
    }

    /// Waits for the first run to have set its position.
    async fn settled(self) -> Self {
        while self.cursor().await.is_none() {
            tokio::task::yield_now().await;
        }
        self
    }

    async fn cursor(&self) -> Option<String> {
        self.inbox
            .cursor(&AccountName::new("mail", "imap"), "INBOX")
            .await
            .unwrap()
    }

    async fn messages(&self, count: usize) -> Vec<Incoming> {
        let waited = tokio::time::timeout(Duration::from_secs(20), self.inbox.wait_for(count));
        let events = waited.await.expect("the mails arrive");
        let message = |event| match event {
            Event::Message(message) => *message,
            other => panic!("{other:?}"),
        };
        events.into_iter().map(message).collect()
    }

    async fn texts(&self, count: usize) -> Vec<String> {
        self.messages(count)
            .await
            .into_iter()
            .map(|message| message.text)
            .collect()
    }
}

const ALICE: &str = "alice@mail.example.org";

#[tokio::test]
async fn the_first_run_starts_now_and_news_come_by_idle() {
    let host = Host::start().await;
    host.deliver(ALICE, "old");
    let watched = Watched::on(host).settled().await;
    assert!(watched.cursor().await.unwrap().starts_with("7:1:"));
    watched.host.deliver(ALICE, "new");
    let messages = watched.messages(1).await;
    assert_eq!(
        (messages[0].text.as_str(), messages[0].to.as_str()),
        ("new", ALICE)
    );
    assert!(watched.cursor().await.unwrap().starts_with("7:2:"));
    let changes = |command: &String| command.contains("STORE") || command.contains(" BODY[");
    assert!(
        !watched.host.server().commands.iter().any(changes),
        "nothing in the mailbox is changed"
    );
}

#[tokio::test]
async fn a_burst_is_read_in_order_and_once() {
    let watched = Watched::start().await.settled().await;
    let want: Vec<String> = (0..200).map(|number| format!("m{number}")).collect();
    for text in &want {
        watched.host.deliver(ALICE, text);
    }
    assert_eq!(watched.texts(200).await, want);
}

/// facts c9: what waited is counted exactly, comes in its order, and is asked for one mail at a time, so that the memory that it takes does
/// not grow with the number.
#[tokio::test]
async fn ten_thousand_mails_that_wait_are_read_in_order_and_once() {
    const WAITING: usize = 10_000;
    let watched = Watched::start().await.settled().await.stopped().await;
    let want: Vec<String> = (0..WAITING).map(|number| format!("m{number}")).collect();
    for text in &want {
        watched.host.deliver(ALICE, text);
    }
    watched.run();
    let waited = watched.inbox.wait_for(WAITING);
    let events = tokio::time::timeout(Duration::from_mins(5), waited).await;
    let text = |event: &Event| match event {
        Event::Message(message) => message.text.clone(),
        other => panic!("{other:?}"),
    };
    let got: Vec<String> = events.expect("all of them").iter().map(text).collect();
    assert!(
        got == want,
        "{} came, the first wrong one is {:?}",
        got.len(),
        {
            let mut pairs = got.iter().zip(&want);
            pairs.find(|(got, want)| got != want)
        }
    );
    let server = watched.host.server();
    let bodies = server
        .commands
        .iter()
        .filter(|command| command.contains("BODY.PEEK[]"));
    let several = bodies.filter(|command| command.contains([',', ':']));
    assert_eq!(several.count(), 0, "one mail a request");
}

#[tokio::test]
async fn mails_of_different_people_are_committed_together_and_in_their_order() {
    let watched = Watched::start().await.settled().await.stopped().await;
    let before = watched.inbox.commits();
    let want: Vec<String> = (0..96).map(|number| format!("m{number}")).collect();
    for (number, text) in want.iter().enumerate() {
        let from = format!("person{}@example.com", number % 40);
        watched.host.deliver_from(&from, ALICE, text);
    }
    watched.run();
    assert_eq!(watched.texts(want.len()).await, want);
    let commits = watched.inbox.commits() - before;
    assert!(commits < want.len() / 4, "{commits} commits");
}

#[tokio::test]
async fn a_mail_that_does_not_come_holds_up_none_before_it() {
    let watched = Watched::start().await.settled().await.stopped().await;
    watched.host.deliver_from("a@example.com", ALICE, "first");
    let second = watched.host.deliver_from("b@example.com", ALICE, "second");
    watched.host.server().hanging.push(second);
    watched.run();
    // The watch hangs at the second for as long as the deadline of a body.
    assert_eq!(watched.texts(1).await, ["first"]);
    assert_eq!(watched.host.server().connections, 2);
    watched.host.server().hanging.clear();
    assert_eq!(watched.texts(2).await, ["first", "second"]);
}

#[tokio::test]
async fn a_cut_in_a_batch_keeps_what_was_read_before_it() {
    let watched = Watched::start().await.settled().await.stopped().await;
    let want: Vec<String> = (0..10).map(|number| format!("c{number}")).collect();
    for (number, text) in want.iter().enumerate() {
        let from = format!("person{number}@example.com");
        let uid = watched.host.deliver_from(&from, ALICE, text);
        if number == 5 {
            watched.host.server().cuts.insert(uid, 1);
        }
    }
    watched.run();
    assert_eq!(watched.texts(want.len()).await, want);
    let server = watched.host.server();
    let bodies = server
        .commands
        .iter()
        .filter(|command| command.contains("BODY.PEEK[]"));
    assert_eq!(bodies.count(), want.len() + 1, "one was asked for twice");
}

/// facts c7: a mail that crashes the decoder is shown by its header, and the next one is read.
#[tokio::test]
async fn a_mail_that_crashes_the_decoder_is_named_and_the_next_is_read() {
    let watched = Watched::start().await.settled().await;
    watched.host.deliver(ALICE, "before");
    watched.host.deliver(ALICE, crate::read::CRASHES);
    watched.host.deliver(ALICE, "behind");
    let messages = watched.messages(3).await;
    let texts: Vec<&str> = messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    assert_eq!(texts, ["before", "", "behind"]);
    assert!(matches!(
        messages[1].mail.notice,
        Some(Notice::Unreadable { .. })
    ));
    let original = messages[1].mail.original.as_ref().expect("the whole mail");
    assert!(original.ends_with(format!("{}\r\n", crate::read::CRASHES).as_bytes()));
}

/// facts c9: a server that goes away and comes back takes nothing with it.
#[tokio::test]
async fn a_server_that_restarts_between_two_mails_loses_and_doubles_nothing() {
    let watched = Watched::start().await.settled().await;
    let want: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    for (number, text) in want.iter().enumerate() {
        let uid = watched.host.deliver(ALICE, text);
        if number % 5 == 4 {
            watched.host.server().cuts.insert(uid, 2);
        }
    }
    assert_eq!(watched.texts(want.len()).await, want);
    assert!(watched.host.server().connections > 4);
}

#[tokio::test]
async fn the_first_run_looks_back_when_asked_and_the_next_one_does_not() {
    let mut host = Host::start().await;
    host.since_days = 3650;
    host.deliver(ALICE, "old");
    host.deliver(ALICE, "older");
    let watched = Watched::on(host);
    assert_eq!(watched.texts(2).await, ["old", "older"]);
    let watched = watched.stopped().await;
    watched.run();
    watched.host.deliver(ALICE, "new");
    assert_eq!(watched.texts(3).await, ["old", "older", "new"]);
}

#[tokio::test]
async fn without_idle_the_mailbox_is_asked() {
    let host = Host::start().await;
    host.server().has_idle = false;
    let watched = Watched::on(host).settled().await;
    watched.host.deliver(ALICE, "polled");
    assert_eq!(watched.texts(1).await, ["polled"]);
}

#[tokio::test]
async fn idle_gone_deaf_is_noticed() {
    let host = Host::start().await;
    host.server().deaf = true;
    let watched = Watched::on(host).settled().await;
    watched.host.deliver(ALICE, "unheard");
    assert_eq!(watched.texts(1).await, ["unheard"]);
    assert!(
        watched.host.server().connections >= 2,
        "DONE was not answered either"
    );
}

#[tokio::test]
async fn a_cut_inside_a_mail_loses_and_doubles_nothing() {
    let watched = Watched::start().await.settled().await;
    let second = watched.host.server().next + 1;
    watched.host.server().cuts.insert(second, 2);
    for text in ["a", "b", "c"] {
        watched.host.deliver(ALICE, text);
    }
    assert_eq!(watched.texts(3).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn rfc3501_a_mail_that_is_refused_is_not_one_that_is_gone() {
    let watched = Watched::start().await.settled().await;
    watched.host.server().refusals.insert(1, 3);
    watched.host.deliver(ALICE, "refused");
    let messages = watched.messages(1).await;
    assert_eq!(messages[0].subject.as_deref(), Some("refused"));
    assert!(messages[0].mail.notice.is_none(), "it is shown whole");
    assert_eq!(watched.meter.of("imap_gone"), 0);
}

#[tokio::test]
async fn a_connection_that_ends_before_an_answer_takes_no_mail_with_it() {
    let watched = Watched::start().await.settled().await;
    watched.host.server().hang_ups = 3;
    watched.host.deliver(ALICE, "cut");
    let messages = watched.messages(1).await;
    assert_eq!(messages[0].subject.as_deref(), Some("cut"));
    assert_eq!(watched.meter.of("imap_gone"), 0);
}

#[tokio::test]
async fn where_no_mail_is_given_none_is_given_up() {
    let watched = Watched::start().await.settled().await;
    // Longer than any mail alone is asked for.
    watched.host.server().outage = 100;
    watched.host.deliver(ALICE, "first");
    watched.host.deliver(ALICE, "second");
    let messages = watched.messages(2).await;
    let subjects: Vec<_> = messages
        .iter()
        .map(|mail| mail.subject.as_deref())
        .collect();
    assert_eq!(subjects, [Some("first"), Some("second")]);
    assert!(messages.iter().all(|mail| mail.mail.notice.is_none()));
}

#[tokio::test]
async fn a_mail_that_alone_is_refused_stops_no_other() {
    let watched = Watched::start().await.settled().await;
    watched.host.server().refusals.insert(1, u32::MAX);
    watched.host.deliver(ALICE, "never");
    watched.host.deliver(ALICE, "next");
    let messages = watched.messages(1).await;
    assert_eq!(messages[0].subject.as_deref(), Some("next"));
    assert_eq!(watched.meter.of("imap_lethal"), 1);
}

#[tokio::test]
async fn poison_is_named_and_the_next_mail_is_read() {
    let watched = Watched::start().await.settled().await;
    let first = watched.host.server().next;
    watched.host.server().garbled.push(first);
    watched.host.deliver(ALICE, "poison");
    watched.host.deliver(ALICE, "good");
    let messages = watched.messages(2).await;
    assert!(matches!(
        messages[0].mail.notice,
        Some(Notice::Unreadable { .. })
    ));
    assert_eq!(messages[0].subject.as_deref(), Some("poison"));
    assert_eq!(messages[1].text, "good");
}

#[tokio::test]
async fn a_mail_that_is_moved_away_before_it_is_read_holds_up_nothing() {
    let watched = Watched::start().await.settled().await;
    let first = watched.host.server().next;
    watched.host.server().gone.push(first);
    watched.host.deliver(ALICE, "moved");
    watched.host.deliver(ALICE, "stays");
    assert_eq!(watched.texts(1).await, ["stays"]);
    assert_eq!(watched.meter.of("imap_gone"), 1);
}

#[tokio::test]
async fn too_large_is_named_without_being_read() {
    let watched = Watched::start().await.settled().await;
    let first = watched.host.server().next;
    watched.host.server().sizes.insert(first, 30_000_000);
    watched.host.deliver(ALICE, "large");
    let messages = watched.messages(1).await;
    assert_eq!(
        messages[0].mail.notice,
        Some(Notice::TooLarge { bytes: 30_000_000 })
    );
    let read = |command: &String| command.contains("BODY.PEEK[]");
    assert!(!watched.host.server().commands.iter().any(read));
}

#[tokio::test]
async fn nobodys_mail_is_counted_and_passed_by() {
    let watched = Watched::start().await.settled().await;
    watched
        .inbox
        .refuse(transom_adapter::Address::new("dave@mail.example.org"));
    watched.host.deliver("box@example.org", "foreign");
    watched.host.deliver("dave@mail.example.org", "unknown");
    watched.host.deliver(ALICE, "known");
    assert_eq!(watched.texts(1).await, ["known"]);
    let counts = (
        watched.meter.of("imap_no_recipient"),
        watched.meter.of("imap_unknown_recipient"),
    );
    assert_eq!(counts, (1, 1));
}

#[tokio::test]
async fn new_uids_lose_nothing_and_the_store_knows_the_rest() {
    let watched = Watched::start().await.settled().await;
    watched.host.deliver(ALICE, "before");
    watched.messages(1).await;
    // The position's start lies after the INTERNALDATE of this host's mails, which would pass them by.
    let position = watched.cursor().await.unwrap();
    let mut parts: Vec<&str> = position.split(':').collect();
    parts[2] = "0";
    let watched = watched.stopped().await;
    let (inbox, name) = (&watched.inbox, AccountName::new("mail", "imap"));
    let cursor = transom_adapter::Cursor {
        name: "INBOX".to_owned(),
        value: parts.join(":"),
    };
    inbox.commit(&name, Vec::new(), Some(cursor)).await.unwrap();
    {
        let mut server = watched.host.server();
        (server.validity, server.next) = (8, 101);
        let (_, old) = server.mails.pop().unwrap();
        server.mails = vec![(100, old)];
    }
    watched.host.deliver(ALICE, "after");
    watched.run();
    assert_eq!(watched.texts(2).await, ["before", "after"]);
    assert_eq!(watched.meter.of("imap_renumbered"), 1);
}

/// Facts: some servers number anew and keep the UIDVALIDITY, others say no UIDNEXT at all.
#[tokio::test]
async fn uids_that_go_back_lose_nothing_and_the_store_knows_the_rest() {
    let watched = Watched::start().await.settled().await;
    for text in ["one", "two", "three"] {
        watched.host.deliver(ALICE, text);
    }
    watched.messages(3).await;
    let position = watched.cursor().await.unwrap();
    let mut parts: Vec<&str> = position.split(':').collect();
    parts[2] = "0";
    let watched = watched.stopped().await;
    let cursor = transom_adapter::Cursor {
        name: "INBOX".to_owned(),
        value: parts.join(":"),
    };
    let name = AccountName::new("mail", "imap");
    watched
        .inbox
        .commit(&name, Vec::new(), Some(cursor))
        .await
        .unwrap();
    {
        let mut server = watched.host.server();
        let (_, three) = server.mails.pop().unwrap();
        (server.mails, server.next) = (vec![(1, three)], 2);
    }
    watched.host.deliver(ALICE, "four");
    watched.run();
    assert_eq!(watched.texts(4).await, ["one", "two", "three", "four"]);
    assert_eq!(watched.meter.of("imap_renumbered"), 1);
}

#[tokio::test]
async fn a_server_that_is_late_with_the_next_uid_is_read_on() {
    let watched = Watched::start().await.settled().await;
    watched.host.deliver(ALICE, "one");
    watched.messages(1).await;
    let watched = watched.stopped().await;
    watched.host.server().late = 2;
    watched.host.deliver(ALICE, "two");
    watched.run();
    assert_eq!(watched.texts(2).await, ["one", "two"]);
    assert_eq!(watched.meter.of("imap_renumbered"), 0);
}

#[tokio::test]
async fn a_busy_store_is_asked_again_and_the_mail_is_not_lost() {
    let watched = Watched::start().await.settled().await;
    watched.inbox.set_busy(true);
    watched.host.deliver(ALICE, "patient");
    let fetched = |command: &String| command.contains("BODY.PEEK[]");
    while !watched.host.server().commands.iter().any(fetched) {
        tokio::task::yield_now().await;
    }
    watched.inbox.set_busy(false);
    assert_eq!(watched.texts(1).await, ["patient"]);
}

#[tokio::test]
async fn draining_ends_the_watch() {
    let watched = Watched::start().await.settled().await;
    watched.context.lifecycle.drain();
    assert!(
        watched
            .context
            .lifecycle
            .finish(Duration::from_secs(5))
            .await
    );
}

#[tokio::test]
async fn a_wrong_password_is_said_and_never_shown() {
    let host = Host::start().await;
    host.server().password = "other";
    let report = account(&host, FAST).check().await;
    assert_eq!(report.findings, Vec::<String>::new());
    assert!(
        report.faults[0].contains("the login is refused"),
        "{report:?}"
    );
    assert!(!report.faults[0].contains("s3cret"));
}

#[tokio::test]
async fn check_says_which_header_carries_the_recipient() {
    let host = Host::start().await;
    host.deliver(ALICE, "one");
    host.deliver("x@example.com", "two");
    let report = account(&host, FAST).check().await;
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(
        report.findings[0].contains("holds 2 mails and tells news at once"),
        "{report:?}"
    );
    assert_eq!(
        report.findings[1],
        "Delivered-To carries our recipient in 1 of the last 2 mails"
    );
}

#[tokio::test]
async fn hosts_that_are_no_imap_servers_are_survived() {
    for greeting in ["220 smtp\r\n", "* BYE full\r\n", "", "\0\0\0\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut host = Host::start().await;
        host.port = listener.local_addr().unwrap().port();
        host.lifecycle.spawn("no-imap", async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting.as_bytes()).await.unwrap();
        });
        let report = account(&host, FAST).check().await;
        assert_eq!(report.faults.len(), 1, "{greeting:?}: {report:?}");
    }
}

#[test]
fn the_backoff_grows_and_stays_within_bounds() {
    for failures in 1..40 {
        let pause = PACE.backoff(failures);
        assert!(
            pause >= Duration::from_millis(500) && pause <= PACE.reconnect_max,
            "{failures}: {pause:?}"
        );
    }
}
