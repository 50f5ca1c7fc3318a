//! The account against a server that answers from a script.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use transom_adapter::{
    Lifecycle, Reason,
    testkit::{self, FIRST},
};

use super::*;
use crate::{
    config::Login,
    net::{Endpoint, Reach, Security},
};

/// What one connection answers, step by step, beginning with the greeting. Of the mail itself only the end is answered.
type Script = Vec<&'static str>;

const OFFERS: &str = "250-mx\r\n250-SIZE 10000\r\n250-DSN\r\n250 AUTH PLAIN";
const CLOSE: &str = "close";
const HANG: &str = "hang";
/// A reply whose line has no end.
const ENDLESS: &str = "220 endless";

/// The greeting and both EHLOs.
const GREETED: [&str; 3] = ["220 mx", OFFERS, OFFERS];

struct Server {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    lifecycle: Lifecycle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.lifecycle.abort();
    }
}

impl Server {
    /// Serves one connection after another, each by its script.
    async fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            lines: Arc::default(),
            connections: Arc::default(),
            lifecycle: Lifecycle::new(),
        };
        let (lines, connections) = (Arc::clone(&server.lines), Arc::clone(&server.connections));
        let mut scripts: VecDeque<Script> = scripts.into_iter().collect();
        let life = server.lifecycle.clone();
        server.lifecycle.spawn("scripted-smtp", async move {
            while let Some(script) = scripts.pop_front() {
                let (stream, _) = listener.accept().await.unwrap();
                *connections.lock().unwrap() += 1;
                life.spawn(
                    "scripted-smtp-connection",
                    serve(stream, script, Arc::clone(&lines)),
                );
            }
            std::future::pending::<()>().await;
        });
        server
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    fn account(&self, security: Security, login: bool) -> SmtpAccount {
        self.account_with(security, login, None)
    }

    fn account_with(
        &self,
        security: Security,
        login: bool,
        tls: Option<Arc<ClientConfig>>,
    ) -> SmtpAccount {
        let login = login.then(|| Login {
            username: "user".to_owned(),
            password: "s3cret".to_owned().into(),
            tokens: None,
        });
        self.account_of(login, security, tls)
    }

    fn account_of(
        &self,
        login: Option<Login>,
        security: Security,
        tls: Option<Arc<ClientConfig>>,
    ) -> SmtpAccount {
        let config = SmtpConfig {
            endpoint: Endpoint {
                host: "127.0.0.1".to_owned(),
                port: self.port,
                security,
                reach: Reach::Anywhere,
            },
            login,
        };
        let ids = OwnIds::new(testkit::signer(), "mail.example.org".to_owned());
        let short = Duration::from_secs(2);
        let deadlines = Deadlines {
            open: short,
            command: short,
            mail: short,
        };
        SmtpAccount::new(
            AccountName::new("mail", "smtp"),
            ids,
            config,
            tls,
            deadlines,
        )
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    script: Script,
    lines: Arc<Mutex<Vec<String>>>,
) {
    let mut stream = BufReader::new(stream);
    let mut in_mail = false;
    for (step, reply) in script.into_iter().enumerate() {
        if step > 0 {
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return;
                }
                let line = line.trim_end().to_owned();
                lines.lock().unwrap().push(line.clone());
                if !in_mail || line == "." {
                    break;
                }
            }
        }
        match reply {
            CLOSE => return,
            HANG => std::future::pending().await,
            ENDLESS => {
                stream.write_all(reply.as_bytes()).await.unwrap();
                while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
                return;
            }
            _ => {}
        }
        in_mail = reply.starts_with("354");
        stream
            .write_all(format!("{reply}\r\n").as_bytes())
            .await
            .unwrap();
    }
    std::future::pending::<()>().await;
}

