//! From the tree to bytes. Every string that leaves passes [`push_text`] or [`push_value`].

use super::{Element, Node};
impl Element {
    /// Appends the element as XML to `out`. `parent_namespace` is the default namespace at that place: no
    /// declaration is written for it.
    pub fn write(&self, out: &mut Vec<u8>, parent_namespace: &str) {
        out.push(b'<');
        out.extend_from_slice(self.name().as_bytes());
        if self.namespace() != parent_namespace {
            push_attribute(out, "xmlns", self.namespace());
        }
        self.write_attributes(out);
        if self.nodes().is_empty() {
            out.extend_from_slice(b"/>");
            return;
        }
        out.push(b'>');
        for node in self.nodes() {
            match node {
                Node::Element(child) => child.write(out, self.namespace()),
                Node::Text(text) => push_text(out, text),
            }
        }
        out.extend_from_slice(b"</");
        out.extend_from_slice(self.name().as_bytes());
        out.push(b'>');
    }

    fn write_attributes(&self, out: &mut Vec<u8>) {
        for (index, attribute) in self.attributes().iter().enumerate() {
            if let Some(namespace) = &attribute.namespace {
                let prefix = format!("n{index}");
                push_attribute(out, &format!("xmlns:{prefix}"), namespace);
                push_attribute(
                    out,
                    &format!("{prefix}:{}", attribute.name),
                    &attribute.value,
                );
            } else {
                push_attribute(out, &attribute.name, &attribute.value);
            }
        }
    }

    /// The element as XML text by itself, with its namespace declared.
    pub fn to_xml(&self) -> String {
        let mut out = Vec::with_capacity(256);
        self.write(&mut out, "");
        // Only whole strings and ASCII were written.
        String::from_utf8(out).unwrap_or_default()
    }
}

/// Appends ` name='value'`.
pub(crate) fn push_attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"='");
    push_value(out, value);
    out.push(b'\'');
}

/// Appends text between tags.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    escape(out, text, &TEXT);
}

/// Appends the text of an attribute's value, for single or double quotes.
pub(crate) fn push_value(out: &mut Vec<u8>, value: &str) {
    escape(out, value, &VALUE);
}

/// What becomes of a byte: 0 it stays, otherwise an index into [`REPLACEMENTS`].
type Table = [u8; 256];

static REPLACEMENTS: [&str; 11] = [
    "", "&amp;", "&lt;", "&gt;", "&#13;", "&apos;", "&quot;", "&#9;", "&#10;", "\u{FFFD}", "",
];

/// XML 1.0 §2.2 forbids these controls even as references.
const FORBIDDEN: u8 = 9;
/// U+FFFE and U+FFFF begin with this byte in UTF-8; they are forbidden too.
const MAYBE_NONCHARACTER: u8 = 10;

static TEXT: Table = table(false);
static VALUE: Table = table(true);

const fn table(in_value: bool) -> Table {
    let mut table = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = FORBIDDEN;
        control += 1;
    }
    table[b'\t' as usize] = 0;
    table[b'\n' as usize] = 0;
    table[b'&' as usize] = 1;
    table[b'<' as usize] = 2;
    table[b'>' as usize] = 3;
    // XML 1.0 §2.11: a bare carriage return would be read back as a line feed.
    table[b'\r' as usize] = 4;
    table[0xEF] = MAYBE_NONCHARACTER;
    if in_value {
        table[b'\'' as usize] = 5;
        table[b'"' as usize] = 6;
        // XML 1.0 §3.3.3: bare ones would be read back as spaces.
        table[b'\t' as usize] = 7;
        table[b'\n' as usize] = 8;
    }
    table
}

fn escape(out: &mut Vec<u8>, text: &str, table: &Table) {
    let bytes = text.as_bytes();
    let mut kept = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let class = table[usize::from(byte)];
        if class == 0 {
            at += 1;
            continue;
        }
        let width = match class {
            MAYBE_NONCHARACTER if is_noncharacter(&bytes[at..]) => 3,
            MAYBE_NONCHARACTER => {
                at += 3;
                continue;
            }
            _ => 1,
        };
        let class = if class == MAYBE_NONCHARACTER {
            FORBIDDEN
        } else {
            class
        };
        out.extend_from_slice(&bytes[kept..at]);
        out.extend_from_slice(REPLACEMENTS[usize::from(class)].as_bytes());
        at += width;
        kept = at;
    }
    out.extend_from_slice(&bytes[kept..]);
}

fn is_noncharacter(bytes: &[u8]) -> bool {
    matches!(bytes, [0xEF, 0xBF, 0xBE | 0xBF, ..])
}

/// Whether XML 1.0 §2.2 allows this character.
pub(crate) fn is_xml_character(character: char) -> bool {
    !matches!(character, '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Whether a byte means itself everywhere in XML; most do, and texts of them alone need no closer look.
pub(crate) fn is_plain(byte: u8) -> bool {
    PLAIN[usize::from(byte)]
}

static PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        plain[control] = false;
        control += 1;
    }
    plain[b'&' as usize] = false;
    plain[b'<' as usize] = false;
    plain[b']' as usize] = false;
    plain[0xEF] = false;
    plain
};

/// Whether XML 1.0 §2.2 allows every character of this text.
pub(crate) fn is_xml_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, &byte)| match byte {
        b'\t' | b'\n' | b'\r' => true,
        0..0x20 => false,
        0xEF => !is_noncharacter(&bytes[at..]),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::ns;

    #[track_caller]
    fn check(text: &str, in_text: &str, in_value: &str) {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        push_text(&mut one, text);
        push_value(&mut other, text);
        assert_eq!(String::from_utf8(one).unwrap(), in_text);
        assert_eq!(String::from_utf8(other).unwrap(), in_value);
    }

    #[test]
    fn markup_is_escaped() {
        check("a<b>&c", "a&lt;b&gt;&amp;c", "a&lt;b&gt;&amp;c");
        check("]]>", "]]&gt;", "]]&gt;");
        check(r#"'"'"#, r#"'"'"#, "&apos;&quot;&apos;");
    }

    #[test]
    fn white_space_survives_a_reader() {
        check("a\tb\nc\rd", "a\tb\nc&#13;d", "a&#9;b&#10;c&#13;d");
    }

    #[test]
    fn what_xml_forbids_is_replaced() {
        check(
            "\u{0}\u{1}\u{B}\u{1F}x",
            "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}x",
            "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}x",
        );
        check(
            "a\u{FFFE}b\u{FFFF}",
            "a\u{FFFD}b\u{FFFD}",
            "a\u{FFFD}b\u{FFFD}",
        );
        check(
            "\u{FFFD}\u{FEFF}\u{7F}\u{85}é😀",
            "\u{FFFD}\u{FEFF}\u{7F}\u{85}é😀",
            "\u{FFFD}\u{FEFF}\u{7F}\u{85}é😀",
        );
    }

    #[test]
    fn namespaces_are_declared_where_they_change() {
        let element = Element::new("message", ns::CLIENT)
            .with_child(Element::text_only("body", ns::CLIENT, "hi"))
            .with_child(Element::new("request", ns::RECEIPTS));
        let mut out = Vec::new();
        element.write(&mut out, ns::CLIENT);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<message><body>hi</body><request xmlns='urn:xmpp:receipts'/></message>"
        );
    }
}
