//! Registration by its form, XEP-0077.

use crate::gateway::registration::fixture::MINE;

use super::*;

fn register(gateway: &Gateway, kind: IqType, inside: &str, person: &Person) -> Effects {
    let iq = iq(
        kind,
        gateway.config.domain.as_str(),
        &format!("<query xmlns='jabber:iq:register'>{inside}</query>"),
    );
    assert!(needs(gateway, &iq).is_some());
    with_moment(|moment| decide(gateway, &iq, Some(person), moment))
}

#[test]
fn the_form_offers_free_numbers() {
    let person = stranger("alice@example.org").with_free(&["+12025550101", "+12025550102"]);
    let effects = register(&sms("open"), IqType::Get, "", &person);
    let query = payload(&effects);
    assert!(query.child("registered", ns::REGISTER).is_none());
    let form = Form::in_element(query).unwrap();
    let field = form
        .fields
        .iter()
        .find(|field| field.var == "phone")
        .unwrap();
    assert_eq!(
        (field.options.len(), field.kind.as_deref()),
        (2, Some("list-single"))
    );
    assert!(
        query.child("phone", ns::REGISTER).is_some(),
        "for clients without forms"
    );
}

#[test]
fn a_user_sees_the_registration() {
    let effects = register(&sms("open"), IqType::Get, "", &user("active"));
    assert!(
        payload(&effects)
            .child("registered", ns::REGISTER)
            .is_some()
    );
    assert_eq!(
        payload(&effects)
            .child_text("phone", ns::REGISTER)
            .as_deref(),
        Some(MINE)
    );
}

#[test]
fn registering_answers_first_and_subscribes_then() {
    let person = stranger("alice@example.org").with_free(&["+12025550101"]);
    let effects = register(
        &sms("open"),
        IqType::Set,
        "<phone>+12025550101</phone>",
        &person,
    );
    let seen = effects.seen();
    assert_eq!(
        seen[..2],
        ["result", "subscribe sms.example.org > alice@example.org"]
    );
    assert!(seen[2].contains("+12025550101"));
    let form = "<x xmlns='jabber:x:data' type='submit'><field var='phone'><value>+12025550101</value></field></x>";
    assert_eq!(
        register(&sms("open"), IqType::Set, form, &person).seen()[0],
        "result"
    );
}

#[test]
fn refused_registrations_have_their_conditions() {
    let alice = || stranger("alice@example.org").with_free(&["+12025550101"]);
    for (mode, person, inside, condition) in [
        ("open", stranger("eve@evil.example"), "", "forbidden"),
        ("closed", alice(), "", "not-allowed"),
        ("approval", alice(), "", "registration-required"),
        ("open", alice(), "<phone>+12025550109</phone>", "conflict"),
        ("open", alice(), "<phone>me</phone>", "not-acceptable"),
        (
            "open",
            stranger("alice@example.org"),
            "",
            "resource-constraint",
        ),
        (
            "open",
            stranger("alice@example.org"),
            "<remove/>",
            "registration-required",
        ),
    ] {
        assert_eq!(
            register(&sms(mode), IqType::Set, inside, &person).seen()[0],
            condition,
            "{mode} {inside}"
        );
    }
    assert_eq!(
        register(
            &mail(),
            IqType::Set,
            "<email>root</email>",
            &stranger("bob@example.org")
        )
        .seen(),
        ["not-acceptable"]
    );
    assert_eq!(
        register(&sms("closed"), IqType::Get, "", &alice()).seen(),
        ["not-allowed"]
    );
}

#[test]
fn removal_is_at_once_and_complete() {
    let effects = register(&sms("open"), IqType::Set, "<remove/>", &user("active"));
    assert_eq!(effects.written(), ["unregister alice@example.org"]);
    assert_eq!(
        effects.seen(),
        [
            "result",
            "unavailable sms.example.org/gw > alice@example.org",
            "unsubscribed sms.example.org > alice@example.org",
            "unsubscribe sms.example.org > alice@example.org"
        ]
    );
}

#[test]
fn giving_up_the_form_changes_nothing() {
    let effects = register(
        &sms("open"),
        IqType::Set,
        "<x xmlns='jabber:x:data' type='cancel'/>",
        &user("active"),
    );
    assert_eq!(effects.seen(), ["result"]);
    assert!(effects.written().is_empty());
}
