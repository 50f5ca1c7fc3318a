//! Mails as they come, and what is understood of them.

mod files;
mod headers;
mod hostile;
mod machines;
mod words;

use transom_adapter::testkit::signer;

use super::*;

/// The mail server whose Authentication-Results count.
pub(super) const OWN_SERVER: &str = "mx.example.org";

fn ids() -> OwnIds {
    let ids = OwnIds::new(signer(), "mail.example.org".to_owned());
    ids.trusting(vec![OWN_SERVER.to_owned()])
}

/// What speaks against the sender of a mail.
pub(super) fn suspicions_of(raw: &[u8]) -> Vec<Suspicion> {
    let mail = read(raw, None, &ids()).mail;
    let to = Address::new("alice@mail.example.org");
    mail.for_recipient(&to, None).mail.suspicions
}

/// How one leaves the list that a mail came by.
pub(super) fn unsubscribe_of(mail: &str) -> Option<transom_adapter::Unsubscribe> {
    let mail = read(mail.as_bytes(), None, &ids()).mail;
    let to = Address::new("alice@mail.example.org");
    let facts = mail.for_recipient(&to, None).mail;
    facts.unsubscribe.map(|found| *found)
}

fn letter(mail: &str) -> Letter {
    read(mail.replace('\n', "\r\n").as_bytes(), None, &ids())
}

fn incoming(mail: &str) -> Incoming {
    letter(mail)
        .mail
        .for_recipient(&Address::new("alice@mail.example.org"), None)
}

const HEAD: &str = "Return-Path: <bob@example.com>\nFrom: Bob <Bob@Example.com>\nTo: alice@mail.example.org\nSubject: Lunch\nMessage-ID: <1@example.com>\nDate: Mon, 2 Nov 2026 10:00:00 +0100\n";
