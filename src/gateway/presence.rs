//! The presences of the gateway and its contacts. A contact has none of its own: it is there for whoever subscribed to it.

use transom_adapter::Address;

use super::{Gateway, info, picture};
use crate::xmpp::{
    jid::{BareJid, Jid},
    ns,
    stanza::{Element, Presence, PresenceType, Stanza},
};

/// The resource that all our presence comes from (semantics 7).
const RESOURCE: &str = "gw";

/// The presence of the gateway to somebody who sees it.
pub fn present(gateway: &Gateway, user: impl Into<Jid>) -> Presence {
    let domain = &gateway.config.domain;
    Presence::new(PresenceType::Available, resource(domain), user)
        .with_child(info::of_gateway(gateway).caps(info::CAPS_NODE))
        .with_child(picture::of_gateway(gateway.network(), domain.as_str()).update())
}

/// The presence of a contact to somebody who sees it; `name` is what it is called there.
pub fn contact_present(
    gateway: &Gateway,
    (ours, peer): (&BareJid, &Address),
    name: Option<&str>,
    user: impl Into<Jid>,
) -> Presence {
    let avatar = picture::of_contact(gateway.network(), peer.as_str(), name);
    Presence::new(PresenceType::Available, resource(ours), user)
        .with_child(info::of_contact(gateway).caps(info::CAPS_NODE))
        .with_child(avatar.update())
}

/// The end of [`present`].
pub fn absent(ours: &BareJid, user: impl Into<Jid>) -> Presence {
    Presence::new(PresenceType::Unavailable, resource(ours), user)
}

/// XEP-0172 §4.1: a question names who asks.
pub fn with_nick(presence: Presence, name: Option<&str>) -> Presence {
    match name {
        Some(name) => presence.with_child(Element::text_only("nick", ns::NICK, name)),
        None => presence,
    }
}

/// Our one resource (semantics 7).
fn resource(ours: &BareJid) -> Jid {
    ours.with_resource_str(RESOURCE)
        .map_or_else(|_| ours.clone().into(), Jid::from)
}

/// The end of both subscriptions between a JID of ours and a user: no presence, none to be had, none wanted.
pub fn farewell(ours: &BareJid, user: &BareJid) -> [Stanza; 3] {
    let of = |kind, from: Jid| Stanza::from(Presence::new(kind, from, user.clone()));
    [
        of(PresenceType::Unavailable, resource(ours)),
        of(PresenceType::Unsubscribed, ours.clone().into()),
        of(PresenceType::Unsubscribe, ours.clone().into()),
    ]
}
