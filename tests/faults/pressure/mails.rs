//! A flood of large mails, by LMTP from more connections than there is room for, and by a mailbox that was full: memory stays flat, each mail
//! arrives once, and a text goes out in between.

use std::{collections::BTreeSet, net::SocketAddr};

use tokio::{task::JoinSet, time::Instant};
use transom_test_servers::{
    Dovecot, Element, Feature, MAIL_PASSWORD, MailSink, Mailboxes, Mailer, PATIENCE, Postgres,
    Prosody, Server, Transom, XmppClient, free_port, skipped, until,
};

use super::GROWTH_BYTES_MAX;
use crate::{
    house::lines,
    world::{LINE, SECRET, SMS, Seat, Twilio, chat, config, contact, link_up},
};

const MAIL: &str = "mail.example.org";
const OWNER: &str = "bridge";
const MAILS: usize = 96;
/// More than the 32 that are served at once.
const AT_ONCE: usize = 48;
const EARLY: usize = MAILS / 4;
/// Of the file in each.
const FILE_BYTES: usize = 512 * 1024;

/// Both gateways, alice known to both.
struct Post {
    transom: Transom,
    twilio: Twilio,
    alice: XmppClient,
    prosody: Prosody,
    _sink: MailSink,
}

impl Post {
    /// `incoming`: the table by which mail comes in.
    async fn start(incoming: &str, store: &str) -> Self {
        let builder = Prosody::builder().user("alice");
        let builder = builder.component(SMS, SECRET).component(MAIL, SECRET);
        let prosody = builder.with(Feature::Offline).start().await;
        let (http, sink) = (free_port(), MailSink::start().await);
        let twilio = Twilio::start(http).await;
        let seat = Seat {
            server: prosody.component_addr(),
            domain: SMS,
            secret: SECRET,
        };
        let mail = format!(
            "[gateway.mail]\nadapter = \"email\"\ndomain = \"{MAIL}\"\nsecret = \"{SECRET}\"\naddress_domain = \"{MAIL}\"\n\
             home = \"example.org\"\nhold = \"0s\"\nmerge = \"0s\"\n[gateway.mail.smtp]\nurl = \"smtp://{}?tls=none\"\n{incoming}",
            sink.addr()
        );
        let tables = format!("{}{mail}", lines("alice"));
        let config = config(&seat, http, &twilio, &tables, store);
        let builder = Transom::builder(env!("CARGO_BIN_EXE_transom"));
        let transom = builder.config(&config).http(http).start().await;
        link_up(&transom, "sms").await;
        link_up(&transom, "mail").await;
        let mut alice = prosody.client("alice", "phone").await;
        let bob = format!("bob\\40example.com@{MAIL}");
        alice.send(&chat(&bob, "m1", "hello by mail")).await;
        sink.mail("the mail", |_| true).await;
        Self {
            transom,
            twilio,
            alice,
            prosody,
            _sink: sink,
        }
    }

    /// A text leaves in the midst of it; how long that takes.
    async fn text(&mut self, number: usize) -> std::time::Duration {
        let (id, asked) = (format!("in between {number}"), Instant::now());
        self.alice
            .send(&chat(&contact("+12025550199"), &id, &id))
            .await;
        self.twilio.text(&id).await;
        asked.elapsed()
    }

    /// Reads until so many of the mails have arrived; each of them once.
    async fn arrived(&mut self, count: usize, seen: &mut BTreeSet<String>) {
        while seen.len() < count {
            let is_one = |stanza: &Element| {
                let body = stanza.body().unwrap_or_default();
                body.contains("mail number ")
            };
            let mail = self.alice.expect("a mail", is_one).await;
            let body = mail.body().unwrap();
            let (_, number) = body.rsplit_once("mail number ").unwrap();
            assert!(seen.insert(number.to_owned()), "again: {body}");
        }
    }
}

fn mail(number: usize) -> String {
    let line = format!("{}\r\n", "QUJD".repeat(18));
    let file = line.repeat(FILE_BYTES / 54);
    format!(
        "Delivered-To: alice@{MAIL}\r\nFrom: Bob <bob@example.com>\r\nTo: alice@{MAIL}\r\nSubject: Flood\r\n\
         Message-ID: <f{number}@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\
         mail number {number}\r\n--b\r\nContent-Type: application/octet-stream; name=\"f{number}.bin\"\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"f{number}.bin\"\r\n\r\n{file}--b--\r\n"
    )
}

/// A mail server tries until its mail is taken; the replies before that.
async fn hand_in(lmtp: SocketAddr, number: usize) -> Vec<String> {
    let (mail, to, mut before) = (mail(number), format!("alice@{MAIL}"), Vec::new());
    loop {
        let mailer = Mailer::lmtp(lmtp);
        let verdicts = mailer.attempt("bob@example.com", &[&to], &mail).await;
        match verdicts.and_then(|mut verdicts| verdicts.pop()) {
            Some(verdict) if verdict.starts_with('2') => return before,
            verdict => before.push(verdict.unwrap_or_else(|| "gone".to_owned())),
        }
    }
}

#[tokio::test]
async fn a_flood_by_lmtp_waits_its_turn_and_memory_stays_flat() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let lmtp = free_port();
    let table = format!("[gateway.mail.lmtp]\nlisten = \"{lmtp}\"\n");
    let mut post = Post::start(&table, "").await;
    let (mut calls, mut before, mut waited) = (JoinSet::new(), Vec::new(), Vec::new());
    let (mut next, mut early) = (0, 0);
    while next < MAILS || !calls.is_empty() {
        while next < MAILS && calls.len() < AT_ONCE {
            calls.spawn(hand_in(lmtp, next));
            next += 1;
        }
        before.extend(calls.join_next().await.unwrap().unwrap());
        let done = next - calls.len();
        if done == EARLY {
            early = post.transom.resident_bytes();
        }
        if done % EARLY == 0 {
            waited.push(post.text(done).await);
        }
    }
    let mut seen = BTreeSet::new();
    post.arrived(MAILS, &mut seen).await;
    flat("LMTP", early, &post.transom, &waited);
    // Nothing but "later" was said meanwhile.
    assert!(
        before.iter().all(|reply| reply.starts_with('4')),
        "{before:?}"
    );
}

