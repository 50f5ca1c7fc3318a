//! A user's own mailbox: connected by a link, read by IMAP from a real Dovecot, written from by a real Postfix that asks for the login.

use std::net::SocketAddr;

use transom_test_servers::{
    Answer, Dovecot, Element, Feature, HttpDouble, MailSink, Mailboxes, Mailer, PATIENCE, Postfix,
    Prosody, Server, Stage, Transom, Verdict, XmppClient, free_port, get, post_with, skipped,
    until,
};

use super::{BOB, MAIL};
use crate::world::{Database, chat, condition, link_up, store};

pub(super) const OWN: &str = "alice@corp.example";
pub(super) const PASSWORD: &str = "first pass&word";
pub(super) struct OwnWorld {
    pub(super) transom: Transom,
    pub(super) prosody: Prosody,
    pub(super) sink: MailSink,
    pub(super) dovecot: Dovecot,
    pub(super) postfix: Postfix,
    directory: HttpDouble,
}

/// What is otherwise with a world.
#[derive(Default)]
pub(super) struct Otherwise {
    /// Further lines of `[gateway.mail.own]`.
    pub(super) lines: String,
    /// What the XMPP server can more.
    pub(super) features: Vec<Feature>,
    /// The gateway has no addresses of its own.
    pub(super) alone: bool,
}

impl OwnWorld {
    async fn start() -> Self {
        Self::on(Database::Sqlite, &[("alice", PASSWORD)]).await
    }

    pub(super) async fn with(otherwise: Otherwise) -> Self {
        let dovecot = Dovecot::start(Mailboxes::WithPasswords).await;
        dovecot.set_passwords(&[("alice", PASSWORD)]).await;
        let directory = HttpDouble::start().await;
        Self::of(Database::Sqlite, dovecot, directory, otherwise).await
    }

    /// With a provider that takes no passwords.
    async fn with_provider() -> Self {
        let directory = HttpDouble::start().await;
        let tokens = Mailboxes::WithTokens(directory.url("/introspect"));
        let provider = format!(
            "[gateway.mail.own.provider.Corp]\nhosts = [\"localhost\"]\nauthorize_url = \"https://id.corp.example/authorize\"\n\
             token_url = \"{}\"\nclient_id = \"us\"\nclient_secret = \"our secret\"\nscope = \"mail\"\n",
            directory.url("/token")
        );
        Self::of(
            Database::Sqlite,
            Dovecot::start(tokens).await,
            directory,
            Otherwise {
                lines: provider,
                ..Otherwise::default()
            },
        )
        .await
    }

    pub(super) async fn on(database: Database, mailboxes: &[(&str, &str)]) -> Self {
        let dovecot = Dovecot::start(Mailboxes::WithPasswords).await;
        dovecot.set_passwords(mailboxes).await;
        let otherwise = Otherwise::default();
        Self::of(database, dovecot, HttpDouble::start().await, otherwise).await
    }

