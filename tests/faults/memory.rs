//! A limit on memory, as a service manager or a container sets one.

use std::process::Command;

use transom_test_servers::{Server, Transom, skipped};

use crate::{
    house::{SECRET, alone, lines, links_up, prosody},
    random::{Random, number_of},
    time::Time,
    traffic::{Others, Traffic},
    world::SMS,
};

/// What a debug build may take beyond what it has when it is ready.
const ROOM_BYTES: u64 = 24 * 1024 * 1024;
/// Texts each way, twice as many as the queue keeps in memory for so many chats.
const TEXTS: usize = 300;

/// The kernel gives it no more private memory than that: whoever asks for more dies.
fn limit(transom: &Transom, bytes: u64) {
    let limited = Command::new("prlimit")
        .args([
            "--pid",
            &transom.id().to_string(),
            &format!("--data={bytes}"),
        ])
        .status();
    assert!(limited.is_ok_and(|status| status.success()), "prlimit");
}

#[tokio::test]
async fn a_flood_under_a_memory_limit_is_all_accounted_for() {
    if skipped(&[Server::Prosody, Server::Dovecot, Server::NpmSmsc]) {
        return;
    }
    let texts = usize::try_from(number_of("TRANSOM_FAULT_TEXTS", 0))
        .unwrap()
        .max(TEXTS);
    let prosody = prosody(&["alice"]).await;
    let seed = Random::seed();
    let others = Others::start(seed, 0).await;
    let gateways = lines("alice") + &others.config(SECRET);
    let (mut transom, twilio) = alone(prosody.component_addr(), &gateways, "").await;
    let time = Time::of(&mut transom);
    transom.start().await;
    links_up(&transom).await;
    let alice = prosody.client("alice", "phone").await;
    let traffic = Traffic::new(twilio, (SMS, alice), seed, 0);
    let mut traffic = traffic.beside(others, seed).by(&time);
    traffic.begin().await;
    let early = transom.data_bytes();
    limit(&transom, early + ROOM_BYTES);
    let webhooks = [transom.http()];
    traffic.network(true).await;
    while traffic.each_way() < texts {
        traffic.burst(&webhooks).await;
    }
    traffic.heard().await;
    let late = transom.data_bytes();
    traffic.network(false).await;
    traffic.settle(&webhooks, &transom).await;
    assert!(transom.is_running(), "{}", transom.log());
    let accounts = traffic.accounts(&transom).await;
    let limit = format!(
        "{} MiB of data, networks down, seed {seed}",
        (early + ROOM_BYTES) >> 20
    );
    for account in accounts {
        account.settled("1 process, SQLite, memory limit", &limit, &transom);
        account.in_order(&transom);
    }
    eprintln!(
        "data: {} KiB before, {} KiB under the flood",
        early >> 10,
        late >> 10
    );
}
