//! Bounces without a standard part: known by who sends them and what they say.

use mail_parser::{Message, MessagePart};
use transom_adapter::{Class, Progress, Reason};

use super::{
    Bounce, IDS_MAX, Kind,
    report::{copies, failure},
    sender,
};
use crate::{
    address,
    headers::{Headers, is_forward},
    status::{self, Status},
};

/// Bounces say what happened at their beginning.
const TEXT_CHARS_MAX: usize = 6_000;

/// Two signs are asked for: a machine wrote it, and it speaks of a mail that did not arrive.
pub(super) fn recognise(
    message: &Message<'_>,
    headers: &Headers<'_>,
    class: Class,
) -> Option<Bounce> {
    let failed_recipients = headers.has("X-Failed-Recipients");
    // Some hosts write as nobody, but bring the mail back whole.
    let nobody = sender::is_nobody(headers) && message.parts.iter().any(MessagePart::is_message);
    let is_host = sender::is_host(headers);
    let from_machine = headers.has_null_sender() || is_host || nobody;
    if !from_machine && !failed_recipients {
        return None;
    }
    let subject = message.subject().unwrap_or_default().to_lowercase();
    let about_failure = SUBJECTS.iter().any(|phrase| subject.contains(phrase));
    let text = text(message);
    let lower = text.to_lowercase();
    let status = Status::find(&lower).filter(|status| status.class != 2);
    let says_failure = TEXTS.iter().any(|phrase| lower.contains(phrase))
        || status::reason(None, &lower) != Reason::Unspecified
        || status.is_some();
    let brings_original = !copies(message, headers).is_empty();
    // A vacation note comes from the null sender too, and names what it answers.
    let is_note = class == Class::AutoReply && !is_host && !about_failure;
    if is_note && !failed_recipients {
        return None;
    }
    // People write from the addresses of hosts too: they answer, pass on, and choose their subjects.
    let spoken = !headers.answers(1).is_empty() || is_forward(message.subject());
    let told = about_failure || failed_recipients || (says_failure && brings_original);
    let sure = told && (sender::is_machine(headers) || (about_failure && !spoken));
    if !told && !is_host {
        return None;
    }
    let delayed = [subject.as_str(), lower.as_str()]
        .iter()
        .any(|text| DELAYS.iter().any(|phrase| text.contains(phrase)));
    let failure = failure(status, &explanation(&text));
    let progress = match failure.reason {
        _ if delayed => Progress::Delayed,
        Reason::Expired => Progress::Expired,
        _ => Progress::Failed,
    };
    Some(Bounce {
        kind: if sure { Kind::Prose } else { Kind::Suspected },
        envelope_id: None,
        originals: Vec::new(),
        recipients: headers
            .all("X-Failed-Recipients")
            .flat_map(|all| all.split(','))
            .filter_map(|one| address::canonical(one.trim()))
            .take(IDS_MAX)
            .collect(),
        progress,
        failure: Some(failure),
        at: None,
    })
}

/// The mail's own words: what comes before the copy of the original.
fn text(message: &Message<'_>) -> String {
    let bodies = message.text_bodies().filter_map(MessagePart::text_contents);
    // Where the structure is broken, every part that is text may be the one.
    let parts = message.parts.iter().filter(|part| part.is_text());
    let parts = parts.filter_map(MessagePart::text_contents);
    let mut all = String::new();
    for text in bodies.chain(parts) {
        all.extend(text.chars().take(TEXT_CHARS_MAX));
        all.push('\n');
        if all.len() > TEXT_CHARS_MAX {
            break;
        }
    }
    if all.trim().is_empty() {
        // The structure is broken altogether: then the mail is read as it came.
        let raw = String::from_utf8_lossy(&message.raw_message);
        let body = raw.find("\n\n").or_else(|| raw.find("\n\r\n"));
        let body = body.and_then(|at| raw.get(at..)).unwrap_or_default();
        all.extend(body.chars().take(TEXT_CHARS_MAX));
    }
    all
}

/// The lines that hold a status or a reason, else all.
fn explanation(text: &str) -> String {
    let telling: Vec<&str> = text
        .lines()
        .filter(|line| {
            Status::find(line).is_some() || status::reason(None, line) != Reason::Unspecified
        })
        .take(5)
        .collect();
    if telling.is_empty() {
        text.to_owned()
    } else {
        telling.join(" ")
    }
}

const SUBJECTS: &[&str] = &[
    "undeliver",
    "delivery status",
    "delivery failure",
    "delivery failed",
    "delivery notification",
    "failure notice",
    "mail delivery",
    "returned mail",
    "mail system error",
    "could not be delivered",
    "not delivered",
    "delivery problem",
    "delivery error",
    "delivery delayed",
    "message delayed",
    "delayed mail",
    "non-delivery",
    "nondeliver",
    "mail failure",
    "error sending",
    "failed mail",
    "returned to sender",
    "unable to deliver",
    "warning: could not send",
    "message status",
    "delivery report",
    "failure delivery",
    "unzustellbar",
    "nicht zustellbar",
    "unzustellbarkeit",
    "non remis",
    "non distribu",
    "échec",
    "no se puede entregar",
    "no entregado",
    "impossibile recapitare",
    "mancato recapito",
    "não entregue",
    "não pôde ser entregue",
    "onbestelbaar",
    "kan niet worden",
    "niedostarcz",
    "не доставлено",
    "недоставл",
    "doručen",
    "配信",
    "エラー",
    "退信",
    "系统退信",
    "user unknown",
    "mailbox full",
    "message you sent",
    "rejected mail",
    "blocked",
    "auto response: message",
    "mail error",
];

const TEXTS: &[&str] = &[
    "could not be delivered",
    "couldn't be delivered",
    "was not delivered",
    "undeliverable",
    "unable to deliver",
    "not able to deliver",
    "wasn't able to deliver",
    "delivery has failed",
    "delivery failed",
    "permanent error",
    "permanent fatal error",
    "fatal error",
    "has been returned",
    "returned to sender",
    "failed recipient",
    "did not reach",
    "non-delivery",
    "konnte nicht",
    "n'a pas pu",
    "no se pudo",
    "non è stato possibile",
    "配信できません",
    "送信できません",
    "届けることができません",
];

const DELAYS: &[&str] = &[
    "delayed",
    "delay)",
    "still being retried",
    "will be retried",
    "will continue to",
    "will keep trying",
    "no action is required",
    "warning: could not send",
    "warning: message",
    "this is a warning message only",
    "temporarily deferred",
    "not yet been delivered",
    "has not been delivered yet",
    "still be retried",
    "keep trying until",
];
