//! What people do in a chat beside plain texts, through Twilio's double: long texts, answers, reactions, marks of what was read.

use transom_test_servers::{Element, Server, XmppClient, skipped};

use crate::{
    commands::{FORMS, command, say},
    files::{fetched, shared},
    world::{LINE, PLAIN, SMS, Twilio, World, chat, condition, contact, is_receipt_of},
};

on_each_server! {
    a_long_text_comes_whole_in_several_stanzas,
    an_answer_leaves_without_its_quotation_unless_that_is_wanted,
    a_reaction_costs_nothing_unless_that_is_wanted,
    a_tapback_in_words_becomes_a_reaction_when_it_quotes_one_text,
    styled_texts_go_and_come_as_they_were_typed,
    what_the_phone_has_shown_is_marked,
    stop_is_told_kept_and_confirmed_once,
}

const PEER: &str = "+12025550147";
const REACTIONS: &str = "urn:xmpp:reactions:0";

/// Chooses in the settings, and leaves the others as they are.
pub(crate) async fn choose(client: &mut XmppClient, name: &str, value: &str) {
    let form = command(client, "node='settings' action='execute'/>").await;
    let session = form.attr("sessionid").expect("a session").to_owned();
    let x = form.child_in("x", FORMS).expect("a form");
    let fields = x.children().filter(|child| child.name() == "field");
    let names = fields
        .filter_map(|field| field.attr("var"))
        .filter(|var| *var != "FORM_TYPE");
    let filled: Vec<String> = names
        .map(|var| {
            let value = if var == name { value } else { "default" };
            format!("<field var='{var}'><value>{value}</value></field>")
        })
        .collect();
    let filled = filled.concat();
    assert!(filled.contains(name), "{form}");
    let submit = format!(
        "node='settings' sessionid='{session}'><x xmlns='{FORMS}' type='submit'>{filled}</x></command>"
    );
    let done = command(client, &submit).await;
    assert_eq!(done.attr("status"), Some("completed"), "{done}");
}

/// Alice has written once: now her line is hers.
async fn known(world: &World) -> XmppClient {
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m0", "hello")).await;
    world.twilio.text("hello").await;
    alice
}

fn from_peer(stanza: &Element) -> bool {
    stanza.name() == "message" && stanza.attr("from") == Some(&contact(PEER))
}

async fn a_long_text_comes_whole_in_several_stanzas(on: Server) {
    proves!(
        "long texts come whole, below every limit",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = known(&world).await;
    let line = "the quick brown fox & <friends> jump over 👍 the lazy dog\n";
    let lines: Vec<String> = (0..2_000)
        .map(|number| format!("{number} {line}"))
        .collect();
    let text = lines.concat();
    let called = world.twilio.deliver("SMlong", PEER, LINE, &text).await;
    assert_eq!(called, Ok(200));
    let mut whole = String::new();
    let mut ids = Vec::new();
    while whole.len() < text.trim_end().len() {
        let stanza = alice
            .expect("the next piece", |stanza| {
                from_peer(stanza) && stanza.body().is_some()
            })
            .await;
        assert!(stanza.to_string().len() < 64 * 1024);
        let body = stanza.body().unwrap();
        assert!(
            body.ends_with("dog\n") || body.ends_with("dog"),
            "cut behind a line"
        );
        whole.push_str(&body);
        ids.push(stanza.attr("id").expect("an id").to_owned());
    }
    assert_eq!(whole.trim_end(), text.trim_end());
    assert!(ids.len() > 2, "{ids:?}");
    for (number, id) in ids.iter().enumerate().skip(1) {
        assert_eq!(*id, format!("{}-f{number}", ids[0]));
    }
}

#[tokio::test]
async fn a_text_without_end_goes_on_in_a_file() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::start("").await;
    let mut alice = known(&world).await;
    let words: Vec<String> = (0..60_000).map(|number| format!("{number} ")).collect();
    let text = words.concat();
    let called = world.twilio.deliver("SMbook", PEER, LINE, &text).await;
    assert_eq!(called, Ok(200));
    let is_last = |stanza: &Element| {
        from_peer(stanza)
            && stanza
                .body()
                .is_some_and(|body| body.contains("message.txt"))
    };
    let last = alice.expect("where it goes on", is_last).await;
    assert!(
        last.attr("id").is_some_and(|id| id.ends_with("-f3")),
        "{:?}",
        last.attr("id")
    );
    let file = alice
        .expect("the file", |stanza| shared(stanza).is_some())
        .await;
    let response = fetched(&shared(&file).unwrap()).await;
    assert_eq!(response.text().trim_end(), text.trim_end());
}

