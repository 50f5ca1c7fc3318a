//! A user's own mailbox: connected by a link, read by IMAP from a real Dovecot, written from by a real Postfix that asks for the login.

mod keys;
mod many;
mod read;
mod rotating;
mod sent;
mod two;
mod world;

use transom_test_servers::{Answer, MailSink, Server, Stage, Verdict, XmppClient, get, skipped};

use self::world::*;
use super::{BOB, MAIL};
use crate::world::{Database, chat, condition, link_up};

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
