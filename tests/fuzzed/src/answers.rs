//! What the servers answer that transom calls: the APIs of providers, mail servers on the way out, and mailboxes. Over real sockets.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt, copy, sink},
    net::TcpListener,
    runtime::{Builder, Runtime},
    time::timeout,
};
use transom_adapter::{
    Account, Adapter, Address, HttpClient, HttpLimits, Outcome, Outgoing, Section,
    testkit::{CountingMeter, FIRST, FixedDirectory, RecordingInbox, context, outgoing, signer},
};
use transom_email::EmailAdapter;
use transom_sms::SmsAdapter;

/// Longer than any deadline of ours that can be reached here.
const STUCK: Duration = Duration::from_secs(20);
const STATUSES: [u16; 12] = [200, 201, 202, 204, 301, 400, 401, 404, 409, 422, 429, 503];

/// Accounts, and the server that they call.
struct Called {
    runtime: Runtime,
    listener: TcpListener,
    accounts: Vec<Arc<dyn Account>>,
}

/// The answer of a provider's API: the first byte says whose, the second which status, the rest is the body. A text counts as taken
/// only where the status says so.
pub fn answers(data: &[u8]) {
    static CALLED: OnceLock<Called> = OnceLock::new();
    let [which, status, body @ ..] = data else {
        return;
    };
    let called = CALLED.get_or_init(|| Called::by(providers));
    let account = &called.accounts[usize::from(*which) % called.accounts.len()];
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let length = body.len();
    let mut answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes();
    answer.extend_from_slice(body);
    let is_taken = called.takes(&answer, &**account, ("+12025550100", "+12025550147"));
    // Who recognises a repeat may say that it has this one already.
    let has_it = status == 409 && account.capabilities().repeat.is_recognised();
    assert!(
        !is_taken || status < 300 || has_it,
        "{} took {status} for a yes",
        account.name()
    );
}

/// What a mail server says while a mail goes to it: the mail counts as taken only where it said so.
pub fn smtp_replies(data: &[u8]) {
    static CALLED: OnceLock<Called> = OnceLock::new();
    let called = CALLED.get_or_init(|| {
        Called::by(|port| {
            mail(json!({
                "smtp": { "url": format!("smtp://127.0.0.1:{port}?tls=none") },
            }))
        })
    });
    let addresses = ("alice@mail.example.org", "bob@example.com");
    let is_taken = called.takes(data, &*called.accounts[0], addresses);
    let has_positive = data.windows(2).any(|word| word == b"25");
    assert!(!is_taken || has_positive, "nobody said that it was taken");
}

/// What a mailbox says, from the greeting to the end.
pub fn imap_replies(data: &[u8]) {
    static CALLED: OnceLock<Called> = OnceLock::new();
    let called = CALLED.get_or_init(|| Called::by(|port| mail(json!({
        "imap": {
            "url": format!("imap://127.0.0.1:{port}?tls=none"), "username": "a", "password": "b",
            "recipient_header": "Delivered-To", "since": "7d",
        },
    }))));
    let known = FixedDirectory(vec![Address::new("alice@mail.example.org")]);
    let context = context(
        Arc::<RecordingInbox>::default(),
        known,
        Arc::<CountingMeter>::default(),
    );
    called.runtime.block_on(async {
        let says = timeout(STUCK, called.say(data));
        tokio::select! {
            heard = says => heard.expect("it hangs up when the other side does"),
            // It would come back after a while.
            ended = called.accounts[0].run(&context) => assert!(ended.is_ok(), "{ended:?}"),
        }
    });
}

impl Called {
    fn by(accounts: impl FnOnce(u16) -> Vec<Arc<dyn Account>>) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a socket of our own");
        let port = listener.local_addr().expect("a port").port();
        Self {
            runtime,
            listener,
            accounts: accounts(port),
        }
    }

    /// Whether a message counts as taken when this is all that is said to whoever connects.
    fn takes(&self, data: &[u8], account: &dyn Account, (from, to): (&str, &str)) -> bool {
        let message = Outgoing {
            routes: vec![account.name().clone()],
            ..outgoing(from, to, "hello")
        };
        let says = async {
            loop {
                self.say(data).await;
            }
        };
        let work = async {
            tokio::select! {
                outcome = account.send(&message, FIRST) => outcome,
                never = says => never,
            }
        };
        let outcome = self.runtime.block_on(async { timeout(STUCK, work).await });
        matches!(outcome.expect("it ends"), Outcome::Accepted { .. })
    }

    /// Says this to the next one who connects, and hears them out.
    async fn say(&self, data: &[u8]) {
        let (mut stream, _) = self.listener.accept().await.expect("a caller");
        // It may hang up while we speak.
        stream.write_all(data).await.ok();
        stream.shutdown().await.ok();
        copy(&mut stream, &mut sink()).await.ok();
    }
}

/// One of each kind that is called by HTTP.
fn providers(port: u16) -> Vec<Arc<dyn Account>> {
    let url = format!("http://127.0.0.1:{port}");
    let token = "0123456789abcdef";
    let sections = json!({
        "twilio": { "account_sid": "AC1", "auth_token": "12345" },
        "telnyx": { "api_key": "KEY1", "public_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
        "bandwidth": {
            "account_id": "5500", "application_id": "app", "client_id": "id", "client_secret": "secret",
            "webhook_token": token, "token_url": format!("{url}/token"),
        },
        "plivo": { "auth_id": "MAXX", "auth_token": "secret", "webhook_token": token },
        "sinch": { "service_plan_id": "plan1", "api_token": "token1", "webhook_token": token },
        "vonage": { "api_key": "key1", "api_secret": "secret1", "signature_secret": "secret" },
        "kannel": { "username": "tester", "password": "foobar", "webhook_token": token },
        "jasmin": { "username": "foo", "password": "bar", "webhook_token": token },
        "android": { "username": "sms", "password": "foobar", "signing_key": "k", "sims": ["+12025550100"] },
        "httpsms": { "api_key": "key", "signing_key": "k", "webhook_token": token, "numbers": ["+12025550100"] },
    });
    let mut table = serde_json::Map::new();
    for (kind, section) in sections.as_object().expect("a table") {
        let mut section = section.clone();
        section["kind"] = json!(kind);
        section["base_url"] = json!(url);
        table.insert(kind.clone(), section);
    }
    let described = json!({
        "kind": "http", "webhook_token": token,
        "send": {
            "url": url, "body": "{{ text|tojson }}", "id": "/id", "error": "/error", "errors": { "1": "throttled" },
        },
    });
    table.insert("described".to_owned(), described);
    let section = section(&json!({ "region": "US", "provider": table }));
    let limits = HttpLimits {
        total: Duration::from_secs(5),
        ..HttpLimits::default()
    };
    let http = HttpClient::new(limits).expect("a client");
    let public_url = "https://gw.example.org".parse().expect("a URL");
    let adapter = SmsAdapter::from_section("sms", &section, http, signer(), Some(&public_url), &[]);
    adapter
        .unwrap_or_else(|faults| panic!("{faults:?}"))
        .accounts()
}

fn mail(table: Value) -> Vec<Arc<dyn Account>> {
    let mut table = table;
    table["address_domain"] = json!("mail.example.org");
    table["home"] = json!("example.org");
    let adapter = EmailAdapter::from_section("mail", &section(&table), signer());
    adapter
        .unwrap_or_else(|faults| panic!("{faults:?}"))
        .accounts()
}

fn section(table: &Value) -> Section {
    Section {
        key: "gateway".to_owned(),
        table: table.as_object().expect("a table").clone(),
        base_dir: ".".into(),
    }
}
