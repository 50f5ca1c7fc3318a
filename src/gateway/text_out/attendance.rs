//! An answer to an invitation inside a message that the gateway writes in a user's name. What clients send of this kind is taken away
//! at the door.

use transom_adapter::Attendance;

use crate::xmpp::{
    ns,
    stanza::{Element, Message},
};

const NAME: &str = "attendance";

/// The answer as a payload.
pub fn attendance_element(attendance: &Attendance) -> Element {
    let json = serde_json::to_string(attendance).unwrap_or_default();
    Element::text_only(NAME, ns::OWN, json)
}

/// The answer in a message.
pub(super) fn attendance(message: &Message) -> Option<Box<Attendance>> {
    let payload = message.child(NAME, ns::OWN)?;
    serde_json::from_str(&payload.text()).ok()
}

/// Takes away what only the gateway may write.
pub fn without_own_payloads(message: &mut Message) {
    message.children.retain(|child| !child.is(NAME, ns::OWN));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::jid::Jid;

    #[test]
    fn what_clients_write_of_it_is_taken_away() {
        let wanted = Attendance {
            uid: "u".to_owned(),
            ..Attendance::default()
        };
        let jid = Jid::new("a@example.org").unwrap();
        let mut message = Message::chat(jid.clone(), jid).with_child(attendance_element(&wanted));
        assert_eq!(attendance(&message), Some(Box::new(wanted)));
        without_own_payloads(&mut message);
        assert_eq!(attendance(&message), None);
    }
}
