//! The task as a whole, behind a link to a server on loopback.

mod disorder;

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use transom_adapter::{Lifecycle, testkit::ManualClock};

use super::*;
use crate::{
    config::StoreUrl,
    files::Files,
    gateway::registration::{
        DISABLED_FOR,
        fixture::{self, NOW},
    },
    intake::commands::ANSWERS_PER_MINUTE,
    metrics::Metrics,
    operations::Operations,
    processes::Processes,
    queue::{AccountStates, Brought, Online, Queue, Surroundings, Teller},
    store::{Store, write::LineRow},
    xmpp::{
        jid::DomainPart,
        stream::{Link, LinkConfig, LinkEvent},
    },
};

/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);
pub(in crate::intake) const POOL: &str = "+12025550101";
pub(in crate::intake) const ALICE: &str = "alice@example.org";

pub(in crate::intake) struct Bench {
    pub(in crate::intake) intake: Intake,
    people: People,
    server: TcpStream,
    heard: String,
    pub(in crate::intake) clock: Arc<ManualClock>,
    _events: mpsc::Receiver<LinkEvent>,
    folder: TempDir,
}

async fn opened(folder: &TempDir, lifecycle: &Lifecycle) -> Store {
    let url = StoreUrl::Sqlite(folder.path().join("test.db"));
    let store = Store::open(&url, lifecycle.clone()).await.unwrap();
    store.migrate(true).await.unwrap();
    store
}

impl Bench {
    pub(in crate::intake) async fn new() -> Self {
        Self::paced(500).await
    }

    /// With alice, who has a number of the pool.
    pub(in crate::intake) async fn with_alice() -> Self {
        let mut bench = Self::new().await;
        bench.line(POOL).await;
        bench.take(iq("")).await;
        bench.all(&["</message>", "type='subscribe'"]).await;
        bench
    }

