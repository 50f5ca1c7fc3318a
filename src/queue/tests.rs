//! What the tests of the queue work on: a database and an account that remembers.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::sync::mpsc;
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, Holder, Key, Lifecycle, Outcome, Outgoing, Repeat,
    Reports, Route,
    testkit::{ManualClock, outgoing},
};

use super::{
    AccountStates, Brought, OutWork, QueueGateway, Surroundings, Teller, TellerInbox, Waiting, Work,
};
use crate::{
    config::StoreUrl,
    files::Files,
    gateway::{
        Gateway,
        registration::fixture::{self, NOW},
    },
    metrics::Metrics,
    processes::Processes,
    store::{
        Store, Write,
        fixture::rename,
        write::{
            ConversationRow, LineRow, NewOut, UserRow,
            fixture::{conversation, written},
        },
    },
    xmpp::{
        stream::{Link, LinkConfig, LinkHandle},
        xep::privilege::Announced,
    },
};

pub(super) const GATEWAY: i64 = 1;
pub(super) const ACCOUNT: i64 = 2;
const USER: i64 = 3;
const LINE: i64 = 4;
pub(super) const LANE: i64 = 5;
/// Nothing here takes this long unless it is broken.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Takes everything, and says in which order.
struct Remembers {
    name: AccountName,
    repeat: Repeat,
    sent: mpsc::UnboundedSender<String>,
}

#[async_trait]
impl Account for Remembers {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            repeat: self.repeat,
            reports: Reports::None,
            concurrency: 8,
            send_seconds_max: 10,
            files: None,
            holder: Holder::Anyone,
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        self.sent.send(message.text.clone()).unwrap();
        Outcome::Accepted { ids: Vec::new() }
    }
}

pub(super) fn account_name() -> AccountName {
    AccountName::new("g", "main")
}

/// The text of this number, alice's to the only chat that there is.
pub(super) fn text(number: i64) -> Outgoing {
    Outgoing {
        key: Key(number),
        ..outgoing("+12025550100", "+12025550147", &format!("text {number}"))
    }
}

pub(super) fn row(number: i64) -> Write {
    row_by(number, r#"[["main",1]]"#)
}

/// The same, by other accounts.
pub(super) fn row_by(number: i64, routes: &str) -> Write {
    let conversation = ConversationRow {
        gateway_id: GATEWAY,
        user_id: USER,
        line_id: LINE,
        ..conversation(LANE, "+12025550147", NOW.0)
    };
    Write::Out(Box::new(NewOut {
        body: text(number).text,
        full_jid: "alice@example.org/phone".to_owned(),
        routes: routes.to_owned(),
        ..written(number, conversation)
    }))
}

/// Word of it, as it comes from the commit.
pub(super) fn word_of(number: i64) -> Waiting {
    let work = OutWork {
        delivery_id: number,
        message_id: number,
        is_one_of_several: false,
        attempts: 0,
        unit: 0,
        routes: vec![Route {
            account: account_name(),
            units: std::num::NonZeroU16::MIN,
        }],
        route: 0,
        unknowns: 0,
        started_ms: None,
        needs_files: false,
        outgoing: text(number),
    };
    Waiting {
        lane_id: LANE,
        gateway_id: GATEWAY,
        work: Work::Out(Box::new(work)),
        held_until_ms: None,
    }
}

pub(super) struct Bench {
    pub(super) surroundings: Surroundings,
    pub(super) tells: TellerInbox,
    pub(super) sent: mpsc::UnboundedReceiver<String>,
    pub(super) clock: Arc<ManualClock>,
    folder: TempDir,
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with(Repeat::Unsafe).await
    }

    /// With an account that is so with repeats.
    pub(super) async fn with(repeat: Repeat) -> Self {
        let (folder, lifecycle) = (tempfile::tempdir().unwrap(), Lifecycle::new());
        let (clock, metrics) = (Arc::new(ManualClock::at(NOW)), Metrics::new());
        let store = opened(folder.path(), &lifecycle).await;
        let writer = store.writer(metrics.clone());
        let (processes, ..) = Processes::join(&store, &lifecycle).await.unwrap();
        let (teller, tells) = Teller::new(processes.clone());
        let (told, sent) = mpsc::unbounded_channel();
        let account: Arc<dyn Account> = Arc::new(Remembers {
            name: account_name(),
            repeat,
            sent: told,
        });
        let gateway = gateway(account, &lifecycle);
        let surroundings = Surroundings {
            states: AccountStates::new(clock.clone(), metrics.clone()),
            files: Files::for_test(folder.path().join("files"), store.clone()),
            store,
            writer,
            clock: clock.clone(),
            lifecycle,
            metrics,
            gateways: Arc::new(HashMap::from([(GATEWAY, gateway)])),
            teller,
            processes,
        };
        let this = Self {
            surroundings,
            tells,
            sent,
            clock,
            folder,
        };
        this.people().await;
        this
    }

    async fn people(&self) {
        let line = LineRow {
            line_id: LINE,
            gateway_id: GATEWAY,
            address: "+12025550100".into(),
            kind: "owned",
            state: "active",
            source: "file",
            routes: "[]".into(),
            fallback: None,
            at_ms: NOW.0,
        };
        let user = UserRow {
            user_id: USER,
            gateway_id: GATEWAY,
            jid: "alice@example.org".into(),
            state: "active",
            lang: None,
            at_ms: NOW.0,
        };
        self.write(vec![Write::Line(line), Write::User(user)]).await;
    }

    /// The gateway has this link from now on.
    pub(super) fn link_to(&mut self, link: &LinkHandle) {
        let mut gateways = HashMap::clone(&self.surroundings.gateways);
        for entry in gateways.values_mut() {
            entry.link = link.clone();
        }
        self.surroundings.gateways = Arc::new(gateways);
    }

    /// Calls a table of the database by another name, behind transom's back.
    pub(super) async fn rename(&self, table: &str, new: &str) {
        let file = self.folder.path().join("test.db");
        rename(&file, table, new).await;
    }

    pub(super) async fn write(&self, writes: Vec<Write>) {
        self.surroundings.writer.commit(writes).await.unwrap();
    }
}

async fn opened(folder: &Path, lifecycle: &Lifecycle) -> Store {
    let url = StoreUrl::Sqlite(folder.join("test.db"));
    let store = Store::open(&url, lifecycle.clone()).await.unwrap();
    store.migrate(true).await.unwrap();
    store.gateway_id("g", GATEWAY).await.unwrap();
    let account = account_name();
    store.account_id(account.as_str(), ACCOUNT).await.unwrap();
    store
}

/// Its server is away: what goes out needs none.
fn gateway(account: Arc<dyn Account>, lifecycle: &Lifecycle) -> QueueGateway {
    let accounts = HashMap::from([(account_name(), account)]);
    let endpoint = "127.0.0.1:1".parse().unwrap();
    let config = LinkConfig::new(endpoint, "sms.example.org".parse().unwrap(), "s".into());
    QueueGateway {
        gateway: Arc::new(Gateway {
            accounts: HashMap::from([(account_name(), ACCOUNT)]),
            ..fixture::sms("open")
        }),
        link: Link::spawn(config, lifecycle, mpsc::channel(8).0),
        accounts,
        brought: Brought::default(),
        announced: Announced::default(),
    }
}
