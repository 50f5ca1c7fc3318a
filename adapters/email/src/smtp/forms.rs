//! Mails that a program reads: answers to invitations, and notes that a mail was displayed.

use lettre::message::{
    MultiPart, SinglePart,
    header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue},
};
use transom_adapter::{Attendance, Attending, Displayed, Outgoing, UnixMillis};

use crate::ids::OwnIds;

/// RFC 5545 §3.1: lines are folded after so many octets.
const LINE_BYTES_MAX: usize = 75;

/// The answer as a calendar: who, whether, to which version of what. RFC 5546 §3.2.3
pub(super) fn calendar(message: &Outgoing, attendance: &Attendance) -> SinglePart {
    let answer = match attendance.answer {
        Attending::Accepted => "ACCEPTED",
        Attending::Declined => "DECLINED",
        Attending::Tentative => "TENTATIVE",
    };
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//transom//EN".to_owned(),
        "METHOD:REPLY".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}", attendance.uid),
        format!("SEQUENCE:{}", attendance.sequence),
        format!("DTSTAMP:{}", stamp(message.created_at)),
        format!("DTSTART{}", attendance.starts),
    ];
    let ends = attendance.ends.as_ref();
    lines.extend(ends.map(|ends| format!("DTEND{ends}")));
    let recurrence = attendance.recurrence.as_ref();
    lines.extend(recurrence.map(|which| format!("RECURRENCE-ID{which}")));
    lines.extend([
        format!("SUMMARY:{}", escaped(&attendance.title)),
        format!("ORGANIZER:mailto:{}", attendance.organiser),
        format!(
            "ATTENDEE;PARTSTAT={answer}:mailto:{}",
            message.from.as_str()
        ),
        "REQUEST-STATUS:2.0;Success".to_owned(),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ]);
    let text: String = lines.iter().map(|line| folded(line)).collect();
    let kind = ContentType::parse("text/calendar; charset=utf-8; method=REPLY");
    SinglePart::builder()
        .header(kind.unwrap_or(ContentType::TEXT_PLAIN))
        .header(ContentTransferEncoding::Base64)
        .body(text)
}

/// The note as a report. RFC 8098 §3
pub(super) fn displayed(
    message: &Outgoing,
    displayed: &Displayed,
    (text, boundary): (SinglePart, String),
    ids: &OwnIds,
) -> MultiPart {
    let mut fields = format!(
        "Reporting-UA: {}; transom\r\nFinal-Recipient: rfc822;{}\r\n",
        ids.domain(),
        message.from.as_str(),
    );
    if let Some(id) = displayed.message_id.as_deref().filter(|id| is_plain(id)) {
        fields.extend(["Original-Message-ID: <", id, ">\r\n"]);
    }
    // The user's own program said so, without asking the user again.
    fields.push_str("Disposition: manual-action/MDN-sent-automatically; displayed\r\n");
    let kind = ContentType::parse("message/disposition-notification");
    let note = SinglePart::builder()
        .header(kind.unwrap_or(ContentType::TEXT_PLAIN))
        .header(ContentTransferEncoding::SevenBit)
        .body(fields);
    let kind = ContentType::parse(&format!(
        "multipart/report; report-type=disposition-notification; boundary=\"{boundary}\""
    ));
    let report = match kind {
        Ok(kind) => MultiPart::builder().header(kind),
        Err(_) => MultiPart::mixed().boundary(boundary),
    };
    report.singlepart(text).singlepart(note)
}

/// A reaction: RFC 9078 §2, and Gmail's form behind it, which has room for one. A program that knows neither shows the emoji.
pub(super) fn reaction(emoji: &[String], boundary: String) -> MultiPart {
    let first = emoji.first().map_or("", String::as_str);
    let emoji = emoji.join(" ");
    let google = serde_json::json!({"version": 1, "emoji": first}).to_string();
    let kind = |kind: &str| ContentType::parse(kind).unwrap_or(ContentType::TEXT_PLAIN);
    let part = |content: ContentType, text: String| {
        SinglePart::builder()
            .header(content)
            .header(ContentTransferEncoding::Base64)
            .body(text)
    };
    let standard = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .header(IsReaction)
        .header(ContentTransferEncoding::Base64)
        .body(emoji.clone());
    MultiPart::alternative()
        .boundary(boundary)
        .singlepart(standard)
        .singlepart(part(
            kind("text/vnd.google.email-reaction+json; charset=utf-8"),
            google,
        ))
        .singlepart(part(ContentType::TEXT_HTML, format!("<p>{emoji}</p>")))
}

/// `Content-Disposition: reaction`
#[derive(Clone)]
struct IsReaction;

impl Header for IsReaction {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "reaction".to_owned())
    }
}

/// RFC 3834 §5: no person wrote it.
pub(super) fn automatic() -> HeaderValue {
    named("Auto-Submitted", "auto-replied".to_owned())
}

/// Asks for such a note. RFC 8098 §2.1: to where the bounces go, since programs send none elsewhere unasked.
pub(super) fn asks_displayed(to: &str) -> HeaderValue {
    named("Disposition-Notification-To", format!("<{to}>"))
}

/// A recipient whose address is not ASCII. RFC 6532 §3.2
pub(super) fn to_as_is(address: &str) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str("To"),
        address.to_owned(),
        address.to_owned(),
    )
}

