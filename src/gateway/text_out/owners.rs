//! What one of a line's owners writes, as the others see it (semantics 17): a message into their own chat with the peer, stored by the
//! commit that accepts what it is about.

use transom_adapter::Key;

use super::{Candidate, edit::Edit};
use crate::{
    gateway::{
        Gateway, group,
        ids::stanza_id,
        moment::Moment,
        payload::{Payload, StoredLink, StoredWriter},
        registration::DISABLED_FOR,
    },
    store::{
        read::{KnownHeld, KnownLine, KnownOwner, OutwardSnapshot},
        write::{ConversationRow, MemberRow, NewIn, NewOut, Seen},
    },
    texts::Quoted,
    xmpp::jid::{self, BareJid},
};

/// What there is to see.
struct Sight<'a> {
    line: &'a KnownLine,
    user_id: i64,
    group_name: Option<String>,
    body: String,
    took_back: Option<Quoted>,
}

impl Candidate<'_> {
    /// The message as each other owner of its line gets it.
    pub(super) fn shown(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        (out, line): (&NewOut, &KnownLine),
        moment: &Moment<'_>,
    ) -> Vec<NewIn> {
        let sight = Sight {
            line,
            user_id: out.conversation.user_id,
            group_name: out.conversation.peer_name.clone(),
            body: self.body.clone(),
            took_back: None,
        };
        self.shown_to_others(gateway, snapshot, &sight, moment)
    }

    /// A change of a message that the others have seen already: a correction begins as one that comes too late to be made
    /// (semantics 26).
    pub(super) fn shown_change(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        held: &KnownHeld,
        moment: &Moment<'_>,
    ) -> Vec<NewIn> {
        if snapshot.owners.is_empty() {
            return Vec::new();
        }
        let Ok(Some((user, line))) = self.same_way(gateway, snapshot, held, moment) else {
            return Vec::new();
        };
        let (body, took_back) = match self.edit {
            Some(Edit::Correct(_)) => (format!("* {}", self.body), None),
            Some(Edit::TakeBack(_)) => (String::new(), Some(Quoted::beginning(&held.body))),
            None => (self.body.clone(), None),
        };
        let sight = Sight {
            line,
            user_id: user.user_id,
            group_name: None,
            body,
            took_back,
        };
        self.shown_to_others(gateway, snapshot, &sight, moment)
    }

    /// Whoever has blocked the peer has no chat with it.
    fn shown_to_others(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        sight: &Sight<'_>,
        moment: &Moment<'_>,
    ) -> Vec<NewIn> {
        let owners = snapshot.owners.get(&sight.line.line_id);
        let owners = owners.map_or(&[][..], Vec::as_slice);
        let is_blocked = |owner: &KnownOwner| {
            let pair = (owner.user_id, self.contact.peer.as_str().to_owned());
            snapshot.blocked.contains(&pair)
        };
        owners
            .iter()
            .filter(|owner| owner.user_id != sight.user_id && !is_blocked(owner))
            .map(|owner| self.shown_to(gateway, snapshot, (sight, owner), moment))
            .collect()
    }

    fn shown_to(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        (sight, owner): (&Sight<'_>, &KnownOwner),
        moment: &Moment<'_>,
    ) -> NewIn {
        let line = sight.line;
        let peer = self.contact.peer.as_str().to_owned();
        let chat = (owner.jid.clone(), peer.clone());
        let known = snapshot.conversations.get(&chat);
        let known = known.map_or(&[][..], Vec::as_slice);
        let (here, elsewhere): (Vec<_>, Vec<_>) = known
            .iter()
            .partition(|known| known.line_id == line.line_id);
        let here = here.first();
        let elsewhere_ms = elsewhere.iter().map(|known| known.plain_ms).max();
        // Semantics 9, as of a message that comes in.
        let pinned = elsewhere_ms > Some(here.map_or(0, |known| known.plain_ms));
        let conversation_id = here.map_or_else(moment.ids, |known| known.conversation_id);
        let payload = Payload {
            pinned,
            writer: Some(Box::new(StoredWriter {
                name: name_for(&self.user, &owner.jid),
                took_back: sight.took_back.as_ref().map(Quoted::to_string),
                files: self.files.iter().map(StoredLink::from).collect(),
            })),
            ..Payload::default()
        };
        let due_ms = match owner.state.as_str() {
            "disabled" => moment.now.after(DISABLED_FOR).0,
            _ => moment.now.0,
        };
        let key = (moment.ids)();
        NewIn {
            // It is never a repeat: what it is about is none.
            seen: Seen {
                scope_id: gateway.id,
                digest: format!("owner-{}", Key(key)),
                at_ms: moment.now.0,
                stale_ms: 0,
            },
            conversation: ConversationRow {
                conversation_id,
                gateway_id: gateway.id,
                user_id: owner.user_id,
                line_id: line.line_id,
                peer,
                peer_name: sight.group_name.clone(),
                at_ms: moment.now.0,
                plain_ms: if pinned { 0 } else { moment.now.0 },
                shown_thread: None,
                // Whoever wrote has it counted.
                members: 0,
                answers_to: None,
                group: self.members_for(snapshot, conversation_id),
            },
            message_id: key,
            body: sight.body.clone(),
            payload: Some(payload.to_json()),
            fleeting: self.is_fleeting(),
            stanza_id: stanza_id(moment.now),
            repeat_key: None,
            user_jid: owner.jid.clone(),
            due_ms: Some(due_ms),
            stranger: None,
            thread: None,
            line: line.address.clone(),
            ids: Vec::new(),
            files: Vec::new(),
            confirm: None,
        }
    }

    /// Who is in a group whose name does not say it, for another owner's answers.
    fn members_for(&self, snapshot: &OutwardSnapshot, conversation_id: i64) -> Vec<MemberRow> {
        let peer = self.contact.peer.as_str();
        if !group::is_named(peer) {
            return Vec::new();
        }
        let row = |(address, name): (String, Option<String>)| MemberRow {
            conversation_id,
            address,
            name,
        };
        let named = self.named.iter();
        let named = named.map(|member| (member.address.as_str().to_owned(), member.name.clone()));
        let chat = (self.user.to_string(), peer.to_owned());
        let known = snapshot.groups.get(&chat).into_iter().flatten().cloned();
        let mut rows: Vec<MemberRow> = named.chain(known).map(row).collect();
        rows.sort_by(|one, other| one.address.cmp(&other.address));
        rows.dedup_by(|one, other| one.address == other.address);
        rows
    }
}

/// "alice" for whoever shares her server, her whole JID for others.
fn name_for(writer: &BareJid, reader: &str) -> String {
    let near = BareJid::new(reader).is_ok_and(|reader| reader.domain() == writer.domain());
    let node = writer.node().filter(|_| near);
    let name = node.and_then(|node| jid::unescape(node.as_str()).ok());
    name.unwrap_or_else(|| writer.to_string())
}
