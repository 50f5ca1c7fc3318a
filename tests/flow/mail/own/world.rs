//! The world of a user's own mailbox: a Dovecot that is read by IMAP, a Postfix that asks for the login, a directory of servers.

use std::net::SocketAddr;

use transom_test_servers::{
    Answer, Dovecot, Element, Feature, HttpDouble, MailSink, Mailboxes, Mailer, PATIENCE, Postfix,
    Server, Transom, XmppClient, XmppServer, free_port, get, post_with, until,
};

use crate::{
    mail::MAIL,
    world::{Database, link_up, store},
};

pub(crate) const OWN: &str = "alice@corp.example";
pub(crate) const PASSWORD: &str = "first pass&word";
pub(crate) struct OwnWorld {
    pub(crate) transom: Transom,
    pub(crate) server: XmppServer,
    pub(crate) sink: MailSink,
    pub(crate) dovecot: Dovecot,
    pub(crate) postfix: Postfix,
    pub(crate) directory: HttpDouble,
}

/// What is otherwise with a world.
#[derive(Default)]
pub(crate) struct Otherwise {
    /// Further lines of `[gateway.mail.own]`.
    pub(crate) lines: String,
    /// Prosody, if nothing is said.
    pub(crate) on: Option<Server>,
    /// What the XMPP server can more.
    pub(crate) features: Vec<Feature>,
    /// The gateway has no addresses of its own.
    pub(crate) alone: bool,
}

impl OwnWorld {
    pub(crate) async fn start() -> Self {
        Self::on(Database::Sqlite, &[("alice", PASSWORD)]).await
    }

    pub(crate) async fn with(otherwise: Otherwise) -> Self {
        let dovecot = Dovecot::start(Mailboxes::WithPasswords).await;
        dovecot.set_passwords(&[("alice", PASSWORD)]).await;
        let directory = HttpDouble::start().await;
        Self::of(Database::Sqlite, dovecot, directory, otherwise).await
    }

    /// With a provider that takes no passwords.
    pub(crate) async fn with_provider() -> Self {
        Self::with_provider_on(Database::Sqlite, Vec::new()).await
    }

    /// The same on another database, with an XMPP server that can more.
    pub(crate) async fn with_provider_on(database: Database, features: Vec<Feature>) -> Self {
        let directory = HttpDouble::start().await;
        let tokens = Mailboxes::WithTokens(directory.url("/introspect"));
        let provider = format!(
            "[gateway.mail.own.provider.Corp]\nhosts = [\"localhost\"]\nauthorize_url = \"https://id.corp.example/authorize\"\n\
             token_url = \"{}\"\nclient_id = \"us\"\nclient_secret = \"our secret\"\nscope = \"mail\"\n",
            directory.url("/token")
        );
        Self::of(
            database,
            Dovecot::start(tokens).await,
            directory,
            Otherwise {
                lines: provider,
                features,
                ..Otherwise::default()
            },
        )
        .await
    }

    pub(crate) async fn on(database: Database, mailboxes: &[(&str, &str)]) -> Self {
        let dovecot = Dovecot::start(Mailboxes::WithPasswords).await;
        dovecot.set_passwords(mailboxes).await;
        let otherwise = Otherwise::default();
        Self::of(database, dovecot, HttpDouble::start().await, otherwise).await
    }

