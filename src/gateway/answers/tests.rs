//! Requests: XEP-0030, 0054, 0077, 0092, 0100, 0115, 0199.

use super::*;
use crate::{
    gateway::registration::fixture::{MINE, iq, mail, sms, stranger, user, with_moment},
    xmpp::{stanza::Stanza, xep::forms::Form},
};

const BOB: &str = "+12025550147@sms.example.org";
const GW: &str = "sms.example.org";

#[track_caller]
fn ask(gateway: &Gateway, kind: IqType, to: &str, payload: &str) -> Iq {
    let iq = iq(kind, to, payload);
    let mut effects = with_moment(|moment| decide(gateway, &iq, None, moment));
    match effects.answers.pop() {
        Some(Stanza::Iq(answer)) if effects.answers.is_empty() => answer,
        other => panic!("{other:?}"),
    }
}

fn register(gateway: &Gateway, kind: IqType, inside: &str, person: &Person) -> Effects {
    let iq = iq(
        kind,
        gateway.config.domain.as_str(),
        &format!("<query xmlns='jabber:iq:register'>{inside}</query>"),
    );
    assert!(registers(&iq).is_some());
    with_moment(|moment| decide(gateway, &iq, Some(person), moment))
}

fn payload(effects: &Effects) -> &Element {
    let Some(Stanza::Iq(iq)) = effects.answers.first() else {
        panic!("{:?}", effects.seen())
    };
    iq.payload().unwrap()
}

#[test]
fn answers_are_never_answered() {
    for kind in [IqType::Result, IqType::Error] {
        let iq = iq(kind, GW, "<ping xmlns='urn:xmpp:ping'/>");
        let effects = with_moment(|moment| decide(&sms("open"), &iq, None, moment));
        assert!(effects.answers.is_empty() && effects.ignored.is_some());
    }
}

#[test]
fn everybody_may_ping_everything() {
    for to in [
        GW,
        BOB,
        "sms.example.org/gw",
        "+12025550147@sms.example.org/gw",
    ] {
        assert_eq!(
            ask(
                &sms("closed"),
                IqType::Get,
                to,
                "<ping xmlns='urn:xmpp:ping'/>"
            )
            .kind,
            IqType::Result
        );
    }
}

