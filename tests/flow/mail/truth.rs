//! What becomes of a mail is what its sender sees: refused, deferred, cut off after the final dot, returned hours later.

use transom_test_servers::{PATIENCE, Postgres, until};

use super::*;

/// Without a mail server between: what the other side says is said to transom.
struct Direct {
    transom: Transom,
    prosody: Prosody,
    sink: MailSink,
    lmtp: SocketAddr,
}

async fn direct() -> (Direct, XmppClient) {
    direct_on("").await
}

async fn direct_on(store: &str) -> (Direct, XmppClient) {
    let prosody = Prosody::builder()
        .component(MAIL, "secret")
        .user("alice")
        .start()
        .await;
    let (sink, lmtp) = (MailSink::start().await, free_port());
    let seat = Seat {
        server: prosody.component_addr(),
        domain: MAIL,
        secret: "secret",
    };
    let incoming = format!("[gateway.mail.lmtp]\nlisten = \"{lmtp}\"\n");
    let mut transom = gateway(&seat, sink.addr(), &incoming, store).await;
    transom.sigterm().await;
    transom.set_env("TRANSOM_GATEWAY__MAIL__REPORT_AFTER", "1s");
    transom.start().await;
    link_up(&transom, "mail").await;
    let alice = prosody.client("alice", "phone").await;
    let world = Direct {
        transom,
        prosody,
        sink,
        lmtp,
    };
    (world, alice)
}

impl Direct {
    /// Waits until the log says this so many times: an attempt is over, and what follows from it is committed.
    async fn logged(&self, words: &str, times: usize) {
        let said = async || (self.transom.log().matches(words).count() >= times).then_some(());
        let said = until(words, PATIENCE, said).await;
        said.unwrap_or_else(|why| panic!("{why}:\n{}", self.transom.log()));
    }

    /// The deliveries that wait, once there are any, tried now.
    async fn hurry(&self) {
        let list = async || {
            let listed = self.transom.command(&["queue", "list", "--json"]).await;
            let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).ok()?;
            let rows = listed["queue"].as_array()?.iter();
            let ids: Vec<String> = rows
                .filter_map(|row| row["id"].as_str().map(str::to_owned))
                .collect();
            (!ids.is_empty()).then_some(ids)
        };
        let ids = until("a mail that waits", PATIENCE, list).await;
        let ids = ids.unwrap_or_else(|why| panic!("{why}:\n{}", self.transom.log()));
        let mut retry = vec!["queue", "retry"];
        retry.extend(ids.iter().map(String::as_str));
        let retried = self.transom.command(&retry).await;
        assert!(retried.status.success(), "{retried:?}");
    }

    async fn kill(&mut self) {
        self.transom.kill9();
        self.transom.start().await;
        link_up(&self.transom, "mail").await;
    }

    /// A report about a mail, as the other side's server sends it.
    async fn report(&self, about: &Mail, action: &str, status: &str) {
        let report = about.delivery_report(action, status);
        let lmtp = Mailer::lmtp(self.lmtp);
        lmtp.send("", &[about.from.as_str()], &report).await;
    }
}

async fn failure(client: &mut XmppClient, id: &str) -> (String, String) {
    let error = client
        .expect(id, |stanza| {
            stanza.attr("type") == Some("error") && stanza.attr("id") == Some(id)
        })
        .await;
    let text = error.child("error").and_then(|error| error.child("text"));
    let condition = condition(&error).unwrap_or_default();
    (condition, text.map(Element::text).unwrap_or_default())
}

fn notices(client: &XmppClient, words: &str) -> usize {
    let said = client.received();
    let said = said.iter().filter_map(Element::body);
    said.filter(|body| body.starts_with('⚠') && body.contains(words))
        .count()
}

async fn notice(client: &mut XmppClient, words: &str) {
    client
        .expect(words, |stanza| {
            let body = stanza.body().unwrap_or_default();
            body.starts_with('⚠') && body.contains(words)
        })
        .await;
}

/// RFC 5321 §4.2.1: a 5xx is the end, whichever command it answers; its reason is told.
#[tokio::test]
async fn rfc5321_a_5xx_is_told_at_once_and_a_full_mailbox_as_one() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let (world, mut alice) = direct().await;
    for (id, stage, reply, condition, words) in [
        (
            "m1",
            Stage::Rcpt,
            "550 5.1.1 no such user",
            "item-not-found",
            "address",
        ),
        (
            "m2",
            Stage::Rcpt,
            "552 5.2.2 mailbox full",
            "resource-constraint",
            "full",
        ),
        (
            "m3",
            Stage::Dot,
            "552 5.2.2 over quota",
            "resource-constraint",
            "full",
        ),
        ("m4", Stage::Dot, "554 5.7.1 not wanted", "forbidden", ""),
    ] {
        world.sink.answer_next(stage, Verdict::reply(reply));
        alice.send(&chat(BOB, id, "are you there?")).await;
        let (why, text) = failure(&mut alice, id).await;
        assert_eq!(why, condition, "{reply}: {text}");
        assert!(text.contains(words), "{reply}: {text}");
    }
    assert!(world.sink.mails().is_empty(), "none was taken");
    drop(world.prosody);
}