fn answer(id: &str, to: &str, quoted: &str, text: &str) -> String {
    let quotation = format!("&gt; {quoted}\n");
    let end = quoted.chars().count() + 3;
    let reply = format!(
        "<reply xmlns='urn:xmpp:reply:0' to='{}' id='{to}'/><fallback xmlns='urn:xmpp:fallback:0' \
         for='urn:xmpp:reply:0'><body start='0' end='{end}'/></fallback></message>",
        contact(PEER)
    );
    chat(&contact(PEER), id, &format!("{quotation}{text}")).replace("</message>", &reply)
}

async fn an_answer_leaves_without_its_quotation_unless_that_is_wanted(on: Server) {
    proves!(
        "XEP-0461: an answer leaves without the quotation, unless that is wanted",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = known(&world).await;
    let called = world
        .twilio
        .deliver("SM1", PEER, LINE, "where shall we meet tomorrow?")
        .await;
    assert_eq!(called, Ok(200));
    let asked = alice.expect("the question", from_peer).await;
    let id = asked.attr("id").expect("an id").to_owned();
    alice.send(&answer("m1", &id, "where 👍", "at noon")).await;
    world.twilio.text("at noon").await;
    choose(&mut alice, "quotes", "yes").await;
    alice.send(&answer("m2", &id, "where 👍", "at one")).await;
    world
        .twilio
        .text("> where shall we meet tomorrow?\nat one")
        .await;
    // Of what nobody knows any more, the client's own quotation is used.
    alice
        .send(&answer("m3", "unknown", "an old text", "yes"))
        .await;
    world.twilio.text("> an old text\nyes").await;
}

fn reaction(id: &str, to: &str, emoji: &str) -> String {
    let emoji = match emoji {
        "" => String::new(),
        emoji => format!("<reaction>{emoji}</reaction>"),
    };
    format!(
        "<message to='{}' type='chat' id='{id}'><body>&gt; hello\n{emoji}</body>\
         <reactions xmlns='{REACTIONS}' id='{to}'>{emoji}</reactions>\
         <fallback xmlns='urn:xmpp:fallback:0' for='{REACTIONS}'/></message>",
        contact(PEER)
    )
    .replace("<body>&gt; hello\n<reaction>", "<body>&gt; hello\n")
    .replace("</reaction></body>", "</body>")
}

async fn a_reaction_costs_nothing_unless_that_is_wanted(on: Server) {
    proves!(
        "XEP-0444: a reaction costs nothing, unless it is wanted as a text",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = known(&world).await;
    assert_eq!(
        world
            .twilio
            .deliver("SM1", PEER, LINE, "see you tonight")
            .await,
        Ok(200)
    );
    let text = alice.expect("the text", from_peer).await;
    let id = text.attr("id").expect("an id").to_owned();
    let error = |id: &'static str| {
        move |stanza: &Element| {
            stanza.attr("type") == Some("error") && stanza.attr("id") == Some(id)
        }
    };
    alice.send(&reaction("r1", &id, "👍")).await;
    let refused = alice.expect("that it is not sent", error("r1")).await;
    assert_eq!(
        condition(&refused).as_deref(),
        Some("feature-not-implemented")
    );
    let said = |stanza: &Element| stanza.attr("from") == Some(SMS) && stanza.body().is_some();
    alice.expect("the same in the chat", said).await;
    alice.send(&reaction("r2", &id, "❤️")).await;
    alice
        .expect("that this is not sent either", error("r2"))
        .await;
    alice.send(&reaction("r3", &id, "")).await;
    alice.barrier().await;
    assert!(!alice.take_rest().iter().any(said), "said once");
    choose(&mut alice, "reactions", "yes").await;
    alice.send(&reaction("r4", &id, "👍")).await;
    let sent = world.twilio.text("Reacted 👍 to \"see you tonight\"").await;
    assert_eq!(sent.form("To").as_deref(), Some(PEER));
    alice.send(&reaction("r5", &id, "")).await;
    alice.send(&chat(&contact(PEER), "m2", "the last")).await;
    world.twilio.text("the last").await;
    let bodies: Vec<String> = world
        .twilio
        .sent()
        .iter()
        .filter_map(|sent| sent.form("Body"))
        .collect();
    assert_eq!(bodies.len(), 3, "taking back costs nothing: {bodies:?}");
    let help = say(&mut alice, "status").await;
    assert!(help.contains(LINE), "{help}");
}

async fn a_tapback_in_words_becomes_a_reaction_when_it_quotes_one_text(on: Server) {
    proves!(
        "XEP-0444: a reaction in words becomes one where its text is certain",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    for (id, body) in [("m1", "see you at eight"), ("m2", "ok"), ("m3", "ok")] {
        alice.send(&chat(&contact(PEER), id, body)).await;
    }
    let sent = || world.twilio.sent().len();
    world.twilio.text("see you at eight").await;
    transom_test_servers::until("all texts", transom_test_servers::PATIENCE, async || {
        (sent() == 3).then_some(())
    })
    .await
    .unwrap();
    let mut number = 0;
    let mut came = async |text: &str| {
        number += 1;
        let called = world
            .twilio
            .deliver(&format!("SM{number}"), PEER, LINE, text)
            .await;
        assert_eq!(called, Ok(200));
    };
    came("Loved “see you at eight”").await;
    let is_reaction = |stanza: &Element| stanza.child_in("reactions", REACTIONS).is_some();
    let stanza = alice.expect("the reaction", is_reaction).await;
    assert_eq!(stanza.attr("from"), Some(contact(PEER).as_str()));
    assert!(stanza.body().is_none(), "{stanza}");
    let reactions = stanza.child_in("reactions", REACTIONS).unwrap();
    assert_eq!(reactions.attr("id"), Some("m1"));
    assert_eq!(
        reactions.child("reaction").map(Element::text).as_deref(),
        Some("❤️")
    );
    came("Removed a heart from “see you at eight”").await;
    let stanza = alice.expect("that it is taken back", is_reaction).await;
    let reactions = stanza.child_in("reactions", REACTIONS).unwrap();
    assert_eq!(
        (reactions.attr("id"), reactions.children().count()),
        (Some("m1"), 0)
    );
    // Two are equal, one is unknown, one was never sent by alice: they stay texts.
    for text in ["Liked “ok”", "Liked “see you at nine”", "Liked an image"] {
        came(text).await;
        let stanza = alice
            .expect(text, |stanza| from_peer(stanza) && stanza.body().is_some())
            .await;
        assert_eq!(stanza.body().as_deref(), Some(text));
    }
}

async fn styled_texts_go_and_come_as_they_were_typed(on: Server) {
    proves!(
        "XEP-0393: styled texts go and come as they were typed",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = known(&world).await;
    let styled = "*now* or _never_, ~maybe~\n> as you said\n```\n2 * 3 * 4\n```";
    let escaped = styled.replace('>', "&gt;");
    alice.send(&chat(&contact(PEER), "m1", &escaped)).await;
    let sent = world.twilio.text(styled).await;
    assert_eq!(sent.form("To").as_deref(), Some(PEER));
    let called = world.twilio.deliver("SM1", PEER, LINE, styled).await;
    assert_eq!(called, Ok(200));
    let came = alice.expect("the same from the phone", from_peer).await;
    assert_eq!(came.body().as_deref(), Some(styled));
}

async fn what_the_phone_has_shown_is_marked(on: Server) {
    proves!(
        "XEP-0333: what the network says was read is marked",
        Prosody,
        Ejabberd
    );
    let world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    let markable = "<markable xmlns='urn:xmpp:chat-markers:0'/></message>";
    alice
        .send(&chat(&contact(PEER), "m1", "look").replace("</message>", markable))
        .await;
    let sent = world.twilio.text("look").await;
    let mark = |id: &'static str| {
        move |stanza: &Element| {
            let displayed = stanza.child_in("displayed", "urn:xmpp:chat-markers:0");
            displayed.is_some_and(|displayed| displayed.attr("id") == Some(id))
        }
    };
    for status in ["read", "delivered", "read"] {
        assert_eq!(
            world
                .twilio
                .report(&sent, &Twilio::sid(1), status, "")
                .await,
            Ok(200)
        );
    }
    alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    let marker = alice.expect("the mark", mark("m1")).await;
    assert_eq!(marker.attr("from"), Some(contact(PEER).as_str()));
    // Who does not ask is told no more than the receipt; what alice's own client marks goes nowhere.
    alice.send(&chat(&contact(PEER), "m2", "again")).await;
    let sent = world.twilio.text("again").await;
    assert_eq!(
        world
            .twilio
            .report(&sent, &Twilio::sid(2), "read", "")
            .await,
        Ok(200)
    );
    alice
        .expect("the second receipt", |stanza| is_receipt_of(stanza, "m2"))
        .await;
    let marks = format!(
        "<message to='{}' type='chat' id='d1'><displayed xmlns='urn:xmpp:chat-markers:0' id='x'/></message>",
        contact(PEER)
    );
    alice.send(&marks).await;
    alice.send(&chat(&contact(PEER), "m3", "third")).await;
    world.twilio.text("third").await;
    assert_eq!(world.twilio.sent().len(), 3);
    assert!(!alice.received().iter().any(mark("m2")));
    let marks = alice
        .received()
        .iter()
        .filter(|stanza| mark("m1")(stanza))
        .count();
    assert_eq!(marks, 1, "marked once");
}

async fn stop_is_told_kept_and_confirmed_once(on: Server) {
    proves!(
        "STOP and START: told, heeded, listed, confirmed once",
        Prosody,
        Ejabberd
    );
    let line =
        format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
    let mut world = World::prepare_on(on, &PLAIN, &line, "", |builder| builder).await;
    let config = world.transom.config_text();
    world
        .transom
        .configure(&config.replace("region = ", "optout_replies = true\nregion = "));
    world.transom.start().await;
    world.up().await;
    let mut alice = known(&world).await;
    let from_phone = async |sid: &str, text: &str| {
        assert_eq!(world.twilio.deliver(sid, PEER, LINE, text).await, Ok(200));
    };
    let said = |begin: &'static str| {
        move |stanza: &Element| {
            from_peer(stanza) && stanza.body().is_some_and(|body| body.starts_with(begin))
        }
    };
    from_phone("SM1", "yes").await;
    let yes = alice.expect("an answer", said("yes")).await;
    assert_eq!(yes.body().as_deref(), Some("yes"), "it takes nothing back");
    from_phone("SM2", " Stop\n").await;
    from_phone("SM2", " Stop\n").await;
    let stop = alice
        .expect("the word with its notice", said(" Stop"))
        .await;
    assert!(stop.body().unwrap().contains("(STOP)"), "{stop}");
    let confirmed = "You will get no more texts from this number. Send START to get them again.";
    let confirmation = world.twilio.text(confirmed).await;
    assert_eq!(confirmation.form("To").as_deref(), Some(PEER));
    alice.send(&chat(&contact(PEER), "m1", "please")).await;
    let refused =
        |stanza: &Element| stanza.attr("id") == Some("m1") && stanza.attr("type") == Some("error");
    let error = alice.expect("that nothing is sent", refused).await;
    assert_eq!(condition(&error).as_deref(), Some("not-allowed"));
    let listed = say(&mut alice, "optouts").await;
    assert!(listed.contains(PEER) && listed.contains(LINE), "{listed}");
    let listed = world.transom.command(&["optouts", "--json"]).await;
    assert!(String::from_utf8_lossy(&listed.stdout).contains(PEER));
    // Again and again: heeded each time, confirmed no more.
    for number in 3..6 {
        from_phone(&format!("SM{number}1"), "START").await;
        from_phone(&format!("SM{number}2"), "STOP").await;
    }
    from_phone("SM9", "start").await;
    let start = alice.expect("the last word", said("start")).await;
    assert!(start.body().unwrap().contains("(START)"), "{start}");
    alice
        .send(&chat(&contact(PEER), "m2", "welcome back"))
        .await;
    world.twilio.text("welcome back").await;
    let bodies: Vec<String> = world
        .twilio
        .sent()
        .iter()
        .filter_map(|sent| sent.form("Body"))
        .collect();
    assert_eq!(bodies, ["hello", confirmed, "welcome back"]);
    let listed = say(&mut alice, "optouts").await;
    assert!(!listed.contains(PEER), "{listed}");
}
