//! Which of our lines a message leaves by (semantics 9 and 18).

use super::{
    Contact, Gateway,
    settings::{Setting, Settings},
};
use crate::{
    store::read::{KnownConversation, KnownLine, OutwardSnapshot, SharedLine},
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
        let is_pinned = |line: &KnownLine| line.address == pinned.as_str();
        let shared = snapshot
            .shared
            .iter()
            .find(|shared| is_pinned(&shared.line));
        if shared.is_some_and(|shared| is_others(shared, peer, user_id)) {
            return Err(Membership::LineConflict.into());
        }
        let own = own.iter().find(|line| is_pinned(line));
        let line = own.or(shared.map(|shared| &shared.line));
        let line = line.ok_or_else(|| no_line(gateway))?;
        return active(line, on(line));
    }
    // The line last used with that peer, else the default line: the user's choice, or the one owned longest.
    let talked_on = own
        .iter()
        .filter_map(|line| Some((line, on(line)?)))
        .filter(|(_, known)| known.plain_ms > 0);
    if let Some((line, known)) = talked_on.max_by_key(|(_, known)| known.plain_ms) {
        return active(line, Some(known));
    }
    let wanted = default_line(snapshot, user);
    let usable = |line: &&KnownLine| line.state == "active";
    let wanted = own
        .iter()
        .filter(usable)
        .find(|line| Some(&line.address) == wanted.as_ref());
    if let Some(line) = wanted.or_else(|| own.iter().find(usable)).or(own.first()) {
        return active(line, on(line));
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
    active(&shared.line, on(&shared.line))
}

/// Semantics 18: whether that peer belongs to somebody else on this line.
fn is_others(shared: &SharedLine, peer: &str, user_id: Option<i64>) -> bool {
    let taken = shared.taken.get(peer);
    taken.is_some_and(|&owner| Some(owner) != user_id)
}

fn active<'a>(
    line: &'a KnownLine,
    conversation: Option<&'a KnownConversation>,
) -> Result<Chosen<'a>, Refused> {
    if line.refused {
        let address = line.address.clone();
        return Err(Membership::AccountRefused { address }.into());
    }
    if line.state != "active" {
        return Err(Membership::LineRetired.into());
    }
    // Where there is no conversation, `check_people` heeds it.
    let opted_out = conversation.is_some_and(|known| known.opted_out);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::registration::fixture::{sms, user};

    const PEER: &str = "+12025550147";
    const SHARED: &str = "+12025550199";

    #[test]
    fn a_pinned_shared_line_is_nobody_s_who_is_not_the_peer_s() {
        let gateway = sms("open");
        let contact = gateway.contact(&format!("{PEER};line={SHARED}")).unwrap();
        for (owner, want) in [
            (None, Ok(SHARED)),
            (Some(7), Ok(SHARED)),
            (Some(8), Err(Refused::from(Membership::LineConflict))),
        ] {
            let mut view = user("active").with_shared().view;
            let taken = owner.map(|owner| (PEER.to_owned(), owner));
            view.shared[0].taken.extend(taken);
            let chosen = choose(&gateway, &view, "alice@example.org", Some(7), &contact);
            let address = chosen.map(|chosen| chosen.line.address.as_str());
            assert_eq!(address, want, "{owner:?}");
        }
    }
}
