//! An address book becomes contacts: pasted into the chat, by form, attached, and by the command line.

use transom_test_servers::{Answer, Element, HttpDouble, Server, XmppClient};

use crate::{
    commands::{FORMS, command, say},
    rosters::{entered, roster},
    world::{LINE, SMS, World, chat, contact},
};

on_each_server! {
    an_address_book_becomes_contacts_with_names,
    an_address_book_by_form_and_by_command_keeps_names_that_are_there,
}

fn card(name: &str, number: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nTEL;TYPE=CELL:{number}\r\nEND:VCARD\r\n")
}

/// What a contact of the book is called: in the roster, or where the server refuses to change it by whoever writes and so asks.
async fn named(on: Server, world: &World, client: &mut XmppClient, number: &str) -> Option<String> {
    if on == Server::Prosody {
        let entry = entered(client, &contact(number)).await;
        return entry.attr("name").map(str::to_owned);
    }
    let asks = |stanza: &Element| {
        stanza.attr("type") == Some("subscribe") && stanza.attr("from") == Some(&contact(number))
    };
    client.barrier().await;
    assert!(!client.received().iter().any(asks), "{number} is no bother");
    let sid = format!("SM{number}");
    let taken = world.twilio.deliver(&sid, number, LINE, "hello").await;
    assert_eq!(taken, Ok(200));
    let question = client.expect("the question", asks).await;
    let nick = question.child_in("nick", "http://jabber.org/protocol/nick");
    nick.map(Element::text)
}

/// Alice, who has written once, hears of each change of her roster.
async fn known(world: &World) -> XmppClient {
    let mut alice = world.client("alice").await;
    roster(&mut alice).await;
    alice
        .send(&chat(&contact("+12025550147"), "m0", "hello"))
        .await;
    world.twilio.text("hello").await;
    alice
}

async fn an_address_book_becomes_contacts_with_names(on: Server) {
    proves!(
        "contacts from vCards enter the roster, by chat, form, file and command",
        Prosody
    );
    proves_instead!(
        "contacts from vCards enter the roster, by chat, form, file and command",
        "the gateway keeps the names, and whoever writes asks once by that name",
        Ejabberd
    );
    let server = HttpDouble::start().await;
    let book = card("Dora", "+12025550150") + &card("Only mail", "dora at example");
    server.answer_by(move |_| Answer::with(200, "text/vcard", book.clone()));
    let files = format!("[files]\nallow_hosts = [\"{}\"]\n", server.addr());
    let world = World::privileged_on(on, &files).await;
    let mut alice = known(&world).await;
    // Pasted.
    let pasted = card("Bob", "tel:+1-202-555-0148") + &card("Carol", "(202) 555-0149");
    let said = say(&mut alice, &format!("import {pasted}")).await;
    assert_eq!(said, "2 contacts are known now.");
    assert_eq!(
        named(on, &world, &mut alice, "+12025550148")
            .await
            .as_deref(),
        Some("Bob")
    );
    assert_eq!(
        named(on, &world, &mut alice, "+12025550149")
            .await
            .as_deref(),
        Some("Carol")
    );
    // Attached; one card is of no use here.
    let url = server.url("/upload/1/people.vcf");
    let attached = format!(
        "<message to='{SMS}' type='chat' id='a1'><body>{url}</body><x xmlns='jabber:x:oob'><url>{url}</url></x></message>"
    );
    alice.send(&attached).await;
    let answer = |stanza: &Element| stanza.attr("from") == Some(SMS) && stanza.body().is_some();
    let said = alice
        .expect("what came of it", answer)
        .await
        .body()
        .unwrap();
    assert!(
        said.starts_with("1 contact is known now. One card"),
        "{said}"
    );
    assert_eq!(
        named(on, &world, &mut alice, "+12025550150")
            .await
            .as_deref(),
        Some("Dora")
    );
}

async fn an_address_book_by_form_and_by_command_keeps_names_that_are_there(on: Server) {
    let world = World::privileged_on(on, "").await;
    let mut alice = known(&world).await;
    let said = say(
        &mut alice,
        &format!("import {}", card("Bob", "+12025550148")),
    )
    .await;
    assert_eq!(said, "1 contact is known now.");
    let form = command(&mut alice, "node='import' action='execute'/>").await;
    let session = form.attr("sessionid").expect("a session").to_owned();
    let cards = card("Robert", "+12025550148") + &card("Emil", "+12025550151");
    let lines: Vec<String> = cards
        .lines()
        .map(|line| format!("<value>{line}</value>"))
        .collect();
    let lines = lines.concat();
    let filled = format!(
        "node='import' sessionid='{session}'><x xmlns='{FORMS}' type='submit'><field var='cards'>{lines}</field></x></command>"
    );
    let done = command(&mut alice, &filled).await;
    assert_eq!(done.attr("status"), Some("completed"), "{done}");
    assert_eq!(
        named(on, &world, &mut alice, "+12025550151")
            .await
            .as_deref(),
        Some("Emil")
    );
    let bob = alice
        .iq(
            "get",
            &contact("+12025550148"),
            "<vCard xmlns='vcard-temp'/>",
        )
        .await;
    let name = bob.find("FN", "vcard-temp").map(Element::text);
    assert_eq!(name.as_deref(), Some("Bob"));
    // By the command line.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("book.vcf");
    std::fs::write(&file, card("Fritz", "+12025550152")).unwrap();
    let file = file.to_str().unwrap();
    let done = world
        .transom
        .command(&["user", "contacts", "alice@example.org", file])
        .await;
    assert!(done.status.success(), "{done:?}");
    assert_eq!(
        named(on, &world, &mut alice, "+12025550152")
            .await
            .as_deref(),
        Some("Fritz")
    );
    // What is no address book is answered with what one is; nobody was asked anything, and nothing was sent.
    let said = say(&mut alice, "import hello").await;
    assert!(said.contains(".vcf"), "{said}");
    let asked =
        |stanza: &&Element| stanza.name() == "presence" && stanza.attr("type") == Some("subscribe");
    // The gateway itself, and the two who wrote.
    let questions = if on == Server::Ejabberd { 3 } else { 0 };
    assert_eq!(alice.received().iter().filter(asked).count(), questions);
    assert_eq!(world.twilio.sent().len(), 1);
}
