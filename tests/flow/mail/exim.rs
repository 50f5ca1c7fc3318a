//! The same through another mail server: Exim hands over, takes, and returns what cannot be delivered, in words of its own.

use transom_test_servers::{Exim, HandOver};

use super::*;

struct EximWorld {
    _transom: Transom,
    prosody: Prosody,
    sink: MailSink,
    exim: Exim,
}

async fn by(how: HandOver) -> EximWorld {
    let prosody = Prosody::builder()
        .component(MAIL, "secret")
        .user("alice")
        .start()
        .await;
    let (sink, door) = (MailSink::start().await, free_port());
    let exim = Exim::start(MAIL, (how, door), sink.addr()).await;
    let incoming = match how {
        HandOver::Lmtp => format!("[gateway.mail.lmtp]\nlisten = \"{door}\"\n"),
        HandOver::Smtp => {
            format!("[gateway.mail.smtp_in]\nlisten = \"{door}\"\nfrom_hosts = [\"127.0.0.1\"]\n")
        }
    };
    let seat = Seat {
        server: prosody.component_addr(),
        domain: MAIL,
        secret: "secret",
    };
    EximWorld {
        _transom: gateway(&seat, exim.smtp_addr(), &incoming, "").await,
        prosody,
        sink,
        exim,
    }
}

async fn there_and_back_by(how: HandOver) {
    let world = by(how).await;
    let mut alice = world.prosody.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "Grüße, *Bob*!")).await;
    let mail = world.sink.mail("alice's mail", |_| true).await;
    assert_eq!(mail.to, ["bob@example.com"]);
    assert!(mail.from.starts_with("bounces+"), "{}", mail.from);
    let reply = answer(&mail, "Re: Grüße", "Gladly!");
    to_alice(world.exim.smtp_addr(), &reply).await;
    let answered = text(&mut alice, "bob's answer").await;
    let body = answered.body().unwrap_or_default();
    assert!(body.ends_with("Gladly!"), "{body}");
    assert_eq!(answered.attr("from"), Some(BOB));
    // Exim hears the no an instant after it took the mail, and returns it.
    world
        .sink
        .answer_always(Stage::Rcpt, Some(Verdict::reply("550 5.1.1 no such user")));
    alice.send(&chat(BOB, "m2", "are you there?")).await;
    let error = alice
        .expect("the error", |stanza| stanza.attr("type") == Some("error"))
        .await;
    assert_eq!(error.attr("id"), Some("m2"));
    assert_eq!(condition(&error).as_deref(), Some("item-not-found"));
}

#[tokio::test]
async fn mail_goes_and_comes_and_bounces_through_exim_by_lmtp() {
    if skipped(&[Server::Prosody, Server::Exim]) {
        return;
    }
    there_and_back_by(HandOver::Lmtp).await;
}

#[tokio::test]
async fn mail_goes_and_comes_and_bounces_through_exim_by_smtp() {
    if skipped(&[Server::Prosody, Server::Exim]) {
        return;
    }
    there_and_back_by(HandOver::Smtp).await;
}
