//! Bounces and other reports: what became of a mail that we sent. RFC 3464, RFC 8098, and what hosts write instead.

mod notification;
mod prose;
mod report;
mod sender;

use mail_parser::{Message, MimeHeaders};
use transom_adapter::{Address, Class, Failure, Key, MessageRef, Progress, Report, UnixMillis};

use crate::{
    headers::{Headers, is_id},
    ids::OwnIds,
};

/// More ids than this in one report are not looked at.
const IDS_MAX: usize = 20;

/// What a report says, before anybody knows whether it is about one of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bounce {
    pub(crate) kind: Kind,
    /// The ENVID of the reported delivery. RFC 3464 §2.2.1
    pub(crate) envelope_id: Option<String>,
    /// Message-IDs that the reported mail may have, the likeliest first.
    pub(crate) originals: Vec<String>,
    /// Whom the reported mail was for, as its sender wrote it and then as it came to be. RFC 3464 §2.3.1 and §2.3.2, RFC 8098 §3.2.3
    pub(crate) recipients: Vec<Address>,
    pub(crate) progress: Progress,
    pub(crate) failure: Option<Failure>,
    pub(crate) at: Option<UnixMillis>,
}

/// How sure it is that this is a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A delivery status in the standard form. RFC 3464
    Standard,
    /// A disposition notification: what became of the mail at its recipient. RFC 8098
    Disposition,
    /// Written by a mail host in words of its own, or by a service in a form of its own.
    Prose,
    /// From a mail host, about nothing that was understood, or from somebody who may be a person that passes a report on: a report
    /// only at the bounce address of a delivery, where nobody else writes to.
    Suspected,
    /// Somebody called a mail spam. RFC 5965
    Complaint,
}

impl Bounce {
    fn is_standard(&self) -> bool {
        matches!(self.kind, Kind::Standard | Kind::Disposition)
    }

    /// The report on a delivery of ours: the one whose bounce address it came to, else one whose Message-ID it names.
    pub(crate) fn report(&self, regarding: Option<Key>, ids: &OwnIds) -> Option<Report> {
        let key = |key| MessageRef::Key(key, 0);
        // A mail to several has one Message-ID, and an ENVID for each.
        let named = || {
            let by_envelope = self.envelope_id.as_deref();
            let by_envelope = by_envelope.and_then(|id| ids.key_of_envelope_id(id));
            let mut originals = self.originals.iter();
            let mut by_id = || originals.find_map(|id| ids.key_of_message_id(id));
            let one_of = |key| MessageRef::OneOf(key, self.recipients.clone());
            by_envelope.map(key).or_else(|| by_id().map(one_of))
        };
        let about = match self.kind {
            Kind::Suspected => regarding.map(key),
            _ => regarding.map(key).or_else(named),
        }?;
        Some(Report {
            about: vec![about],
            progress: self.progress,
            failure: self.failure.clone(),
            at: self.at,
        })
    }
}

/// The report in a mail, if it is one. A vacation note is none, whoever sent it.
///
/// What counts by whose hand is a table at [`decide`](crate::intake::decide).
pub(crate) fn recognise(
    message: &Message<'_>,
    headers: &Headers<'_>,
    class: Class,
) -> Option<Bounce> {
    let machine = sender::is_machine(headers);
    let prose = || prose::recognise(message, headers, class);
    let found = match report::standard(message) {
        Some(found) if !found.is_standard() || machine || report::is_whole(message) => found,
        Some(found) => {
            let sure = prose().is_some_and(|prose| prose.kind == Kind::Prose);
            let kind = if sure { Kind::Prose } else { Kind::Suspected };
            Bounce { kind, ..found }
        }
        None => notification::recognise(message, headers).or_else(prose)?,
    };
    let is_standard = found.is_standard();
    let mut originals = found.originals;
    let copies = report::copies(message, headers);
    // A person's answer names what it answers as well.
    let answers = (machine || is_standard).then(|| headers.answers(IDS_MAX));
    for id in copies.into_iter().chain(answers.into_iter().flatten()) {
        if originals.len() < IDS_MAX && !originals.contains(&id) {
            originals.push(id);
        }
    }
    originals.retain(|id| is_id(id));
    Some(Bounce {
        originals,
        at: headers.sent_at(),
        ..found
    })
}

fn is_type(part: &mail_parser::MessagePart<'_>, kind: &str, subtypes: &[&str]) -> bool {
    subtypes
        .iter()
        .any(|subtype| part.is_content_type(kind, subtype))
}

#[cfg(test)]
mod tests;
