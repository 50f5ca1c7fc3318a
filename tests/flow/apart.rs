//! Users of one gateway are apart: nobody finds, reads or changes what is another's.

use crate::{
    commands::say,
    world::{SMS, World, chat, contact},
};
use transom_test_servers::{Server, post_with};

on_each_server! { nobody_finds_or_changes_what_is_anothers }

const PEER: &str = "+12025550147";

async fn nobody_finds_or_changes_what_is_anothers(on: Server) {
    let bobs = "[[gateway.sms.line]]\nnumber = \"+12025550101\"\nowner = \"bob@example.org\"\n";
    let world = World::on(on, bobs).await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    alice.send(&chat(&contact(PEER), "m1", "zebra words")).await;
    world.twilio.text("zebra words").await;
    for line in ["contacts", "1", "1", "Giraffe"] {
        say(&mut alice, line).await;
    }
    say(&mut alice, "cancel").await;
    let blocked = "+12025550148";
    say(&mut alice, &format!("block {blocked}")).await;
    // What she finds, he does not.
    let search = "<query xmlns='jabber:iq:search'><nick>0147</nick></query>";
    let hers = alice.iq("set", SMS, search).await;
    assert!(hers.find("item", "jabber:iq:search").is_some(), "{hers}");
    let his = bob.iq("set", SMS, search).await;
    assert!(his.find("item", "jabber:iq:search").is_none(), "{his}");
    let card = "<vCard xmlns='vcard-temp'/>";
    let hers = alice.iq("get", &contact(PEER), card).await.to_string();
    assert!(hers.contains("Giraffe"), "{hers}");
    let his = bob.iq("get", &contact(PEER), card).await.to_string();
    assert!(!his.contains("Giraffe"), "{his}");
    // He is a user as well, and no stranger.
    bob.send(&chat(&contact("+12025550149"), "b1", "gnu words"))
        .await;
    world.twilio.text("gnu words").await;
    for question in ["contacts", "blocks", "messages", "usage", "export"] {
        let mut answer = say(&mut bob, question).await;
        if let Some((_, path)) = answer.split_once(&world.transom.http().to_string()) {
            let file = post_with(world.transom.http(), path.trim(), &[], b"").await;
            answer = file.unwrap().text();
        }
        for word in ["Giraffe", "0147", "0148", "zebra", "alice"] {
            assert!(!answer.contains(word), "{question}: {answer}");
        }
        if question != "blocks" && question != "usage" {
            assert!(answer.contains("0149"), "{question}: {answer}");
        }
        say(&mut bob, "cancel").await;
    }
    // Hers stays as it is when he blocks, names and forgets the same person.
    say(&mut bob, &format!("block {PEER}")).await;
    say(&mut bob, "unregister yes").await;
    let hers = say(&mut alice, "contacts").await;
    assert!(hers.contains("Giraffe"), "{hers}");
    say(&mut alice, "cancel").await;
    alice.send(&chat(&contact(PEER), "m2", "zebra again")).await;
    world.twilio.text("zebra again").await;
}
