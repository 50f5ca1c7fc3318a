//! The bytes of an incoming text as text.

/// Decodes `%b` by `%C` (the character set) and `%c` (the coding): nothing is lost over a wrong label, at worst it looks wrong.
/// `None` is for binary messages.
pub(super) fn decode(bytes: &[u8], charset: &str, coding: &str) -> Option<String> {
    let charset = charset.trim().to_ascii_uppercase();
    match (&*charset, coding.trim()) {
        ("8-BIT" | "BINARY", _) | (_, "1") => None,
        ("UTF-16BE" | "UTF-16" | "UCS-2" | "UCS-2BE", _) | ("", "2") => {
            Some(utf16(bytes, u16::from_be_bytes))
        }
        ("UTF-16LE", _) => Some(utf16(bytes, u16::from_le_bytes)),
        ("ISO-8859-1" | "ISO_8859-1" | "LATIN1" | "LATIN-1", _) => Some(latin1(bytes)),
        // Kannel's own default; what is not valid in it was labelled wrongly, and any bytes are Latin-1.
        _ => Some(std::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), str::to_owned)),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    // An odd byte at the end is half a unit: shown as what it is, a replacement character.
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_by_their_label() {
        let text = |bytes: &[u8], charset, coding| decode(bytes, charset, coding);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(text("hé €".as_bytes(), "UTF-8", "0"), some("hé €"));
        assert_eq!(text(b"h\xe9", "ISO-8859-1", "0"), some("hé"));
        assert_eq!(text(b"h\xe9", "UTF-8", "0"), some("hé"), "wrongly labelled");
        assert_eq!(text(b"\x04\x1f\x04\x40", "UTF-16BE", "2"), some("Пр"));
        assert_eq!(text(b"\x1f\x04", "UTF-16LE", "2"), some("П"));
        assert_eq!(text(b"\xd8\x3d\xde\x00", "", "2"), some("😀"));
        assert_eq!(
            text(b"\xd8\x3d\x00", "UTF-16BE", "2"),
            some("\u{fffd}\u{fffd}")
        );
        assert_eq!(text(b"\x01\x02", "8-BIT", "1"), None);
        assert_eq!(text(b"", "UTF-8", "0"), some(""));
    }
}
