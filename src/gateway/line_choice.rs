//! Which of our lines a message leaves by (semantics 9 and 18).

use super::{
    Contact, Gateway,
    settings::{Setting, Settings},
};
use crate::{
    store::read::{KnownConversation, KnownLine, OutwardSnapshot},
    texts::{Membership, Refused},
};

/// The line, and the conversation on it if there is one.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    pub(super) line: &'a KnownLine,
    pub(super) conversation: Option<&'a KnownConversation>,
    pub(super) opted_out: bool,
}

/// Picks the line for a message of this user to this contact.
pub(super) fn choose<'a>(
    gateway: &Gateway,
    snapshot: &'a OutwardSnapshot,
    user: &str,
    user_id: Option<i64>,
    contact: &Contact,
) -> Result<Chosen<'a>, Refused> {
    let peer = contact.peer.as_str();
    let conversations = snapshot
        .conversations
        .get(&(user.to_owned(), peer.to_owned()))
        .map_or(&[][..], Vec::as_slice);
    let own = snapshot.lines.get(user).map_or(&[][..], Vec::as_slice);
    let on = |line: &KnownLine| {
        conversations
            .iter()
            .find(|known| known.line_id == line.line_id)
    };
    if let Some(pinned) = &contact.line {
        let shared = snapshot.shared.iter().map(|shared| &shared.line);
        let line = own
            .iter()
            .chain(shared)
            .find(|line| line.address == pinned.as_str());
        let line = line.ok_or_else(|| no_line(gateway))?;
        return active(line, on(line), false);
    }
    // The line last used with that peer, else the default line: the user's choice, or the one owned longest.
    let talked_on = own
        .iter()
        .filter_map(|line| Some((line, on(line)?)))
        .filter(|(_, known)| known.plain_ms > 0);
    if let Some((line, known)) = talked_on.max_by_key(|(_, known)| known.plain_ms) {
        return active(line, Some(known), false);
    }
    let wanted = default_line(snapshot, user);
    let usable = |line: &&KnownLine| line.state == "active";
    let wanted = own
        .iter()
        .filter(usable)
        .find(|line| Some(&line.address) == wanted.as_ref());
    if let Some(line) = wanted.or_else(|| own.iter().find(usable)).or(own.first()) {
        return active(line, on(line), false);
    }
    shared_line(gateway, snapshot, user_id, peer, on)
}

fn default_line(snapshot: &OutwardSnapshot, user: &str) -> Option<String> {
    let settings = Settings::from_json(&snapshot.users.get(user)?.settings);
    settings.get(Setting::Line).map(str::to_owned)
}

/// The shared line on which this user talks to the peer already, else one on which nobody else does.
fn shared_line<'a>(
    gateway: &Gateway,
    snapshot: &'a OutwardSnapshot,
    user_id: Option<i64>,
    peer: &str,
    on: impl Fn(&KnownLine) -> Option<&'a KnownConversation>,
) -> Result<Chosen<'a>, Refused> {
    if snapshot.shared.is_empty() {
        return Err(no_line(gateway));
    }
    let mine = snapshot
        .shared
        .iter()
        .find(|shared| user_id.is_some() && shared.taken.get(peer).copied() == user_id);
    let free = || {
        snapshot
            .shared
            .iter()
            .find(|shared| !shared.taken.contains_key(peer))
    };
    let shared = mine.or_else(free).ok_or(Membership::LineConflict)?;
    active(
        &shared.line,
        on(&shared.line),
        shared.opted_out.contains(peer),
    )
}

fn active<'a>(
    line: &'a KnownLine,
    conversation: Option<&'a KnownConversation>,
    opted_out: bool,
) -> Result<Chosen<'a>, Refused> {
    if line.refused {
        let address = line.address.clone();
        return Err(Membership::AccountRefused { address }.into());
    }
    if line.state != "active" {
        return Err(Membership::LineRetired.into());
    }
    let opted_out = opted_out || conversation.is_some_and(|known| known.opted_out);
    Ok(Chosen {
        line,
        conversation,
        opted_out,
    })
}

fn no_line(gateway: &Gateway) -> Refused {
    gateway.no_line().into()
}

impl Gateway {
    /// What somebody has to do who has no line.
    pub(super) fn no_line(&self) -> Membership {
        let gateway = self.config.domain.to_string();
        if self.adapter.only_own_accounts() {
            Membership::NoMailbox { gateway }
        } else {
            Membership::NoLine { gateway }
        }
    }
}
