//! Payloads with one part missing, repeated, unknown, empty, or of another namespace.

use transom::xmpp::{
    ns,
    stanza::{Element, Name, Node},
};

/// What was done to a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// A child or an attribute is not there.
    Missing,
    /// A child is there twice.
    Repeated,
    /// A child or an attribute is there that nobody knows.
    Unknown,
    /// An element is of another namespace.
    Foreign,
    /// An attribute or a text is empty.
    Emptied,
}

/// A payload with one fault.
#[derive(Debug)]
pub struct Spoilt {
    /// What was done.
    pub damage: Damage,
    /// To which part: an element's or attribute's name; those of its parents before it, with a slash between.
    pub part: String,
    /// What came of it.
    pub element: Element,
}

/// Every attribute that the payloads we read have.
const ATTRIBUTES: &[&str] = &[
    "access",
    "action",
    "algo",
    "by",
    "category",
    "delivered",
    "desc",
    "disposition",
    "end",
    "for",
    "from",
    "id",
    "jid",
    "label",
    "media",
    "name",
    "namespace",
    "node",
    "ns",
    "push",
    "sessionid",
    "stamp",
    "subscription",
    "target",
    "to",
    "type",
    "uri",
    "url",
    "var",
    "xml:lang",
];

/// Every way to spoil one part of a payload.
pub fn spoilt(element: &Element) -> Vec<Spoilt> {
    let mut found = Vec::new();
    spoil(element, "", &mut |damage, part, element| {
        found.push(Spoilt {
            damage,
            part: part.to_owned(),
            element,
        });
    });
    found
}

fn spoil(element: &Element, path: &str, tell: &mut dyn FnMut(Damage, &str, Element)) {
    let own = format!("{path}{}", element.name());
    let at = |part: &str| format!("{own}/{part}");
    tell(Damage::Foreign, &own, foreign(element));
    tell(
        Damage::Unknown,
        &at("unknown"),
        element.clone().with_attr("unknown", "1"),
    );
    let stranger = Element::text_only("unknown", "urn:example:unknown", "x");
    tell(
        Damage::Unknown,
        &at("unknown"),
        element.clone().with_child(stranger),
    );
    let present = ATTRIBUTES
        .iter()
        .filter(|name| element.attr(name).is_some());
    for name in present {
        let without = copy(element, |other| other != *name, |node| vec![node.clone()]);
        tell(Damage::Missing, &at(name), without);
        tell(
            Damage::Emptied,
            &at(name),
            element.clone().with_attr(*name, ""),
        );
    }
    for (place, node) in element.nodes().iter().enumerate() {
        let replaced = |by: Vec<Node>| {
            let mut count = 0;
            copy(
                element,
                |_| true,
                |node| {
                    count += 1;
                    if count == place + 1 {
                        by.clone()
                    } else {
                        vec![node.clone()]
                    }
                },
            )
        };
        match node {
            Node::Text(_) => tell(Damage::Emptied, &at("text"), replaced(Vec::new())),
            Node::Element(child) => {
                let name = at(child.name());
                tell(Damage::Missing, &name, replaced(Vec::new()));
                let twice = vec![node.clone(), node.clone()];
                tell(Damage::Repeated, &name, replaced(twice));
                spoil(child, &format!("{own}/"), &mut |damage, part, child| {
                    tell(damage, part, replaced(vec![Node::Element(child)]));
                });
            }
        }
    }
}

fn foreign(element: &Element) -> Element {
    let mut copied = Element::new(name(element), Name::from("urn:example:foreign"));
    fill(&mut copied, element, |_| true, |node| vec![node.clone()]);
    copied
}

fn copy(
    element: &Element,
    keeps: impl Fn(&str) -> bool,
    change: impl FnMut(&Node) -> Vec<Node>,
) -> Element {
    let mut copied = Element::new(name(element), name_of(element.namespace()));
    fill(&mut copied, element, keeps, change);
    copied
}

fn fill(
    copied: &mut Element,
    element: &Element,
    keeps: impl Fn(&str) -> bool,
    change: impl FnMut(&Node) -> Vec<Node>,
) {
    for attribute in ATTRIBUTES.iter().filter(|name| keeps(name)) {
        if let Some(value) = element.attr(attribute) {
            copied.set_attr(*attribute, value);
        }
    }
    for node in element.nodes().iter().flat_map(change) {
        match node {
            Node::Element(child) => copied.push_child(child),
            Node::Text(text) => copied.push_text(&text),
        }
    }
}

fn name(element: &Element) -> Name {
    Name::parse(element.name()).expect("it is one already")
}

/// The payloads that are spoilt have known namespaces, or one that nobody knows.
fn name_of(namespace: &str) -> Name {
    let known = ns::ALL.iter().find(|known| **known == namespace);
    Name::from(known.copied().unwrap_or("urn:example:foreign"))
}
