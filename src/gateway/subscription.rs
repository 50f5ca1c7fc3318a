//! Presence: subscriptions to the gateway and to its contacts, probes, and the end of both (RFC 6121 §3 and §4, semantics 10).
//!
//! A contact has no presence of its own: it is there for whoever subscribed to it. So presence only answers, and never more than asked.

use super::{
    Gateway,
    moment::Moment,
    presence::{absent, contact_present, farewell, present, with_nick},
    refusal,
    registration::{self, Desk, Effects, Person, Standing},
    target::Target,
};
use crate::{
    store::{Write, read::Subscription, write::ContactRow},
    texts::{Cap, Lang, Membership, Recipient, Text},
    xmpp::{
        jid::{BareJid, Jid},
        stanza::{Presence, PresenceType, Stanza},
    },
};

/// Contacts that are remembered of one user's roster.
const CONTACTS_MAX: i64 = 10_000;

/// Decides on a presence about a subscription; the person was loaded with the target's key.
pub fn decide(
    gateway: &Gateway,
    presence: &Presence,
    target: &Target,
    person: &Person,
    moment: &Moment<'_>,
) -> Effects {
    let stored = person
        .member
        .as_ref()
        .and_then(|member| member.lang.as_deref());
    let lang = gateway.lang(presence.lang.as_deref().or(stored));
    let case = Case {
        gateway,
        presence,
        target,
        person,
        moment,
        lang,
    };
    match presence.kind {
        PresenceType::Subscribe => case.subscribe(),
        PresenceType::Unsubscribe => case.unsubscribe(),
        PresenceType::Probe => case.probe(),
        PresenceType::Available => case.available(),
        // The answer to our question: asked once, never again. It says nothing about what the user wants to see.
        PresenceType::Subscribed | PresenceType::Unsubscribed => Effects::default(),
        PresenceType::Unavailable | PresenceType::Error => Effects {
            ignored: Some("presence"),
            ..Effects::default()
        },
    }
}

struct Case<'a> {
    gateway: &'a Gateway,
    presence: &'a Presence,
    target: &'a Target,
    person: &'a Person,
    moment: &'a Moment<'a>,
    lang: Lang,
}

