//! Mail: out to a server with moods, in by LMTP and from a mailbox.

use std::{collections::BTreeMap, net::SocketAddr};

use async_trait::async_trait;
use transom_test_servers::{
    Dovecot, MAIL_PASSWORD, Mail, MailSink, Mailboxes, Mailer, Verdict, free_port,
};

use super::network::{CHATS, Mood, Moods, Network, Record, Word, number_in};

/// The component's domain, and the one of the addresses.
pub(crate) const MAIL: &str = "mail.example.org";
/// Where alice gets mail.
const ALICE: &str = "alice@mail.example.org";

/// The servers around the mail gateway.
pub(crate) struct Mails {
    sink: MailSink,
    dovecot: Dovecot,
    /// Where a transom that is alone takes mail.
    lmtp: SocketAddr,
    /// Where each of several does, by where it listens for webhooks.
    doors: BTreeMap<SocketAddr, SocketAddr>,
    record: Record,
    moods: Moods,
}

impl Mails {
    /// A server that takes mail, by its mood, and one with a mailbox.
    pub(crate) async fn start(moods: Moods) -> Self {
        let (sink, record) = (MailSink::start().await, Record::default());
        let (book, temper) = (record.clone(), moods.clone());
        sink.judge_by(move |mail| judge(mail, &book, &temper));
        Self {
            sink,
            dovecot: Dovecot::start(Mailboxes::CatchAll("bridge".to_owned())).await,
            lmtp: free_port(),
            doors: BTreeMap::new(),
            record,
            moods,
        }
    }

    /// The gateway's part of the configuration.
    pub(crate) fn config(&self, secret: &str) -> String {
        self.gateway(secret, self.lmtp)
    }

    /// The same for one of several transoms.
    pub(crate) fn config_of(&mut self, secret: &str, http: SocketAddr) -> String {
        let door = free_port();
        self.doors.insert(http, door);
        self.gateway(secret, door)
    }

    fn door(&self, transom: SocketAddr) -> SocketAddr {
        self.doors.get(&transom).copied().unwrap_or(self.lmtp)
    }

    fn gateway(&self, secret: &str, lmtp: SocketAddr) -> String {
        format!(
            r#"
[gateway.mail]
adapter = "email"
domain = "{MAIL}"
secret = "{secret}"
address_domain = "{MAIL}"
home = "example.org"
hold = "0s"
merge = "0s"
[gateway.mail.limits]
messages_per_day = 1000000
segments_per_day = 1000000
gateway_per_day = 1000000
[gateway.mail.smtp]
url = "smtp://{smtp}?tls=none"
[gateway.mail.lmtp]
listen = "{lmtp}"
[gateway.mail.imap]
url = "imap://{imap}?tls=none"
username = "bridge"
password = "{MAIL_PASSWORD}"
"#,
            smtp = self.sink.addr(),
            imap = self.dovecot.imap_addr(),
        )
    }
}

/// The address of somebody outside.
fn address(chat: usize) -> String {
    format!("bob{chat}@example.com")
}

#[async_trait(?Send)]
impl Network for Mails {
    fn name(&self) -> &'static str {
        "mail"
    }

    fn domain(&self) -> &str {
        MAIL
    }

    fn mark(&self) -> char {
        'e'
    }

    fn peer(&self, chat: usize) -> String {
        address(chat).replace('@', "\\40")
    }

    fn refusal(&self) -> &'static str {
        "forbidden"
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn moods(&self) -> &Moods {
        &self.moods
    }

    /// Every other one lies in the mailbox, which transom looks after.
    async fn bring(&mut self, number: usize, transom: SocketAddr) -> bool {
        let from = address(number % CHATS);
        let id = self.incoming_id(number);
        let mail = format!(
            "From: Bob <{from}>\r\nTo: {ALICE}\r\nSubject: Numbers\r\nMessage-ID: {id}\r\n\
             Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\nin {number}\r\n"
        );
        let door = match number % 2 {
            0 => self.door(transom),
            _ => self.dovecot.lmtp_addr(),
        };
        is_taken(door, &from, ALICE, &mail).await
    }

    async fn report(&mut self, place: usize, word: Word, transom: SocketAddr) -> bool {
        let (action, status) = match word {
            Word::Sent => ("relayed", "2.1.5"),
            Word::Delivered => ("delivered", "2.1.5"),
            Word::Failed => ("failed", "5.2.2"),
        };
        let Some(mail) = self.sink.nth(place) else {
            return false;
        };
        let report = mail.delivery_report(action, status);
        is_taken(self.door(transom), "", &mail.from, &report).await
    }

    async fn let_go(&mut self) {
        self.sink.let_go();
    }

    fn incoming_id(&self, number: usize) -> String {
        format!("<in{number}@example.com>")
    }
}

async fn is_taken(door: SocketAddr, from: &str, to: &str, mail: &str) -> bool {
    let verdicts = Mailer::lmtp(door).attempt(from, &[to], mail).await;
    let verdicts = verdicts.unwrap_or_default();
    verdicts.iter().any(|verdict| verdict.starts_with('2'))
}

fn judge(mail: &Mail, record: &Record, moods: &Moods) -> Option<Verdict> {
    let number = number_in(&mail.text(), "out");
    let Some(number) = number else {
        return Some(Verdict::reply("554 5.6.0 not a mail of alice's"));
    };
    let id = mail.header("Message-ID").unwrap_or_default();
    let mood = moods.next();
    if mood != Mood::Takes {
        record.lock().put_off.insert(number);
    }
    match mood {
        Mood::Takes | Mood::Cuts { takes: true } | Mood::Hangs { takes: true } => {
            record.take(number, |_| id);
        }
        Mood::Refuses => drop(record.lock().refused.insert(number)),
        _ => {}
    }
    match mood {
        Mood::Takes => None,
        Mood::Throttles => Some(Verdict::reply("451 4.7.1 greylisted")),
        Mood::Fails => Some(Verdict::reply("421 4.3.2 shutting down")),
        Mood::Refuses => Some(Verdict::reply("554 5.7.1 not wanted")),
        Mood::Cuts { takes: true } => Some(Verdict::KeepAndClose),
        Mood::Cuts { takes: false } => Some(Verdict::Close),
        Mood::Hangs { takes: true } => Some(Verdict::KeepAndHang),
        Mood::Hangs { takes: false } => Some(Verdict::Hang),
    }
}
