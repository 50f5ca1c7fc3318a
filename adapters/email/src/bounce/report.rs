//! Reports in their standard forms, and the ids of what they report on.

use mail_parser::{Message, MessageParser, MessagePart, PartType};
use transom_adapter::{Address, Failure, Progress, Reason};

use super::{Bounce, IDS_MAX, Kind, is_type};
use crate::{
    address,
    headers::Headers,
    status::{self, Status},
};

/// Of a part that should be a few lines.
const FIELDS_BYTES_MAX: usize = 64 * 1024;

/// Whether the mail as a whole is a report, and does not pass one on among its parts. RFC 3464 §2, RFC 6522 §1
pub(super) fn is_whole(message: &Message<'_>) -> bool {
    let root = message.parts.first();
    root.is_some_and(|root| is_type(root, "multipart", &["report"]))
}

/// A standard report, wherever in the mail it stands: the outer `multipart/report` is missing often enough.
pub(super) fn standard(message: &Message<'_>) -> Option<Bounce> {
    message.parts.iter().find_map(|part| {
        if is_type(
            part,
            "message",
            &["delivery-status", "global-delivery-status"],
        ) {
            return delivery_status(&fields(part));
        }
        let notification = [
            "disposition-notification",
            "global-disposition-notification",
        ];
        if is_type(part, "message", &notification) {
            return disposition(&fields(part));
        }
        is_type(part, "message", &["feedback-report"]).then(|| Bounce {
            kind: Kind::Complaint,
            envelope_id: None,
            originals: Vec::new(),
            recipients: Vec::new(),
            progress: Progress::Unknown,
            failure: None,
            at: None,
        })
    })
}

/// RFC 3464 §2.3. Of several recipients the worst counts: our mails have one.
fn delivery_status(groups: &[Vec<(String, String)>]) -> Option<Bounce> {
    let mut worst: Option<Bounce> = None;
    for group in groups {
        let Some(found) = recipient_status(group) else {
            continue;
        };
        let rank = |bounce: &Bounce| match bounce.progress {
            Progress::Failed | Progress::Expired => 3,
            Progress::Delayed => 2,
            Progress::Delivered => 1,
            _ => 0,
        };
        if worst
            .as_ref()
            .is_none_or(|worst| rank(&found) > rank(worst))
        {
            worst = Some(found);
        }
    }
    let fields = groups.iter().flatten();
    let originals = fields
        .filter(|(name, _)| name == "original-message-id" || name == "x-original-message-id")
        .map(|(_, value)| bare_id(value))
        .collect();
    let envelope_id = groups.iter().flatten();
    let mut envelope_id = envelope_id.filter(|(name, _)| name == "original-envelope-id");
    let envelope_id = envelope_id.next().map(|(_, value)| value.clone());
    worst.map(|worst| Bounce {
        envelope_id,
        originals,
        ..worst
    })
}

