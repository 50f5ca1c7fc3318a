//! The real server on a port of the kernel's choice, called over raw TCP.

mod health;
mod hostile;
mod limits;
mod stopping;
mod webhooks;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, Semaphore},
    time::timeout,
};
use transom_adapter::{
    Account, AccountName, Attempt, Busy, Capabilities, Cursor, Event, Handled, Holder, Inbox,
    Lifecycle, Outcome, Outgoing, Refused, Repeat, Reports, SystemClock, UnixMillis, Verdict,
    WebReply, WebRequest,
    testkit::{RecordingInbox, incoming},
};

use super::{Accounts, HttpOptions, HttpState, LinkHealth, Page, Readiness, Server, site::Limits};
use crate::metrics::Metrics;

/// Nothing here takes this long unless it hangs.
const DEADLINE: Duration = Duration::from_secs(20);

/// How a test wants its server.
struct Wish {
    limits: Limits,
    public_url: Option<&'static str>,
    trusted: &'static str,
    simulator: Option<Arc<dyn Page>>,
    files: Option<crate::files::Files>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            public_url: Some("https://gw.example.org"),
            trusted: "192.0.2.0/24",
            simulator: None,
            files: None,
        }
    }
}

/// A running server and what stands behind it.
struct Running {
    address: SocketAddr,
    lifecycle: Lifecycle,
    metrics: Metrics,
    account: Arc<FakeAccount>,
    inbox: Arc<HeldInbox>,
    ready: Arc<FakeReady>,
}

impl Running {
    fn start(wish: Wish) -> Self {
        let mut server = Server::bind(HttpOptions {
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: wish.public_url.map(|url| url.parse().unwrap()),
            trusted_proxies: vec![wish.trusted.parse().unwrap()],
        })
        .unwrap();
        server.limits = wish.limits;
        let this = Self {
            address: server.local_addr().unwrap(),
            lifecycle: Lifecycle::new(),
            metrics: Metrics::new(),
            account: Arc::new(FakeAccount::default()),
            inbox: Arc::new(HeldInbox::default()),
            ready: Arc::new(FakeReady::default()),
        };
        let account = Arc::clone(&this.account) as Arc<dyn Account>;
        let state = HttpState {
            accounts: Accounts::new(HashMap::from([(account.name().clone(), account)])),
            inbox: Arc::clone(&this.inbox) as Arc<dyn Inbox>,
            clock: Arc::new(SystemClock),
            metrics: this.metrics.clone(),
            ready: Arc::clone(&this.ready) as Arc<dyn Readiness>,
            simulator: wish.simulator,
            files: wish.files,
            admin: None,
        };
        let lifecycle = this.lifecycle.clone();
        this.lifecycle.spawn("http", server.run(state, lifecycle));
        this
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and reads until the server closes.
    async fn send(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect().await;
        stream.write_all(request.as_ref()).await.unwrap();
        read_reply(&mut stream).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(request("GET", path, "", "")).await
    }

    /// A signed call that waits for its commit: what lets it go on, and where it is answered.
    async fn held(&self, path: &str, url: &str) -> (Arc<Semaphore>, TcpStream) {
        let gate = self.inbox.hold();
        let mut stream = self.connect().await;
        let call = signed_call(path, url, "hello");
        stream.write_all(call.as_bytes()).await.unwrap();
        self.inbox.entered.notified().await;
        (gate, stream)
    }

    /// A call of the provider, rightly signed for this URL.
    async fn signed(&self, path: &str, url: &str, body: &str) -> Reply {
        self.send(signed_call(path, url, body)).await
    }

    /// Waits until the rendered metrics hold this.
    async fn counted(&self, line: &str) {
        let look = async {
            while !self.metrics.render().contains(line) {
                tokio::task::yield_now().await;
            }
        };
        let seen = timeout(DEADLINE, look).await;
        assert!(
            seen.is_ok(),
            "{line} is missing in\n{}",
            self.metrics.render()
        );
    }
}

/// An answer, cut in two.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

async fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let read = timeout(DEADLINE, stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "the server neither answers nor closes");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    Reply {
        status: status.unwrap_or_else(|| panic!("no answer: {text:?}")),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

/// A request after which the server closes; `headers` are whole lines.
fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: gw.example.org\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    )
}

