//! Corrections and retractions of a message that is still held (semantics 26).

use std::time::Duration;

use transom_adapter::{Address, Key, Outgoing, Plan, UnixMillis};

use super::{Candidate, Decision, Refused, join, plan};
use crate::{
    gateway::{
        Gateway, caps, line_choice,
        moment::Moment,
        payload::Payload,
        registration::{self, Standing},
        routes::{id_rows, stored_routes},
        settings::Settings,
        threads,
    },
    store::{
        StoredRoute,
        read::{KnownHeld, KnownLine, KnownUser, OutwardSnapshot},
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
    /// What is counted.
    pub outcome: &'static str,
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

/// How many people a held message goes to.
pub(super) fn people(held: &KnownHeld, payload: &Payload) -> i64 {
    let at_once = payload.group.as_ref().filter(|group| group.at_once);
    let reached = at_once.map_or(1, |group| group.members.len());
    held.people.max(i64::try_from(reached).unwrap_or(i64::MAX))
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
        place: usize,
        moment: &Moment<'_>,
    ) -> Option<Decision> {
        let edit = self.edit?;
        let key = (self.user.to_string(), edit.id().to_owned());
        let held = snapshot.held.get(&key).cloned();
        match (edit, held) {
            (Edit::TakeBack(_), None) => Some(super::refused(Content::AlreadySent)),
            (Edit::TakeBack(id), Some(held)) => {
                if let Some((amended, now)) =
                    self.take_part_back(gateway, snapshot, &held, (id, moment))
                {
                    self.note_amended(snapshot, now, &amended);
                    return Some(Decision::Amended(Box::new(amended)));
                }
                let shown = self.shown_change(gateway, snapshot, &held, moment);
                let gone = |known: &mut KnownHeld| known.message_id != held.message_id;
                snapshot.held.retain(|_, known| gone(known));
                snapshot.joinable.retain(|_, known| gone(known));
                Some(Decision::TakenBack(TakeBack {
                    message_id: held.message_id,
                    at_ms: moment.now.0,
                    shown,
                }))
            }
            (Edit::Correct(_), Some(held)) if self.files.is_empty() => {
                self.put_quotation(gateway, snapshot, place);
                let amended = match self.amend(gateway, snapshot, &held, moment) {
                    Ok(amended) => amended?,
                    Err(why) => return Some(Decision::Refused(why)),
                };
                let now = KnownHeld {
                    body: amended.amend.body.clone(),
                    ..held
                };
                self.note_amended(snapshot, now, &amended);
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
        let Some((user, line)) = self.same_way(gateway, snapshot, held, moment)? else {
            return Ok(None);
        };
        let mut payload = Payload::from_json(held.payload.as_deref());
        if self.to_all && payload.group.is_none() {
            // To more people than the held one.
            return Ok(None);
        }
        payload.wish.unstyled = payload.thread.is_some() && self.message.is_unstyled();
        let (body, thread) = self.retitle(snapshot, held, &mut payload);
        let outgoing = self.outgoing_held(gateway, line, held, (&payload, body));
        let plan = plan(gateway, &outgoing)?;
        let people = people(held, &payload);
        caps::check_change(gateway, user, (&plan, people), held.segments, moment.now)?;
        let amend = self.row(gateway, user, held, &plan, (payload, moment.now));
        Ok(Some(Amended {
            amend: Amend {
                body: outgoing.text,
                thread,
                shown: self.shown_change(gateway, snapshot, held, moment),
                ..amend
            },
            outcome: "corrected",
        }))
    }

    /// The user and the line of a message that would leave as the held one does.
    pub(super) fn same_way<'s>(
        &self,
        gateway: &Gateway,
        snapshot: &'s OutwardSnapshot,
        held: &KnownHeld,
        moment: &Moment<'_>,
    ) -> Result<Option<(&'s KnownUser, &'s KnownLine)>, Refused> {
        let (user, at_ms) = (&self.user, moment.now.0);
        let standing = registration::standing(gateway, snapshot, user, moment.ids, at_ms)?;
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
        Ok(Some((user, chosen.line)))
    }

    /// The held message as it would be sent with this content.
    pub(super) fn outgoing_held(
        &self,
        gateway: &Gateway,
        line: &KnownLine,
        held: &KnownHeld,
        (payload, body): (&Payload, String),
    ) -> Outgoing {
        let group = payload.group.as_ref();
        let group = group.map(|group| group.of(held.message_id));
        let first = || Some(group.as_ref()?.members.first()?.address.clone());
        let to = held.recipient.clone().map(Address::new).or_else(first);
        Outgoing {
            key: Key(held.message_id),
            from: Address::new(line.address.clone()),
            from_name: payload.name.clone(),
            to: to.unwrap_or_else(|| self.contact.peer.clone()),
            text: body,
            thread: payload.thread.clone().map(Into::into),
            created_at: UnixMillis(held.created_ms),
            routes: super::draft::routes(gateway, line),
            files: join::held_files(held.files),
            group,
            mail: payload.wish.clone(),
        }
    }

    /// The corrected text without the line that names its subject; a subject that is corrected names the thread anew, if this
    /// message began it.
    fn retitle(
        &self,
        snapshot: &OutwardSnapshot,
        held: &KnownHeld,
        payload: &mut Payload,
    ) -> (String, Option<ThreadRow>) {
        if payload.thread.is_none() {
            return (self.body.clone(), None);
        }
        let wish = threads::wish(self.message, &self.body);
        let threads::Wanted::NewAbout(subject) = wish.thread else {
            return (wish.body, None);
        };
        let row = rename(snapshot, held, payload, subject);
        (wish.body, row)
    }

    /// A text that joins a file says what the mail is about, which was the file's name until now.
    pub(super) fn retitle_file(
        &self,
        snapshot: &OutwardSnapshot,
        held: &KnownHeld,
        payload: &mut Payload,
    ) -> Option<ThreadRow> {
        let says = !self.body.trim().is_empty();
        says.then(|| rename(snapshot, held, payload, threads::first_words(&self.body)))?
    }

    pub(super) fn row(
        &self,
        gateway: &Gateway,
        user: &KnownUser,
        held: &KnownHeld,
        plan: &Plan,
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
                segments: (i64::from(plan.segments) - held.segments).max(0)
                    * people(held, &payload),
            },
            stanza: Some(NewStanza {
                user_id: user.user_id,
                stanza_id: self.stanza_id(),
                repeat_key: self.repeat_key.clone(),
                full_jid: self.from.to_string(),
                receipt: self.wants_receipt(&Settings::from_json(&user.settings)),
                at_ms: now.0,
            }),
            gone_stanza: None,
            files: Vec::new(),
            gone_files: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// The next of the batch may change it again, by the first id or by this one; `now` is what it holds.
    pub(super) fn note_amended(
        &self,
        snapshot: &mut OutwardSnapshot,
        now: KnownHeld,
        amended: &Amended,
    ) {
        let Amended { amend, .. } = amended;
        let now = KnownHeld {
            payload: amend.payload.clone(),
            segments: amend.segments.into(),
            held_until_ms: amend.held_until_ms.unwrap_or(now.held_until_ms),
            restarted: now.restarted || amend.restarted,
            ..now
        };
        let known = snapshot
            .held
            .values_mut()
            .chain(snapshot.joinable.values_mut());
        for known in known.filter(|known| known.message_id == now.message_id) {
            known.clone_from(&now);
        }
        let user = self.user.to_string();
        if let Some(id) = &amend.gone_stanza {
            snapshot.held.remove(&(user.clone(), id.clone()));
        }
        if let Some(stanza) = &amend.stanza {
            let key = (user.clone(), stanza.stanza_id.clone());
            snapshot.held.insert(key, now);
        }
        if let Some(known) = snapshot.users.get_mut(&user) {
            known.segments += amend.usage.segments;
        }
        if let Some(repeat_key) = &self.repeat_key {
            let key = (user, repeat_key.clone());
            snapshot.accepted.insert(key, amend.message_id);
        }
    }
}

/// Names the thread of a held message anew, if that message began it.
fn rename(
    snapshot: &OutwardSnapshot,
    held: &KnownHeld,
    payload: &mut Payload,
    subject: String,
) -> Option<ThreadRow> {
    let headers = payload.thread.as_mut()?;
    if headers.in_reply_to.is_some() {
        return None;
    }
    let mut threads = snapshot.threads.get(&held.conversation_id)?.iter();
    let known = threads.find(|known| Some(known.thread_id) == held.thread_id)?;
    headers.subject.clone_from(&subject);
    Some(ThreadRow {
        thread_id: known.thread_id,
        conversation_id: known.conversation_id,
        subject,
        xmpp_thread: known.xmpp_thread.clone(),
        last_id: known.last_id.clone(),
        reference_ids: serde_json::to_string(&known.references).unwrap_or_else(|_| "[]".to_owned()),
        active_ms: known.active_ms,
    })
}
