//! Answers to requests, and presence.

use proptest::prelude::*;
use transom::{
    gateway::{
        Gateway, answers,
        registration::{Effects, Person},
        subscription,
        target::Target,
    },
    xmpp::{
        ns,
        stanza::{Element, Iq, IqType, Presence, PresenceType},
        xep::{
            disco::Query,
            disco::Topic,
            forms::{Field, Form, FormType},
            ping,
        },
    },
};
use transom_adapter::Network;
use xmpp_parsers::iq::Iq as SeenIq;

use crate::{
    oracle::{self, Seen},
    world::{USER, at_this_moment, gateway, gateways, jid, person, words},
};

const ALICE: &str = "alice@example.org";
/// The gateway, contacts right and wrong.
const TARGETS: [&str; 5] = [
    "gw.example.org",
    "+12025550147@gw.example.org",
    "bob\\40example.com@gw.example.org",
    "wrong@gw.example.org",
    "wrong+4917@gw.example.org",
];

/// The requests about people.
fn about_people(words: &str) -> Vec<(IqType, Element)> {
    let query = || Element::new("query", ns::SEARCH);
    let items = |node: &str| {
        let items = Element::new("items", ns::PUBSUB).with_attr("node", node);
        Element::new("pubsub", ns::PUBSUB).with_child(items)
    };
    let filled = Form {
        kind: FormType::Submit,
        ..Form::new(ns::SEARCH).with_field(Field::new("nick", "text-single").with_value(words))
    };
    vec![
        (IqType::Get, Element::new("vcard", ns::VCARD4)),
        (IqType::Get, Element::new("time", ns::TIME)),
        (IqType::Get, Element::new("blocklist", ns::BLOCKING)),
        (IqType::Set, Element::new("unblock", ns::BLOCKING)),
        (IqType::Get, items(ns::AVATAR_DATA)),
        (IqType::Get, items(ns::AVATAR_METADATA)),
        (IqType::Get, items(ns::VCARD4_NODE)),
        (IqType::Get, items(ns::NICK)),
        (IqType::Get, items(words)),
        (IqType::Get, query()),
        (IqType::Set, query().with_child(filled.to_element())),
        (
            IqType::Set,
            query().with_child(Element::text_only("nick", ns::SEARCH, words.to_owned())),
        ),
    ]
}

/// Every request that is known, one that is not, with these words where a client can put some.
fn requests(words: &str) -> Vec<(IqType, Element)> {
    let query = |namespace: &'static str| Element::new("query", namespace);
    let disco = |topic, node: &str| {
        Query {
            topic,
            node: Some(node.to_owned()),
        }
        .to_element()
    };
    let form = |value: &str| {
        let var = |name: &'static str, value: &str| {
            let value = Element::text_only("value", ns::FORMS, value.to_owned());
            Element::new("field", ns::FORMS)
                .with_attr("var", name)
                .with_child(value)
        };
        let form = Element::new("x", ns::FORMS).with_attr("type", "submit");
        form.with_child(var("FORM_TYPE", ns::REGISTER))
            .with_child(var("phone", value))
            .with_child(var("email", value))
    };
    vec![
        (IqType::Get, ping::ping()),
        (IqType::Get, query(ns::DISCO_INFO)),
        (IqType::Get, query(ns::DISCO_ITEMS)),
        (IqType::Get, disco(Topic::Info, words)),
        (IqType::Get, disco(Topic::Items, words)),
        (IqType::Get, disco(Topic::Items, ns::COMMANDS)),
        (IqType::Get, query(ns::VERSION)),
        (IqType::Get, Element::new("vCard", ns::VCARD)),
        (IqType::Set, Element::new("vCard", ns::VCARD)),
        (IqType::Get, query(ns::GATEWAY)),
        (
            IqType::Set,
            query(ns::GATEWAY).with_child(Element::text_only(
                "prompt",
                ns::GATEWAY,
                words.to_owned(),
            )),
        ),
        (IqType::Get, query(ns::REGISTER)),
        (IqType::Set, query(ns::REGISTER)),
        (
            IqType::Set,
            query(ns::REGISTER).with_child(Element::new("remove", ns::REGISTER)),
        ),
        (IqType::Set, query(ns::REGISTER).with_child(form(words))),
        (
            IqType::Set,
            query(ns::REGISTER).with_child(form("+12025550100")),
        ),
        (
            IqType::Set,
            query(ns::REGISTER).with_child(Form::new(ns::REGISTER).to_element()),
        ),
        (
            IqType::Get,
            Element::new("unheard", "urn:example:unheard").with_text(words),
        ),
    ]
}

