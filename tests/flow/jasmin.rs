//! A real Jasmin between transom and a real SMSC.

use transom_test_servers::{Jasmin, NpmSmsc, PATIENCE, Server, free_port, skipped, until};

use crate::carried::{Carried, PEER, TOKEN, webhook};
use crate::world::LINE;

/// What the SMSC got, whole texts of one part each.
async fn texts(smsc: &NpmSmsc) -> Vec<String> {
    let received = smsc.received().await;
    let texts = received.iter().filter_map(|one| one["text"].as_str());
    texts.map(str::to_owned).collect()
}

/// One test for all, since Jasmin needs twenty seconds to start.
#[tokio::test]
async fn texts_go_through_jasmin_and_nothing_stops_them() {
    if skipped(&[Server::Prosody, Server::NpmSmsc, Server::Jasmin]) {
        return;
    }
    let http = free_port();
    let mut smsc = NpmSmsc::start().await;
    let mut jasmin = Jasmin::start(smsc.addr(), &webhook(http)).await;
    let provider = format!(
        "kind = \"jasmin\"\nbase_url = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nwebhook_token = \"{TOKEN}\"",
        jasmin.base_url(),
        jasmin.username(),
        jasmin.password(),
    );
    let mut world = Carried::start(http, "", &provider).await;
    smsc.wait_until_bound().await;

    // Out, in every alphabet: the report of the handset comes back through Jasmin.
    let long = "Привет, мир! 👋 ".repeat(9);
    let long = long.trim();
    for (id, body) in [("m1", "plain [€] text"), ("m2", "Привет 👋"), ("m3", long)] {
        world.write(id, body).await;
        world.receipt(id).await;
    }
    let sent = texts(&smsc).await;
    assert_eq!(sent[..2], ["plain [€] text", "Привет 👋"]);
    assert_eq!(sent[2..].concat(), long);
    assert!(sent.len() > 3, "{sent:?}");
    let received = smsc.received().await;
    assert!(
        received
            .iter()
            .all(|one| one["to"] == PEER && one["from"] == LINE)
    );

    // In: short, and in two parts that Jasmin joins.
    let (from, to) = (PEER.trim_start_matches('+'), LINE.trim_start_matches('+'));
    assert_eq!(
        smsc.deliver(from, to, 0, &[], b"hello from a phone").await,
        "0"
    );
    world.text("hello from a phone").await;
    let octets: Vec<u8> = long.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let parts: Vec<&[u8]> = octets.chunks(134).collect();
    for (number, part) in (1..).zip(&parts) {
        let total = u8::try_from(parts.len()).unwrap();
        let status = smsc
            .deliver(from, to, 8, &[5, 0, 3, 77, total, number], part)
            .await;
        assert_eq!(status, "0");
    }
    world.text(long).await;

    // More at once than Jasmin's user may send in a second.
    let burst: Vec<String> = (0..3).map(|number| format!("burst {number}")).collect();
    for body in &burst {
        world.write(body, body).await;
    }
    for body in &burst {
        world.receipt(body).await;
    }
    assert_eq!(
        texts(&smsc).await[sent.len()..],
        burst[..],
        "each once, in order"
    );

    // The SMSC says that it is too fast: Jasmin tries again, tells of each time, and forgets who wants to know the end.
    smsc.submits("throttle").await;
    world.write("m4", "throttled").await;
    smsc.wait_for(sent.len() + burst.len() + 2).await;
    smsc.submits("ok").await;
    let out = async || {
        texts(&smsc)
            .await
            .contains(&"throttled".to_owned())
            .then_some(())
    };
    until("the throttled text", PATIENCE, out).await.unwrap();
    world.told("has not been delivered yet").await;

    // Jasmin down, and up again.
    jasmin.stop().await;
    world.write("m5", "patience").await;
    world.logged("reason=\"network-down\"").await;
    jasmin.start_again().await;
    world.receipt("m5").await;
    // The SMSC down, and up again: the text waits in Jasmin.
    smsc.stop().await;
    world.write("m6", "more patience").await;
    let taken =
        async || (world.transom.log().matches("outcome=\"accepted\"").count() == 9).then_some(());
    until("Jasmin to take all nine", PATIENCE, taken)
        .await
        .unwrap();
    smsc.start_again().await;
    world.receipt("m6").await;
    assert_eq!(texts(&smsc).await, ["more patience"]);
}
