//! What is asked of the gateway and its contacts by service discovery (XEP-0030).

use super::Answer;
use crate::{
    gateway::{
        Gateway,
        info::{self, CAPS_NODE},
        target::Target,
    },
    xmpp::{
        ns,
        stanza::{Condition, StanzaError},
        xep::disco::{self, Query, Topic},
    },
};

pub(super) fn answer(gateway: &Gateway, target: &Target, query: &Query) -> Answer {
    let node = query.node.as_deref();
    let missing = || Err(StanzaError::new(Condition::ItemNotFound).into());
    match query.topic {
        Topic::Info => {
            let info = if *target == Target::Gateway {
                info::of_gateway(gateway)
            } else {
                info::of_contact(gateway)
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
