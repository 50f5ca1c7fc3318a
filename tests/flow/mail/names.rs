//! What people are called: by the header of their mail, until the user says otherwise.

use super::*;

on_each_server! {
    a_name_comes_from_the_header_until_the_user_gives_one,
}

async fn called(client: &mut XmppClient) -> Option<String> {
    let card = client.iq("get", BOB, "<vCard xmlns='vcard-temp'/>").await;
    card.find("FN", "vcard-temp").map(Element::text)
}

async fn answer_to(client: &mut XmppClient, id: &str, line: &str) -> String {
    client.send(&chat(MAIL, id, line)).await;
    let answers = |stanza: &Element| stanza.attr("from") == Some(MAIL) && stanza.body().is_some();
    let answer = client.expect(line, answers).await;
    answer.body().unwrap_or_default()
}

async fn a_name_comes_from_the_header_until_the_user_gives_one(on: Server) {
    proves!(
        "XEP-0172: a contact is called what the header of its mail says, until the user gives it a name",
        Prosody,
        Ejabberd
    );
    if skipped(&[Server::Postfix]) {
        return;
    }
    let world = world_at(on).await;
    let mut alice = world.server.client("alice", "phone").await;
    // The first word to anybody makes her address.
    let carol = "carol\\40example.com@mail.example.org";
    alice.send(&chat(carol, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    let written = |name: &str, number: u8| {
        format!(
            "From: {name} <bob@example.com>\r\nTo: alice@mail.example.org\r\nSubject: Lunch\r\nMessage-ID: <n{number}@example.com>\r\n\r\n\
             number {number}\r\n"
        )
    };
    to_alice(world.postfix.smtp_addr(), &written("Bob Smith", 1)).await;
    let question = alice
        .expect("the question", |stanza| {
            stanza.attr("type") == Some("subscribe") && stanza.attr("from") == Some(BOB)
        })
        .await;
    let nick = question.child_in("nick", "http://jabber.org/protocol/nick");
    assert_eq!(nick.map(Element::text).as_deref(), Some("Bob Smith"));
    text(&mut alice, "the first").await;
    for typed in ["bob@example.com", "mailto:bob@example.com?subject=Lunch"] {
        let typed = format!("<query xmlns='jabber:iq:gateway'><prompt>{typed}</prompt></query>");
        let jid = alice.iq("set", MAIL, &typed).await;
        let jid = jid.find("jid", "jabber:iq:gateway").map(Element::text);
        assert_eq!(jid.as_deref(), Some(BOB));
    }
    assert_eq!(called(&mut alice).await.as_deref(), Some("Bob Smith"));
    // By the chat: Bob is the first of her contacts, and the first that can be done is another name.
    for (id, line) in [("c1", "contacts"), ("c2", "1"), ("c3", "1")] {
        answer_to(&mut alice, id, line).await;
    }
    let said = answer_to(&mut alice, "c4", "Bobby").await;
    assert!(said.contains("Bobby"), "{said}");
    to_alice(world.postfix.smtp_addr(), &written("Robert Smith", 2)).await;
    text(&mut alice, "the second").await;
    assert_eq!(called(&mut alice).await.as_deref(), Some("Bobby"));
}
