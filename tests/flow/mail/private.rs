//! What nobody else learns: of mails from logs and metrics, of addresses by guessing.

use super::{commands::tell, *};

#[tokio::test]
async fn nothing_private_of_mail_is_logged() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let mut world = world(In::Lmtp).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice
        .send(&chat(BOB, "m1", "Subject: okapi plans\nzebra words"))
        .await;
    let mail = world.sink.mail("alice's mail", |_| true).await;
    let subject = "Re: okapi plans and a giraffe";
    to_alice(
        world.postfix.smtp_addr(),
        &answer(&mail, subject, "lion words"),
    )
    .await;
    text(&mut alice, "bob's answer").await;
    // What goes wrong is logged most: a refusal that quotes, a bounce, mail for nobody, a mail that is none.
    world.sink.answer_always(
        Stage::Rcpt,
        Some(Verdict::reply("550 5.1.1 <bob@example.com>: no zebra here")),
    );
    alice.send(&chat(BOB, "m2", "gnu words")).await;
    alice
        .expect("the error", |stanza| stanza.attr("id") == Some("m2"))
        .await;
    let lmtp = Mailer::lmtp(lmtp_of(&world));
    for (to, mail) in [
        (
            mail.from.as_str(),
            mail.delivery_report("failed", "5.2.2 the box of walrus is full"),
        ),
        (
            "walrus@mail.example.org",
            "Subject: walrus\r\n\r\nwalrus\r\n".to_owned(),
        ),
        (
            "alice@mail.example.org",
            "no header at all, but a walrus\r\n".to_owned(),
        ),
    ] {
        lmtp.verdicts("walrus@example.net", &[to], &mail).await;
    }
    alice.barrier().await;
    let page = world.transom.metrics().await;
    let command_line = world.transom.command_line();
    assert!(world.transom.sigterm().await.success());
    let log = world.transom.log();
    assert!(log.contains("Handed to the network."), "it logs: {log}");
    for (place, text) in [
        ("log", &log),
        ("metrics", &page),
        ("processes", &command_line),
    ] {
        for word in ["zebra", "okapi", "giraffe", "lion", "gnu words", "walrus"] {
            assert!(!text.contains(word), "{place}: {word}: {text}");
        }
        for address in ["bob@example.com", "alice@mail.example.org", &mail.from] {
            assert!(!text.contains(address), "{place}: {address}: {text}");
        }
    }
}

#[tokio::test]
async fn an_address_for_one_purpose_is_not_found_by_guessing() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    let mut made = Vec::new();
    for _ in 0..2 {
        let said = tell(&mut alice, "alias shop").await;
        made.push(
            said.split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    let tail = |address: &str| {
        let (local, _) = address.split_once('@').expect("an address");
        local.strip_prefix("shop.").expect("its word").to_owned()
    };
    let (first, second) = (tail(&made[0]), tail(&made[1]));
    assert!(first.len() >= 8 && first != second, "{made:?}");
    // Forty bits, of which one may be wrong or all: the door says the same, and hangs up on whoever goes on.
    let near = format!("shop.{}@mail.example.org", &first[1..]);
    let swapped = format!("shop.{first}x@mail.example.org");
    let guesses = [
        "nobody@mail.example.org",
        &near,
        &swapped,
        "shop.aaaaaaaa@mail.example.org",
        "shop@mail.example.org",
    ];
    let lmtp = Mailer::lmtp(lmtp_of(&world));
    let verdicts = lmtp.verdicts("spam@example.net", &guesses, "").await;
    for verdict in &verdicts {
        assert!(verdict.starts_with("550 5.1.1"), "{verdicts:?}");
        assert_eq!(verdict, &verdicts[0], "it tells nearly from not at all");
    }
    let many: Vec<String> = (0..2000)
        .map(|number| format!("shop.{number:08}@mail.example.org"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let tried = lmtp.attempt("spam@example.net", &many, "").await;
    assert_eq!(tried, None, "whoever guesses is hung up on");
    let real = lmtp
        .verdicts(
            "orders@shop.example",
            &[&made[0]],
            "Subject: Your order\r\n\r\nthanks\r\n",
        )
        .await;
    assert!(real[0].starts_with("250"), "{real:?}");
}
