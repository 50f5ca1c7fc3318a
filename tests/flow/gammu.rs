//! A real gammu-smsd with gammu's dummy phone between transom and the network.

use transom_test_servers::{Gammu, PATIENCE, Server, free_port, skipped, until};

use crate::carried::{Carried, PEER};
use crate::world::LINE;

async fn world() -> (Carried, Gammu) {
    let gammu = Gammu::start().await;
    let spool = gammu.spool().display().to_string();
    let provider = format!("kind = \"gammu\"\nspool = \"{spool}\"\nnumber = \"{LINE}\"");
    (Carried::start(free_port(), "", &provider).await, gammu)
}

async fn sent(gammu: &Gammu, text: &str) {
    let sent = async || {
        let texts = gammu.sent();
        texts
            .iter()
            .any(|sent| sent.text == text && sent.to == PEER)
            .then_some(())
    };
    until("the text to be sent", PATIENCE, sent).await.unwrap();
}

#[tokio::test]
async fn texts_go_through_a_modem_both_ways_in_every_alphabet() {
    if skipped(&[Server::Prosody, Server::Gammu]) {
        return;
    }
    let (mut world, gammu) = world().await;
    let long = "Длинное сообщение 👋 ".repeat(6);
    let long = long.trim();
    for (id, body, parts) in [
        ("m1", "plain € text", 1),
        ("m2", "Привет 👋", 1),
        ("m3", long, 2),
    ] {
        world.write(id, body).await;
        sent(&gammu, body).await;
        for _ in 0..parts {
            gammu.report(PEER, "Delivered");
        }
        world.receipt(id).await;
    }
    for body in ["hello from a phone", "здравствуй 👋", long] {
        gammu.deliver(PEER, body);
        world.text(body).await;
    }
}

#[tokio::test]
async fn a_modem_daemon_that_is_down_loses_nothing_and_a_failure_is_told() {
    if skipped(&[Server::Prosody, Server::Gammu]) {
        return;
    }
    let (mut world, mut gammu) = world().await;
    gammu.stop().await;
    world.write("m1", "patience").await;
    let waits = async || {
        let outbox = std::fs::read_dir(gammu.spool().join("outbox")).ok()?;
        (outbox.count() == 1).then_some(())
    };
    until("the text in the outbox", PATIENCE, waits)
        .await
        .unwrap();
    gammu.resume().await;
    sent(&gammu, "patience").await;
    gammu.report(PEER, "Failed");
    world
        .alice
        .expect("the error", |stanza| {
            stanza.attr("type") == Some("error") && stanza.attr("id") == Some("m1")
        })
        .await;
    assert_eq!(gammu.sent().len(), 1);
}

/// A modem sends one text after the other, each in its time: what comes faster waits in the outbox.
#[tokio::test]
async fn more_texts_than_a_modem_is_fast_go_each_once_in_order() {
    if skipped(&[Server::Prosody, Server::Gammu]) {
        return;
    }
    let (mut world, mut gammu) = world().await;
    let burst = ["m1", "m2", "m3", "m4", "m5"];
    gammu.stop().await;
    for id in burst {
        world.write(id, id).await;
    }
    gammu.resume().await;
    for id in burst {
        sent(&gammu, id).await;
    }
    let texts: Vec<String> = gammu.sent().into_iter().map(|sent| sent.text).collect();
    assert_eq!(texts, burst, "each once, in order");
    for _ in burst {
        gammu.report(PEER, "Delivered");
    }
    for id in burst {
        world.receipt(id).await;
    }
}
