//! From a read mail to what is committed for one recipient; shared by LMTP and IMAP.

use std::time::Duration;

use transom_adapter::{Address, Event, Notice};

use crate::{
    bounce::Kind,
    ids::OwnIds,
    read::{self, Letter, Loop},
};

/// Reading takes milliseconds; what takes this long is an attack that the limits did not foresee.
const READ_MAX: Duration = Duration::from_secs(30);

/// What becomes of a mail for one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It is committed.
    Take(Box<Event>),
    /// It is of no use to anybody; counted under this word.
    Drop(&'static str),
    /// It goes round in circles; refused where the protocol can, counted.
    Loop,
}

/// Reads a mail on a thread of its own. A decoder that panics or does not end costs this mail its text, nothing else.
pub(crate) async fn read(raw: Vec<u8>, sender: Option<String>, ids: &OwnIds) -> Letter {
    let bytes = raw.len() as u64;
    let head: Vec<u8> = raw.iter().take(64 * 1024).copied().collect();
    let (envelope, own) = (sender.clone(), ids.clone());
    let work = tokio::task::spawn_blocking(move || read::read(&raw, envelope.as_deref(), &own));
    match tokio::time::timeout(READ_MAX, work).await {
        Ok(Ok(letter)) => letter,
        failed => {
            let panicked = failed.is_ok();
            tracing::error!(
                bytes,
                panicked,
                "A mail could not be read; it is shown as unreadable."
            );
            unreadable(head, sender, bytes).await
        }
    }
}

async fn unreadable(head: Vec<u8>, sender: Option<String>, bytes: u64) -> Letter {
    let notice = Notice::Unreadable { bytes };
    let work =
        tokio::task::spawn_blocking(move || read::named_only(&head, sender.as_deref(), notice));
    // If even the header defeats the decoder, the mail is shown without it.
    let bare = || read::named_only(&[], None, notice);
    work.await.unwrap_or_else(|_| bare())
}

/// Decides for one recipient.
pub(crate) fn decide(letter: &Letter, to: &Address, ids: &OwnIds) -> Fate {
    let regarding = ids.key_of_bounce_address(to);
    if let Some(bounce) = &letter.bounce {
        match (bounce.kind, bounce.report(regarding, ids)) {
            (Kind::Standard | Kind::Prose, Some(report)) => {
                return Fate::Take(Box::new(Event::Report(report)));
            }
            // A bounce of nothing that we sent: backscatter, made up to be looked at.
            (Kind::Standard, None) => return Fate::Drop("mail_bounce_unmatched"),
            (Kind::Complaint, _) if regarding.is_some() => return Fate::Drop("mail_complaint"),
            // In a host's own words and about nothing of ours, it may as well be a person at that host.
            (Kind::Prose, None) | (Kind::Complaint, _) => {}
        }
    }
    match letter.loops {
        Some(Loop::Own) => Fate::Drop("mail_own_returned"),
        Some(Loop::Hops) => Fate::Loop,
        None => {
            let incoming = letter.mail.for_recipient(to, regarding);
            Fate::Take(Box::new(Event::Message(Box::new(incoming))))
        }
    }
}
