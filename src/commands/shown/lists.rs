//! Lists, row by row.

use super::{Block, Shower, age, day};
use crate::{
    operations::{
        Blocked, Contact, Conversation, Line, Mailbox, OptedOut, Sent, Stranger, User, Waiting,
        WaitingState,
    },
    texts::{Label, Own, Post, Told},
};

impl Shower {
    pub(super) fn users(&self, users: &[User]) -> Vec<Block> {
        if users.is_empty() {
            return vec![self.sentence(Told::NoUsers)];
        }
        let columns = [
            (Label::User, true),
            (Label::Gateway, true),
            (Label::State, false),
            (Label::Since, false),
            (Label::Addresses, true),
        ];
        let row = |user: &User| {
            vec![
                user.user.clone(),
                user.gateway.clone(),
                self.word(&user.state),
                day(user.since),
                user.lines.join(", "),
            ]
        };
        vec![self.table(&columns, users.iter().map(row).collect())]
    }

    pub(super) fn conversations(&self, conversations: &[Conversation]) -> Option<Block> {
        let columns = [
            (Label::Peer, true),
            (Label::Line, true),
            (Label::LastActive, false),
        ];
        let row = |talk: &Conversation| {
            vec![
                talk.peer.clone(),
                talk.line.clone(),
                age(talk.active, self.now),
            ]
        };
        let rows: Vec<_> = conversations.iter().map(row).collect();
        (!rows.is_empty()).then(|| self.table(&columns, rows))
    }

    pub(super) fn lines(&self, lines: &[Line]) -> Vec<Block> {
        if lines.is_empty() {
            return vec![self.sentence(Told::NoLines)];
        }
        let columns = [
            (Label::Address, true),
            (Label::Gateway, true),
            (Label::Kind, false),
            (Label::State, false),
            (Label::Providers, true),
            (Label::Source, false),
            (Label::Owners, true),
        ];
        let row = |line: &Line| {
            let whose = match &line.fallback {
                Some(fallback) => self.text(Told::Else(fallback.clone())),
                None => line.owners.join(", "),
            };
            vec![
                line.number.clone(),
                line.gateway.clone(),
                self.word(&line.kind),
                self.word(&line.state),
                line.providers.join(", "),
                self.word(&line.source),
                whose,
            ]
        };
        vec![self.table(&columns, lines.iter().map(row).collect())]
    }

    pub(super) fn queue(&self, waiting: &[Waiting]) -> Vec<Block> {
        if waiting.is_empty() {
            return vec![self.sentence(Told::NothingWaits)];
        }
        let columns = [
            (Label::Id, false),
            (Label::Way, false),
            (Label::Age, false),
            (Label::User, true),
            (Label::Peer, true),
            (Label::Tries, false),
            (Label::Next, false),
            (Label::Why, true),
        ];
        let row = |one: &Waiting| {
            let user = one.user.clone();
            vec![
                one.id.clone(),
                self.word(one.direction.as_str()),
                age(one.accepted, self.now),
                user.unwrap_or_else(|| self.text(Label::Nobody)),
                one.peer.clone(),
                one.attempts.to_string(),
                self.next(one),
                self.why(one),
            ]
        };
        vec![self.table(&columns, waiting.iter().map(row).collect())]
    }

    fn next(&self, one: &Waiting) -> String {
        match (one.state, one.due) {
            (WaitingState::Queued, Some(due)) if due > self.now => {
                self.text(Told::In(age(self.now, due)))
            }
            (WaitingState::Queued, _) => self.text(Told::Now),
            (WaitingState::Sending, _) => self.word("sending"),
            (WaitingState::Held | WaitingState::Restored | WaitingState::Unowned, _) => {
                self.word("held")
            }
        }
    }

    fn why(&self, one: &Waiting) -> String {
        let told = match one.state {
            WaitingState::Held => Told::ForCorrections,
            WaitingState::Restored => Told::RestoredCopy,
            WaitingState::Unowned => Told::NoOwnerOn(one.line.clone()),
            WaitingState::Queued | WaitingState::Sending => {
                let parts = [one.reason.as_deref(), one.code.as_deref()];
                let parts: Vec<&str> = parts.into_iter().flatten().collect();
                if !parts.is_empty() {
                    return parts.join(" ");
                }
                Told::ItsTurn
            }
        };
        self.text(told)
    }