    pub(crate) async fn of(
        database: Database,
        dovecot: Dovecot,
        directory: HttpDouble,
        otherwise: Otherwise,
    ) -> Self {
        let kind = otherwise.on.unwrap_or(Server::Prosody);
        let (components, users) = ([(MAIL, "secret")], ["alice", "carol"]);
        let server = XmppServer::start(kind, &otherwise.features, &components, &users).await;
        let sink = MailSink::start().await;
        let auth = dovecot.auth_addr();
        let postfix = Postfix::builder()
            .outgoing(sink.addr())
            .parameter("smtpd_sasl_auth_enable", "yes")
            .parameter("smtpd_sasl_type", "dovecot")
            .parameter("smtpd_sasl_path", &format!("inet:{auth}"))
            .parameter(
                "smtpd_recipient_restrictions",
                "permit_sasl_authenticated, reject",
            )
            .start()
            .await;
        let (imap, smtp) = (dovecot.imap_addr(), postfix.smtp_addr());
        directory.answer_by(move |request| answers(&request.target, &autoconfig(imap, smtp)));
        let http = free_port();
        let base = match database {
            Database::Sqlite => "[store]\n".to_owned(),
            Database::Postgres => store(database).await,
        };
        let places = [server.component_addr(), http, sink.addr()];
        let config = config(&base, places, &directory.url("/v1.1/"));
        let mut config = format!("{config}{}", otherwise.lines);
        if otherwise.alone {
            let smtp = format!(
                "[gateway.mail.smtp]\nurl = \"smtp://{}?tls=none\"\n",
                sink.addr()
            );
            config = config.replace(&smtp, "");
        }
        let mut transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
            .config(&config)
            .http(http)
            .prepare();
        let made = transom.command(&["key", "rotate"]).await;
        assert!(made.status.success(), "{}", words(&made));
        transom.start().await;
        link_up(&transom, "mail").await;
        Self {
            transom,
            server,
            sink,
            dovecot,
            postfix,
            directory,
        }
    }

    pub(crate) async fn alice(&self) -> XmppClient {
        let mut alice = self.server.client("alice", "phone").await;
        let said = ask(&mut alice, "register alice").await;
        assert!(said.contains("alice@mail.example.org"), "{said}");
        alice
    }

    /// The page behind the link that the gateway gives for an address.
    pub(crate) async fn link(&self, client: &mut XmppClient, address: &str) -> String {
        let said = ask(client, &format!("mailbox-add {address}")).await;
        let (_, path) = said
            .split_once("/admin/own/")
            .unwrap_or_else(|| panic!("{said}"));
        format!("/admin/own/{}", path.trim())
    }

    /// Waits for a page with these words.
    pub(crate) async fn page(&self, path: &str, words: &str) -> String {
        let http = self.transom.http();
        let seen = until(words, PATIENCE, async || {
            let page = get(http, path).await.ok()?.text();
            page.contains(words).then_some(page)
        });
        seen.await.unwrap_or_else(|why| panic!("{why}"))
    }

    pub(crate) async fn enter(&self, path: &str, fields: &[(&str, &str)]) {
        let form = fields.iter().map(|(name, value)| {
            let value = format!("%{}", hex_pairs(value));
            format!("{name}={value}")
        });
        let form = form.collect::<Vec<_>>().join("&");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = post_with(self.transom.http(), path, &headers, form.as_bytes());
        answer.await.expect("transom answers");
    }

    /// Connects the mailbox of the address, and waits until it is read.
    pub(crate) async fn connect(&self, client: &mut XmppClient, address: &str, password: &str) {
        let path = self.link(client, address).await;
        self.page(&path, "type=\"password\"").await;
        self.enter(&path, &[("password", password)]).await;
        self.page(&path, "is connected").await;
        self.reads(client, address).await;
    }

    /// Waits until a mailbox works. The gateway is not asked for that: it answers twenty times a minute.
    pub(crate) async fn is_up(&self) {
        let up = until("a mailbox that works", PATIENCE, async || {
            let name = "transom_own_accounts{state=\"up\"}";
            let up = self.transom.metric(name).await;
            up.filter(|up| *up >= 1.0).map(drop)
        });
        up.await
            .unwrap_or_else(|why| panic!("{why}:\n{}", self.transom.log()));
    }

    /// Waits until this mailbox works, as its owner is told.
    pub(crate) async fn reads(&self, client: &mut XmppClient, address: &str) {
        self.is_up().await;
        let want = format!("{address}: works");
        let works = until("a mailbox that works", PATIENCE, async || {
            let said = ask(client, "mailbox").await;
            said.contains(&want).then_some(())
        });
        works
            .await
            .unwrap_or_else(|why| panic!("{why}:\n{}", self.transom.log()));
    }

