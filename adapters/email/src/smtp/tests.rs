//! The account against a server that answers from a script.

mod check;
mod connections;
mod dialog;
mod login;
mod outcomes;
mod tls;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use transom_adapter::{
    Lifecycle,
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