#[tokio::test]
async fn a_full_mailbox_is_read_as_fast_as_it_is_stored_and_memory_stays_flat() {
    if skipped(&[Server::Prosody, Server::Dovecot]) {
        return;
    }
    let dovecot = Dovecot::start(Mailboxes::CatchAll(OWNER.to_owned())).await;
    let table = format!(
        "[gateway.mail.imap]\nurl = \"imap://{}?tls=none\"\nusername = \"{OWNER}\"\npassword = \"{MAIL_PASSWORD}\"\n",
        dovecot.imap_addr()
    );
    let mut post = Post::start(&table, "").await;
    dovecot.put_all(
        OWNER,
        (0..MAILS).map(|number| {
            let name = format!("{}.{number}.host", 1_764_000_000 + number);
            (name, mail(number))
        }),
    );
    let (mut seen, mut waited) = (BTreeSet::new(), Vec::new());
    post.arrived(EARLY, &mut seen).await;
    let early = post.transom.resident_bytes();
    for quarter in 2..=4 {
        waited.push(post.text(quarter).await);
        post.arrived(quarter * EARLY, &mut seen).await;
    }
    flat("IMAP", early, &post.transom, &waited);
}

fn flat(way: &str, early: u64, transom: &Transom, waited: &[std::time::Duration]) {
    let late = transom.resident_bytes();
    eprintln!(
        "{way}: {MAILS} mails of {} KiB; texts left after {waited:?}; resident {} KiB after {EARLY}, {} KiB at the end",
        FILE_BYTES / 1024,
        early / 1024,
        late / 1024
    );
    assert!(waited.iter().all(|time| *time < PATIENCE / 2), "{waited:?}");
    assert!(
        late < early + GROWTH_BYTES_MAX,
        "{early} bytes became {late}"
    );
}

/// Nothing can be stored: every source is told to come back, and later everything is there once.
#[tokio::test]
async fn without_a_database_every_source_is_told_to_come_back() {
    if skipped(&[Server::Prosody, Server::Postgres, Server::Dovecot]) {
        return;
    }
    let mut postgres = Postgres::start().await;
    let store = format!("[store]\nurl = \"{}\"\n", postgres.database().await);
    let (lmtp, dovecot) = (
        free_port(),
        Dovecot::start(Mailboxes::CatchAll(OWNER.to_owned())).await,
    );
    let tables = format!(
        "[gateway.mail.lmtp]\nlisten = \"{lmtp}\"\n[gateway.mail.imap]\nurl = \"imap://{}?tls=none\"\nusername = \"{OWNER}\"\n\
         password = \"{MAIL_PASSWORD}\"\n",
        dovecot.imap_addr()
    );
    let mut post = Post::start(&tables, &store).await;
    post.text(0).await;
    postgres.stop().await;
    let short = |number: usize| {
        format!(
            "Delivered-To: alice@{MAIL}\r\nFrom: Bob <bob@example.com>\r\nTo: alice@{MAIL}\r\nSubject: Flood\r\n\
             Message-ID: <s{number}@example.com>\r\n\r\nmail number {number}\r\n"
        )
    };
    dovecot.put_all(OWNER, [("1764000000.1.host".to_owned(), short(1))]);
    let to = format!("alice@{MAIL}");
    let mailer = Mailer::lmtp(lmtp);
    let verdicts = mailer.verdicts("bob@example.com", &[&to], &short(2)).await;
    assert!(verdicts[0].starts_with('4'), "{verdicts:?}");
    let told = post.twilio.deliver("SMin", "+12025550199", LINE, "a text");
    let told = told.await;
    assert!(matches!(told, Ok(500..)), "{told:?}");
    let mut second = post.prosody.client("alice", "desk").await;
    second
        .send(&chat(&contact("+12025550199"), "late", "written meanwhile"))
        .await;
    postgres.resume().await;
    let taken = async || {
        let verdicts = mailer.attempt("bob@example.com", &[&to], &short(2)).await;
        verdicts
            .is_some_and(|verdicts| verdicts[0].starts_with('2'))
            .then_some(())
    };
    until("the mail to be taken", PATIENCE, taken)
        .await
        .unwrap();
    let taken = async || {
        let told = post.twilio.deliver("SMin", "+12025550199", LINE, "a text");
        (told.await == Ok(200)).then_some(())
    };
    until("the text to be taken", PATIENCE, taken)
        .await
        .unwrap();
    let mut seen = BTreeSet::new();
    post.arrived(2, &mut seen).await;
    let is_it = |stanza: &Element| stanza.body().as_deref() == Some("a text");
    post.alice.expect("the text", is_it).await;
    // What was written over the link either waited in it or came back.
    let went = async || {
        let bodies = post.twilio.sent();
        let sent = bodies
            .iter()
            .any(|sent| sent.form("Body").as_deref() == Some("written meanwhile"));
        second.barrier().await;
        let came_back = second.received().iter().any(|stanza| {
            stanza.attr("id") == Some("late") && stanza.attr("type") == Some("error")
        });
        (sent != came_back).then_some(())
    };
    until("the text to go, or to come back", PATIENCE, went)
        .await
        .unwrap_or_else(|why| panic!("{why}: {}", post.transom.log()));
}
