//! A catch-all mailbox on a real Dovecot that goes away, comes back, and numbers its mails anew.

use super::*;
use transom_test_servers::{PATIENCE, Proxy, until};

fn numbered(number: usize) -> String {
    format!(
        "From: Bob <bob@example.com>\r\nTo: alice@mail.example.org\r\nSubject: Numbers\r\nMessage-ID: <n{number}@example.com>\r\n\r\n\
         number {number}\r\n"
    )
}

async fn arrives(alice: &mut XmppClient, number: usize) {
    let shown = text(alice, "a numbered mail")
        .await
        .body()
        .unwrap_or_default();
    assert!(
        shown.ends_with(&format!("number {number}")),
        "{number}: {shown}"
    );
}

#[tokio::test]
async fn rfc3501_a_dovecot_that_restarts_and_numbers_anew_loses_and_doubles_nothing() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let mut world = world(In::Imap).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    for number in 0..3 {
        to_alice(world.postfix.smtp_addr(), &numbered(number)).await;
        arrives(&mut alice, number).await;
    }
    let dovecot = world.dovecot.as_mut().expect("a Dovecot");
    dovecot.kill();
    // Postfix keeps it until the mailbox is back.
    to_alice(world.postfix.smtp_addr(), &numbered(3)).await;
    dovecot.resume().await;
    arrives(&mut alice, 3).await;
    dovecot.stop().await;
    dovecot.renumber("bridge");
    dovecot.resume().await;
    to_alice(world.postfix.smtp_addr(), &numbered(4)).await;
    // Those before it are read again, and known.
    arrives(&mut alice, 4).await;
    to_alice(world.postfix.smtp_addr(), &numbered(5)).await;
    arrives(&mut alice, 5).await;
}

/// Neither end is told that the connection is gone: Dovecot announces into the void, and transom waits in IDLE for what cannot come.
#[tokio::test]
async fn a_connection_to_dovecot_that_is_gone_without_a_word_is_noticed_and_nothing_is_lost() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let mut world = world(In::Imap).await;
    let imap = world.dovecot.as_ref().expect("a Dovecot").imap_addr();
    let wire = Proxy::to(imap).await;
    let config = world
        .transom
        .config_text()
        .replace(&imap.to_string(), &wire.addr().to_string());
    let config = config.replace(
        "username = \"bridge\"",
        "silence_seconds = 2\nusername = \"bridge\"",
    );
    world.transom.configure(&config);
    world.transom.restart().await;
    link_up(&world.transom, "mail").await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    to_alice(world.postfix.smtp_addr(), &numbered(0)).await;
    arrives(&mut alice, 0).await;
    let before = wire.connections();
    wire.forget();
    for number in 1..4 {
        to_alice(world.postfix.smtp_addr(), &numbered(number)).await;
        arrives(&mut alice, number).await;
    }
    assert!(wire.connections() > before, "by another connection");
    // The whole way is dead, new connections too, and comes back.
    wire.die();
    to_alice(world.postfix.smtp_addr(), &numbered(4)).await;
    let told = || {
        let log = world.transom.log();
        log.matches("The mailbox is out of reach.").count()
    };
    let before = told();
    let noticed = async || (told() > before).then_some(());
    let seen = until("the dead way is noticed", PATIENCE, noticed).await;
    seen.unwrap_or_else(|why| panic!("{why}:\n{}", world.transom.log()));
    wire.cut();
    arrives(&mut alice, 4).await;
    to_alice(world.postfix.smtp_addr(), &numbered(5)).await;
    arrives(&mut alice, 5).await;
}
