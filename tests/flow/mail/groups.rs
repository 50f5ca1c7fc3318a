//! Mail to and from several people: a group as one contact, answered to one of them or to all.

use transom_test_servers::{Element, Mail, Mailer, Server, Stage, Verdict, XmppClient, skipped};

use super::{BOB, In, MAIL, MailWorld, condition, text, world_on};
use crate::world::{Database, chat};

const BOTH: [&str; 2] = ["bob@example.com", "carol@example.net"];

/// Bob writes to alice and carol; who gets the mail is said apart.
async fn bob_writes(world: &MailWorld, to: &str, id: &str, words: &str) {
    let mail = format!(
        "From: Bob <bob@example.com>\r\nTo: alice@mail.example.org\r\nCc: \"Carol C.\" <carol@example.net>, {to}\r\n\
         Subject: Picnic\r\nMessage-ID: <{id}@example.com>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n{words}\r\n"
    );
    Mailer::smtp(world.postfix.smtp_addr())
        .send("bob@example.com", &["alice@mail.example.org"], &mail)
        .await;
}

/// Alice is known to the gateway once she has written.
async fn alice(world: &MailWorld) -> XmppClient {
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m0", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    alice
}

async fn two_mails(world: &MailWorld, words: &str) -> Vec<Mail> {
    let mut mails = Vec::new();
    for person in BOTH {
        let to_person = |mail: &Mail| mail.to == [person] && mail.text().contains(words);
        mails.push(world.sink.mail(person, to_person).await);
    }
    mails
}

fn jids(stanza: &Element) -> Vec<String> {
    let list = stanza.child_in("addresses", "http://jabber.org/protocol/address");
    let each = list.into_iter().flat_map(Element::children);
    each.filter_map(|child| Some(format!("{} {}", child.attr("type")?, child.attr("jid")?)))
        .collect()
}

async fn answered(world: MailWorld) {
    let mut alice = alice(&world).await;
    bob_writes(&world, "", "p1", "Who brings salad?").await;
    let first = text(&mut alice, "bob's mail").await;
    let group = first.attr("from").unwrap().to_owned();
    assert!(
        group.starts_with("g-") && group.ends_with(&format!("@{MAIL}")),
        "{group}"
    );
    let body = first.body().unwrap();
    assert!(body.starts_with("*Picnic*\n\n"), "{body}");
    assert!(
        body.contains("In this conversation: Bob, Carol C."),
        "{body}"
    );
    assert!(body.ends_with("Bob: Who brings salad?"), "{body}");
    let carol = format!("carol\\40example.net@{MAIL}");
    assert_eq!(
        jids(&first),
        [
            "to alice@example.org".to_owned(),
            format!("ofrom {BOB}"),
            format!("cc {carol}")
        ]
    );

    // A plain answer goes to the author alone.
    alice.send(&chat(&group, "m1", "Only for your eyes")).await;
    let alone = world
        .sink
        .mail("the answer", |mail| {
            mail.text().contains("Only for your eyes")
        })
        .await;
    assert_eq!(alone.to, ["bob@example.com"]);
    assert_eq!(alone.header("To").as_deref(), Some("bob@example.com"));
    assert_eq!(
        (alone.header("Cc"), alone.header("Subject").as_deref()),
        (None, Some("Re: Picnic"))
    );
    assert_eq!(
        alone.header("In-Reply-To").as_deref(),
        Some("<p1@example.com>")
    );

    to_all(world, alice, &group).await;
}

/// And on from there, to everybody.
async fn to_all(mut world: MailWorld, mut alice: XmppClient, group: &str) {
    // It routes back after a restart, and everybody means everybody but us.
    world.transom.restart().await;
    crate::world::link_up(&world.transom, "mail").await;
    alice.send(&chat(group, "m2", "/all I do")).await;
    let mails = two_mails(&world, "I do").await;
    for mail in &mails {
        assert_eq!(mail.header("To").as_deref(), Some("Bob <bob@example.com>"));
        assert_eq!(
            mail.header("Cc").as_deref(),
            Some("\"Carol C.\" <carol@example.net>")
        );
        assert!(!mail.text().contains("/all"), "{}", mail.text());
    }
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    assert_ne!(mails[0].from, mails[1].from, "each bounce says whose it is");
    let all = world.sink.mails();
    let count = all
        .iter()
        .filter(|mail| mail.text().contains("I do"))
        .count();
    assert_eq!(count, 2, "nobody else");

    // Bob answers both: it is the same chat, and the same thread.
    bob_writes(&world, "alice+picnic@mail.example.org", "p2", "And wine?").await;
    let second = text(&mut alice, "bob's second").await;
    assert_eq!(second.attr("from"), Some(group));
    assert_eq!(second.body().as_deref(), Some("Bob: And wine?"));

    // Neither gets the next one, and the errors say who has not.
    world
        .sink
        .answer_always(Stage::Rcpt, Some(Verdict::reply("550 5.1.1 no such user")));
    alice.send(&chat(group, "m3", "/all Red or white")).await;
    let mut said = Vec::new();
    for _ in BOTH {
        let error = alice
            .expect("an error", |stanza| stanza.attr("type") == Some("error"))
            .await;
        assert_eq!(error.attr("id"), Some("m3"));
        assert_eq!(condition(&error).as_deref(), Some("item-not-found"));
        said.push(error.to_string());
    }
    for name in ["(Bob)", "(Carol C.)"] {
        assert!(
            said.iter().any(|error| error.contains(name)),
            "{name}: {said:?}"
        );
    }
}

