//! The account as a mail server sees it.

use std::sync::Arc;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use transom_adapter::{
    Address, Event, Key, MessageRef,
    testkit::{self, CountingMeter, FixedDirectory, RecordingInbox},
};

use super::*;
use crate::config::Listen;

mod smtp;

struct Mta {
    stream: BufReader<TcpStream>,
    inbox: Arc<RecordingInbox>,
    meter: Arc<CountingMeter>,
    context: Context,
    ids: OwnIds,
}

impl Drop for Mta {
    fn drop(&mut self) {
        self.context.lifecycle.abort();
    }
}

impl Mta {
    async fn connect() -> Self {
        Self::with(LIMITS).await
    }

    async fn with(limits: Limits) -> Self {
        let mut mta = Self::dial(limits, None).await;
        assert_eq!(mta.line().await, "220 mail.example.org LMTP transom");
        mta
    }

    /// Connects; over SMTP when hosts are named.
    async fn dial(limits: Limits, from_hosts: Option<&str>) -> Self {
        let (inbox, meter) = (
            Arc::<RecordingInbox>::default(),
            Arc::<CountingMeter>::default(),
        );
        let directory =
            ["alice", "carol"].map(|name| Address::new(format!("{name}@mail.example.org")));
        let context = testkit::context(
            Arc::clone(&inbox),
            FixedDirectory(directory.to_vec()),
            Arc::clone(&meter),
        );
        let ids = OwnIds::new(context.signer.clone(), "mail.example.org".to_owned());
        let config = LmtpConfig {
            key: "gateway.mail.lmtp.listen".to_owned(),
            listen: Listen::Tcp("127.0.0.1:0".to_owned()),
            from_hosts: from_hosts.map(|hosts| vec![hosts.parse().unwrap()]),
        };
        let mut account = LmtpAccount::new(AccountName::new("mail", "lmtp"), ids.clone(), config);
        account.limits = limits;
        account.bind().await.unwrap();
        let port = account.bound.lock().unwrap().as_ref().unwrap().port();
        let inner = context.clone();
        context
            .lifecycle
            .spawn("lmtp", async move { account.run(&inner).await.unwrap() });
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        Self {
            stream: BufReader::new(stream),
            inbox,
            meter,
            context,
            ids,
        }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    /// Sends a command and checks how the reply begins.
    #[track_caller]
    fn ask<'a>(&'a mut self, command: &'a str, want: &'a str) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            self.write(format!("{command}\r\n").as_bytes()).await;
            let reply = self.line().await;
            assert!(
                reply.starts_with(want),
                "{command} gave {reply:?} at {place}"
            );
        }
    }

    async fn greet(&mut self) {
        self.ask("LHLO mx.example.org", "250-mail.example.org")
            .await;
        while self.line().await.starts_with("250-") {}
    }

    async fn envelope(&mut self, sender: &str, recipients: &[&str]) {
        self.greet().await;
        self.ask(&format!("MAIL FROM:<{sender}>"), "250").await;
        for recipient in recipients {
            self.ask(&format!("RCPT TO:<{recipient}>"), "250").await;
        }
        self.ask("DATA", "354").await;
    }
}

const MAIL: &str = "From: Bob <bob@example.com>\r\nSubject: Hi\r\nMessage-ID: <1@example.com>\r\n\r\nfirst\r\n..second\r\n.\r\n";
const ALICE: &str = "alice@mail.example.org";

#[tokio::test]
async fn rfc5233_a_detail_behind_a_plus_sign_reaches_its_owner() {
    let mut mta = Mta::connect().await;
    mta.envelope("bob@example.com", &["alice+shop@mail.example.org"])
        .await;
    mta.write(b"From: bob@example.com\r\n\r\nhi\r\n.\r\n").await;
    assert!(mta.line().await.starts_with("250"));
    let Event::Message(message) = &mta.inbox.events()[0] else {
        panic!("a report")
    };
    assert_eq!(message.to.as_str(), "alice@mail.example.org");
}

