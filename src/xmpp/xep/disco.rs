//! XEP-0030: Service Discovery, and XEP-0115: Entity Capabilities, which are a hash of it.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};

use crate::xmpp::{
    jid::Jid,
    ns,
    stanza::{Element, Iq, IqType},
    xep::forms::Form,
};

/// Which of its two questions was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// What are you, and what can you do?
    Info,
    /// What belongs to you?
    Items,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which one.
    pub topic: Topic,
    /// About which part; nothing: the whole.
    pub node: Option<String>,
}

impl Query {
    /// Reads a question; `None` for any other iq.
    pub fn parse(iq: &Iq) -> Option<Self> {
        if iq.kind != IqType::Get {
            return None;
        }
        let (topic, query) = match (
            iq.child("query", ns::DISCO_INFO),
            iq.child("query", ns::DISCO_ITEMS),
        ) {
            (Some(query), _) => (Topic::Info, query),
            (None, Some(query)) => (Topic::Items, query),
            (None, None) => return None,
        };
        let node = query
            .attr("node")
            .filter(|node| !node.is_empty())
            .map(str::to_owned);
        Some(Self { topic, node })
    }

    /// The question's payload.
    pub fn to_element(&self) -> Element {
        let namespace = match self.topic {
            Topic::Info => ns::DISCO_INFO,
            Topic::Items => ns::DISCO_ITEMS,
        };
        Element::new("query", namespace).with_optional_attr("node", self.node.as_deref())
    }
}

/// What something is; see the registry of identities of XEP-0030.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// For instance `gateway`.
    pub category: String,
    /// For instance `sms`.
    pub kind: String,
    /// The language of the name; empty for none.
    pub lang: String,
    /// For people; empty for none.
    pub name: String,
}

impl Identity {
    /// An identity whose name has no language.
    pub fn new(category: &str, kind: &str, name: impl Into<String>) -> Self {
        let (category, kind, lang) = (category.to_owned(), kind.to_owned(), String::new());
        Self {
            category,
            kind,
            lang,
            name: name.into(),
        }
    }
}

/// What something is and can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// What it is.
    pub identities: Vec<Identity>,
    /// What it can do: namespaces.
    pub features: Vec<String>,
    /// More about it (XEP-0128), each of a type of its own (XEP-0068).
    pub forms: Vec<Form>,
}

