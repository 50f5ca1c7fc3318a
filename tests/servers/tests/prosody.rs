//! Prosody and the client work.

use transom_test_servers::{Feature, Prosody, Server, skipped};

#[tokio::test]
async fn two_users_of_prosody_chat() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let prosody = Prosody::builder().user("alice").user("bob").start().await;
    let mut alice = prosody.client("alice", "phone").await;
    let mut bob = prosody.client("bob", "desk").await;
    alice
        .message(&prosody.jid("bob"), "m1", "hi <Bob> & co")
        .await;
    let message = bob
        .expect("alice's message", |stanza| stanza.body().is_some())
        .await;
    assert_eq!(message.body().unwrap(), "hi <Bob> & co");
    assert_eq!(message.attr("from"), Some(alice.jid()));
    alice.disconnect().await;
}

#[tokio::test]
async fn prosody_comes_back_on_its_ports_with_its_users() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut prosody = Prosody::builder().start().await;
    prosody.add_user("carol");
    prosody.client("carol", "a").await.barrier().await;
    prosody.restart().await;
    prosody.client("carol", "a").await.barrier().await;
    prosody.kill();
    prosody.start().await;
    prosody.client("carol", "b").await.barrier().await;
}

#[tokio::test]
async fn every_feature_of_prosody_loads() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let prosody = Prosody::builder()
        .component("sms.example.org", "secret")
        .user("alice")
        .with(Feature::KickOld)
        .with(Feature::Archive)
        .with(Feature::Offline)
        .with(Feature::Privilege)
        .with(Feature::Upload)
        .start()
        .await;
    let mut alice = prosody.client("alice", "phone").await;
    let items = "<query xmlns='http://jabber.org/protocol/disco#items'/>";
    let items = alice.iq("get", "example.org", items).await;
    let query = items.child("query").expect("a query");
    let mut jids: Vec<_> = query
        .children()
        .filter_map(|item| item.attr("jid"))
        .collect();
    jids.sort_unstable();
    assert_eq!(jids, ["sms.example.org", "upload.example.org"]);

    // Nobody is connected as the component, so that its messages come back.
    alice.message("sms.example.org", "m1", "hello").await;
    let bounce = alice
        .expect("a bounce", |stanza| stanza.attr("id") == Some("m1"))
        .await;
    assert_eq!(bounce.attr("type"), Some("error"));
}
