//! What others can believe of our mails, and what we say of theirs.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::Ed25519KeyPair,
};
use base64::{Engine, prelude::BASE64_STANDARD};

use super::*;

/// Verifies a mail with a program that shares nothing with us; the key comes from the record that `check --live` prints.
const VERIFY: &str = "import sys, dkim; \
    sys.exit(not dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: sys.argv[1].encode()))";

fn verifies(mail: &[u8], record: &str) -> bool {
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", VERIFY, record])
        .stdin(Stdio::piped())
        .spawn()
        .expect("python3 with dkimpy");
    let mut input = python.stdin.take().expect("its input");
    input.write_all(mail).expect("a mail for it");
    drop(input);
    python.wait().expect("its verdict").success()
}

async fn signed_with(key: &[u8]) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64_STANDARD.encode(key)
    );
    std::fs::write(file.path(), pem).expect("a key in it");
    let file = file.path().display();
    let tables = format!("[gateway.mail.dkim]\nselector = \"transom\"\nkey_file = \"{file}\"\n");
    let world = world_with(In::Lmtp, Database::Sqlite, &tables).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice
        .send(&chat(
            BOB,
            "m1",
            "Grüße an *alle*,\n\n  und  bis bald.\n.\nFrom here",
        ))
        .await;
    let mail = world.sink.mail("alice's mail", |_| true).await;
    let check = world.transom.command(&["check", "--live"]).await;
    let check = String::from_utf8_lossy(&check.stdout).into_owned();
    let record = check
        .lines()
        .find_map(|line| line.split_once("transom._domainkey.mail.example.org TXT \""))
        .and_then(|(_, text)| text.split('"').next())
        .expect("the record of the key");
    assert!(check.contains("v=spf1"), "{check}");
    assert!(check.contains("_dmarc.mail.example.org"), "{check}");
    assert!(verifies(&mail.content, record), "{}", mail.text());
    let forged = mail.text().replace("bis bald", "bis nie");
    assert!(!verifies(forged.as_bytes(), record), "{forged}");
    let added = format!("From: Eve <eve@example.net>\r\n{}", mail.text());
    assert!(!verifies(added.as_bytes(), record), "a second From");
}

#[tokio::test]
async fn rfc6376_a_mail_is_signed_with_rsa_and_others_verify_it() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dkimpy]) {
        return;
    }
    let key = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let key: Pkcs8V1Der<'_> = key.as_der().expect("its form");
    signed_with(key.as_ref()).await;
}

#[tokio::test]
async fn rfc8463_a_mail_is_signed_with_ed25519_and_others_verify_it() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dkimpy]) {
        return;
    }
    let key = Ed25519KeyPair::generate().expect("a key");
    let key: Pkcs8V1Der<'_> = key.as_der().expect("its form");
    signed_with(key.as_ref()).await;
}

#[tokio::test]
async fn what_speaks_against_a_sender_is_said_before_the_text() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    to_alice(
        world.postfix.smtp_addr(),
        "X-Spam-Flag: YES\r\nFrom: \"service@bank.example\" <bob@example.com>\r\nSubject: Your account\r\n\r\n⚠ Pay now.\r\n",
    )
    .await;
    let shown = text(&mut alice, "the warning")
        .await
        .body()
        .expect("a text");
    let lines: Vec<&str> = shown.lines().collect();
    assert!(
        lines[0].starts_with("⚠ ") && lines[0].contains("service@bank.example"),
        "{shown}"
    );
    assert!(
        lines[1].starts_with("⚠ ") && lines[1].contains("spam"),
        "{shown}"
    );
    assert!(
        !lines.iter().skip(2).any(|line| line.starts_with('⚠')),
        "{shown}"
    );
}

#[tokio::test]
async fn an_invitation_is_shown_as_a_card_and_an_empty_mail_as_one() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let world = world(In::Lmtp).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    let mail = world.sink.mail("hello", |_| true).await;
    let reply = answer(&mail, "Re: hello", "");
    let invitation = reply.replace(
        "\r\n\r\n",
        "\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Lunch\r\nDTSTART:20261102T110000Z\r\nLOCATION:Room 1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    to_alice(world.postfix.smtp_addr(), &invitation).await;
    let card = text(&mut alice, "the invitation").await;
    assert_eq!(
        card.body().as_deref(),
        Some("📅 Invitation: Lunch\nWhen: 2026-11-02 11:00 (UTC)\nWhere: Room 1")
    );
    let empty = reply.replace("Message-ID: <", "Message-ID: <empty-");
    to_alice(world.postfix.smtp_addr(), &empty).await;
    let empty = text(&mut alice, "the empty mail").await;
    assert_eq!(empty.body().as_deref(), Some("(A mail without text.)"));
}
