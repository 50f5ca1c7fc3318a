//! XEP-0012: Last Activity.

use std::time::Duration;

use crate::xmpp::{
    ns,
    stanza::{Element, Iq, IqType},
};

/// Whether this asks since when.
pub fn is_query(iq: &Iq) -> bool {
    iq.kind == IqType::Get && iq.child("query", ns::LAST_ACTIVITY).is_some()
}

/// XEP-0012 §5: for a server or component, how long it has been running.
pub fn uptime(uptime: Duration) -> Element {
    let seconds = uptime.as_secs().to_string();
    Element::new("query", ns::LAST_ACTIVITY).with_attr("seconds", seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_as_in_the_document() {
        assert_eq!(
            uptime(Duration::from_millis(123_456)).to_xml(),
            "<query xmlns='jabber:iq:last' seconds='123'/>"
        );
    }
}
