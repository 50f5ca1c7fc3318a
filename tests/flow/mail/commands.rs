//! What is done with mails by a word in the chat: lists are left, invitations answered, addresses made and given up, readers thanked.

use super::*;

on_each_server! {
    rfc9078_reactions_go_both_ways,
}

/// A line of the gateway's own chat.
pub(super) async fn tell(client: &mut XmppClient, word: &str) -> String {
    client.send(&chat(MAIL, word, word)).await;
    let line = client
        .expect(word, |stanza| {
            stanza.attr("from") == Some(MAIL) && stanza.body().is_some()
        })
        .await;
    line.body().unwrap_or_default()
}

async fn with_alice(world: &MailWorld) -> XmppClient {
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    alice
}

async fn refusal(client: &mut XmppClient, what: &str) -> String {
    let error = client
        .expect(what, |stanza| stanza.attr("type") == Some("error"))
        .await;
    let text = error.child("error").and_then(|error| error.child("text"));
    text.map(Element::text).unwrap_or_default()
}

#[tokio::test]
async fn rfc2369_a_list_is_left_by_a_mail_where_one_click_is_not_vouched_for() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = with_alice(&world).await;
    let news = "From: News <news@list.example>\r\nSubject: Issue 1\r\nMessage-ID: <i1@list.example>\r\nPrecedence: bulk\r\n\
        List-Unsubscribe: <https://list.example/u/1>, <mailto:leave@list.example?subject=leave%20a1>\r\n\
        List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nnews\r\n";
    Mailer::smtp(world.postfix.smtp_addr())
        .send("news@list.example", &["alice@mail.example.org"], news)
        .await;
    let shown = text(&mut alice, "the news")
        .await
        .body()
        .unwrap_or_default();
    assert!(shown.contains("/unsubscribe leaves this list."), "{shown}");
    let list = "news\\40list.example@mail.example.org";
    alice.send(&chat(list, "u1", "/unsubscribe")).await;
    let mail = world
        .sink
        .mail("the mail that leaves", |mail| {
            mail.to == ["leave@list.example"]
        })
        .await;
    assert_eq!(mail.header("Subject").as_deref(), Some("leave a1"));
    let said = alice
        .expect("the word", |stanza| {
            stanza.attr("from") == Some(list) && stanza.body().is_some()
        })
        .await;
    assert!(said.body().unwrap_or_default().contains("on its way"));
    // Bob is no list.
    alice.send(&chat(BOB, "u2", "/unsubscribe")).await;
    let why = refusal(&mut alice, "no list").await;
    assert!(why.contains("can be left"), "{why}");
}

#[tokio::test]
async fn rfc8058_one_click_calls_nobody_whom_the_guard_keeps_out() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world_with(In::Lmtp, Database::Sqlite, "").await;
    let config = world.transom.config_text();
    let config = config.replace(
        "home = \"example.org\"\n",
        "home = \"example.org\"\ntrusted_authserv_id = \"mx.example.org\"\n",
    );
    let mut world = world;
    world.transom.configure(&config);
    world.transom.restart().await;
    link_up(&world.transom, "mail").await;
    let mut alice = with_alice(&world).await;
    let news = "Authentication-Results: mx.example.org; dkim=pass header.d=list.example header.b=abcd\r\n\
        DKIM-Signature: v=1; d=list.example; s=x; h=from:list-unsubscribe:list-unsubscribe-post; bh=x; b=abcdef\r\n\
        From: News <news@list.example>\r\nSubject: Issue 1\r\nMessage-ID: <i1@list.example>\r\n\
        List-Unsubscribe: <https://127.0.0.1:1/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nnews\r\n";
    Mailer::smtp(world.postfix.smtp_addr())
        .send("news@list.example", &["alice@mail.example.org"], news)
        .await;
    text(&mut alice, "the news").await;
    alice
        .send(&chat(
            "news\\40list.example@mail.example.org",
            "u1",
            "/unsubscribe",
        ))
        .await;
    let why = refusal(&mut alice, "it could not be left").await;
    assert!(why.contains("could not be left"), "{why}");
}

#[tokio::test]
async fn rfc5546_an_invitation_is_answered_from_the_chat() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = with_alice(&world).await;
    to_alice(
        world.postfix.smtp_addr(),
        "From: Bob <bob@example.com>\r\nSubject: Lunch\r\nMessage-ID: <c1@example.com>\r\n\
         Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u1@example.com\r\n\
         SEQUENCE:2\r\nSUMMARY:Lunch\r\nDTSTART;TZID=Europe/Berlin:20261102T120000\r\nORGANIZER;CN=Bob:mailto:bob@example.com\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n",
    )
    .await;
    let card = text(&mut alice, "the invitation").await;
    assert!(
        card.body().unwrap_or_default().contains("/accept"),
        "{card:?}"
    );
    let buttons = card.children().filter(|child| child.name() == "response");
    assert_eq!(buttons.count(), 3, "XEP-0439");
    alice.send(&chat(BOB, "a1", "/decline")).await;
    let mail = world
        .sink
        .mail("the answer", |mail| mail.text().contains("text/calendar"))
        .await;
    assert_eq!(mail.to, ["bob@example.com"]);
    assert!(mail.text().contains("method=REPLY"), "{}", mail.text());
    assert!(mail.text().contains("Declined: Lunch"), "{}", mail.text());
    let said = text(&mut alice, "the word")
        .await
        .body()
        .unwrap_or_default();
    assert!(said.contains("declined"), "{said}");
}

