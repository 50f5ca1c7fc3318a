//! Presence: RFC 6121 §3 and §4, semantics 7, 10, 13 and 15.

use super::*;
use crate::gateway::{
    info,
    registration::fixture::{jid, mail, presence, sms, stranger, user, with_moment},
};

const BOB: &str = "+12025550147@sms.example.org";
const GW: &str = "sms.example.org";

#[track_caller]
fn decide(gateway: &Gateway, kind: PresenceType, to: &str, person: &Person) -> Effects {
    let presence = presence(kind, to);
    let target = Target::read(gateway, &jid(to));
    with_moment(|moment| super::decide(gateway, &presence, &target, person, moment))
}

#[test]
fn subscribing_to_a_contact_is_accepted_and_asked_back_once() {
    let effects = decide(&sms("open"), PresenceType::Subscribe, BOB, &user("active"));
    assert_eq!(
        effects.seen(),
        [
            format!("subscribed {BOB} > alice@example.org"),
            format!("available {BOB}/gw > alice@example.org"),
            format!("subscribe {BOB} > alice@example.org"),
        ]
    );
    assert_eq!(effects.written(), ["contact '+12025550147' 11"]);
    let again = decide(
        &sms("open"),
        PresenceType::Subscribe,
        BOB,
        &user("active").seeing(false, true),
    );
    assert!(
        !again
            .seen()
            .iter()
            .any(|stanza| stanza.starts_with("subscribe ")),
        "asked twice"
    );
}

#[test]
fn presence_carries_caps_that_disco_confirms() {
    let gateway = sms("open");
    for ours in [BOB, GW] {
        let alice = jid("alice@example.org");
        let presence = match Target::read(&gateway, &jid(ours)) {
            Target::Contact {
                jid: ours, peer, ..
            } => contact_present(&gateway, (&ours, &peer), Some("Bob"), alice),
            _ => present(&gateway, alice),
        };
        let ver = presence
            .child("c", crate::xmpp::ns::CAPS)
            .unwrap()
            .attr("ver")
            .unwrap()
            .to_owned();
        let info = if ours == GW {
            info::of_gateway(&gateway)
        } else {
            info::of_contact(&gateway)
        };
        assert_eq!(ver, info.caps_hash());
    }
}

#[test]
fn a_pinned_contact_is_an_entry_of_its_own() {
    let to = "+12025550147;line=+12025550100@sms.example.org";
    let effects = decide(&sms("open"), PresenceType::Subscribe, to, &user("active"));
    assert_eq!(
        effects.written(),
        ["contact '+12025550147;line=+12025550100' 11"]
    );
}

#[test]
fn an_invalid_number_is_an_error_with_the_right_jid() {
    for typed in [
        "12025550147",
        r"tel\3a+1-202-555-0147",
        r"+1\20202\20555\200147",
    ] {
        let to = format!("{typed}@sms.example.org");
        let effects = decide(&sms("open"), PresenceType::Subscribe, &to, &user("active"));
        let [Stanza::Presence(answer)] = effects.answers.as_slice() else {
            panic!("{typed}: {:?}", effects.seen())
        };
        let error = answer.error().unwrap();
        assert_eq!(
            error.condition,
            crate::xmpp::stanza::Condition::Gone(Some(format!("xmpp:{BOB}"))),
            "{typed}"
        );
        assert!(error.text.is_some() && answer.status().is_none());
    }
    let effects = decide(
        &sms("open"),
        PresenceType::Subscribe,
        "bob@sms.example.org",
        &user("active"),
    );
    assert!(
        effects.seen()[0].starts_with("error item-not-found"),
        "{:?}",
        effects.seen()
    );
    assert!(effects.written().is_empty());
}

#[test]
fn who_may_not_use_the_gateway_sees_nothing() {
    for (person, condition) in [
        (stranger("eve@evil.example"), "forbidden"),
        (stranger("alice@example.org"), "registration-required"),
        (user("pending"), "registration-required"),
        (user("disabled"), "registration-required"),
    ] {
        let effects = decide(&sms("open"), PresenceType::Subscribe, BOB, &person);
        let seen = effects.seen();
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(seen[0].starts_with("unsubscribed "), "{seen:?}");
        assert!(
            seen[1].starts_with(&format!("error {condition} ")),
            "{seen:?}"
        );
        assert!(effects.written().is_empty());
    }
}

#[test]
fn adding_the_gateway_is_a_first_use() {
    let effects = decide(
        &mail(),
        PresenceType::Subscribe,
        "mail.example.org",
        &stranger("alice@example.org"),
    );
    assert_eq!(
        effects.written(),
        [
            "line alice@mail.example.org registration",
            "owner alice@mail.example.org alice@example.org",
            "user alice@example.org active",
            "contact '' 11"
        ]
    );
    assert_eq!(
        effects.seen()[0],
        "subscribed mail.example.org > alice@example.org"
    );
}

