//! A real Kannel with its fake SMSC between transom and the phones.

use transom_test_servers::{Kannel, PATIENCE, Prosody, Server, Transom, free_port, skipped, until};

use crate::world::{SMS, chat, contact, is_receipt_of, link_up};

const LINE: &str = "+12025550100";
const PEER: &str = "+12025550147";

struct KannelWorld {
    transom: Transom,
    kannel: Kannel,
    prosody: Prosody,
}

async fn world() -> KannelWorld {
    let prosody = Prosody::builder()
        .component(SMS, "secret")
        .user("alice")
        .start()
        .await;
    let http = free_port();
    let webhook = format!("http://{http}/webhook/sms/main/hook-token-0123456789");
    let kannel = Kannel::builder().incoming(&webhook).start().await;
    let config = format!(
        r#"
[xmpp]
server = "{server}"
allow = ["example.org"]
[http]
listen = "{http}"
public_url = "http://{http}"
[gateway.sms]
adapter = "sms"
domain = "{SMS}"
secret = "secret"
region = "US"
[gateway.sms.provider.main]
kind = "kannel"
base_url = "{sendsms}"
username = "tester"
password = "foobar"
webhook_token = "hook-token-0123456789"
[[gateway.sms.line]]
number = "{LINE}"
owner = "alice@example.org"
"#,
        server = prosody.component_addr(),
        sendsms = kannel.base_url(),
    );
    let mut transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .http(http)
        .prepare();
    transom.start().await;
    link_up(&transom, "sms").await;
    KannelWorld {
        transom,
        kannel,
        prosody,
    }
}

#[tokio::test]
async fn texts_go_through_kannel_both_ways_in_every_alphabet() {
    if skipped(&[Server::Prosody, Server::Kannel]) {
        return;
    }
    let world = world().await;
    let mut smsc = world.kannel.connect_smsc().await;
    let mut alice = world.prosody.client("alice", "phone").await;
    let long = "0123456789".repeat(20);
    for (id, body) in [
        ("m1", "plain text"),
        ("m2", "Привет 👋"),
        ("m3", long.as_str()),
        ("m4", "€ {braces}"),
    ] {
        alice.send(&chat(&contact(PEER), id, body)).await;
        // The delivery report of the fake SMSC becomes the receipt.
        alice.expect(id, |stanza| is_receipt_of(stanza, id)).await;
    }
    let received = smsc.received();
    let texts: Vec<String> = received
        .iter()
        .map(transom_test_servers::Sms::text)
        .collect();
    assert!(texts.iter().any(|text| text == "plain text"), "{texts:?}");
    assert!(texts.iter().any(|text| text == "Привет 👋"), "{texts:?}");
    assert!(
        received
            .iter()
            .all(|sms| sms.to == PEER && sms.from == LINE),
        "{received:?}"
    );
    smsc.deliver(PEER, LINE, "hello from a phone").await;
    smsc.deliver_ucs2(PEER, LINE, "здравствуй").await;
    alice
        .expect("the text", |stanza| {
            stanza.body().as_deref() == Some("hello from a phone")
        })
        .await;
    alice
        .expect("the unicode text", |stanza| {
            stanza.body().as_deref() == Some("здравствуй")
        })
        .await;
}

#[tokio::test]
async fn kannel_down_and_up_again_delays_a_text_and_loses_none() {
    if skipped(&[Server::Prosody, Server::Kannel]) {
        return;
    }
    let mut world = world().await;
    let mut alice = world.prosody.client("alice", "phone").await;
    world.kannel.stop_smsbox().await;
    alice.send(&chat(&contact(PEER), "m1", "patience")).await;
    let tried = async || {
        let log = world.transom.log();
        log.contains("attempt=1").then_some(())
    };
    until("the first attempt", PATIENCE, tried).await.unwrap();
    world.kannel.start_smsbox().await;
    let smsc = world.kannel.connect_smsc().await;
    alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;
    assert_eq!(smsc.received().len(), 1);
}
