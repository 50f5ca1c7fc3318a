//! Mails that are committed together, with the position behind the last of them.
//!
//! A commit of many costs little more than a commit of one, and whoever was away for long has many. All that is committed together is decided
//! on what was known before it: so no two mails of one conversation are.

use std::collections::HashSet;

use transom_adapter::{Address, Event, UnixMillis};

use super::session::Listed;

/// So many mails at most …
const MAILS_MAX: usize = 32;
/// … so large together …
const BYTES_MAX: u64 = 1024 * 1024;
/// … and read within this time: none waits for long because the next one is slow.
const MILLIS_MAX: i64 = 100;

/// What was read and not committed yet.
#[derive(Debug, Default)]
pub(super) struct Batch {
    events: Vec<Event>,
    mails: usize,
    bytes: u64,
    /// The last of them.
    uid: u32,
    /// Who writes to whom: our address, and everybody else in the conversation.
    talks: HashSet<(Address, Address)>,
    /// Its only mail may belong to any conversation.
    is_closed: bool,
    /// When it has to be committed.
    until: Option<UnixMillis>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.mails == 0
    }

    /// Whether a mail of this size may come, as far as one can say before it is read.
    pub(super) fn has_room(&self, mail: Listed) -> bool {
        self.is_empty()
            || (self.mails < MAILS_MAX && self.bytes + u64::from(mail.bytes) <= BYTES_MAX)
    }

    /// Whether what a mail became can be decided together with what is here.
    pub(super) fn agrees_with(&self, events: &[Event]) -> bool {
        if self.is_empty() {
            return true;
        }
        let is_new = |event: &Event| {
            talks(event).is_some_and(|talks| talks.iter().all(|talk| !self.talks.contains(talk)))
        };
        !self.is_closed && events.iter().all(is_new)
    }

    pub(super) fn add(&mut self, mail: Listed, events: Vec<Event>, now: UnixMillis) {
        for event in &events {
            match talks(event) {
                Some(talks) => self.talks.extend(talks),
                None => self.is_closed = true,
            }
        }
        self.events.extend(events);
        self.mails += 1;
        self.bytes += u64::from(mail.bytes);
        self.uid = mail.uid;
        self.until = self.until.or(Some(UnixMillis(now.0 + MILLIS_MAX)));
    }

    /// When it has to be committed; `None` while it is empty.
    pub(super) fn until(&self) -> Option<UnixMillis> {
        self.until
    }

    /// What is to be committed, and the last UID of it; it is empty then.
    pub(super) fn take(&mut self) -> (Vec<Event>, u32) {
        let Self { events, uid, .. } = std::mem::take(self);
        (events, uid)
    }
}

/// The conversation of an event, as pairs of our address and somebody else; `None` where only the core knows.
fn talks(event: &Event) -> Option<Vec<(Address, Address)>> {
    match event {
        Event::Message(message) if message.mail.regarding.is_none() => {
            let others = message.others.iter().map(|member| &member.address);
            let people = others.chain([&message.from]);
            Some(
                people
                    .map(|person| (message.to.clone(), person.clone()))
                    .collect(),
            )
        }
        Event::Message(_) | Event::Sent(_) => None,
        Event::Report(_) | Event::Read { .. } => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::OwnIds, intake, read};
    use transom_adapter::testkit::signer;

    const NOW: UnixMillis = UnixMillis(1_000);

    fn mail(uid: u32, bytes: u32) -> Listed {
        Listed {
            uid,
            bytes,
            came: None,
        }
    }

    fn event(from: &str, to: &str, cc: &str) -> Vec<Event> {
        let ids = OwnIds::new(signer(), "mail.example.org".to_owned());
        let raw = format!("From: {from}\r\nTo: {to}\r\nCc: {cc}\r\n\r\nhello\r\n");
        let letter = read::read(raw.as_bytes(), None, &ids);
        match intake::decide(&letter, &Address::new(to), intake::Source::Mailbox, &ids) {
            intake::Fate::Take(event) => vec![*event],
            other => panic!("{other:?}"),
        }
    }

    const ALICE: &str = "alice@mail.example.org";
    const CAROL: &str = "carol@mail.example.org";

    #[test]
    fn a_conversation_has_one_mail_in_it() {
        let mut batch = Batch::default();
        let bob = event("bob@example.com", ALICE, "");
        assert!(batch.agrees_with(&bob));
        batch.add(mail(1, 100), bob.clone(), NOW);
        assert!(!batch.agrees_with(&bob));
        let in_copy = event("dave@example.com", ALICE, "bob@example.com");
        assert!(!batch.agrees_with(&in_copy), "a group with bob in it");
        assert!(batch.agrees_with(&event("bob@example.com", CAROL, "")));
        assert!(batch.agrees_with(&event("dave@example.com", ALICE, "")));
        assert!(batch.agrees_with(&[]), "nobody's mail");
    }

    #[test]
    fn what_only_the_core_can_place_stands_alone() {
        let mut sent = event("bob@example.com", ALICE, "");
        let Event::Message(message) = sent.remove(0) else {
            panic!("a report")
        };
        let sent = vec![Event::Sent(message)];
        let other = event("dave@example.com", CAROL, "");
        let mut batch = Batch::default();
        assert!(batch.agrees_with(&sent));
        batch.add(mail(1, 100), other.clone(), NOW);
        assert!(!batch.agrees_with(&sent));
        batch.take();
        batch.add(mail(2, 100), sent, NOW);
        assert!(!batch.agrees_with(&other));
        assert_eq!(batch.take().1, 2);
        assert!(batch.agrees_with(&other) && batch.is_empty() && batch.until().is_none());
    }

    #[test]
    fn it_is_bounded_in_number_size_and_time() {
        let mut batch = Batch::default();
        assert!(batch.has_room(mail(1, u32::MAX)), "the first always comes");
        batch.add(mail(1, 1000), Vec::new(), NOW);
        assert!(!batch.has_room(mail(2, 1024 * 1024)));
        for uid in 2..=32 {
            assert!(batch.has_room(mail(uid, 1000)), "{uid}");
            batch.add(mail(uid, 1000), Vec::new(), UnixMillis(NOW.0 + 90));
        }
        assert!(!batch.has_room(mail(33, 1000)));
        assert_eq!(batch.until(), Some(UnixMillis(NOW.0 + 100)));
        assert_eq!(batch.take().1, 32);
    }
}
