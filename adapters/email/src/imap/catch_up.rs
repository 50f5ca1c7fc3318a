//! Reading what the mailbox holds beyond the last committed position.

use std::time::Duration;

use transom_adapter::{AccountName, Address, Context, Cursor, Event, Notice, UnixMillis, Verdict};

use super::{
    Pace,
    position::Position,
    read::{Unread, tell},
    recipient,
    session::{Listed, Session, Trouble},
};
use crate::{
    config::{ImapConfig, Whose},
    ids::OwnIds,
    intake::{self, Fate},
    read::{self, Letter, MAIL_BYTES_MAX},
};

/// A mail whose answer cannot be understood, or does not end, weighs this much; one that was cut or refused weighs one …
const GARBLED: u8 = 4;
/// … and at this weight it is poison: it is named instead of read.
const POISON: u8 = 12;
/// At this weight not even its header is asked for.
const LETHAL: u8 = 24;

/// After a change of UIDVALIDITY, mails are looked at again from this long before the last look: clocks differ.
const OVERLAP: Duration = Duration::from_hours(48);

/// The work on one mailbox, over all its connections.
pub(crate) struct CatchUp<'a> {
    account: &'a AccountName,
    ids: &'a OwnIds,
    config: &'a ImapConfig,
    pace: Pace,
    context: &'a Context,
    /// Which mailbox; the name of its cursor too.
    mailbox: String,
    /// It holds what the owner sent.
    of_sent: bool,
    /// The mail that the last connection broke at, and how heavily. Mails are read in order, so there is one at most.
    poison: Option<(u32, u8)>,
    looks: u64,
    /// Of an owner's mailbox: what nobody has read yet.
    unread: Option<Unread>,
}

/// Why a look ended.
pub(crate) enum Stop {
    Done,
    Draining,
}

impl<'a> CatchUp<'a> {
    pub(crate) fn new(
        account: &'a AccountName,
        ids: &'a OwnIds,
        config: &'a ImapConfig,
        pace: Pace,
        context: &'a Context,
    ) -> Self {
        Self {
            account,
            ids,
            config,
            pace,
            context,
            mailbox: config.mailbox.clone(),
            of_sent: false,
            poison: None,
            looks: 0,
            unread: matches!(config.whose, Whose::Owner(_)).then(Unread::default),
        }
    }

    /// The same on a folder of sent mail, from now on.
    pub(crate) fn of_sent(mut self, folder: String) -> Self {
        (self.mailbox, self.of_sent, self.unread) = (folder, true, None);
        self
    }

    pub(crate) fn mailbox(&self) -> &str {
        &self.mailbox
    }

    /// How many looks came to their end.
    pub(crate) fn looks(&self) -> u64 {
        self.looks
    }

    /// Reads and commits everything that is new, one mail after the other.
    pub(crate) async fn run(&mut self, session: &mut Session) -> Result<Stop, Trouble> {
        let Some(known) = self.position().await else {
            return Ok(Stop::Draining);
        };
        let validity = session.validity()?;
        let is_new = match known {
            Some(known) => known.validity != validity || session.went_back(known.uid).await?,
            None => false,
        };
        let (mut position, listed) = match known {
            None => self.start(session, validity).await?,
            Some(known) if !is_new => {
                let listed = session.list_after(known.uid).await?;
                (known, listed)
            }
            Some(known) => {
                if let Some(unread) = &mut self.unread {
                    unread.forget();
                }
                self.renumbered(session, validity, known).await?
            }
        };
        if known != Some(position) && listed.is_empty() && !self.commit(Vec::new(), position).await
        {
            return Ok(Stop::Draining);
        }
        for mail in listed {
            if self.context.lifecycle.is_draining() {
                return Ok(Stop::Draining);
            }
            let (events, uid) = (self.events(session, mail).await?, mail.uid);
            position.uid = position.uid.max(uid);
            position.seen = self.context.clock.now();
            if !self.commit(events, position).await {
                return Ok(Stop::Draining);
            }
            self.poison = None;
            if let Some(unread) = &mut self.unread {
                unread.came(uid);
            }
        }
        if let Some(unread) = &mut self.unread {
            let now = self.context.clock.now();
            let read = unread.read(session, (position.uid, now, self.ids)).await?;
            tell(self.context, self.account, read).await;
        }
        self.looks += 1;
        Ok(Stop::Done)
    }

    /// The first run starts now, or so many days ago: what was in the mailbox before is not ours to deliver.
    async fn start(
        &self,
        session: &mut Session,
        validity: u32,
    ) -> Result<(Position, Vec<Listed>), Trouble> {
        let now = self.context.clock.now();
        let back = i64::from(self.config.since_days) * 24 * 60 * 60 * 1000;
        let start = UnixMillis(now.0.saturating_sub(back));
        let next = session.next_uid().await?;
        let mut listed = Vec::new();
        if back > 0 {
            // The server knows days only; what came earlier on the first of them is left out here.
            let day = start.timestamp().strftime("%d-%b-%Y").to_string();
            listed = session.list_since(&day).await?;
            listed.retain(|mail| {
                mail.came
                    .is_none_or(|came| came.saturating_mul(1000) >= start.0)
            });
        }
        let first = listed.first().map_or(next, |mail| mail.uid);
        let position = Position {
            validity,
            uid: first.saturating_sub(1),
            start,
            seen: now,
        };
        Ok((position, listed))
    }