fn signed_call(path: &str, url: &str, body: &str) -> String {
    let signature = sign(url, body.as_bytes());
    request("POST", path, &format!("X-Signature: {signature}\r\n"), body)
}

fn sign(url: &str, body: &[u8]) -> String {
    let digest = Sha256::new().chain_update("secret").chain_update(url);
    hex::encode(digest.chain_update(body).finalize())
}

/// An account whose provider signs URL and body. A body `none` tells nothing, `panic` breaks it.
struct FakeAccount {
    name: AccountName,
    seen: Mutex<Option<Seen>>,
}

/// What the account was last handed.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    url: String,
    query: String,
    token: Option<String>,
    peer: Option<IpAddr>,
}

impl Default for FakeAccount {
    fn default() -> Self {
        Self {
            name: AccountName::new("sms", "main"),
            seen: Mutex::default(),
        }
    }
}

impl FakeAccount {
    fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone().unwrap()
    }
}

#[async_trait]
impl Account for FakeAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            repeat: Repeat::Unsafe,
            reports: Reports::None,
            concurrency: 1,
            send_seconds_max: 1,
            files: None,
            holder: Holder::Anyone,
        }
    }

    async fn send(&self, _message: &Outgoing, _attempt: Attempt) -> Outcome {
        panic!("nothing is sent here")
    }

    fn webhook(&self, call: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        *self.seen.lock().unwrap() = Some(Seen {
            url: call.public_url.to_owned(),
            query: call.query.to_owned(),
            token: call.token.map(str::to_owned),
            peer: call.peer,
        });
        let signature = call.headers.get("x-signature").ok_or(Refused::Unsigned)?;
        if signature.as_bytes() != sign(call.public_url, call.body).as_bytes() {
            return Err(Refused::Forged);
        }
        let text = std::str::from_utf8(call.body).map_err(|_| Refused::Malformed)?;
        assert_ne!(text, "panic", "on purpose");
        let events = if text == "none" {
            Vec::new()
        } else {
            vec![Event::Message(Box::new(incoming(
                "+12025550147",
                "+12025550100",
                text,
            )))]
        };
        Ok(Handled {
            events,
            stored: WebReply::ok().with_body("text/xml", "<Response/>"),
            busy: WebReply::busy().with_body("text/xml", "<Busy/>"),
        })
    }
}

/// An inbox whose commits can be held up.
#[derive(Default)]
struct HeldInbox {
    recording: RecordingInbox,
    /// Set: a commit needs one of its permits.
    hold: Mutex<Option<Arc<Semaphore>>>,
    entered: Notify,
}

impl HeldInbox {
    /// Holds up all commits from now on, until permits are added.
    fn hold(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        *self.hold.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }
}

#[async_trait]
impl Inbox for HeldInbox {
    async fn commit(
        &self,
        account: &AccountName,
        events: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Verdict>, Busy> {
        let gate = self.hold.lock().unwrap().clone();
        self.entered.notify_one();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        self.recording.commit(account, events, cursor).await
    }

    async fn cursor(&self, account: &AccountName, name: &str) -> Result<Option<String>, Busy> {
        self.recording.cursor(account, name).await
    }
}

/// A readiness that says what it is told to.
struct FakeReady(Mutex<Answers>);

#[derive(Clone)]
struct Answers {
    /// `None`: never answers.
    store: Option<bool>,
    listeners: bool,
    links: Vec<LinkHealth>,
    asked: u32,
}

impl Default for FakeReady {
    fn default() -> Self {
        Self(Mutex::new(Answers {
            store: Some(true),
            listeners: true,
            links: Vec::new(),
            asked: 0,
        }))
    }
}

impl FakeReady {
    fn set(&self, change: impl FnOnce(&mut Answers)) {
        change(&mut self.0.lock().unwrap());
    }

    fn now(&self) -> Answers {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Readiness for FakeReady {
    async fn store_commits(&self) -> bool {
        self.set(|answers| answers.asked += 1);
        match self.now().store {
            Some(commits) => commits,
            None => std::future::pending().await,
        }
    }

    fn listeners_accept(&self) -> bool {
        self.now().listeners
    }

    fn links(&self) -> Vec<LinkHealth> {
        self.now().links
    }
}