#[tokio::test]
async fn a_mail_to_several_is_one_chat_and_is_answered_to_one_or_to_all() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    answered(world_on(In::Lmtp, Database::Sqlite).await).await;
}

#[tokio::test]
async fn mail_to_several_by_imap() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    answered(world_on(In::Imap, Database::Sqlite).await).await;
}

#[tokio::test]
async fn mail_to_several_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Postgres]) {
        return;
    }
    answered(world_on(In::Lmtp, Database::Postgres).await).await;
}

/// A reaction of one of several has no form in XMPP, which knows reactions by the JID they come from; one to them goes to whoever it is about.
#[tokio::test]
async fn a_reaction_of_one_of_several_is_a_text_of_theirs_and_ours_goes_to_who_wrote() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world_on(In::Lmtp, Database::Sqlite).await;
    let mut alice = alice(&world).await;
    bob_writes(&world, "", "p1", "Who brings salad?").await;
    let of_bob = text(&mut alice, "bob's mail").await;
    let group = of_bob.attr("from").unwrap().to_owned();
    alice.send(&chat(&group, "m1", "/all I do")).await;
    let [sent, _] = &two_mails(&world, "I do").await[..] else {
        panic!("two mails");
    };
    let id = sent.header("Message-ID").unwrap();
    let reaction = format!(
        "From: \"Carol C.\" <carol@example.net>\r\nTo: alice@mail.example.org\r\nCc: Bob <bob@example.com>\r\nSubject: Re: Picnic\r\n\
         Message-ID: <p2@example.net>\r\nIn-Reply-To: {id}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Disposition: reaction\r\n\r\n\u{1f44d}\r\n"
    );
    Mailer::smtp(world.postfix.smtp_addr())
        .send("carol@example.net", &["alice@mail.example.org"], &reaction)
        .await;
    let shown = text(&mut alice, "carol's reaction").await;
    assert_eq!(shown.attr("from"), Some(group.as_str()));
    assert_eq!(shown.body().as_deref(), Some("Carol C.: \u{1f44d}"));
    assert!(shown.child("reactions").is_none(), "{shown}");
    let answers = shown.child_in("reply", "urn:xmpp:reply:0");
    assert_eq!(answers.and_then(|reply| reply.attr("id")), Some("m1"));

    // Carol wrote last. What is said to a mail of bob's goes to bob.
    let of = of_bob.attr("id").unwrap();
    let react = format!(
        "<reactions xmlns='urn:xmpp:reactions:0' id='{of}'><reaction>\u{1f389}</reaction></reactions>"
    );
    alice
        .send(&format!(
            "<message to='{group}' type='chat' id='r1'>{react}</message>"
        ))
        .await;
    let reply = format!("<reply xmlns='urn:xmpp:reply:0' id='{of}' to='{group}'/></message>");
    alice
        .send(&chat(&group, "m2", "To your question").replace("</message>", &reply))
        .await;
    for words in ["Content-Disposition: reaction", "To your question"] {
        let mail = world
            .sink
            .mail(words, |mail| mail.text().contains(words))
            .await;
        assert_eq!(mail.to, ["bob@example.com"], "{words}");
        let parent = mail.header("In-Reply-To");
        assert_eq!(parent.as_deref(), Some("<p1@example.com>"), "{words}");
    }
    alice.send(&chat(&group, "m3", "And yours?")).await;
    let mail = world
        .sink
        .mail("the last", |mail| mail.text().contains("And yours?"))
        .await;
    assert_eq!(mail.to, ["carol@example.net"], "whoever wrote last");
}

#[tokio::test]
async fn a_stanza_that_names_several_goes_to_them_with_their_names() {
    proves!(
        "XEP-0033: a message to several people, named in the stanza",
        Prosody
    );
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world_on(In::Lmtp, Database::Sqlite).await;
    let mut alice = alice(&world).await;
    let stanza = |id: &str, list: &str| {
        let list =
            format!("<addresses xmlns='http://jabber.org/protocol/address'>{list}</addresses>");
        let body = "<subject>Picnic</subject><body>Come</body>";
        format!("<message to='{MAIL}' type='chat' id='{id}'>{body}{list}</message>")
    };
    let bob = format!("<address type='to' jid='{BOB}' desc='Bob'/>");
    let carol = "<address type='cc' uri='mailto:carol@example.net'/>";
    // Nobody gets what not everybody may see.
    let hidden = "<address type='bcc' uri='mailto:dave@example.net'/>";
    alice.send(&stanza("m1", &format!("{bob}{hidden}"))).await;
    let error = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(
        condition(&error).as_deref(),
        Some("feature-not-implemented")
    );

    alice.send(&stanza("m2", &format!("{bob}{carol}"))).await;
    for mail in two_mails(&world, "Come").await {
        assert_eq!(mail.header("To").as_deref(), Some("Bob <bob@example.com>"));
        assert_eq!(mail.header("Cc").as_deref(), Some("carol@example.net"));
        assert_eq!(mail.header("Subject").as_deref(), Some("Picnic"));
    }
}