    /// The server numbers its mails anew: those that may be new are read again, and the store knows the others. RFC 3501 §2.3.1.1
    async fn renumbered(
        &self,
        session: &mut Session,
        validity: u32,
        known: Position,
    ) -> Result<(Position, Vec<Listed>), Trouble> {
        tracing::warn!(account = %self.account, "The mailbox has new UIDs; recent mails are looked at again.");
        self.context.meter.count(self.account, "imap_renumbered");
        let overlap = i64::try_from(OVERLAP.as_millis()).unwrap_or(i64::MAX);
        let since = UnixMillis(known.seen.0.saturating_sub(overlap)).max(known.start);
        let day = since.timestamp().strftime("%d-%b-%Y").to_string();
        let next = session.next_uid().await?;
        let mut listed = session.list_since(&day).await?;
        listed.retain(|mail| {
            mail.came
                .is_none_or(|came| came.saturating_mul(1000) >= known.start.0)
        });
        // Until they are done, the position stands before the first of them.
        let first = listed.first().map_or(next, |mail| mail.uid);
        let position = Position {
            validity,
            uid: first.saturating_sub(1),
            ..known
        };
        Ok((position, listed))
    }

    /// What one mail becomes; empty when nobody here has anything to do with it.
    async fn events(&mut self, session: &mut Session, mail: Listed) -> Result<Vec<Event>, Trouble> {
        let weight = self
            .poison
            .map_or(0, |(uid, weight)| if uid == mail.uid { weight } else { 0 });
        let fetched = self.fetch(session, mail, weight).await;
        if let Err(trouble) = &fetched {
            let more = match trouble {
                Trouble::Garbled | Trouble::Silent(_) => GARBLED,
                // Where no other is given either it is not this mail's fault.
                Trouble::Refused(_) if !session.gives_another(mail.uid).await? => 0,
                _ => 1,
            };
            self.poison = Some((mail.uid, weight.saturating_add(more)));
        }
        let Some((letter, recipients)) = fetched? else {
            return Ok(Vec::new());
        };
        if recipients.is_empty() {
            self.count("imap_no_recipient");
        }
        let mut events = Vec::new();
        for recipient in &recipients {
            let fate = if self.of_sent {
                intake::decide_sent(&letter, recipient)
            } else {
                intake::decide(&letter, recipient, self.ids)
            };
            match fate {
                Fate::Take(event) => events.push(*event),
                Fate::Drop(word) => self.count(word),
                Fate::Loop => self.count("mail_loop"),
            }
        }
        Ok(events)
    }

    async fn fetch(
        &self,
        session: &mut Session,
        mail: Listed,
        weight: u8,
    ) -> Result<Option<(Letter, Vec<Address>)>, Trouble> {
        let bytes = u64::from(mail.bytes);
        if weight >= LETHAL {
            tracing::error!(account = %self.account, uid = mail.uid, bytes, "A mail cannot be read at all; it stays in the mailbox.");
            self.count("imap_lethal");
            return Ok(None);
        }
        let notice = match () {
            () if weight >= POISON => Some(Notice::Unreadable { bytes }),
            () if mail.bytes as usize > MAIL_BYTES_MAX => Some(Notice::TooLarge { bytes }),
            () => None,
        };
        let Some(notice) = notice else {
            let Some(raw) = session.mail(mail.uid, MAIL_BYTES_MAX).await? else {
                self.count("imap_gone");
                return Ok(None);
            };
            let recipients = recipient::recipients(&raw, self.config, self.ids);
            let letter = intake::read(raw, None, self.ids).await;
            return Ok(Some((letter, recipients)));
        };
        let Some(head) = session.header(mail.uid).await? else {
            self.count("imap_gone");
            return Ok(None);
        };
        let recipients = recipient::recipients(&head, self.config, self.ids);
        Ok(Some((read::named_only(&head, None, notice), recipients)))
    }

    /// The committed position, asked for until the store answers; `None` when draining begins first.
    async fn position(&self) -> Option<Option<Position>> {
        loop {
            let inbox = &self.context.inbox;
            match inbox.cursor(self.account, &self.mailbox).await {
                Ok(value) => return Some(value.and_then(|value| value.parse().ok())),
                Err(_) => self.pause().await?,
            }
        }
    }

    /// Commits a mail with the position behind it, tried until the store takes it; false when draining begins first.
    async fn commit(&self, events: Vec<Event>, position: Position) -> bool {
        loop {
            let cursor = Cursor {
                name: self.mailbox.clone(),
                value: position.to_string(),
            };
            let inbox = &self.context.inbox;
            match inbox
                .commit(self.account, events.clone(), Some(cursor))
                .await
            {
                Ok(verdicts) => {
                    for verdict in verdicts {
                        if verdict == Verdict::NoSuchRecipient {
                            // Nobody's mail stays where it is. semantics 29
                            self.count("imap_unknown_recipient");
                        }
                    }
                    return true;
                }
                Err(_) => {
                    if self.pause().await.is_none() {
                        return false;
                    }
                }
            }
        }
    }

    async fn pause(&self) -> Option<()> {
        let next = self.context.clock.now().after(self.pace.busy);
        tokio::select! {
            () = self.context.clock.sleep_until(next) => Some(()),
            () = self.context.lifecycle.draining() => None,
        }
    }

    fn count(&self, what: &'static str) {
        self.context.meter.count(self.account, what);
    }
}
