//! Rows as the statements of [`for_rows`](super::backend::for_rows) take them.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

use super::Param;

/// A JSON array of rows.
pub(super) fn json<T: Serialize>(rows: &[T]) -> Param {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, WithoutNul);
    // Rows are made of integers, text and options of them: nothing that JSON refuses.
    let written = rows.serialize(&mut serializer).is_ok();
    let text = String::from_utf8(text).ok().filter(|_| written);
    Param::Text(text.unwrap_or_else(|| "[]".to_owned()))
}

/// PostgreSQL has no U+0000 in text, and XML has none either (XML 1.0 §2.2): it is U+FFFD from here on.
pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{FFFD}")
    } else {
        text
    }
}

struct WithoutNul;

impl Formatter for WithoutNul {
    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(0) => writer.write_all("\u{FFFD}".as_bytes()),
            other => serde_json::ser::CompactFormatter.write_char_escape(writer, other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_json_without_nul() {
        let rows = ["a\0b\\u0000\n\"", "\u{1}"];
        let Param::Text(text) = json(&rows) else {
            panic!("text")
        };
        let read: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, ["a\u{FFFD}b\\u0000\n\"", "\u{1}"]);
    }
}
