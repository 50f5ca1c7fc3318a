//! What was read in the chat is read in the user's own mailbox, and the other way round, where the user wants that.

use transom_test_servers::{Element, Feature, Lines, PATIENCE, Server, XmppClient, skipped, until};

use super::world::{OWN, Otherwise, OwnWorld, PASSWORD, chat_from, mail};
use crate::mail::{BOB, MAIL};
use crate::{talk::choose_at, world::chat};

/// How many of her mails are marked as read in her mailbox, once there are so many.
async fn are_read(world: &OwnWorld, wanted: usize) {
    let count = || {
        let inbox = world.dovecot.inbox("alice").into_iter();
        inbox.filter(|mail| mail.flags.contains('S')).count()
    };
    let read = until("mails that are read", PATIENCE, async || {
        (count() == wanted).then_some(())
    });
    read.await
        .unwrap_or_else(|why| panic!("{why}: {}\n{}", count(), world.transom.log()));
}

fn mark(of: &Element) -> String {
    let (from, id) = (of.attr("from").unwrap(), of.attr("id").unwrap());
    format!(
        "<message to='{from}' type='chat' id='d-{id}'><displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/></message>"
    )
}

/// The stanza that a client's copy (XEP-0280) says was displayed.
fn displayed(stanza: &Element) -> Option<String> {
    let sent = stanza.find("message", "jabber:client").unwrap_or(stanza);
    let mark = sent.child_in("displayed", "urn:xmpp:chat-markers:0")?;
    mark.attr("id").map(str::to_owned)
}

/// Another program reads her newest mail.
async fn read_by_another_program(world: &OwnWorld) {
    let mut session = Lines::connect(world.dovecot.imap_addr()).await;
    session.line().await;
    for (number, command) in [
        format!("LOGIN alice \"{PASSWORD}\""),
        "SELECT INBOX".to_owned(),
        "STORE * +FLAGS (\\Seen)".to_owned(),
        "LOGOUT".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        session.send(&format!("{number} {command}")).await;
        let end = format!("{number} ");
        let answers = session.lines_until(|line| line.starts_with(&end)).await;
        let last = answers.last().cloned().unwrap_or_default();
        assert!(last.starts_with(&format!("{number} OK")), "{last}");
    }
}

async fn connected(features: &[Feature]) -> (OwnWorld, XmppClient) {
    let world = OwnWorld::with(Otherwise {
        features: features.to_vec(),
        ..Otherwise::default()
    })
    .await;
    let mut alice = world.alice().await;
    let carbons = "<enable xmlns='urn:xmpp:carbons:2'/>";
    alice.iq("set", "alice@example.org", carbons).await;
    world.connect(&mut alice, OWN, PASSWORD).await;
    (world, alice)
}

#[tokio::test]
async fn read_states_are_left_alone_until_their_user_shares_them_both_ways() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let (world, mut alice) = connected(&[Feature::Offline, Feature::Privilege]).await;
    world.deliver(OWN, &mail("one", "before the choice")).await;
    let first = chat_from(&mut alice, BOB, "before the choice").await;
    assert!(first.child("markable").is_none(), "{first}");
    alice.send(&mark(&first)).await;

    choose_at(&mut alice, MAIL, "share_read", "yes").await;
    for id in ["two", "three"] {
        world
            .deliver(OWN, &mail(id, &format!("words of {id}")))
            .await;
    }
    chat_from(&mut alice, BOB, "words of two").await;
    let third = chat_from(&mut alice, BOB, "words of three").await;
    assert!(third.child("markable").is_some(), "XEP-0333: {third}");
    // The last one that was displayed says it of those before it; what came before the choice is left alone.
    alice.send(&mark(&third)).await;
    are_read(&world, 2).await;

    world.deliver(OWN, &mail("four", "read by webmail")).await;
    let fourth = chat_from(&mut alice, BOB, "read by webmail").await;
    alice.take_rest();
    read_by_another_program(&world).await;
    // Whatever the mailbox was doing just then: at its next look it is found.
    world.deliver(OWN, &mail("five", "one more")).await;
    let told = alice
        .expect("her own mark", |stanza| displayed(stanza).is_some())
        .await;
    assert_eq!(displayed(&told).as_deref(), fourth.attr("id"), "{told}");
    are_read(&world, 3).await;
    assert!(world.sink.mails().is_empty(), "nothing left because of it");
    let marks = alice.received();
    let marks = marks.iter().filter(|stanza| displayed(stanza).is_some());
    assert!(marks.count() <= 1, "what we marked ourselves is no news");
}

#[tokio::test]
async fn a_confirmation_leaves_by_the_mailbox_that_the_mail_came_by() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let (world, mut alice) = connected(&[]).await;
    choose_at(&mut alice, MAIL, "say_displayed", "yes").await;
    let asks = mail("asks", "please confirm").replace(
        "Date:",
        "Disposition-Notification-To: <bob@example.com>\r\nDate:",
    );
    world.deliver(OWN, &asks).await;
    let asked = chat_from(&mut alice, BOB, "please confirm").await;
    alice.send(&mark(&asked)).await;
    let note = world
        .sink
        .mail("the confirmation", |mail| {
            mail.text().contains("disposition-notification")
        })
        .await;
    assert_eq!(note.from, "", "RFC 8098: the null sender");
    // Through Postfix, which asks for the login of the mailbox, and not past it.
    let from = note.header("From").unwrap_or_default();
    assert!(from.contains(OWN), "{from}");
    assert!(note.text().contains("by mail.example.org") || note.header("Received").is_some());
    alice.send(&chat(BOB, "m1", "behind it")).await;
    world
        .sink
        .mail("what is behind it", |mail| {
            mail.text().contains("behind it")
        })
        .await;
}