#[tokio::test]
async fn a_mail_is_committed_and_then_answered_for_each_recipient() {
    let mut mta = Mta::connect().await;
    mta.inbox.refuse(Address::new("carol@mail.example.org"));
    mta.envelope("bob@example.com", &[ALICE, "Carol@Mail.Example.Org"])
        .await;
    mta.write(MAIL.as_bytes()).await;
    assert_eq!(mta.line().await, "250 2.1.5 ok");
    assert_eq!(mta.line().await, "550 5.1.1 nobody here has that address");
    let events = mta.inbox.events();
    let [Event::Message(message)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(message.to, Address::new(ALICE));
    assert_eq!(message.text, "first\n.second");
    mta.ask("QUIT", "221").await;
}

#[tokio::test]
async fn a_mail_to_many_addresses_of_one_reader_is_taken_once() {
    let mut mta = Mta::connect().await;
    let bounce = mta.ids.bounce_address(Key(5));
    let wrapped = format!("prvs=1234abcdef={bounce}");
    let carol = "carol@mail.example.org";
    mta.inbox.refuse(Address::new(carol));
    mta.envelope("bob@example.com", &[&bounce, carol, &wrapped])
        .await;
    mta.write(MAIL.as_bytes()).await;
    assert_eq!(mta.line().await, "250 2.1.5 ok");
    assert_eq!(mta.line().await, "550 5.1.1 nobody here has that address");
    assert_eq!(mta.line().await, "250 2.1.5 ok");
    assert_eq!(mta.inbox.events().len(), 1);
    let details = [1, 2, 3].map(|number| format!("alice+{number}@mail.example.org"));
    mta.envelope(ALICE, &[&details[0], &details[1], ALICE, &details[2]])
        .await;
    let returned = MAIL.replace("bob@example.com", ALICE);
    mta.write(format!("X-Loop: mail.example.org\r\n{returned}").as_bytes())
        .await;
    for _ in 0..4 {
        assert_eq!(mta.line().await, "250 2.1.5 ok");
    }
    assert_eq!(mta.meter.of("mail_own_returned"), 1);
}

#[tokio::test]
async fn a_redelivered_mail_is_taken_once() {
    let mut mta = Mta::connect().await;
    for _ in 0..2 {
        mta.envelope("bob@example.com", &[ALICE]).await;
        mta.write(MAIL.as_bytes()).await;
        assert_eq!(mta.line().await, "250 2.1.5 ok");
    }
    assert_eq!(mta.inbox.events().len(), 1);
}

#[tokio::test]
async fn a_busy_store_is_told_as_later() {
    let mut mta = Mta::connect().await;
    mta.inbox.set_busy(true);
    mta.envelope("bob@example.com", &[ALICE]).await;
    mta.write(MAIL.as_bytes()).await;
    assert!(mta.line().await.starts_with("451 4.3.0"));
    assert!(mta.inbox.events().is_empty());
}

#[tokio::test]
async fn nobodys_address_is_refused_at_rcpt_and_nothing_is_relayed() {
    let mut mta = Mta::connect().await;
    mta.greet().await;
    mta.ask("MAIL FROM:<bob@example.com>", "250").await;
    for nobody in [
        "dave@mail.example.org",
        "bob@example.com",
        "alice@example.org",
        "bounces+x@mail.example.org",
    ] {
        mta.ask(&format!("RCPT TO:<{nobody}>"), "550 5.1.1").await;
    }
    mta.ask("DATA", "503").await;
    assert_eq!(mta.meter.of("lmtp_unknown_recipient"), 4);
    for somebody in [
        "postmaster",
        "postmaster@mail.example.org",
        "abuse@mail.example.org",
        ALICE,
    ] {
        mta.ask(&format!("RCPT TO:<{somebody}>"), "250").await;
    }
}

#[tokio::test]
async fn a_bounce_from_the_null_sender_reaches_its_mail() {
    let mut mta = Mta::connect().await;
    let bounce = mta.ids.bounce_address(Key(5));
    mta.envelope("", &[&bounce]).await;
    let mail = include_str!("../../tests/fixtures/bounce-standard.eml").replace('\n', "\r\n");
    mta.write(format!("{mail}.\r\n").as_bytes()).await;
    assert_eq!(mta.line().await, "250 2.1.5 ok");
    let events = mta.inbox.events();
    let [Event::Report(report)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(report.about, [MessageRef::Key(Key(5), 0)]);
}

#[tokio::test]
async fn loops_are_broken_and_counted() {
    let mut mta = Mta::connect().await;
    mta.envelope("bob@example.com", &[ALICE]).await;
    mta.write(format!("{}{MAIL}", "Received: by x\r\n".repeat(40)).as_bytes())
        .await;
    assert!(mta.line().await.starts_with("554 5.4.6"));
    mta.envelope("bob@example.com", &[ALICE]).await;
    let returned = format!(
        "X-Loop: mail.example.org\r\n{}",
        MAIL.replace("bob@example.com", ALICE)
    );
    mta.write(returned.as_bytes()).await;
    assert_eq!(mta.line().await, "250 2.1.5 ok");
    assert_eq!(
        (mta.meter.of("mail_loop"), mta.meter.of("mail_own_returned")),
        (1, 1)
    );
    assert!(mta.inbox.events().is_empty());
    // What one of us wrote to a list is news to another of us.
    mta.envelope("list@example.com", &["carol@mail.example.org"])
        .await;
    mta.write(returned.as_bytes()).await;
    assert_eq!(mta.line().await, "250 2.1.5 ok");
    assert_eq!(mta.inbox.events().len(), 1);
}

#[tokio::test]
async fn too_large_is_told_before_and_after() {
    let mut mta = Mta::with(Limits {
        mail_bytes_max: 10_000,
        ..LIMITS
    })
    .await;
    mta.greet().await;
    mta.ask("MAIL FROM:<bob@example.com> SIZE=10001", "552 5.3.4")
        .await;
    mta.envelope("bob@example.com", &[ALICE, "carol@mail.example.org"])
        .await;
    let lines = "x".repeat(70) + "\r\n";
    mta.write(format!("{}.\r\n", lines.repeat(1000)).as_bytes())
        .await;
    for _ in 0..2 {
        assert!(mta.line().await.starts_with("552 5.3.4"));
    }
    mta.ask("NOOP", "250").await;
}

#[tokio::test]
async fn commands_may_come_together_and_byte_by_byte() {
    let mut mta = Mta::connect().await;
    mta.greet().await;
    let both = format!(
        "MAIL FROM:<> BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<{ALICE}>\r\nRCPT TO:<x@mail.example.org>\r\nDATA\r\n"
    );
    mta.write(both.as_bytes()).await;
    for want in ["250", "250", "550", "354"] {
        assert!(mta.line().await.starts_with(want));
    }
    let rest = format!("{MAIL}NOOP\r\n");
    for byte in rest.as_bytes() {
        mta.write(&[*byte]).await;
    }
    assert_eq!(mta.line().await, "250 2.1.5 ok");
    assert_eq!(mta.line().await, "250 2.0.0 ok");
}

#[tokio::test]
async fn only_a_real_end_ends_the_mail() {
    let mut mta = Mta::connect().await;
    mta.envelope("bob@example.com", &[ALICE]).await;
    // SMTP smuggling: none of these is an end for us.
    mta.write(b"From: bob@example.com\r\n\r\na\n.\nb\r.\rc\n.\r\nd\r\n.\ne\r\n.\r\n")
        .await;
    assert_eq!(mta.line().await, "250 2.1.5 ok");
    let events = mta.inbox.events();
    let [Event::Message(message)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert!(message.text.ends_with('e'), "{:?}", message.text);
    mta.envelope("bob@example.com", &[ALICE]).await;
    mta.write(b".\r\n").await;
    assert_eq!(mta.line().await, "250 2.1.5 ok");
}

#[tokio::test]
async fn what_only_looks_like_an_end_closes_the_connection() {
    for mail_bytes_max in [LIMITS.mail_bytes_max, 3] {
        let mut mta = Mta::with(Limits {
            mail_bytes_max,
            ..LIMITS
        })
        .await;
        mta.envelope("bob@example.com", &[ALICE]).await;
        mta.write(b"a\r\n.\r\r\nMAIL FROM:<mallory@example.com>\r\n")
            .await;
        assert_eq!(mta.line().await, "", "nothing of it is a command");
        assert!(mta.inbox.events().is_empty());
    }
}

#[tokio::test]
async fn the_order_of_commands_is_kept() {
    let mut mta = Mta::connect().await;
    mta.ask("EHLO x", "500 5.5.1").await;
    mta.ask("MAIL FROM:<bob@example.com>", "503").await;
    mta.greet().await;
    mta.ask(&format!("RCPT TO:<{ALICE}>"), "503").await;
    mta.ask("DATA", "503").await;
    mta.ask("MAIL FROM:<bob@example.com>", "250").await;
    mta.ask("MAIL FROM:<bob@example.com>", "503").await;
    mta.ask("RSET", "250").await;
    mta.ask("RCPT TO:<a>", "50").await;
    mta.ask("STARTTLS", "502").await;
    mta.ask("NONSENSE", "500").await;
    mta.ask(&"x".repeat(9000), "500 5.5.6").await;
    mta.ask("VRFY alice", "252").await;
}

#[tokio::test]
async fn too_many_recipients_and_refusals_are_stopped() {
    let mut mta = Mta::with(Limits {
        recipients_max: 1,
        refusals_max: 3,
        ..LIMITS
    })
    .await;
    mta.greet().await;
    mta.ask("MAIL FROM:<bob@example.com>", "250").await;
    mta.ask(&format!("RCPT TO:<{ALICE}>"), "250").await;
    mta.ask(&format!("RCPT TO:<{ALICE}>"), "452 4.5.3").await;
    for _ in 0..4 {
        mta.ask("NONSENSE", "500").await;
    }
    assert!(mta.line().await.starts_with("421"));
    assert_eq!(mta.stream.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn one_connection_too_many_waits_and_is_told_to_come_back_when_its_turn_does_not_come() {
    let mut first = Mta::with(Limits {
        connections_max: 1,
        turn: Duration::from_millis(300),
        ..LIMITS
    })
    .await;
    let place = first.stream.get_ref().peer_addr().unwrap();
    let next = async || {
        let mut line = String::new();
        let stream = TcpStream::connect(place).await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.read_line(&mut line).await.unwrap();
        line
    };
    assert!(next().await.starts_with("421 4.3.2 too many connections"));
    assert_eq!(first.meter.of("lmtp_too_many_connections"), 1);
    let (second, ()) = tokio::join!(next(), first.ask("QUIT", "221"));
    assert!(second.starts_with("220"), "{second}");
}

#[tokio::test]
async fn a_cut_in_the_mail_commits_nothing() {
    let mut mta = Mta::connect().await;
    mta.envelope("bob@example.com", &[ALICE]).await;
    mta.write(b"From: bob@example.com\r\n\r\nhalf a mail\r\n")
        .await;
    mta.stream.get_mut().shutdown().await.unwrap();
    assert_eq!(mta.stream.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(mta.inbox.events().is_empty());
}

#[tokio::test]
async fn draining_lets_the_mail_that_is_under_way_in() {
    let mut mta = Mta::connect().await;
    mta.envelope("bob@example.com", &[ALICE]).await;
    mta.context.lifecycle.drain();
    mta.write(MAIL.as_bytes()).await;
    assert_eq!(mta.line().await, "250 2.1.5 ok");
    assert!(mta.line().await.starts_with("421 4.3.2"));
}

#[tokio::test]
async fn silence_is_ended() {
    let mut mta = Mta::with(Limits {
        command: Duration::from_millis(50),
        ..LIMITS
    })
    .await;
    assert!(mta.line().await.starts_with("421 4.4.2"));
}

#[tokio::test]
async fn a_socket_file_is_made_and_a_stale_one_replaced() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lmtp.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listener = Listener::open(&Listen::Unix(path.clone())).await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let second = Listener::open(&Listen::Unix(path.clone())).await;
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    drop(listener);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_taken_port_is_a_fault_with_its_key() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = LmtpConfig {
        key: "gateway.mail.lmtp.listen".to_owned(),
        listen: Listen::Tcp(taken.local_addr().unwrap().to_string()),
        from_hosts: None,
    };
    let ids = OwnIds::new(testkit::signer(), "mail.example.org".to_owned());
    let account = LmtpAccount::new(AccountName::new("mail", "lmtp"), ids, config);
    let fault = account.bind().await.unwrap_err();
    assert_eq!(fault.key, "gateway.mail.lmtp.listen");
    assert!(fault.problem.contains("in use"), "{fault}");
}
