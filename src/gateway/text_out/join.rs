//! A text and a file that a client sends apart become one message (semantics 26): the later one joins the earlier while that is held.

use transom_adapter::{Network, OutFile, UnixMillis};

use super::{Amended, Candidate, Decision, Refused, plan};
use crate::{
    gateway::{
        Gateway, caps, files,
        moment::Moment,
        payload::{Joined, Payload},
        threads,
    },
    store::{
        read::{KnownHeld, OutwardSnapshot},
        write::Amend,
    },
    xmpp::xep::reactions,
};

/// More are not joined to one message; a client that sends an album gets several.
const FILES_MAX: i64 = 20;

impl Candidate<'_> {
    /// Whether this is one half of a message: files without a text, or a text that says nothing else about itself.
    pub(super) fn may_join(&self, gateway: &Gateway) -> bool {
        let is_half = self.files.is_empty() != self.body.trim().is_empty();
        let is_plain = self.edit.is_none() && self.reaction.is_none();
        let wishes = gateway.network() == Network::Email
            && threads::wish(self.message, &self.body).thread != threads::Wanted::Any;
        let answers = self.message.reply_to().is_some() || reactions::of(self.message).is_some();
        !gateway.config.merge.is_zero() && is_half && is_plain && !wishes && !answers
    }

    /// Joins it to the message that is held in this chat, if they are two halves. `None`: it goes alone.
    pub(super) fn join(
        &self,
        gateway: &Gateway,
        snapshot: &mut OutwardSnapshot,
        moment: &Moment<'_>,
    ) -> Option<Decision> {
        if !self.may_join(gateway) {
            return None;
        }
        let key = (self.user.to_string(), self.contact.peer.as_str().to_owned());
        let held = snapshot.joinable.get(&key)?.clone();
        let until = UnixMillis(held.created_ms).after(gateway.config.merge);
        // Two texts are two messages; files join whatever is there.
        let fits = !self.files.is_empty() || (held.body.trim().is_empty() && held.files > 0);
        if moment.now > until || !fits {
            return None;
        }
        // What cannot go together goes apart, and is refused by itself where it has to be.
        let (amended, now) = self.joined(gateway, snapshot, held, moment).ok()??;
        self.note_amended(snapshot, now, &amended);
        Some(Decision::Amended(Box::new(amended)))
    }

    fn joined(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        held: KnownHeld,
        moment: &Moment<'_>,
    ) -> Result<Option<(Amended, KnownHeld)>, Refused> {
        let Some((user, line)) = self.same_way(gateway, snapshot, &held, moment)? else {
            return Ok(None);
        };
        let mut payload = Payload::from_json(held.payload.as_deref());
        let places = payload.joined.iter().flat_map(|part| &part.files);
        let first = places.copied().max().map_or(held.files, |last| last + 1);
        let id = held.message_id;
        let mut new = files::outgoing(gateway, &self.files, id, (moment.now, moment.ids));
        for (place, file) in (first..).zip(&mut new) {
            file.place = place;
        }
        let added = i64::try_from(new.len()).unwrap_or(i64::MAX);
        if held.files.saturating_add(added) > FILES_MAX {
            return Ok(None);
        }
        if payload.joined.is_empty() {
            payload.joined.push(Joined {
                id: held.stanza_id.clone(),
                text: !held.body.trim().is_empty(),
                files: (0..held.files).collect(),
            });
        }
        payload.joined.push(Joined {
            id: self.stanza_id(),
            text: !self.body.is_empty(),
            files: new.iter().map(|file| file.place).collect(),
        });
        let body = if self.body.is_empty() {
            held.body.clone()
        } else {
            self.body.clone()
        };
        if !self.body.is_empty() {
            payload.wish.unstyled = payload.thread.is_some() && self.message.is_unstyled();
        }
        let thread = self.retitle_file(snapshot, &held, &mut payload);
        let mut outgoing = self.outgoing_held(gateway, line, &held, (&payload, body.clone()));
        outgoing.files.extend(files::planned(&new));
        let plan = plan(gateway, &outgoing)?;
        let people = super::edit::people(&held, &payload);
        caps::check_change(gateway, user, (&plan, people), held.segments, moment.now)?;
        let amend = self.row(gateway, user, &held, &plan, (payload, moment.now));
        let shown = self.shown_change(gateway, snapshot, &held, moment);
        let now = KnownHeld {
            body: body.clone(),
            files: held.files + added,
            ..held
        };
        let amend = Amend {
            body,
            thread,
            files: new,
            shown,
            held_until_ms: None,
            restarted: false,
            ..amend
        };
        Ok(Some((
            Amended {
                amend,
                outcome: "joined",
            },
            now,
        )))
    }

    /// Takes back what one stanza brought to a message that several made. `None`: it is all that is left of it.
    pub(super) fn take_part_back(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        held: &KnownHeld,
        (id, moment): (&str, &Moment<'_>),
    ) -> Option<(Amended, KnownHeld)> {
        let mut payload = Payload::from_json(held.payload.as_deref());
        let place = payload.joined.iter().position(|part| part.id == id)?;
        if payload.joined.len() < 2 {
            return None;
        }
        let gone = payload.joined.remove(place);
        let (user, line) = self.same_way(gateway, snapshot, held, moment).ok()??;
        let body = if gone.text {
            String::new()
        } else {
            held.body.clone()
        };
        let files = held.files - i64::try_from(gone.files.len()).unwrap_or(0);
        let now = KnownHeld {
            body: body.clone(),
            files,
            ..held.clone()
        };
        let outgoing = self.outgoing_held(gateway, line, &now, (&payload, body.clone()));
        let plan = plan(gateway, &outgoing).ok()?;
        let amend = self.row(gateway, user, held, &plan, (payload, moment.now));
        let amend = Amend {
            body,
            gone_files: gone.files,
            gone_stanza: Some(gone.id),
            shown: self.shown_change(gateway, snapshot, held, moment),
            held_until_ms: None,
            restarted: false,
            stanza: None,
            ..amend
        };
        Some((
            Amended {
                amend,
                outcome: "retracted",
            },
            now,
        ))
    }
}

/// Files of a held message, of which a plan has to know that they are there.
pub(super) fn held_files(count: i64) -> Vec<OutFile> {
    let file = |_| OutFile {
        name: String::new(),
        content_type: "application/octet-stream".to_owned(),
        bytes: 0,
        stored: None,
    };
    (0..count.clamp(0, FILES_MAX)).map(file).collect()
}
