//! Corrections and retractions of a message that is still held (semantics 26).

use std::time::Duration;

use transom_adapter::{Address, Key, Outgoing, Plan, UnixMillis};

use super::{
    Candidate, Decision, Moment, Refused,
    draft::{id_rows, stored_routes},
    plan,
};
use crate::{
    gateway::{
        Gateway, caps, line_choice, payload::Payload, registration::Standing, settings::Settings,
        threads,
    },
    store::{
        StoredRoute,
        read::{KnownHeld, KnownUser, OutwardSnapshot},
        write::{Amend, NewStanza, TakeBack, ThreadRow, UsageRow},
    },
    texts::{Content, Recipient},
    xmpp::stanza::Message,
};

/// What a message does to an earlier one, by that one's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Edit<'a> {
    /// XEP-0308.
    Correct(&'a str),
    /// XEP-0424.
    TakeBack(&'a str),
}

/// A held message that becomes another.
#[derive(Debug)]
pub struct Amended {
    /// What to write.
    pub amend: Amend,
}

impl<'a> Edit<'a> {
    pub(super) fn of(message: &'a Message) -> Option<Self> {
        let retracted = message.retracts().map(Self::TakeBack);
        retracted.or_else(|| message.replaces().map(Self::Correct))
    }

    fn id(self) -> &'a str {
        match self {
            Self::Correct(id) | Self::TakeBack(id) => id,
        }
    }
}

/// How long a message waits: for corrections, and for what belongs to it.
fn wait(gateway: &Gateway) -> Duration {
    gateway.config.hold.max(gateway.config.merge)
}

/// Whether messages of this gateway are held at all.
pub(super) fn is_possible(gateway: &Gateway) -> bool {
    wait(gateway) > Duration::ZERO
}

/// Until when a message of this moment is held.
pub(super) fn held_until(gateway: &Gateway, now: UnixMillis) -> Option<i64> {
    is_possible(gateway).then(|| now.after(wait(gateway)).0)
}

