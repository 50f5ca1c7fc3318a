//! Who a contact is: XEP-0054, XEP-0292, XEP-0084 and XEP-0172, all from the same few facts.

use transom_adapter::Network;

use super::Answer;
use crate::{
    gateway::{Gateway, picture, target::Target},
    texts::{Chat, Lang, Text},
    xmpp::{
        ns,
        stanza::{Condition, Element, Iq, StanzaError},
        xep::{
            avatar::Avatar,
            pubsub::Read,
            vcard::{self, Card},
        },
    },
};

/// Whether a request asks who somebody is: then what the user calls them has to be known.
pub(super) fn asks(iq: &Iq) -> bool {
    vcard::is_query(iq) || vcard::is_query4(iq) || Read::parse(iq).is_some()
}

/// Answers such a request; `None` for any other. `name` is what the contact is called by the user who asks.
pub(super) fn answer(
    gateway: &Gateway,
    target: &Target,
    name: Option<&str>,
    iq: &Iq,
    lang: Lang,
) -> Option<Answer> {
    if vcard::is_query(iq) {
        return Some(Ok(Some(of(gateway, target, name, lang).to_temp())));
    }
    if vcard::is_query4(iq) {
        return Some(Ok(Some(of(gateway, target, name, lang).to_vcard4())));
    }
    let read = Read::parse(iq)?;
    Some(node(gateway, target, name, &read, lang))
}

fn of(gateway: &Gateway, target: &Target, name: Option<&str>, lang: Lang) -> Card {
    let network = gateway.network();
    let photo = Some(avatar(gateway, target, name));
    let Target::Contact { peer, .. } = target else {
        return Card {
            name: Text::from(Chat::Name { network }).render(lang),
            phone: None,
            mail: None,
            photo,
        };
    };
    let address = peer.as_str().to_owned();
    // A name in place of a number, or a short code, can be called by nobody.
    let (phone, mail) = match network {
        Network::Sms => (Some(address).filter(|number| number.starts_with('+')), None),
        Network::Email => (None, Some(address)),
    };
    Card {
        name: name.map_or_else(|| shown(peer.as_str()).to_owned(), str::to_owned),
        phone,
        mail,
        photo,
    }
}

/// An address as people read it: without what only tells machines where it belongs.
pub(in crate::gateway) fn shown(peer: &str) -> &str {
    peer.split_once(";phone-context=")
        .map_or(peer, |(shown, _)| shown)
}

fn avatar(gateway: &Gateway, target: &Target, name: Option<&str>) -> Avatar {
    match target {
        Target::Contact { peer, .. } => picture::of_contact(gateway.network(), peer.as_str(), name),
        Target::Gateway | Target::Nobody(_) => {
            picture::of_gateway(gateway.network(), gateway.config.domain.as_str())
        }
    }
}

/// XEP-0163: what an entity publishes about itself, one item a node.
fn node(gateway: &Gateway, target: &Target, name: Option<&str>, read: &Read, lang: Lang) -> Answer {
    let avatar = || avatar(gateway, target, name);
    let (id, payload) = match read.node.as_str() {
        ns::AVATAR_METADATA => {
            let avatar = avatar();
            (avatar.id.clone(), avatar.metadata())
        }
        ns::AVATAR_DATA => {
            let avatar = avatar();
            (avatar.id.clone(), avatar.data())
        }
        ns::VCARD4_NODE => (
            vcard::ITEM.to_owned(),
            of(gateway, target, name, lang).to_vcard4(),
        ),
        ns::NICK => {
            let name = of(gateway, target, name, lang).name;
            (
                vcard::ITEM.to_owned(),
                Element::text_only("nick", ns::NICK, name),
            )
        }
        // XEP-0060 §6.5.9.11
        _ => return Err(StanzaError::new(Condition::ItemNotFound).into()),
    };
    Ok(Some(
        read.answer(read.wants(&id).then_some((id.as_str(), payload))),
    ))
}