/// People of every standing. Only numbers come from a pool.
fn people(gateway: &Gateway, words: &str) -> Vec<Person> {
    let free = match gateway.network() {
        Network::Sms => vec![words.to_owned(), "+12025550101".to_owned()],
        Network::Email => Vec::new(),
    };
    vec![
        person(ALICE, None, None, &[]),
        person(ALICE, None, None, &free),
        person(ALICE, None, Some("+12025550100"), &[]),
        person(ALICE, Some("active"), None, &free),
        person(ALICE, Some("active"), Some(words), &free),
        person(ALICE, Some("pending"), None, &[]),
        person(ALICE, Some("disabled"), Some("+12025550100"), &[]),
        person("eve@elsewhere.net", None, None, &[]),
    ]
}

#[track_caller]
fn all_parse(effects: Effects) -> Vec<Seen> {
    effects.answers.into_iter().map(oracle::read).collect()
}

#[track_caller]
fn check_request(gateway: &Gateway, iq: &Iq, person: &Person) {
    let person = answers::needs(gateway, iq).map(|_| person);
    let seen = at_this_moment(|moment| all_parse(answers::decide(gateway, iq, person, moment)));
    let answer = seen.into_iter().find_map(|seen| match seen {
        Seen::Iq(iq) => Some(*iq),
        _ => None,
    });
    match answer {
        Some(SeenIq::Result { id, to, .. } | SeenIq::Error { id, to, .. }) => {
            assert_eq!(id, cleaned_id(iq));
            assert_eq!(
                to.map(|to| to.to_string()),
                iq.from.as_ref().map(ToString::to_string)
            );
        }
        other => panic!("{iq:?} was answered with {other:?}"),
    }
}

fn cleaned_id(iq: &Iq) -> String {
    oracle::cleaned(iq.id.as_deref().unwrap_or_default())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_has_an_answer_that_parses(words in words(), id in words()) {
        for gateway in [gateway(Network::Sms, "approval"), gateway(Network::Email, "closed")].iter().chain(&gateways()) {
            for (target, (kind, payload)) in TARGETS.iter().flat_map(|target| requests(&words).into_iter().chain(about_people(&words)).map(move |request| (target, request))) {
                let iq = Iq::new(kind, jid(USER), jid(target)).with_id(id.as_str()).with_child(payload);
                for person in people(gateway, &words) {
                    check_request(gateway, &iq, &person);
                }
            }
        }
    }

    #[test]
    fn presence_parses(words in words()) {
        const KINDS: [PresenceType; 6] = [
            PresenceType::Subscribe,
            PresenceType::Subscribed,
            PresenceType::Unsubscribe,
            PresenceType::Unsubscribed,
            PresenceType::Probe,
            PresenceType::Available,
        ];
        for gateway in &gateways() {
            for (target, kind) in TARGETS.iter().flat_map(|target| KINDS.map(|kind| (jid(target), kind))) {
                for person in people(gateway, &words) {
                    let presence = Presence::new(kind, jid(USER), target.clone()).with_id(words.as_str()).with_status(words.as_str());
                    let about = Target::read(gateway, &target);
                    at_this_moment(|moment| all_parse(subscription::decide(gateway, &presence, &about, &person, moment)));
                }
            }
        }
    }
}
