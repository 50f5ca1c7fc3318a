//! One IMAP connection, with a deadline on everything: the library has none, and after a missed one nobody knows which answer
//! comes next, so the connection is dropped.

use std::{sync::Arc, time::Duration};

use async_imap::{extensions::idle::IdleResponse, types::UnsolicitedResponse};
use rustls::ClientConfig;
use tokio::time::timeout;
use transom_adapter::Clock;

use super::{
    Pace,
    opening::logged_in,
    trouble::{Trouble, within},
};
use crate::{
    config::ImapConfig,
    net::{Security, Stream},
};

/// What is read of a header; more is no header.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// For the answer to DONE.
const DONE_MAX: Duration = Duration::from_secs(15);
/// How many mails `check` looks at.
const SURVEYED: u32 = 20;

/// An open mailbox.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) imap: async_imap::Session<Stream>,
    pub(super) mailbox: Mailbox,
    can_idle: bool,
    /// A mail was announced since the last look began.
    pub(super) has_news: bool,
    encrypted: bool,
    pub(super) pace: Pace,
}

/// What opening a mailbox tells of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Mailbox {
    pub(super) exists: u32,
    pub(super) validity: Option<u32>,
    pub(super) next: Option<u32>,
}

/// A mail as the mailbox lists it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Listed {
    pub(crate) uid: u32,
    pub(crate) bytes: u32,
    /// When it came into the mailbox, in seconds.
    pub(crate) came: Option<i64>,
}

impl Session {
    /// Connects, logs in and opens the mailbox.
    pub(crate) async fn open(
        config: &ImapConfig,
        tls: Option<&Arc<ClientConfig>>,
        pace: Pace,
    ) -> Result<Self, Trouble> {
        let imap = logged_in(config, tls, pace).await?;
        let mut session = Self {
            encrypted: config.endpoint.security != Security::None,
            can_idle: false,
            has_news: false,
            imap,
            mailbox: Mailbox::default(),
            pace,
        };
        // RFC 3501 §6.1.1: a login may change what it can.
        session.can_idle = session.can("IDLE").await?;
        session.open_mailbox(&config.mailbox).await?;
        Ok(session)
    }

    /// What makes UIDs comparable; a mailbox without has none that last.
    pub(crate) fn validity(&self) -> Result<u32, Trouble> {
        let missing = Trouble::Unfit("the mailbox has no UIDVALIDITY and cannot be followed");
        self.mailbox.validity.ok_or(missing)
    }

    /// Whether the server numbers anew without saying so: what comes next has a number that was read already. Found out once for each time
    /// that the mailbox is opened, since the number of then does not count what came after it.
    pub(crate) async fn went_back(&mut self, uid: u32) -> Result<bool, Trouble> {
        if self.mailbox.next.take().is_none_or(|next| next > uid) {
            return Ok(false);
        }
        // Some servers are late with that number; then the mails themselves say so.
        Ok(self.next_uid().await? <= uid)
    }

    /// The UID that the next mail will have.
    pub(crate) async fn next_uid(&mut self) -> Result<u32, Trouble> {
        if let Some(next) = self.mailbox.next {
            return Ok(next);
        }
        // Some servers leave UIDNEXT out.
        let all = self.search("ALL").await?;
        Ok(all.last().map_or(1, |last| last.saturating_add(1)))
    }

    /// The mails behind this UID, in order.
    pub(crate) async fn list_after(&mut self, uid: u32) -> Result<Vec<Listed>, Trouble> {
        let first = uid.saturating_add(1);
        let mut listed = self.list(&format!("{first}:*")).await?;
        // RFC 3501 §6.4.8: `*` is the last mail even where it is before the first number.
        listed.retain(|mail| mail.uid > uid);
        Ok(listed)
    }

    /// The mails that came since this day, in order.
    pub(crate) async fn list_since(&mut self, day: &str) -> Result<Vec<Listed>, Trouble> {
        let found = self.search(&format!("SINCE {day}")).await?;
        let (Some(first), Some(last)) = (found.first(), found.last()) else {
            return Ok(Vec::new());
        };
        let mut listed = self.list(&format!("{first}:{last}")).await?;
        listed.retain(|mail| found.contains(&mail.uid));
        Ok(listed)
    }