fn named(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

fn is_plain(id: &str) -> bool {
    (1..=500).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
}

/// `20261102T090000Z`
fn stamp(at: UnixMillis) -> String {
    at.timestamp().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// RFC 5545 §3.3.11
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(';', "\\;");
    text.replace(',', "\\,").replace(['\r', '\n'], " ")
}

/// A content line, folded, with its end.
fn folded(line: &str) -> String {
    let mut folded = String::with_capacity(line.len() + 2);
    let mut width = 0;
    for c in line.chars().filter(|c| !c.is_control()) {
        if width + c.len_utf8() > LINE_BYTES_MAX {
            folded.push_str("\r\n ");
            width = 1;
        }
        folded.push(c);
        width += c.len_utf8();
    }
    folded.push_str("\r\n");
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;
    use crate::{config::Writing, smtp::compose::compose};
    use transom_adapter::{Key, Progress, testkit};

    fn ids() -> OwnIds {
        OwnIds::new(testkit::signer(), "mail.example.org".to_owned())
    }

    fn composed(message: &Outgoing) -> String {
        let mail = compose(message, &[], &ids(), (&Writing::default(), None)).unwrap();
        String::from_utf8(mail).unwrap()
    }

    #[test]
    fn rfc5546_an_answer_names_the_version_it_answers() {
        let mut message = testkit::outgoing("alice@mail.example.org", "bob@example.com", "I come.");
        message.mail.attendance = Some(Box::new(Attendance {
            answer: Attending::Tentative,
            uid: "u1@example.com".to_owned(),
            sequence: 3,
            recurrence: None,
            starts: ":20261102T110000Z".to_owned(),
            ends: None,
            title: format!("Lunch, {}", "ü".repeat(60)),
            organiser: "bob@example.com".to_owned(),
        }));
        let mail = composed(&message);
        let parsed = mail_parser::MessageParser::default()
            .parse(mail.as_bytes())
            .unwrap();
        let calendar = parsed.parts.last().unwrap();
        let text = calendar.text_contents().unwrap();
        assert!(text.lines().all(|line| line.len() <= 75), "{text}");
        let unfolded = text.replace("\r\n ", "");
        for line in [
            "METHOD:REPLY",
            "UID:u1@example.com",
            "SEQUENCE:3",
            "ORGANIZER:mailto:bob@example.com",
            "ATTENDEE;PARTSTAT=TENTATIVE:mailto:alice@mail.example.org",
            "DTSTART:20261102T110000Z",
        ] {
            assert!(
                unfolded.lines().any(|found| found == line),
                "{line} in {unfolded}"
            );
        }
        assert!(unfolded.contains("SUMMARY:Lunch\\, ü"), "{unfolded}");
        assert!(mail.contains("method=REPLY"), "{mail}");
        let shown = read::read(mail.as_bytes(), None, &ids());
        let to = transom_adapter::Address::new("bob@mail.example.org");
        let facts = shown.mail.for_recipient(&to, None).mail;
        assert_eq!(
            facts.appointment.unwrap().step,
            transom_adapter::Step::Answered
        );
    }

    #[test]
    fn rfc8098_a_note_that_a_mail_was_displayed_is_read_as_one() {
        let original = ids().message_id(Key(77));
        let mut message =
            testkit::outgoing("alice@mail.example.org", "bob@example.com", "Displayed.");
        message.mail.displayed = Some(Displayed {
            message_id: Some(original),
            subject: Some("Lunch".to_owned()),
        });
        let mail = composed(&message);
        assert!(mail.contains("Auto-Submitted: auto-replied"), "{mail}");
        assert!(mail.contains("report-type="), "{mail}");
        let bounce = read::read(mail.as_bytes(), Some(""), &ids())
            .bounce
            .unwrap();
        assert_eq!(bounce.progress, Progress::Read);
        let report = bounce.report(None, &ids()).unwrap();
        let about = report.about.first();
        let is_it = |about| matches!(about, &transom_adapter::MessageRef::OneOf(Key(77), _));
        assert!(about.is_some_and(is_it), "{report:?}");
    }

    #[test]
    fn rfc9078_a_reaction_goes_out_as_one_and_is_read_as_one() {
        let mut message = testkit::outgoing("alice@mail.example.org", "bob@example.com", "👍");
        message.thread = Some(transom_adapter::Thread {
            subject: "Lunch".to_owned(),
            in_reply_to: Some("1@example.com".to_owned()),
            reaction: true,
            ..transom_adapter::Thread::default()
        });
        let mail = composed(&message);
        assert!(mail.contains("Content-Disposition: reaction"), "{mail}");
        assert!(mail.contains("In-Reply-To: <1@example.com>"), "{mail}");
        let mut word = message.clone();
        word.text = "lol".to_owned();
        let word = composed(&word);
        assert!(!word.contains("reaction"), "no emoji, so a text: {word}");
        // As somebody else gets it: it is no mail of theirs.
        let mail = mail.replace("X-Loop: mail.example.org", "X-Loop: other.example");
        let read = read::read(mail.as_bytes(), None, &ids());
        let to = transom_adapter::Address::new("bob@mail.example.org");
        assert_eq!(read.mail.for_recipient(&to, None).mail.reaction, ["👍"]);
    }

    #[test]
    fn rfc8098_a_mail_asks_for_the_note_at_its_bounce_address() {
        let mut message = testkit::outgoing("alice@mail.example.org", "bob@example.com", "hi");
        assert!(!composed(&message).contains("Disposition-Notification-To"));
        message.mail.asks_displayed = true;
        let bounce = ids().bounce_address(message.key);
        let field = format!("Disposition-Notification-To: <{bounce}>");
        assert!(composed(&message).replace("\r\n ", " ").contains(&field));
        // Programs send a note without asking only to where the bounces go.
        let own = (&Writing::default(), Some("alice@example.net"));
        let own = compose(&message, &[], &ids(), own).unwrap();
        let field = "Disposition-Notification-To: <alice@example.net>";
        assert!(String::from_utf8(own).unwrap().contains(field));
    }
}
