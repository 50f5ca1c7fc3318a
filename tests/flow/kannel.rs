//! A real Kannel with its fake SMSC between transom and the phones.

use transom_test_servers::{Kannel, KannelBuilder, Server, free_port, skipped};

use crate::carried::{Carried, PEER, TOKEN, webhook};
use crate::world::LINE;

async fn world() -> (Carried, Kannel) {
    world_of(Kannel::builder()).await
}

async fn world_of(builder: KannelBuilder) -> (Carried, Kannel) {
    let http = free_port();
    let kannel = builder.incoming(&webhook(http)).start().await;
    let provider = format!(
        "kind = \"kannel\"\nbase_url = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nwebhook_token = \"{TOKEN}\"",
        kannel.base_url(),
        kannel.username(),
        kannel.password(),
    );
    (Carried::start(http, "", &provider).await, kannel)
}

#[tokio::test]
async fn texts_go_through_kannel_both_ways_in_every_alphabet() {
    if skipped(&[Server::Prosody, Server::Kannel]) {
        return;
    }
    let (mut world, kannel) = world().await;
    let mut smsc = kannel.connect_smsc().await;
    let long = "0123456789".repeat(20);
    let cyrillic = "Длинный текст 👋 ".repeat(8);
    let cyrillic = cyrillic.trim();
    for (id, body) in [
        ("m1", "plain text"),
        ("m2", "Привет 👋"),
        ("m3", long.as_str()),
        ("m4", "€ {braces}"),
        ("m5", cyrillic),
    ] {
        world.write(id, body).await;
        // The delivery report of the fake SMSC becomes the receipt.
        world.receipt(id).await;
    }
    let received = smsc.received();
    let texts: Vec<String> = received
        .iter()
        .map(transom_test_servers::Sms::text)
        .collect();
    assert!(texts.iter().any(|text| text == "plain text"), "{texts:?}");
    assert!(texts.iter().any(|text| text == "Привет 👋"), "{texts:?}");
    // Parts with a header: the fake SMSC calls every coding "data" there.
    let parts: Vec<_> = received.iter().filter(|sms| !sms.udh.is_empty()).collect();
    let octets: Vec<u8> = parts
        .iter()
        .skip(2)
        .flat_map(|sms| sms.data.clone())
        .collect();
    let units: Vec<u16> = octets
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    assert_eq!(parts.len(), 5, "two of one long text, three of the other");
    assert_eq!(String::from_utf16_lossy(&units), cyrillic);
    assert!(
        received
            .iter()
            .all(|sms| sms.to == PEER && sms.from == LINE),
        "{received:?}"
    );
    smsc.deliver(PEER, LINE, "hello from a phone").await;
    world.text("hello from a phone").await;
    smsc.deliver_ucs2(PEER, LINE, "здравствуй").await;
    world.text("здравствуй").await;
    smsc.deliver_ucs2(PEER, LINE, cyrillic).await;
    world.text(cyrillic).await;
}

#[tokio::test]
async fn kannel_down_and_up_again_delays_a_text_and_loses_none() {
    if skipped(&[Server::Prosody, Server::Kannel]) {
        return;
    }
    let (mut world, mut kannel) = world().await;
    kannel.stop_smsbox().await;
    world.write("m1", "patience").await;
    world.logged("attempt=1").await;
    kannel.start_smsbox().await;
    let smsc = kannel.connect_smsc().await;
    world.receipt("m1").await;
    assert_eq!(smsc.received().len(), 1);
}

/// Kannel has no room for more: each text goes once, later.
#[tokio::test]
async fn a_full_kannel_delays_texts_and_loses_none() {
    if skipped(&[Server::Prosody, Server::Kannel]) {
        return;
    }
    let (mut world, kannel) = world_of(Kannel::builder().queue_limit(1)).await;
    for id in ["m1", "m2", "m3", "m4"] {
        world.write(id, id).await;
    }
    world.logged("code=\"HTTP 503\"").await;
    let smsc = kannel.connect_smsc().await;
    for id in ["m1", "m2", "m3", "m4"] {
        world.receipt(id).await;
    }
    let texts: Vec<String> = smsc
        .received()
        .iter()
        .map(transom_test_servers::Sms::text)
        .collect();
    assert_eq!(texts, ["m1", "m2", "m3", "m4"], "each once, in order");
}
