//! Requests: XEP-0030, 0054, 0077, 0092, 0100, 0115, 0199.

use super::*;
use crate::xmpp::stanza::IqType;
use crate::{
    gateway::{
        info::{self, CAPS_NODE},
        registration::fixture::{MINE, iq, mail, sms, stranger, user, with_moment},
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

fn register(gateway: &Gateway, kind: IqType, inside: &str, person: &Person) -> Effects {
    let iq = iq(
        kind,
        gateway.config.domain.as_str(),
        &format!("<query xmlns='jabber:iq:register'>{inside}</query>"),
    );
    assert!(needs(gateway, &iq).is_some());
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
        let info = Info::from_element(answer.payload().unwrap()).unwrap();
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
        Info::from_element(smtp.payload().unwrap())
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
        (ns::VCARD4, "vcard"),
        (ns::TIME, "time"),
        (ns::PING, "ping"),
        (ns::GATEWAY, "query"),
    ];
    for (to, info) in [
        (GW, info::of_gateway(&gateway)),
        (BOB, info::of_contact(&gateway)),
    ] {
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
    let node = format!("{CAPS_NODE}#{}", info::of_contact(&gateway).caps_hash());
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

/// Asks as a user who knows people.
#[track_caller]
fn ask_as(gateway: &Gateway, person: &Person, kind: IqType, to: &str, payload: &str) -> Effects {
    let iq = iq(kind, to, payload);
    assert!(needs(gateway, &iq).is_some(), "{payload}");
    with_moment(|moment| decide(gateway, &iq, Some(person), moment))
}

#[test]
fn a_card_has_the_name_that_the_user_knows_and_a_picture() {
    let gateway = sms("open");
    let alice = user("active").calling("Bob Smith");
    let effects = ask_as(
        &gateway,
        &alice,
        IqType::Get,
        BOB,
        "<vCard xmlns='vcard-temp'/>",
    );
    let card = payload(&effects);
    assert_eq!(
        card.child_text("FN", ns::VCARD).as_deref(),
        Some("Bob Smith")
    );
    let photo = card.child("PHOTO", ns::VCARD).unwrap();
    assert_eq!(
        photo.child_text("TYPE", ns::VCARD).as_deref(),
        Some("image/png")
    );
    let vcard4 = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>";
    let effects = ask_as(&gateway, &alice, IqType::Get, BOB, vcard4);
    let name = payload(&effects).child("fn", ns::VCARD4).unwrap();
    assert_eq!(
        name.child_text("text", ns::VCARD4).as_deref(),
        Some("Bob Smith")
    );
    let own = ask(&gateway, IqType::Get, GW, "<vCard xmlns='vcard-temp'/>");
    assert!(own.payload().unwrap().child("PHOTO", ns::VCARD).is_some());
}

#[test]
fn every_way_leads_to_the_picture_that_presence_names() {
    let gateway = sms("open");
    let alice = user("active").calling("Bob Smith").seeing(true, true);
    let probe = crate::gateway::registration::fixture::presence(
        crate::xmpp::stanza::PresenceType::Probe,
        BOB,
    );
    let target = Target::read(&gateway, &probe.to.clone().unwrap());
    let effects = with_moment(|moment| {
        crate::gateway::subscription::decide(&gateway, &probe, &target, &alice, moment)
    });
    let Some(Stanza::Presence(presence)) = effects.answers.first() else {
        panic!("{:?}", effects.seen())
    };
    let update = presence.child("x", ns::VCARD_UPDATE).unwrap();
    let id = update.child_text("photo", ns::VCARD_UPDATE).unwrap();
    for (node, item, found) in [
        (ns::AVATAR_METADATA, "", true),
        (ns::AVATAR_DATA, &*id, true),
        (ns::AVATAR_DATA, "another", false),
        (ns::VCARD4_NODE, "current", true),
        (ns::NICK, "", true),
    ] {
        let inside = if item.is_empty() {
            String::new()
        } else {
            format!("<item id='{item}'/>")
        };
        let query = format!(
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'>{inside}</items></pubsub>"
        );
        let effects = ask_as(&gateway, &alice, IqType::Get, BOB, &query);
        let items = payload(&effects).child("items", ns::PUBSUB).unwrap();
        let first = items.child("item", ns::PUBSUB);
        assert_eq!(first.is_some(), found, "{node} {item}");
        if found && node.contains("avatar") {
            assert_eq!(first.unwrap().attr("id"), Some(&*id), "{node}");
        }
    }
    let other =
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:example:x'/></pubsub>";
    let effects = ask_as(&gateway, &alice, IqType::Get, BOB, other);
    assert_eq!(effects.seen(), ["item-not-found"]);
}

#[test]
fn a_name_in_place_of_a_number_is_shown_without_its_context() {
    let to = "acme\\20bank;phone-context=alpha@sms.example.org";
    let gateway = sms("open");
    // The fixture's network has no such names, the real one has.
    let Target::Nobody(_) = Target::read(&gateway, &crate::xmpp::jid::Jid::new(to).unwrap()) else {
        panic!("the fixture has changed")
    };
    assert_eq!(card::shown("acme bank;phone-context=alpha"), "acme bank");
    assert_eq!(card::shown("+12025550147"), "+12025550147");
}

#[test]
fn only_own_contacts_are_found() {
    let gateway = sms("open");
    let mut alice = user("active");
    alice.book.contacts = vec![crate::store::read::KnownContact {
        peer: "+12025550147".to_owned(),
        name: Some("Bob".to_owned()),
    }];
    let find = |person: &Person, inside: &str| {
        let query = format!("<query xmlns='jabber:iq:search'>{inside}</query>");
        let effects = ask_as(&gateway, person, IqType::Set, GW, &query);
        payload(&effects).to_xml()
    };
    for inside in [
        "<nick>bob</nick>",
        "<x xmlns='jabber:x:data' type='submit'><field var='nick'><value>+1 202-555-0147</value></field></x>",
    ] {
        assert!(find(&alice, inside).contains(BOB), "{inside}");
        assert!(!find(&user("active"), inside).contains(BOB), "{inside}");
    }
    let effects = ask_as(
        &gateway,
        &alice,
        IqType::Get,
        GW,
        "<query xmlns='jabber:iq:search'/>",
    );
    assert!(Form::in_element(payload(&effects)).is_some());
}

#[test]
fn a_user_has_a_list_of_the_blocked() {
    let gateway = sms("open");
    let mut alice = user("active");
    alice.book.blocked = vec!["+12025550147".to_owned()];
    let ask = |person: &Person, kind, inside: &str| {
        let payload = inside.replacen(' ', " xmlns='urn:xmpp:blocking' ", 1);
        ask_as(&gateway, person, kind, GW, &payload)
    };
    let list = ask(&alice, IqType::Get, "<blocklist />");
    assert!(payload(&list).to_xml().contains(BOB));
    let item = format!("<item jid='{BOB}'/>");
    let twice = format!("<block >{item}{item}</block>");
    assert!(ask(&alice, IqType::Set, &twice).written().is_empty());
    let block = ask(&user("active"), IqType::Set, &twice);
    assert_eq!(block.seen(), ["result"]);
    assert_eq!(block.written(), ["block +12025550147 true"]);
    for unblock in [
        format!("<unblock >{item}</unblock>"),
        "<unblock />".to_owned(),
    ] {
        let effects = ask(&alice, IqType::Set, &unblock);
        assert_eq!(effects.written(), ["block +12025550147 false"], "{unblock}");
    }
    let foreign = format!("<block >{item}<item jid='+12025550148@else.example'/></block>");
    for (person, inside, condition) in [
        (&alice, "<block />", "bad-request"),
        (&alice, foreign.as_str(), "item-not-found"),
        (
            &alice,
            "<block ><item jid='sms.example.org'/></block>",
            "item-not-found",
        ),
        (
            &stranger("bob@example.org"),
            "<unblock />",
            "registration-required",
        ),
    ] {
        let effects = ask(person, IqType::Set, inside);
        assert_eq!(effects.seen(), [condition], "{inside}");
        assert!(effects.written().is_empty());
    }
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

#[test]
fn whom_to_turn_to_stands_in_the_gateways_disco_alone() {
    let gateway = sms("open");
    let info = info::of_gateway(&gateway);
    assert_eq!(info.forms[0].form_type(), Some(ns::SERVER_INFO));
    assert_eq!(
        info.forms[0].value("admin-addresses"),
        Some("xmpp:admin@example.org")
    );
    assert!(info::of_contact(&gateway).forms.is_empty());
}
