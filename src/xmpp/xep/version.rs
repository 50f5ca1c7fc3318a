//! XEP-0092: Software Version.

use crate::xmpp::{
    ns,
    stanza::{Element, Iq, IqType},
};

/// Whether this asks for the version.
pub fn is_query(iq: &Iq) -> bool {
    iq.kind == IqType::Get && iq.child("query", ns::VERSION).is_some()
}

/// The answer. The operating system is nobody's business.
pub fn answer(name: &str, version: &str) -> Element {
    Element::new("query", ns::VERSION)
        .with_child(Element::text_only("name", ns::VERSION, name))
        .with_child(Element::text_only("version", ns::VERSION, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_as_in_the_document() {
        assert_eq!(
            answer("transom", "0.1.0").to_xml(),
            "<query xmlns='jabber:iq:version'><name>transom</name><version>0.1.0</version></query>"
        );
    }
}
