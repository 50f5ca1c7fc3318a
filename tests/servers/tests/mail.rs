//! Postfix, Dovecot, the sink and the mail program work together.

use transom_test_servers::{
    Dovecot, Lines, MAIL_PASSWORD, MailSink, Mailboxes, Mailer, Postfix, Server, Stage, Verdict,
    skipped,
};

const MAIL: &str = "From: a@example.net\nSubject: hello\n\nFirst.\n.hidden dot\n";

#[tokio::test]
async fn postfix_delivers_into_a_mailbox_that_imap_reads() {
    if skipped(&[Server::Postfix, Server::Dovecot]) {
        return;
    }
    let dovecot = Dovecot::start(Mailboxes::CatchAll("bridge".to_owned())).await;
    let postfix = Postfix::builder()
        .route("mail.example.org", dovecot.lmtp_addr())
        .start()
        .await;
    let mailer = postfix.mailer();
    mailer
        .send("a@example.net", &["alice@mail.example.org"], MAIL)
        .await;
    let mail = dovecot.mail("bridge", |_| true).await.text();
    assert!(
        mail.contains("Delivered-To: alice@mail.example.org"),
        "{mail}"
    );
    assert!(mail.ends_with("First.\n.hidden dot\n"), "{mail}");

    let mut imap = Lines::connect(dovecot.imap_addr()).await;
    imap.send(&format!("a LOGIN bridge {MAIL_PASSWORD}")).await;
    imap.send("b SELECT INBOX").await;
    let answer = imap.lines_until(|line| line.starts_with("b ")).await;
    assert!(answer.contains(&"* 1 EXISTS".to_owned()), "{answer:?}");
}

#[tokio::test]
async fn each_user_of_dovecot_has_a_mailbox() {
    if skipped(&[Server::Dovecot]) {
        return;
    }
    let mut dovecot = Dovecot::start(Mailboxes::PerUser).await;
    let mailer = Mailer::lmtp(dovecot.lmtp_addr());
    mailer
        .send(
            "a@example.net",
            &["bob@example.net", "carol@example.net"],
            MAIL,
        )
        .await;
    dovecot.mail("bob", |mail| mail.flags.is_empty()).await;
    dovecot.mail("carol", |_| true).await;
    dovecot.stop().await;
    dovecot.resume().await;
    assert_eq!(dovecot.inbox("bob").len(), 1);
}

#[tokio::test]
async fn postfix_sends_out_to_the_sink_and_tries_again() {
    if skipped(&[Server::Postfix]) {
        return;
    }
    let sink = MailSink::start().await;
    let mut postfix = Postfix::builder().outgoing(sink.addr()).start().await;
    sink.answer_next(Stage::Rcpt, Verdict::reply("451 4.3.0 later"));
    postfix
        .mailer()
        .send("a@example.org", &["b@example.net"], MAIL)
        .await;
    let mail = sink
        .mail("the second attempt", |mail| mail.to == ["b@example.net"])
        .await;
    assert_eq!(mail.from, "a@example.org");
    assert_eq!(mail.header("subject").unwrap(), "hello");
    assert!(
        mail.text().ends_with("First.\r\n.hidden dot\r\n"),
        "{}",
        mail.text()
    );
    postfix.stop().await;
    postfix.resume().await;
    postfix.mailer().send("", &["c@example.net"], MAIL).await;
    sink.mail("a mail after the restart", |mail| mail.from.is_empty())
        .await;
}

#[tokio::test]
async fn the_sink_follows_its_script() {
    let mut sink = MailSink::start().await;
    let mailer = Mailer::smtp(sink.addr());
    sink.answer_always(Stage::Mail, Some(Verdict::reply("550 5.7.1 no")));
    let verdicts = mailer.verdicts("a@x.example", &["b@y.example"], MAIL).await;
    assert_eq!(verdicts, ["550 5.7.1 no"]);
    sink.answer_always(Stage::Mail, None);
    sink.answer_next(Stage::Dot, Verdict::reply("452 4.3.1 full"));
    let verdicts = mailer.verdicts("a@x.example", &["b@y.example"], MAIL).await;
    assert_eq!(verdicts, ["452 4.3.1 full"]);
    assert!(sink.mails().is_empty());

    sink.answer_next(Stage::Dot, Verdict::KeepAndClose);
    let mut lines = Lines::connect(sink.addr()).await;
    lines.reply().await;
    for command in [
        "EHLO c",
        "MAIL FROM:<a@x.example> BODY=8BITMIME",
        "RCPT TO:<b@y.example>",
        "DATA",
    ] {
        lines.send(command).await;
        lines.reply().await;
    }
    lines.send("x\r\n.").await;
    assert_eq!(lines.line().await, None);
    assert_eq!(sink.mails()[0].parameters, ["BODY=8BITMIME"]);
    assert_eq!(sink.connections(), 3);

    sink.pause().await;
    sink.resume().await;
    mailer.send("a@x.example", &["b@y.example"], MAIL).await;
    assert_eq!(sink.mails().len(), 2);
}