fn recipient_status(group: &[(String, String)]) -> Option<Bounce> {
    let field = |name: &str| {
        let found = group.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let action = field("action").to_ascii_lowercase();
    let (given, diagnostic) = (field("status"), field("diagnostic-code"));
    let written = Status::find(given);
    let status = match written {
        // 5.0.0 says nothing where the diagnostic does.
        Some(Status { subject: 0, .. }) | None => Status::find(diagnostic).or(written),
        some => some,
    };
    let progress = match action.split_whitespace().next().unwrap_or_default() {
        "failed" | "failure" => Progress::Failed,
        "delayed" | "deferred" => Progress::Delayed,
        "delivered" => Progress::Delivered,
        "relayed" | "expanded" => Progress::Sent,
        _ => match status.map(|status| status.class) {
            Some(5) => Progress::Failed,
            Some(4) => Progress::Delayed,
            Some(2) => Progress::Delivered,
            _ => return None,
        },
    };
    let failure = matches!(progress, Progress::Failed | Progress::Delayed)
        .then(|| failure(status, diagnostic));
    let expired = matches!(&failure, Some(failure) if failure.reason == Reason::Expired);
    let progress = match progress {
        Progress::Failed if expired => Progress::Expired,
        other => other,
    };
    Some(Bounce {
        kind: Kind::Standard,
        envelope_id: None,
        originals: Vec::new(),
        recipients: recipients([field("original-recipient"), field("final-recipient")]),
        progress,
        failure,
        at: None,
    })
}

/// Reason, code and the line for the log.
pub(super) fn failure(status: Option<Status>, text: &str) -> Failure {
    let mut failure = Failure::new(status::reason(status, text));
    if let Some(status) = status {
        failure = failure.with_code(status.to_string());
    }
    let detail = status::for_log(text);
    if detail.is_empty() {
        failure
    } else {
        failure.with_detail(detail)
    }
}

/// RFC 8098 §3.2.6: somebody's mail program says what became of it there.
fn disposition(groups: &[Vec<(String, String)>]) -> Option<Bounce> {
    let fields = || groups.iter().flatten();
    let disposition = fields().find(|(name, _)| name == "disposition");
    let disposition = disposition.map(|(_, value)| value.to_ascii_lowercase())?;
    let kind = disposition.rsplit(';').next().unwrap_or_default().trim();
    let progress = if kind.starts_with("displayed") {
        Progress::Read
    } else {
        Progress::Delivered
    };
    let originals = fields()
        .filter(|(name, _)| name == "original-message-id")
        .map(|(_, value)| bare_id(value))
        .collect();
    let field = |name: &str| {
        let found = fields().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    Some(Bounce {
        kind: Kind::Disposition,
        envelope_id: None,
        originals,
        recipients: recipients([field("original-recipient"), field("final-recipient")]),
        progress,
        failure: None,
        at: None,
    })
}

/// The addresses behind their types: `rfc822; bob@example.com`.
fn recipients(fields: [&str; 2]) -> Vec<Address> {
    let bare = |field: &str| {
        let address = field.rsplit(';').next().unwrap_or_default().trim();
        address::canonical(address.trim_start_matches('<').trim_end_matches('>'))
    };
    fields.into_iter().filter_map(bare).collect()
}

/// The fields of a report's part: groups divided by empty lines, folded lines joined.
fn fields(part: &MessagePart<'_>) -> Vec<Vec<(String, String)>> {
    let bytes = part.contents();
    let bytes = bytes
        .get(..bytes.len().min(FIELDS_BYTES_MAX))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(bytes);
    let mut groups = vec![Vec::new()];
    for line in text.lines() {
        let Some(group) = groups.last_mut() else {
            break;
        };
        if line.trim().is_empty() {
            if !group.is_empty() {
                groups.push(Vec::new());
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = group.last_mut() {
                let value: &mut String = value;
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            group.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    groups
}

/// The Message-IDs of the mail that is reported on, as far as the report brings them: from the copy that came back, from fields for
/// it, from the texts.
pub(super) fn copies(message: &Message<'_>, headers: &Headers<'_>) -> Vec<String> {
    let mut ids = Vec::new();
    for part in &message.parts {
        match &part.body {
            PartType::Message(inner) => ids.extend(inner.message_id().map(str::to_owned)),
            _ if is_type(part, "text", &["rfc822-headers"])
                || is_type(part, "message", &["global-headers", "rfc822", "global"]) =>
            {
                let parsed = MessageParser::default().parse_headers(part.contents());
                ids.extend(
                    parsed
                        .as_ref()
                        .and_then(Message::message_id)
                        .map(str::to_owned),
                );
            }
            _ => {}
        }
    }
    for name in [
        "X-Original-Message-ID",
        "Original-Message-ID",
        "X-Failed-Message-ID",
    ] {
        ids.extend(headers.all(name).map(bare_id));
    }
    for part in &message.parts {
        if let Some(text) = part.text_contents() {
            scan(text, &mut ids);
        }
    }
    ids.retain(|id| !id.is_empty());
    ids
}

/// Lines like `Message-ID: <…>` in a text, quoted, indented or folded.
fn scan(text: &str, ids: &mut Vec<String>) {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_start_matches(['>', '|', ' ', '\t', '*']);
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let name = name.trim().to_ascii_lowercase();
        if !matches!(
            name.as_str(),
            "message-id" | "message id" | "original-message-id" | "messageid"
        ) {
            continue;
        }
        let folded = lines.peek().map_or("", |next| next.trim());
        let value = if value.trim().is_empty() {
            folded
        } else {
            value
        };
        ids.push(bare_id(value));
        if ids.len() >= IDS_MAX {
            return;
        }
    }
}

/// The id between angle brackets, or the first word.
pub(super) fn bare_id(value: &str) -> String {
    let inner = value.split_once('<').map_or(value, |(_, rest)| rest);
    let inner = inner.split('>').next().unwrap_or_default();
    inner
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}
