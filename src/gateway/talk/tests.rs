//! The chat with the gateway: semantics 8.

use super::*;
use crate::gateway::registration::fixture::{MINE, jid, said, sms, stranger, user, with_moment};

const ALICE: &str = "alice@example.org/phone";
const ADMIN: &str = "admin@example.org/desk";

#[track_caller]
fn say(from: &str, body: &str, person: &Person) -> Effects {
    let gateway = sms("open");
    let message = said(from, body);
    let said = Said::read(&gateway, &message).unwrap();
    assert_eq!(*said.subject(), person.jid, "{body}");
    with_moment(|moment| said.decide(&gateway, person, moment))
}

#[test]
fn help_works_and_so_does_what_it_promises() {
    let help = say(ALICE, "  HELP ", &user("active")).seen();
    assert!(help[0].contains("register") && help[0].ends_with("> alice@example.org"));
    let person = stranger("alice@example.org").with_free(&["+12025550101"]);
    assert!(
        say(ALICE, "register", &person)
            .seen()
            .last()
            .unwrap()
            .contains("+12025550101")
    );
    assert_eq!(
        say(ALICE, "register +1 202 555 0101", &person).written()[0],
        "owner +12025550101 alice@example.org"
    );
    assert!(say(ALICE, "whoami", &user("active")).seen()[0].contains(MINE));
}

#[test]
fn unregister_asks_first() {
    let asked = say(ALICE, "unregister", &user("active"));
    assert!(asked.written().is_empty() && asked.seen()[0].contains("unregister yes"));
    let done = say(ALICE, "Unregister Yes", &user("active"));
    assert_eq!(done.written(), ["unregister alice@example.org"]);
    assert!(done.seen().last().unwrap().contains("no longer registered"));
}

#[test]
fn what_is_no_command_is_said_so_and_not_repeated_whole() {
    let long = "x".repeat(10_000);
    let seen = say(ALICE, &long, &user("active")).seen();
    assert!(seen[0].contains("is not a command") && seen[0].len() < 300);
}

#[test]
fn answers_are_in_the_language_of_the_stanza() {
    let gateway = sms("open");
    let message = said(ALICE, "help").with_lang("de-AT");
    let said = Said::read(&gateway, &message).unwrap();
    let effects = with_moment(|moment| said.decide(&gateway, &user("active"), moment));
    assert!(effects.seen()[0].starts_with("Hier ist"));
}

#[test]
fn an_admin_adds_and_declines() {
    for command in ["user add alice@example.org", "approve alice@example.org"] {
        let effects = say(ADMIN, command, &user("pending"));
        assert_eq!(
            effects.written()[0],
            "user alice@example.org active",
            "{command}"
        );
        assert!(
            effects
                .seen()
                .last()
                .unwrap()
                .ends_with("has been told. > admin@example.org")
        );
    }
    let effects = say(ADMIN, "decline alice@example.org", &user("pending"));
    assert_eq!(effects.written(), ["unregister alice@example.org"]);
    assert!(effects.seen()[0].contains("declined your registration"));
    for unclear in ["user add", "approve @", "decline example.org"] {
        assert!(
            say(ADMIN, unclear, &stranger("admin@example.org")).seen()[0]
                .starts_with("Write the person's"),
            "{unclear}"
        );
    }
}

#[test]
fn for_others_the_commands_of_admins_do_not_exist() {
    for command in [
        "user add mallory@example.org",
        "approve alice@example.org",
        "decline bob@example.org",
    ] {
        let effects = say(ALICE, command, &user("active"));
        assert!(
            effects.written().is_empty() && effects.seen()[0].contains("is not a command"),
            "{command}"
        );
    }
}

#[test]
fn who_is_not_allowed_gets_an_error_and_no_conversation() {
    let effects = say(
        "eve@evil.example/x",
        "register",
        &stranger("eve@evil.example"),
    );
    assert_eq!(effects.seen(), ["forbidden > eve@evil.example/x"]);
}

#[test]
fn what_is_no_conversation_is_not_answered_by_the_bot() {
    let gateway = sms("open");
    let ignored =
        |message: &Message| matches!(Said::read(&gateway, message), Err(NotSaid::Ignored(_)));
    assert!(
        ignored(&said("other.example", "help")),
        "two machines would talk for ever"
    );
    assert!(ignored(&said(ALICE, " \n")));
    let mut headline = said(ALICE, "help");
    headline.kind = MessageType::Headline;
    assert!(ignored(&headline));
    let state = Message::chat(jid(ALICE), jid("sms.example.org")).with_child(
        crate::xmpp::stanza::Element::new("composing", ns::CHAT_STATES),
    );
    assert!(ignored(&state));
    let group = said(ALICE, "register").with_child(crate::xmpp::stanza::Element::new(
        "addresses",
        ns::ADDRESSES,
    ));
    assert!(matches!(
        Said::read(&gateway, &group),
        Err(NotSaid::Refused(_))
    ));
}
