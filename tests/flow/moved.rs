//! Texts that wait for the morning, lines that move to another provider, and lines that have two.

use transom_test_servers::{Answer, PATIENCE, Server, get, skipped, until};

use crate::{
    simulated::on_the_phone,
    world::{LINE, World, chat, contact, is_receipt_of},
};

const PEER: &str = "+12025550147";

fn line() -> String {
    format!(
        "[[gateway.sms.line]]\nnumber = \"{LINE}\"\nprovider = \"main\"\nowner = \"alice@example.org\"\n"
    )
}

/// The whole day but one minute that is not this one, at the recipient's.
const ALWAYS: &str = "quiet_hours = \"00:00-23:59\"\n";

#[tokio::test]
async fn a_text_waits_for_the_end_of_the_night_and_a_kill_does_not_hurry_it() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut world = World::with(Server::Prosody, &line(), "").await;
    let calm = world.transom.config_text();
    let night = calm.replacen(
        "region = \"US\"\n",
        &format!("region = \"US\"\n{ALWAYS}"),
        1,
    );
    assert_ne!(calm, night);
    world.transom.configure(&night);
    world.transom.restart().await;
    world.up().await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "good night")).await;
    let notice = alice
        .expect("the notice", |stanza| {
            let body = stanza.body().unwrap_or_default();
            body.contains("good night") && body.contains("at this hour")
        })
        .await;
    assert_eq!(notice.attr("from"), Some(contact(PEER).as_str()));
    // Behind it, and told of by the same notice.
    alice.send(&chat(&contact(PEER), "m2", "sleep well")).await;
    let both = async || (waiting(&world).await.len() == 2).then_some(());
    until("both to be stored", PATIENCE, both).await.unwrap();
    world.transom.kill9();
    world.transom.start().await;
    world.up().await;
    assert_eq!(world.twilio.sent().len(), 0, "nothing leaves at night");
    // In the morning.
    world.transom.configure(&calm);
    world.transom.restart().await;
    world.up().await;
    let ids = waiting(&world).await;
    let mut retry = vec!["queue", "retry"];
    retry.extend(ids.iter().map(String::as_str));
    let retried = world.transom.command(&retry).await;
    assert!(retried.status.success(), "{retried:?}");
    world.twilio.text("good night").await;
    world.twilio.text("sleep well").await;
}

#[tokio::test]
async fn a_line_moves_to_another_provider_with_its_chats_and_what_waits() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    // The old provider is gone already; the text waits for it.
    let gone = "[gateway.sms.provider.old]\nkind = \"kannel\"\nbase_url = \"http://127.0.0.1:9\"\nusername = \"u\"\n\
                password = \"p\"\nwebhook_token = \"0123456789abcdef\"\n";
    let old = line().replace("\"main\"", "\"old\"");
    let mut world = World::with(Server::Prosody, &format!("{gone}{old}"), "").await;
    let mut alice = world.client("alice").await;
    alice
        .send(&chat(&contact(PEER), "m1", "before the move"))
        .await;
    let tried = async || world.transom.log().contains("attempt=1").then_some(());
    until("the first attempt", PATIENCE, tried).await.unwrap();
    let moved = world
        .transom
        .config_text()
        .replace(gone, "")
        .replace(&old, &line());
    world.transom.configure(&moved);
    world.transom.restart().await;
    world.up().await;
    world.twilio.text("before the move").await;
    let status = world.twilio.deliver("SMin", PEER, LINE, "welcome").await;
    assert_eq!(status, Ok(200));
    let answer = alice
        .expect("the answer", |stanza| {
            stanza.body().as_deref() == Some("welcome")
        })
        .await;
    assert_eq!(
        answer.attr("from"),
        Some(contact(PEER).as_str()),
        "the same chat"
    );
}

/// The ids of what waits.
async fn waiting(world: &World) -> Vec<String> {
    let list = world.transom.command(&["queue", "list", "--json"]).await;
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let rows = list["queue"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

/// A line with two providers: the second is asked after a certain failure of the first, and never when nobody knows whether the first
/// has sent it.
#[tokio::test]
async fn the_next_provider_is_asked_only_after_a_certain_failure() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let spare = "[gateway.sms.provider.spare]\nkind = \"simulator\"\n";
    let two = line().replace("\"main\"", "[\"main\", \"spare\"]");
    let world = World::with(Server::Prosody, &format!("{spare}{two}"), "").await;
    let mut alice = world.client("alice").await;
    let logged = async |words: &str| {
        let said = async || world.transom.log().contains(words).then_some(());
        until(words, PATIENCE, said).await.unwrap();
    };
    let http = world.transom.http();

    // Out of order, and it says so.
    world.twilio.api.answer_next(Answer::json(503, "{}"));
    alice
        .send(&chat(&contact(PEER), "m1", "by the spare"))
        .await;
    on_the_phone(http, "by the spare").await;
    alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
        .await;

    // An answer that says nothing of the text.
    world.twilio.api.answer_next(Answer::json(500, "{}"));
    alice.send(&chat(&contact(PEER), "m2", "who has it?")).await;
    logged("outcome=\"unknown\"").await;
    // The chat goes on, by the first again.
    alice
        .send(&chat(&contact(PEER), "m3", "by the first"))
        .await;
    world.twilio.text("by the first").await;
    let state = get(http, "/simulator/state?phone=%2B12025550147").await;
    let state = state.unwrap().text();
    assert!(!state.contains("who has it?"), "{state}");
    assert!(!state.contains("by the first"), "{state}");
    let sent = world.twilio.sent();
    let bodies: Vec<String> = sent.iter().filter_map(|sent| sent.form("Body")).collect();
    assert_eq!(bodies, ["by the spare", "who has it?", "by the first"]);
}