#[tokio::test]
async fn an_address_for_one_purpose_is_made_answered_from_and_given_up() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = with_alice(&world).await;
    let made = tell(&mut alice, "alias shop").await;
    let address = made
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    assert!(
        address.starts_with("shop.") && address.ends_with("@mail.example.org"),
        "{made}"
    );
    let order = "From: Shop <orders@shop.example>\r\nSubject: Your order\r\nMessage-ID: <o1@shop.example>\r\n\r\nthanks\r\n";
    Mailer::smtp(world.postfix.smtp_addr())
        .send("orders@shop.example", &[&address], order)
        .await;
    let shown = text(&mut alice, "the order").await;
    let shop = shown.attr("from").unwrap_or_default().to_owned();
    alice.send(&chat(&shop, "s1", "When will it come?")).await;
    let mail = world
        .sink
        .mail("the question", |mail| mail.to == ["orders@shop.example"])
        .await;
    let from = mail.header("From").unwrap_or_default();
    assert!(from.contains(&address), "{from}");
    let listed = tell(&mut alice, "aliases").await;
    assert!(
        listed.contains(&address) && listed.contains("orders@shop.example"),
        "{listed}"
    );
    tell(&mut alice, &format!("alias-drop {address}")).await;
    let lmtp = lmtp_of(&world);
    let verdicts = Mailer::lmtp(lmtp)
        .verdicts(
            "orders@shop.example",
            &[&address, "alice@mail.example.org"],
            order,
        )
        .await;
    assert!(verdicts[0].starts_with("550"), "{verdicts:?}");
    assert!(verdicts[1].starts_with("250"), "{verdicts:?}");
    // Who writes to somebody new does it from the own address.
    alice
        .send(&chat("carol\\40example.com@mail.example.org", "c1", "hi"))
        .await;
    let mail = world
        .sink
        .mail("to carol", |mail| mail.to == ["carol@example.com"])
        .await;
    let from = mail.header("From").unwrap_or_default();
    assert!(from.contains("<alice@mail.example.org>"), "{from}");
}

#[tokio::test]
async fn rfc8098_a_mail_is_confirmed_only_by_its_readers_choice_and_a_confirmation_is_a_mark() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = with_alice(&world).await;
    let asks = |number: u32| {
        format!(
            "From: Bob <bob@example.com>\r\nSubject: Read this\r\nMessage-ID: <q{number}@example.com>\r\n\
             Disposition-Notification-To: <bob@example.com>\r\n\r\nnumber {number}\r\n"
        )
    };
    to_alice(world.postfix.smtp_addr(), &asks(1)).await;
    let first = text(&mut alice, "the first").await;
    assert!(first.child("markable").is_some(), "XEP-0333");
    let mark = |stanza: &Element| {
        let id = stanza.attr("id").unwrap_or_default();
        format!(
            "<message to='{BOB}' type='chat' id='d-{id}'><displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/></message>"
        )
    };
    alice.send(&mark(&first)).await;
    // What is behind it is answered after it.
    alice.send(&chat(BOB, "u1", "/unsubscribe")).await;
    refusal(&mut alice, "no list").await;
    let settings = tell(
        &mut alice,
        "settings default default - default - - default default yes",
    )
    .await;
    assert!(settings.contains("kept"), "{settings}");
    to_alice(world.postfix.smtp_addr(), &asks(2)).await;
    let second = text(&mut alice, "the second").await;
    alice.send(&mark(&second)).await;
    alice.send(&mark(&second)).await;
    let note = world
        .sink
        .mail("the confirmation", |mail| {
            mail.text().contains("disposition-notification")
        })
        .await;
    assert_eq!(note.from, "", "RFC 8098: the null sender");
    assert!(
        note.text()
            .contains("Original-Message-ID: <q2@example.com>"),
        "{}",
        note.text()
    );
    assert!(
        note.text().contains("Auto-Submitted: auto-replied"),
        "{}",
        note.text()
    );
    // A message behind it: nothing else is on its way, neither for the first nor a second time.
    alice.send(&chat(BOB, "m9", "the last one")).await;
    world
        .sink
        .mail("the last one", |mail| mail.text().contains("the last one"))
        .await;
    let notes = world.sink.mails().into_iter();
    let notes = notes.filter(|mail| mail.text().contains("Original-Message-ID"));
    assert_eq!(notes.count(), 1);
}

