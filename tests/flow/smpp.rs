//! A real SMSC, the npm package `smpp`, between transom and the phones.

use transom_test_servers::{Element, NpmSmsc, Server, free_port, skipped};

use crate::carried::{Carried, PEER};
use crate::world::LINE;

async fn world(options: &str) -> (Carried, NpmSmsc) {
    world_of("parts_after = \"1h\"", options).await
}

async fn world_of(gateway: &str, options: &str) -> (Carried, NpmSmsc) {
    let smsc = NpmSmsc::start().await;
    let url = smsc.url();
    let provider = format!("kind = \"smpp\"\nurl = \"{url}\"\nsystem_id = \"transom\"\n{options}");
    let world = Carried::start(free_port(), gateway, &provider).await;
    (world, smsc)
}

const PASSWORD: &str = "password = \"secret\"";

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

#[tokio::test]
async fn texts_go_through_an_smsc_both_ways_in_every_alphabet() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let (mut world, smsc) = world(PASSWORD).await;
    smsc.wait_until_bound().await;
    let long = "Привет 👋 ".repeat(12);
    for (id, body) in [
        ("m1", "plain [€] text"),
        ("m2", "Привет 👋"),
        ("m3", long.as_str()),
    ] {
        world.write(id, body).await;
        world.receipt(id).await;
    }
    let received = smsc.received().await;
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
        smsc.deliver(from, to, 0, &[], b"hello from a phone").await,
        "0"
    );
    world.text("hello from a phone").await;
    // In three parts, the last first, one of them twice, and cut within an emoji.
    let octets = utf16("Здравствуй, мир! 👋 Это длинный текст.");
    let cuts = [&octets[..34], &octets[34..36], &octets[36..]];
    for number in [3, 1, 1, 2] {
        let header = [5, 0, 3, 77, 3, number];
        let status = smsc
            .deliver(from, to, 8, &header, cuts[usize::from(number) - 1])
            .await;
        assert_eq!(status, "0");
    }
    world.text("Здравствуй, мир! 👋 Это длинный текст.").await;
}

#[tokio::test]
async fn a_text_whose_rest_never_comes_is_shown_when_its_time_is_over() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let (mut world, smsc) = world_of("parts_after = \"1s\"", PASSWORD).await;
    smsc.wait_until_bound().await;
    world.write("m1", "hello").await;
    world.receipt("m1").await;
    let (from, to) = (PEER.trim_start_matches('+'), LINE.trim_start_matches('+'));
    let header = [5, 0, 3, 78, 2, 1];
    let status = smsc.deliver(from, to, 0, &header, b"the beginning").await;
    assert_eq!(status, "0", "stored, and so answered");
    let shown = |stanza: &Element| {
        stanza
            .body()
            .is_some_and(|body| body.starts_with("the beginning"))
    };
    // It is looked for every half minute.
    let text = world.alice.expect("what came", shown).await;
    assert_eq!(text.body().as_deref(), Some("the beginning[…]"));
}

#[tokio::test]
async fn a_receipt_before_the_answer_and_a_throttle_are_no_trouble() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let (mut world, smsc) = world(PASSWORD).await;
    smsc.wait_until_bound().await;
    smsc.receipts("before").await;
    world.write("m1", "early").await;
    world.receipt("m1").await;
    smsc.submits("throttle").await;
    world.write("m2", "patience").await;
    smsc.wait_for(2).await;
    smsc.submits("ok").await;
    world.receipt("m2").await;
    let received = smsc.received().await;
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
    let (mut world, mut smsc) = world(PASSWORD).await;
    smsc.wait_until_bound().await;
    smsc.stop().await;
    world.logged("Lost the session with the SMSC.").await;
    world.write("m1", "patience").await;
    world.logged("attempt=1").await;
    smsc.start_again().await;
    world.receipt("m1").await;
    assert_eq!(smsc.received().await.len(), 1);
}

#[tokio::test]
async fn no_answer_is_unknown_and_the_chat_goes_on() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let (mut world, smsc) = world(&format!("{PASSWORD}\nresponse_timeout = \"1s\"")).await;
    smsc.wait_until_bound().await;
    smsc.submits("silent").await;
    world.write("m1", "hello?").await;
    world.logged("outcome=\"unknown\"").await;
    smsc.submits("ok").await;
    world.write("m2", "again").await;
    world.receipt("m2").await;
    let texts: Vec<_> = smsc.received().await;
    assert_eq!(texts.len(), 2, "the first was never sent again: {texts:?}");
}

#[tokio::test]
async fn a_wrong_password_is_told_to_whoever_looks() {
    if skipped(&[Server::Prosody, Server::NpmSmsc]) {
        return;
    }
    let (world, _smsc) = world("password = \"wrong\"").await;
    world.logged("Cannot bind to the SMSC").await;
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
