//! What the gateway and its contacts are and can do (XEP-0030), only what is really there: nothing here invites to encryption.

use transom_adapter::Network;

use super::{Gateway, policy, uri};
use crate::{
    texts::{Chat, Text},
    xmpp::{
        ns,
        xep::{
            disco::{Identity, Info},
            forms::{Field, Form, FormType},
        },
    },
};

/// XEP-0115 §4: the software, by a URI.
pub const CAPS_NODE: &str = "urn:x-transom:gateway";

/// What the gateway is. Its name is in the gateway's language for everybody: caps are one hash.
pub fn of_gateway(gateway: &Gateway) -> Info {
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
pub fn of_contact(gateway: &Gateway) -> Info {
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
