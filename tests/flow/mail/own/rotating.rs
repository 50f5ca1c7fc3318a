//! A provider that ends a refresh token when it gives the next one.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use transom_test_servers::{Answer, Feature, Server, XmppClient, get, skipped};

use super::is_nowhere;
use super::sent::kept;
use super::two::another;
use super::world::{OWN, OwnWorld, answers, autoconfig, chat_from, mail};
use crate::mail::BOB;
use crate::world::{Database, chat, link_up};

/// The number of the one refresh token that is good, and how often another was brought.
struct Provider {
    good: AtomicU64,
    refused: AtomicU64,
    /// The seconds that an access token is good for.
    expires_in: u64,
}

impl Provider {
    fn new(expires_in: u64) -> Arc<Self> {
        let (good, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self {
            good,
            refused,
            expires_in,
        })
    }

    fn answer(&self, form: &str) -> Answer {
        let good = self.good.load(Ordering::SeqCst);
        let brought = form.split('&').find_map(|field| {
            let number = field.strip_prefix("refresh_token=refresh-")?;
            number.parse::<u64>().ok()
        });
        if brought != Some(good) && !form.contains("code=given") {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Answer::json(400, r#"{"error":"invalid_grant"}"#);
        }
        let (next, expires_in) = (good + 1, self.expires_in);
        self.good.store(next, Ordering::SeqCst);
        let answer = format!(
            r#"{{"access_token":"today's","refresh_token":"refresh-{next}","token_type":"Bearer","expires_in":{expires_in}}}"#
        );
        Answer::json(200, &answer)
    }

    /// The number of the one that is good, with none refused so far.
    fn good(&self) -> u64 {
        let refused = self.refused.load(Ordering::SeqCst);
        assert_eq!(refused, 0, "one was brought that had ended");
        self.good.load(Ordering::SeqCst)
    }
}

/// In the world whose provider it is.
fn answers_in(world: &OwnWorld, provider: &Arc<Provider>) {
    let document = autoconfig(world.dovecot.imap_addr(), world.postfix.smtp_addr());
    let provider = Arc::clone(provider);
    world
        .directory
        .answer_by(move |request| match request.target.as_str() {
            "/token" => provider.answer(&String::from_utf8_lossy(&request.body)),
            other => answers(other, &document),
        });
}

/// Connects the mailbox, and waits until it is read.
async fn signed_in(world: &OwnWorld, alice: &mut XmppClient) {
    let path = world.link(alice, OWN).await;
    world.page(&path, "Sign in at Corp").await;
    let token = path.rsplit('/').next().expect("a token");
    let back = format!("/admin/own?state={token}&code=given");
    get(world.transom.http(), &back).await.expect("an answer");
    world.page(&path, "is connected").await;
    world.is_up().await;
}

#[tokio::test]
async fn a_refresh_token_that_takes_the_place_of_another_outlives_restarts() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let provider = Provider::new(3600);
    let mut world = OwnWorld::with_provider().await;
    answers_in(&world, &provider);
    let mut alice = world.alice().await;
    signed_in(&world, &mut alice).await;
    // One came of the code; the login was proven with it, which ended it; the mailbox was opened with the next.
    assert_eq!(provider.good(), 3);
    // Both servers are logged in to with what one refresh token gave.
    world.deliver(OWN, &mail("one", "before")).await;
    chat_from(&mut alice, BOB, "before").await;
    alice.send(&chat(BOB, "m1", "sent by token")).await;
    world.sink.mail("alice's", |mail| mail.from == OWN).await;
    assert_eq!(provider.good(), 3);

    world.transom.restart().await;
    link_up(&world.transom, "mail").await;
    world.is_up().await;
    assert_eq!(provider.good(), 4);
    world.transom.kill9();
    world.transom.start().await;
    link_up(&world.transom, "mail").await;
    world.is_up().await;
    assert_eq!(provider.good(), 5);

    // Killed when the next one is stored, before anything is done with what came with it.
    world.transom.sigterm().await;
    world.transom.set_env("TRANSOM_ABORT_AT", "LoginRenewed:1");
    world.transom.spawn();
    world.transom.wait().await;
    assert_eq!(provider.good(), 6);
    world.transom.set_env("TRANSOM_ABORT_AT", "");
    world.deliver(OWN, &mail("two", "meanwhile")).await;
    world.transom.start().await;
    link_up(&world.transom, "mail").await;
    chat_from(&mut alice, BOB, "meanwhile").await;
    assert_eq!(provider.good(), 7);
    is_nowhere(&world, "refresh-");
}

#[tokio::test]
async fn a_process_that_takes_a_mailbox_over_uses_the_token_that_another_was_given() {
    let servers = [
        Server::Prosody,
        Server::Postfix,
        Server::Dovecot,
        Server::Postgres,
    ];
    if skipped(&servers) {
        return;
    }
    // No access token is used twice.
    let provider = Provider::new(0);
    let features = vec![Feature::KickOld];
    let mut world = OwnWorld::with_provider_on(Database::Postgres, features).await;
    answers_in(&world, &provider);
    let mut alice = world.alice().await;
    signed_in(&world, &mut alice).await;
    world.deliver(OWN, &mail("one", "first")).await;
    chat_from(&mut alice, BOB, "first").await;

    // It has opened the mailbox, with the refresh token of now; either of the two may send, and ends that.
    let mut other = another(&world).await;
    let before = provider.good();
    for text in ["second", "third"] {
        alice.send(&chat(BOB, text, text)).await;
        // The copy is the last that anybody logs in for.
        assert_eq!(kept(&world, text).await, 1);
    }
    assert!(provider.good() >= before + 4);
    world.transom.kill9();
    world.deliver(OWN, &mail("two", "from there")).await;
    chat_from(&mut alice, BOB, "from there").await;
    world.transom.start().await;
    other.kill9();
    world.deliver(OWN, &mail("three", "and back")).await;
    chat_from(&mut alice, BOB, "and back").await;
    provider.good();
}
