//! The task as a whole, behind a link to a server on loopback.

mod answering;
mod disorder;
mod presences;
mod registering;

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
    gateway::registration::fixture::{self, NOW},
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
        bench.register().await;
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

    /// Alice gets a free number, and the gateway in her roster.
    async fn register(&mut self) {
        self.take(iq("")).await;
        self.all(&["</message>", "type='subscribe'"]).await;
    }

    /// A presence of alice's to the gateway.
    async fn presence(&self, kind: PresenceType) {
        self.take(fixture::presence(kind, "sms.example.org")).await;
    }

    async fn ping(&self) {
        let ping = "<ping xmlns='urn:xmpp:ping'/>";
        let get = crate::xmpp::stanza::IqType::Get;
        self.take(fixture::iq(get, "sms.example.org", ping)).await;
    }

    /// The task has done everything that it was given so far; what the server heard of it.
    async fn idle(&mut self) -> String {
        self.ping().await;
        self.until("type='result'").await
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
