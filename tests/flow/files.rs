//! Attachments both ways, through a real Prosody: mail by LMTP and SMTP, pictures of phones by Twilio's double.

use transom_test_servers::{
    Answer, Element, Feature, HttpDouble, Mail, Request, Server, get, skipped,
};

use crate::world::condition;

mod world;
pub(crate) use world::*;

on_each_server! {
    a_mails_files_are_shown_from_our_own_http,
    a_mails_file_is_shown_from_the_servers_upload_service,
    files_go_out_by_mail_with_what_was_said_of_them,
    what_cannot_be_had_is_told_to_its_sender,
    a_text_and_a_file_that_are_sent_apart_leave_as_one_mail,
}

async fn a_mails_files_are_shown_from_our_own_http(on: Server) {
    proves!(
        "XEP-0066, XEP-0447: files that come in are shown in place, from our own HTTP",
        Prosody,
        Ejabberd
    );
    let world = FileWorld::start(Wish {
        on: Some(on),
        ..Wish::default()
    })
    .await;
    let mut alice = world.known().await;
    let picture = png(100_000);
    let page = b"<html><script>alert(1)</script></html>";
    let files: [(&str, &str, &[u8]); 2] = [
        ("holiday.jpg", "image/jpeg", &picture),
        ("page.html", "text/html", page),
    ];
    world.mail("f1", "Look at this!", &files).await;
    assert_eq!(text(&mut alice, "the text").await, "Look at this!");
    let (stanza, url) = shared_file(&mut alice, "the picture").await;
    // It is a PNG, whatever it was called: the name agrees with what it is.
    assert!(url.ends_with("/holiday.png"), "{url}");
    assert!(url.contains(&world.transom.http().to_string()), "{url}");
    let metadata = stanza.find("file", "urn:xmpp:file:metadata:0").unwrap();
    let field = |name: &str| metadata.child(name).map(Element::text).unwrap_or_default();
    assert_eq!(
        (field("media-type").as_str(), field("size")),
        ("image/png", picture.len().to_string())
    );
    let served = fetched(&url).await;
    assert_eq!(
        (served.status, served.header("content-type")),
        (200, Some("image/png"))
    );
    assert_eq!(served.body, picture);
    let (_, url) = shared_file(&mut alice, "the page").await;
    let served = fetched(&url).await;
    // What could run is only saved.
    assert_eq!(
        served.header("content-type"),
        Some("application/octet-stream")
    );
    let disposition = served.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert_eq!(
        served.header("content-security-policy"),
        Some("sandbox; default-src 'none'")
    );
    assert_eq!(served.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(served.body, page);
}

async fn a_mails_file_is_shown_from_the_servers_upload_service(on: Server) {
    proves!(
        "XEP-0363: files that come in go through the server's upload service",
        Prosody,
        Ejabberd
    );
    let features = [Feature::Upload];
    let world = FileWorld::start(Wish {
        on: Some(on),
        features: &features,
        ..Wish::default()
    })
    .await;
    let mut alice = world.known().await;
    let picture = png(50_000);
    world
        .mail("f1", "", &[("holiday.png", "image/png", &picture)])
        .await;
    let (_, url) = shared_file(&mut alice, "the picture").await;
    assert!(url.contains(&world.server.http_addr().to_string()), "{url}");
    assert_eq!(fetched(&url).await.body, picture);
}

#[tokio::test]
async fn a_phones_picture_is_fetched_also_when_its_provider_was_away() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = FileWorld::start(Wish::default()).await;
    let mut alice = world.texting().await;
    let picture = png(30_000);
    world.picture_message("See!", &picture, &[503]).await;
    assert_eq!(text(&mut alice, "the text").await, "See!");
    let (stanza, url) = shared_file(&mut alice, "the picture").await;
    assert_eq!(stanza.attr("from"), Some("+12025550147@sms.example.org"));
    assert_eq!(fetched(&url).await.body, picture);
    let asked = |request: &Request| request.method == "GET";
    let asked: Vec<Request> = world
        .twilio
        .api
        .requests()
        .into_iter()
        .filter(asked)
        .collect();
    assert_eq!(asked.len(), 2);
    assert!(
        asked
            .iter()
            .all(|request| request.header("authorization").is_some())
    );
}

#[tokio::test]
async fn a_phones_picture_that_is_gone_is_named() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = FileWorld::start(Wish::default()).await;
    let mut alice = world.texting().await;
    world.picture_message("See!", &[], &[404]).await;
    let text = text(&mut alice, "the text").await;
    assert!(text.starts_with("See!\n📎"), "{text}");
    assert!(text.contains("could not be fetched"), "{text}");
}

