//! XEP-0202: Entity Time.

use jiff::Timestamp;

use crate::xmpp::{
    ns,
    stanza::{Element, Iq, IqType},
};

/// Whether this asks for the time.
pub fn is_query(iq: &Iq) -> bool {
    iq.kind == IqType::Get && iq.child("time", ns::TIME).is_some()
}

/// The answer. A gateway is in no time zone.
pub fn answer(now: Timestamp) -> Element {
    Element::new("time", ns::TIME)
        .with_child(Element::text_only("tzo", ns::TIME, "+00:00"))
        .with_child(Element::text_only("utc", ns::TIME, now.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_as_in_the_document() {
        assert_eq!(
            answer("2006-12-19T17:58:35.25Z".parse().unwrap()).to_xml(),
            "<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2006-12-19T17:58:35.25Z</utc></time>"
        );
    }
}
