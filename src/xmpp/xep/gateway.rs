//! XEP-0100 §6.3: `jabber:iq:gateway`, an address of the other network in, a JID out.

use crate::xmpp::{
    jid::Jid,
    ns,
    stanza::{Element, Iq, IqType},
};

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// How to ask the user for an address.
    Prompt,
    /// Which JID belongs to what the user typed.
    Translate(String),
}

/// Reads a request; `None` for any other iq and for a translation of nothing.
pub fn parse(iq: &Iq) -> Option<Request> {
    let query = iq.child("query", ns::GATEWAY)?;
    match iq.kind {
        IqType::Get => Some(Request::Prompt),
        IqType::Set => {
            let prompt = query.child_text("prompt", ns::GATEWAY)?;
            Some(Request::Translate(prompt.trim().to_owned()))
                .filter(|request| *request != Request::Translate(String::new()))
        }
        IqType::Result | IqType::Error => None,
    }
}

/// Answers [`Request::Prompt`]: a sentence, and the name of the field.
pub fn prompt(description: &str, prompt: &str) -> Element {
    Element::new("query", ns::GATEWAY)
        .with_child(Element::text_only("desc", ns::GATEWAY, description))
        .with_child(Element::text_only("prompt", ns::GATEWAY, prompt))
}

/// Answers [`Request::Translate`].
pub fn translated(jid: &Jid) -> Element {
    Element::new("query", ns::GATEWAY).with_child(Element::text_only(
        "jid",
        ns::GATEWAY,
        jid.as_str(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iq(kind: IqType, payload: &str) -> Iq {
        let payload = payload.parse().unwrap();
        Iq::new(kind, Jid::new("a@b/c").unwrap(), Jid::new("sms.b").unwrap()).with_child(payload)
    }

    #[test]
    fn both_requests_are_read() {
        assert_eq!(
            parse(&iq(IqType::Get, "<query xmlns='jabber:iq:gateway'/>")),
            Some(Request::Prompt)
        );
        let typed = "<query xmlns='jabber:iq:gateway'><x xmlns='y'/><prompt> +1 202 555 0147\n</prompt></query>";
        assert_eq!(
            parse(&iq(IqType::Set, typed)),
            Some(Request::Translate("+1 202 555 0147".into()))
        );
    }

    #[test]
    fn anything_else_is_none() {
        for (kind, payload) in [
            (IqType::Set, "<query xmlns='jabber:iq:gateway'/>"),
            (
                IqType::Set,
                "<query xmlns='jabber:iq:gateway'><prompt> </prompt></query>",
            ),
            (IqType::Get, "<query xmlns='jabber:iq:register'/>"),
            (IqType::Result, "<query xmlns='jabber:iq:gateway'/>"),
        ] {
            assert_eq!(parse(&iq(kind, payload)), None, "for {payload}");
        }
    }

    #[test]
    fn answers_look_as_in_the_document() {
        assert_eq!(
            prompt("Type a number.", "Phone").to_xml(),
            "<query xmlns='jabber:iq:gateway'><desc>Type a number.</desc><prompt>Phone</prompt></query>"
        );
        assert_eq!(
            translated(&Jid::new("+12025550147@sms.b").unwrap()).to_xml(),
            "<query xmlns='jabber:iq:gateway'><jid>+12025550147@sms.b</jid></query>"
        );
    }
}
