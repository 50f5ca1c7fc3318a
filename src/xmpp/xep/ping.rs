//! XEP-0199: XMPP Ping.

use crate::xmpp::{
    ns,
    stanza::{Element, Iq, IqType},
};

/// The payload of a ping.
pub fn ping() -> Element {
    Element::new("ping", ns::PING)
}

/// Whether this asks for a pong, which is an empty result.
pub fn is_ping(iq: &Iq) -> bool {
    iq.kind == IqType::Get && iq.child("ping", ns::PING).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::jid::Jid;

    #[test]
    fn only_a_get_is_a_ping() {
        let (from, to) = (Jid::new("a@b/c").unwrap(), Jid::new("sms.b").unwrap());
        assert!(is_ping(&Iq::get(from.clone(), to.clone(), ping())));
        assert!(!is_ping(&Iq::set(from.clone(), to.clone(), ping())));
        assert!(!is_ping(&Iq::get(
            from,
            to,
            Element::new("ping", "urn:example:x")
        )));
    }
}