    async fn of(
        database: Database,
        dovecot: Dovecot,
        directory: HttpDouble,
        otherwise: Otherwise,
    ) -> Self {
        let builder = Prosody::builder()
            .component(MAIL, "secret")
            .user("alice")
            .user("carol");
        let features = otherwise.features.iter();
        let builder = features.fold(builder, |builder, feature| builder.with(*feature));
        let prosody = builder.start().await;
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
        let places = [prosody.component_addr(), http, sink.addr()];
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
            prosody,
            sink,
            dovecot,
            postfix,
            directory,
        }
    }

    pub(super) async fn alice(&self) -> XmppClient {
        let mut alice = self.prosody.client("alice", "phone").await;
        let said = ask(&mut alice, "register alice").await;
        assert!(said.contains("alice@mail.example.org"), "{said}");
        alice
    }

    /// The page behind the link that the gateway gives for an address.
    async fn link(&self, client: &mut XmppClient, address: &str) -> String {
        let said = ask(client, &format!("mailbox-add {address}")).await;
        let (_, path) = said
            .split_once("/admin/own/")
            .unwrap_or_else(|| panic!("{said}"));
        format!("/admin/own/{}", path.trim())
    }

    /// Waits for a page with these words.
    async fn page(&self, path: &str, words: &str) -> String {
        let http = self.transom.http();
        let seen = until(words, PATIENCE, async || {
            let page = get(http, path).await.ok()?.text();
            page.contains(words).then_some(page)
        });
        seen.await.unwrap_or_else(|why| panic!("{why}"))
    }

    async fn enter(&self, path: &str, fields: &[(&str, &str)]) {
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
    pub(super) async fn connect(&self, client: &mut XmppClient, address: &str, password: &str) {
        let path = self.link(client, address).await;
        self.page(&path, "type=\"password\"").await;
        self.enter(&path, &[("password", password)]).await;
        self.page(&path, "is connected").await;
        self.reads(client, address).await;
    }

    /// Waits until a mailbox works.
    async fn reads(&self, client: &mut XmppClient, address: &str) {
        let want = format!("{address}: works");
        let works = until("a mailbox that works", PATIENCE, async || {
            let said = ask(client, "mailbox").await;
            said.contains(&want).then_some(())
        });
        works
            .await
            .unwrap_or_else(|why| panic!("{why}:\n{}", self.transom.log()));
    }

    pub(super) async fn deliver(&self, to: &str, mail: &str) {
        let lmtp = Mailer::lmtp(self.dovecot.lmtp_addr());
        lmtp.send("bob@example.com", &[to], mail).await;
    }

    /// What transom wrote into its log.
    fn log(&self) -> String {
        self.transom.log()
    }
}

