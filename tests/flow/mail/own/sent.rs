//! The folder of sent mail of a user's own mailbox, and a gateway that has nothing but such mailboxes.

use transom_test_servers::{Element, Feature, PATIENCE, Server, XmppClient, skipped, until};

use super::world::{OWN, Otherwise, OwnWorld, PASSWORD, ask, chat_from, mail};
use crate::mail::BOB;
use crate::world::{chat, condition};

on_each_server! {
    what_leaves_by_ones_own_mailbox_is_in_its_folder_of_sent_mail_and_in_no_chat_twice,
}

fn often(features: &[Feature]) -> Otherwise {
    Otherwise {
        lines: "sent_every_seconds = 1\n".to_owned(),
        features: features.to_vec(),
        ..Otherwise::default()
    }
}

fn elsewhere(id: &str, to: &str, text: &str) -> String {
    format!(
        "From: Alice <{OWN}>\r\nTo: {to}\r\nSubject: {id}\r\nMessage-ID: <{id}@corp.example>\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n"
    )
}

/// How many mails with these words are in her folder of sent mail, once there is one.
pub(super) async fn kept(world: &OwnWorld, words: &str) -> usize {
    let count = || {
        let sent = world.dovecot.sent("alice").into_iter();
        sent.filter(|mail| mail.text().contains(words)).count()
    };
    let kept = until("a copy", PATIENCE, async || (count() > 0).then(count));
    kept.await
        .unwrap_or_else(|why| panic!("{why}:\n{}", world.transom.log()))
}

async fn what_leaves_by_ones_own_mailbox_is_in_its_folder_of_sent_mail_and_in_no_chat_twice(
    on: Server,
) {
    proves!(
        "what left by the user's own mailbox is in its folder of sent mail, and is no echo in the chat",
        Prosody,
        Ejabberd
    );
    proves_instead!(
        "XEP-0356: a mail that the user sent by another program shows as the user's own",
        "a line in the chat tells it",
        Ejabberd
    );
    if skipped(&[Server::Postfix, Server::Dovecot]) {
        return;
    }
    // ejabberd 23.01 allows it, and brings it to no client.
    let features: &[Feature] = match on {
        Server::Ejabberd => &[Feature::Offline, Feature::Privilege],
        _ => &[],
    };
    let world = OwnWorld::with(Otherwise {
        on: Some(on),
        ..often(features)
    })
    .await;
    let mut alice = world.alice().await;
    world.connect(&mut alice, OWN, PASSWORD).await;
    world.deliver(OWN, &mail("one", "Are you there?")).await;
    let asked = chat_from(&mut alice, BOB, "Are you there?").await;
    let bob = asked.attr("from").expect("a contact").to_owned();
    alice.send(&chat(&bob, "m1", "I am indeed")).await;
    let out = world
        .sink
        .mail("alice's answer", |mail| mail.from == OWN)
        .await;
    assert_eq!(kept(&world, "I am indeed").await, 1);
    let copy = &world.dovecot.sent("alice")[0];
    assert!(copy.flags.contains('S'), "it is read: {:?}", copy.flags);
    let id = out.header("Message-ID").expect("a Message-ID");
    assert!(copy.text().contains(&id), "the very mail: {}", copy.text());
    // Another mail sent elsewhere is shown, so the folder was looked at after the copy; the copy is not shown.
    world.dovecot.put_sent(
        "alice",
        "2000000000.x",
        &elsewhere("later", "bob@example.com", "by webmail"),
    );
    let shown = chat_from(&mut alice, BOB, "by webmail").await;
    assert_eq!(
        shown.body().as_deref(),
        Some("*later*\n\nYou wrote from elsewhere: by webmail"),
        "{shown}"
    );
    let again = alice.received();
    let again = again.iter().filter(|stanza| {
        let body = stanza.body().unwrap_or_default();
        body.contains("I am indeed")
    });
    assert_eq!(again.count(), 0, "what left through us is there already");
    assert_eq!(kept(&world, "I am indeed").await, 1);
}

/// A stanza of the user's own to this contact, or a carbon of one.
fn own(to: &'static str, text: &'static str) -> impl Fn(&Element) -> bool {
    move |stanza| {
        let sent = stanza.find("message", "jabber:client").or(Some(stanza));
        sent.is_some_and(|inner| {
            let body = inner.body().unwrap_or_default();
            let local = to.split('@').next().unwrap_or(to);
            body.contains(text) && inner.attr("to").is_some_and(|whom| whom.starts_with(local))
        })
    }
}

async fn with_carbons(world: &OwnWorld) -> XmppClient {
    let mut alice = world.alice().await;
    let carbons = "<enable xmlns='urn:xmpp:carbons:2'/>";
    alice.iq("set", "alice@example.org", carbons).await;
    alice
}

#[tokio::test]
async fn a_mail_sent_by_another_program_is_ones_own_in_the_chat_where_the_server_allows_it() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    proves!(
        "XEP-0356: a mail that the user sent by another program shows as the user's own",
        Prosody
    );
    let world = OwnWorld::with(often(&[Feature::Offline, Feature::Privilege])).await;
    let mut alice = with_carbons(&world).await;
    world.connect(&mut alice, OWN, PASSWORD).await;
    world.deliver(OWN, &mail("one", "Where are you?")).await;
    chat_from(&mut alice, BOB, "Where are you?").await;
    world.dovecot.put_sent(
        "alice",
        "2000000000.x",
        &elsewhere("w1", "Bob <bob@example.com>", "on my way"),
    );
    alice.expect("her own words", own(BOB, "on my way")).await;
    // Nothing went out for it, and bob's answer to it comes into the same chat.
    let reply = mail("two", "hurry").replace("Date:", "In-Reply-To: <w1@corp.example>\r\nDate:");
    world.deliver(OWN, &reply).await;
    chat_from(&mut alice, BOB, "hurry").await;
    assert!(world.sink.mails().is_empty(), "{:?}", world.sink.mails());
    // To several: the chat of the group, not that of whoever stands first.
    world.dovecot.put_sent(
        "alice",
        "2000000001.x",
        &elsewhere("w2", "bob@example.com, dan@example.com", "to both of you"),
    );
    let both = alice
        .expect("a carbon to the group", |stanza| {
            own("g-", "to both of you")(stanza)
        })
        .await;
    assert!(!both.to_string().contains("type='error'"), "{both}");
}

#[tokio::test]
async fn a_gateway_of_own_mailboxes_alone_gives_no_addresses() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let otherwise = Otherwise {
        alone: true,
        ..Otherwise::default()
    };
    let world = OwnWorld::with(otherwise).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m0", "too early")).await;
    let error = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(condition(&error).as_deref(), Some("not-allowed"), "{error}");
    assert!(error.to_string().contains("mailbox-add"), "{error}");
    let said = ask(&mut alice, "register").await;
    assert!(said.contains("mailbox-add"), "{said}");
    world.connect(&mut alice, OWN, PASSWORD).await;
    alice.send(&chat(BOB, "m1", "at last")).await;
    let sent = world
        .sink
        .mail("alice's mail", |mail| mail.from == OWN)
        .await;
    assert_eq!(sent.to, ["bob@example.com"]);
    world.deliver(OWN, &mail("one", "welcome")).await;
    let welcome = chat_from(&mut alice, BOB, "welcome").await;
    assert_eq!(welcome.attr("from"), Some(BOB));
}
