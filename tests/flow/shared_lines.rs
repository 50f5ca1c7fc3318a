//! Two users of one shared line (semantics 18).

use transom_test_servers::{Server, skipped};

use crate::world::{World, chat, condition, contact};

on_each_server! {
    answers_go_to_whoever_wrote_to_that_person,
}

const SHARED: &str = "+12025550101";
const SECOND: &str = "+12025550102";

fn shared(number: &str) -> String {
    format!("[[gateway.sms.line]]\nnumber = \"{number}\"\nshared = true\n")
}

async fn answers_go_to_whoever_wrote_to_that_person(on: Server) {
    proves!(
        "a shared line: answers go to whoever wrote",
        Prosody,
        Ejabberd
    );
    let world = World::with(on, &shared(SHARED), "").await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    let (anna, boris) = ("+12025550147", "+12025550148");
    alice
        .send(&chat(&contact(anna), "a1", "alice to anna"))
        .await;
    bob.send(&chat(&contact(boris), "b1", "bob to boris")).await;
    assert_eq!(
        world
            .twilio
            .text("alice to anna")
            .await
            .form("From")
            .as_deref(),
        Some(SHARED)
    );
    assert_eq!(
        world
            .twilio
            .text("bob to boris")
            .await
            .form("From")
            .as_deref(),
        Some(SHARED)
    );
    assert_eq!(
        world
            .twilio
            .deliver("SM1", boris, SHARED, "boris answers")
            .await,
        Ok(200)
    );
    assert_eq!(
        world
            .twilio
            .deliver("SM2", anna, SHARED, "anna answers")
            .await,
        Ok(200)
    );
    let to_alice = alice
        .expect("anna's answer", |stanza| stanza.body().is_some())
        .await;
    let to_bob = bob
        .expect("boris's answer", |stanza| stanza.body().is_some())
        .await;
    assert_eq!(to_alice.body().as_deref(), Some("anna answers"));
    assert_eq!(to_bob.body().as_deref(), Some("boris answers"));
}

#[tokio::test]
async fn a_person_who_talks_with_somebody_else_on_the_only_line_is_a_conflict() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let world = World::with(Server::Prosody, &shared(SHARED), "").await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    let anna = "+12025550147";
    alice
        .send(&chat(&contact(anna), "a1", "alice was first"))
        .await;
    world.twilio.text("alice was first").await;
    bob.send(&chat(&contact(anna), "b1", "me too")).await;
    let error = bob
        .expect("the conflict", |stanza| stanza.attr("id") == Some("b1"))
        .await;
    assert_eq!(condition(&error).as_deref(), Some("conflict"));
    assert_eq!(world.twilio.sent().len(), 1);
}

#[tokio::test]
async fn with_a_second_shared_line_the_other_user_gets_that_one() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let owned = "[[gateway.sms.line]]\nnumber = \"+12025550103\"\nowner = \"carol@example.org\"\n";
    let world = World::with(
        Server::Prosody,
        &format!("{}{}{owned}", shared(SHARED), shared(SECOND)),
        "",
    )
    .await;
    let mut bob = world.client("bob").await;
    bob.send(&chat(&contact("+12025550147"), "b1", "which line"))
        .await;
    // Two shared lines are a choice: first use does not register silently (semantics 14).
    let error = bob
        .expect("the choice", |stanza| stanza.attr("id") == Some("b1"))
        .await;
    assert_eq!(condition(&error).as_deref(), Some("registration-required"));
}