async fn files_go_out_by_mail_with_what_was_said_of_them(on: Server) {
    proves!(
        "XEP-0066, XEP-0385, XEP-0447: files go out, however they are shared, with what was said of them",
        Prosody,
        Ejabberd
    );
    let world = FileWorld::start(Wish {
        on: Some(on),
        ..Wish::default()
    })
    .await;
    let mut alice = world.alice().await;
    let picture = png(70_000);
    let content = picture.clone();
    // Away at first, then back.
    world.pictures.answer_next(Answer::status(503));
    world
        .pictures
        .answer_by(move |_| Answer::with(200, "image/png", content.clone()));
    let url = world.pictures.url("/upload/1/holiday.png");
    alice.send(&sharing(BOB, "m1", &url, "Look at this!")).await;
    let mail = world.sink.mail("the mail", |_| true).await;
    assert!(mail.text().contains("Look at this!"), "{}", mail.text());
    assert!(!mail.text().contains(&url), "{}", mail.text());
    assert_eq!(attached(&mail, "holiday.png"), Some(picture.clone()));
    // Without a word.
    alice.send(&sharing(BOB, "m2", &url, "")).await;
    let mail = world.sink.mail("the second", |_| true).await;
    assert_eq!(attached(&mail, "holiday.png"), Some(picture.clone()));
    for (id, shared) in [("by-sims", by_sims(&url)), ("by-sfs", by_sfs(&url))] {
        let message = format!(
            "<message to='{BOB}' type='chat' id='{id}'><body>{id}</body>{shared}</message>"
        );
        alice.send(&message).await;
        let mail = world.sink.mail(id, |mail| mail.text().contains(id)).await;
        assert_eq!(
            attached(&mail, "hills.png"),
            Some(picture.clone()),
            "{mail}"
        );
    }
}

/// XEP-0385 §3.1
fn by_sims(url: &str) -> String {
    format!(
        "<reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing xmlns='urn:xmpp:sims:1'>\
         <file xmlns='urn:xmpp:jingle:apps:file-transfer:5'><media-type>image/png</media-type><name>hills.png</name></file>\
         <sources><reference xmlns='urn:xmpp:reference:0' type='data' uri='{url}'/></sources></media-sharing></reference>"
    )
}

/// XEP-0447 §3.1
fn by_sfs(url: &str) -> String {
    format!(
        "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'><file xmlns='urn:xmpp:file:metadata:0'>\
         <media-type>image/png</media-type><name>hills.png</name></file><sources>\
         <url-data xmlns='http://jabber.org/protocol/url-data' target='{url}'/></sources></file-sharing>"
    )
}

async fn what_cannot_be_had_is_told_to_its_sender(on: Server) {
    proves!(
        "files from private addresses, too large or gone: refused with a sentence",
        Prosody,
        Ejabberd
    );
    let world = FileWorld::start(Wish {
        on: Some(on),
        files: "max_size = \"1MiB\"",
        ..Wish::default()
    })
    .await;
    let mut alice = world.known().await;
    let inside = HttpDouble::start().await;
    // A private address that nobody excepted, the same by another way, and what leads there.
    let there = inside.addr().port();
    for (id, url) in [
        ("p1", inside.url("/x.png")),
        ("p2", format!("https://2130706433:{there}/x.png")),
        ("p3", format!("https://localhost:{there}/x.png")),
        ("p4", world.pictures.url("/redirect")),
    ] {
        let target = inside.url("/secret.png");
        world
            .pictures
            .answer_by(move |_| Answer::status(302).header("Location", &target));
        alice.send(&sharing(BOB, id, &url, "hi")).await;
        let (condition, sentence) = error(&mut alice, id).await;
        assert_eq!(condition, "not-acceptable", "{url}: {sentence}");
        assert!(
            sentence.contains("nothing may be fetched from"),
            "{url}: {sentence}"
        );
    }
    assert!(inside.requests().is_empty(), "nobody knocked there");
    world.pictures.answer_by(|_| Answer::status(404));
    alice
        .send(&sharing(BOB, "g1", &world.pictures.url("/gone.png"), ""))
        .await;
    let (_, sentence) = error(&mut alice, "g1").await;
    assert!(sentence.contains("could not be fetched"), "{sentence}");
    world
        .pictures
        .answer_by(|_| Answer::with(200, "image/png", png(2 << 20)));
    alice
        .send(&sharing(BOB, "l1", &world.pictures.url("/large.png"), ""))
        .await;
    let (_, sentence) = error(&mut alice, "l1").await;
    assert!(sentence.contains("larger than"), "{sentence}");
    let encrypted = "aesgcm://upload.example.org/1/x.png#00";
    alice.send(&sharing(BOB, "e1", encrypted, "")).await;
    let (_, sentence) = error(&mut alice, "e1").await;
    assert!(sentence.contains("OMEMO"), "{sentence}");
    assert_eq!(world.sink.mails().len(), 1, "only the first mail left");
}

