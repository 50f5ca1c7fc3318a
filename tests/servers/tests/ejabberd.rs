//! ejabberd works, and its components are a test's own.

use transom_test_servers::{Ejabberd, Lines, Server, skipped};

#[tokio::test]
async fn two_users_of_ejabberd_chat() {
    if skipped(&[Server::Ejabberd]) {
        return;
    }
    let ejabberd = Ejabberd::shared().await;
    ejabberd.add_user("alice").await;
    let bob_jid = ejabberd.add_user("bob").await;
    let mut alice = ejabberd.client("alice", "phone").await;
    let mut bob = ejabberd.client("bob", "desk").await;
    alice.message(&bob_jid, "m1", "hi").await;
    let message = bob
        .expect("alice's message", |stanza| stanza.body().is_some())
        .await;
    assert_eq!(message.body().unwrap(), "hi");
    alice.barrier().await;
    bob.disconnect().await;
}

#[tokio::test]
async fn components_have_listeners_of_their_own() {
    if skipped(&[Server::Ejabberd]) {
        return;
    }
    let ejabberd = Ejabberd::shared().await;
    let [one, two] = [ejabberd.component(), ejabberd.component()];
    assert_ne!(one.addr, two.addr);
    let mut link = Lines::connect(one.addr).await;
    let to = &one.domain;
    let header = format!(
        "<stream:stream to='{to}' xmlns='jabber:component:accept' \
         xmlns:stream='http://etherx.jabber.org/streams'><handshake>0</handshake></stream:stream>"
    );
    link.send(&header).await;
    let answer = link.line().await.expect("ejabberd answers");
    assert!(answer.contains("not-authorized"), "{answer}");
}