impl Info {
    /// Whether it can do this.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|known| known == feature)
    }

    /// Reads an answer.
    pub fn from_element(query: &Element) -> Option<Self> {
        if !query.is("query", ns::DISCO_INFO) {
            return None;
        }
        let children = |name| {
            query
                .children()
                .filter(move |child| child.is(name, ns::DISCO_INFO))
        };
        let identity = |element: &Element| {
            let attribute = |name| element.attr(name).map(str::to_owned);
            Some(Identity {
                category: attribute("category")?,
                kind: attribute("type")?,
                lang: attribute("xml:lang").unwrap_or_default(),
                name: attribute("name").unwrap_or_default(),
            })
        };
        Some(Self {
            identities: children("identity").filter_map(identity).collect(),
            features: children("feature")
                .filter_map(|feature| feature.attr("var").map(str::to_owned))
                .collect(),
            forms: query.children().filter_map(Form::from_element).collect(),
        })
    }

    /// The answer to a question about this node.
    pub fn to_element(&self, node: Option<&str>) -> Element {
        let optional = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let identity = |identity: &Identity| {
            Element::new("identity", ns::DISCO_INFO)
                .with_attr("category", identity.category.as_str())
                .with_attr("type", identity.kind.as_str())
                .with_optional_attr("xml:lang", optional(&identity.lang))
                .with_optional_attr("name", optional(&identity.name))
        };
        let feature =
            |var: &String| Element::new("feature", ns::DISCO_INFO).with_attr("var", var.as_str());
        Element::new("query", ns::DISCO_INFO)
            .with_optional_attr("node", node)
            .with_children(self.identities.iter().map(identity))
            .with_children(self.features.iter().map(feature))
            .with_children(self.forms.iter().map(Form::to_element))
    }

    /// XEP-0115 §5.1: the hash of the verification string.
    pub fn caps_hash(&self) -> String {
        let mut identities: Vec<_> = self.identities.iter().collect();
        let mut features: Vec<_> = self.features.iter().collect();
        identities.sort();
        features.sort();
        features.dedup();
        let mut hash = Sha1::new();
        for Identity {
            category,
            kind,
            lang,
            name,
        } in identities
        {
            hash.update(format!("{category}/{kind}/{lang}/{name}<"));
        }
        for feature in features {
            hash.update(format!("{feature}<"));
        }
        let mut forms: Vec<_> = self.forms.iter().collect();
        forms.sort_by_key(|form| form.form_type());
        for form in forms {
            hash.update(format!("{}<", form.form_type().unwrap_or_default()));
            let mut fields: Vec<_> = form.fields.iter().collect();
            fields.retain(|field| field.var != "FORM_TYPE");
            fields.sort_by_key(|field| &field.var);
            for field in fields {
                hash.update(format!("{}<", field.var));
                let mut values: Vec<_> = field.values.iter().collect();
                values.sort();
                for value in values {
                    hash.update(format!("{value}<"));
                }
            }
        }
        BASE64_STANDARD.encode(hash.finalize())
    }

    /// The `<c/>` of presence (XEP-0115 §4); `node` names the software by a URL.
    pub fn caps(&self, node: &str) -> Element {
        Element::new("c", ns::CAPS)
            .with_attr("hash", "sha-1")
            .with_attr("node", node)
            .with_attr("ver", self.caps_hash())
    }
}

/// One answer to [`Topic::Items`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its address.
    pub jid: Jid,
    /// Which part of that.
    pub node: Option<String>,
    /// For people.
    pub name: Option<String>,
}

/// The answer to a question for items.
pub fn items(items: &[Item], node: Option<&str>) -> Element {
    let item = |item: &Item| {
        Element::new("item", ns::DISCO_ITEMS)
            .with_attr("jid", item.jid.as_str())
            .with_optional_attr("node", item.node.as_deref())
            .with_optional_attr("name", item.name.as_deref())
    };
    Element::new("query", ns::DISCO_ITEMS)
        .with_optional_attr("node", node)
        .with_children(items.iter().map(item))
}

