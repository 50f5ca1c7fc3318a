//! The whole of a mail, as it came, for whoever asks.

use super::*;
use transom_test_servers::get;

const HTML_ONLY: &str = "From: Bob <bob@example.com>\r\nTo: alice@mail.example.org\r\nSubject: News\r\n\
    Message-ID: <n1@example.com>\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <p>Hello <b>Alice</b></p><script>x()</script>\r\n";

#[tokio::test]
async fn the_original_of_a_mail_is_one_command_away() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world_of(In::Lmtp, Database::Sqlite, "", &[Feature::Upload]).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m0", "/original")).await;
    let nothing = alice
        .expect("nothing yet", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(nothing.attr("id"), Some("m0"));
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    to_alice(world.postfix.smtp_addr(), HTML_ONLY).await;
    let shown = text(&mut alice, "the mail").await;
    assert!(
        shown.body().unwrap_or_default().contains("Hello")
            && !shown.body().unwrap_or_default().contains("<p>"),
        "{shown:?}"
    );
    to_alice(
        world.postfix.smtp_addr(),
        "From: Bob <bob@example.com>\r\nSubject: Next\r\nMessage-ID: <n2@example.com>\r\n\r\nanother\r\n",
    )
    .await;
    text(&mut alice, "the next mail").await;
    // An answer to the first one names it; else it would be the last.
    let first = shown.attr("id").unwrap_or_default();
    alice
        .send(&format!(
            "<message to='{BOB}' type='chat' id='m2'><body>&gt; Hello\n/original</body>\
             <reply xmlns='urn:xmpp:reply:0' to='{BOB}' id='{first}'/></message>"
        ))
        .await;
    let given = text(&mut alice, "the original").await;
    assert_eq!(given.attr("from"), Some(BOB));
    let url = given.body().unwrap_or_default();
    let oob = given
        .child("x")
        .and_then(|x| x.child("url"))
        .map(Element::text);
    assert_eq!(oob.as_deref(), Some(url.as_str()), "XEP-0066");
    let (host, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .expect("a URL of the upload service");
    let whole = get(host.parse().expect("its address"), &format!("/{path}"))
        .await
        .expect("the file");
    let whole = String::from_utf8_lossy(&whole.body).into_owned();
    assert!(
        whole.contains("<p>Hello <b>Alice</b></p><script>x()</script>"),
        "{whole}"
    );
    assert!(whole.contains("Received: "), "as it came: {whole}");
    assert!(
        world
            .sink
            .mails()
            .iter()
            .all(|mail| !mail.text().contains("/original"))
    );
}