fn config(base: &str, [server, http, sink]: [SocketAddr; 3], directory: &str) -> String {
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
fn answers(target: &str, document: &str) -> Answer {
    match target {
        "/token" => Answer::json(
            200,
            r#"{"access_token":"today's","refresh_token":"refresh-4711","token_type":"Bearer","expires_in":3600}"#,
        ),
        "/introspect" => Answer::json(200, r#"{"active":true,"username":"alice"}"#),
        _ => Answer::with(200, "text/xml", document),
    }
}

fn words(output: &std::process::Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn autoconfig(imap: SocketAddr, smtp: SocketAddr) -> String {
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
fn hex_pairs(value: &str) -> String {
    let pairs: Vec<String> = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    pairs.join("%")
}

/// What the gateway says to this.
pub(super) async fn ask(client: &mut XmppClient, body: &str) -> String {
    client.take_rest();
    client.message(MAIL, &format!("say-{body}"), body).await;
    let said = client.expect(body, |stanza| {
        stanza.attr("from") == Some(MAIL) && stanza.body().is_some()
    });
    said.await.body().expect("a body")
}

/// From a contact, whichever of our addresses its chat is pinned to.
fn is_from(stanza: &Element, from: &str) -> bool {
    let (local, _) = from.split_once('@').unwrap_or((from, ""));
    let pinned = format!("{local};line=");
    stanza
        .attr("from")
        .is_some_and(|whose| whose == from || whose.starts_with(&pinned))
}

pub(super) async fn chat_from(client: &mut XmppClient, from: &str, words: &str) -> Element {
    client
        .expect(words, |stanza| {
            is_from(stanza, from)
                && stanza.attr("type") == Some("chat")
                && stanza.body().is_some_and(|body| body.contains(words))
        })
        .await
}

pub(super) fn mail(id: &str, text: &str) -> String {
    format!(
        "From: Bob <bob@example.com>\r\nTo: undisclosed-recipients:;\r\nDelivered-To: somebody@else.example\r\nSubject: {id}\r\n\
         Message-ID: <{id}@example.com>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n"
    )
}

async fn there_and_back(world: OwnWorld) {
    let mut alice = world.alice().await;
    let path = world.link(&mut alice, "Alice@Corp.example").await;
    let page = world.page(&path, "type=\"password\"").await;
    assert!(page.contains("Mail is read at localhost:"), "{page}");
    // A wrong password is told, and the page can be used again; a foreign site cannot enter one.
    world.enter(&path, &[("password", "wrong")]).await;
    world.page(&path, "The login was refused").await;
    world.enter(&path, &[("password", PASSWORD)]).await;
    world.page(&path, "is connected").await;
    chat_from(&mut alice, MAIL, "alice@corp.example is connected").await;
    world.reads(&mut alice, OWN).await;
    // In: whatever its headers say, it is hers.
    world
        .deliver("alice@corp.example", &mail("one", "Are you there?"))
        .await;
    chat_from(&mut alice, BOB, "Are you there?").await;
    // Out: from her own address, by the server that wants the login, in the thread.
    alice.send(&chat(BOB, "m1", "I am")).await;
    let sent = world
        .sink
        .mail("alice's answer", |mail| mail.from == OWN)
        .await;
    assert_eq!(sent.to, ["bob@example.com"]);
    assert_eq!(
        sent.header("From").as_deref(),
        Some("alice <alice@corp.example>")
    );
    assert_eq!(
        sent.header("In-Reply-To").as_deref(),
        Some("<one@example.com>")
    );
    assert!(
        sent.text().contains("with ESMTPA"),
        "postfix knows who it was: {sent}"
    );
    // A bounce comes into the mailbox; its Message-ID alone says what it is about.
    let id = sent.header("Message-ID").expect("a Message-ID");
    world.deliver("alice@corp.example", &bounce(&id)).await;
    let error = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(
        condition(&error).as_deref(),
        Some("item-not-found"),
        "{error}"
    );
    assert_eq!(error.attr("id"), Some("m1"));
    removed(world, alice).await;
}

async fn removed(world: OwnWorld, mut alice: XmppClient) {
    // To somebody new she writes from the gateway's address still.
    alice
        .send(&chat("eve\\40example.com@mail.example.org", "m2", "hi"))
        .await;
    world
        .sink
        .mail("to eve", |mail| mail.from.starts_with("bounces+"))
        .await;
    is_nowhere(&world, PASSWORD);
    let shown = world
        .transom
        .command(&["user", "show", "alice@example.org"])
        .await;
    assert!(
        words(&shown).contains("alice@corp.example"),
        "{}",
        words(&shown)
    );
    // Gone: login, position, address.
    ask(&mut alice, "mailbox-remove alice@corp.example").await;
    let said = ask(&mut alice, "yes").await;
    assert!(said.contains("is not connected any more"), "{said}");
    let said = ask(&mut alice, "mailbox").await;
    assert!(said.contains("no mail account"), "{said}");
    // The directory was told the domain, and nothing else.
    let asked = world.directory.requests();
    assert!(
        asked
            .iter()
            .all(|request| !format!("{request:?}").contains("alice")),
        "{asked:?}"
    );
}

/// Neither in the log nor in the files of the database.
fn is_nowhere(world: &OwnWorld, secret: &str) {
    assert!(!world.log().contains(secret), "in the log");
    for entry in std::fs::read_dir(world.transom.folder()).expect("its folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let found = bytes
                .windows(secret.len())
                .any(|at| at == secret.as_bytes());
            assert!(!found, "in {}", path.display());
        }
    }
}

fn bounce(id: &str) -> String {
    format!(
        "From: MAILER-DAEMON@corp.example\r\nTo: alice@corp.example\r\nSubject: Undelivered Mail\r\nMessage-ID: <b1@corp.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; corp.example\r\n\r\n\
         Final-Recipient: rfc822; bob@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: alice@corp.example\r\nMessage-ID: {id}\r\n\r\n--b--\r\n"
    )
}

#[tokio::test]
async fn a_user_s_own_mailbox_is_connected_by_a_link_and_mail_goes_both_ways() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    there_and_back(OwnWorld::start().await).await;
}

#[tokio::test]
async fn a_user_s_own_mailbox_on_postgresql() {
    if skipped(&[
        Server::Prosody,
        Server::Postfix,
        Server::Dovecot,
        Server::Postgres,
    ]) {
        return;
    }
    let world = OwnWorld::on(Database::Postgres, &[("alice", PASSWORD)]).await;
    there_and_back(world).await;
}

#[tokio::test]
async fn a_refused_login_stops_the_mailbox_and_its_owner_hears_once() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let mut world = OwnWorld::start().await;
    let mut alice = world.alice().await;
    world.connect(&mut alice, OWN, PASSWORD).await;
    world.deliver(OWN, &mail("one", "before")).await;
    chat_from(&mut alice, BOB, "before").await;
    // The process is killed between marking it and telling.
    world.transom.sigterm().await;
    world.transom.set_env("TRANSOM_ABORT_AT", "LoginRefused:1");
    world.dovecot.set_passwords(&[("alice", "another")]).await;
    world.transom.spawn();
    world.transom.wait().await;
    world.transom.set_env("TRANSOM_ABORT_AT", "");
    world.transom.start().await;
    link_up(&world.transom, "mail").await;
    chat_from(&mut alice, MAIL, "refuse the password").await;
    world.deliver(OWN, &mail("two", "meanwhile")).await;
    alice.send(&chat(BOB, "m1", "not sent")).await;
    let error = alice
        .expect("a refusal", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert!(error.to_string().contains("mailbox-add"), "{error}");
    world.transom.restart().await;
    link_up(&world.transom, "mail").await;
    let said = ask(&mut alice, "mailbox").await;
    assert!(said.contains("refuses the password"), "{said}");
    alice.barrier().await;
    let again = alice
        .take_rest()
        .iter()
        .filter(|stanza| {
            stanza
                .body()
                .is_some_and(|body| body.contains("refuse the password"))
        })
        .count();
    assert_eq!(again, 0, "told once");
    // With the new password it goes on where it was.
    world.connect(&mut alice, OWN, "another").await;
    chat_from(&mut alice, BOB, "meanwhile").await;
    alice.send(&chat(BOB, "m2", "sent")).await;
    world
        .sink
        .mail("alice's mail", |mail| mail.from == OWN)
        .await;
}

#[tokio::test]
async fn a_server_that_refuses_the_login_at_sending_is_told_to_the_owner_too() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let world = OwnWorld::start().await;
    let mut alice = world.alice().await;
    // The servers are written by hand: where mail goes out is a server that changes its mind.
    let fickle = MailSink::start().await;
    world.directory.answer_by(|_| Answer::status(404));
    let path = world.link(&mut alice, OWN).await;
    world.page(&path, "name=\"inward\"").await;
    let (inward, outward) = (
        world.dovecot.imap_addr().to_string(),
        fickle.addr().to_string(),
    );
    let fields = [
        ("inward", inward.as_str()),
        ("outward", "10.1.2.3:465"),
        ("username", "alice"),
        ("password", PASSWORD),
    ];
    world.enter(&path, &fields).await;
    world.page(&path, "not the name of a server").await;
    let mut fields = fields;
    fields[1].1 = &outward;
    world.enter(&path, &fields).await;
    world.page(&path, "is connected").await;
    world.reads(&mut alice, OWN).await;
    world.deliver(OWN, &mail("one", "hello")).await;
    chat_from(&mut alice, BOB, "hello").await;
    fickle.answer_always(Stage::Auth, Some(Verdict::reply("535 5.7.8 no")));
    alice.send(&chat(BOB, "m1", "hello back")).await;
    chat_from(&mut alice, MAIL, "refuse the password").await;
    assert!(world.postfix.smtp_addr().port() > 0);
}

#[tokio::test]
async fn a_kill_while_mail_waits_loses_none_and_doubles_none() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let mut world = OwnWorld::start().await;
    let mut alice = world.alice().await;
    world.connect(&mut alice, OWN, PASSWORD).await;
    for (step, id) in [
        ("EventReceived:1", "one"),
        ("AfterCommit:1", "two"),
        ("BeforeAnswer:1", "three"),
    ] {
        world.transom.sigterm().await;
        world.deliver(OWN, &mail(id, &format!("mail {id}"))).await;
        world.transom.set_env("TRANSOM_ABORT_AT", step);
        world.transom.spawn();
        world.transom.wait().await;
        world.transom.set_env("TRANSOM_ABORT_AT", "");
        world.transom.start().await;
        link_up(&world.transom, "mail").await;
        chat_from(&mut alice, BOB, &format!("mail {id}")).await;
    }
    alice.barrier().await;
    let ids: Vec<String> = alice
        .received()
        .iter()
        .filter(|stanza| stanza.attr("from") == Some(BOB) && stanza.body().is_some())
        .filter_map(|stanza| stanza.attr("id").map(str::to_owned))
        .collect();
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), 3, "{ids:?}");
}

