//! A real Jasmin between transom and a real SMSC.

use transom_test_servers::{Jasmin, NpmSmsc, PATIENCE, Server, free_port, skipped, until};

use crate::carried::{Carried, PEER, TOKEN, webhook};
use crate::world::LINE;

const LONG: &str = "Привет, мир! 👋 Привет, мир! 👋 Привет, мир! 👋 Привет, мир! 👋 Привет, мир! 👋 Привет, мир! 👋";

struct World {
    carried: Carried,
    jasmin: Jasmin,
    smsc: NpmSmsc,
}

async fn world() -> World {
    let http = free_port();
    let smsc = NpmSmsc::start().await;
    let jasmin = Jasmin::start(smsc.addr(), &webhook(http)).await;
    let provider = format!(
        "kind = \"jasmin\"\nbase_url = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nwebhook_token = \"{TOKEN}\"",
        jasmin.base_url(),
        jasmin.username(),
        jasmin.password(),
    );
    let carried = Carried::start(http, "", &provider).await;
    smsc.wait_until_bound().await;
    World {
        carried,
        jasmin,
        smsc,
    }
}

impl World {
    /// What the SMSC took.
    async fn texts(&self) -> Vec<String> {
        let received = self.smsc.received().await;
        let texts = received.iter().filter_map(|one| one["text"].as_str());
        texts.map(str::to_owned).collect()
    }

    /// The report of the handset comes back through Jasmin.
    async fn texts_go_out(&mut self) {
        for (id, body) in [("m1", "plain [€] text"), ("m2", "Привет 👋"), ("m3", LONG)] {
            self.carried.write(id, body).await;
            self.carried.receipt(id).await;
        }
        let sent = self.texts().await;
        assert_eq!(sent[..2], ["plain [€] text", "Привет 👋"]);
        assert_eq!(sent[2..].concat(), LONG);
        assert!(sent.len() > 3, "{sent:?}");
        let received = self.smsc.received().await;
        assert!(
            received
                .iter()
                .all(|one| one["to"] == PEER && one["from"] == LINE)
        );
    }

    async fn texts_come_in(&mut self) {
        let (from, to) = (PEER.trim_start_matches('+'), LINE.trim_start_matches('+'));
        let short = b"hello from a phone";
        assert_eq!(self.smsc.deliver(from, to, 0, &[], short).await, "0");
        self.carried.text("hello from a phone").await;
        // Jasmin joins the parts.
        let octets: Vec<u8> = LONG.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let parts: Vec<&[u8]> = octets.chunks(134).collect();
        let total = u8::try_from(parts.len()).unwrap();
        for (number, part) in (1..).zip(&parts) {
            let header = [5, 0, 3, 77, total, number];
            let status = self.smsc.deliver(from, to, 8, &header, part).await;
            assert_eq!(status, "0");
        }
        self.carried.text(LONG).await;
    }

    /// More at once than Jasmin's user may send, and then more than its SMSC takes.
    async fn too_fast_is_only_later(&mut self) {
        let before = self.smsc.received().await.len();
        let burst = ["burst 1", "burst 2", "burst 3"];
        for body in burst {
            self.carried.write(body, body).await;
        }
        for body in burst {
            self.carried.receipt(body).await;
        }
        let sent = self.texts().await;
        assert_eq!(sent[before..], burst, "each once, in order");
        // Jasmin tries again, tells of each time, and forgets who wants to know the end.
        self.smsc.submits("throttle").await;
        self.carried.write("m4", "throttled").await;
        self.smsc.wait_for(before + burst.len() + 2).await;
        self.smsc.submits("ok").await;
        let out = async || {
            let texts = self.texts().await;
            texts.contains(&"throttled".to_owned()).then_some(())
        };
        until("the throttled text", PATIENCE, out).await.unwrap();
        self.carried.told("has not been delivered yet").await;
    }

    async fn down_is_only_later(&mut self) {
        self.jasmin.stop().await;
        self.carried.write("m5", "patience").await;
        self.carried.logged("reason=\"network-down\"").await;
        self.jasmin.start_again().await;
        self.carried.receipt("m5").await;
        // Without its SMSC a text waits in Jasmin.
        self.smsc.stop().await;
        self.carried.write("m6", "more patience").await;
        let log = || self.carried.transom.log();
        let taken = async || (log().matches("outcome=\"accepted\"").count() == 9).then_some(());
        until("Jasmin to take the ninth text", PATIENCE, taken)
            .await
            .unwrap();
        self.smsc.start_again().await;
        self.carried.receipt("m6").await;
        assert_eq!(self.texts().await, ["more patience"]);
    }
}

/// One test for all, since Jasmin and what it needs take twenty seconds to start.
#[tokio::test]
async fn texts_go_through_jasmin_and_nothing_stops_them() {
    if skipped(&[Server::Prosody, Server::NpmSmsc, Server::Jasmin]) {
        return;
    }
    let mut world = world().await;
    world.texts_go_out().await;
    world.texts_come_in().await;
    world.too_fast_is_only_later().await;
    world.down_is_only_later().await;
}
