//! What smsd writes of a text that came in, with `InboxFormat = detail`: gammu-smsbackup(5), one section a short message.

use transom_adapter::Part;

use crate::provider::header;

/// One short message, of those in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    /// What it is.
    pub kind: Kind,
    /// Who sent it; of a report: to whom the text went that it is about.
    pub number: String,
    /// What is written, in UTF-16: a pair of surrogates may be cut between two parts.
    pub units: Vec<u16>,
    /// Which part of a longer text it is.
    pub part: Option<Part>,
}

/// What a short message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Somebody wrote.
    Text,
    /// A delivery report.
    Report,
    /// Settings, or data for an application.
    Data,
}

/// More parts than a text can have.
const SECTIONS_MAX: usize = 255;

/// Reads a file; `None` when it is none of these, or not whole yet.
pub fn read(content: &[u8]) -> Option<Vec<Backup>> {
    let text = String::from_utf8_lossy(content);
    // The format ends each section with an empty line.
    let whole = text.ends_with("\n\n") || text.ends_with("\n\r\n");
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with(';')) {
        if line.starts_with("[SMSBackup") {
            sections.push(Section::default());
            continue;
        }
        if let (Some(section), Some((key, value))) = (sections.last_mut(), line.split_once('=')) {
            section.0.push((key.trim(), value.trim()));
        }
    }
    if !whole || !(1..=SECTIONS_MAX).contains(&sections.len()) {
        return None;
    }
    sections.iter().map(Section::read).collect()
}

/// The text of several parts, in UTF-16.
pub(super) fn text(units: impl Iterator<Item = u16>) -> String {
    // Where smsd's own count went wrong, zeros follow.
    let units = units.take_while(|unit| *unit != 0);
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[derive(Default)]
struct Section<'a>(Vec<(&'a str, &'a str)>);

impl Section<'_> {
    fn value(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| *value)
    }

    fn read(&self) -> Option<Backup> {
        let udh = self
            .value("UDH")
            .and_then(|digits| hex::decode(digits).ok())
            .unwrap_or_default();
        let mut units = Vec::new();
        for (_, value) in self.0.iter().filter(|(key, _)| is_text(key)) {
            units.extend(utf16(value)?);
        }
        let kind = match self.value("PDU")? {
            "Status_Report" => Kind::Report,
            _ if self.value("Coding") == Some("8bit") || header::is_port_addressed(&udh) => {
                Kind::Data
            }
            _ => Kind::Text,
        };
        let number = match self.value("NumberUnicode") {
            Some(digits) => text(utf16(digits)?.into_iter()),
            None => self.value("Number")?.trim_matches('"').to_owned(),
        };
        Some(Backup {
            kind,
            number,
            units,
            part: header::concatenation(&udh),
        })
    }
}

/// `Text00`, `Text01`, …: the text in pieces, in order.
fn is_text(key: &str) -> bool {
    key.strip_prefix("Text")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn utf16(digits: &str) -> Option<Vec<u16>> {
    let bytes = hex::decode(digits).ok()?;
    let pairs = bytes.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0xfffd,
    });
    Some(pairs.collect())
}
