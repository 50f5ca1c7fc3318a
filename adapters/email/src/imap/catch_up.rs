//! Reading what the mailbox holds beyond the last committed position.

use std::{pin::pin, time::Duration};

use transom_adapter::{AccountName, Address, Context, Cursor, Event, Notice, UnixMillis, Verdict};

use super::{
    Pace,
    batch::Batch,
    position::Position,
    read::{Unread, tell},
    recipient,
    session::{Listed, Session},
    trouble::Trouble,
};
use crate::{
    config::{ImapConfig, Whose},
    ids::OwnIds,
    intake::{self, Fate},
    read::{self, Letter, MAIL_BYTES_MAX},
};

/// A mail whose answer cannot be understood, does not end, or is too large, weighs this much; one that was cut or refused weighs one …
const GARBLED: u8 = 4;
/// … and at this weight it is poison: it is named instead of read.
const POISON: u8 = 12;
/// At this weight not even its header is asked for.
const LETHAL: u8 = 24;

/// After a change of UIDVALIDITY, mails are looked at again from this long before the last look: clocks differ.
const OVERLAP: Duration = Duration::from_hours(48);

/// A mail that was read, and who it is for.
type Taken = (Letter, Vec<Address>);

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

    /// Reads everything that is new, one mail after the other, and commits it.
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
        if let Stop::Draining = self.take(session, listed, &mut position).await? {
            return Ok(Stop::Draining);
        }
        if let Some(unread) = &mut self.unread {
            let now = self.context.clock.now();
            let read = unread.read(session, (position.uid, now, self.ids)).await?;
            tell(self.context, self.account, read).await;
        }
        self.looks += 1;
        Ok(Stop::Done)
    }

    /// Reads these mails and commits them in batches. What was read before trouble came is committed all the same.
    async fn take(
        &mut self,
        session: &mut Session,
        listed: Vec<Listed>,
        position: &mut Position,
    ) -> Result<Stop, Trouble> {
        let mut batch = Batch::default();
        for mail in listed {
            // What is not committed when draining begins is found again.
            let goes_on = !self.context.lifecycle.is_draining()
                && (batch.has_room(mail) || self.finish(&mut batch, position).await);
            if !goes_on {
                return Ok(Stop::Draining);
            }
            let weight = self.weight(mail);
            let fetched = self.next(session, (mail, weight), &mut batch, position);
            let Some(fetched) = fetched.await else {
                return Ok(Stop::Draining);
            };
            let taken = match fetched {
                Ok(taken) => taken,
                Err(trouble) if self.finish(&mut batch, position).await => {
                    return Err(self.weigh(session, (mail, weight), trouble).await);
                }
                Err(_) => return Ok(Stop::Draining),
            };
            self.poison = None;
            let events = taken.map_or_else(Vec::new, |taken| self.events(&taken));
            if !batch.agrees_with(&events) && !self.finish(&mut batch, position).await {
                return Ok(Stop::Draining);
            }
            batch.add(mail, events, self.context.clock.now());
            if let Some(unread) = &mut self.unread {
                unread.came(mail.uid);
            }
        }
        let done = self.finish(&mut batch, position).await;
        Ok(if done { Stop::Done } else { Stop::Draining })
    }

    /// Reads a mail. What has waited for long enough is committed meanwhile; `None` when draining begins first.
    async fn next(
        &self,
        session: &mut Session,
        (mail, weight): (Listed, u8),
        batch: &mut Batch,
        position: &mut Position,
    ) -> Option<Result<Option<Taken>, Trouble>> {
        let mut fetch = pin!(self.fetch(session, mail, weight));
        if let Some(until) = batch.until() {
            tokio::select! {
                biased;
                fetched = &mut fetch => return Some(fetched),
                () = self.context.clock.sleep_until(until) => {}
            }
            let (is_up, fetched) = tokio::join!(self.finish(batch, position), fetch);
            return is_up.then_some(fetched);
        }
        Some(fetch.await)
    }

    /// Commits what was read so far; false when draining begins first.
    async fn finish(&self, batch: &mut Batch, position: &mut Position) -> bool {
        if batch.is_empty() {
            return true;
        }
        let (events, uid) = batch.take();
        position.uid = position.uid.max(uid);
        position.seen = self.context.clock.now();
        self.commit(events, *position).await
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

    /// How often a connection broke at this mail, and how badly.
    fn weight(&self, mail: Listed) -> u8 {
        self.poison
            .map_or(0, |(uid, weight)| if uid == mail.uid { weight } else { 0 })
    }

    /// Remembers that a mail was not read; gives what ends the connection.
    async fn weigh(
        &mut self,
        session: &mut Session,
        (mail, weight): (Listed, u8),
        trouble: Trouble,
    ) -> Trouble {
        let more = match &trouble {
            Trouble::Garbled | Trouble::Excess(_) | Trouble::Silent(_) => GARBLED,
            Trouble::Refused(_) => match session.gives_another(mail.uid).await {
                // Where no other is given either it is not this mail's fault.
                Ok(gives_another) => gives_another.into(),
                Err(worse) => return worse,
            },
            _ => 1,
        };
        self.poison = Some((mail.uid, weight.saturating_add(more)));
        trouble
    }

    /// What one mail becomes; empty when nobody here has anything to do with it.
    fn events(&self, (letter, recipients): &Taken) -> Vec<Event> {
        if recipients.is_empty() {
            self.count("imap_no_recipient");
        }
        let mut events = Vec::new();
        for recipient in recipients {
            let fate = if self.of_sent {
                intake::decide_sent(letter, recipient)
            } else {
                intake::decide(letter, recipient, recipient::source(self.config), self.ids)
            };
            match fate {
                Fate::Take(event) => events.push(*event),
                Fate::Drop(word) => self.count(word),
                Fate::Loop => self.count("mail_loop"),
            }
        }
        events
    }

    async fn fetch(
        &self,
        session: &mut Session,
        mail: Listed,
        weight: u8,
    ) -> Result<Option<Taken>, Trouble> {
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

    /// Commits mails with the position behind them, tried until the store takes it; false when draining begins first.
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
