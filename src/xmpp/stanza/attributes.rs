//! Attributes and references, read as strictly as XML 1.0 wants it.

use std::borrow::Cow;

use super::{
    ParseError,
    parse::not_well_formed,
    write::{is_plain, is_xml_character, is_xml_text},
};

type Result<T> = std::result::Result<T, ParseError>;

/// The attributes of an open tag, read strictly (XML 1.0 §3.1).
#[derive(Clone, Debug)]
pub(super) struct RawAttributes<'a> {
    rest: &'a str,
    seen: usize,
}

impl<'a> RawAttributes<'a> {
    /// Of what follows the element's name in its open tag.
    pub(super) fn of(rest: &'a str) -> Self {
        Self { rest, seen: 0 }
    }

    pub(super) fn next_attribute(&mut self, max: usize) -> Result<Option<(&'a str, &'a str)>> {
        let rest = self.rest.trim_ascii_start();
        if rest.is_empty() {
            return Ok(None);
        }
        if rest.len() == self.rest.len() {
            return Err(not_well_formed("no space before an attribute"));
        }
        self.seen += 1;
        if self.seen > max {
            return Err(ParseError::TooBig {
                what: "attributes in an element",
                max,
            });
        }
        let broken = || not_well_formed("a broken attribute");
        let (name, value) = rest.split_once('=').ok_or_else(broken)?;
        let value = value.trim_ascii_start();
        let quote = value
            .chars()
            .next()
            .filter(|c| matches!(c, '\'' | '"'))
            .ok_or_else(broken)?;
        let (value, rest) = value
            .strip_prefix(quote)
            .and_then(|v| v.split_once(quote))
            .ok_or_else(broken)?;
        self.rest = rest;
        Ok(Some((name.trim_ascii_end(), value)))
    }
}

/// XML 1.0 §3.3.3, with the references of [`resolve`] alone.
pub(super) fn unescape_value(raw: &str) -> Result<Cow<'_, str>> {
    if raw.bytes().all(is_plain) {
        return Ok(Cow::Borrowed(raw));
    }
    if raw.contains('<') {
        return Err(not_well_formed("'<' in an attribute's value"));
    }
    if !is_xml_text(raw) {
        return Err(not_well_formed("a character that XML forbids"));
    }
    let mut value = String::with_capacity(raw.len());
    let mut parts = raw.split('&');
    push_normalized(&mut value, parts.next().unwrap_or_default());
    for part in parts {
        let (reference, text) = part
            .split_once(';')
            .ok_or_else(|| not_well_formed("a reference without end"))?;
        value.push(resolve(reference)?);
        push_normalized(&mut value, text);
    }
    Ok(Cow::Owned(value))
}

/// Appends literal text of a value: each white space, and each line end of two characters, is one space.
fn push_normalized(value: &mut String, text: &str) {
    let text = text.replace("\r\n", " ");
    value.extend(text.chars().map(|c| {
        if matches!(c, '\t' | '\n' | '\r') {
            ' '
        } else {
            c
        }
    }));
}

/// What stands between `&` and `;`: one of XML's five entities or a character reference, nothing else
/// (RFC 6120 §11.1).
pub(super) fn resolve(reference: &str) -> Result<char> {
    let code = match reference {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "apos" => return Ok('\''),
        "quot" => return Ok('"'),
        other => other.strip_prefix('#'),
    };
    let number = code.and_then(|code| match code.strip_prefix('x') {
        // `from_str_radix` also takes a sign.
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u32::from_str_radix(hex, 16).ok()
        }
        None if code.bytes().all(|b| b.is_ascii_digit()) => code.parse().ok(),
        _ => None,
    });
    let character = number
        .and_then(char::from_u32)
        .filter(|c| is_xml_character(*c));
    character.ok_or_else(|| not_well_formed("an unknown or forbidden reference"))
}
