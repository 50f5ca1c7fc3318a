//! The chat with the gateway.

use super::*;
use crate::commands::ALL;

#[tokio::test]
async fn help_names_every_command_that_one_may_use_and_no_other() {
    let mut world = World::new().await;
    let help = world.say(ALICE, "  HELP ").await;
    let admin_help = world.say(ADMIN, "?").await;
    for command in ALL {
        let line = format!("\n{}: ", command.name);
        let for_admins = command.who == crate::commands::Who::Admin;
        // A gateway for texts has nothing of mail, and this one wants no proof of anybody.
        let of_mail = matches!(
            command.who,
            crate::commands::Who::Mail | crate::commands::Who::Owner | crate::commands::Who::Prover
        );
        let shown = !for_admins && !of_mail;
        assert_eq!(help.contains(&line), shown, "{}", command.name);
        assert_eq!(admin_help.contains(&line), !of_mail, "{}", command.name);
    }
    let more = world.say(ALICE, "help cost").await;
    assert!(
        more.starts_with("cost\n") && more.contains("segments"),
        "{more}"
    );
}

#[tokio::test]
async fn a_number_is_chosen_by_its_place_in_the_list() {
    let mut world = World::new().await;
    let asked = world.say(BOB, "register").await;
    assert!(
        asked.contains(&format!("1. {POOL}")) && asked.contains("cancel"),
        "{asked}"
    );
    let done = world.say(BOB, "1").await;
    assert!(
        done.contains("You are registered with +12025550101"),
        "{done}"
    );
    let status = world.say(BOB, "whoami").await;
    assert!(status.contains(POOL), "{status}");
    // The same in one line; a number may be typed with spaces.
    let mut other = World::new().await;
    let done = other.say(BOB, "register +1 202 555 0101").await;
    assert!(
        done.contains("You are registered with +12025550101"),
        "{done}"
    );
}

#[tokio::test]
async fn every_command_of_a_user_can_be_walked_through() {
    let mut world = World::new().await;
    assert!(world.say(ALICE, "register").await.contains("+12025550100"));
    for (said, wanted) in [
        ("status", "+12025550100"),
        ("usage", "Messages: 0 / 200"),
        (
            "cost Hello",
            "5 characters take 1 segment. 155 more would fit in.",
        ),
        ("cost “Hello” 👋", "instead of 160, because of: “ ” 👋"),
        ("contacts", "You have not written with anybody yet."),
        ("messages", "There are no messages of yours any more."),
        ("optouts", "Nobody has said STOP."),
        ("import hello", "give vCards"),
        ("blocks", "Nobody is blocked."),
        ("block (202) 555-0147", "+12025550147 is blocked."),
        ("blocks", "+12025550147"),
        (
            "unblock +12025550147",
            "+12025550147 is not blocked any more.",
        ),
        ("unblock +12025550147", "+12025550147 is not blocked."),
        ("trace 1", "There is no message \"1\"."),
        (
            "block nonsense",
            "That does not fit \"Contact\". Try again.",
        ),
        ("cancel", "Stopped. Nothing was changed."),
        ("cancel", "There is nothing to stop."),
        ("7", "it was asked too long ago"),
        ("blah blah", "\"blah blah\" is not a command."),
    ] {
        let answer = world.say(ALICE, said).await;
        assert!(answer.contains(wanted), "{said}: {answer}");
    }
    let export = world.say(ALICE, "export").await;
    assert!(
        export.contains("\"user\": \"alice@example.org\""),
        "{export}"
    );
}

#[tokio::test]
async fn settings_are_asked_one_by_one_and_change_the_language() {
    let mut world = World::new().await;
    world.say(ALICE, "register").await;
    let language = world.say(ALICE, "settings").await;
    assert!(
        language.contains("1. As the gateway has it\n2. English\n3. Deutsch"),
        "{language}"
    );
    let receipts = world.say(ALICE, "deutsch").await;
    assert!(receipts.contains("Delivery receipts"), "{receipts}");
    assert!(
        world.say(ALICE, "17").await.contains("does not fit"),
        "no such choice"
    );
    let quotes = world.say(ALICE, "no").await;
    assert!(quotes.contains("Quote in answers"), "{quotes}");
    let reactions = world.say(ALICE, "1").await;
    assert!(reactions.contains("Reactions as text"), "{reactions}");
    let kept = world.say(ALICE, "1").await;
    assert!(kept.contains("Your settings are kept."), "{kept}");
    let usage = world.say(ALICE, "usage").await;
    assert!(usage.contains("Nachrichten: 0 / 200"), "{usage}");
    let member =
        world
            .operations
            .store
            .member(world.operations.gateways[0].id, "alice@example.org", "");
    let settings = member.await.unwrap().unwrap().settings;
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(
        settings,
        serde_json::json!({"language": "de", "receipts": "no"})
    );
}

#[tokio::test]
async fn unregistering_asks_first() {
    let mut world = World::new().await;
    world.say(BOB, "register 1").await;
    assert!(world.say(BOB, "unregister").await.contains("Really?"));
    assert!(world.say(BOB, "no").await.contains("Nothing was changed"));
    assert!(world.say(BOB, "status").await.contains(POOL));
    assert!(
        world
            .say(BOB, "unregister yes")
            .await
            .contains("no longer registered")
    );
    assert!(!world.say(BOB, "status").await.contains(POOL));
}

