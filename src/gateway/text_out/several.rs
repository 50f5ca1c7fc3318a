//! To whom a message goes: one person, or several, and how each of them gets it (semantics 8 and 11).

use transom_adapter::{Address, Group, Key, Member, Network, Outgoing, Plan, Refusal};

use super::{
    Candidate, check_blocks,
    draft::{Draft, outgoing},
    refused_plan,
};
use crate::{
    gateway::{
        Contact, Gateway,
        group::{self, peer_of},
        line_choice::Chosen,
        moment::Moment,
        payload::{Payload, StoredGroup, StoredMember},
    },
    store::read::{Answered, KnownMember, OutwardSnapshot},
    texts::{Content, Recipient, Refused, RefusedGroup},
};

/// Who gets a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    /// The contact.
    Contact(Address),
    /// One of the group that is the contact.
    Member(Address),
    /// All of the group.
    All(Vec<Member>),
}

/// How a message is sent: its first delivery, and those to the other members of a group.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) outgoing: Outgoing,
    pub(super) plan: Plan,
    /// The member that the first delivery is for; `None`: the contact.
    pub(super) recipient: Option<String>,
    pub(super) further: Vec<(Outgoing, Plan)>,
    /// Each gets a message of its own, as if written to alone.
    pub(super) separately: bool,
}

/// Why it is not sent: to which of several, if it is one of them.
#[derive(Debug)]
pub(super) struct NotSent {
    pub(super) member: Option<Member>,
    pub(super) refusal: Refusal,
}

impl Reach {
    /// Everybody who gets it.
    pub(super) fn people(&self) -> impl Iterator<Item = &Address> {
        let (one, all) = match self {
            Self::Contact(one) | Self::Member(one) => (Some(one), &[][..]),
            Self::All(members) => (None, &members[..]),
        };
        one.into_iter()
            .chain(all.iter().map(|member| &member.address))
    }

    /// The refusal, with whom it is about where the contact does not say that.
    pub(super) fn refused(&self, to: &Address, why: Refused) -> Refused {
        match self {
            Self::Contact(_) => why,
            Self::Member(_) | Self::All(_) => of(to.as_str(), why),
        }
    }
}

impl Sending {
    /// How many people it goes to.
    pub(super) fn people(&self) -> u16 {
        let further = u16::try_from(self.further.len()).unwrap_or(u16::MAX);
        self.reached().saturating_add(further)
    }

    /// How many people its first delivery reaches.
    pub(super) fn reached(&self) -> u16 {
        u16::try_from(self.outgoing.reached().count()).unwrap_or(u16::MAX)
    }

    /// What it costs, for all of them.
    pub(super) fn segments(&self) -> i64 {
        let first = i64::from(self.plan.segments) * i64::from(self.reached());
        let further = self.further.iter();
        first
            + further
                .map(|(_, plan)| i64::from(plan.segments))
                .sum::<i64>()
    }

    /// The members, as they are stored with the message.
    pub(super) fn stored(&self) -> Option<Box<StoredGroup>> {
        let group = self.outgoing.group.as_ref()?;
        Some(Box::new(StoredGroup {
            members: group.members.iter().map(StoredMember::from).collect(),
            at_once: group.at_once,
            ..StoredGroup::default()
        }))
    }
}

impl NotSent {
    pub(super) fn refused(&self, gateway: &Gateway) -> Refused {
        let why = refused_plan(gateway, &self.refusal);
        match &self.member {
            Some(member) => of(member.address.as_str(), why),
            None => why,
        }
    }
}

fn of(who: &str, why: Refused) -> Refused {
    let (who, why) = (who.to_owned(), Box::new(why));
    Refused::Of { who, why }
}

