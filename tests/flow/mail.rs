//! Mail through a real Postfix and a real Dovecot: out, in, threads, bounces.

use std::net::SocketAddr;

use transom_test_servers::{
    Dovecot, Ejabberd, Element, Feature, MAIL_PASSWORD, Mail, MailSink, Mailboxes, Mailer, Postfix,
    Prosody, Server, Stage, Transom, Verdict, XmppClient, XmppServer, free_port, skipped,
};

use crate::world::{Database, Seat, chat, condition, link_up, store};

mod commands;
mod duties;
mod every_command;
mod exim;
mod groups;
mod imap;
mod names;
mod originals;
mod own;
mod private;
mod quoting;
mod strangers;
mod trust;
mod truth;

pub(crate) const MAIL: &str = "mail.example.org";
pub(crate) const BOB: &str = "bob\\40example.com@mail.example.org";

struct MailWorld {
    transom: Transom,
    server: XmppServer,
    sink: MailSink,
    postfix: Postfix,
    dovecot: Option<Dovecot>,
}

/// How mail comes in.
enum In {
    Lmtp,
    Smtp,
    Imap,
}

async fn world(way: In) -> MailWorld {
    world_on(way, Database::Sqlite).await
}

async fn world_on(way: In, database: Database) -> MailWorld {
    world_with(way, database, "").await
}

/// With further tables of the configuration.
async fn world_with(way: In, database: Database, tables: &str) -> MailWorld {
    world_of(way, database, tables, &[]).await
}

/// With a server that can more.
async fn world_of(way: In, database: Database, tables: &str, features: &[Feature]) -> MailWorld {
    let components = [(MAIL, "secret")];
    let server =
        XmppServer::start(Server::Prosody, features, &components, &["alice", "carol"]).await;
    world_around(server, way, database, tables).await
}

/// On either server, mail by LMTP.
async fn world_at(server: Server) -> MailWorld {
    let (features, components) = ([Feature::Offline], [(MAIL, "secret")]);
    let server = XmppServer::start(server, &features, &components, &["alice", "carol"]).await;
    world_around(server, In::Lmtp, Database::Sqlite, "").await
}

async fn world_around(server: XmppServer, way: In, database: Database, tables: &str) -> MailWorld {
    let sink = MailSink::start().await;
    let lmtp = free_port();
    let by_smtp = matches!(way, In::Smtp);
    let (dovecot, incoming, route) = match way {
        In::Lmtp => (
            None,
            format!("[gateway.mail.lmtp]\nlisten = \"{lmtp}\"\n"),
            lmtp,
        ),
        In::Smtp => (
            None,
            format!("[gateway.mail.smtp_in]\nlisten = \"{lmtp}\"\nfrom_hosts = [\"127.0.0.1\"]\n"),
            lmtp,
        ),
        In::Imap => {
            let dovecot = Dovecot::start(Mailboxes::CatchAll("bridge".to_owned())).await;
            let imap = format!(
                "[gateway.mail.imap]\nurl = \"imap://{}?tls=none\"\nusername = \"bridge\"\npassword = \"{}\"\n",
                dovecot.imap_addr(),
                MAIL_PASSWORD,
            );
            let route = dovecot.lmtp_addr();
            (Some(dovecot), imap, route)
        }
    };
    let postfix = Postfix::builder().outgoing(sink.addr());
    let postfix = if by_smtp {
        postfix.route_by_smtp(MAIL, route)
    } else {
        postfix.route(MAIL, route)
    };
    let postfix = postfix.start().await;
    let seat = Seat {
        server: server.component_addr(),
        domain: MAIL,
        secret: "secret",
    };
    let incoming = format!("{incoming}{tables}");
    let transom = gateway(
        &seat,
        postfix.smtp_addr(),
        &incoming,
        &store(database).await,
    )
    .await;
    MailWorld {
        transom,
        server,
        sink,
        postfix,
        dovecot,
    }
}

async fn gateway(seat: &Seat<'_>, smtp: SocketAddr, incoming: &str, store: &str) -> Transom {
    let http = free_port();
    let config = format!(
        r#"
{store}
[xmpp]
server = "{server}"
allow = ["example.org"]
[http]
listen = "{http}"
[gateway.mail]
adapter = "email"
domain = "{domain}"
secret = "{secret}"
address_domain = "{MAIL}"
home = "example.org"
hold = "0s"
merge = "0s"
[gateway.mail.smtp]
url = "smtp://{smtp}?tls=none"
{incoming}
"#,
        server = seat.server,
        domain = seat.domain,
        secret = seat.secret,
    );
    let mut transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .http(http)
        .prepare();
    transom.start().await;
    link_up(&transom, "mail").await;
    transom
}

