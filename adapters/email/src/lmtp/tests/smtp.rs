//! The same listener over SMTP, from hosts that are named.

use super::*;

const LOCAL: &str = "127.0.0.0/8";

async fn greeted() -> Mta {
    let mut mta = Mta::dial(LIMITS, Some(LOCAL)).await;
    assert_eq!(mta.line().await, "220 mail.example.org ESMTP transom");
    mta.ask("EHLO mx.example.org", "250-mail.example.org").await;
    while mta.line().await.starts_with("250-") {}
    mta
}

async fn sent(mta: &mut Mta, recipients: &[&str]) -> String {
    mta.ask("MAIL FROM:<bob@example.com>", "250").await;
    for recipient in recipients {
        mta.ask(&format!("RCPT TO:<{recipient}>"), "250").await;
    }
    mta.ask("DATA", "354").await;
    mta.write(b"From: bob@example.com\r\nMessage-ID: <1@example.com>\r\n\r\nhi\r\n.\r\n")
        .await;
    mta.line().await
}

#[tokio::test]
async fn rfc5321_4_1_1_4_one_answer_a_mail_after_the_commit() {
    let mut mta = greeted().await;
    assert_eq!(sent(&mut mta, &[ALICE]).await, "250 2.1.5 ok");
    assert_eq!(mta.inbox.events().len(), 1);
    mta.ask("NOOP", "250").await;
}

#[tokio::test]
async fn rfc5321_4_5_3_1_10_the_one_answer_is_about_one_recipient() {
    let mut mta = greeted().await;
    mta.ask("MAIL FROM:<bob@example.com>", "250").await;
    mta.ask("RCPT TO:<nobody@mail.example.org>", "550").await;
    mta.ask(&format!("RCPT TO:<{ALICE}>"), "250").await;
    let second = "RCPT TO:<carol@mail.example.org>";
    mta.ask(second, "452 4.5.3").await;
    mta.ask("RSET", "250").await;
    mta.ask("MAIL FROM:<bob@example.com>", "250").await;
    mta.ask(second, "250").await;
    mta.inbox.refuse(Address::new("carol@mail.example.org"));
    mta.ask("DATA", "354").await;
    mta.write(MAIL.as_bytes()).await;
    assert!(mta.line().await.starts_with("550 5.1.1"));
    mta.ask("NOOP", "250").await;
}

#[tokio::test]
async fn rfc5321_4_1_1_1_ehlo_and_helo_greet_and_lhlo_does_not() {
    let mut mta = greeted().await;
    mta.ask("LHLO mx.example.org", "500 5.5.1").await;
    mta.ask("HELO mx.example.org", "250 mail.example.org").await;
    mta.ask("RCPT TO:<alice@mail.example.org>", "503").await;
}

#[tokio::test]
async fn rfc5321_6_1_nobodys_mail_is_refused_at_rcpt_and_nothing_is_relayed() {
    let mut mta = greeted().await;
    mta.ask("MAIL FROM:<>", "250").await;
    mta.ask("RCPT TO:<nobody@mail.example.org>", "550 5.1.1")
        .await;
    mta.ask("RCPT TO:<bob@elsewhere.example>", "550").await;
    mta.ask("RCPT TO:<postmaster>", "250").await;
}

#[tokio::test]
async fn a_host_that_is_not_named_is_not_heard() {
    let mut mta = Mta::dial(LIMITS, Some("192.0.2.0/24")).await;
    assert_eq!(mta.line().await, "");
    assert_eq!(mta.meter.of("smtp_in_unnamed_host"), 1);
}
