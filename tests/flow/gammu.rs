//! A real gammu-smsd with gammu's dummy phone between transom and the network.

use transom_test_servers::{Gammu, PATIENCE, Prosody, Server, Transom, free_port, skipped, until};

use crate::world::{LINE, SMS, chat, contact, is_receipt_of, link_up};

const PEER: &str = "+12025550147";

struct GammuWorld {
    gammu: Gammu,
    prosody: Prosody,
    _transom: Transom,
}

async fn world() -> GammuWorld {
    let prosody = Prosody::builder()
        .component(SMS, "secret")
        .user("alice")
        .start()
        .await;
    let gammu = Gammu::start().await;
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
[gateway.sms.provider.modem]
kind = "gammu"
spool = "{spool}"
number = "{LINE}"
[[gateway.sms.line]]
number = "{LINE}"
owner = "alice@example.org"
"#,
        server = prosody.component_addr(),
        spool = gammu.spool().display(),
    );
    let mut transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .http(http)
        .prepare();
    transom.start().await;
    link_up(&transom, "sms").await;
    GammuWorld {
        gammu,
        prosody,
        _transom: transom,
    }
}

impl GammuWorld {
    async fn sent(&self, text: &str) {
        let sent = async || {
            let texts = self.gammu.sent();
            texts
                .iter()
                .any(|sent| sent.text == text && sent.to == PEER)
                .then_some(())
        };
        until("the text to be sent", PATIENCE, sent).await.unwrap();
    }
}

#[tokio::test]
async fn texts_go_through_a_modem_both_ways_in_every_alphabet() {
    if skipped(&[Server::Prosody, Server::Gammu]) {
        return;
    }
    let world = world().await;
    let mut alice = world.prosody.client("alice", "phone").await;
    let long = "Длинное сообщение 👋 ".repeat(6);
    let long = long.trim();
    for (id, body, parts) in [
        ("m1", "plain € text", 1),
        ("m2", "Привет 👋", 1),
        ("m3", long, 2),
    ] {
        alice.send(&chat(&contact(PEER), id, body)).await;
        world.sent(body).await;
        for _ in 0..parts {
            world.gammu.report(PEER, "Delivered");
        }
        alice.expect(id, |stanza| is_receipt_of(stanza, id)).await;
    }
    for body in ["hello from a phone", "здравствуй 👋", long] {
        world.gammu.deliver(PEER, body);
        let text = alice
            .expect(body, |stanza| stanza.body().as_deref() == Some(body))
            .await;
        assert_eq!(text.attr("from"), Some(contact(PEER).as_str()));
    }
}

#[tokio::test]
async fn a_modem_daemon_that_is_down_loses_nothing_and_a_failure_is_told() {
    if skipped(&[Server::Prosody, Server::Gammu]) {
        return;
    }
    let mut world = world().await;
    let mut alice = world.prosody.client("alice", "phone").await;
    world.gammu.stop().await;
    alice.send(&chat(&contact(PEER), "m1", "patience")).await;
    let waits = async || {
        let outbox = std::fs::read_dir(world.gammu.spool().join("outbox")).ok()?;
        (outbox.count() == 1).then_some(())
    };
    until("the text in the outbox", PATIENCE, waits)
        .await
        .unwrap();
    world.gammu.resume().await;
    world.sent("patience").await;
    world.gammu.report(PEER, "Failed");
    alice
        .expect("the error", |stanza| {
            stanza.attr("type") == Some("error") && stanza.attr("id") == Some("m1")
        })
        .await;
    assert_eq!(world.gammu.sent().len(), 1);
}
