//! Presence: subscriptions to the gateway and to its contacts, probes, and the end of both (RFC 6121 §3 and §4, semantics 10).
//!
//! A contact has no presence of its own: it is there for whoever subscribed to it. So presence only answers, and never more than asked.

use transom_adapter::Address;

use super::{
    Contact, Gateway, answers, picture, refusal,
    registration::{self, Desk, Effects, Person, Standing},
    text_out::Moment,
};
use crate::{
    store::{
        Write,
        read::{PIN, Subscription},
        write::ContactRow,
    },
    texts::{Cap, Lang, Membership, Recipient, Text},
    xmpp::{
        jid::{BareJid, Jid},
        ns,
        stanza::{Element, Presence, PresenceType, Stanza},
    },
};

/// The resource that all our presence comes from (semantics 7).
const RESOURCE: &str = "gw";
/// Contacts that are remembered of one user's roster.
const CONTACTS_MAX: i64 = 10_000;

/// Whom a presence is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// The gateway itself.
    Gateway,
    /// A contact.
    Contact {
        /// Its bare JID.
        jid: BareJid,
        /// How the roster knows it.
        key: String,
        /// Who it is, whichever line is pinned.
        peer: Address,
    },
    /// Nobody; perhaps this JID was meant.
    Nobody(Option<BareJid>),
}

impl Target {
    /// Reads the address of a stanza.
    pub fn read(gateway: &Gateway, to: &Jid) -> Self {
        let Some(local) = to.node() else {
            return Self::Gateway;
        };
        match gateway.contact(local.as_str()) {
            Ok(contact) => Self::Contact {
                jid: to.to_bare(),
                key: key(&contact),
                peer: contact.peer,
            },
            Err(meant) => Self::Nobody(meant),
        }
    }

    /// How the roster knows it; the gateway's key is empty.
    pub fn key(&self) -> &str {
        match self {
            Self::Contact { key, .. } => key,
            Self::Gateway | Self::Nobody(_) => "",
        }
    }
}

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

/// The presence of the gateway to somebody who sees it.
pub fn present(gateway: &Gateway, user: impl Into<Jid>) -> Presence {
    let domain = &gateway.config.domain;
    Presence::new(PresenceType::Available, resource(domain), user)
        .with_child(answers::gateway_info(gateway).caps(answers::CAPS_NODE))
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
        .with_child(answers::contact_info(gateway).caps(answers::CAPS_NODE))
        .with_child(avatar.update())
}

/// The end of [`present`].
pub fn absent(ours: &BareJid, user: impl Into<Jid>) -> Presence {
    Presence::new(PresenceType::Unavailable, resource(ours), user)
}

/// XEP-0172 §4.
fn with_nick(presence: Presence, name: Option<&str>) -> Presence {
    match name {
        Some(name) => presence.with_child(Element::text_only("nick", ns::NICK, name)),
        None => presence,
    }
}

/// Our one resource (semantics 7).
pub(super) fn resource(ours: &BareJid) -> Jid {
    ours.with_resource_str(RESOURCE)
        .map_or_else(|_| ours.clone().into(), Jid::from)
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
            // XEP-0172 §4.1: a question names who asks.
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
            .extend(registration::farewell(&self.ours(), &self.person.jid));
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

/// A pinned contact is another entry in the roster than the plain one.
fn key(contact: &Contact) -> String {
    match &contact.line {
        Some(line) => format!("{}{}{}", contact.peer.as_str(), PIN, line.as_str()),
        None => contact.peer.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests;