    /// A statement behind transom's back.
    pub(in crate::intake) async fn sql(&self, statement: &str) {
        let file = self.folder.path().join("test.db");
        let url = format!("sqlite://{}", file.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        statement.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Calls a table by another name: whoever needs it finds the database out of order.
    pub(in crate::intake) async fn rename(&self, table: &str, new: &str) {
        self.sql(&format!("ALTER TABLE {table} RENAME TO {new}"))
            .await;
    }

    /// The task has done everything that it was given so far.
    async fn idle(&mut self) {
        let ping = "<ping xmlns='urn:xmpp:ping'/>";
        let get = crate::xmpp::stanza::IqType::Get;
        self.take(fixture::iq(get, "sms.example.org", ping)).await;
        self.until("type='result'").await;
    }

    /// With so many presences a second at most.
    async fn paced(presences_per_second: u32) -> Self {
        let (folder, lifecycle) = (tempfile::tempdir().unwrap(), Lifecycle::new());
        let store = opened(&folder, &lifecycle).await;
        let gateway = Arc::new(fixture::sms("open"));
        store.gateway_id("g", gateway.id).await.unwrap();
        let (clock, metrics) = (Arc::new(ManualClock::at(NOW)), Metrics::new());
        let ids = store.ids(clock.clone(), 0).await.unwrap();
        let writer = store.writer(metrics.clone());
        let (processes, ..) = Processes::join(&store, &lifecycle).await.unwrap();
        let (teller, tells) = Teller::new(processes.clone());
        let online = Online::default();
        let files = Files::for_test(folder.path().join("files"), store.clone());
        let surroundings = Surroundings {
            states: AccountStates::new(clock.clone(), metrics.clone()),
            store: store.clone(),
            writer: writer.clone(),
            clock: clock.clone(),
            lifecycle: lifecycle.clone(),
            metrics: metrics.clone(),
            gateways: Arc::new(HashMap::new()),
            teller: teller.clone(),
            files: files.clone(),
            processes: processes.clone(),
        };
        let (_, hints) = mpsc::channel(1);
        let queue = Queue::start(&surroundings, online.clone(), tells, hints);
        let (link, server, events) = connect(&lifecycle, presences_per_second).await;
        let operations = Arc::new(Operations {
            keys: None,
            asked: crate::operations::mailboxes::Asked::default(),
            codes: crate::operations::codes::Codes::default(),
            store: store.clone(),
            writer: writer.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            gateways: vec![Arc::clone(&gateway)],
            once: Arc::default(),
            running: None,
        });
        let intake = Intake {
            gateway,
            link,
            store,
            writer,
            ids,
            clock: clock.clone(),
            lifecycle,
            metrics,
            queue,
            brought: Brought::default(),
            teller,
            online,
            rosters: super::super::Rosters::default(),
            strangers: crate::intake::Strangers::default(),
            files,
            operations: Arc::clone(&operations),
            processes,
        };
        intake.rosters.start(&intake);
        let people = start(&intake);
        Self {
            intake,
            people,
            server,
            heard: String::new(),
            clock,
            _events: events,
            folder,
        }
    }

    async fn take(&self, stanza: impl Into<Stanza>) {
        self.people.take(&self.intake, stanza.into()).await;
    }

    /// What the server hears up to and including this.
    pub(in crate::intake) async fn until(&mut self, part: &str) -> String {
        let listening = async {
            let mut bytes = vec![0; 4096];
            loop {
                if let Some(at) = self.heard.find(part) {
                    let rest = self.heard.split_off(at + part.len());
                    return std::mem::replace(&mut self.heard, rest);
                }
                let count = self.server.read(&mut bytes).await.unwrap();
                assert!(count > 0, "the link was closed after {}", self.heard);
                self.heard
                    .push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
        };
        timeout(PATIENCE, listening)
            .await
            .unwrap_or_else(|_| panic!("never heard {part}"))
    }

    /// What the server hears until it has heard each of these, whichever comes first; the whole of the last stanza.
    async fn all(&mut self, parts: &[&str]) -> String {
        let mut heard = String::new();
        while !parts.iter().all(|part| heard.contains(part)) {
            heard.push_str(&self.until(">").await);
        }
        heard
    }

    async fn line(&self, address: &str) {
        let line = LineRow {
            line_id: self.intake.next_id(),
            gateway_id: 1,
            address: address.into(),
            kind: "pool",
            state: "active",
            source: "file",
            routes: "[]".into(),
            fallback: None,
            at_ms: NOW.0,
        };
        self.intake
            .writer
            .commit_one(Write::Line(line))
            .await
            .unwrap();
    }

    async fn state(&self) -> Option<String> {
        let user = self.intake.store.user(1, ALICE).await.unwrap();
        user.map(|(_, state)| state)
    }
}

async fn connect(
    lifecycle: &Lifecycle,
    presences_per_second: u32,
) -> (
    crate::xmpp::stream::LinkHandle,
    TcpStream,
    mpsc::Receiver<LinkEvent>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string().parse().unwrap();
    let domain: DomainPart = "sms.example.org".parse().unwrap();
    let mut config = LinkConfig::new(endpoint, domain, "s".into());
    config.queues.presences_per_second = presences_per_second;
    let (sender, mut events) = mpsc::channel(8);
    let link = Link::spawn(config, lifecycle, sender);
    let (mut server, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let open = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' \
                from='sms.example.org' id='1'>";
    server.write_all(open.as_bytes()).await.unwrap();
    let mut heard = String::new();
    while !heard.contains("</handshake>") {
        let mut bytes = [0; 1024];
        let count = timeout(PATIENCE, server.read(&mut bytes))
            .await
            .unwrap()
            .unwrap();
        heard.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    server.write_all(b"<handshake/>").await.unwrap();
    assert!(matches!(
        timeout(PATIENCE, events.recv()).await.unwrap(),
        Some(LinkEvent::Up)
    ));
    (link, server, events)
}

fn iq(inside: &str) -> Iq {
    let query = format!("<query xmlns='jabber:iq:register'>{inside}</query>");
    fixture::iq(crate::xmpp::stanza::IqType::Set, "sms.example.org", &query)
}

#[tokio::test]
async fn a_registration_is_stored_before_it_is_answered_and_forgotten_on_request() {
    let mut bench = Bench::new().await;
    bench.line(POOL).await;
    bench.take(iq("<phone>+1 202 555 0101</phone>")).await;
    let answer = bench.all(&["</message>", "type='subscribe'"]).await;
    assert!(answer.contains("type='result'"), "{answer}");
    assert_eq!(bench.state().await.as_deref(), Some("active"));
    bench.take(iq("<remove/>")).await;
    bench.until("type='unsubscribe'").await;
    assert_eq!(bench.state().await, None);
}

#[tokio::test]
async fn a_taken_number_is_a_conflict() {
    let mut bench = Bench::new().await;
    bench.line(POOL).await;
    bench.line("+12025550102").await;
    let owner = crate::store::write::OwnerRow {
        gateway_id: 1,
        address: POOL.into(),
        jid: "bob@example.org".into(),
        owned: true,
        at_ms: 1,
    };
    bench
        .intake
        .writer
        .commit_one(Write::Owner(owner))
        .await
        .unwrap();
    bench.take(iq(&format!("<phone>{POOL}</phone>"))).await;
    let answer = bench.until("</iq>").await;
    assert!(answer.contains("<conflict"), "{answer}");
    assert_eq!(bench.state().await, None);
}

#[tokio::test]
async fn the_first_presence_of_a_resource_is_answered_once() {
    let mut bench = Bench::new().await;
    bench.line(POOL).await;
    bench.take(iq("")).await;
    bench.all(&["</message>", "type='subscribe'"]).await;
    bench
        .take(fixture::presence(
            PresenceType::Subscribe,
            "sms.example.org",
        ))
        .await;
    bench.until("</presence>").await;
    bench.until("</presence>").await;
    for _ in 0..3 {
        bench
            .take(fixture::presence(
                PresenceType::Available,
                "sms.example.org",
            ))
            .await;
    }
    bench
        .take(fixture::iq(
            crate::xmpp::stanza::IqType::Get,
            "sms.example.org",
            "<ping xmlns='urn:xmpp:ping'/>",
        ))
        .await;
    let seen = "from='sms.example.org/gw' to='alice@example.org/phone'";
    let heard = bench.all(&["type='result'", seen]).await;
    assert_eq!(heard.matches(seen).count(), 1, "{heard}");
    assert!(bench.intake.online.contains("alice@example.org/phone"));
    bench
        .take(fixture::presence(
            PresenceType::Unavailable,
            "sms.example.org",
        ))
        .await;
    let ping = "<ping xmlns='urn:xmpp:ping'/>";
    bench
        .take(fixture::iq(
            crate::xmpp::stanza::IqType::Get,
            "sms.example.org",
            ping,
        ))
        .await;
    bench.until("type='result'").await;
    assert!(!bench.intake.online.contains("alice@example.org/phone"));
}

#[tokio::test]
async fn two_machines_that_talk_come_to_an_end() {
    let mut bench = Bench::new().await;
    for _ in 0..3 * ANSWERS_PER_MINUTE {
        bench
            .take(fixture::said("alice@example.org/bot", "what?"))
            .await;
    }
    let list = "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>";
    bench
        .take(fixture::iq(
            crate::xmpp::stanza::IqType::Get,
            "sms.example.org",
            list,
        ))
        .await;
    let heard = bench.until("type='result'").await;
    // The last one says that nothing more is read, once.
    assert_eq!(
        heard.matches("</message>").count(),
        ANSWERS_PER_MINUTE as usize + 1
    );
    assert_eq!(heard.matches("too much at once").count(), 1, "{heard}");
    bench.clock.advance(Duration::from_mins(1));
    bench
        .take(fixture::said("alice@example.org/bot", "help"))
        .await;
    bench.until("</message>").await;
}

#[tokio::test]
async fn after_thirty_days_a_disabled_registration_ends() {
    let mut bench = Bench::new().await;
    bench.line(POOL).await;
    bench.take(iq("")).await;
    bench.all(&["</message>", "type='subscribe'"]).await;
    bench
        .take(fixture::presence(
            PresenceType::Unsubscribe,
            "sms.example.org",
        ))
        .await;
    bench.until("</message>").await;
    assert_eq!(bench.state().await.as_deref(), Some("disabled"));
    bench.clock.advance(DISABLED_FOR + 2 * SWEEP);
    let swept = async {
        while bench.state().await.is_some() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, swept)
        .await
        .expect("the registration stays");
}

#[tokio::test]
async fn start_and_stop_are_told_once_to_who_sees_the_gateway() {
    let mut bench = Bench::new().await;
    bench.line(POOL).await;
    bench
        .take(fixture::presence(
            PresenceType::Subscribe,
            "sms.example.org",
        ))
        .await;
    bench.until("</presence>").await;
    bench.take(iq("")).await;
    bench.all(&["</message>", "type='subscribe'"]).await;
    bench
        .take(fixture::presence(
            PresenceType::Subscribe,
            "sms.example.org",
        ))
        .await;
    bench.until("</presence>").await;
    bench.until("</presence>").await;
    announce(&bench.intake);
    let start = bench.until("</presence>").await;
    assert!(
        start.contains("from='sms.example.org/gw' to='alice@example.org'") && start.contains("<c "),
        "{start}"
    );
    farewell(&bench.intake).await;
    let stop = bench.until("type='unavailable'").await;
    assert!(stop.contains("from='sms.example.org/gw'"), "{stop}");
}

/// Users who see the gateway.
async fn crowd(bench: &Bench, users: i64) {
    let mut writes = Vec::new();
    for number in 0..users {
        let user_id = 1000 + number;
        writes.push(Write::User(crate::store::write::UserRow {
            user_id,
            gateway_id: 1,
            jid: format!("user{number}@example.org"),
            state: "active",
            lang: None,
            at_ms: NOW.0,
        }));
        writes.push(Write::Contact(crate::store::write::ContactRow {
            user_id,
            peer: String::new(),
            subscribed: 1,
            asked: 1,
        }));
    }
    bench.intake.writer.commit(writes).await.unwrap();
}

fn note() -> Message {
    let jid = |text| Jid::new(text).unwrap();
    Message::chat(
        jid("+12025550147@sms.example.org"),
        jid("alice@example.org"),
    )
    .with_body("a text")
}

#[tokio::test]
async fn ten_thousand_users_see_one_presence_each_and_no_message_waits_for_that() {
    let mut bench = Bench::paced(10_000).await;
    crowd(&bench, 10_000).await;
    announce(&bench.intake);
    let mut heard = bench.until("</presence>").await;
    bench.intake.link.send(note()).await.unwrap();
    heard.push_str(&bench.until("</message>").await);
    let before = heard.matches("</presence>").count();
    assert!(before < 5000, "the text came behind {before} presences");
    for _ in before..10_000 {
        heard.push_str(&bench.until("</presence>").await);
    }
    bench
        .take(fixture::iq(
            crate::xmpp::stanza::IqType::Get,
            "sms.example.org",
            "<ping xmlns='urn:xmpp:ping'/>",
        ))
        .await;
    heard.push_str(&bench.until("type='result'").await);
    assert_eq!(heard.matches("<presence ").count(), 10_000);
    assert_eq!(heard.matches("to='user77@example.org'").count(), 1);
}

#[tokio::test]
async fn a_user_who_comes_with_a_thousand_contacts_is_answered_a_thousand_times_behind_all_messages()
 {
    let mut bench = Bench::paced(2000).await;
    bench.line(POOL).await;
    bench.take(iq("")).await;
    bench.all(&["</message>", "type='subscribe'"]).await;
    let number = |number: u32| format!("+1202555{number:04}");
    let member = bench.intake.store.member(1, "alice@example.org", "").await;
    let user_id = member.unwrap().unwrap().user_id;
    let contact = |of: u32| {
        Write::Contact(crate::store::write::ContactRow {
            user_id,
            peer: number(of),
            subscribed: 1,
            asked: 1,
        })
    };
    let contacts = (0..1000).map(contact).collect();
    bench.intake.writer.commit(contacts).await.unwrap();
    for of in 0..1000 {
        let to = format!("{}@sms.example.org", number(of));
        bench
            .take(fixture::presence(PresenceType::Probe, &to))
            .await;
    }
    let mut heard = bench.until("/gw' to='alice@example.org'").await;
    bench.intake.link.send(note()).await.unwrap();
    heard.push_str(&bench.until("a text").await);
    let before = heard.matches("</presence>").count();
    assert!(before < 500, "the text came behind {before} presences");
    let last = format!("{}@sms.example.org/gw", number(999));
    heard.push_str(&bench.until(&last).await);
    assert_eq!(heard.matches("/gw' to='alice@example.org'").count(), 999);
}

#[tokio::test]
async fn one_answer_that_cannot_be_written_costs_no_other() {
    let mut bench = Bench::new().await;
    let answer = |body: &str| -> Stanza {
        let (from, to) = ("+12025550147@sms.example.org", "alice@example.org");
        let (from, to) = (Jid::new(from).unwrap(), Jid::new(to).unwrap());
        Message::chat(from, to).with_body(body).into()
    };
    let answers = |last| vec![answer(&"x".repeat(1 << 20)), answer(last)];
    bench.intake.answer(answers("alone")).await;
    bench.until("<body>alone</body>").await;
    let lifecycle = bench.intake.lifecycle.clone();
    bench.intake.processes = Processes::one_of_two(&bench.intake.store, &lifecycle).await;
    bench.intake.answer(answers("of two")).await;
    bench.until("<body>of two</body>").await;
}
