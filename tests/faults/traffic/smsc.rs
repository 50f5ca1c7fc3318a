//! Texts, by an SMSC.

use std::net::SocketAddr;

use async_trait::async_trait;
use transom_test_servers::NpmSmsc;

use super::{
    network::{CHATS, Moods, Network, Record, Word, number_in},
    texts::phone,
};

/// The component's domain.
pub(crate) const SMPP: &str = "smpp.example.org";
/// Alice's line there.
const LINE: &str = "+12025550101";

/// An SMSC, and who has a phone there.
pub(crate) struct Smsc {
    server: NpmSmsc,
    record: Record,
    moods: Moods,
    /// How many of what came to it are in the record.
    seen: usize,
}

impl Smsc {
    /// One that answers by its mood.
    pub(crate) async fn start(seed: u64, moods: u64) -> Self {
        let server = NpmSmsc::start().await;
        server.moods(seed, moods).await;
        Self {
            server,
            record: Record::default(),
            moods: Moods::new(seed, moods),
            seen: 0,
        }
    }

    /// The gateway's part of the configuration.
    pub(crate) fn config(&self, secret: &str) -> String {
        Self::gateway(&self.server.url(), secret)
    }

    /// The part of a gateway with an SMSC.
    pub(crate) fn gateway(url: &str, secret: &str) -> String {
        format!(
            r#"
[gateway.smpp]
adapter = "sms"
domain = "{SMPP}"
secret = "{secret}"
region = "US"
[gateway.smpp.limits]
messages_per_day = 1000000
segments_per_day = 1000000
gateway_per_day = 1000000
[gateway.smpp.provider.main]
kind = "smpp"
url = "{url}"
system_id = "transom"
password = "secret"
response_timeout = "2s"
[[gateway.smpp.line]]
number = "{LINE}"
owner = "alice@example.org"
"#
        )
    }
}

fn digits(number: &str) -> &str {
    number.trim_start_matches('+')
}

#[async_trait(?Send)]
impl Network for Smsc {
    fn name(&self) -> &'static str {
        "SMPP"
    }

    fn domain(&self) -> &str {
        SMPP
    }

    fn mark(&self) -> char {
        's'
    }

    fn peer(&self, chat: usize) -> String {
        phone(chat)
    }

    fn refusal(&self) -> &'static str {
        "item-not-found"
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn moods(&self) -> &Moods {
        &self.moods
    }

    /// It gives no ids: what it brings once more after an answer is another text.
    fn may_repeat(&self) -> bool {
        false
    }

    /// A receipt names the id that the answer gave, which may never have come.
    fn finds_reports(&self) -> bool {
        false
    }

    async fn bring(&mut self, number: usize, _transom: SocketAddr) -> bool {
        let peer = phone(number % CHATS);
        let text = format!("in {number}");
        let (from, to) = (digits(&peer), digits(LINE));
        self.server.deliver(from, to, 0, &[], text.as_bytes()).await == "0"
    }

    async fn report(&mut self, place: usize, word: Word, _transom: SocketAddr) -> bool {
        let taken = self.record.lock().taken[place].clone();
        let state = match word {
            Word::Sent => "ENROUTE",
            Word::Delivered => "DELIVRD",
            Word::Failed => "UNDELIV",
        };
        let peer = phone(taken.number % CHATS);
        let between = (digits(&peer), digits(LINE));
        self.server.receipt(&taken.id, between, state).await == "0"
    }

    async fn look(&mut self) {
        let new = self.server.received_since(self.seen).await;
        self.seen += new.len();
        for one in new {
            let number = one["text"].as_str().and_then(|text| number_in(text, "out"));
            let number = number.expect("a text of alice's");
            if one["mood"] == "refuse" {
                self.record.lock().refused.insert(number);
            }
            if let Some(id) = one["id"].as_str() {
                self.record.take(number, |_| id.to_owned());
            }
        }
    }

    async fn down(&mut self, is_down: bool) {
        self.server.down(is_down).await;
    }

    /// The texts have no ids; an SMSC's are unknown outside.
    fn incoming_id(&self, number: usize) -> String {
        format!("in {number}")
    }
}
