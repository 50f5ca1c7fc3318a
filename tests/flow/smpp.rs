//! A real SMSC, the npm package `smpp`, between transom and the phones.

use transom_test_servers::{
    NpmSmsc, PATIENCE, Prosody, Server, Transom, XmppClient, free_port, skipped, until,
};

use crate::world::{SMS, chat, contact, is_receipt_of, link_up};

const LINE: &str = "+12025550100";
const PEER: &str = "+12025550147";

struct SmppWorld {
    transom: Transom,
    smsc: NpmSmsc,
    alice: XmppClient,
    _prosody: Prosody,
}

async fn world(options: &str) -> SmppWorld {
    let prosody = Prosody::builder()
        .component(SMS, "secret")
        .user("alice")
        .start()
        .await;
    let smsc = NpmSmsc::start().await;
    let http = free_port();
    let config = format!(
        r#"
[xmpp]
server = "{server}"
allow = ["example.org"]
[http]
listen = "{http}"
[gateway.sms]
adapter = "sms"
domain = "{SMS}"
secret = "secret"
region = "US"
parts_after = "1h"
[gateway.sms.provider.main]
kind = "smpp"
url = "{url}"
system_id = "transom"
{options}
[[gateway.sms.line]]
number = "{LINE}"
owner = "alice@example.org"
"#,
        server = prosody.component_addr(),
        url = smsc.url(),
    );
    let mut transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .http(http)
        .prepare();
    transom.start().await;
    link_up(&transom, "sms").await;
    let alice = prosody.client("alice", "phone").await;
    SmppWorld {
        transom,
        smsc,
        alice,
        _prosody: prosody,
    }
}

const PASSWORD: &str = "password = \"secret\"";

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

async fn logged(transom: &Transom, words: &str) {
    let found = async || transom.log().contains(words).then_some(());
    until(words, PATIENCE, found).await.unwrap();
}

#[tokio::test]
async fn texts_go_through_an_smsc_both_ways_in_every_alphabet() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let mut world = world(PASSWORD).await;
    world.smsc.wait_until_bound().await;
    let long = "Привет 👋 ".repeat(12);
    for (id, body) in [
        ("m1", "plain [€] text"),
        ("m2", "Привет 👋"),
        ("m3", long.as_str()),
    ] {
        world.alice.send(&chat(&contact(PEER), id, body)).await;
        world
            .alice
            .expect(id, |stanza| is_receipt_of(stanza, id))
            .await;
    }
    let received = world.smsc.received().await;
    let texts: Vec<&str> = received
        .iter()
        .map(|one| one["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts[..2], ["plain [€] text", "Привет 👋"]);
    assert_eq!(
        texts[2..].concat(),
        long.trim(),
        "in parts of whole characters"
    );
    assert!(texts.len() > 3, "{texts:?}");
    assert!(
        received
            .iter()
            .all(|one| one["to"] == "12025550147" && one["from"] == "12025550100")
    );

    let (from, to) = (PEER.trim_start_matches('+'), LINE.trim_start_matches('+'));
    assert_eq!(
        world
            .smsc
            .deliver(from, to, 0, &[], b"hello from a phone")
            .await,
        "0"
    );
    world
        .alice
        .expect("the text", |stanza| {
            stanza.body().as_deref() == Some("hello from a phone")
        })
        .await;
    // In three parts, the last first, one of them twice, and cut within an emoji.
    let octets = utf16("Здравствуй, мир! 👋 Это длинный текст.");
    let cuts = [&octets[..34], &octets[34..36], &octets[36..]];
    for number in [3, 1, 1, 2] {
        let header = [5, 0, 3, 77, 3, number];
        let status = world
            .smsc
            .deliver(from, to, 8, &header, cuts[usize::from(number) - 1])
            .await;
        assert_eq!(status, "0");
    }
    world
        .alice
        .expect("the joined text", |stanza| {
            stanza.body().as_deref() == Some("Здравствуй, мир! 👋 Это длинный текст.")
        })
        .await;
}

#[tokio::test]
async fn a_receipt_before_the_answer_and_a_throttle_are_no_trouble() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let mut world = world(PASSWORD).await;
    world.smsc.wait_until_bound().await;
    world.smsc.receipts("before").await;
    world.alice.send(&chat(&contact(PEER), "m1", "early")).await;
    world
        .alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    world.smsc.submits("throttle").await;
    world
        .alice
        .send(&chat(&contact(PEER), "m2", "patience"))
        .await;
    world.smsc.wait_for(2).await;
    world.smsc.submits("ok").await;
    world
        .alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m2"))
        .await;
    let received = world.smsc.received().await;
    let taken = received
        .iter()
        .filter(|one| one["text"] == "patience")
        .count();
    assert_eq!(taken, 1, "{received:?}");
}

#[tokio::test]
async fn an_smsc_down_and_up_again_loses_nothing_and_doubles_nothing() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let mut world = world(PASSWORD).await;
    world.smsc.wait_until_bound().await;
    world.smsc.stop().await;
    logged(&world.transom, "Lost the session with the SMSC.").await;
    world
        .alice
        .send(&chat(&contact(PEER), "m1", "patience"))
        .await;
    logged(&world.transom, "attempt=1").await;
    world.smsc.start_again().await;
    world
        .alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    assert_eq!(world.smsc.received().await.len(), 1);
}

#[tokio::test]
async fn no_answer_is_unknown_and_the_chat_goes_on() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let mut world = world(&format!("{PASSWORD}\nresponse_timeout = \"1s\"")).await;
    world.smsc.wait_until_bound().await;
    world.smsc.submits("silent").await;
    world
        .alice
        .send(&chat(&contact(PEER), "m1", "hello?"))
        .await;
    logged(&world.transom, "outcome=\"unknown\"").await;
    world.smsc.submits("ok").await;
    world.alice.send(&chat(&contact(PEER), "m2", "again")).await;
    world
        .alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m2"))
        .await;
    let texts: Vec<_> = world.smsc.received().await;
    assert_eq!(texts.len(), 2, "the first was never sent again: {texts:?}");
}

#[tokio::test]
async fn a_wrong_password_is_told_to_whoever_looks() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let world = world("password = \"wrong\"").await;
    logged(&world.transom, "Cannot bind to the SMSC").await;
    let log = world.transom.log();
    assert!(
        log.contains("RINVPASWD") && log.contains("compare system_id and password"),
        "{log}"
    );
    assert!(
        world
            .transom
            .metrics()
            .await
            .contains("transom_account_up{account=\"sms/main\"} 0")
    );
}
