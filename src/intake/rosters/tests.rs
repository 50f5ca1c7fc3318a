//! Introductions while the database is out of order.

use std::time::Duration;

use super::*;
use crate::{
    intake::people::tests::{ALICE, Bench},
    xmpp::{
        jid::Jid,
        ns,
        stanza::{Element, MessageType},
    },
};

/// What is longer than any pause.
const LATER: Duration = Duration::from_mins(1);

/// The registrar has done what it was given so far: it has heard what this server says.
async fn idle(bench: &Bench, host: &str) {
    let perm = Element::new("perm", ns::PRIVILEGE_2)
        .with_attr("access", "roster")
        .with_attr("type", "both");
    let privilege = Element::new("privilege", ns::PRIVILEGE_2).with_child(perm);
    let (from, to) = (Jid::new(host).unwrap(), bench.intake.gateway.own_jid());
    let says = Message::new(MessageType::Normal, from, to).with_child(privilege);
    assert!(bench.intake.rosters.allowed(&says));
    let announced = bench.intake.rosters.announced();
    while announced.of(host).is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_contact_met_while_the_database_is_out_of_order_asks_later() {
    let mut bench = Bench::with_alice().await;
    let contact = || BareJid::new("+12025550147@sms.example.org").ok();
    let asks = "from='+12025550147@sms.example.org'";
    // First nothing can be read, then nothing be written.
    bench.rename("contacts", "hidden").await;
    bench.intake.rosters.met(70, contact, ALICE, true);
    idle(&bench, "one.example").await;
    bench.rename("hidden", "contacts").await;
    bench
        .sql("CREATE TRIGGER full BEFORE INSERT ON contacts BEGIN SELECT RAISE(ABORT, 'full'); END")
        .await;
    bench.clock.advance(LATER);
    idle(&bench, "two.example").await;
    bench.sql("DROP TRIGGER full").await;
    let clock = Arc::clone(&bench.clock);
    let time_passes = async {
        loop {
            clock.advance(LATER);
            tokio::task::yield_now().await;
        }
    };
    let heard = tokio::select! {
        heard = bench.until(asks) => heard,
        () = time_passes => String::new(),
    };
    let asked = heard + &bench.until(">").await;
    assert!(asked.contains("type='subscribe'"), "{asked}");
    let member = bench.intake.store.member(1, ALICE, "+12025550147").await;
    assert!(member.unwrap().unwrap().contact.asked);
}
