//! XEP-0333: Chat Markers.

use crate::xmpp::{
    jid::Jid,
    ns,
    stanza::{Element, Message},
    xep::hints,
};

/// Whether the sender wants to know when the message was looked at (XEP-0333 §4).
pub fn is_markable(message: &Message) -> bool {
    message.child("markable", ns::CHAT_MARKERS).is_some()
}

/// The message that was looked at, and all before it with it.
pub fn displayed_id(message: &Message) -> Option<&str> {
    message.child("displayed", ns::CHAT_MARKERS)?.attr("id")
}

/// Says that a message, and all before it, was looked at.
pub fn displayed(from: impl Into<Jid>, to: impl Into<Jid>, id: &str) -> Message {
    let displayed = Element::new("displayed", ns::CHAT_MARKERS).with_attr("id", id);
    Message::chat(from, to)
        .with_child(displayed)
        .with_child(hints::store())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_names_its_message_and_is_kept() {
        let jid = |text| Jid::new(text).unwrap();
        let marker = displayed(jid("b@example.org"), jid("a@example.org"), "m1");
        let element = marker.child("displayed", ns::CHAT_MARKERS).unwrap();
        assert_eq!(element.attr("id"), Some("m1"));
        assert_eq!(displayed_id(&marker), Some("m1"));
        assert!(marker.hints().store && marker.body().is_none() && !is_markable(&marker));
        let markable: Element = "<markable xmlns='urn:xmpp:chat-markers:0'/>"
            .parse()
            .unwrap();
        assert!(is_markable(&marker.with_child(markable)));
    }
}