/// RFC 5321 §4.5.4.1: a 4xx is tried again; its sender hears once that it is late, and of its end.
#[tokio::test]
async fn rfc5321_a_4xx_is_tried_again_and_said_to_be_late_once() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let (world, mut alice) = direct().await;
    world
        .sink
        .answer_always(Stage::Rcpt, Some(Verdict::reply("451 4.7.1 greylisted")));
    alice.send(&chat(BOB, "m1", "first")).await;
    notice(&mut alice, "has not been delivered yet").await;
    world.hurry().await;
    world.logged("attempt=2", 1).await;
    // Refused once more before the next is: each has its say once.
    alice.send(&chat(BOB, "m2", "second")).await;
    notice(&mut alice, "\"second\" has not been delivered yet").await;
    assert_eq!(notices(&alice, "\"first\" has not been delivered"), 1);
    world.sink.answer_always(Stage::Rcpt, None);
    world.hurry().await;
    let is_it = |mail: &Mail| mail.text().contains("\r\n\r\nsecond");
    world.sink.mail("the second", is_it).await;
    let failed = alice.received();
    let failed = failed
        .iter()
        .filter(|stanza| stanza.attr("type") == Some("error"));
    assert_eq!(failed.count(), 0);
}

/// After the dot nobody knows: repeated once as the same mail, which the other side knows; then its sender is told that nobody knows.
#[tokio::test]
async fn a_cut_after_the_final_dot_is_repeated_once_as_the_same_mail_and_then_told() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let (world, mut alice) = direct().await;
    let same = async |words: &str| {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let mail = world.sink.mail(words, |mail| mail.text().contains(words));
            ids.push(mail.await.header("Message-ID"));
        }
        assert_eq!(ids[0], ids[1], "{words}");
    };
    world.sink.answer_next(Stage::Dot, Verdict::KeepAndClose);
    alice.send(&chat(BOB, "m1", "heard at last")).await;
    world.logged("outcome=\"queued\"", 1).await;
    world.hurry().await;
    same("heard at last").await;
    for _ in 0..2 {
        world.sink.answer_next(Stage::Dot, Verdict::KeepAndClose);
    }
    alice.send(&chat(BOB, "m2", "who knows")).await;
    world.logged("outcome=\"queued\"", 2).await;
    world.hurry().await;
    same("who knows").await;
    notice(&mut alice, "\"who knows\" may or may not have arrived").await;
    assert_eq!(notices(&alice, "heard at last\" may"), 0);
}

#[tokio::test]
async fn a_mail_that_kills_interrupt_is_repeated_once_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    interrupted("").await;
}

#[tokio::test]
async fn a_mail_that_kills_interrupt_is_repeated_once_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let postgres = Postgres::start().await;
    interrupted(&format!(
        "[store]\nurl = \"{}\"\n",
        postgres.database().await
    ))
    .await;
}

/// Nobody knows either what came of a mail whose sender is killed at the dot: repeated once, whatever happens between, then told.
async fn interrupted(store: &str) {
    let (mut world, mut alice) = direct_on(store).await;
    let hang = Some(Verdict::KeepAndHang);
    world.sink.answer_always(Stage::Dot, hang);
    // Their subject is the first one's words.
    let says = |words: &str| {
        let body = format!("\r\n\r\n{words}");
        move |mail: &Mail| mail.text().contains(&body)
    };

    alice.send(&chat(BOB, "m1", "who knows")).await;
    let first = world.sink.mail("m1", says("who knows")).await;
    world.kill().await;
    let again = world.sink.mail("m1 again", says("who knows")).await;
    assert_eq!(first.header("Message-ID"), again.header("Message-ID"));
    world.kill().await;
    notice(&mut alice, "\"who knows\" may or may not have arrived").await;

    // One that is put off between the two is not repeated more often for that.
    alice.send(&chat(BOB, "m2", "nor this")).await;
    world.sink.mail("m2", says("nor this")).await;
    let later = Verdict::reply("451 4.3.0 later");
    world.sink.answer_next(Stage::Dot, later);
    world.kill().await;
    world.logged("451 4.3.0", 1).await;
    world.hurry().await;
    world.sink.mail("m2 again", says("nor this")).await;
    world.kill().await;
    notice(&mut alice, "\"nor this\" may or may not have arrived").await;
    for words in ["who knows", "nor this"] {
        let mails = world.sink.mails();
        assert_eq!(mails.iter().filter(|mail| says(words)(mail)).count(), 2);
    }
}

/// Hours after a mail was taken: a delay is said once, and the end counts, whatever was said before.
#[tokio::test]
async fn a_late_bounce_turns_a_mail_that_was_taken_into_an_error() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let (world, mut alice) = direct().await;
    alice.send(&chat(BOB, "m1", "are you there?")).await;
    let mail = world.sink.mail("alice's mail", |_| true).await;
    for _ in 0..2 {
        world.report(&mail, "delayed", "4.4.1").await;
    }
    notice(&mut alice, "has not been delivered yet").await;
    world.report(&mail, "failed", "5.2.2").await;
    let (why, text) = failure(&mut alice, "m1").await;
    assert_eq!(why, "resource-constraint", "{text}");
    assert_eq!(notices(&alice, "has not been delivered yet"), 1);
}
