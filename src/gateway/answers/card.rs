//! XEP-0054: the least that makes a contact more than a JID.

use transom_adapter::Network;

use crate::{
    gateway::{Gateway, subscription::Target},
    texts::{Chat, Lang, Text},
    xmpp::{ns, stanza::Element},
};

pub(super) fn of(gateway: &Gateway, target: &Target, lang: Lang) -> Element {
    let card = Element::new("vCard", ns::VCARD);
    let field = |name: &'static str, text: &str| Element::text_only(name, ns::VCARD, text);
    let network = gateway.network();
    let Target::Contact { jid, .. } = target else {
        return card.with_child(field(
            "FN",
            &Text::from(Chat::Name { network }).render(lang),
        ));
    };
    let contact = jid
        .node()
        .and_then(|local| gateway.contact(local.as_str()).ok());
    let Some(contact) = contact else { return card };
    let peer = contact.peer.as_str();
    let way = match network {
        Network::Sms => Element::new("TEL", ns::VCARD).with_child(field("NUMBER", peer)),
        Network::Email => Element::new("EMAIL", ns::VCARD).with_child(field("USERID", peer)),
    };
    card.with_child(field("FN", peer)).with_child(way)
}
