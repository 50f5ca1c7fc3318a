//! A mail's parts: files, signatures, and what is encrypted.

use bytes::Bytes;
use mail_parser::{Message, MessagePart, MimeHeaders, PartType};
use transom_adapter::Attachment;

use super::headers::one_line;

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
        if is_signature || is_picture_in_text || is_alternative_calendar || part.is_empty() {
            continue;
        }
        seen.push(Attachment {
            name: file_name(part, &kind, &subtype),
            content_type: format!("{kind}/{subtype}"),
            bytes: part.contents().len() as u64,
            content: Some(Bytes::copy_from_slice(part.contents())),
        });
        if seen.len() == ATTACHMENTS_MAX {
            break;
        }
    }
    seen
}

/// The last piece of the path that it claims, as one visible line.
fn file_name(part: &MessagePart<'_>, kind: &str, subtype: &str) -> String {
    let claimed = part.attachment_name().unwrap_or_default();
    let base = claimed.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = one_line(base, FILE_NAME_CHARS_MAX);
    let name = name.trim_matches('.');
    match name {
        "" if kind == "message" && subtype == "rfc822" => {
            let subject = part
                .message()
                .and_then(Message::subject)
                .unwrap_or_default();
            format!("{}.eml", one_line(subject, FILE_NAME_CHARS_MAX - 4))
        }
        name => name.to_owned(),
    }
}

/// Type and subtype in lower case; `text/plain` where none is given. RFC 2045 §5.2
pub(crate) fn media_type(part: &MessagePart<'_>) -> (String, String) {
    match part.content_type() {
        Some(ct) => (
            ct.ctype().to_ascii_lowercase(),
            ct.subtype().unwrap_or("octet-stream").to_ascii_lowercase(),
        ),
        None if part.is_message() => ("message".to_owned(), "rfc822".to_owned()),
        None => ("text".to_owned(), "plain".to_owned()),
    }
}
