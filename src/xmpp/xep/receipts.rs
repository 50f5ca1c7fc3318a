//! XEP-0184: Message Delivery Receipts.

use crate::xmpp::{
    jid::Jid,
    ns,
    stanza::{Element, Message},
    xep::hints,
};

/// Asks for a receipt.
pub fn request() -> Element {
    Element::new("request", ns::RECEIPTS)
}

/// The receipt of the message with this id. It is archived, so that clients that are away learn of it.
pub fn receipt(from: impl Into<Jid>, to: impl Into<Jid>, received: &str) -> Message {
    Message::chat(from, to)
        .with_child(Element::new("received", ns::RECEIPTS).with_attr("id", received))
        .with_child(hints::store())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_names_the_message_and_has_no_body() {
        let receipt = receipt(
            Jid::new("+1@sms.b").unwrap(),
            Jid::new("a@b").unwrap(),
            "m1",
        );
        assert_eq!(receipt.received_id(), Some("m1"));
        assert_eq!(receipt.body(), None);
        assert!(receipt.hints().store);
        // XEP-0184 §5.6: a receipt asks for none.
        assert!(!receipt.wants_receipt());
        assert!(receipt.with_child(request()).wants_receipt());
    }
}