    /// A whole mail, at most `bytes_max` of it; `None` when it is gone meanwhile.
    pub(crate) async fn mail(
        &mut self,
        uid: u32,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        let what = format!("BODY.PEEK[]<0.{bytes_max}>");
        self.part((uid, &what), (self.pace.body, bytes_max)).await
    }

    /// A mail's header alone.
    pub(crate) async fn header(&mut self, uid: u32) -> Result<Option<Vec<u8>>, Trouble> {
        let what = format!("BODY.PEEK[HEADER]<0.{HEADER_BYTES_MAX}>");
        let limits = (self.pace.command, HEADER_BYTES_MAX);
        self.part((uid, &what), limits).await
    }

    /// Throws away what was announced so far: the next look finds it anyway.
    pub(crate) fn forget_announcements(&mut self) {
        while self.imap.unsolicited_responses.try_recv().is_ok() {}
        self.has_news = false;
    }

    /// Waits until there may be something new, at most so long, and gives the connection back.
    pub(crate) async fn wait_for_news(
        self,
        clock: &dyn Clock,
        patience: Duration,
    ) -> Result<Self, Trouble> {
        if self.can_idle {
            self.idle(patience).await
        } else {
            self.poll(clock).await
        }
    }

    async fn poll(mut self, clock: &dyn Clock) -> Result<Self, Trouble> {
        let next = clock.now().after(self.pace.poll);
        tokio::select! {
            () = clock.sleep_until(next) => {}
            heard = self.overhear() => heard?,
        }
        self.noop().await?;
        Ok(self)
    }

    async fn idle(self, patience: Duration) -> Result<Self, Trouble> {
        let Self {
            imap,
            mailbox,
            can_idle,
            has_news,
            encrypted,
            pace,
        } = self;
        let announced = imap.unsolicited_responses.clone();
        let mut handle = imap.idle();
        within(pace.command, handle.init()).await?;
        // A mail that came between the last look and IDLE was announced to nobody.
        // Where the channel overflowed, nobody knows what was lost.
        let mut news = has_news || announced.is_full();
        while let Ok(response) = announced.try_recv() {
            news |= matches!(response, UnsolicitedResponse::Exists(_));
        }
        if !news {
            // Any answer starts the silence anew, "Still here" too; the outer limit does not care.
            let (wait, _interrupt) = handle.wait_with_timeout(pace.silence);
            match timeout(patience, wait).await {
                // The library reports the end of the stream as an interruption, and we interrupt nothing.
                Ok(Ok(IdleResponse::ManualInterrupt)) => {
                    return Err(Trouble::Broken("closed during IDLE".to_owned()));
                }
                Ok(Err(error)) => return Err(error.into()),
                Ok(Ok(_)) | Err(_) => {}
            }
        }
        // Who was silent for long may be gone: its word is not waited for as long as another.
        let patience = pace.command.min(DONE_MAX).min(pace.silence);
        let imap = within(patience, handle.done()).await?;
        Ok(Self {
            imap,
            mailbox,
            can_idle,
            has_news: false,
            encrypted,
            pace,
        })
    }

    /// The headers of the newest mails.
    pub(crate) async fn recent_headers(&mut self) -> Result<Vec<Vec<u8>>, Trouble> {
        let last = self.mailbox.exists;
        if last == 0 {
            return Ok(Vec::new());
        }
        let set = format!("{}:{last}", last.saturating_sub(SURVEYED - 1).max(1));
        let what = format!("BODY.PEEK[HEADER]<0.{HEADER_BYTES_MAX}>");
        let of_each = (SURVEYED as usize, HEADER_BYTES_MAX);
        self.parts_at((&set, &what), of_each).await
    }

    /// What was found, for `check`.
    pub(crate) fn describe(&self, place: &str) -> String {
        let tls = if self.encrypted {
            "with TLS"
        } else {
            "without TLS"
        };
        let news = if self.can_idle {
            "tells news at once (IDLE)"
        } else {
            "has no IDLE and is asked every minute"
        };
        format!(
            "{place} lets us in {tls}, holds {} mails and {news}",
            self.mailbox.exists
        )
    }

    /// Says goodbye; whether anybody hears it does not matter.
    pub(crate) async fn log_out(mut self) {
        drop(timeout(Duration::from_secs(2), self.imap.logout()).await);
    }
}
