//! What is written and read by us says the same on both sides, whatever words are in it, and the other parser takes it.

use jiff::Timestamp;
use proptest::prelude::*;
use transom::xmpp::{
    jid::{BareJid, Jid},
    ns,
    stanza::{Element, Iq, IqType, Message},
    xep::{
        addresses::{self, Address, Role, Who},
        delay,
        disco::{self, Identity, Info, Item, Query, Topic},
        forms::{Field, Form, FormType},
        roster, sharing, upload,
    },
};

use crate::{
    oracle::{cleaned, read},
    world::{USER, jid, words},
};

const CONTACT: &str = "+12025550147@gw.example.org";

/// Words that XML can carry.
fn texts() -> impl Strategy<Value = String> {
    words().prop_map(|words| cleaned(&words))
}

/// The same, of which there is something.
fn named() -> impl Strategy<Value = String> {
    texts().prop_map(|text| format!("n{text}"))
}

/// Over the wire.
fn sent(element: &Element) -> Element {
    element.to_xml().parse().expect("what we write is XML")
}

fn message(payloads: impl IntoIterator<Item = Element>) -> Message {
    let message = Message::chat(jid(CONTACT), jid(USER));
    payloads.into_iter().fold(message, |message, payload| {
        message.with_child(sent(&payload))
    })
}

fn set(payload: Element) -> Iq {
    Iq::new(IqType::Set, jid("gw.example.org"), jid("alice@example.org"))
        .with_id("1")
        .with_child(payload)
}

fn address() -> impl Strategy<Value = Address> {
    let role = prop_oneof![
        Just(Role::To),
        Just(Role::Cc),
        Just(Role::Bcc),
        Just(Role::ReplyTo)
    ];
    let who = prop_oneof![Just(Who::Jid(jid(CONTACT))), texts().prop_map(Who::Uri)];
    (role, who, proptest::option::of(texts()), any::<bool>()).prop_map(
        |(role, who, desc, delivered)| Address {
            role,
            who,
            desc,
            delivered,
        },
    )
}

fn field() -> impl Strategy<Value = Field> {
    let option = (texts(), texts());
    (
        named(),
        proptest::option::of(texts()),
        proptest::collection::vec(texts(), 0..3),
        proptest::collection::vec(option, 0..3),
        any::<bool>(),
    )
        .prop_map(|(var, label, values, options, required)| Field {
            var,
            kind: Some("list-multi".to_owned()),
            label,
            values,
            options,
            required,
        })
}

fn form() -> impl Strategy<Value = Form> {
    (
        proptest::option::of(texts()),
        // The other parser takes one paragraph.
        proptest::collection::vec(texts(), 0..2),
        proptest::collection::vec(field(), 0..3),
    )
        .prop_map(|(title, instructions, fields)| Form {
            kind: FormType::Form,
            title,
            instructions,
            fields,
            ..Form::default()
        })
}

proptest! {
    #[test]
    fn forms(form in form()) {
        prop_assert_eq!(Form::from_element(&sent(&form.to_element())), Some(form.clone()));
        read(message([form.to_element()]));
    }

    #[test]
    fn addresses_of_a_message(list in proptest::collection::vec(address(), 0..5)) {
        let parsed = addresses::parse(&message([addresses::addresses(&list)])).expect("a list");
        prop_assert_eq!((parsed.addresses, parsed.broken), (list, 0));
    }

    #[test]
    fn what_something_is(name in texts(), features in proptest::collection::vec(named(), 0..3), node in texts()) {
        let info = Info {
            identities: vec![Identity::new("gateway", "sms", name)],
            features,
            forms: vec![Form { kind: FormType::Result, ..Form::new(ns::SERVER_INFO) }],
        };
        prop_assert_eq!(Info::from_element(&sent(&info.to_element(Some(&node)))), Some(info));
    }

    #[test]
    fn what_there_is(name in proptest::option::of(texts()), node in proptest::option::of(texts())) {
        let items = vec![Item { jid: jid(CONTACT), node, name }];
        prop_assert_eq!(disco::parse_items(&sent(&disco::items(&items, None))), items);
    }

    #[test]
    fn questions(node in proptest::option::of(named()), is_info in any::<bool>()) {
        let query = Query { topic: if is_info { Topic::Info } else { Topic::Items }, node };
        let iq = Iq::get(jid(USER), jid(CONTACT), sent(&query.to_element()));
        prop_assert_eq!(Query::parse(&iq), Some(query));
    }

    #[test]
    fn entries_of_a_roster(name in proptest::option::of(named()), groups in proptest::collection::vec(texts(), 0..3)) {
        let ours = BareJid::new(CONTACT).expect("a JID");
        let item = roster::Item { name, subscription: Some("both".to_owned()), groups };
        let set_ = item.set(&ours);
        prop_assert_eq!(roster::entries(&sent(&set_), "gw.example.org"), vec![(ours.clone(), item.clone())]);
        read(set(set_));
        read(message([item.offer(&ours)]));
    }

    #[test]
    fn times(seconds in 0_i64..4_000_000_000) {
        let time = Timestamp::from_second(seconds).expect("a time");
        let element = sent(&delay::delay("gw.example.org", time));
        prop_assert_eq!(delay::since(&[element]), Some(time));
    }

    #[test]
    fn files(
        name in proptest::option::of("[a-z][a-z .é]{0,9}[a-z]"),
        media_type in proptest::option::of("[a-z]{1,5}/[a-z]{1,5}"),
        bytes in proptest::option::of(any::<u64>()),
        path in "[a-zA-Z0-9/.%&=?-]{0,20}",
        hash in proptest::option::of(proptest::collection::vec(any::<u8>(), 32)),
    ) {
        let file = sharing::Shared { url: format!("https://example.org/{path}"), name, media_type, bytes, sha256: hash };
        let elements = sharing::elements(&file);
        // The hash is for clients; we do not read it.
        let known = sharing::Shared { sha256: None, ..file };
        prop_assert_eq!(sharing::files(&message(elements.clone())), vec![known]);
        read(message(elements));
    }

    #[test]
    fn questions_for_a_slot(name in named(), bytes in 1..u64::MAX) {
        let to: Jid = jid("upload.example.org");
        read(Iq::get(jid("gw.example.org"), to, upload::request(&name, bytes, "image/png")).with_id("1"));
    }
}
