//! Whose contact a message comes from: a person's, or that of a group.

use transom_adapter::{Address, Incoming, Member, Network, UnixMillis};

use crate::{
    gateway::{
        Gateway, group,
        payload::{StoredGroup, StoredMember},
        threads,
    },
    store::{
        read::{InwardRow, LineFound},
        write::{ConversationRow, MemberRow},
    },
};

/// The people of a message to several, as they are stored with it.
pub(super) fn stored_group(
    message: &Incoming,
    members: &[Member],
    introduces: bool,
) -> StoredGroup {
    StoredGroup {
        members: members.iter().map(StoredMember::from).collect(),
        author: Some(message.from.as_str().to_owned()),
        at_once: false,
        introduces,
    }
}

/// Whose contact a message comes from, and what is kept of it.
pub(super) struct Sender {
    conversation_id: i64,
    gateway_id: i64,
    pub(super) peer: String,
    pub(super) name: Option<String>,
    pub(super) answers_to: Option<String>,
    pub(super) rows: Vec<MemberRow>,
}

pub(super) fn contact(
    gateway: &Gateway,
    message: &Incoming,
    conversation_id: i64,
    group: Option<&(Address, Vec<Member>)>,
) -> Sender {
    let Some((peer, members)) = group else {
        return Sender {
            conversation_id,
            gateway_id: gateway.id,
            peer: message.from.as_str().to_owned(),
            name: message.from_name.clone(),
            answers_to: None,
            rows: Vec::new(),
        };
    };
    let row = |member: &Member| MemberRow {
        conversation_id,
        address: member.address.as_str().to_owned(),
        name: member.name.clone(),
    };
    // By the address, so that the name is the same whoever wrote.
    let mut sorted: Vec<&Member> = members.iter().collect();
    sorted.sort_by_key(|member| member.address.as_str());
    let shown = |member: &&Member| {
        let name = member.name.as_deref();
        name.unwrap_or(member.address.as_str()).to_owned()
    };
    let names: Vec<String> = sorted.iter().map(shown).collect();
    let by_mail = gateway.network() == Network::Email;
    let has_rows = group::is_named(peer.as_str());
    Sender {
        conversation_id,
        gateway_id: gateway.id,
        peer: peer.as_str().to_owned(),
        name: Some(group::name_of(names.iter().map(String::as_str))),
        answers_to: by_mail.then(|| message.from.as_str().to_owned()),
        rows: members.iter().filter(|_| has_rows).map(row).collect(),
    }
}

impl Sender {
    /// The conversation, made or touched.
    pub(super) fn row(
        self,
        user: &InwardRow,
        line: &LineFound,
        (pinned, thread): (bool, Option<&threads::Chosen>),
        now: UnixMillis,
    ) -> ConversationRow {
        ConversationRow {
            conversation_id: self.conversation_id,
            gateway_id: self.gateway_id,
            user_id: user.user_id,
            line_id: line.line_id,
            peer: self.peer,
            peer_name: self.name,
            at_ms: now.0,
            plain_ms: if pinned { 0 } else { now.0 },
            shown_thread: thread.map(|thread| thread.thread_id),
            members: 1,
            answers_to: self.answers_to,
            group: self.rows,
        }
    }
}