impl Candidate<'_> {
    /// Who gets it. In a group of mail addresses that is whoever wrote what it answers, else whoever wrote last, unless everybody is meant.
    pub(super) fn reach(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        chosen: &Chosen<'_>,
        place: usize,
    ) -> Result<Reach, Refused> {
        let peer = &self.contact.peer;
        if !group::is_group(peer.as_str()) {
            return Ok(Reach::Contact(peer.clone()));
        }
        let mut members = self.members(snapshot)?;
        let own = snapshot.lines.get(self.user.as_str());
        let own: Vec<&str> = own
            .into_iter()
            .flatten()
            .map(|line| line.address.as_str())
            .collect();
        let is_own = |member: &Member| {
            let address = member.address.as_str();
            address == chosen.line.address || own.contains(&address)
        };
        let others = members.iter().filter(|member| !is_own(member));
        let others: Vec<Member> = others.cloned().collect();
        let rest = peer_of(
            gateway.network(),
            others.iter().map(|member| &member.address),
        );
        let Some(rest) = rest else {
            return Err(RefusedGroup::OwnAddress { others: None }.into());
        };
        if others.len() < members.len() {
            if gateway.network() == Network::Sms {
                let others = gateway.jid_of(&rest, None).map(|jid| jid.to_string());
                return Err(RefusedGroup::OwnAddress { others }.into());
            }
            // Never a mail to oneself.
            members = others;
        }
        let known = chosen.conversation;
        let answered = snapshot.answered.get(&place).and_then(author);
        let last = answered
            .as_deref()
            .filter(|author| members.iter().any(|one| one.address.as_str() == *author))
            .or_else(|| known.and_then(|known| known.answers_to.as_deref()));
        let last = last.filter(|_| gateway.network() == Network::Email && self.named.is_empty());
        if let Some(last) = last {
            if !self.to_all && members.iter().any(|member| member.address.as_str() == last) {
                return Ok(Reach::Member(Address::new(last)));
            }
            // As a mail program answers to all: to the author, and copies to the others.
            members.sort_by_key(|member| member.address.as_str() != last);
            for member in &mut members {
                member.copy = member.address.as_str() != last;
            }
        }
        let recipients_max = group::members_max(gateway.network());
        if members.len() > recipients_max {
            let recipients_max = u16::try_from(recipients_max).unwrap_or(u16::MAX);
            return Err(Content::TooManyRecipients { recipients_max }.into());
        }
        Ok(Reach::All(members))
    }

    fn members(&self, snapshot: &OutwardSnapshot) -> Result<Vec<Member>, Refused> {
        if !self.named.is_empty() {
            return Ok(self.named.clone());
        }
        let listed = group::listed(self.contact.peer.as_str());
        if !listed.is_empty() {
            return Ok(listed.into_iter().map(Member::to).collect());
        }
        let key = (self.user.to_string(), self.contact.peer.as_str().to_owned());
        let stored = snapshot.groups.get(&key).ok_or(RefusedGroup::Unknown)?;
        let member = |(address, name): &KnownMember| Member {
            name: name.clone(),
            ..Member::to(Address::new(address.clone()))
        };
        Ok(stored.iter().map(member).collect())
    }
}

/// Who of a group wrote it.
fn author(answered: &Answered) -> Option<String> {
    Payload::from_json(answered.payload.as_deref())
        .group?
        .author
}

/// Whether each of them may be written to.
pub(super) fn check_people(
    snapshot: &OutwardSnapshot,
    user_id: Option<i64>,
    (reach, line_id): (&Reach, i64),
) -> Result<(), Refused> {
    for to in reach.people() {
        check_blocks(snapshot, user_id, to.as_str()).map_err(|why| reach.refused(to, why))?;
        let key = (line_id, to.as_str().to_owned());
        if snapshot.opted_out.contains(&key) {
            return Err(reach.refused(to, Recipient::OptedOut.into()));
        }
    }
    Ok(())
}

