//! What the owner of a mailbox has read, both ways: the flag `\\Seen`. RFC 3501 §2.3.2
//!
//! The flag is set for the owner alone and only when the core asks for it. What another program marks is told to the core, which knows
//! whether its owner wants that shared.

use std::collections::BTreeSet;

use transom_adapter::{Context, Event, UnixMillis};

use super::{ImapAccount, session::Session, trouble::Trouble};
use crate::{ids::OwnIds, read};

/// So many of the newest mails are watched; older ones are read without a word.
const WATCHED_MAX: usize = 100;
/// What came before these days is not watched after a start.
const DAYS: i64 = 7;

/// The mails of a mailbox that nobody has read yet.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Their UIDs; `None`: not looked for yet.
    uids: Option<BTreeSet<u32>>,
}

impl Unread {
    /// The UIDs mean something else from now on.
    pub(super) fn forget(&mut self) {
        self.uids = None;
    }

    /// This one came.
    pub(super) fn came(&mut self, uid: u32) {
        if let Some(uids) = &mut self.uids {
            uids.insert(uid);
            while uids.len() > WATCHED_MAX {
                uids.pop_first();
            }
        }
    }

    /// Which of them were read since the last look, by their Message-IDs; those up to this UID.
    pub(super) async fn read(
        &mut self,
        session: &mut Session,
        (uid, now, ids): (u32, UnixMillis, &OwnIds),
    ) -> Result<Vec<Event>, Trouble> {
        let Some(uids) = &mut self.uids else {
            let since = UnixMillis(now.0.saturating_sub(DAYS * 24 * 3_600_000));
            let day = since.timestamp().strftime("%d-%b-%Y").to_string();
            let mut unseen = session.search(&format!("UNSEEN SINCE {day}")).await?;
            unseen.retain(|unseen| *unseen <= uid);
            while unseen.len() > WATCHED_MAX {
                unseen.pop_first();
            }
            self.uids = Some(unseen);
            return Ok(Vec::new());
        };
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let set: Vec<String> = uids.iter().map(u32::to_string).collect();
        let seen = session
            .search(&format!("UID {} SEEN", set.join(",")))
            .await?;
        let mut events = Vec::new();
        for uid in seen {
            if !uids.remove(&uid) {
                continue;
            }
            if let Some(head) = session.header(uid).await?
                && let Some(message_id) = read::message_id(&head, ids)
            {
                events.push(Event::Read { message_id });
            }
        }
        Ok(events)
    }
}

/// Tells the core; what it cannot take now is not told again.
pub(super) async fn tell(
    context: &Context,
    account: &transom_adapter::AccountName,
    events: Vec<Event>,
) {
    if !events.is_empty() {
        context.inbox.commit(account, events, None).await.ok();
    }
}

impl ImapAccount {
    /// Marks mails as read, on a connection of its own.
    pub(crate) async fn mark_read(&self, message_ids: &[String]) -> Result<(), Trouble> {
        let mut session = self.open().await?;
        let marked = mark(&mut session, message_ids).await;
        session.log_out().await;
        marked
    }
}

async fn mark(session: &mut Session, message_ids: &[String]) -> Result<(), Trouble> {
    let mut uids = Vec::new();
    for id in message_ids.iter().filter(|id| is_plain(id)) {
        let found = session
            .search(&format!("HEADER Message-ID \"<{id}>\""))
            .await?;
        uids.extend(found.into_iter().map(|uid| uid.to_string()));
    }
    if uids.is_empty() {
        return Ok(());
    }
    session.store_seen(&uids.join(",")).await
}

/// Whether an id, which comes from outside, can stand between quotes as it is. RFC 3501 §9, `QUOTED-CHAR`
fn is_plain(id: &str) -> bool {
    !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_an_id_stands_between_the_quotes() {
        assert!(is_plain("a.b+c=d@mail.example.org"));
        for id in ["", "a\"b@x", "a\\b@x", "a b@x", "a\r\nb LOGOUT@x", "ü@x"] {
            assert!(!is_plain(id), "{id:?}");
        }
    }

    #[test]
    fn the_newest_are_watched() {
        let mut unread = Unread::default();
        unread.came(1);
        assert!(unread.uids.is_none(), "before they are looked for");
        unread.uids = Some(BTreeSet::new());
        (1..=150).for_each(|uid| unread.came(uid));
        let uids = unread.uids.as_ref().unwrap();
        assert_eq!((uids.len(), uids.first()), (WATCHED_MAX, Some(&51)));
    }
}
