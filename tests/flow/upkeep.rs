//! What is done beside the messages: admins are told of trouble, and what was kept for long enough is forgotten.

use transom_test_servers::{Answer, Element, PATIENCE, Server, XmppClient, skipped, until};

use crate::world::{Database, LINE, PLAIN, SMS, World, chat, contact, store};

on_each_server! {
    an_admin_is_told_of_texts_that_belong_to_nobody_once_and_when_it_is_over,
}

const SHARED: &str = "+12025550101";
const PEER: &str = "+12025550147";

/// Alice's line and a shared one; bob is the admin, and `more` goes into the configuration.
async fn world(more: &str) -> World {
    world_at(Server::Prosody, more).await
}

async fn world_at(server: Server, more: &str) -> World {
    let lines = format!(
        "[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n\
         [[gateway.sms.line]]\nnumber = \"{SHARED}\"\nshared = true\n"
    );
    let mut world = World::prepare_on(server, &PLAIN, &lines, more, |builder| builder).await;
    let config = world.transom.config_text();
    world
        .transom
        .configure(&config.replace("admin@example.org", "bob@example.org"));
    world.transom.start().await;
    world.up().await;
    world
}

async fn restart(world: &mut World) {
    assert!(world.transom.sigterm().await.success());
    world.transom.start().await;
    world.up().await;
}

async fn told(admin: &mut XmppClient, words: &[&str]) -> Element {
    let wanted = |stanza: &Element| {
        let body = stanza.body().unwrap_or_default();
        stanza.attr("from") == Some(SMS) && words.iter().all(|word| body.contains(word))
    };
    admin
        .expect_within(PATIENCE * 2, "a line to the admin", wanted)
        .await
}

#[tokio::test]
async fn an_admin_is_told_when_an_account_is_low_on_credit_and_when_it_has_enough_again() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut world = world("").await;
    let mut bob = world.client("bob").await;
    let config = world.transom.config_text();
    let asked = config.replace("balance_low = 0", "balance_low = 5");
    world.transom.configure(&asked);
    for (balance, words) in [
        ("4.125", ["⚠", "sms/main", "4.12 USD"]),
        ("5.00", ["✓", "sms/main", "enough credit"]),
    ] {
        let answer = format!(r#"{{"account_sid":"AC1","balance":"{balance}","currency":"USD"}}"#);
        world.twilio.api.answer_by(move |request| {
            if request.path().ends_with("/Accounts/AC1/Balance.json") {
                return Answer::json(200, &answer);
            }
            Answer::status(404)
        });
        restart(&mut world).await;
        told(&mut bob, &words).await;
    }
}

async fn an_admin_is_told_of_texts_that_belong_to_nobody_once_and_when_it_is_over(on: Server) {
    proves!(
        "admins are told of trouble, and when it is over",
        Prosody,
        Ejabberd
    );
    let mut world = world_at(on, "").await;
    let mut bob = world.client("bob").await;
    let texts = [("SM1", "who is this"), ("SM2", "hello?")];
    for (sid, body) in texts {
        let answer = world.twilio.deliver(sid, PEER, SHARED, body).await;
        assert_eq!(answer, Ok(200));
    }
    restart(&mut world).await;
    let line = told(&mut bob, &["⚠", SHARED, "2"]).await;
    assert!(
        line.child_in("store", "urn:xmpp:hints").is_some(),
        "archives keep it: {line:?}"
    );
    // Taken care of: the next process knows what the last one said.
    let args = ["queue", "list", "--json"];
    let waiting = world.transom.command(&args).await;
    let waiting: serde_json::Value = serde_json::from_slice(&waiting.stdout).unwrap();
    let text = waiting.to_string();
    let ids = text.split("\"id\":").skip(1).map(|rest| {
        let number: String = rest
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        number
    });
    for id in ids.collect::<Vec<_>>() {
        let args = ["queue", "cancel", id.as_str()];
        let done = world.transom.command(&args).await;
        assert!(done.status.success(), "{done:?}");
    }
    restart(&mut world).await;
    told(&mut bob, &["✓", SHARED]).await;
    let lines = bob
        .received()
        .iter()
        .filter(|stanza| stanza.body().is_some());
    assert_eq!(lines.count(), 2, "each once");
}

#[tokio::test]
async fn a_text_that_is_not_kept_is_forgotten_once_it_was_sent() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    is_forgotten(Database::Sqlite).await;
}

#[tokio::test]
async fn a_text_that_is_not_kept_is_forgotten_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    is_forgotten(Database::Postgres).await;
}

async fn is_forgotten(database: Database) {
    let store = store(database).await;
    let mut world = world(&format!("{store}[keep]\nbodies = \"0s\"\n")).await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "our secret")).await;
    world.twilio.text("our secret").await;
    let kept = async |world: &World| {
        let trace = world.transom.command(&["trace", "m1", "--json"]).await;
        String::from_utf8_lossy(&trace.stdout).into_owned()
    };
    let accepted = async || kept(&world).await.contains("accepted").then_some(());
    until("the text to be accepted", PATIENCE, accepted)
        .await
        .unwrap();
    assert!(
        kept(&world).await.contains("\"text_is_kept\": true"),
        "{}",
        kept(&world).await
    );
    restart(&mut world).await;
    let forgotten = async || {
        kept(&world)
            .await
            .contains("\"text_is_kept\": false")
            .then_some(())
    };
    until("the text to be forgotten", PATIENCE, forgotten)
        .await
        .unwrap();
    let log = world.transom.log();
    assert!(!log.contains("Nothing can be forgotten"), "{log}");
}
