//! Notifications that a sending service writes as JSON into the text of a mail.

use mail_parser::{Message, MessagePart};
use serde_json::Value;
use transom_adapter::Progress;

use super::{Bounce, Kind, report::failure, sender};
use crate::{headers::Headers, status::Status};

/// They are a few kilobytes; more is somebody else's JSON.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What happened, as the services name it, and how far the mail came.
const EVENTS: &[(&str, Option<Progress>)] = &[
    ("Bounce", Some(Progress::Failed)),
    ("Reject", Some(Progress::Failed)),
    ("Rendering Failure", Some(Progress::Failed)),
    ("DeliveryDelay", Some(Progress::Delayed)),
    // The next host took it; whether it reached the mailbox it does not say.
    ("Delivery", Some(Progress::Sent)),
    ("Complaint", None),
];

/// A notification, wherever in the mail its text stands. Who reads answers may as well have copied one.
pub(super) fn recognise(message: &Message<'_>, headers: &Headers<'_>) -> Option<Bounce> {
    if !sender::is_nobody(headers) && !sender::is_machine(headers) {
        return None;
    }
    let texts = message.parts.iter().filter_map(MessagePart::text_contents);
    texts
        .filter(|text| text.contains("otificationType") || text.contains("eventType"))
        .find_map(|text| read(text, 2))
}

/// `depth`: a notification may be wrapped as a string in another.
fn read(text: &str, depth: u8) -> Option<Bounce> {
    let text = text.get(text.find('{')?..)?;
    let text = text.get(..text.floor_char_boundary(TEXT_BYTES_MAX))?;
    // Old hosts break lines that are too long with a mark of their own.
    let text = text.replace("!\r\n ", "").replace("!\n ", "");
    // What stands behind it is a footer.
    let value = serde_json::Deserializer::from_str(&text)
        .into_iter::<Value>()
        .next()?
        .ok()?;
    let kind = value.get("notificationType").or(value.get("eventType"));
    let Some(kind) = kind.and_then(Value::as_str) else {
        let wrapped = value.get("Message").and_then(Value::as_str)?;
        return (depth > 0).then(|| read(wrapped, depth - 1))?;
    };
    let (_, progress) = EVENTS.iter().find(|(name, _)| *name == kind)?;
    let originals = originals(&value);
    Some(match progress {
        None => Bounce {
            kind: Kind::Complaint,
            envelope_id: None,
            originals,
            recipients: Vec::new(),
            progress: Progress::Unknown,
            failure: None,
            at: None,
        },
        Some(progress) => {
            let said = value.get("bounce").or(value.get("deliveryDelay"));
            let first = ["bouncedRecipients", "delayedRecipients"]
                .iter()
                .find_map(|name| said?.get(name)?.get(0));
            let field = |name: &str| first?.get(name)?.as_str();
            let status = field("status").and_then(Status::find);
            let failed = matches!(progress, Progress::Failed | Progress::Delayed);
            let words = field("diagnosticCode").or(said
                .and_then(|said| said.get("bounceSubType"))
                .and_then(Value::as_str));
            Bounce {
                kind: Kind::Prose,
                envelope_id: None,
                originals,
                recipients: field("emailAddress")
                    .and_then(crate::address::canonical)
                    .into_iter()
                    .collect(),
                progress: *progress,
                failure: failed.then(|| failure(status, words.unwrap_or_default())),
                at: None,
            }
        }
    })
}

/// The Message-ID of the mail, as its copied header gives it.
fn originals(value: &Value) -> Vec<String> {
    let mail = value.get("mail");
    let common = mail
        .and_then(|mail| mail.pointer("/commonHeaders/messageId"))
        .and_then(Value::as_str);
    let headers = mail.and_then(|mail| mail.get("headers")?.as_array());
    let own = headers.into_iter().flatten().filter_map(|header| {
        let is_id = header
            .get("name")?
            .as_str()?
            .eq_ignore_ascii_case("message-id");
        is_id.then(|| header.get("value")?.as_str())?
    });
    common
        .into_iter()
        .chain(own)
        .map(super::report::bare_id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use transom_adapter::Reason;

    const BOUNCE: &str = r#"{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{"headers":[{"name":"Message-ID","value":"<m.x@mail.example.org>"}]}}"#;

    #[test]
    fn a_bounce_is_read_from_its_json_wrapped_or_not() {
        let wrapped = serde_json::json!({"Type": "Notification", "Message": BOUNCE}).to_string();
        for text in [format!("{BOUNCE}\n\n--\nfooter"), wrapped] {
            let bounce = read(&text, 2).unwrap();
            assert_eq!(bounce.originals, ["m.x@mail.example.org"]);
            assert_eq!(bounce.progress, Progress::Failed);
            assert_eq!(bounce.failure.unwrap().reason, Reason::NoSuchRecipient);
        }
    }

    #[test]
    fn a_complaint_is_none_and_a_delivery_is_no_failure() {
        let complaint = read(r#"{"eventType":"Complaint"}"#, 2).unwrap();
        assert_eq!(complaint.kind, Kind::Complaint);
        let delivery = read(r#"{"notificationType":"Delivery"}"#, 2).unwrap();
        assert_eq!(
            (delivery.progress, delivery.failure),
            (Progress::Sent, None)
        );
    }

    #[test]
    fn other_json_is_nothing() {
        for text in [
            "{",
            "{}",
            r#"{"notificationType":7}"#,
            r#"{"eventType":"Sale"}"#,
            "[]",
        ] {
            assert_eq!(read(text, 2), None, "{text}");
        }
        let mut nested = BOUNCE.to_owned();
        for _ in 0..9 {
            nested = serde_json::json!({"Message": nested}).to_string();
        }
        assert_eq!(read(&nested, 2), None);
    }
}