impl Case<'_> {
    fn subscribe(&self) -> Effects {
        if let Target::Nobody(meant) = self.target {
            let suggestion = meant.as_ref().map(ToString::to_string);
            return self.refuse(
                &Recipient::InvalidAddress {
                    network: self.gateway.network(),
                    suggestion,
                }
                .into(),
            );
        }
        let standing = registration::standing(
            self.gateway,
            &self.person.view,
            &self.person.jid,
            self.moment.ids,
            self.moment.now.0,
        );
        let mut effects = Effects::default();
        match standing {
            Ok(Standing::Known(user)) => {
                if self
                    .person
                    .member
                    .as_ref()
                    .is_some_and(|member| member.others >= CONTACTS_MAX)
                {
                    return self.refuse(&Cap::Busy.into());
                }
                self.accept(user.user_id, &mut effects);
            }
            Ok(Standing::New(new)) => {
                let user_id = new.user.user_id;
                if let Some((line, owner)) = new.address {
                    effects
                        .claims
                        .extend([Write::Line(line), Write::Owner(owner)]);
                }
                effects.writes.push(Write::User(new.user));
                self.accept(user_id, &mut effects);
            }
            // Semantics 15: coming back in time restores all.
            Err(Membership::Disabled { .. }) if *self.target == Target::Gateway => {
                self.come_back(&mut effects);
            }
            Err(why) => {
                effects
                    .answers
                    .push(self.answer(PresenceType::Unsubscribed).into());
                if why == Membership::AwaitingApproval {
                    let lang = Some(self.lang.tag());
                    let asks =
                        registration::apply_for(self.gateway, self.person, self.moment, lang);
                    effects.writes.extend(asks.writes);
                    effects.answers.extend(asks.answers);
                }
                effects.answers.extend(self.refuse(&why.into()).answers);
            }
        }
        effects
    }

    /// Lets the user see it, and asks to see the user: once.
    fn accept(&self, user_id: i64, effects: &mut Effects) {
        let asked = self
            .person
            .member
            .as_ref()
            .is_some_and(|member| member.contact.asked);
        effects
            .answers
            .push(self.answer(PresenceType::Subscribed).into());
        effects
            .answers
            .push(self.present(self.person.jid.clone()).into());
        if !asked {
            let subscribe = self.answer(PresenceType::Subscribe);
            effects
                .answers
                .push(with_nick(subscribe, self.name()).into());
        }
        effects.writes.push(self.contact(
            user_id,
            Subscription {
                subscribed: true,
                asked: true,
            },
        ));
    }

    fn come_back(&self, effects: &mut Effects) {
        let Some(member) = &self.person.member else {
            return;
        };
        let told = self.desk().restore(effects);
        // What the desk writes about the roster comes first; that the user sees the gateway now has the last word.
        effects
            .answers
            .retain(|stanza| !matches!(stanza, Stanza::Presence(_)));
        self.accept(member.user_id, effects);
        effects.answers.push(self.desk().line(&told));
    }

    fn unsubscribe(&self) -> Effects {
        let mut effects = Effects::default();
        let Some(member) = &self.person.member else {
            effects
                .answers
                .push(self.answer(PresenceType::Unsubscribed).into());
            return effects;
        };
        effects
            .answers
            .extend(farewell(&self.ours(), &self.person.jid));
        match self.target {
            Target::Gateway => self.desk().disable(&mut effects),
            Target::Contact { .. } => effects
                .writes
                .push(self.contact(member.user_id, Subscription::default())),
            Target::Nobody(_) => {}
        }
        effects
    }

    /// RFC 6121 §4.3.2.
    fn probe(&self) -> Effects {
        let ours = self.ours();
        let answer = match &self.person.member {
            Some(member)
                if member.contact.subscribed && !matches!(self.target, Target::Nobody(_)) =>
            {
                let to = self.person.jid.clone();
                if member.state == "active" {
                    self.present(to)
                } else {
                    absent(&ours, to)
                }
            }
            _ => self.answer(PresenceType::Unsubscribed),
        };
        Effects {
            answers: vec![answer.into()],
            ..Effects::default()
        }
    }

    /// The first presence of a resource to the gateway itself.
    fn available(&self) -> Effects {
        let sees = |member: &crate::store::read::Member| {
            member.state == "active" && member.contact.subscribed
        };
        if *self.target != Target::Gateway || !self.person.member.as_ref().is_some_and(sees) {
            return Effects::default();
        }
        let Some(from) = self.presence.from.clone() else {
            return Effects::default();
        };
        let answer = present(self.gateway, from);
        Effects {
            answers: vec![answer.into()],
            ..Effects::default()
        }
    }

    fn refuse(&self, why: &Text) -> Effects {
        let error = refusal::error(why, self.lang);
        let answers = self
            .presence
            .error_reply(&error)
            .map(Stanza::from)
            .into_iter()
            .collect();
        Effects {
            answers,
            ..Effects::default()
        }
    }

    fn present(&self, to: impl Into<Jid>) -> Presence {
        match self.target {
            Target::Contact { jid, peer, .. } => {
                contact_present(self.gateway, (jid, peer), self.name(), to)
            }
            Target::Gateway | Target::Nobody(_) => present(self.gateway, to),
        }
    }

    /// What the contact is called.
    fn name(&self) -> Option<&str> {
        self.person.member.as_ref()?.name.as_deref()
    }

    fn answer(&self, kind: PresenceType) -> Presence {
        Presence::new(kind, self.ours(), self.person.jid.clone())
    }

    fn ours(&self) -> BareJid {
        match (self.target, &self.presence.to) {
            (Target::Contact { jid, .. }, _) => jid.clone(),
            (Target::Nobody(_), Some(to)) => to.to_bare(),
            _ => self.gateway.config.domain.clone(),
        }
    }

    fn contact(&self, user_id: i64, contact: Subscription) -> Write {
        Write::Contact(ContactRow {
            user_id,
            peer: self.target.key().to_owned(),
            subscribed: contact.subscribed.into(),
            asked: contact.asked.into(),
        })
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            gateway: self.gateway,
            person: self.person,
            moment: self.moment,
            lang: self.lang,
        }
    }
}

#[cfg(test)]
mod tests;
