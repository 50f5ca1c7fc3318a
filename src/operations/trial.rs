//! One real message in a user's name, to see whether the way is open.

use std::sync::Arc;

use uuid::Uuid;

use super::{Operations, Refusal, Reply};
use crate::{
    gateway::Gateway,
    texts::{Text, Told},
    xmpp::{
        jid::BareJid,
        stanza::{Message, Stanza},
        xep::receipts,
    },
};

/// The resource that it comes from: nobody's.
const RESOURCE: &str = "transom-check";

/// Hands the message in as the user's server would; everything that holds for others holds for it.
pub(super) async fn send(on: &Operations, user: &str, to: &str) -> Result<Reply, Refusal> {
    let running = on.running.as_ref().ok_or(Refusal::NotRunning)?;
    let not_a_person = || Refusal::NotAPerson {
        text: user.chars().take(100).collect(),
    };
    let user = BareJid::new(user).ok().filter(|jid| jid.node().is_some());
    let user = user.ok_or_else(not_a_person)?;
    let from = user.with_resource_str(RESOURCE);
    let from = from.map_err(|_| not_a_person())?;
    let (gateway, contact) = addressed(on, to).ok_or_else(|| Refusal::BadPeer {
        peer: to.chars().take(100).collect(),
    })?;
    let lang = gateway.lang(None);
    let text = Text::from(Told::TrialText {
        gateway: gateway.config.domain.to_string(),
    });
    let id = Uuid::new_v4().to_string();
    let message = Message::chat(from, contact)
        .with_id(id.clone())
        .with_origin_id(id.clone())
        .with_lang(lang.tag())
        .with_body(text.render(lang))
        .with_child(receipts::request());
    let answers = running.try_message(gateway.id, message).await;
    match answers.ok_or(Refusal::NotRunning)?.first() {
        None => Ok(Reply::Tried { id }),
        Some(answer) => Err(Refusal::NotTaken { why: why(answer) }),
    }
}

/// The gateway that knows this address, and the contact there.
fn addressed(on: &Operations, to: &str) -> Option<(Arc<Gateway>, BareJid)> {
    on.gateways.iter().find_map(|gateway| {
        let address = gateway.read_typed(to).ok()?;
        Some((Arc::clone(gateway), gateway.jid_of(&address, None)?))
    })
}

/// The sentence of an error.
fn why(answer: &Stanza) -> String {
    let error = match answer {
        Stanza::Message(message) => message.error(),
        Stanza::Iq(_) | Stanza::Presence(_) => None,
    };
    error.map_or_else(String::new, |error| {
        let name = error.condition.name().to_owned();
        error.text.map_or(name, |(_, sentence)| sentence)
    })
}