/// Plans it for everybody; nothing is sent to anybody when one of them cannot get it.
pub(super) fn sending(
    gateway: &Gateway,
    (chosen, draft): (&Chosen<'_>, &Draft),
    reach: &Reach,
    moment: &Moment<'_>,
) -> Result<Sending, NotSent> {
    match reach {
        Reach::Contact(to) | Reach::Member(to) => {
            let one = outgoing(gateway, chosen, draft, to);
            let plan = planned(gateway, &one, None)?;
            let is_member = matches!(reach, Reach::Member(_));
            Ok(Sending {
                outgoing: one,
                plan,
                recipient: is_member.then(|| to.as_str().to_owned()),
                further: Vec::new(),
                separately: false,
            })
        }
        Reach::All(members) => {
            let base = |to: &Address| outgoing(gateway, chosen, draft, to);
            to_everybody(gateway, members, base, draft.key, moment)
        }
    }
}

/// In a group of mail addresses `/all` before the text means all of it.
pub(super) fn to_all(gateway: &Gateway, contact: &Contact, text: String) -> (String, bool) {
    const ALL: &str = "/all";
    let has_choice = gateway.network() == Network::Email && group::is_group(contact.peer.as_str());
    let start = text.trim_start();
    let word = start
        .get(..ALL.len())
        .filter(|word| word.eq_ignore_ascii_case(ALL));
    let rest = word.and_then(|_| start.get(ALL.len()..));
    match rest {
        Some(rest) if has_choice && (rest.is_empty() || rest.starts_with(char::is_whitespace)) => {
            (rest.trim_start().to_owned(), true)
        }
        _ => (text, false),
    }
}

fn planned(
    gateway: &Gateway,
    outgoing: &Outgoing,
    member: Option<&Member>,
) -> Result<Plan, NotSent> {
    gateway.adapter.plan(outgoing).map_err(|refusal| NotSent {
        member: member.cloned(),
        refusal,
    })
}

/// At once where an account does that; else a delivery each that names the others; else a message each.
fn to_everybody(
    gateway: &Gateway,
    members: &[Member],
    base: impl Fn(&Address) -> Outgoing,
    key: i64,
    moment: &Moment<'_>,
) -> Result<Sending, NotSent> {
    let group = |at_once| Group {
        key: Key(key),
        members: members.to_vec(),
        at_once,
    };
    let grouped = |member: &Member, at_once: bool| Outgoing {
        group: Some(group(at_once)),
        ..base(&member.address)
    };
    if gateway.network() == Network::Sms {
        // Each for itself: where it may go, and whether any account takes it at all.
        for member in members {
            planned(gateway, &base(&member.address), Some(member))?;
        }
        let first = members.first().ok_or(NotSent {
            member: None,
            refusal: Refusal::Empty,
        })?;
        let outgoing = grouped(first, true);
        match gateway.adapter.plan(&outgoing) {
            Ok(plan) => {
                return Ok(Sending {
                    outgoing,
                    plan,
                    recipient: None,
                    further: Vec::new(),
                    separately: false,
                });
            }
            Err(Refusal::GroupsNotTaken) => {}
            Err(refusal) => {
                let member = None;
                return Err(NotSent { member, refusal });
            }
        }
    }
    match each(gateway, members, |member| grouped(member, false), moment) {
        Err(NotSent {
            refusal: Refusal::GroupsNotTaken,
            ..
        }) => {
            let alone = each(gateway, members, |member| base(&member.address), moment)?;
            Ok(Sending {
                separately: true,
                ..alone
            })
        }
        sending => sending,
    }
}

/// A delivery to each of them.
fn each(
    gateway: &Gateway,
    members: &[Member],
    outgoing: impl Fn(&Member) -> Outgoing,
    moment: &Moment<'_>,
) -> Result<Sending, NotSent> {
    let mut all = Vec::with_capacity(members.len());
    for member in members {
        let mut outgoing = outgoing(member);
        if !all.is_empty() {
            outgoing.key = Key((moment.ids)());
        }
        let plan = planned(gateway, &outgoing, Some(member))?;
        all.push((outgoing, plan));
    }
    let mut all = all.into_iter();
    let (outgoing, plan) = all.next().ok_or(NotSent {
        member: None,
        refusal: Refusal::Empty,
    })?;
    Ok(Sending {
        recipient: Some(outgoing.to.as_str().to_owned()),
        outgoing,
        plan,
        further: all.collect(),
        separately: false,
    })
}
