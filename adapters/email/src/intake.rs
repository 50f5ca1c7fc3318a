//! From a read mail to what is committed for one recipient; shared by LMTP and IMAP.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use transom_adapter::{Address, Class, Event, Notice};

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
    /// It goes round in circles; refused and counted.
    Loop,
}

/// Where a mail was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// A server hands it over, and hears of a refusal.
    Server,
    /// It lies in a mailbox of the gateway.
    Mailbox,
    /// It lies in the mailbox of a user, who writes from there by other programs too.
    OwnMailbox,
}

/// A hostile mail may cost twenty times its size while it is read; so many are read at once in the whole process.
static READERS: Semaphore = Semaphore::const_new(2);

/// Reads a mail on a thread of its own. A decoder that panics or does not end costs this mail its text, nothing else.
pub(crate) async fn read(raw: Vec<u8>, sender: Option<String>, ids: &OwnIds) -> Letter {
    let whole = Bytes::from(raw);
    let mut letter = understood(whole.clone(), sender, ids).await;
    letter.mail.original = Some(whole);
    letter
}

async fn understood(raw: Bytes, sender: Option<String>, ids: &OwnIds) -> Letter {
    let bytes = raw.len() as u64;
    let head: Vec<u8> = raw.iter().take(64 * 1024).copied().collect();
    let (envelope, own) = (sender.clone(), ids.clone());
    let permit = READERS.acquire().await;
    let work = tokio::task::spawn_blocking(move || {
        // Held until the thread has ended, also when nobody waits for it any more.
        let _permit = permit;
        read::read(&raw, envelope.as_deref(), &own)
    });
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

/// Decides for one recipient. What becomes of a mail that reports something, or seems to, by who sent it and whether the mail as a
/// whole is a `multipart/report`:
///
/// | it holds | sent by | whole | at a bounce address | names one of ours | neither |
/// |---|---|---|---|---|---|
/// | a standard report | a program | either | report | report | dropped; in a user's own mailbox shown |
/// | a standard report | anybody | yes | report | report | dropped; in a user's own mailbox shown |
/// | that a mail was displayed | a program, or anybody as a whole | either | report | report | dropped |
/// | a standard report | a host, as hosts write | no | report | report | shown |
/// | a standard report | anybody else | no | report | shown | shown |
/// | a host's own words | a program, or a host as hosts write | either | report | report | shown |
/// | a host's own words | a host's address, like a person | either | report | shown | shown |
/// | a service's notification | a program, `no-reply@` | either | report | report | shown |
/// | a complaint | anybody | either | dropped | shown | shown |
///
/// A program has the null sender, Auto-Submitted, X-Failed-Recipients, or a name like MAILER-DAEMON. A host is postmaster and the like,
/// or `no-reply@` that brings a mail back; as hosts write is without In-Reply-To, under the subject of a bounce. Ours is named by the
/// report or by the copy that it brings; by In-Reply-To only from a program or in a standard report. RFC 3464 §2, RFC 8098 §3
pub(crate) fn decide(letter: &Letter, to: &Address, source: Source, ids: &OwnIds) -> Fate {
    let regarding = ids.key_of_bounce_address(to);
    let to = &ids.mailbox(to);
    if let Some(bounce) = &letter.bounce {
        match (bounce.kind, bounce.report(regarding, ids)) {
            (Kind::Standard | Kind::Disposition | Kind::Prose | Kind::Suspected, Some(report)) => {
                return Fate::Take(Box::new(Event::Report(report)));
            }
            // Of what its owner sent by another program: nobody else would say that it came back.
            (Kind::Standard, None) if source == Source::OwnMailbox => {}
            // A bounce of nothing that we sent: backscatter, made up to be looked at.
            (Kind::Standard | Kind::Disposition, None) => {
                return Fate::Drop("mail_bounce_unmatched");
            }
            (Kind::Complaint, _) if regarding.is_some() => return Fate::Drop("mail_complaint"),
            // In a host's own words and about nothing of ours, it may as well be a person at that host.
            (Kind::Prose | Kind::Suspected, None) | (Kind::Complaint, _) => {}
        }
    }
    match letter.loops {
        // A forwarder or a list brought it back to whoever wrote it. For others at our domain it is a mail like any other.
        Some(Loop::Own) if letter.mail.is_from(to) => Fate::Drop("mail_own_returned"),
        Some(Loop::Hops) if source == Source::Server => Fate::Loop,
        // What lies in a mailbox goes no further, however long it was on its way.
        Some(Loop::Own | Loop::Hops) | None => {
            let incoming = letter.mail.for_recipient(to, regarding);
            Fate::Take(Box::new(Event::Message(Box::new(incoming))))
        }
    }
}

/// Decides for a mail that lies in its author's folder of sent mail.
pub(crate) fn decide_sent(letter: &Letter, author: &Address) -> Fate {
    if letter.loops == Some(Loop::Own) {
        // It left through us, and stands in the chat.
        return Fate::Drop("mail_own_sent");
    }
    let bounce = letter.bounce.as_ref();
    // Its author may pass on a bounce, or be a postmaster.
    let reports = bounce.is_some_and(|bounce| bounce.kind != Kind::Suspected);
    if letter.mail.class() != Class::Human || reports {
        return Fate::Drop("mail_sent_by_a_machine");
    }
    match letter.mail.sent_by(author) {
        Some(sent) => Fate::Take(Box::new(Event::Sent(Box::new(sent)))),
        // To nobody whose name stands there: a blind copy, or a mailing to many.
        None => Fate::Drop("mail_sent_to_nobody"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transom_adapter::testkit::signer;

    #[tokio::test]
    async fn what_defeats_the_decoder_is_still_named() {
        let head = b"From: Bob <bob@example.com>\r\nSubject: Hi\r\n\r\n\xff\x00".to_vec();
        let letter = unreadable(head, None, 77).await;
        let ids = OwnIds::new(signer(), "mail.example.org".to_owned());
        let to = Address::new("alice@mail.example.org");
        let Fate::Take(event) = decide(&letter, &to, Source::Server, &ids) else {
            panic!("not taken")
        };
        let Event::Message(message) = *event else {
            panic!("a report")
        };
        assert_eq!(message.from.as_str(), "bob@example.com");
        assert_eq!(message.subject.as_deref(), Some("Hi"));
        assert_eq!(message.mail.notice, Some(Notice::Unreadable { bytes: 77 }));
    }
}