fn script(after_greeting: &[&'static str]) -> Script {
    [&GREETED[..], after_greeting].concat()
}

const SENT: [&str; 4] = ["250 ok", "250 ok", "354 go", "250 2.0.0 queued"];

fn message() -> Outgoing {
    testkit::outgoing("alice@mail.example.org", "bob@example.com", "Hello\n.\nBob")
}

async fn outcome_of(after_greeting: &[&'static str]) -> Outcome {
    let server = Server::start([script(after_greeting)]).await;
    let account = server.account(Security::None, false);
    account.send(&message(), FIRST).await
}

#[tokio::test]
async fn a_mail_goes_out_with_its_bounce_address_and_a_dsn_request() {
    let server = Server::start([script(&SENT)]).await;
    let account = server.account(Security::None, false);
    let outcome = account.send(&message(), FIRST).await;
    let Outcome::Accepted { ids } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        ids,
        [ExternalId::new(
            "message-id",
            account.ids.message_id(message().key)
        )]
    );
    let lines = server.lines();
    assert_eq!(lines[0], "EHLO mail.example.org");
    let bounce = account.ids.bounce_address(message().key);
    let sender = format!("MAIL FROM:<{bounce}> SIZE=");
    assert!(lines[2].starts_with(&sender), "{}", lines[2]);
    let envelope_id = account.ids.envelope_id(message().key);
    let notification = format!(" RET=HDRS ENVID={envelope_id}");
    assert!(lines[2].contains(&notification), "{}", lines[2]);
    assert_eq!(
        lines[3],
        "RCPT TO:<bob@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob@example.com"
    );
    assert_eq!(lines[4], "DATA");
    assert!(
        lines.contains(&"..".to_owned()),
        "a dot in the text is stuffed: {lines:?}"
    );
}

/// The same to somebody whose address is not ASCII.
fn to_mueller() -> Outgoing {
    Outgoing {
        to: transom_adapter::Address::new("müller@example.com"),
        ..message()
    }
}

#[tokio::test]
async fn rfc6531_an_address_beyond_ascii_goes_as_it_is_where_the_server_takes_it() {
    const UTF8: &str = "250-mx\r\n250-DSN\r\n250 SMTPUTF8";
    let steps = ["220 mx", UTF8, UTF8, "250 ok", "250 ok", "354 go", "250 ok"];
    let server = Server::start([steps.to_vec()]).await;
    let account = server.account(Security::None, false);
    let outcome = account.send(&to_mueller(), FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let lines = server.lines();
    assert!(lines[2].ends_with(" SMTPUTF8"), "{}", lines[2]);
    assert_eq!(lines[3], "RCPT TO:<müller@example.com>");
    assert!(
        lines.contains(&"To: müller@example.com".to_owned()),
        "{lines:?}"
    );
}

#[tokio::test]
async fn rfc6531_without_the_extension_such_a_mail_fails_at_once_and_says_why() {
    let server = Server::start([GREETED.to_vec()]).await;
    let account = server.account(Security::None, false);
    let Outcome::Rejected(failure) = account.send(&to_mueller(), FIRST).await else {
        panic!("not rejected")
    };
    assert_eq!(failure.reason, Reason::Unsupported);
}

#[tokio::test]
async fn rfc5321_a_note_that_a_mail_was_displayed_has_the_null_sender() {
    let server = Server::start([script(&SENT)]).await;
    let account = server.account(Security::None, false);
    let mut note = message();
    note.mail.displayed = Some(transom_adapter::Displayed {
        message_id: None,
        subject: None,
    });
    let outcome = account.send(&note, FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let lines = server.lines();
    assert!(lines[2].starts_with("MAIL FROM:<> SIZE="), "{}", lines[2]);
    assert!(!lines[3].contains("NOTIFY"), "{}", lines[3]);
}

#[tokio::test]
async fn an_smtp_line_without_end_is_not_read_on() {
    let want = "the server wrote a reply of more than 131072 bytes";
    let greeting = Server::start([vec![ENDLESS]]).await;
    let outcome = greeting.account(Security::None, false);
    let outcome = outcome.send(&message(), FIRST).await;
    let Outcome::Transient(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.detail.as_deref(), Some(want));
    // Behind the dot nobody knows whether the mail was taken.
    let outcome = outcome_of(&["250 ok", "250 ok", "354 go", ENDLESS]).await;
    let Outcome::Unknown(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.detail.as_deref(), Some(want));
}

#[tokio::test]
async fn what_is_not_offered_is_not_used() {
    let server = Server::start([vec![
        "220 mx", "250 mx", "250 mx", "250 ok", "250 ok", "354 go", "250 ok",
    ]])
    .await;
    let account = server.account(Security::None, false);
    let outcome = account.send(&message(), FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let lines = server.lines();
    assert!(
        lines[2].ends_with('>') && lines[3].ends_with('>'),
        "{lines:?}"
    );
}

#[tokio::test]
async fn before_the_dot_a_cut_means_surely_not_sent() {
    for cut in [CLOSE, HANG, "garbage", "220 what"] {
        for steps in [
            vec![cut],
            vec!["250 ok", cut],
            vec!["250 ok", "250 ok", cut],
        ] {
            let outcome = outcome_of(&steps).await;
            assert!(
                matches!(outcome, Outcome::Transient(_)),
                "{steps:?} gave {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn after_the_dot_only_250_is_a_yes_and_silence_is_unknown() {
    for end in [CLOSE, HANG, "garbage", "354 go ahead", "220 what"] {
        let outcome = outcome_of(&["250 ok", "250 ok", "354 go", end]).await;
        assert!(
            matches!(outcome, Outcome::Unknown(_)),
            "{end} gave {outcome:?}"
        );
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let reason = |outcome| match outcome {
        Outcome::Rejected(failure) => failure.reason,
        other => panic!("{other:?}"),
    };
    let unknown = outcome_of(&["250 ok", "550 5.1.1 <bob@example.com>: unknown"]).await;
    assert_eq!(reason(unknown), Reason::NoSuchRecipient);
    let filtered = outcome_of(&["250 ok", "250 ok", "354 go", "554 5.7.1 looks like spam"]).await;
    assert_eq!(reason(filtered), Reason::Filtered);
    for later in [
        vec!["250 ok", "450 4.2.0 greylisted"],
        vec!["421 4.3.2 closing"],
        vec!["250 ok", "250 ok", "354 go", "451 4.3.0 try again"],
    ] {
        let outcome = outcome_of(&later).await;
        assert!(
            matches!(outcome, Outcome::Transient(_)),
            "{later:?} gave {outcome:?}"
        );
    }
    let login = outcome_of(&["530 5.7.0 authentication required"]).await;
    assert!(matches!(login, Outcome::Misconfigured(_)), "{login:?}");
}

#[tokio::test]
async fn too_large_is_known_without_asking() {
    let server = Server::start([script(&[])]).await;
    let account = server.account(Security::None, false);
    let mut large = message();
    large.text = "x".repeat(20_000);
    let outcome = account.send(&large, FIRST).await;
    let Outcome::Rejected(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.reason, Reason::TooLarge);
    assert!(!server.lines().iter().any(|line| line.starts_with("MAIL")));
}

#[tokio::test]
async fn a_wrong_password_is_the_accounts_fault_and_never_shown() {
    let server = Server::start([script(&["535 5.7.8 bad credentials"])]).await;
    let outcome = server
        .account(Security::None, true)
        .send(&message(), FIRST)
        .await;
    let Outcome::Misconfigured(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.code.as_deref(), Some("535 5.7.8"));
    assert!(!format!("{failure:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_login_is_made_when_there_is_one() {
    let steps = [&["235 2.7.0 welcome"], &SENT[..]].concat();
    let server = Server::start([script(&steps)]).await;
    let outcome = server
        .account(Security::None, true)
        .send(&message(), FIRST)
        .await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    // RFC 4616: NUL user NUL password
    assert_eq!(server.lines()[2], "AUTH PLAIN AHVzZXIAczNjcmV0");
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_where_tls_is_required() {
    let server = Server::start([vec!["220 mx", OFFERS]]).await;
    let outcome = server
        .account(Security::Required, false)
        .send(&message(), FIRST)
        .await;
    assert!(matches!(outcome, Outcome::Misconfigured(_)), "{outcome:?}");
    assert_eq!(server.lines(), ["EHLO mail.example.org"]);
}

#[tokio::test]
async fn opportunistic_goes_on_without_tls_but_sends_no_password() {
    let plain = ["220 mx", OFFERS, OFFERS, OFFERS];
    let server = Server::start([[&plain[..], &SENT].concat(), plain.to_vec()]).await;
    let outcome = server
        .account(Security::Opportunistic, false)
        .send(&message(), FIRST)
        .await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let outcome = server
        .account(Security::Opportunistic, true)
        .send(&message(), FIRST)
        .await;
    assert!(matches!(outcome, Outcome::Misconfigured(_)), "{outcome:?}");
    assert!(!server.lines().iter().any(|line| line.starts_with("AUTH")));
}

#[tokio::test]
async fn a_connection_is_kept_and_a_doubtful_one_is_not() {
    let again = [&SENT[..], &["250 reset"], &SENT[..]].concat();
    let server = Server::start([script(&again)]).await;
    let account = server.account(Security::None, false);
    for _ in 0..2 {
        let outcome = account.send(&message(), FIRST).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    assert_eq!(*server.connections.lock().unwrap(), 1);

    let doubtful = script(&["250 ok", "250 ok", "354 go", HANG]);
    let server = Server::start([doubtful, script(&SENT)]).await;
    let account = server.account(Security::None, false);
    let first = account.send(&message(), FIRST).await;
    assert!(matches!(first, Outcome::Unknown(_)), "{first:?}");
    let second = account.send(&message(), FIRST).await;
    assert!(matches!(second, Outcome::Accepted { .. }), "{second:?}");
    assert_eq!(*server.connections.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced_without_a_word() {
    let closing = [&SENT[..], &[CLOSE]].concat();
    let server = Server::start([script(&closing), script(&SENT)]).await;
    let account = server.account(Security::None, false);
    for _ in 0..2 {
        let outcome = account.send(&message(), FIRST).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    assert_eq!(*server.connections.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_dropped_send_takes_its_connection_with_it() {
    let server = Server::start([script(&["250 ok", HANG]), script(&SENT)]).await;
    let account = server.account(Security::None, false);
    let message = message();
    let dropped = tokio::time::timeout(Duration::from_millis(200), account.send(&message, FIRST));
    assert!(dropped.await.is_err());
    let outcome = account.send(&message, FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
}

#[tokio::test]
async fn nobody_listening_is_transient_and_check_says_so() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let mut server = Server::start([]).await;
    server.port = port;
    let account = server.account(Security::None, false);
    let outcome = account.send(&message(), FIRST).await;
    assert!(matches!(outcome, Outcome::Transient(_)), "{outcome:?}");
    let report = account.check().await;
    assert!(
        report
            .findings
            .iter()
            .all(|finding| !finding.contains("answers"))
    );
    assert!(report.faults[0].contains("cannot be reached"), "{report:?}");
}

#[tokio::test]
async fn check_says_what_it_found() {
    let server = Server::start([script(&["221 bye"])]).await;
    let report = server.account(Security::None, false).check().await;
    let want = format!(
        "127.0.0.1:{} answers without TLS: mails up to 10000 bytes, tells failures in a standard form",
        server.port
    );
    assert_eq!(report.findings[0], want);
    assert!(report.notes.iter().any(|note| note.contains("v=spf1")));
    assert_eq!(report.faults, Vec::<String>::new());
}

/// The greeting and EHLO in the clear, STARTTLS answered with `answer`, then the script under TLS.
async fn tls_server(answer: &'static str, script: Script) -> Server {
    let mut server = Server::start([]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    server.port = listener.local_addr().unwrap().port();
    let lines = Arc::clone(&server.lines);
    server.lifecycle.spawn("tls-smtp", async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 500];
        for reply in ["220 mx", "250-mx\r\n250 STARTTLS", answer] {
            stream
                .write_all(format!("{reply}\r\n").as_bytes())
                .await
                .unwrap();
            if reply != answer {
                assert!(stream.read(&mut buffer).await.unwrap() > 0);
            }
        }
        if let Ok(stream) = acceptor().accept(stream).await {
            // The library's EHLO comes first: there is no second greeting.
            let mut stream = BufReader::new(stream);
            let mut ehlo = String::new();
            stream.read_line(&mut ehlo).await.unwrap();
            serve(stream, script, lines).await;
        }
    });
    server
}

const CERTIFICATE: &[u8] = include_bytes!("../../tests/fixtures/tls/cert.der");
const PRIVATE_KEY: &[u8] = include_bytes!("../../tests/fixtures/tls/key.der");

fn acceptor() -> tokio_rustls::TlsAcceptor {
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(PRIVATE_KEY);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFICATE.into()], key.into())
        .unwrap();
    Arc::new(config).into()
}

fn trusting() -> Arc<ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CERTIFICATE.into()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

#[tokio::test]
async fn a_mail_goes_out_under_starttls() {
    let under_tls = [&[OFFERS, OFFERS, "235 welcome"], &SENT[..]].concat();
    let server = tls_server("220 go", under_tls).await;
    let account = server.account_with(Security::Required, true, Some(trusting()));
    let outcome = account.send(&message(), FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert!(
        server
            .lines()
            .iter()
            .any(|line| line.starts_with("AUTH PLAIN"))
    );
}

#[tokio::test]
async fn what_is_written_ahead_of_the_handshake_is_not_believed() {
    let under_tls = [&[OFFERS, OFFERS], &SENT[..]].concat();
    // A meddler's replies to come: believed, they would shift every later one.
    let server = tls_server("220 go\r\n250-mx\r\n250 DSN\r\n250 ok", under_tls).await;
    let account = server.account_with(Security::Required, false, Some(trusting()));
    let outcome = account.send(&message(), FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert!(
        server.lines().iter().any(|line| line.contains(" SIZE=")),
        "the real offers count"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let system = transom_adapter::client_config().unwrap();
    for security in [Security::Required, Security::Opportunistic] {
        let server = tls_server("220 go", Vec::new()).await;
        let account = server.account_with(security, false, Some(Arc::clone(&system)));
        let outcome = account.send(&message(), FIRST).await;
        assert!(matches!(outcome, Outcome::Transient(_)), "{outcome:?}");
        assert!(server.lines().is_empty());
    }
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_changed_for_a_new_one() {
    const BY_TOKEN: &str = "250-mx\r\n250 AUTH XOAUTH2";
    let refusing = || vec!["220 mx", BY_TOKEN, BY_TOKEN, "535 5.7.8 no", "221 bye"];
    let taking = vec!["220 mx", BY_TOKEN, BY_TOKEN, "235 ok", "221 bye"];
    let server = Server::start([refusing(), taking, refusing(), refusing()]).await;
    let login = Login {
        username: "user".to_owned(),
        password: String::new().into(),
        tokens: Some(crate::oauth::tokens::tests::tokens(&server.lifecycle).await),
    };
    let account = server.account_of(Some(login), Security::None, None);
    let report = account.check().await;
    assert_eq!(report.faults, Vec::<String>::new());
    let report = account.check().await;
    assert!(report.faults[0].contains("refuses the login"), "{report:?}");
    assert_eq!(*server.connections.lock().unwrap(), 4);
}