#[tokio::test]
async fn a_file_whose_time_is_over_is_answered_with_a_sentence() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = FileWorld::start(Wish {
        more: "[keep]\nfiles = \"0s\"\n",
        ..Wish::default()
    })
    .await;
    let mut alice = world.known().await;
    world
        .mail("f1", "x", &[("x.png", "image/png", &png(100))])
        .await;
    let (_, url) = shared_file(&mut alice, "the picture").await;
    let nothing = url.replace("/files/", "/files/00");
    for url in [url, nothing] {
        let answer = fetched(&url).await;
        assert_eq!(answer.status, 404);
        assert!(
            answer.text().contains("its time is over"),
            "{}",
            answer.text()
        );
    }
    for path in [
        "/files/",
        "/files/../transom.db",
        "/files/%2e%2e/x",
        "/files/x/../../transom.db",
    ] {
        let answer = get(world.transom.http(), path).await.unwrap();
        assert_eq!(answer.status, 404, "{path}");
    }
}

async fn a_text_and_a_file_that_are_sent_apart_leave_as_one_mail(on: Server) {
    proves!(
        "a text and a file that a client sends apart become one mail",
        Prosody,
        Ejabberd
    );
    let mut world = FileWorld::prepare(Wish {
        on: Some(on),
        ..Wish::default()
    })
    .await;
    let config = world.transom.config_text();
    world
        .transom
        .configure(&config.replace("merge = \"0s\"", "merge = \"4s\""));
    world.transom.start().await;
    world.up().await;
    let mut alice = world.alice().await;
    let picture = png(5_000);
    let content = picture.clone();
    world
        .pictures
        .answer_by(move |_| Answer::with(200, "image/png", content.clone()));
    let url = world.pictures.url("/upload/1/cat.png");
    let has = |mail: &Mail, text: &str| mail.text().contains(text);
    // The file first; it is joined also when transom is killed between.
    alice.send(&sharing(BOB, "f1", &url, "")).await;
    alice.message(BOB, "m1", "Look at my cat").await;
    let joined = "transom_messages_total{gateway=\"mail\",direction=\"out\",outcome=\"joined\"}";
    let is_joined = async || (world.transom.metric(joined).await == Some(1.0)).then_some(());
    transom_test_servers::until("both to be one", transom_test_servers::PATIENCE, is_joined)
        .await
        .unwrap();
    world.transom.kill9();
    world.transom.start().await;
    world.up().await;
    let mail = world
        .sink
        .mail("the mail", |mail| has(mail, "my cat"))
        .await;
    assert_eq!(attached(&mail, "cat.png"), Some(picture.clone()));
    assert_eq!(mail.header("Subject").as_deref(), Some("Look at my cat"));
    // The text first, then two files; one of them is taken back.
    let dog = world.pictures.url("/upload/2/dog.png");
    alice.message(BOB, "m2", "And my dog").await;
    alice.send(&sharing(BOB, "f2", &url, "")).await;
    alice.send(&sharing(BOB, "f3", &dog, "")).await;
    alice
        .send(&format!(
            "<message to='{BOB}' type='chat' id='r1'><retract xmlns='urn:xmpp:message-retract:1' id='f2'/></message>"
        ))
        .await;
    let mail = world
        .sink
        .mail("the second", |mail| has(mail, "my dog"))
        .await;
    assert_eq!(attached(&mail, "dog.png"), Some(picture));
    assert_eq!(attached(&mail, "cat.png"), None, "taken back");
    // Two texts are two mails.
    alice.message(BOB, "m3", "one").await;
    alice.message(BOB, "m4", "two").await;
    world.sink.mail("the third", |mail| has(mail, "one")).await;
    world.sink.mail("the fourth", |mail| has(mail, "two")).await;
    assert_eq!(world.sink.mails().len(), 4);
}

/// Semantics 20: who is here already is written to here.
#[tokio::test]
async fn a_mail_to_a_colleagues_address_comes_back_with_the_colleagues_jid() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = FileWorld::start(Wish::default()).await;
    let mut bob = world.server.client("bob", "phone").await;
    let outside = "carol\\40example.com@mail.example.org";
    bob.message(outside, "b1", "now I have an address").await;
    world.sink.mail("bob's first mail", |_| true).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.message(outside, "a1", "and I have one").await;
    world
        .sink
        .mail("alice's first mail", |mail| mail.text().contains("and I"))
        .await;
    let colleague = "bob\\40mail.example.org@mail.example.org";
    alice.message(colleague, "a2", "hello bob").await;
    let is_it = |stanza: &Element| stanza.attr("id") == Some("a2");
    let refused = alice.expect("the refusal", is_it).await;
    assert_eq!(condition(&refused).as_deref(), Some("gone"), "{refused}");
    let gone = refused.child("error").and_then(|error| error.child("gone"));
    let uri = gone.map(Element::text);
    assert_eq!(uri.as_deref(), Some("xmpp:bob@example.org"), "{refused}");
    assert!(
        refused
            .to_string()
            .contains("Write to bob@example.org directly"),
        "{refused}"
    );
    // One's own address is nobody else's.
    let own = "alice\\40mail.example.org@mail.example.org";
    alice.message(own, "a3", "a note to myself").await;
    let note = |mail: &transom_test_servers::Mail| mail.text().contains("a note to myself");
    world.sink.mail("the note", note).await;
    assert_eq!(world.sink.mails().len(), 3, "nothing went to bob by mail");
}
