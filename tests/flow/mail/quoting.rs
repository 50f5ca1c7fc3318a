//! Mails that quote what they answer, where the user wants that.

use super::*;
use crate::talk::choose_at;

on_each_server! {
    a_text_whose_marks_are_none_goes_as_plain_text_alone,
}

/// The lines of a mail's text.
fn lines(mail: &Mail) -> Vec<String> {
    let parsed = mail.text();
    let (_, body) = parsed.split_once("\r\n\r\n").unwrap_or_default();
    body.lines().map(str::to_owned).collect()
}

fn quotes(mail: &Mail) -> bool {
    lines(mail).iter().any(|line| line.starts_with('>'))
}

#[tokio::test]
async fn an_answer_quotes_what_it_answers_where_the_user_chose_that() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "Lunch?")).await;
    let first = world.sink.mail("lunch", |_| true).await;
    to_alice(
        world.postfix.smtp_addr(),
        &answer(&first, "Re: Lunch?", "Gladly.\r\nWhere?"),
    )
    .await;
    let where_to = text(&mut alice, "where").await;
    alice.send(&chat(BOB, "m2", "In town")).await;
    let plain = world
        .sink
        .mail("in town", |mail| mail.text().contains("In town"))
        .await;
    assert!(!quotes(&plain), "not unless it is wanted: {plain}");
    // By the form.
    choose_at(&mut alice, MAIL, "quote_mail", "yes").await;
    to_alice(
        world.postfix.smtp_addr(),
        &answer(&first, "Re: Lunch?", "Yes, the old place"),
    )
    .await;
    text(&mut alice, "the old place").await;
    alice.send(&chat(BOB, "m3", "See you there")).await;
    let quoting = world
        .sink
        .mail("see you", |mail| mail.text().contains("See you there"))
        .await;
    let said = lines(&quoting);
    assert_eq!(said.first().map(String::as_str), Some("See you there"));
    assert!(
        said.iter()
            .any(|line| line.starts_with("On 20") && line.ends_with(", Bob wrote:")),
        "{quoting}"
    );
    assert!(
        said.contains(&"> Yes, the old place".to_owned()),
        "{quoting}"
    );
    // Nobody answered that: what alice adds quotes nothing.
    alice.send(&chat(BOB, "m4", "At noon")).await;
    let more = world
        .sink
        .mail("at noon", |mail| mail.text().contains("At noon"))
        .await;
    assert!(!quotes(&more), "{more}");
    named(&world, &mut alice, where_to.attr("id").unwrap_or_default()).await;
}

/// An earlier one that her client names (XEP-0461) is quoted with every line of it, until she wants that no more.
async fn named(world: &MailWorld, alice: &mut XmppClient, id: &str) {
    alice
        .send(&format!(
            "<message to='{BOB}' type='chat' id='m5'><body>Near the station</body><reply xmlns='urn:xmpp:reply:0' to='{BOB}' id='{id}'/></message>"
        ))
        .await;
    let named = world
        .sink
        .mail("the station", |mail| {
            mail.text().contains("Near the station")
        })
        .await;
    let said = lines(&named);
    for line in ["> Gladly.", "> Where?"] {
        assert!(said.contains(&line.to_owned()), "{named}");
    }
    // By the chat, and not any more.
    alice
        .send(&chat(
            MAIL,
            "s",
            "settings default default - default - - no default default",
        ))
        .await;
    alice
        .expect("kept", |stanza| {
            stanza
                .body()
                .unwrap_or_default()
                .contains("settings are kept")
        })
        .await;
    alice
        .send(&format!(
            "<message to='{BOB}' type='chat' id='m6'><body>That is all</body><reply xmlns='urn:xmpp:reply:0' to='{BOB}' id='{id}'/></message>"
        ))
        .await;
    let last = world
        .sink
        .mail("that is all", |mail| mail.text().contains("That is all"))
        .await;
    assert!(!quotes(&last), "{last}");
}

async fn a_text_whose_marks_are_none_goes_as_plain_text_alone(on: Server) {
    proves!(
        "XEP-0393: a mail has styling as HTML beside the text, and none where there is none",
        Prosody,
        Ejabberd
    );
    if skipped(&[Server::Postfix]) {
        return;
    }
    let world = world_at(on).await;
    let mut alice = world.server.client("alice", "phone").await;
    let unstyled = "<unstyled xmlns='urn:xmpp:styling:0'/></message>";
    let send = |id: &str| chat(BOB, id, &format!("{id}: 2 *3* 4"));
    alice.send(&send("m1")).await;
    alice
        .send(&send("m2").replace("</message>", unstyled))
        .await;
    for (id, has_html) in [("m1", true), ("m2", false)] {
        let mail = world
            .sink
            .mail(id, |mail| mail.text().contains(&format!("{id}: 2 *3* 4")))
            .await;
        assert_eq!(mail.text().contains("text/html"), has_html, "{id}");
    }
}
