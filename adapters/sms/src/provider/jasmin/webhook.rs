//! What Jasmin brings: texts (an `httpccm`) and delivery reports (`dlr-url`), both as forms.

use sha2::{Digest, Sha256};
use transom_adapter::{
    Event, ExternalId, Failure, Key, MessageRef, Progress, Reason, Refused, Repeats, Report,
};

use crate::{
    Country,
    provider::{
        fields::Fields,
        received::{self, Received},
        smpp::gsm::{self, Shifts},
    },
};

/// Reads a call whose token was right. Its fields stand in the body, or all of them in the query.
///
/// # Errors
///
/// [`Refused::Malformed`].
pub fn events(query: &str, body: &[u8], home: Country) -> Result<Vec<Event>, Refused> {
    let asked = Fields::parse(query.as_bytes()).ok_or(Refused::Malformed)?;
    let encoded = if body.is_empty() {
        query.as_bytes()
    } else {
        body
    };
    let fields = Fields::parse(encoded).ok_or(Refused::Malformed)?;
    if fields.filled("message_status").is_some() {
        let key = asked.filled("key").and_then(|key| key.parse().ok());
        return Ok(Vec::from_iter(report(&fields, key)));
    }
    message(encoded, &fields, home).map(Vec::from_iter)
}

/// A text; `None` for what is none: settings, data for an application.
fn message(encoded: &[u8], fields: &Fields, home: Country) -> Result<Option<Event>, Refused> {
    let from = fields.text("from").ok_or(Refused::Malformed)?;
    let to = fields.filled("to").ok_or(Refused::Malformed)?;
    let coding = coding(fields.bytes("coding").unwrap_or(b"0"));
    // `content` is the same, undecoded, and lost what is not UTF-8 on its way.
    let bytes = match fields.bytes("binary") {
        Some(digits) => hex::decode(digits).map_err(|_| Refused::Malformed)?,
        None => fields.bytes("content").ok_or(Refused::Malformed)?.to_vec(),
    };
    let Some(text) = decode(&bytes, coding) else {
        return Ok(None);
    };
    let id = fields
        .filled("id")
        .and_then(|id| received::id("jasmin-in", &id));
    let repeats = match id {
        Some(id) => Repeats::ById(id),
        // Jasmin repeats a call that was not acknowledged, byte for byte.
        None => Repeats::ByDigest(Sha256::digest(encoded).into()),
    };
    let id = ExternalId::new("jasmin-in", "");
    let mut received = Received::new(id, &from, &to, text);
    received.repeats = repeats;
    Ok(Some(received.event(home)))
}

/// `data_coding` in digits, or as the one byte that it is on the wire (seen in 0.11.1).
fn coding(field: &[u8]) -> u8 {
    let digits = std::str::from_utf8(field)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match (digits, field) {
        (Some(coding), _) => coding,
        (None, [byte]) => *byte,
        _ => 0,
    }
}

/// SMPP 3.4 §5.2.19; `None` for bytes that are no text.
fn decode(bytes: &[u8], coding: u8) -> Option<String> {
    match coding {
        1 | 3 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        8 => {
            let units = bytes.chunks_exact(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0xfffd,
            });
            let text = char::decode_utf16(units);
            Some(
                text.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            )
        }
        2 | 4 => None,
        // 3GPP TS 23.038 §4: data in 8 bits, class or not.
        0xf0..=0xff if coding & 0x04 != 0 => None,
        _ => Some(gsm::decode(bytes, Shifts::default())),
    }
}

/// About one of ours; `None` for what cannot be one.
fn report(fields: &Fields, key: Option<Key>) -> Option<Event> {
    let id = fields
        .filled("id")
        .and_then(|id| received::id("jasmin", &id));
    let by_key = key.map(|key| MessageRef::Key(key, 0));
    let about: Vec<_> = by_key
        .into_iter()
        .chain(id.map(MessageRef::External))
        .collect();
    let status = fields.filled("message_status")?.to_ascii_uppercase();
    let level = fields.text("level").unwrap_or_default();
    let (progress, reason) = meaning(&status, level == "1")?;
    let code = fields
        .filled("err")
        .filter(|err| err.len() <= 8 && err.bytes().all(|b| b.is_ascii_alphanumeric()));
    let failure = reason.map(|reason| {
        let code = code.map_or_else(|| status.clone(), |err| format!("{status} {err}"));
        Failure::new(reason).with_code(code)
    });
    (!about.is_empty()).then_some(Event::Report(Report {
        about,
        progress,
        failure,
        // Their times have no zone.
        at: None,
    }))
}

/// Level 1 is the SMSC's answer to the submission, by name; 2 and 3 are the network's receipt, SMPP 3.4 appendix B.
pub(super) fn meaning(status: &str, submitted: bool) -> Option<(Progress, Option<Reason>)> {
    let row = STATES.iter().find(|(word, ..)| *word == status);
    match row {
        Some((_, progress, reason)) => Some((*progress, *reason)),
        None if submitted && status.starts_with("ESME_") => {
            Some((Progress::Failed, Some(Reason::NotPermitted)))
        }
        None => None,
    }
}

pub(super) const STATES: &[(&str, Progress, Option<Reason>)] = &[
    ("ESME_ROK", Progress::Sent, None),
    // What Jasmin sends again by itself, `submit_error_retrial`; it tells of each time.
    ("ESME_RTHROTTLED", Progress::Delayed, None),
    ("ESME_RMSGQFUL", Progress::Delayed, None),
    ("ESME_RSYSERR", Progress::Delayed, None),
    ("ESME_RINVSCHED", Progress::Delayed, None),
    (
        "ESME_RINVDSTADR",
        Progress::Failed,
        Some(Reason::NoSuchRecipient),
    ),
    (
        "ESME_RINVSRCADR",
        Progress::Failed,
        Some(Reason::OurAccount),
    ),
    (
        "ESME_RINVBNDSTS",
        Progress::Failed,
        Some(Reason::OurAccount),
    ),
    (
        "ESME_RSUBMITFAIL",
        Progress::Failed,
        Some(Reason::NetworkDown),
    ),
    ("ENROUTE", Progress::Sent, None),
    ("ACCEPTD", Progress::Sent, None),
    ("DELIVRD", Progress::Delivered, None),
    ("EXPIRED", Progress::Expired, Some(Reason::Expired)),
    ("DELETED", Progress::Failed, Some(Reason::Unspecified)),
    ("UNDELIV", Progress::Failed, Some(Reason::Unreachable)),
    ("REJECTD", Progress::Failed, Some(Reason::NotPermitted)),
    ("UNKNOWN", Progress::Unknown, Some(Reason::Unspecified)),
];