#[tokio::test]
async fn a_vacation_note_is_named_as_one_and_never_answered() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = with_alice(&world).await;
    to_alice(
        world.postfix.smtp_addr(),
        "From: Bob <bob@example.com>\r\nSubject: Away\r\nMessage-ID: <v1@example.com>\r\nAuto-Submitted: auto-replied\r\n\
         Disposition-Notification-To: <bob@example.com>\r\n\r\nI am away.\r\n",
    )
    .await;
    let note = text(&mut alice, "the note").await;
    let body = note.body().unwrap_or_default();
    assert!(body.starts_with("Automatic reply:\n"), "{body}");
    assert!(
        note.child("markable").is_none(),
        "no machine is told what was seen"
    );
}

async fn rfc9078_reactions_go_both_ways(on: Server) {
    proves!(
        "XEP-0444: a reaction goes to mail and comes from it as one (RFC 9078)",
        Prosody,
        Ejabberd
    );
    if skipped(&[Server::Postfix]) {
        return;
    }
    let world = world_at(on).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "Shall we have lunch?")).await;
    let mail = world.sink.mail("alice's mail", |_| true).await;
    let reaction = answer(&mail, "Re: Shall we have lunch?", "👍").replace(
        "Date: ",
        "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: reaction\r\nDate: ",
    );
    to_alice(world.postfix.smtp_addr(), &reaction).await;
    let stanza = alice
        .expect("bob's reaction", |stanza| {
            stanza.child("reactions").is_some()
        })
        .await;
    let reactions = stanza.child("reactions").expect("XEP-0444");
    assert_eq!(reactions.attr("id"), Some("m1"));
    assert_eq!(
        reactions.child("reaction").map(Element::text).as_deref(),
        Some("👍")
    );
    // Gmail's form, of the same mail: both hold.
    let gmail = answer(&mail, "Re: Shall we have lunch?", "").replace(
        "\r\n\r\n\r\n",
        "\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBob reacted\r\n\
         --b\r\nContent-Type: text/vnd.google.email-reaction+json; charset=utf-8\r\n\r\n{\"emoji\":\"🎉\",\"version\":1}\r\n\
         --b\r\nContent-Type: text/html\r\n\r\n<p>Bob reacted</p>\r\n--b--\r\n",
    );
    to_alice(world.postfix.smtp_addr(), &gmail).await;
    let both = alice
        .expect("both of bob's reactions", |stanza| {
            stanza.child("reactions").is_some()
        })
        .await;
    let both = both.child("reactions").expect("XEP-0444");
    let emoji: Vec<String> = both.children().map(Element::text).collect();
    assert_eq!(emoji, ["👍", "🎉"]);
    to_alice(
        world.postfix.smtp_addr(),
        &answer(&mail, "Re: Shall we have lunch?", "At noon?"),
    )
    .await;
    let noon = text(&mut alice, "bob's answer").await;
    let id = noon.attr("id").unwrap_or_default();
    alice
        .send(&format!(
            "<message to='{BOB}' type='chat' id='r1'><reactions xmlns='urn:xmpp:reactions:0' id='{id}'><reaction>🎉</reaction></reactions></message>"
        ))
        .await;
    let sent = world
        .sink
        .mail("alice's reaction", |mail| {
            mail.text().contains("Content-Disposition: reaction")
        })
        .await;
    assert!(
        sent.text().contains("vnd.google.email-reaction+json"),
        "{}",
        sent.text()
    );
    let parent = sent.header("In-Reply-To").unwrap_or_default();
    assert_eq!(parent, "<8@example.com>", "the mail that it is about");
}

#[tokio::test]
async fn a_reaction_to_a_list_is_refused_and_one_to_nothing_is_a_text() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = with_alice(&world).await;
    let post = "From: Carol <carol@example.com>\r\nSubject: Rust\r\nMessage-ID: <l1@example.com>\r\n\
        List-Id: <talk.list.example>\r\nList-Post: <mailto:talk@list.example>\r\n\r\nhello list\r\n";
    Mailer::smtp(world.postfix.smtp_addr())
        .send(
            "talk-bounces@list.example",
            &["alice@mail.example.org"],
            post,
        )
        .await;
    let post = text(&mut alice, "the list").await;
    let react = |to: &str, of: &str| {
        format!(
            "<message to='{to}' type='chat' id='r1'><reactions xmlns='urn:xmpp:reactions:0' id='{of}'><reaction>🎉</reaction></reactions></message>"
        )
    };
    let (list, of) = (post.attr("from").unwrap(), post.attr("id").unwrap());
    alice.send(&react(list, of)).await;
    let why = refusal(&mut alice, "the refusal").await;
    assert!(why.contains("mailing lists"), "{why}");
    // Nobody knows what it is about: bob gets it in words.
    alice.send(&react(BOB, "gone")).await;
    let worded = world
        .sink
        .mail("words", |mail| mail.text().contains("Reacted"))
        .await;
    assert_eq!(worded.to, ["bob@example.com"]);
}
