//! A catch-all mailbox on a real Dovecot that goes away, comes back, and numbers its mails anew.

use super::*;

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
    let mut alice = world.prosody.client("alice", "phone").await;
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
