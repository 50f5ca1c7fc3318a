//! What the gateway and its contacts are and can do (XEP-0030), only what is really there: nothing here invites to encryption.

use transom_adapter::Network;

use super::{Answer, policy};
use crate::{
    gateway::{Gateway, subscription::Target, uri},
    texts::{Chat, Text},
    xmpp::{
        ns,
        stanza::{Condition, StanzaError},
        xep::{
            disco::{self, Identity, Info, Query, Topic},
            forms::{Field, Form, FormType},
        },
    },
};

/// XEP-0115 §4: the software, by a URI.
pub const CAPS_NODE: &str = "urn:x-transom:gateway";

/// What the gateway is. Its name is in the gateway's language for everybody: caps are one hash.
pub fn gateway_info(gateway: &Gateway) -> Info {
    let network = gateway.network();
    let kind = match network {
        Network::Sms => "sms",
        Network::Email => "smtp",
    };
    let name = Text::from(Chat::Name { network }).render(gateway.config.lang);
    let features = [
        ns::ADDRESSES,
        ns::BLOCKING,
        ns::CAPS,
        ns::COMMANDS,
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::FORMS,
        ns::GATEWAY,
        ns::LAST_ACTIVITY,
        ns::PING,
        ns::PUBSUB_RETRIEVE,
        ns::REGISTER,
        ns::SEARCH,
        ns::TIME,
        ns::VCARD,
        ns::VCARD4,
        ns::VERSION,
    ];
    Info {
        identities: vec![Identity::new("gateway", kind, name)],
        features: features.map(str::to_owned).into(),
        forms: contacts(gateway)
            .into_iter()
            .chain(policy::forms(gateway))
            .collect(),
    }
}

/// What every contact is.
pub fn contact_info(gateway: &Gateway) -> Info {
    let kind = match gateway.network() {
        Network::Sms => "sms",
        Network::Email => "pc",
    };
    // XEP-0444 §5: only where a reaction gets through as one.
    let reactions = gateway.adapter.has_reactions().then_some(ns::REACTIONS);
    let features = [
        ns::CAPS,
        ns::CHAT_MARKERS,
        ns::CORRECT,
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::PING,
        ns::PUBSUB_RETRIEVE,
        ns::RECEIPTS,
        ns::REPLY,
        ns::TIME,
        ns::VCARD,
        ns::VCARD4,
        ns::VERSION,
    ];
    let features = features.into_iter().chain(reactions);
    Info {
        identities: vec![Identity::new("client", kind, "")],
        features: features.map(str::to_owned).collect(),
        forms: Vec::new(),
    }
}

/// XEP-0157: whom to turn to; nothing without admins.
fn contacts(gateway: &Gateway) -> Option<Form> {
    if gateway.admins.is_empty() {
        return None;
    }
    let admins = gateway.admins.iter();
    let field = Field {
        values: admins.map(|admin| uri::of_jid(admin.as_str())).collect(),
        ..Field::new("admin-addresses", "list-multi")
    };
    Some(Form {
        kind: FormType::Result,
        ..Form::new(ns::SERVER_INFO).with_field(field)
    })
}

pub(super) fn answer(gateway: &Gateway, target: &Target, query: &Query) -> Answer {
    let node = query.node.as_deref();
    let missing = || Err(StanzaError::new(Condition::ItemNotFound).into());
    match query.topic {
        Topic::Info => {
            let info = if *target == Target::Gateway {
                gateway_info(gateway)
            } else {
                contact_info(gateway)
            };
            // XEP-0115 §6.2: clients ask about the node that presence named.
            let is_caps = |node: &str| {
                node.strip_prefix(CAPS_NODE) == Some(&format!("#{}", info.caps_hash()))
            };
            if node.is_none_or(is_caps) {
                Ok(Some(info.to_element(node)))
            } else {
                missing()
            }
        }
        // The commands of the gateway are answered by those.
        Topic::Items if node.is_none_or(|node| node == ns::COMMANDS) => {
            Ok(Some(disco::items(&[], node)))
        }
        Topic::Items => missing(),
    }
}
