//! One real message in a user's name: to see whether the way is open, or because the user has to be sent something.

use std::sync::Arc;

use uuid::Uuid;

use super::{Operations, Refusal, Reply};
use crate::{
    gateway::Gateway,
    texts::{Lang, Text, Told},
    xmpp::{
        jid::BareJid,
        stanza::{Element, Message, Stanza},
        xep::receipts,
    },
};

/// The resource that it comes from: nobody's.
const RESOURCE: &str = "transom-check";

/// A message in a user's name.
pub(super) struct Trial<'a> {
    /// Whose.
    pub(super) user: &'a BareJid,
    /// The resource that it comes from, and that errors known later go to.
    pub(super) resource: &'static str,
    /// To whom.
    pub(super) contact: BareJid,
    /// What.
    pub(super) text: Text,
    /// Its language.
    pub(super) lang: Lang,
    /// What else is in it.
    pub(super) with: Element,
}

/// Sends one to see whether the way is open.
pub(super) async fn send(on: &Operations, user: &str, to: &str) -> Result<Reply, Refusal> {
    if on.running.is_none() {
        return Err(Refusal::NotRunning);
    }
    let parsed = BareJid::new(user).ok().filter(|jid| jid.node().is_some());
    let parsed = parsed.ok_or_else(|| not_a_person(user))?;
    let (gateway, contact) = addressed(on, to).ok_or_else(|| Refusal::BadPeer {
        peer: to.chars().take(100).collect(),
    })?;
    let text = Text::from(Told::TrialText {
        gateway: gateway.config.domain.to_string(),
    });
    let trial = Trial {
        user: &parsed,
        resource: RESOURCE,
        contact,
        text,
        lang: gateway.lang(None),
        with: receipts::request(),
    };
    let id = hand_in(on, &gateway, trial).await?;
    Ok(Reply::Tried { id })
}

/// Hands a message in as the user's server would; everything that holds for others holds for it. Its stanza id.
///
/// # Errors
///
/// [`Refusal::NotTaken`], with the sentence that the user would have seen.
pub(super) async fn hand_in(
    on: &Operations,
    gateway: &Gateway,
    trial: Trial<'_>,
) -> Result<String, Refusal> {
    let running = on.running.as_ref().ok_or(Refusal::NotRunning)?;
    let from = trial.user.with_resource_str(trial.resource);
    let from = from.map_err(|_| not_a_person(trial.user.as_str()))?;
    let id = Uuid::new_v4().to_string();
    let message = Message::chat(from, trial.contact)
        .with_id(id.clone())
        .with_origin_id(id.clone())
        .with_lang(trial.lang.tag())
        .with_body(trial.text.render(trial.lang))
        .with_child(trial.with);
    let answers = running.try_message(gateway.id, message).await;
    match answers.ok_or(Refusal::NotRunning)?.first() {
        None => Ok(id),
        Some(answer) => Err(Refusal::NotTaken { why: why(answer) }),
    }
}

fn not_a_person(user: &str) -> Refusal {
    Refusal::NotAPerson {
        text: user.chars().take(100).collect(),
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
