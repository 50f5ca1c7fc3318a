use transom_adapter::{Class, Event, Incoming, Key, Progress, Reason, Signer};

use crate::{
    bounce::Kind,
    ids::OwnIds,
    intake::{Fate, Source},
    read,
};

/// What reading a mail as a bounce gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BounceFigures {
    /// In the standard form.
    pub standard: bool,
    /// The original's Message-ID, where it was found and is enough.
    pub original: Option<String>,
    /// How far it says the mail came.
    pub progress: Progress,
    /// Why it failed.
    pub reason: Option<Reason>,
}

/// Reads a mail as the adapter does and says what it reports.
pub fn bounce(raw: &[u8]) -> Option<BounceFigures> {
    let bounce = read::read(raw, None, &ids()).bounce?;
    // Elsewhere than at a bounce address such a mail is shown, whatever it names.
    let counts = bounce.kind != Kind::Suspected;
    Some(BounceFigures {
        standard: matches!(
            bounce.kind,
            Kind::Standard | Kind::Disposition | Kind::Complaint
        ),
        original: bounce.originals.first().filter(|_| counts).cloned(),
        progress: bounce.progress,
        reason: bounce.failure.map(|failure| failure.reason),
    })
}

/// Whether a mail at the bounce address of a delivery becomes a report on that delivery, as it does for mails of ours.
pub fn is_report_at_bounce_address(raw: &[u8]) -> bool {
    let ids = ids();
    let to = transom_adapter::Address::new(ids.bounce_address(Key(1)));
    let letter = read::read(raw, None, &ids);
    match crate::intake::decide(&letter, &to, Source::Server, &ids) {
        Fate::Take(event) => matches!(*event, Event::Report(_)),
        Fate::Drop(_) | Fate::Loop => false,
    }
}

/// What reading a mail gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadFigures {
    /// What is shown of it.
    pub text: String,
    /// How many files came with it.
    pub files: usize,
    /// Whether a notice stands for its text.
    pub noticed: bool,
}

/// Reads a mail as the adapter does and says what is shown of it.
pub fn read(raw: &[u8]) -> ReadFigures {
    let incoming = incoming(raw);
    ReadFigures {
        files: incoming.attachments.len(),
        noticed: incoming.mail.notice.is_some(),
        text: incoming.text,
    }
}

/// A mail as the adapter hands it on to one recipient.
pub fn incoming(raw: &[u8]) -> Incoming {
    let to = transom_adapter::Address::new("alice@mail.example.org");
    read::read(raw, None, &ids()).mail.for_recipient(&to, None)
}

/// Reads a mail as the adapter does and gives its class.
pub fn class(raw: &[u8]) -> Class {
    read::read(raw, None, &ids()).mail.class()
}

/// The part of an answer that is shown.
pub fn cut_reply(text: &str) -> &str {
    read::reply::cut(text, ids().domain())
}

/// Reads bytes as a name server's answer to a question of each kind.
pub fn dns(answer: &[u8]) {
    crate::dns::read_any(answer);
}

fn ids() -> OwnIds {
    OwnIds::new(
        Signer::new(vec![0; 32].into()),
        "mail.example.org".to_owned(),
    )
}

/// Reads what servers anywhere answer when the servers of a mail address are looked for: a configuration document.
pub fn discovery(answer: &[u8]) {
    crate::own::read_document(answer);
}