/// Reads the answer to a question for items; those without a valid address are passed over.
pub fn parse_items(query: &Element) -> Vec<Item> {
    let item = |element: &Element| {
        let attribute = |name| element.attr(name).map(str::to_owned);
        let jid = Jid::new(element.attr("jid")?).ok()?;
        Some(Item {
            jid,
            node: attribute("node"),
            name: attribute("name"),
        })
    };
    let query = Some(query).filter(|query| query.is("query", ns::DISCO_ITEMS));
    query
        .into_iter()
        .flat_map(Element::children)
        .filter(|child| child.is("item", ns::DISCO_ITEMS))
        .filter_map(item)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::xep::forms::Field;

    #[test]
    fn the_hash_is_the_one_of_the_document() {
        // XEP-0115 §5.2
        let info = Info {
            identities: vec![Identity::new("client", "pc", "Exodus 0.9.1")],
            features: [
                ns::CAPS,
                ns::DISCO_ITEMS,
                ns::DISCO_INFO,
                "http://jabber.org/protocol/muc",
            ]
            .map(str::to_owned)
            .into(),
            forms: Vec::new(),
        };
        assert_eq!(info.caps_hash(), "QgayPKawpkPSDYmwT/WM94uAlu0=");
        assert_eq!(
            info.caps("https://code.google.com/p/exodus").attr("ver"),
            Some("QgayPKawpkPSDYmwT/WM94uAlu0=")
        );
    }

    #[test]
    fn the_hash_with_a_form_is_the_one_of_the_document() {
        // XEP-0115 §5.3
        let identity = |lang: &str, name: &str| Identity {
            lang: lang.to_owned(),
            ..Identity::new("client", "pc", name)
        };
        let field = |var: &str, values: &[&str]| Field {
            values: values.iter().map(|&value| value.to_owned()).collect(),
            ..Field::new(var, "text-multi")
        };
        let info = Info {
            identities: vec![identity("en", "Psi 0.11"), identity("el", "Ψ 0.11")],
            features: [
                ns::CAPS,
                ns::DISCO_INFO,
                ns::DISCO_ITEMS,
                "http://jabber.org/protocol/muc",
            ]
            .map(str::to_owned)
            .into(),
            forms: vec![
                Form::new("urn:xmpp:dataforms:softwareinfo")
                    .with_field(field("ip_version", &["ipv4", "ipv6"]))
                    .with_field(field("os", &["Mac"]))
                    .with_field(field("os_version", &["10.5.1"]))
                    .with_field(field("software", &["Psi"]))
                    .with_field(field("software_version", &["0.11"])),
            ],
        };
        assert_eq!(info.caps_hash(), "q07IKJEyjvHSyhy//CH0CxmKi8w=");
    }

    #[test]
    fn an_answer_survives() {
        let mut info = Info {
            identities: vec![Identity::new("gateway", "sms", "Texts")],
            features: vec![ns::DISCO_INFO.into(), ns::RECEIPTS.into()],
            forms: vec![Form::new(ns::SERVER_INFO)],
        };
        info.identities[0].lang = "en".into();
        let element = info.to_element(Some("n"));
        assert_eq!(element.attr("node"), Some("n"));
        assert_eq!(Info::from_element(&element), Some(info.clone()));
        assert!(info.has(ns::RECEIPTS) && !info.has(ns::PING));
    }

    #[test]
    fn broken_parts_of_an_answer_are_passed_over() {
        let element = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='x'/><feature/>\
                       <feature var='a'/><x xmlns='jabber:x:data' type='result'/></query>";
        let info = Info::from_element(&element.parse().unwrap()).unwrap();
        assert_eq!(
            info,
            Info {
                identities: vec![],
                features: vec!["a".into()],
                forms: vec![Form {
                    kind: crate::xmpp::xep::forms::FormType::Result,
                    ..Form::default()
                }],
            }
        );
        assert_eq!(
            Info::from_element(&Element::new("query", ns::DISCO_ITEMS)),
            None
        );
    }

    #[test]
    fn questions_are_told_apart() {
        let ask = |kind, payload| {
            Iq::new(kind, Jid::new("a@b/c").unwrap(), Jid::new("sms.b").unwrap())
                .with_child(payload)
        };
        let info = Query {
            topic: Topic::Info,
            node: Some("n".into()),
        };
        let items = Query {
            topic: Topic::Items,
            node: None,
        };
        assert_eq!(
            Query::parse(&ask(IqType::Get, info.to_element())),
            Some(info.clone())
        );
        assert_eq!(
            Query::parse(&ask(IqType::Get, items.to_element().with_attr("node", ""))),
            Some(items)
        );
        assert_eq!(Query::parse(&ask(IqType::Result, info.to_element())), None);
        assert_eq!(
            Query::parse(&ask(IqType::Get, Element::new("query", ns::REGISTER))),
            None
        );
    }

    #[test]
    fn items_survive() {
        let jid = Jid::new("sms.example.org").unwrap();
        let list = vec![Item {
            jid,
            node: None,
            name: Some("Texts".into()),
        }];
        let element = items(&list, None)
            .with_child(Element::new("item", ns::DISCO_ITEMS).with_attr("jid", "@"));
        assert_eq!(parse_items(&element), list);
    }
}