#[tokio::test]
async fn a_rotation_that_is_killed_half_way_goes_on_and_the_mailbox_too() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let mut world = OwnWorld::start().await;
    let mut alice = world.alice().await;
    world.connect(&mut alice, OWN, PASSWORD).await;
    let file = world.transom.folder().join("transom.key");
    let keys = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = keys(&std::fs::read_to_string(&file).expect("the key file"));
    // Alone, killed right after the first commit.
    world.transom.sigterm().await;
    world.transom.set_env("TRANSOM_ABORT_AT", "Resealed:1");
    let killed = world.transom.command(&["key", "rotate"]).await;
    assert!(!killed.status.success(), "{}", words(&killed));
    let during = keys(&std::fs::read_to_string(&file).expect("the key file"));
    assert_eq!((during.len(), &during[0]), (2, &before[0]));
    world.transom.set_env("TRANSOM_ABORT_AT", "");
    world.transom.start().await;
    link_up(&world.transom, "mail").await;
    // Beside the running process it is finished, and the old key is gone.
    let finished = world.transom.command(&["key", "rotate"]).await;
    assert!(finished.status.success(), "{}", words(&finished));
    let after = keys(&std::fs::read_to_string(&file).expect("the key file"));
    assert_eq!(after, during[1..]);
    world.transom.restart().await;
    link_up(&world.transom, "mail").await;
    world.reads(&mut alice, OWN).await;
}

