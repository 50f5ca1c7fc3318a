//! Requests: XEP-0030, 0054, 0077, 0092, 0100, 0115, 0199.

mod cards;
mod discovery;
mod own_contacts;
mod registering;

use super::*;
use crate::xmpp::stanza::IqType;
use crate::{
    gateway::{
        info::{self, CAPS_NODE},
        registration::fixture::{iq, mail, sms, stranger, user, with_moment},
    },
    xmpp::{
        stanza::Stanza,
        xep::{disco::Info, forms::Form},
    },
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

/// Asks as a user who knows people.
#[track_caller]
fn ask_as(gateway: &Gateway, person: &Person, kind: IqType, to: &str, payload: &str) -> Effects {
    let iq = iq(kind, to, payload);
    assert!(needs(gateway, &iq).is_some(), "{payload}");
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
fn a_call_is_refused_with_a_sentence() {
    let answer = ask(
        &sms("open"),
        IqType::Set,
        BOB,
        "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='1'/>",
    );
    let error = answer.error().unwrap();
    assert_eq!(error.condition, Condition::ServiceUnavailable);
    assert!(error.text.is_some());
}
