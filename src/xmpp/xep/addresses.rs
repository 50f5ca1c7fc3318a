//! XEP-0033: Extended Stanza Addressing, for messages to and from several people.

use crate::xmpp::{
    jid::Jid,
    ns,
    stanza::{Element, Message},
};

/// One of a message's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its part in the message.
    pub role: Role,
    /// Who.
    pub who: Who,
    /// For people.
    pub desc: Option<String>,
    /// Whether this one has the message already: it must not be sent there again (§4.2).
    pub delivered: bool,
}

/// An address's part in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A hidden recipient.
    Bcc,
    /// A recipient of a copy.
    Cc,
    /// Nobody answers there.
    NoReply,
    /// Who wrote it, if not the sender.
    OriginalFrom,
    /// Whom it was first addressed to.
    OriginalTo,
    /// A room for answers.
    ReplyRoom,
    /// Where answers go.
    ReplyTo,
    /// A recipient.
    To,
}

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Somebody on XMPP.
    Jid(Jid),
    /// Somebody anywhere.
    Uri(String),
    /// Nobody: only with [`Role::NoReply`].
    Nobody,
}

impl Address {
    /// A recipient.
    pub fn to(who: Who) -> Self {
        Self {
            role: Role::To,
            who,
            desc: None,
            delivered: false,
        }
    }

    fn parse(element: &Element) -> Option<Self> {
        let role = Role::parse(element.attr("type")?)?;
        let who = match (element.attr("jid"), element.attr("uri")) {
            (Some(jid), _) => Who::Jid(Jid::new(jid).ok()?),
            (None, Some(uri)) => Who::Uri(uri.to_owned()),
            (None, None) if role == Role::NoReply => Who::Nobody,
            (None, None) => return None,
        };
        let desc = element.attr("desc").map(str::to_owned);
        Some(Self {
            role,
            who,
            desc,
            delivered: element.attr("delivered") == Some("true"),
        })
    }

    fn to_element(&self) -> Element {
        let (jid, uri) = match &self.who {
            Who::Jid(jid) => (Some(jid.as_str()), None),
            Who::Uri(uri) => (None, Some(uri.as_str())),
            Who::Nobody => (None, None),
        };
        Element::new("address", ns::ADDRESSES)
            .with_attr("type", self.role.as_str())
            .with_optional_attr("jid", jid)
            .with_optional_attr("uri", uri)
            .with_optional_attr("desc", self.desc.as_deref())
            .with_optional_attr("delivered", self.delivered.then_some("true"))
    }
}

/// The addresses of a message; `None` without any list. Broken ones are counted, since a message must not be sent
/// to a part of its recipients unnoticed.
pub fn parse(message: &Message) -> Option<Parsed> {
    let list = message.child("addresses", ns::ADDRESSES)?;
    let mut parsed = Parsed::default();
    for element in list
        .children()
        .filter(|child| child.is("address", ns::ADDRESSES))
    {
        match Address::parse(element) {
            Some(address) => parsed.addresses.push(address),
            None => parsed.broken += 1,
        }
    }
    Some(parsed)
}

/// What [`parse`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Those that could be read.
    pub addresses: Vec<Address>,
    /// How many could not.
    pub broken: usize,
}

/// The list of a message's addresses.
pub fn addresses(list: &[Address]) -> Element {
    Element::new("addresses", ns::ADDRESSES).with_children(list.iter().map(Address::to_element))
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Bcc => "bcc",
            Self::Cc => "cc",
            Self::NoReply => "noreply",
            Self::OriginalFrom => "ofrom",
            Self::OriginalTo => "oto",
            Self::ReplyRoom => "replyroom",
            Self::ReplyTo => "replyto",
            Self::To => "to",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "bcc" => Self::Bcc,
            "cc" => Self::Cc,
            "noreply" => Self::NoReply,
            "ofrom" => Self::OriginalFrom,
            "oto" => Self::OriginalTo,
            "replyroom" => Self::ReplyRoom,
            "replyto" => Self::ReplyTo,
            "to" => Self::To,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message::chat(Jid::new("a@b/c").unwrap(), Jid::new("sms.b").unwrap())
    }

    #[test]
    fn a_list_survives() {
        let jid = Who::Jid(Jid::new("+12025550147@sms.b").unwrap());
        let list = vec![
            Address::to(jid.clone()),
            Address {
                role: Role::Cc,
                desc: Some("Bob".into()),
                ..Address::to(Who::Uri("sms:+12025550148".into()))
            },
            Address {
                role: Role::OriginalFrom,
                delivered: true,
                ..Address::to(jid)
            },
            Address {
                role: Role::NoReply,
                ..Address::to(Who::Nobody)
            },
        ];
        let parsed = parse(&message().with_child(addresses(&list))).unwrap();
        assert_eq!(
            parsed,
            Parsed {
                addresses: list,
                broken: 0
            }
        );
        assert_eq!(parse(&message()), None);
    }

    #[test]
    fn broken_addresses_are_counted() {
        let list = "<addresses xmlns='http://jabber.org/protocol/address'><address type='to' jid='@'/>\
                    <address type='to'/><address jid='a@b'/><address type='x' jid='a@b'/><x xmlns='y'/>\
                    <address type='to' jid='a@b' delivered='no'/></addresses>";
        let parsed = parse(&message().with_child(list.parse().unwrap())).unwrap();
        assert_eq!(
            parsed.addresses,
            [Address::to(Who::Jid(Jid::new("a@b").unwrap()))]
        );
        assert_eq!(parsed.broken, 4);
    }
}
