//! XEP-0203: Delayed Delivery.

use jiff::Timestamp;

use crate::xmpp::{ns, stanza::Element};

/// When something was first sent, if it waited since.
pub fn delay(by: &str, since: Timestamp) -> Element {
    // XEP-0082: in UTC.
    Element::new("delay", ns::DELAY)
        .with_attr("from", by)
        .with_attr("stamp", since.to_string())
}

/// The time among a stanza's payloads.
pub fn since(payloads: &[Element]) -> Option<Timestamp> {
    payloads
        .iter()
        .find(|payload| payload.is("delay", ns::DELAY))?
        .attr("stamp")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives() {
        let time: Timestamp = "2026-11-23T02:30:00Z".parse().unwrap();
        let element = delay("sms.example.org", time);
        assert_eq!(element.attr("stamp"), Some("2026-11-23T02:30:00Z"));
        assert_eq!(since(&[element]), Some(time));
    }

    #[test]
    fn other_zones_are_read_and_nonsense_is_not() {
        let at = |stamp: &str| since(&[Element::new("delay", ns::DELAY).with_attr("stamp", stamp)]);
        assert_eq!(
            at("2026-11-23T03:30:00.5+01:00"),
            at("2026-11-23T02:30:00.500Z")
        );
        assert!(at("2026-11-23T02:30:00Z").is_some());
        assert_eq!(at("yesterday"), None);
        assert_eq!(since(&[Element::new("delay", ns::DELAY)]), None);
    }
}
