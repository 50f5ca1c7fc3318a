use transom_adapter::{Class, Key, Progress, Reason, Signer};

use crate::{ids::OwnIds, read};

/// What reading a mail as a bounce gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BounceFigures {
    /// In the standard form.
    pub standard: bool,
    /// Whether the original's Message-ID was found.
    pub original: Option<String>,
    /// How far it says the mail came.
    pub progress: Progress,
    /// Why it failed.
    pub reason: Option<Reason>,
}

/// Reads a mail as the adapter does and says what it reports.
pub fn bounce(raw: &[u8]) -> Option<BounceFigures> {
    let bounce = read::read(raw, None, &ids()).bounce?;
    Some(BounceFigures {
        standard: bounce.kind != crate::bounce::Kind::Prose,
        original: bounce.originals.first().cloned(),
        progress: bounce.progress,
        reason: bounce.failure.map(|failure| failure.reason),
    })
}

/// Reads a mail as the adapter does and gives its class.
pub fn class(raw: &[u8]) -> Class {
    read::read(raw, None, &ids()).mail.class()
}

/// Reads a mail and gives its text, as an answer to one of ours.
pub fn text(raw: &[u8]) -> String {
    let letter = read::read(raw, None, &ids());
    letter
        .mail
        .for_recipient(&transom_adapter::Address::new("x"), None)
        .text
}

/// The part of an answer that is shown.
pub fn cut_reply(text: &str) -> &str {
    read::reply::cut(text)
}

/// A Message-ID as the measured installation makes them.
pub fn message_id() -> String {
    ids().message_id(Key(1))
}

fn ids() -> OwnIds {
    OwnIds::new(
        Signer::new(vec![0; 32].into()),
        "mail.example.org".to_owned(),
    )
}