#[test]
fn a_probe_is_answered_with_the_truth() {
    let sees = user("active").seeing(true, true);
    let effects = decide(&sms("open"), PresenceType::Probe, BOB, &sees);
    assert_eq!(
        effects.seen(),
        [format!("available {BOB}/gw > alice@example.org")]
    );
    let unknown = [user("active"), stranger("eve@evil.example")];
    for person in &unknown {
        let effects = decide(&sms("open"), PresenceType::Probe, BOB, person);
        assert!(effects.seen()[0].starts_with("unsubscribed "));
    }
    let gone = user("disabled").seeing(true, true);
    assert!(
        decide(&sms("open"), PresenceType::Probe, BOB, &gone).seen()[0].starts_with("unavailable ")
    );
    let nobody = decide(
        &sms("open"),
        PresenceType::Probe,
        "bob@sms.example.org",
        &sees,
    );
    assert!(
        nobody.seen()[0].starts_with("unsubscribed "),
        "the gateway's own entry is not a contact's"
    );
}

#[test]
fn unsubscribing_ends_both_directions() {
    let effects = decide(
        &sms("open"),
        PresenceType::Unsubscribe,
        BOB,
        &user("active").seeing(true, true),
    );
    assert_eq!(
        effects.seen(),
        [
            format!("unavailable {BOB}/gw > alice@example.org"),
            format!("unsubscribed {BOB} > alice@example.org"),
            format!("unsubscribe {BOB} > alice@example.org"),
        ]
    );
    assert_eq!(effects.written(), ["contact '+12025550147' 00"]);
    let effects = decide(
        &sms("open"),
        PresenceType::Unsubscribe,
        BOB,
        &stranger("eve@evil.example"),
    );
    assert_eq!(
        effects.seen(),
        [format!("unsubscribed {BOB} > eve@evil.example")]
    );
}

#[test]
fn removing_the_gateway_disables_and_says_once_how_to_come_back() {
    let effects = decide(
        &sms("open"),
        PresenceType::Unsubscribe,
        GW,
        &user("active").seeing(true, true),
    );
    assert_eq!(
        effects.written(),
        ["contact '' 00", "user alice@example.org disabled"]
    );
    assert!(
        effects
            .seen()
            .last()
            .unwrap()
            .starts_with("You removed this gateway")
    );
    let again = decide(
        &sms("open"),
        PresenceType::Unsubscribe,
        GW,
        &user("disabled"),
    );
    assert_eq!(again.written(), ["contact '' 00"]);
    assert!(!again.seen().iter().any(|stanza| stanza.starts_with("You")));
}

#[test]
fn declining_to_be_seen_changes_nothing() {
    for kind in [PresenceType::Unsubscribed, PresenceType::Subscribed] {
        let effects = decide(&sms("open"), kind, GW, &user("active").seeing(false, true));
        assert!(effects.answers.is_empty() && effects.written().is_empty());
    }
}

#[test]
fn adding_the_gateway_again_restores() {
    let effects = decide(
        &sms("closed"),
        PresenceType::Subscribe,
        GW,
        &user("disabled"),
    );
    assert_eq!(
        effects.written(),
        [
            "user alice@example.org active",
            "contact '' 01",
            "contact '' 11"
        ]
    );
    assert!(effects.wakes);
    let seen = effects.seen();
    assert_eq!(seen[0], "subscribed sms.example.org > alice@example.org");
    assert_eq!(
        seen.iter()
            .filter(|stanza| stanza.starts_with("subscribe "))
            .count(),
        1
    );
    assert!(seen.last().unwrap().starts_with("Welcome back"));
}

#[test]
fn available_is_answered_by_the_gateway_alone_and_only_if_it_is_seen() {
    let sees = user("active").seeing(true, true);
    let effects = decide(&sms("open"), PresenceType::Available, GW, &sees);
    assert_eq!(
        effects.seen(),
        ["available sms.example.org/gw > alice@example.org/phone"]
    );
    assert!(
        decide(&sms("open"), PresenceType::Available, BOB, &sees)
            .answers
            .is_empty()
    );
    assert!(
        decide(&sms("open"), PresenceType::Available, GW, &user("active"))
            .answers
            .is_empty()
    );
}

#[test]
fn an_error_is_never_answered() {
    for kind in [PresenceType::Error, PresenceType::Unavailable] {
        let effects = decide(&sms("open"), kind, BOB, &user("active").seeing(true, true));
        assert!(effects.answers.is_empty() && effects.ignored.is_some());
    }
}

#[test]
fn a_roster_does_not_grow_for_ever() {
    let mut person = user("active");
    person.member.as_mut().unwrap().others = CONTACTS_MAX;
    let effects = decide(&sms("open"), PresenceType::Subscribe, BOB, &person);
    assert!(effects.seen()[0].starts_with("error resource-constraint "));
    assert!(effects.written().is_empty());
}

#[test]
fn hostile_addresses_are_nobody() {
    let gateway = sms("open");
    for to in [
        "+@sms.example.org",
        "+1;line=@sms.example.org",
        "\\20@sms.example.org",
        "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}@sms.example.org",
    ] {
        let Ok(to) = Jid::new(to) else { continue };
        assert!(
            matches!(Target::read(&gateway, &to), Target::Nobody(_)),
            "{to}"
        );
    }
    assert_eq!(
        Target::read(&gateway, &jid("sms.example.org/anything")),
        Target::Gateway
    );
}
