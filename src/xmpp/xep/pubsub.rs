//! XEP-0060: Publish-Subscribe, as far as clients read what a contact publishes about itself (XEP-0163).

use crate::xmpp::{
    ns,
    stanza::{Element, Iq, IqType},
};

/// A request for the items of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The node.
    pub node: String,
    /// The items that are wanted; none: all.
    pub ids: Vec<String>,
}

/// Items named in one request at most; the others are passed over.
const IDS_MAX: usize = 16;

impl Read {
    /// Reads a request (XEP-0060 §6.5); `None` for any other iq.
    pub fn parse(iq: &Iq) -> Option<Self> {
        if iq.kind != IqType::Get {
            return None;
        }
        let items = iq.child("pubsub", ns::PUBSUB)?.child("items", ns::PUBSUB)?;
        let item = |item: &Element| item.attr("id").map(str::to_owned);
        Some(Self {
            node: items.attr("node")?.to_owned(),
            ids: items
                .children()
                .filter(|child| child.is("item", ns::PUBSUB))
                .filter_map(item)
                .take(IDS_MAX)
                .collect(),
        })
    }

    /// Whether an item with this id was asked for.
    pub fn wants(&self, id: &str) -> bool {
        self.ids.is_empty() || self.ids.iter().any(|wanted| wanted == id)
    }

    /// The answer: the one item there is, or none.
    pub fn answer(&self, item: Option<(&str, Element)>) -> Element {
        let item = item.map(|(id, payload)| {
            Element::new("item", ns::PUBSUB)
                .with_attr("id", id)
                .with_child(payload)
        });
        let items = Element::new("items", ns::PUBSUB)
            .with_attr("node", self.node.as_str())
            .with_children(item);
        Element::new("pubsub", ns::PUBSUB).with_child(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::jid::Jid;

    fn iq(kind: IqType, xml: &str) -> Iq {
        let jid = |text| Jid::new(text).unwrap();
        Iq::new(kind, jid("a@b/c"), jid("x@sms.b"))
            .with_id("1")
            .with_child(xml.parse().unwrap())
    }

    #[test]
    fn a_request_is_read() {
        let xml = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n' max_items='1'><item id='a'/>\
                   <item/><odd xmlns='x'/></items></pubsub>";
        let read = Read::parse(&iq(IqType::Get, xml)).unwrap();
        assert_eq!((read.node.as_str(), read.ids.len()), ("n", 1));
        assert!(read.wants("a") && !read.wants("b"));
        assert_eq!(Read::parse(&iq(IqType::Set, xml)), None);
    }

    #[test]
    fn what_asks_for_no_node_is_none() {
        for inside in [
            "",
            "<items/>",
            "<subscribe node='n' jid='a@b'/>",
            "<items xmlns='x' node='n'/>",
        ] {
            let xml =
                format!("<pubsub xmlns='http://jabber.org/protocol/pubsub'>{inside}</pubsub>");
            assert_eq!(Read::parse(&iq(IqType::Get, &xml)), None, "{inside}");
        }
    }

    #[test]
    fn an_answer_names_its_node() {
        let read = Read {
            node: "n".to_owned(),
            ids: Vec::new(),
        };
        assert_eq!(
            read.answer(Some(("i", Element::new("x", "urn:x"))))
                .to_xml(),
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'><item id='i'><x xmlns='urn:x'/></item>\
             </items></pubsub>"
        );
        assert_eq!(
            read.answer(None).to_xml(),
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'/></pubsub>"
        );
    }
}