/// Where the gateway takes mail by LMTP.
fn lmtp_of(world: &MailWorld) -> SocketAddr {
    let config = world.transom.config_text();
    let listens = config.lines().filter_map(|line| {
        let address = line.strip_prefix("listen = \"")?.strip_suffix('"')?;
        address.parse::<SocketAddr>().ok()
    });
    let mut others = listens.filter(|address| *address != world.transom.http());
    others.next().expect("an LMTP listener")
}

/// Bob's answer to a mail, as a mail program writes it.
fn answer(to: &Mail, subject: &str, text: &str) -> String {
    let id = to.header("Message-ID").expect("a Message-ID");
    let from = to.header("From").expect("a From");
    format!(
        "From: Bob <bob@example.com>\r\nTo: {from}\r\nSubject: {subject}\r\nMessage-ID: <{}@example.com>\r\n\
         In-Reply-To: {id}\r\nReferences: {id}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n",
        text.len(),
    )
}

async fn to_alice(postfix: SocketAddr, mail: &str) {
    Mailer::smtp(postfix)
        .send("bob@example.com", &["alice@mail.example.org"], mail)
        .await;
}

async fn text(client: &mut XmppClient, what: &str) -> Element {
    client
        .expect(what, |stanza| {
            stanza.body().is_some() && stanza.attr("type") == Some("chat")
        })
        .await
}

async fn there_and_back(world: MailWorld) {
    let mut alice = world.server.client("alice", "phone").await;
    alice
        .send(&chat(BOB, "m1", "Shall we have lunch?\nAt noon, say."))
        .await;
    let mail = world.sink.mail("alice's mail", |_| true).await;
    assert_eq!(mail.to, ["bob@example.com"]);
    assert!(mail.from.starts_with("bounces+"), "{}", mail.from);
    assert_eq!(
        mail.header("From").as_deref(),
        Some("alice <alice@mail.example.org>")
    );
    assert_eq!(
        mail.header("Subject").as_deref(),
        Some("Shall we have lunch?")
    );
    to_alice(
        world.postfix.smtp_addr(),
        &answer(&mail, "Re: Shall we have lunch?", "Gladly!"),
    )
    .await;
    let answered = text(&mut alice, "bob's answer").await;
    assert_eq!(
        answered.body().as_deref(),
        Some("Gladly!"),
        "in the thread that is shown already"
    );
    assert_eq!(answered.attr("from"), Some(BOB));
    let reply = answered.child_in("reply", "urn:xmpp:reply:0");
    let reply = reply.map(|reply| (reply.attr("id"), reply.attr("to")));
    assert_eq!(
        reply,
        Some((Some("m1"), Some("alice@example.org"))),
        "it names what it answers: {answered}"
    );
    // And on in the same thread.
    alice.send(&chat(BOB, "m2", "See you there")).await;
    let second = world
        .sink
        .mail("the second", |mail| mail.header("In-Reply-To").is_some())
        .await;
    assert_eq!(
        second.header("Subject").as_deref(),
        Some("Re: Shall we have lunch?")
    );
    assert!(world.transom.log().contains("accepted"));
}

#[tokio::test]
async fn a_mail_goes_out_by_postfix_and_its_answer_comes_back_by_lmtp() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    there_and_back(world(In::Lmtp).await).await;
}

#[tokio::test]
async fn a_mail_goes_out_by_postfix_and_its_answer_comes_back_by_smtp() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    there_and_back(world(In::Smtp).await).await;
}

#[tokio::test]
async fn a_mail_goes_out_by_postfix_and_its_answer_comes_back_by_imap() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    there_and_back(world(In::Imap).await).await;
}

#[tokio::test]
async fn mail_goes_and_comes_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Postgres]) {
        return;
    }
    there_and_back(world_on(In::Lmtp, Database::Postgres).await).await;
}

