//! What follows once a message is committed: its deliveries wait, the sender is told how it goes.

use transom_adapter::{Address, Key};

use super::super::{Intake, inward::in_waiting, rosters};
use crate::{
    gateway::text_out::Accepted,
    queue::{OutWork, Waiting, Work},
    store::write::NewIn,
    texts::Text,
    xmpp::stanza::{Message, Stanza},
};

/// A delivery to the contact, or one to each member of a group, in one lane.
pub(super) fn works(intake: &Intake, accepted: Accepted) -> impl Iterator<Item = Waiting> {
    let Accepted {
        out,
        outgoing,
        plan,
        further,
        ..
    } = accepted;
    let gateway_id = intake.gateway.id;
    let all = std::iter::once((outgoing, plan)).chain(further);
    all.map(move |(outgoing, plan)| {
        let work = OutWork {
            delivery_id: outgoing.key.0,
            message_id: out.message_id,
            is_one_of_several: out.recipient.is_some(),
            attempts: 0,
            unit: 0,
            routes: plan.routes,
            route: 0,
            unknowns: 0,
            started_ms: None,
            needs_files: !out.files.is_empty(),
            outgoing,
        };
        Waiting {
            lane_id: out.conversation.conversation_id,
            gateway_id,
            work: Work::Out(Box::new(work)),
            held_until_ms: out.held_until_ms,
        }
    })
}

/// The same to the other owners of its line, who may not know the contact yet.
pub(super) fn shown_works(intake: &Intake, shown: &[NewIn]) -> Vec<Waiting> {
    let waiting: Vec<Waiting> = shown
        .iter()
        .filter_map(|row| in_waiting(intake, row))
        .collect();
    for one in &waiting {
        rosters::introduce(intake, one);
    }
    waiting
}

/// A line of the chat that says how a message is sent.
pub(super) fn notice(intake: &Intake, message: &Message, one: &Accepted) -> Option<Stanza> {
    let text = Text::from(one.notice.clone()?);
    let peer = Address::new(one.out.conversation.peer.clone());
    let contact = intake.gateway.jid_of(&peer, None)?;
    let lang = intake.gateway.lang(message.lang.as_deref());
    let id = format!("{}-how", Key(one.out.message_id));
    let notice = Message::chat(contact, message.from.as_ref()?.to_bare())
        .with_id(id.clone())
        .with_origin_id(id)
        .with_lang(lang.tag())
        .with_body(text.render(lang));
    Some(notice.into())
}