#[test]
fn disco_says_what_is_really_there() {
    let gateway = sms("open");
    for (to, category, kind) in [(GW, "gateway", "sms"), (BOB, "client", "sms")] {
        let answer = ask(
            &gateway,
            IqType::Get,
            to,
            "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        );
        let info = disco::Info::from_element(answer.payload().unwrap()).unwrap();
        assert_eq!(
            (
                info.identities[0].category.as_str(),
                info.identities[0].kind.as_str()
            ),
            (category, kind)
        );
        assert_eq!(info.has(ns::RECEIPTS), to == BOB);
        assert_eq!(info.has(ns::REGISTER), to == GW);
        assert!(
            !info
                .features
                .iter()
                .any(|feature| feature.contains("omemo") || feature.contains("openpgp"))
        );
    }
    let smtp = ask(
        &mail(),
        IqType::Get,
        "mail.example.org",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    );
    assert_eq!(
        disco::Info::from_element(smtp.payload().unwrap())
            .unwrap()
            .identities[0]
            .kind,
        "smtp"
    );
}

#[test]
fn every_feature_is_answered() {
    let gateway = sms("open");
    let ways = [
        (ns::DISCO_INFO, "query"),
        (ns::DISCO_ITEMS, "query"),
        (ns::VERSION, "query"),
        (ns::VCARD, "vCard"),
        (ns::PING, "ping"),
        (ns::GATEWAY, "query"),
    ];
    for (to, info) in [(GW, gateway_info(&gateway)), (BOB, contact_info(&gateway))] {
        for (namespace, name) in ways.iter().filter(|(namespace, _)| info.has(namespace)) {
            let answer = ask(
                &gateway,
                IqType::Get,
                to,
                &format!("<{name} xmlns='{namespace}'/>"),
            );
            assert_eq!(answer.kind, IqType::Result, "{namespace} at {to}");
        }
    }
}

#[test]
fn the_node_of_caps_is_answered_and_no_other() {
    let gateway = sms("open");
    let query = |node: &str| {
        format!("<query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/>")
    };
    let node = format!("{CAPS_NODE}#{}", contact_info(&gateway).caps_hash());
    let answer = ask(&gateway, IqType::Get, BOB, &query(&node));
    assert_eq!(answer.payload().unwrap().attr("node"), Some(node.as_str()));
    assert_eq!(
        ask(&gateway, IqType::Get, BOB, &query("other"))
            .error()
            .unwrap()
            .condition,
        Condition::ItemNotFound
    );
}

#[test]
fn a_contact_that_is_no_address_is_not_found() {
    let answer = ask(
        &sms("open"),
        IqType::Get,
        "bob@sms.example.org",
        "<ping xmlns='urn:xmpp:ping'/>",
    );
    assert_eq!(answer.error().unwrap().condition, Condition::ItemNotFound);
}

#[test]
fn what_nobody_knows_is_refused_and_never_left_unanswered() {
    let condition = |kind, payload| {
        ask(&sms("open"), kind, GW, payload)
            .error()
            .unwrap()
            .condition
    };
    assert_eq!(
        condition(IqType::Get, "<x xmlns='urn:example:x'/>"),
        Condition::ServiceUnavailable
    );
    assert_eq!(
        condition(IqType::Set, "<ping xmlns='urn:xmpp:ping'/>"),
        Condition::FeatureNotImplemented
    );
    assert_eq!(
        condition(IqType::Set, "<vCard xmlns='vcard-temp'/>"),
        Condition::FeatureNotImplemented
    );
    let mut empty = iq(IqType::Get, GW, "<ping xmlns='urn:xmpp:ping'/>");
    empty.children.clear();
    let effects = with_moment(|moment| decide(&sms("open"), &empty, None, moment));
    assert_eq!(effects.seen(), ["bad-request"]);
}

#[test]
fn what_was_typed_becomes_a_jid() {
    let typed = |gateway: &Gateway, text: &str| {
        let to = gateway.config.domain.to_string();
        let payload = format!("<query xmlns='jabber:iq:gateway'><prompt>{text}</prompt></query>");
        let answer = ask(gateway, IqType::Set, &to, &payload);
        answer
            .payload()
            .and_then(|query| {
                query
                    .child_text("jid", ns::GATEWAY)
                    .map(std::borrow::Cow::into_owned)
            })
            .ok_or(Box::new(answer))
    };
    assert_eq!(typed(&sms("open"), "+1 (202) 555-0147").as_deref(), Ok(BOB));
    assert_eq!(typed(&sms("open"), BOB).as_deref(), Ok(BOB));
    let bob = r"bob\40example.com@mail.example.org";
    for spelling in ["bob@example.com", r"bob\40example.com", bob] {
        assert_eq!(typed(&mail(), spelling).as_deref(), Ok(bob), "{spelling}");
    }
    let error = typed(&sms("open"), "bob").unwrap_err().error().unwrap();
    assert_eq!(
        (error.condition, error.kind),
        (Condition::NotAcceptable, ErrorType::Modify)
    );
    assert!(error.text.is_some());
    let prompt = ask(
        &sms("open"),
        IqType::Get,
        GW,
        "<query xmlns='jabber:iq:gateway'/>",
    );
    assert!(
        prompt
            .payload()
            .unwrap()
            .child_text("prompt", ns::GATEWAY)
            .is_some()
    );
}

#[test]
fn a_card_names_the_contact() {
    let answer = ask(
        &mail(),
        IqType::Get,
        r"bob\40example.com@mail.example.org",
        "<vCard xmlns='vcard-temp'/>",
    );
    let card = answer.payload().unwrap();
    assert_eq!(
        card.child_text("FN", ns::VCARD).as_deref(),
        Some("bob@example.com")
    );
    assert_eq!(
        card.child("EMAIL", ns::VCARD)
            .unwrap()
            .child_text("USERID", ns::VCARD)
            .as_deref(),
        Some("bob@example.com")
    );
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
