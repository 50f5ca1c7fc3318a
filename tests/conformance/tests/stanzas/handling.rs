//! Every stanza of the fuzz target's seeds, whole and spoilt, and any other, through all that is pure.

use std::{fs, path::Path};

use proptest::prelude::*;
use transom::xmpp::{
    ns,
    stanza::{Element, Name, Stanza},
};
use transom_conformance::{handle, spoilt};

use crate::world::words;

fn seeds() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/handling");
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    let mut seeds: Vec<_> = files.collect();
    seeds.sort();
    seeds
}

#[test]
fn every_seed_is_a_stanza_that_comes_to_an_end() {
    let seeds = seeds();
    assert!(seeds.len() > 70, "{} seeds", seeds.len());
    for (name, xml) in seeds {
        let element: Element = xml.parse().unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(Stanza::try_from(element).is_ok(), "{name}");
        handle(&xml);
    }
}

#[test]
fn a_part_missing_repeated_unknown_empty_or_foreign_breaks_nothing() {
    for (_, xml) in seeds() {
        for spoilt in spoilt(&xml.parse().unwrap()) {
            handle(&spoilt.element.to_xml());
        }
    }
}

/// Names that mean something to some reader.
const NAMES: &[&str] = &[
    "actions",
    "address",
    "addresses",
    "block",
    "blocklist",
    "body",
    "command",
    "delay",
    "encrypted",
    "encryption",
    "error",
    "fallback",
    "feature",
    "field",
    "file",
    "file-sharing",
    "group",
    "header",
    "identity",
    "item",
    "items",
    "name",
    "nick",
    "note",
    "openpgp",
    "option",
    "origin-id",
    "perm",
    "photo",
    "ping",
    "privilege",
    "prompt",
    "propose",
    "pubsub",
    "put",
    "query",
    "reactions",
    "received",
    "reference",
    "remove",
    "replace",
    "reply",
    "reported",
    "request",
    "retract",
    "slot",
    "sources",
    "store",
    "subject",
    "text",
    "thread",
    "time",
    "unblock",
    "url",
    "url-data",
    "value",
    "vCard",
    "vcard",
    "x",
];

fn element() -> impl Strategy<Value = Element> {
    let name = proptest::sample::select(NAMES).prop_map(Name::from);
    let namespace = proptest::sample::select(ns::ALL).prop_map(Name::from);
    let attributes = [
        "type", "id", "jid", "node", "var", "action", "uri", "url", "stamp", "name", "access",
        "xml:lang",
    ];
    let value = prop_oneof![
        words(),
        Just("submit".to_owned()),
        Just("https://example.org/x.png".to_owned()),
        Just("+12025550147@gw.example.org".to_owned()),
        Just("alice@example.org".to_owned())
    ];
    let attribute = (proptest::sample::select(attributes.to_vec()), value);
    let leaf = (
        name,
        namespace,
        proptest::collection::vec(attribute, 0..3),
        words(),
    )
        .prop_map(|(name, namespace, attributes, text)| {
            let element = Element::new(name, namespace).with_text(text);
            attributes
                .into_iter()
                .fold(element, |element, (name, value)| {
                    element.with_attr(name, value)
                })
        })
        .boxed();
    leaf.clone().prop_recursive(3, 12, 4, move |inner| {
        (leaf.clone(), proptest::collection::vec(inner, 0..4))
            .prop_map(|(element, children)| element.with_children(children))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_stanza_comes_to_an_end(
        name in proptest::sample::select(vec!["message", "presence", "iq"]),
        kind in "get|set|result|error|chat|normal|subscribe|unsubscribe|probe|subscribed",
        to in "gw.example.org|\\+12025550147@gw.example.org|wrong@gw.example.org|bob\\\\40example.com@gw.example.org",
        children in proptest::collection::vec(element(), 1..3),
    ) {
        let stanza = Element::new(name, ns::CLIENT)
            .with_attr("from", "alice@example.org/phone")
            .with_attr("to", to)
            .with_attr("type", kind)
            .with_attr("id", "1")
            .with_children(children);
        handle(&stanza.to_xml());
    }

    #[test]
    fn what_is_no_stanza_comes_to_an_end_too(text in "\\PC*", cut in any::<prop::sample::Index>()) {
        handle(&text);
        for (_, xml) in seeds().iter().take(5) {
            let at = (0..=cut.index(xml.len())).rev().find(|at| xml.is_char_boundary(*at));
            let (before, after) = xml.split_at(at.unwrap_or_default());
            handle(&format!("{before}{text}{after}"));
        }
    }
}