impl Candidate<'_> {
    /// The id of the message that this one changes, if that may still be held.
    pub(super) fn edits(&self, gateway: &Gateway) -> Option<&str> {
        let edit = self.edit.filter(|_| is_possible(gateway))?;
        Some(edit.id())
    }

    /// Decides on a change of a held message. `None`: it is, or has become, a message of its own.
    pub(super) fn decide_edit(
        &mut self,
        gateway: &Gateway,
        snapshot: &mut OutwardSnapshot,
        moment: &Moment<'_>,
    ) -> Option<Decision> {
        let edit = self.edit?;
        let key = (self.user.to_string(), edit.id().to_owned());
        let held = snapshot.held.get(&key).cloned();
        match (edit, held) {
            (Edit::TakeBack(_), None) => Some(super::refused(Content::AlreadySent)),
            (Edit::TakeBack(_), Some(held)) => {
                snapshot
                    .held
                    .retain(|_, known| known.message_id != held.message_id);
                Some(Decision::TakenBack(TakeBack {
                    message_id: held.message_id,
                    at_ms: moment.now.0,
                }))
            }
            (Edit::Correct(_), Some(held)) if self.files.is_empty() => {
                let amended = match self.amend(gateway, snapshot, &held, moment) {
                    Ok(amended) => amended?,
                    Err(why) => return Some(Decision::Refused(why)),
                };
                self.note_amended(snapshot, &held, &amended);
                Some(Decision::Amended(Box::new(amended)))
            }
            // It comes too late to replace anything, or brings files of its own.
            (Edit::Correct(_), _) => {
                if !self.body.is_empty() {
                    self.body.insert_str(0, "* ");
                }
                None
            }
        }
    }

    /// The held message with this one's text; `None` when it would leave by another line than the held one does.
    fn amend(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        held: &KnownHeld,
        moment: &Moment<'_>,
    ) -> Result<Option<Amended>, Refused> {
        let standing =
            super::registration::standing(gateway, snapshot, &self.user, moment.ids, moment.now.0)?;
        let Standing::Known(user) = standing else {
            return Ok(None);
        };
        super::check_blocks(snapshot, Some(user.user_id), self.contact.peer.as_str())?;
        let jid = self.user.as_str();
        let chosen =
            line_choice::choose(gateway, snapshot, jid, Some(user.user_id), &self.contact)?;
        let same = chosen
            .conversation
            .is_some_and(|known| known.conversation_id == held.conversation_id);
        if !same {
            return Ok(None);
        }
        if chosen.opted_out {
            return Err(Recipient::OptedOut.into());
        }
        let mut payload = Payload::from_json(held.payload.as_deref());
        let group = payload
            .group
            .as_ref()
            .map(|group| group.of(held.message_id));
        if self.to_all && group.is_none() {
            // To more people than the held one.
            return Ok(None);
        }
        let to = held.recipient.clone().map(Address::new);
        let first = || Some(group.as_ref()?.members.first()?.address.clone());
        let to = to
            .or_else(first)
            .unwrap_or_else(|| self.contact.peer.clone());
        let (body, thread) = self.retitle(snapshot, held, &mut payload);
        let outgoing = Outgoing {
            key: Key(held.message_id),
            from: Address::new(chosen.line.address.clone()),
            from_name: payload.name.clone(),
            to,
            text: body,
            thread: payload.thread.clone().map(Into::into),
            created_at: UnixMillis(held.created_ms),
            routes: super::draft::routes(gateway, chosen.line),
            files: Vec::new(),
            group,
            mail: payload.wish.clone(),
        };
        let reached = i64::try_from(outgoing.reached().count()).unwrap_or(i64::MAX);
        let people = held.people.max(reached);
        let plan = plan(gateway, &outgoing)?;
        caps::check_change(gateway, user, (&plan, people), held.segments, moment.now)?;
        let amend = self.row(gateway, user, held, (&plan, people), (payload, moment.now));
        Ok(Some(Amended {
            amend: Amend {
                body: outgoing.text,
                thread,
                ..amend
            },
        }))
    }

    /// The corrected text without the line that names its subject; a subject that is corrected names the thread anew, if this
    /// message began it.
    fn retitle(
        &self,
        snapshot: &OutwardSnapshot,
        held: &KnownHeld,
        payload: &mut Payload,
    ) -> (String, Option<ThreadRow>) {
        let Some(headers) = &mut payload.thread else {
            return (self.body.clone(), None);
        };
        let wish = threads::wish(self.message, &self.body);
        let threads::Wanted::NewAbout(subject) = wish.thread else {
            return (wish.body, None);
        };
        let known = snapshot
            .threads
            .get(&held.conversation_id)
            .into_iter()
            .flatten()
            .find(|known| Some(known.thread_id) == held.thread_id)
            .filter(|_| headers.in_reply_to.is_none());
        let Some(known) = known else {
            return (wish.body, None);
        };
        headers.subject.clone_from(&subject);
        let row = ThreadRow {
            thread_id: known.thread_id,
            conversation_id: known.conversation_id,
            subject,
            xmpp_thread: known.xmpp_thread.clone(),
            last_id: known.last_id.clone(),
            reference_ids: serde_json::to_string(&known.references)
                .unwrap_or_else(|_| "[]".to_owned()),
            active_ms: known.active_ms,
        };
        (wish.body, Some(row))
    }

    fn row(
        &self,
        gateway: &Gateway,
        user: &KnownUser,
        held: &KnownHeld,
        (plan, people): (&Plan, i64),
        (payload, now): (Payload, UnixMillis),
    ) -> Amend {
        let routes = stored_routes(plan);
        let restarts = !held.restarted && gateway.config.hold > Duration::ZERO;
        let at_once = payload.group.as_ref().filter(|group| group.at_once);
        let reached = at_once.map_or(1, |group| group.members.len());
        let reached = u16::try_from(reached).unwrap_or(u16::MAX);
        Amend {
            message_id: held.message_id,
            body: String::new(),
            payload: (payload != Payload::default()).then(|| payload.to_json()),
            units: routes.first().map_or(1, |route| route.1.max(reached)),
            segments: plan.segments,
            routes: StoredRoute::to_json(&routes),
            held_until_ms: restarts
                .then(|| now.after(gateway.config.hold).0.max(held.held_until_ms)),
            restarted: restarts,
            thread: None,
            ids: id_rows(gateway, plan, held.message_id),
            usage: UsageRow {
                gateway_id: gateway.id,
                user_id: user.user_id,
                day: caps::day(now),
                messages: 0,
                segments: (i64::from(plan.segments) - held.segments).max(0) * people,
            },
            stanza: NewStanza {
                user_id: user.user_id,
                stanza_id: self.stanza_id(),
                repeat_key: self.repeat_key.clone(),
                full_jid: self.from.to_string(),
                receipt: self.wants_receipt(&Settings::from_json(&user.settings)),
                at_ms: now.0,
            },
        }
    }

    /// The next of the batch may change it again, by the first id or by this one.
    fn note_amended(&self, snapshot: &mut OutwardSnapshot, held: &KnownHeld, amended: &Amended) {
        let Amended { amend } = amended;
        let now = KnownHeld {
            payload: amend.payload.clone(),
            segments: amend.segments.into(),
            held_until_ms: amend.held_until_ms.unwrap_or(held.held_until_ms),
            restarted: held.restarted || amend.restarted,
            ..held.clone()
        };
        for known in snapshot.held.values_mut() {
            if known.message_id == now.message_id {
                known.clone_from(&now);
            }
        }
        let key = (self.user.to_string(), amend.stanza.stanza_id.clone());
        snapshot.held.insert(key, now);
        if let Some(user) = snapshot.users.get_mut(self.user.as_str()) {
            user.segments += amend.usage.segments;
        }
        if let Some(repeat_key) = &self.repeat_key {
            let key = (self.user.to_string(), repeat_key.clone());
            snapshot.accepted.insert(key, amend.message_id);
        }
    }
}
