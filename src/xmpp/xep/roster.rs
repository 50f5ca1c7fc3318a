//! RFC 6121 §2: rosters, as far as a gateway changes those of users by XEP-0356; and XEP-0144: Roster Item Exchange, for those it cannot.

use crate::xmpp::{
    jid::{BareJid, Jid},
    ns,
    stanza::{Element, Iq, IqType},
};

/// An entry of a roster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// What the user calls it.
    pub name: Option<String>,
    /// `none`, `to`, `from`, `both` or `remove`; nothing means `none`.
    pub subscription: Option<String>,
    /// The groups that it is in.
    pub groups: Vec<String>,
}

impl Item {
    /// The request that puts it into a roster: one entry each, since Prosody answers once an entry.
    pub fn set(&self, jid: &BareJid) -> Element {
        let item = self.element(jid, ns::ROSTER);
        let item = item.with_optional_attr("subscription", self.subscription.as_deref());
        Element::new("query", ns::ROSTER).with_child(item)
    }

    /// XEP-0144 §3: an entry that the user may add.
    pub fn offer(&self, jid: &BareJid) -> Element {
        let item = self.element(jid, ns::ROSTER_EXCHANGE);
        Element::new("x", ns::ROSTER_EXCHANGE).with_child(item.with_attr("action", "add"))
    }

    fn element(&self, jid: &BareJid, namespace: &'static str) -> Element {
        let group = |name: &String| Element::text_only("group", namespace, name.as_str());
        Element::new("item", namespace)
            .with_attr("jid", jid.as_str())
            .with_optional_attr("name", self.name.as_deref())
            .with_children(self.groups.iter().map(group))
    }
}

/// A request for a roster.
pub fn get() -> Element {
    Element::new("query", ns::ROSTER)
}

/// The entries on one domain in an answer; all others are none of our business.
pub fn entries(query: &Element, domain: &str) -> Vec<(BareJid, Item)> {
    let entry = |element: &Element| {
        let jid = BareJid::new(element.attr("jid")?).ok()?;
        let groups = element
            .children()
            .filter(|child| child.is("group", ns::ROSTER));
        let item = Item {
            name: element
                .attr("name")
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            subscription: element.attr("subscription").map(str::to_owned),
            groups: groups.map(|group| group.text().into_owned()).collect(),
        };
        (jid.domain().as_str() == domain).then_some((jid, item))
    };
    let query = Some(query).filter(|query| query.is("query", ns::ROSTER));
    query
        .into_iter()
        .flat_map(Element::children)
        .filter(|child| child.is("item", ns::ROSTER))
        .filter_map(entry)
        .collect()
}

/// Whether this tells of a change in a roster: a server sends it for a user, from the bare JID (XEP-0356 §4.3).
pub fn is_push(iq: &Iq) -> bool {
    iq.kind == IqType::Set
        && iq.child("query", ns::ROSTER).is_some()
        && iq.from.as_ref().is_some_and(Jid::is_bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bob() -> BareJid {
        BareJid::new("+1@sms.b").unwrap()
    }

    fn item() -> Item {
        Item {
            name: Some("Bob".to_owned()),
            subscription: Some("both".to_owned()),
            groups: vec!["Texts".to_owned()],
        }
    }

    #[test]
    fn they_look_as_in_the_documents() {
        assert_eq!(
            item().set(&bob()).to_xml(),
            "<query xmlns='jabber:iq:roster'><item jid='+1@sms.b' name='Bob' subscription='both'><group>Texts</group>\
             </item></query>"
        );
        assert_eq!(
            item().offer(&bob()).to_xml(),
            "<x xmlns='http://jabber.org/protocol/rosterx'><item jid='+1@sms.b' name='Bob' action='add'><group>Texts</group>\
             </item></x>"
        );
    }

    #[test]
    fn only_our_entries_of_a_roster_are_read() {
        let query = "<query xmlns='jabber:iq:roster'><item jid='+1@sms.b' name='Bob' subscription='both'><group>Texts</group>\
                     <odd/></item><item jid='a@b'/><item/><item jid='@'/><item jid='+2@sms.b' name=''/></query>";
        let found = entries(&query.parse().unwrap(), "sms.b");
        let two = BareJid::new("+2@sms.b").unwrap();
        assert_eq!(found, [(bob(), item()), (two, Item::default())]);
    }

    #[test]
    fn a_push_comes_from_the_account() {
        let iq = |kind, from: &str| {
            Iq::new(kind, Jid::new(from).unwrap(), Jid::new("sms.b").unwrap()).with_child(get())
        };
        assert!(is_push(&iq(IqType::Set, "a@b")));
        assert!(!is_push(&iq(IqType::Set, "a@b/c")));
        assert!(!is_push(&iq(IqType::Get, "a@b")));
    }
}
