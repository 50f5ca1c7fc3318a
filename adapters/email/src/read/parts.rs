//! A mail's parts: files, signatures, and what is encrypted.

use bytes::Bytes;
use mail_parser::{Message, MessagePart, MimeHeaders, PartType};
use transom_adapter::{Appointment, Attachment};

use super::{bomb::UNREAD, calendar, text, tnef};
use crate::{headers::one_line, reaction};

/// More parts than this are an attack, not an album.
const ATTACHMENTS_MAX: usize = 100;
const FILE_NAME_CHARS_MAX: usize = 120;

/// Whether nothing of it can be read without a key.
pub(crate) fn is_encrypted(message: &Message<'_>) -> bool {
    let Some(root) = message.parts.first() else {
        return false;
    };
    let (kind, subtype) = media_type(root);
    if (kind.as_str(), subtype.as_str()) == ("multipart", "encrypted") {
        return true; // RFC 1847 §2.2
    }
    message.parts.iter().take(ATTACHMENTS_MAX).any(|part| {
        let (_, subtype) = media_type(part);
        match subtype.as_str() {
            // RFC 8551 §3.2: the same type also wraps what is signed only.
            "pkcs7-mime" | "x-pkcs7-mime" => {
                let smime = part
                    .content_type()
                    .and_then(|ct| ct.attribute("smime-type"));
                !smime.is_some_and(|smime| smime.eq_ignore_ascii_case("signed-data"))
            }
            "x-microsoft-rpmsg-message" => true,
            _ => is_armoured(part),
        }
    })
}

/// Whether its author signed all of it. Nobody here has the keys to say whether that holds.
pub(crate) fn is_signed(message: &Message<'_>) -> bool {
    let Some(root) = message.parts.first() else {
        return false;
    };
    let (kind, subtype) = media_type(root);
    match (kind.as_str(), subtype.as_str()) {
        // RFC 1847 §2.1
        ("multipart", "signed") => true,
        // RFC 8551 §3.5.2
        (_, "pkcs7-mime" | "x-pkcs7-mime") => !is_encrypted(message),
        _ => false,
    }
}

/// Inline `OpenPGP`: the armour is all there is to see.
fn is_armoured(part: &MessagePart<'_>) -> bool {
    match &part.body {
        PartType::Text(text) => text.trim_start().starts_with("-----BEGIN PGP MESSAGE-----"),
        _ => false,
    }
}

/// The files, without what is no file to a person: signatures, and the texts that are shown.
pub(crate) fn attachments(message: &Message<'_>) -> Vec<Attachment> {
    let mut seen = Vec::new();
    for part in message.attachments() {
        let (kind, subtype) = media_type(part);
        let is_signature = matches!(
            subtype.as_str(),
            "pgp-signature" | "pkcs7-signature" | "x-pkcs7-signature" | "pgp-keys"
        );
        let is_picture_in_text = part.content_id().is_some()
            && kind == "image"
            && !part
                .content_disposition()
                .is_some_and(mail_parser::ContentType::is_attachment)
            && part.contents().len() < 3 * 1024;
        let is_alternative_calendar = subtype == "calendar" && part.attachment_name().is_none();
        let is_reaction = subtype == reaction::GMAIL;
        let is_shown = is_alternative_calendar || is_reaction;
        if is_signature || is_picture_in_text || is_shown || part.is_empty() {
            continue;
        }
        let content = match text::undecoded(message, part) {
            Some(bytes) => Bytes::from(bytes),
            None => Bytes::copy_from_slice(part.contents()),
        };
        let packed = if is_container(part, &subtype) {
            tnef::files(&content)
        } else {
            Vec::new()
        };
        if packed.is_empty() {
            let name = part.attachment_name().unwrap_or_default();
            let name = match base_name(name) {
                name if name.is_empty() => name_of_message(part, &kind, &subtype),
                name => name,
            };
            seen.push(attachment(name, format!("{kind}/{subtype}"), content));
        }
        for file in packed {
            let kind = "application/octet-stream".to_owned();
            seen.push(attachment(base_name(&file.name), kind, file.content));
        }
        if seen.len() >= ATTACHMENTS_MAX {
            seen.truncate(ATTACHMENTS_MAX);
            break;
        }
    }
    seen
}

fn attachment(name: String, content_type: String, content: Bytes) -> Attachment {
    Attachment {
        name,
        content_type,
        bytes: content.len() as u64,
        content: Some(content),
    }
}

/// Whether it is Outlook's container, by type or by name: the type is often lost on the way.
fn is_container(part: &MessagePart<'_>, subtype: &str) -> bool {
    let named = part
        .attachment_name()
        .is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"));
    named || matches!(subtype, "ms-tnef" | "vnd.ms-tnef")
}

/// The appointment in the mail's calendar. The same one often comes twice, as a part of the text and as a file.
pub(crate) fn appointment(message: &Message<'_>) -> Option<Appointment> {
    let mut calendars = message.parts.iter().filter(|part| {
        let (_, subtype) = media_type(part);
        matches!(subtype.as_str(), "calendar" | "ics")
    });
    calendars.find_map(|part| match part.text_contents() {
        Some(text) => calendar::appointment(text),
        None => calendar::appointment(&String::from_utf8_lossy(part.contents())),
    })
}

/// The last piece of the path that a name claims, as one visible line.
fn base_name(claimed: &str) -> String {
    let base = claimed.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = one_line(base, FILE_NAME_CHARS_MAX);
    name.trim_matches('.').to_owned()
}

/// A mail inside a mail has its subject for a name.
fn name_of_message(part: &MessagePart<'_>, kind: &str, subtype: &str) -> String {
    if (kind, subtype) != ("message", "rfc822") {
        return String::new();
    }
    let subject = part.message().and_then(Message::subject);
    let name = one_line(subject.unwrap_or("mail"), FILE_NAME_CHARS_MAX - 4);
    format!("{}.eml", name.replace(['/', '\\'], "-"))
}

/// Type and subtype in lower case; `text/plain` where none is given. RFC 2045 §5.2
pub(crate) fn media_type(part: &MessagePart<'_>) -> (String, String) {
    match part.content_type() {
        Some(ct) => (
            ct.ctype().to_ascii_lowercase(),
            match ct.subtype().unwrap_or("octet-stream") {
                UNREAD => "rfc822".to_owned(),
                subtype => subtype.to_ascii_lowercase(),
            },
        ),
        None if part.is_message() => ("message".to_owned(), "rfc822".to_owned()),
        None => ("text".to_owned(), "plain".to_owned()),
    }
}
