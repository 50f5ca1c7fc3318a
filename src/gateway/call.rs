//! A call to a contact (semantics 12): nothing invites to one; whoever tries is told at once, instead of hearing it ring.

use super::{Gateway, ids, moment::Moment};
use crate::{
    texts::{Content, Text},
    xmpp::{
        jid::Jid,
        ns,
        stanza::{Element, Message, MessageType, Stanza},
        xep::hints,
    },
};

/// Whether a message proposes a call (XEP-0353 §3.1).
pub fn is_proposal(message: &Message) -> bool {
    matches!(message.kind, MessageType::Chat | MessageType::Normal) && proposal(message).is_some()
}

fn proposal(message: &Message) -> Option<&str> {
    message.child("propose", ns::JINGLE_MESSAGE)?.attr("id")
}

/// The rejection (XEP-0353 §3.3) and a sentence in the chat; nothing for somebody who may not use the gateway.
pub fn decline(gateway: &Gateway, message: &Message, moment: &Moment<'_>) -> Vec<Stanza> {
    let (Some(from), Some(to), Some(call)) = (&message.from, &message.to, proposal(message)) else {
        return Vec::new();
    };
    let user = from.to_bare();
    if !gateway.admits(&user) {
        return Vec::new();
    }
    let ours = Jid::from(to.to_bare());
    let lang = gateway.lang(message.lang.as_deref());
    let id = ids::stanza_id(moment.now);
    let reject = Element::new("reject", ns::JINGLE_MESSAGE).with_attr("id", call);
    // All clients of the user stop to show the call, so that it goes to the account.
    let rejection = Message::chat(ours.clone(), user.clone())
        .with_child(reject)
        .with_child(hints::store());
    let sentence = Message::chat(ours, user)
        .with_id(id.clone())
        .with_origin_id(id)
        .with_lang(lang.tag())
        .with_body(Text::from(Content::Call).render(lang));
    vec![rejection.into(), sentence.into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::registration::fixture::{jid, sms, with_moment};

    fn propose(from: &str, inside: &str) -> Message {
        let propose: Element = inside.parse().unwrap();
        Message::chat(jid(from), jid("+12025550147@sms.example.org")).with_child(propose)
    }

    const CALL: &str = "<propose xmlns='urn:xmpp:jingle-message:0' id='c1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' \
                        media='audio'/></propose>";

    #[test]
    fn a_call_is_rejected_by_its_id_and_explained() {
        let call = propose("alice@example.org/phone", CALL);
        assert!(is_proposal(&call));
        let answers = with_moment(|moment| decline(&sms("open"), &call, moment));
        let [Stanza::Message(reject), Stanza::Message(sentence)] = answers.as_slice() else {
            panic!("{answers:?}")
        };
        let id = reject.child("reject", ns::JINGLE_MESSAGE).unwrap();
        assert_eq!(id.attr("id"), Some("c1"));
        assert!(reject.body().is_none() && sentence.body().is_some());
    }

    #[test]
    fn strangers_and_nonsense_are_answered_with_nothing() {
        let stranger = propose("eve@evil.example/x", CALL);
        assert!(with_moment(|moment| decline(&sms("open"), &stranger, moment)).is_empty());
        for nonsense in [
            "<propose xmlns='urn:xmpp:jingle-message:0'/>",
            "<propose xmlns='urn:example:x' id='c1'/>",
            "<retract xmlns='urn:xmpp:jingle-message:0' id='c1'/>",
        ] {
            assert!(
                !is_proposal(&propose("alice@example.org/x", nonsense)),
                "{nonsense}"
            );
        }
    }
}