    pub(crate) async fn deliver(&self, to: &str, mail: &str) {
        let lmtp = Mailer::lmtp(self.dovecot.lmtp_addr());
        lmtp.send("bob@example.com", &[to], mail).await;
    }

    /// What transom wrote into its log.
    pub(crate) fn log(&self) -> String {
        self.transom.log()
    }
}

pub(crate) fn config(base: &str, [server, http, sink]: [SocketAddr; 3], directory: &str) -> String {
    format!(
        r#"
{base}key_file = "transom.key"
[xmpp]
server = "{server}"
allow = ["example.org"]
[http]
listen = "{http}"
public_url = "http://{http}"
[gateway.mail]
adapter = "email"
domain = "{MAIL}"
secret = "secret"
address_domain = "{MAIL}"
home = "example.org"
hold = "0s"
merge = "0s"
[gateway.mail.smtp]
url = "smtp://{sink}?tls=none"
[gateway.mail.own]
directory = "{directory}"
allow_hosts = ["localhost", "127.0.0.1"]
"#
    )
}

/// The directory, and a provider: where tokens come from, and who knows whose they are.
pub(crate) fn answers(target: &str, document: &str) -> Answer {
    match target {
        "/token" => Answer::json(
            200,
            r#"{"access_token":"today's","refresh_token":"refresh-4711","token_type":"Bearer","expires_in":3600}"#,
        ),
        "/introspect" => Answer::json(200, r#"{"active":true,"username":"alice"}"#),
        _ => Answer::with(200, "text/xml", document),
    }
}

pub(crate) fn words(output: &std::process::Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

pub(crate) fn autoconfig(imap: SocketAddr, smtp: SocketAddr) -> String {
    let server = |element: &str, kind: &str, addr: SocketAddr| {
        format!(
            "<{element} type=\"{kind}\"><hostname>localhost</hostname><port>{}</port><socketType>plain</socketType>\
             <username>%EMAILLOCALPART%</username></{element}>",
            addr.port()
        )
    };
    format!(
        "<clientConfig version=\"1.1\"><emailProvider id=\"corp.example\">{}{}</emailProvider></clientConfig>",
        server("incomingServer", "imap", imap),
        server("outgoingServer", "smtp", smtp),
    )
}

/// Each byte in hexadecimal, with a percent sign between them.
pub(crate) fn hex_pairs(value: &str) -> String {
    let pairs: Vec<String> = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    pairs.join("%")
}

/// What the gateway says to this.
pub(crate) async fn ask(client: &mut XmppClient, body: &str) -> String {
    client.take_rest();
    client.message(MAIL, &format!("say-{body}"), body).await;
    let said = client.expect(body, |stanza| {
        stanza.attr("from") == Some(MAIL) && stanza.body().is_some()
    });
    said.await.body().expect("a body")
}

/// From a contact, whichever of our addresses its chat is pinned to.
pub(crate) fn is_from(stanza: &Element, from: &str) -> bool {
    let (local, _) = from.split_once('@').unwrap_or((from, ""));
    let pinned = format!("{local};line=");
    stanza
        .attr("from")
        .is_some_and(|whose| whose == from || whose.starts_with(&pinned))
}

pub(crate) async fn chat_from(client: &mut XmppClient, from: &str, words: &str) -> Element {
    client
        .expect(words, |stanza| {
            is_from(stanza, from)
                && stanza.attr("type") == Some("chat")
                && stanza.body().is_some_and(|body| body.contains(words))
        })
        .await
}

pub(crate) fn mail(id: &str, text: &str) -> String {
    format!(
        "From: Bob <bob@example.com>\r\nTo: undisclosed-recipients:;\r\nDelivered-To: somebody@else.example\r\nSubject: {id}\r\n\
         Message-ID: <{id}@example.com>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n"
    )
}
