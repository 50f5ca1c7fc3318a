//! XEP-0191: the gateway's own list of whom a user does not want to hear from.
//!
//! A server keeps a list of its own and tells no component of it. Asked for this one, the gateway stores nothing more from that peer and
//! refuses what the user would send there, so that neither costs anything.

use std::collections::BTreeSet;

use super::{Answer, reply};
use crate::{
    gateway::{
        Gateway,
        moment::Moment,
        refusal,
        registration::{Effects, Person},
        target::Target,
    },
    store::{Write, write::Operation},
    texts::{Lang, Membership},
    xmpp::{
        jid::{BareJid, Jid},
        stanza::{Condition, Iq, StanzaError},
        xep::blocking::{self, Request},
    },
};

pub(super) fn decide(
    gateway: &Gateway,
    person: &Person,
    (iq, request): (&Iq, &Request),
    moment: &Moment<'_>,
    lang: Lang,
) -> Effects {
    let mut effects = Effects::default();
    let answer = match (&person.member, request) {
        (_, Request::Bad) => refuse(Condition::BadRequest),
        (None, _) => {
            let why = Membership::NotRegistered {
                gateway: gateway.config.domain.to_string(),
            };
            Err(refusal::error(&why.into(), lang).into())
        }
        (Some(_), Request::List) => {
            let jid = |peer: &String| gateway.jid_of(&transom_adapter::Address::new(peer), None);
            let blocked: Vec<BareJid> = person.book.blocked.iter().filter_map(jid).collect();
            Ok(Some(blocking::list(&blocked)))
        }
        (Some(member), Request::Block(jids)) => {
            change(gateway, person, (member.user_id, jids, true), moment).map(|writes| {
                effects.writes = writes;
                None
            })
        }
        (Some(member), Request::Unblock(jids)) if !jids.is_empty() => {
            change(gateway, person, (member.user_id, jids, false), moment).map(|writes| {
                effects.writes = writes;
                None
            })
        }
        (Some(member), Request::Unblock(_)) => {
            let all = person.book.blocked.iter();
            let row = |peer: &String| row(gateway, (member.user_id, peer, false), moment);
            effects.writes.extend(all.map(row));
            Ok(None)
        }
    };
    effects.answers.extend(reply(iq, answer));
    effects
}

/// All of them or none; what is so already is not written again.
fn change(
    gateway: &Gateway,
    person: &Person,
    (user_id, jids, blocked): (i64, &[Jid], bool),
    moment: &Moment<'_>,
) -> Result<Vec<Write>, Box<StanzaError>> {
    let mut peers = BTreeSet::new();
    for jid in jids {
        let is_ours = jid.domain() == gateway.config.domain.domain();
        match Target::read(gateway, jid) {
            Target::Contact { peer, .. } if is_ours => {
                peers.insert(peer.as_str().to_owned());
            }
            _ => return Err(StanzaError::new(Condition::ItemNotFound).into()),
        }
    }
    peers.retain(|peer| person.book.blocked.contains(peer) != blocked);
    let write = |peer: &String| row(gateway, (user_id, peer, blocked), moment);
    Ok(peers.iter().map(write).collect())
}

fn refuse(condition: Condition) -> Answer {
    Err(StanzaError::new(condition).into())
}

fn row(
    gateway: &Gateway,
    (user_id, peer, blocked): (i64, &str, bool),
    moment: &Moment<'_>,
) -> Write {
    Write::Operation(Operation::Block {
        gateway_id: gateway.id,
        user_id,
        peer: peer.to_owned(),
        blocked,
        at_ms: moment.now.0,
    })
}
