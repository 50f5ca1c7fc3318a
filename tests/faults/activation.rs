//! Sockets that the service manager holds: whoever calls before the process is there waits, and is answered.

use std::{collections::BTreeSet, process::Stdio, time::Duration};

use tokio::{net::TcpStream, time::Instant};
use transom_test_servers::{
    Element, Feature, MailSink, Mailer, PATIENCE, Prosody, Server, Transom, XmppClient, free_port,
    get, skipped, until,
};

use crate::{
    house::{alone, lines, prosody},
    world::{LINE, SECRET, SMS, Seat, Twilio, chat, config, contact, link_up},
};

const ACTIVATOR: &str = "systemd-socket-activate";

#[tokio::test]
async fn a_call_before_the_start_is_answered_after_it() {
    if skipped(&[Server::Prosody, Server::SocketActivate]) {
        return;
    }
    let prosody = prosody(&["alice"]).await;
    let (transom, _twilio) = alone(prosody.component_addr(), &lines("alice"), "").await;
    let (http, binary) = (transom.http(), env!("CARGO_BIN_EXE_transom"));
    let mut activator = tokio::process::Command::new(ACTIVATOR);
    activator
        .args(["-l", &http.to_string(), binary, "run", "--config"])
        .arg(transom.config_path())
        .current_dir(transom.folder())
        .env("STATE_DIRECTORY", transom.folder())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(transom.folder().join("activated.log")).unwrap())
        .kill_on_drop(true);
    let process = activator.spawn().unwrap();
    // The port is open before transom is: the first call starts it, and waits in the queue of the socket.
    let answered = async || {
        get(http, "/readyz")
            .await
            .ok()
            .filter(|answer| answer.status == 200)
    };
    let answer = until("the call to be answered", PATIENCE, answered).await;
    let log = std::fs::read_to_string(transom.folder().join("activated.log")).unwrap();
    assert!(answer.is_ok(), "{log}");
    assert!(!log.contains("cannot listen"), "{log}");
    drop(process);
}

const MAIL: &str = "mail.example.org";
const PEER: &str = "+12025550147";
const RESTARTS: usize = 3;
/// As many each way come during each restart.
const CALLS: usize = 4;

/// A process with both gateways, whose places stay open, and alice at home.
struct Open {
    transom: Transom,
    twilio: Twilio,
    alice: XmppClient,
    lmtp: std::net::SocketAddr,
    _prosody: Prosody,
    _sink: MailSink,
}

impl Open {
    async fn start() -> Self {
        let builder = Prosody::builder().user("alice");
        let builder = builder.component(SMS, SECRET).component(MAIL, SECRET);
        let prosody = builder.with(Feature::Offline).start().await;
        let (http, lmtp, sink) = (free_port(), free_port(), MailSink::start().await);
        let twilio = Twilio::start(http).await;
        let seat = Seat {
            server: prosody.component_addr(),
            domain: SMS,
            secret: SECRET,
        };
        let mail = format!(
            "[gateway.mail]\nadapter = \"email\"\ndomain = \"{MAIL}\"\nsecret = \"{SECRET}\"\naddress_domain = \"{MAIL}\"\n\
             home = \"example.org\"\nhold = \"0s\"\nmerge = \"0s\"\n[gateway.mail.smtp]\nurl = \"smtp://{}?tls=none\"\n\
             [gateway.mail.lmtp]\nlisten = \"{lmtp}\"\n",
            sink.addr()
        );
        let tables = format!("{}{mail}", lines("alice"));
        let config = config(&seat, http, &twilio, &tables, "");
        let builder = Transom::builder(env!("CARGO_BIN_EXE_transom"));
        let mut transom = builder.config(&config).http(http).prepare();
        transom.hold_sockets([http, lmtp]);
        transom.start().await;
        link_up(&transom, "sms").await;
        link_up(&transom, "mail").await;
        let mut alice = prosody.client("alice", "phone").await;
        alice.send(&chat(&contact(PEER), "m1", "hello")).await;
        let bob = format!("bob\\40example.com@{MAIL}");
        alice.send(&chat(&bob, "m2", "hello by mail")).await;
        twilio.text("hello").await;
        sink.mail("the mail", |_| true).await;
        Self {
            transom,
            twilio,
            alice,
            lmtp,
            _prosody: prosody,
            _sink: sink,
        }
    }
}

/// HTTP and LMTP over restarts: whoever comes between two processes is served by the next one, at the first attempt.
#[tokio::test]
async fn webhooks_and_mails_that_come_during_a_restart_are_taken_by_the_next_process() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let Open {
        mut transom,
        twilio,
        mut alice,
        lmtp,
        _prosody,
        _sink,
    } = Open::start().await;
    let http = transom.http();
    let mut gaps = Vec::new();
    for restart in 0..RESTARTS {
        assert!(transom.sigterm().await.success());
        let since = Instant::now();
        // Nobody is there, and nobody is refused.
        for place in [http, lmtp] {
            TcpStream::connect(place).await.expect("the place is open");
        }
        let calls = async {
            for call in 0..CALLS {
                let sid = format!("SMin{restart}x{call}");
                let text = format!("text {restart} {call}");
                let (told, verdicts) = tokio::join!(
                    twilio.deliver(&sid, PEER, LINE, &text),
                    hand_in(lmtp, restart, call)
                );
                assert_eq!(told, Ok(200));
                assert!(verdicts[0].starts_with("250"), "{verdicts:?}");
            }
            since.elapsed()
        };
        let (gap, ()) = tokio::join!(calls, transom.start());
        gaps.push(gap);
    }
    assert_eq!(transom.log().matches("cannot listen").count(), 0);
    let expected = RESTARTS * CALLS;
    let mut arrived = BTreeSet::new();
    while arrived.len() < 2 * expected {
        let is_one = |stanza: &Element| {
            let body = stanza.body().unwrap_or_default();
            body.contains("text ") || body.contains("mail ")
        };
        let stanza = alice.expect("a text or a mail", is_one).await;
        assert!(
            arrived.insert(stanza.attr("id").unwrap().to_owned()),
            "again: {stanza}"
        );
    }
    let bodies: BTreeSet<_> = alice.received().iter().filter_map(Element::body).collect();
    assert!(bodies.len() >= 2 * expected, "each arrived: {bodies:?}");
    eprintln!(
        "{expected} texts and as many mails over {RESTARTS} restarts; all of a restart taken {gaps:?} after the end"
    );
    assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(20)));
}

/// A mail by LMTP, whose greeting may take a while.
async fn hand_in(lmtp: std::net::SocketAddr, restart: usize, call: usize) -> Vec<String> {
    let mail = format!(
        "From: Bob <bob@example.com>\r\nTo: alice@{MAIL}\r\nSubject: Gap\r\nMessage-ID: <g{restart}x{call}@example.com>\r\n\r\n\
         mail {restart} {call}\r\n"
    );
    let to = format!("alice@{MAIL}");
    let mailer = Mailer::lmtp(lmtp);
    mailer.verdicts("bob@example.com", &[&to], &mail).await
}