#[tokio::test]
async fn where_a_provider_takes_no_passwords_its_user_signs_in_there() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let mut world = OwnWorld::with_provider().await;
    let mut alice = world.alice().await;
    let path = world.link(&mut alice, OWN).await;
    let page = world.page(&path, "Sign in at Corp").await;
    assert!(!page.contains("type=\"password\""), "{page}");
    assert!(
        page.contains("https://id.corp.example/authorize?response_type=code"),
        "{page}"
    );
    let token = path.rsplit('/').next().expect("a token");
    // She says no there, then yes.
    let http = world.transom.http();
    get(
        http,
        &format!("/admin/own?state={token}&error=access_denied"),
    )
    .await
    .expect("an answer");
    world.page(&path, "did not agree: access_denied").await;
    get(http, &format!("/admin/own?state={token}&code=given"))
        .await
        .expect("an answer");
    world.page(&path, "is connected").await;
    world.reads(&mut alice, OWN).await;
    let exchange = world
        .directory
        .request("the exchange", |request| request.target == "/token")
        .await;
    let asked = String::from_utf8_lossy(&exchange.body).into_owned();
    assert!(
        asked.contains("code=given") && asked.contains("client_secret=our+secret"),
        "{asked}"
    );
    world.deliver(OWN, &mail("one", "by token")).await;
    chat_from(&mut alice, BOB, "by token").await;
    alice.send(&chat(BOB, "m1", "sent by token")).await;
    world
        .sink
        .mail("alice's mail", |mail| mail.from == OWN)
        .await;
    is_nowhere(&world, "refresh-4711");
    // The provider ends it: told once, with what to do.
    world
        .directory
        .answer_by(|_| Answer::json(400, r#"{"error":"invalid_grant"}"#));
    world.transom.restart().await;
    link_up(&world.transom, "mail").await;
    chat_from(&mut alice, MAIL, "invalid_grant").await;
}

#[tokio::test]
async fn without_a_key_the_user_is_told_so() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let mut world = OwnWorld::start().await;
    let config = world
        .transom
        .config_text()
        .replace("key_file = \"transom.key\"", "");
    world.transom.configure(&config);
    world.transom.restart().await;
    link_up(&world.transom, "mail").await;
    let mut alice = world.alice().await;
    let said = ask(&mut alice, "mailbox-add alice@corp.example").await;
    assert!(said.contains("has no key"), "{said}");
    let said = ask(&mut alice, "mailbox-add alice@mail.example.org").await;
    assert!(said.contains("has no key"), "{said}");
}
