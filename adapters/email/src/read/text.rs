//! Choosing the text that a person meant.

use mail_parser::{
    Encoding, Message, MessagePart, MimeHeaders, PartType,
    decoders::{
        base64::base64_decode, charsets::map::charset_decoder,
        quoted_printable::quoted_printable_decode,
    },
};

use super::{flowed, html};

/// More texts than this in one mail are not read.
const TEXTS_MAX: usize = 50;

/// The text of a mail: the plain one, unless the HTML one says much more.
pub(crate) fn choose(message: &Message<'_>) -> String {
    let plain = plain(message);
    let chosen = match html(message) {
        Some(html) if !is_good(&plain, &html) => html,
        _ => plain,
    };
    let tidied = tidy(&chosen);
    if tidied.is_empty() {
        return tidy(&salvaged(message));
    }
    tidied
}

/// What can be saved of a mail that says it has several parts and names no line that divides them: everything but the dividers and
/// the parts' own headers.
fn salvaged(message: &Message<'_>) -> String {
    let Some(root) = message.parts.first() else {
        return String::new();
    };
    let is_broken = message.parts.len() == 1
        && root
            .content_type()
            .is_some_and(|ct| ct.ctype().eq_ignore_ascii_case("multipart"));
    let body = message
        .raw_message
        .get(root.raw_body_offset() as usize..)
        .filter(|_| is_broken);
    let body = String::from_utf8_lossy(body.unwrap_or_default());
    let (mut out, mut in_header) = (String::new(), false);
    for line in body.lines() {
        if line.starts_with("--") && line.len() > 4 {
            in_header = true;
        } else if in_header {
            in_header = !line.trim().is_empty();
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// Whether the plain text is worth reading beside this rendering of the HTML.
fn is_good(plain: &str, html: &str) -> bool {
    let length = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let (plain_length, html_length) = (length(plain), length(html));
    if plain_length == 0 {
        return html_length == 0;
    }
    let stub = html_length > 200 && plain_length * 10 < html_length;
    let lower = plain.to_lowercase();
    let points_elsewhere = plain_length < 400
        && html_length > plain_length
        && [
            "in your browser",
            "html-capable",
            "html mail",
            "does not support html",
            "html email",
        ]
        .iter()
        .any(|phrase| lower.contains(phrase));
    !stub && !points_elsewhere
}

fn plain(message: &Message<'_>) -> String {
    let texts = message
        .text_bodies()
        .take(TEXTS_MAX)
        .filter_map(|part| match &part.body {
            PartType::Text(text) => {
                let text = redecoded(message, part).unwrap_or_else(|| text.to_string());
                Some(unflowed(part, text))
            }
            _ => None,
        });
    joined(texts)
}

fn html(message: &Message<'_>) -> Option<String> {
    let mut any = false;
    let texts = message
        .html_bodies()
        .take(TEXTS_MAX)
        .filter_map(|part| match &part.body {
            PartType::Html(text) => {
                any = true;
                let source = redecoded(message, part);
                Some(html::to_text(source.as_deref().unwrap_or(text)))
            }
            // A text between pictures beside an HTML text, as Apple Mail writes it.
            PartType::Text(text) => Some(unflowed(part, text.to_string())),
            _ => None,
        });
    let text = joined(texts);
    any.then_some(text)
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    let mut all = String::new();
    for text in texts {
        if !all.trim().is_empty() {
            all.push('\n');
        }
        all.push_str(&text);
    }
    all
}

fn unflowed(part: &MessagePart<'_>, text: String) -> String {
    let attribute = |name: &str| part.content_type().and_then(|ct| ct.attribute(name));
    let is = |name, value: &str| {
        attribute(name).is_some_and(|given: &str| given.eq_ignore_ascii_case(value))
    };
    if is("format", "flowed") {
        return flowed::join(&text, is("delsp", "yes"));
    }
    text
}

/// The part's text again, where the first decoding met bytes that its charset does not have and the charset is not to be
/// trusted: none given, or one that hosts write without looking. UTF-8 failed then, so it is Windows-1252, as in browsers.
fn redecoded(message: &Message<'_>, part: &MessagePart<'_>) -> Option<String> {
    if !part
        .contents()
        .windows(3)
        .any(|three| three == "\u{fffd}".as_bytes())
    {
        return None;
    }
    let charset = part.content_type().and_then(|ct| ct.attribute("charset"));
    let known = charset.is_some_and(|charset| charset_decoder(charset.as_bytes()).is_some());
    let honest = known
        && !charset
            .is_some_and(|c| c.eq_ignore_ascii_case("us-ascii") || c.eq_ignore_ascii_case("utf-8"));
    if honest {
        return None;
    }
    let bytes = undecoded(message, part)?;
    if let Ok(text) = std::str::from_utf8(&bytes) {
        return Some(text.to_owned());
    }
    // Mostly UTF-8 with a broken byte stays UTF-8.
    let lossy = String::from_utf8_lossy(&bytes);
    let broken = lossy.matches('\u{fffd}').count();
    let beyond = lossy
        .chars()
        .filter(|c| !c.is_ascii() && *c != '\u{fffd}')
        .count();
    if beyond > broken {
        return None;
    }
    charset_decoder(b"windows-1252").map(|decode| decode(&bytes))
}

/// The bytes of a part that is text, before any charset: a file that says it is text may be none.
pub(crate) fn undecoded(message: &Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    if !part.is_text() {
        return None;
    }
    let range = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
    let raw = message.raw_message.get(range)?;
    match part.encoding {
        Encoding::None => Some(raw.to_vec()),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
        Encoding::Base64 => base64_decode(raw),
    }
}

/// Line ends of one kind, no trailing spaces, never more than one empty line, nothing around.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.split('\n') {
        let line = line.trim_end_matches(['\r', ' ', '\t', '\u{a0}']);
        // The separator of signatures keeps its space. RFC 3676 §4.3
        let line = if line == "--" { "-- " } else { line };
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty <= 1 {
            tidy.push_str(line);
            tidy.push('\n');
        }
    }
    let start = tidy.len() - tidy.trim_start_matches('\n').len();
    tidy.get(start..).unwrap_or_default().trim_end().to_owned()
}