#[tokio::test]
async fn an_admin_lets_people_in_and_others_cannot() {
    let mut world = World::new().await;
    for said in [
        "user add bob@example.org",
        "approve bob@example.org",
        "users",
        "announce hello",
        "page",
    ] {
        let answer = world.say(ALICE, said).await;
        assert!(answer.contains("is not a command"), "{said}: {answer}");
    }
    let added = world.say(ADMIN, "user add bob@example.org").await;
    assert_eq!(
        added,
        "bob@example.org is a user of sms, with +12025550101."
    );
    let users = world.say(ADMIN, "users").await;
    assert!(users.contains("bob@example.org · sms · active"), "{users}");
    assert!(
        world
            .say(ADMIN, "bar +12025550147")
            .await
            .contains("is blocked at sms")
    );
    assert!(world.say(ADMIN, "barred").await.contains(PEER));
    assert!(
        world
            .say(ADMIN, "state")
            .await
            .contains("Database: commits")
    );
    assert!(world.say(ADMIN, "queue").await.contains("Nothing waits."));
    let removed = world.say(ADMIN, "user-remove bob@example.org").await;
    assert!(removed.contains("is no user of sms any more"), "{removed}");
    let wrong = world.say(ADMIN, "user-add example.org").await;
    assert!(wrong.contains("does not fit"), "{wrong}");
}

#[tokio::test]
async fn whoever_is_not_allowed_gets_an_error_and_no_conversation() {
    let mut world = World::new().await;
    assert_eq!(
        world.say("eve@evil.example/x", "register").await,
        "[forbidden]"
    );
}

#[tokio::test]
async fn what_is_no_conversation_is_not_answered() {
    let mut world = World::new().await;
    let machine = Message::chat(jid("other.example"), jid(SMS)).with_body("help");
    assert!(
        world.answers(machine).await.is_empty(),
        "two machines would talk for ever"
    );
    let empty = Message::chat(jid(ALICE), jid(SMS)).with_body(" \n");
    assert!(world.answers(empty).await.is_empty());
    let mut headline = Message::chat(jid(ALICE), jid(SMS)).with_body("help");
    headline.kind = crate::xmpp::stanza::MessageType::Headline;
    assert!(world.answers(headline).await.is_empty());
    let addressed = Message::chat(jid(ALICE), jid(SMS))
        .with_body("register")
        .with_child(Element::new("addresses", ns::ADDRESSES));
    let answers = world.answers(addressed).await;
    assert!(matches!(&answers[..], [Stanza::Message(error)] if error.error().is_some()));
}

#[tokio::test]
async fn answers_are_in_the_language_of_the_stanza() {
    let mut world = World::new().await;
    let message = Message::chat(jid(ALICE), jid(SMS))
        .with_body("help")
        .with_lang("de-AT");
    let answers = world.answers(message).await;
    let [Stanza::Message(answer)] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    assert!(answer.body().unwrap().starts_with("Hier ist"));
}

#[tokio::test]
async fn a_long_message_is_not_repeated_whole() {
    let mut world = World::new().await;
    let answer = world.say(ALICE, &"x".repeat(100_000)).await;
    assert!(answer.contains("is not a command") && answer.len() < 300);
}

#[tokio::test]
async fn whom_one_still_waits_for_is_not_forgotten() {
    let mut world = World::new().await;
    world.say(ALICE, "register").await;
    world.waiting_text(PEER).await;
    assert!(world.say(ALICE, "contacts").await.contains(PEER));
    world.say(ALICE, "1").await;
    let refused = world.say(ALICE, "3").await;
    assert!(refused.contains("still wait"), "{refused}");
    let messages = world.say(ALICE, "messages").await;
    let id = messages.lines().last().unwrap().split(' ').next().unwrap();
    assert!(
        world
            .say(ADMIN, &format!("queue-cancel {id}"))
            .await
            .contains("given up")
    );
    world.say(ALICE, "contacts 1").await;
    assert!(world.say(ALICE, "3").await.contains("is forgotten"));
    assert!(
        world
            .say(ALICE, "contacts")
            .await
            .contains("not written with anybody")
    );
}

#[tokio::test]
async fn what_a_command_would_ask_in_turn_can_be_said_at_once() {
    let mut world = World::new().await;
    world.say(ALICE, "register").await;
    world.waiting_text(PEER).await;
    let renamed = world
        .say(ALICE, &format!("contacts {PEER} rename Bob Smith"))
        .await;
    assert!(renamed.contains("Bob Smith"), "{renamed}");
    // By what the list shows, and only the beginning: the rest is asked.
    let asked = world
        .say(ALICE, &format!("contacts Bob Smith ({PEER}) rename"))
        .await;
    assert!(
        asked.contains("Bob Smith") && asked.contains("cancel"),
        "{asked}"
    );
    let renamed = world.say(ALICE, "Bobby").await;
    assert!(renamed.contains("Bobby"), "{renamed}");
    let renamed = world
        .say(ALICE, "contacts +1 (202) 555-0147 rename Bobby")
        .await;
    assert!(renamed.contains("Bobby"), "{renamed}");
    // What is in no list is asked again, and nothing happens.
    let asked = world
        .say(ALICE, &format!("contacts {PEER} reanme Bert"))
        .await;
    assert!(asked.contains("1. "), "{asked}");
    assert!(
        world
            .say(ALICE, "cancel")
            .await
            .contains("Nothing was changed")
    );
    assert!(world.say(ALICE, "contacts").await.contains("Bobby"));
}

#[test]
fn an_error_is_a_sentence_and_a_jid_stays_as_it_is() {
    use crate::commands::sentence;
    assert_eq!(sentence("there is none"), "There is none.");
    assert_eq!(
        sentence("alice@example.org waits for no answer"),
        "alice@example.org waits for no answer."
    );
}
