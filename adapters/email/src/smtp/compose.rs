//! Writing a mail. RFC 5322

use std::time::{Duration, SystemTime};

use lettre::message::{
    Body, Mailbox, Message, MessageBuilder, MultiPart, SinglePart,
    header::{ContentDisposition, ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
};
use transom_adapter::{OutFile, Outgoing, Quotation, Thread, UnixMillis};

use super::{forms, styling};
use crate::{
    address::is_invisible,
    config::Writing,
    ids::{LOOP_HEADER, OwnIds},
    reaction,
};

/// References beyond the first and this many last are left out, as RFC 5322 §3.6.4 allows where a header grows long.
const REFERENCES_LAST: usize = 20;

/// Where a subject is made of the text's first words.
const SUBJECT_CHARS: usize = 60;

/// A mail that cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsendable {
    /// The addresses are checked before a message is accepted, so this is a row from elsewhere.
    #[error("an address cannot be written: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// The builder refused.
    #[error("the mail cannot be built: {0}")]
    Build(#[from] lettre::error::Error),
}

/// The mail, ready for DATA: ASCII throughout but for a recipient who is not, the same bytes on every attempt. `contents` are those of the
/// message's files; `sender` is the envelope's, where it is the user's own.
pub(crate) fn compose(
    message: &Outgoing,
    contents: &[Vec<u8>],
    ids: &OwnIds,
    (writing, sender): (&Writing, Option<&str>),
) -> Result<Vec<u8>, Unsendable> {
    let mut builder = header(message, ids, writing)?;
    let mail = &message.mail;
    if mail.asks_displayed {
        let to = sender.map_or_else(|| ids.bounce_address(message.key), str::to_owned);
        builder = builder.raw_header(forms::asks_displayed(&to));
    }
    if let Some(displayed) = &mail.displayed {
        let text = SinglePart::plain(body(&message.text));
        let boundary = boundary("report", message, ids);
        let report = forms::displayed(message, displayed, (text, boundary), ids);
        let builder = builder.raw_header(forms::automatic());
        return Ok(ended(builder.multipart(report)?.formatted()));
    }
    // No Auto-Submitted: a person wrote it. RFC 3834 §5
    let signature = mail.signature.as_ref().or(writing.signature.as_ref());
    let text = signed(&message.text, signature.map(String::as_str));
    let text = quoting(text, mail.quote.as_ref());
    if let Some(attendance) = &mail.attendance {
        let parts = MultiPart::alternative().boundary(boundary("alternative", message, ids));
        let parts = parts
            .singlepart(SinglePart::plain(body(&text)))
            .singlepart(forms::calendar(message, attendance));
        return Ok(ended(builder.multipart(parts)?.formatted()));
    }
    let thread = message.thread.as_ref();
    let reacts = thread.is_some_and(|thread| thread.reaction && thread.in_reply_to.is_some());
    // RFC 9078 §2: emoji and nothing else. What a client calls one and is none goes as the text that it is.
    if let Some(emoji) = reaction::emoji(&message.text).filter(|_| reacts) {
        let parts = forms::reaction(&emoji, boundary("reaction", message, ids));
        return Ok(ended(builder.multipart(parts)?.formatted()));
    }
    let plain = SinglePart::plain(body(&text));
    let marked = styling::to_html(message.text.trim_end()).filter(|_| !mail.unstyled);
    let styled = marked.map(|_| {
        // The boundary follows from the delivery: the same bytes on every attempt.
        let html = styling::to_html(&text).unwrap_or_default();
        let parts = MultiPart::alternative().boundary(boundary("alternative", message, ids));
        parts
            .singlepart(plain.clone())
            .singlepart(SinglePart::html(html))
    });
    let mail = if message.files.is_empty() {
        match styled {
            Some(parts) => builder.multipart(parts)?,
            None => builder.singlepart(plain)?,
        }
    } else {
        let mixed = MultiPart::mixed().boundary(boundary("mixed", message, ids));
        let mut files = attached(message, contents).into_iter();
        let parts = match styled {
            Some(parts) => mixed.multipart(parts),
            None if text.trim().is_empty() => mixed.singlepart(files.next().unwrap_or(plain)),
            None => mixed.singlepart(plain),
        };
        builder.multipart(files.fold(parts, MultiPart::singlepart))?
    };
    Ok(ended(mail.formatted()))
}

/// Who writes to whom about what, in answer to what.
fn header(
    message: &Outgoing,
    ids: &OwnIds,
    writing: &Writing,
) -> Result<lettre::message::MessageBuilder, Unsendable> {
    let from: lettre::Address = message.from.as_str().parse()?;
    let name = display_name(message.from_name.as_deref(), from.user());
    let to: lettre::Address = message.to.as_str().parse()?;
    let builder = Message::builder().from(Mailbox::new(Some(name), from.clone()));
    let builder = if message.group.is_some() || message.to.as_str().is_ascii() {
        recipients(builder, message)?
    } else {
        // RFC 6532 §3.2: as it is; the server was asked for SMTPUTF8.
        let envelope = lettre::address::Envelope::new(Some(from), vec![to])?;
        builder
            .envelope(envelope)
            .raw_header(forms::to_as_is(message.to.as_str()))
    };
    let mut builder = builder
        .subject(subject(message, writing))
        .date(date(message.created_at))
        .message_id(Some(format!("<{}>", ids.message_id(message.message_key()))))
        .raw_header(loop_header(ids.domain()));
    if let Some(thread) = &message.thread {
        let (parent, references) = references(thread);
        if let Some(parent) = parent {
            builder = builder.in_reply_to(parent);
        }
        if !references.is_empty() {
            builder = builder.references(references);
        }
    }
    Ok(builder)
}

/// Without the line end that closes the last line: it is written with the dot that ends DATA.
fn ended(mut mail: Vec<u8>) -> Vec<u8> {
    while mail
        .last()
        .is_some_and(|byte| matches!(byte, b'\r' | b'\n'))
    {
        mail.pop();
    }
    mail
}

/// The text with what it answers below it.
fn quoting(text: String, quote: Option<&Quotation>) -> String {
    let Some(quote) = quote.filter(|quote| !quote.text.trim().is_empty()) else {
        return text;
    };
    let quoted = quote.text.trim_end().lines().map(|line| {
        // A quotation of a quotation needs no space between its marks. RFC 3676 §4.5
        let mark = if line.starts_with('>') { ">" } else { "> " };
        format!("{mark}{line}")
    });
    let quoted: Vec<String> = quoted.collect();
    let introduction = one_line(&quote.introduction);
    format!("{text}\n\n{introduction}\n{}", quoted.join("\n"))
}

/// A line that no text holds, made of the Message-ID: the same bytes on every attempt. RFC 2046 §5.1.1
fn boundary(kind: &str, message: &Outgoing, ids: &OwnIds) -> String {
    let id = ids.message_id(message.message_key());
    // A long domain would make it longer than its 70 characters.
    let unique = id.split('@').next().unwrap_or_default();
    format!("{kind}-{unique}")
}

/// To and Cc: everybody who gets it, each copy the same, though each travels alone. Nobody gets it who does not stand there.
fn recipients(
    mut builder: MessageBuilder,
    message: &Outgoing,
) -> Result<MessageBuilder, Unsendable> {
    let Some(group) = &message.group else {
        let to = message.to.as_str().parse()?;
        return Ok(builder.to(Mailbox::new(None, to)));
    };
    for member in &group.members {
        let name = member.name.as_deref().map(one_line);
        let name = name.filter(|name| !name.is_empty() && !name.contains('@'));
        let mailbox = Mailbox::new(name, member.address.as_str().parse()?);
        builder = if member.copy {
            builder.cc(mailbox)
        } else {
            builder.to(mailbox)
        };
    }
    Ok(builder)
}

/// The files, as parts. RFC 2183
fn attached(message: &Outgoing, contents: &[Vec<u8>]) -> Vec<SinglePart> {
    let part = |(file, content): (&OutFile, &Vec<u8>)| {
        // No encoding is allowed for a mail or what has parts of its own (RFC 2046 §5.2.1): its name says what it is.
        let is_composite = ["message/", "multipart/"]
            .iter()
            .any(|kind| file.content_type.starts_with(kind));
        let content_type = ContentType::parse(&file.content_type);
        let content_type = content_type.ok().filter(|_| !is_composite);
        // Base64 whatever it is: a text's own line ends and the missing last one are part of it.
        let encoded = Body::new_with_encoding(content.clone(), ContentTransferEncoding::Base64);
        let part = SinglePart::builder()
            .header(content_type.unwrap_or_else(octets))
            .header(ContentDisposition::attachment(&one_line(&file.name)));
        Some(part.body(encoded.ok()?))
    };
    message
        .files
        .iter()
        .zip(contents)
        .filter_map(part)
        .collect()
}

fn octets() -> ContentType {
    const OCTETS: &str = "application/octet-stream";
    ContentType::parse(OCTETS).unwrap_or(ContentType::TEXT_PLAIN)
}

/// The user's name, or the local part. Never something with an `@`: filters take that for a forgery.
fn display_name(name: Option<&str>, local_part: &str) -> String {
    let name = name.map(one_line).unwrap_or_default();
    if name.is_empty() || name.contains('@') {
        return local_part.to_owned();
    }
    name
}

/// The text as one line without anything unseen.
fn one_line(text: &str) -> String {
    let spaced = text.replace(char::is_control, " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    words.join(" ").replace(is_invisible, "")
}

fn subject(message: &Outgoing, writing: &Writing) -> String {
    let thread = message.thread.as_ref();
    let subject = thread
        .map(|thread| one_line(&thread.subject))
        .unwrap_or_default();
    let answers = thread.is_some_and(|thread| thread.in_reply_to.is_some());
    let prefixed = subject
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("re:"));
    match (subject.is_empty(), answers && !prefixed) {
        (true, true) => "Re:".to_owned(),
        (true, false) => match message.mail.subject.as_ref().or(writing.subject.as_ref()) {
            Some(subject) => one_line(subject),
            None => first_words(&message.text),
        },
        (false, true) => format!("Re: {subject}"),
        (false, false) => subject,
    }
}

fn first_words(text: &str) -> String {
    let line = one_line(text.trim().lines().next().unwrap_or_default());
    if line.chars().count() <= SUBJECT_CHARS {
        return line;
    }
    let cut: String = line.chars().take(SUBJECT_CHARS).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", cut.get(..end).unwrap_or(&cut))
}

fn date(at: UnixMillis) -> SystemTime {
    // The library panics beyond the year 9999.
    const LAST_MILLIS: i64 = 253_402_300_799_000;
    let millis = at.0.clamp(0, LAST_MILLIS).unsigned_abs();
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

/// In-Reply-To and References. RFC 5322 §3.6.4
fn references(thread: &Thread) -> (Option<String>, String) {
    let parent = thread.in_reply_to.as_deref().filter(|id| is_message_id(id));
    let mut line: Vec<&str> = thread
        .references
        .iter()
        .map(String::as_str)
        .filter(|id| is_message_id(id) && Some(*id) != parent)
        .collect();
    line.extend(parent);
    if line.len() > REFERENCES_LAST + 1 {
        line.drain(1..line.len() - REFERENCES_LAST);
    }
    let bracketed: Vec<String> = line.iter().map(|id| format!("<{id}>")).collect();
    (parent.map(|id| format!("<{id}>")), bracketed.join(" "))
}

/// Whether an id that came from outside can be repeated: one visible ASCII word that fits into a line.
fn is_message_id(id: &str) -> bool {
    let visible = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    (1..=500).contains(&id.len()) && id.bytes().all(visible)
}

fn loop_header(domain: &str) -> HeaderValue {
    HeaderValue::new(
        HeaderName::new_from_ascii_str(LOOP_HEADER),
        domain.to_owned(),
    )
}

/// The text with the signature below it.
fn signed(text: &str, signature: Option<&str>) -> String {
    let text = text.trim_end();
    match signature
        .map(str::trim)
        .filter(|signature| !signature.is_empty())
    {
        Some(signature) => format!("{text}\n\n-- \n{signature}"),
        None => text.to_owned(),
    }
}

/// The text with mail's line ends.
fn body(text: &str) -> String {
    let lines = text.trim_end().replace("\r\n", "\n").replace('\r', "\n");
    lines.replace('\n', "\r\n")
}

#[cfg(test)]
mod tests;
