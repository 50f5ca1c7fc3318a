//! XEP-0191: Blocking Command.

use crate::xmpp::{
    jid::{BareJid, Jid},
    ns,
    stanza::{Element, Iq, IqType, StanzaError},
};

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Who is blocked?
    List,
    /// These are, from now on.
    Block(Vec<Jid>),
    /// These no longer are; nobody named: nobody any longer.
    Unblock(Vec<Jid>),
    /// A request without anybody, or with something that is no JID.
    Bad,
}

/// Whom one request may name.
const ITEMS_MAX: usize = 1000;

impl Request {
    /// Reads a request; `None` for any other iq.
    pub fn parse(iq: &Iq) -> Option<Self> {
        let of = |name| iq.child(name, ns::BLOCKING);
        match iq.kind {
            IqType::Get => of("blocklist").map(|_| Self::List),
            IqType::Set => {
                if let Some(block) = of("block") {
                    // XEP-0191 §3.3: at least one.
                    let named = items(block).filter(|named| !named.is_empty());
                    return Some(named.map_or(Self::Bad, Self::Block));
                }
                of("unblock").map(|unblock| items(unblock).map_or(Self::Bad, Self::Unblock))
            }
            IqType::Result | IqType::Error => None,
        }
    }
}

fn items(parent: &Element) -> Option<Vec<Jid>> {
    let named: Vec<Jid> = parent
        .children()
        .filter(|child| child.is("item", ns::BLOCKING))
        .map(|item| Jid::new(item.attr("jid")?).ok())
        .collect::<Option<_>>()?;
    (named.len() <= ITEMS_MAX).then_some(named)
}

/// The answer to [`Request::List`].
pub fn list(blocked: &[BareJid]) -> Element {
    let item = |jid: &BareJid| Element::new("item", ns::BLOCKING).with_attr("jid", jid.as_str());
    Element::new("blocklist", ns::BLOCKING).with_children(blocked.iter().map(item))
}

/// Whether an error says that its sender has blocked whom it goes to (XEP-0191 §3.5).
pub fn is_blocked(error: &StanzaError) -> bool {
    error
        .application
        .as_ref()
        .is_some_and(|element| element.is("blocked", ns::BLOCKING_ERRORS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(kind: IqType, xml: &str) -> Option<Request> {
        let jid = |text| Jid::new(text).unwrap();
        let iq = Iq::new(kind, jid("a@b/c"), jid("sms.b")).with_child(xml.parse().unwrap());
        Request::parse(&iq)
    }

    fn named(jid: &str) -> Vec<Jid> {
        vec![Jid::new(jid).unwrap()]
    }

    #[test]
    fn requests_are_read() {
        const NS: &str = "xmlns='urn:xmpp:blocking'";
        assert_eq!(
            read(IqType::Get, &format!("<blocklist {NS}/>")),
            Some(Request::List)
        );
        assert_eq!(
            read(
                IqType::Set,
                &format!("<block {NS}><item jid='x@sms.b'/><odd/></block>")
            ),
            Some(Request::Block(named("x@sms.b")))
        );
        assert_eq!(
            read(
                IqType::Set,
                &format!("<unblock {NS}><item jid='x@sms.b'/></unblock>")
            ),
            Some(Request::Unblock(named("x@sms.b")))
        );
        assert_eq!(
            read(IqType::Set, &format!("<unblock {NS}/>")),
            Some(Request::Unblock(Vec::new()))
        );
        for bad in [
            "",
            "<item/>",
            "<item jid='@'/>",
            "<item xmlns='x' jid='a@b'/>",
        ] {
            let xml = format!("<block {NS}>{bad}</block>");
            assert_eq!(read(IqType::Set, &xml), Some(Request::Bad), "{bad}");
        }
        assert_eq!(read(IqType::Set, &format!("<blocklist {NS}/>")), None);
        assert_eq!(read(IqType::Get, "<blocklist xmlns='x'/>"), None);
    }

    #[test]
    fn the_list_names_everybody() {
        assert_eq!(
            list(&[BareJid::new("x@sms.b").unwrap()]).to_xml(),
            "<blocklist xmlns='urn:xmpp:blocking'><item jid='x@sms.b'/></blocklist>"
        );
    }

    #[test]
    fn an_error_that_means_a_block_is_known() {
        let error = |inside: &str| {
            let xml = format!(
                "<error xmlns='jabber:client' type='cancel'><not-acceptable \
                 xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{inside}</error>"
            );
            StanzaError::from_element(&xml.parse().unwrap())
        };
        assert!(is_blocked(&error(
            "<blocked xmlns='urn:xmpp:blocking:errors'/>"
        )));
        assert!(!is_blocked(&error("<blocked xmlns='x'/>")));
        assert!(!is_blocked(&error("")));
    }
}
