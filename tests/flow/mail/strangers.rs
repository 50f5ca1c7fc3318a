//! Semantics 30: whose mail waits for the user's word.

use super::*;

fn spam(from: &str, id: &str, text: &str) -> String {
    format!(
        "X-Spam-Flag: YES\r\nFrom: Eve <{from}>\r\nTo: alice@mail.example.org\r\nSubject: An offer\r\n\
         Message-ID: <{id}@example.net>\r\n\r\n{text}\r\n"
    )
}

async fn from_eve(world: &MailWorld, id: &str, text: &str) {
    Mailer::smtp(world.postfix.smtp_addr())
        .send(
            "eve@example.net",
            &["alice@mail.example.org"],
            &spam("eve@example.net", id, text),
        )
        .await;
}

/// A line of the gateway's own chat.
async fn said(client: &mut XmppClient, what: &str) -> String {
    let line = client
        .expect(what, |stanza| {
            stanza.attr("from") == Some(MAIL) && stanza.body().is_some()
        })
        .await;
    line.body().unwrap_or_default()
}

async fn tell(client: &mut XmppClient, word: &str) -> String {
    client.send(&chat(MAIL, word, word)).await;
    said(client, word).await
}

/// Alice has an address, and nobody but Bob writes with her.
async fn with_alice(world: &MailWorld) -> XmppClient {
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    alice
}

/// The next text of a contact, whatever the gateway says meanwhile.
async fn shown(alice: &mut XmppClient, what: &str) -> String {
    let of_a_contact =
        |stanza: &Element| stanza.body().is_some() && stanza.attr("from") != Some(MAIL);
    let text = alice.expect(what, of_a_contact).await;
    text.body().unwrap_or_default()
}

async fn waits_and_is_accepted(world: MailWorld) {
    let mut world = world;
    let mut alice = with_alice(&world).await;
    from_eve(&world, "1", "Buy now.").await;
    let line = alice
        .expect("the question", |stanza| {
            stanza.attr("from") == Some(MAIL) && stanza.body().is_some()
        })
        .await;
    let asked = line.body().unwrap_or_default();
    assert!(
        asked.contains("eve@example.net wants to write to you") && asked.contains("An offer"),
        "{asked}"
    );
    let buttons = line.children().filter(|child| child.name() == "response");
    assert_eq!(buttons.count(), 4, "XEP-0439");
    from_eve(&world, "2", "Second.").await;
    // Neither is lost by a kill, and neither is shown by one.
    world.transom.kill9();
    world.transom.start().await;
    link_up(&world.transom, "mail").await;
    // The question may come again with its id: its answer to the ping may have gone with the kill.
    for (word, part) in [
        ("strangers", "eve@example.net"),
        ("cancel", "Stopped."),
        ("accept eve@example.net", "is delivered"),
    ] {
        alice.send(&chat(MAIL, word, word)).await;
        let answers = |stanza: &Element| {
            let body = stanza.body().unwrap_or_default();
            stanza.attr("from") == Some(MAIL) && body != asked && body.contains(part)
        };
        alice.expect(word, answers).await;
    }
    let first = shown(&mut alice, "the first").await;
    assert!(first.contains("Buy now."), "{first}");
    let second = shown(&mut alice, "the second").await;
    assert!(second.contains("Second."), "{second}");
    // There is a chat now.
    from_eve(&world, "3", "Third.").await;
    let third = shown(&mut alice, "the third").await;
    assert!(third.contains("Third."), "{third}");
}

#[tokio::test]
async fn a_stranger_taken_for_spam_waits_for_a_word_and_survives_a_kill() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    waits_and_is_accepted(world(In::Lmtp).await).await;
}

#[tokio::test]
async fn a_stranger_waits_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Postgres]) {
        return;
    }
    waits_and_is_accepted(world_on(In::Lmtp, Database::Postgres).await).await;
}

#[tokio::test]
async fn what_is_discarded_is_gone_and_who_is_allowed_never_waits() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = with_alice(&world).await;
    from_eve(&world, "1", "Buy now.").await;
    said(&mut alice, "the question").await;
    let gone = tell(&mut alice, "discard eve@example.net").await;
    assert!(gone.contains("thrown away"), "{gone}");
    let nobody = tell(&mut alice, "accept eve@example.net").await;
    assert!(nobody.contains("o mail from eve@example.net"), "{nobody}");
    tell(&mut alice, "allow eve@example.net").await;
    from_eve(&world, "2", "Second.").await;
    let second = text(&mut alice, "the second")
        .await
        .body()
        .unwrap_or_default();
    assert!(second.contains("Second."), "{second}");
    let allowed = tell(&mut alice, "allowed").await;
    assert!(allowed.contains("eve@example.net"), "{allowed}");
}

#[tokio::test]
async fn whoever_the_user_writes_to_is_no_stranger_and_blocking_throws_away() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = with_alice(&world).await;
    from_eve(&world, "1", "Buy now.").await;
    said(&mut alice, "the question").await;
    alice
        .send(&chat(
            "eve\\40example.net@mail.example.org",
            "m2",
            "What is it?",
        ))
        .await;
    let shown = text(&mut alice, "what waited")
        .await
        .body()
        .unwrap_or_default();
    assert!(shown.contains("Buy now."), "{shown}");
    Mailer::smtp(world.postfix.smtp_addr())
        .send(
            "mallory@example.net",
            &["alice@mail.example.org"],
            &spam("mallory@example.net", "2", "Click here."),
        )
        .await;
    let asked = said(&mut alice, "the next question").await;
    assert!(asked.contains("mallory@example.net"), "{asked}");
    let blocked = tell(&mut alice, "block mallory@example.net").await;
    assert!(blocked.contains("is blocked"), "{blocked}");
    let listed = tell(&mut alice, "strangers").await;
    assert!(listed.contains("Nobody's mail waits"), "{listed}");
}

#[tokio::test]
async fn everybody_new_waits_where_the_user_wants_to_be_asked() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = with_alice(&world).await;
    // Language, receipts, name, and whether to ask.
    let kept = tell(&mut alice, "settings default default - yes").await;
    assert!(kept.contains("kept"), "{kept}");
    let mail = "From: Carol <carol@example.com>\r\nSubject: Hi\r\nMessage-ID: <c1@example.com>\r\n\r\nhello\r\n";
    Mailer::smtp(world.postfix.smtp_addr())
        .send("carol@example.com", &["alice@mail.example.org"], mail)
        .await;
    let asked = said(&mut alice, "the question").await;
    assert!(
        asked.contains("carol@example.com wants to write"),
        "{asked}"
    );
    to_alice(
        world.postfix.smtp_addr(),
        "From: Bob <bob@example.com>\r\nSubject: x\r\nMessage-ID: <b1@example.com>\r\n\r\nstill me\r\n",
    )
    .await;
    let known = text(&mut alice, "bob").await.body().unwrap_or_default();
    assert!(known.contains("still me"), "{known}");
}