    pub(super) fn blocks(&self, blocks: &[Blocked]) -> Vec<Block> {
        if blocks.is_empty() {
            return vec![self.sentence(Told::NobodyBlocked)];
        }
        let columns = [
            (Label::Peer, true),
            (Label::Gateway, true),
            (Label::Since, false),
        ];
        let row =
            |block: &Blocked| vec![block.peer.clone(), block.gateway.clone(), day(block.since)];
        vec![self.table(&columns, blocks.iter().map(row).collect())]
    }

    pub(super) fn optouts(&self, optouts: &[OptedOut]) -> Vec<Block> {
        if optouts.is_empty() {
            return vec![self.sentence(Told::NobodyOptedOut)];
        }
        let columns = [
            (Label::Peer, true),
            (Label::Line, true),
            (Label::Gateway, true),
            (Label::Since, false),
        ];
        let row = |one: &OptedOut| {
            let (peer, line) = (one.peer.clone(), one.line.clone());
            vec![peer, line, one.gateway.clone(), day(one.since)]
        };
        vec![self.table(&columns, optouts.iter().map(row).collect())]
    }

    pub(super) fn contacts(&self, contacts: &[Contact]) -> Vec<Block> {
        if contacts.is_empty() {
            return vec![self.sentence(Told::NoContacts)];
        }
        let columns = [
            (Label::Peer, true),
            (Label::Name, true),
            (Label::Line, true),
            (Label::LastActive, false),
        ];
        let row = |contact: &Contact| {
            vec![
                contact.peer.clone(),
                contact.name.clone().unwrap_or_default(),
                contact.line.clone(),
                age(contact.active, self.now),
            ]
        };
        vec![self.table(&columns, contacts.iter().map(row).collect())]
    }

    pub(super) fn strangers(&self, strangers: &[Stranger]) -> Vec<Block> {
        if strangers.is_empty() {
            return vec![self.sentence(Post::NobodyKnocks)];
        }
        let columns = [
            (Label::Peer, true),
            (Label::Messages, false),
            (Label::Age, false),
        ];
        let row = |one: &Stranger| {
            vec![
                self.text(Post::Knocking(one.into())),
                one.mails.to_string(),
                age(one.since, self.now),
            ]
        };
        vec![self.table(&columns, strangers.iter().map(row).collect())]
    }

    pub(super) fn sent(&self, sent: &[Sent]) -> Vec<Block> {
        if sent.is_empty() {
            return vec![self.sentence(Told::NoMessages)];
        }
        let columns = [
            (Label::Id, false),
            (Label::Age, false),
            (Label::To, true),
            (Label::State, false),
            (Label::Segments, false),
            (Label::Why, true),
        ];
        let row = |one: &Sent| {
            vec![
                one.id.clone(),
                age(one.accepted, self.now),
                one.peer.clone(),
                self.word(&one.state),
                one.segments.to_string(),
                one.reason.clone().unwrap_or_default(),
            ]
        };
        vec![self.table(&columns, sent.iter().map(row).collect())]
    }

    pub(super) fn mailboxes(&self, mailboxes: &[Mailbox]) -> Vec<Block> {
        if mailboxes.is_empty() {
            return vec![self.sentence(Own::None)];
        }
        let facts = mailboxes.iter().map(|mailbox| self.mailbox(mailbox));
        vec![Block::Facts(facts.collect())]
    }

    /// A mail account and how it stands.
    pub(super) fn mailbox(&self, mailbox: &Mailbox) -> (String, String) {
        let problem = mailbox.problem.clone().unwrap_or_default();
        let state = match mailbox.state.as_str() {
            "up" => Own::Works,
            "refused" => Own::RefusedState { problem },
            "down" => Own::OutOfReach { problem },
            _ => Own::Connecting,
        };
        (mailbox.address.clone(), self.text(state))
    }
}