#[tokio::test]
async fn mail_goes_and_comes_on_ejabberd() {
    if skipped(&[Server::Ejabberd, Server::Postfix]) {
        return;
    }
    let server = Ejabberd::shared().await;
    let component = server.component();
    server.add_user("alice").await;
    let (sink, lmtp) = (MailSink::start().await, free_port());
    let postfix = Postfix::builder()
        .route(MAIL, lmtp)
        .outgoing(sink.addr())
        .start()
        .await;
    let seat = Seat {
        server: component.addr,
        domain: &component.domain,
        secret: &component.secret,
    };
    let incoming = format!("[gateway.mail.lmtp]\nlisten = \"{lmtp}\"\n");
    let _transom = gateway(&seat, postfix.smtp_addr(), &incoming, "").await;
    let bob = format!("bob\\40example.com@{}", component.domain);
    let mut alice = server.client("alice", "phone").await;
    alice.send(&chat(&bob, "m1", "hello by mail")).await;
    let mail = sink.mail("alice's mail", |_| true).await;
    to_alice(
        postfix.smtp_addr(),
        &answer(&mail, "Re: hello by mail", "hello back"),
    )
    .await;
    let answered = text(&mut alice, "bob's answer").await;
    assert_eq!(answered.body().as_deref(), Some("hello back"));
    assert_eq!(answered.attr("from"), Some(bob.as_str()));
    sink.answer_always(Stage::Rcpt, Some(Verdict::reply("550 5.1.1 no such user")));
    alice.send(&chat(&bob, "m2", "are you there?")).await;
    let error = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(error.attr("id"), Some("m2"));
}

#[tokio::test]
async fn a_bounce_becomes_an_error_on_its_message() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = world.server.client("alice", "phone").await;
    // Postfix takes the mail, and hears the no an instant later: a real bounce comes back to the bounce address.
    world
        .sink
        .answer_always(Stage::Rcpt, Some(Verdict::reply("550 5.1.1 no such user")));
    alice.send(&chat(BOB, "m1", "are you there?")).await;
    let error = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(error.attr("id"), Some("m1"));
    assert_eq!(condition(&error).as_deref(), Some("item-not-found"));
}

#[tokio::test]
async fn a_stranger_writes_and_threads_stay_apart() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = world.server.client("alice", "phone").await;
    // The first word to anybody makes the address (semantics 14 and 16).
    alice
        .send(&chat(BOB, "m1", "Subject: Work\n\nThe report?"))
        .await;
    let work = world.sink.mail("work", |_| true).await;
    assert_eq!(work.header("Subject").as_deref(), Some("Work"));
    to_alice(world.postfix.smtp_addr(), "From: Bob <bob@example.com>\r\nTo: alice@mail.example.org\r\nSubject: Football\r\nMessage-ID: <f1@example.com>\r\n\r\nComing on Sunday?\r\n").await;
    let football = text(&mut alice, "football").await;
    assert!(
        football.body().unwrap().starts_with("*Football*"),
        "{:?}",
        football.body()
    );
    to_alice(
        world.postfix.smtp_addr(),
        &answer(&work, "Re: Work", "Tomorrow."),
    )
    .await;
    let back = text(&mut alice, "work again").await;
    assert!(
        back.body().unwrap().starts_with("*Work*"),
        "another thread than the last one shown: {:?}",
        back.body()
    );
    assert_ne!(
        football.child("thread").map(Element::text),
        back.child("thread").map(Element::text)
    );
    to_alice(
        world.postfix.smtp_addr(),
        &answer(&work, "Re: Work", "At nine."),
    )
    .await;
    assert_eq!(
        text(&mut alice, "work once more").await.body().as_deref(),
        Some("At nine.")
    );
}

#[tokio::test]
async fn nobodys_mail_is_refused_at_the_door() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    let lmtp = lmtp_of(&world);
    let mail = "From: x@example.com\r\nSubject: x\r\n\r\nx\r\n";
    let verdicts = Mailer::lmtp(lmtp)
        .verdicts(
            "x@example.com",
            &[
                "nobody@mail.example.org",
                "alice@mail.example.org",
                "x@elsewhere.example",
            ],
            mail,
        )
        .await;
    assert!(verdicts[0].starts_with("550"), "{verdicts:?}");
    assert!(verdicts[1].starts_with("250"), "{verdicts:?}");
    assert!(verdicts[2].starts_with('5'), "no relay: {verdicts:?}");
}
