//! Bounces and other reports: what became of a mail that we sent. RFC 3464, RFC 8098, and what hosts write instead.

mod notification;
mod prose;
mod report;

use mail_parser::{Message, MimeHeaders};
use transom_adapter::{Class, Failure, Key, MessageRef, Progress, Report, UnixMillis};

use crate::{headers::Headers, ids::OwnIds};

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
    pub(crate) progress: Progress,
    pub(crate) failure: Option<Failure>,
    pub(crate) at: Option<UnixMillis>,
}

/// How sure it is that this is a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// In the standard form: a delivery status or a disposition notification.
    Standard,
    /// Written by a mail host in words of its own, or by a service in a form of its own.
    Prose,
    /// From a mail host, about nothing that was understood: a report only at the bounce address of a delivery, where nobody else
    /// writes to.
    Suspected,
    /// Somebody called a mail spam. RFC 5965
    Complaint,
}

impl Bounce {
    /// The report on a delivery of ours: the one whose bounce address it came to, else one whose Message-ID it names.
    pub(crate) fn report(&self, regarding: Option<Key>, ids: &OwnIds) -> Option<Report> {
        // A mail to several has one Message-ID, and an ENVID for each.
        let named = || {
            let by_envelope = self.envelope_id.as_deref();
            let by_envelope = by_envelope.and_then(|id| ids.key_of_envelope_id(id));
            let mut originals = self.originals.iter();
            by_envelope.or_else(|| originals.find_map(|id| ids.key_of_message_id(id)))
        };
        let key = match self.kind {
            Kind::Suspected => regarding,
            _ => regarding.or_else(named),
        }?;
        Some(Report {
            // One recipient a mail: its key says everything.
            about: vec![MessageRef::Key(key, 0)],
            progress: self.progress,
            failure: self.failure.clone(),
            at: self.at,
        })
    }
}

/// The report in a mail, if it is one. A vacation note is none, whoever sent it.
///
/// | | a machine sent it: the null sender, a mark, a mailer's name | a person may have |
/// |---|---|---|
/// | a standard part in a `multipart/report` | [`Kind::Standard`] | [`Kind::Standard`] |
/// | a standard part elsewhere, which a forwarded bounce has too | [`Kind::Standard`] | [`Kind::Suspected`] |
/// | a service's form, a host's words | [`Kind::Prose`] | [`Kind::Prose`], and what it answers is no mail that came back |
pub(crate) fn recognise(
    message: &Message<'_>,
    headers: &Headers<'_>,
    class: Class,
) -> Option<Bounce> {
    let found = report::standard(message)
        .map(|found| {
            let is_sure = is_report(message) || class != Class::Human || prose::is_mailer(headers);
            let kind = match found.kind {
                Kind::Standard if !is_sure => Kind::Suspected,
                kind => kind,
            };
            Bounce { kind, ..found }
        })
        .or_else(|| notification::recognise(message))
        .or_else(|| prose::recognise(message, headers, class))?;
    let mut originals = found.originals;
    for id in report::originals(message, headers, class) {
        if originals.len() < IDS_MAX && !originals.contains(&id) {
            originals.push(id);
        }
    }
    Some(Bounce {
        originals,
        at: headers.sent_at(),
        ..found
    })
}

/// Whether the whole mail is a report. RFC 6522
fn is_report(message: &Message<'_>) -> bool {
    let root = message.parts.first();
    root.is_some_and(|root| is_type(root, "multipart", &["report"]))
}

fn is_type(part: &mail_parser::MessagePart<'_>, kind: &str, subtypes: &[&str]) -> bool {
    subtypes
        .iter()
        .any(|subtype| part.is_content_type(kind, subtype))
}

#[cfg(test)]
mod tests;
