//! The account against a mailbox of our own that can be cut, garbled and renumbered.

mod cuts;
mod limits;
mod not_shown;
mod opened;
mod order;
mod refused;
mod renumbered;
mod server;
mod watching;

use tokio::{io::AsyncWriteExt, net::TcpListener};
use transom_adapter::{
    Event, Inbox, Incoming, Lifecycle,
    testkit::{self, CountingMeter, FixedDirectory, RecordingInbox},
};

use self::server::Host;
use super::*;
use crate::{
    config::Login,
    net::{Endpoint, Reach, Security},
};

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
