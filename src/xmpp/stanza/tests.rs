//! Property tests: what is written is read back, and no input makes the readers panic.

use proptest::prelude::*;

use super::{element::Attribute, *};

fn text() -> impl Strategy<Value = String> {
    // Everything that XML allows, with what is special in it made likely.
    proptest::collection::vec(
        prop_oneof![
            "[<>&'\"\r\n\t \\]]",
            "[a-zé]",
            any::<char>().prop_map(String::from)
        ],
        0..12,
    )
    .prop_map(|parts| {
        parts
            .concat()
            .chars()
            .filter(|c| write::is_xml_character(*c))
            .collect()
    })
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        prop_oneof![Just("body"), Just("x"), Just("query"), Just("error")].prop_map(Name::from),
        "[a-z_é][a-z0-9.-]{0,5}".prop_map(|text| Name::parse(&text).unwrap()),
    ]
}

fn namespace() -> impl Strategy<Value = Name> {
    prop_oneof![
        Just(Name::from(ns::CLIENT)),
        Just(Name::from(ns::RECEIPTS)),
        Just(Name::from("")),
        "urn:[a-z&<' ]{0,5}x".prop_map(|text| Name::intern(&text)),
    ]
}

fn leaf() -> impl Strategy<Value = Element> {
    let attribute = (name(), proptest::option::of("urn:[a-z]{1,3}"), text());
    (
        name(),
        namespace(),
        proptest::collection::vec(attribute, 0..4),
        proptest::option::of(text()),
    )
        .prop_map(|(name, namespace, attributes, lang)| {
            let mut element = Element::new(name, namespace);
            for (name, namespace, value) in attributes {
                let namespace = namespace.map(|text| Name::intern(&text));
                let attribute = Attribute {
                    name,
                    namespace,
                    value,
                };
                let same = |other: &Attribute| {
                    other.name == attribute.name && other.namespace == attribute.namespace
                };
                if !element.attributes().iter().any(same) {
                    element.push_attribute(attribute);
                }
            }
            match lang {
                Some(lang) => element.with_attr("xml:lang", lang),
                None => element,
            }
        })
}

fn element() -> impl Strategy<Value = Element> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let node = prop_oneof![inner.prop_map(Node::Element), text().prop_map(Node::Text)];
        (leaf(), proptest::collection::vec(node, 0..4)).prop_map(|(mut element, nodes)| {
            for node in nodes {
                match node {
                    Node::Element(child) => element.push_child(child),
                    Node::Text(text) => element.push_text(&text),
                }
            }
            element
        })
    })
}

/// A stanza as clients send it, to be spoilt.
const SAMPLE: &str = "<message xmlns='jabber:client' from='alice@example.org/phone' to='+12025550147@sms.example.org' \
    type='chat' id='m1' xml:lang='en'><body>Tom &amp; Jerry &#xe9; <![CDATA[<b>]]></body><x:p xmlns:x='urn:x' x:a='1'/>\
    <request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>";

/// Pieces that break XML in every way known.
const SPOILERS: &[&str] = &[
    "<",
    ">",
    "&",
    "'",
    "\"",
    "]]>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<?x?>",
    "<!DOCTYPE a>",
    "&#0;",
    "&#xFFFF;",
    "&lt",
    "\0",
    "\u{FFFE}",
    "</message>",
    "<message>",
    "<a ",
    "xmlns=''",
    " xmlns:x=''",
    " id='2'",
    "/",
    "=",
    ":",
    "\r",
    "é",
    "&x;",
];

fn spoilt() -> impl Strategy<Value = String> {
    let change = (
        any::<prop::sample::Index>(),
        0_usize..9,
        prop::sample::select(SPOILERS),
    );
    proptest::collection::vec(change, 1..4).prop_map(|changes| {
        let mut characters: Vec<char> = SAMPLE.chars().collect();
        for (at, cut, spoiler) in changes {
            let at = at.index(characters.len());
            let end = (at + cut).min(characters.len());
            characters.splice(at..end, spoiler.chars());
        }
        characters.into_iter().collect()
    })
}

fn read_everything(text: &str) {
    let Ok(element) = text.parse::<Element>() else {
        return;
    };
    // What was accepted is good XML, and means the same when written and read again.
    assert_eq!(
        element.to_xml().parse::<Element>().as_ref(),
        Ok(&element),
        "for {text:?}"
    );
    match Stanza::try_from(element) {
        Ok(Stanza::Message(message)) => {
            message.body();
            message.is_encrypted();
            message.retracts();
            message.error();
        }
        Ok(_) => {}
        Err(invalid) => {
            invalid.error_reply();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_is_read(element in element()) {
        prop_assert_eq!(element.to_xml().parse::<Element>().unwrap(), element);
    }

    #[test]
    fn any_text_can_be_sent(body in any::<String>(), id in any::<String>()) {
        let message = Message::chat(Jid::new("a@b").unwrap(), Jid::new("c@d").unwrap()).with_id(id).with_body(body);
        let mut out = Vec::new();
        Stanza::from(message).write(&mut out);
        let text = String::from_utf8(out).unwrap();
        prop_assert!(text.parse::<Element>().is_ok(), "{text:?}");
    }

    #[test]
    fn a_stanza_survives_with_all_its_children(children in proptest::collection::vec(element(), 0..3), id in text()) {
        let mut message = Message::chat(Jid::new("a@b/c").unwrap(), Jid::new("d@e").unwrap()).with_id(id);
        message.children = children;
        let stanza = Stanza::from(message);
        let element = stanza.to_element();
        prop_assert_eq!(Stanza::try_from(element.to_xml().parse::<Element>().unwrap()), Ok(stanza));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn hostile_stanzas_do_no_harm(text in spoilt()) {
        read_everything(&text);
    }

    #[test]
    fn arbitrary_text_does_no_harm(text in "[<>/&;#x'\"= a:!?\\[\\]-]{0,40}") {
        read_everything(&text);
    }
}
