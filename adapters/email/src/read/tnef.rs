//! `winmail.dat`: the files that Outlook packs into a container of its own. MS-OXTNEF

use bytes::Bytes;

const SIGNATURE: u32 = 0x223E_9F78;
/// `attAttachRendData`: begins a file. §2.1.3.3
const FILE_BEGINS: u32 = 0x0006_9002;
const FILE_NAME: u32 = 0x0001_8010;
const FILE_DATA: u32 = 0x0006_800F;
/// `attAttachment`: MAPI properties of the file, its long name among them.
const FILE_PROPERTIES: u32 = 0x0006_9005;
const FILES_MAX: usize = 100;
const PROPERTIES_MAX: u32 = 500;

/// One file in the container.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content: Bytes,
}

/// The files of a container; none when it is no container, and those before the damage when it is a damaged one.
pub(crate) fn files(container: &Bytes) -> Vec<File> {
    let mut rest = Reader(container);
    let mut files: Vec<File> = Vec::new();
    if rest.u32() != Some(SIGNATURE) || rest.u16().is_none() {
        return files;
    }
    while let Some((kind, content)) = attribute(&mut rest) {
        if kind == FILE_BEGINS {
            if files.len() == FILES_MAX {
                break;
            }
            files.push(File::default());
        }
        let Some(file) = files.last_mut() else {
            continue;
        };
        match kind {
            FILE_NAME if file.name.is_empty() => file.name = narrow(content),
            FILE_DATA => file.content = container.slice_ref(content),
            FILE_PROPERTIES => {
                if let Some(name) = long_name(content) {
                    file.name = name;
                }
            }
            _ => {}
        }
    }
    files.retain(|file| !file.content.is_empty());
    files
}

/// Level, id, length, content, checksum. §2.1.3.1
fn attribute<'a>(rest: &mut Reader<'a>) -> Option<(u32, &'a [u8])> {
    rest.take(1)?;
    let kind = rest.u32()?;
    let length = usize::try_from(rest.u32()?).ok()?;
    let content = rest.take(length)?;
    rest.take(2)?;
    Some((kind, content))
}

/// `PidTagAttachLongFilename`, 0x3707, among a file's properties.
fn long_name(properties: &[u8]) -> Option<String> {
    let mut rest = Reader(properties);
    for _ in 0..rest.u32()?.min(PROPERTIES_MAX) {
        let (kind, id) = (rest.u16()?, rest.u16()?);
        if id >= 0x8000 {
            skip_property_name(&mut rest)?;
        }
        let is_name = id == 0x3707;
        if kind & 0x1000 == 0
            && let Some(bytes) = fixed(kind)
        {
            rest.take(bytes)?;
            continue;
        }
        // Of several values or of no fixed length: each with its length, padded to four bytes.
        let values = rest.u32()?.min(PROPERTIES_MAX);
        for _ in 0..values {
            let value = if let Some(bytes) = fixed(kind & 0x0fff) {
                rest.take(bytes)?
            } else {
                let length = usize::try_from(rest.u32()?).ok()?;
                let value = rest.take(length)?;
                rest.take(length.checked_next_multiple_of(4)? - length)?;
                value
            };
            match kind {
                0x1f if is_name => return Some(wide(value)),
                0x1e if is_name => return Some(narrow(value)),
                _ => {}
            }
        }
    }
    None
}

/// Bytes of a value of fixed length, padding included. MS-OXCDATA §2.11.1
fn fixed(kind: u16) -> Option<usize> {
    match kind {
        0x02 | 0x03 | 0x04 | 0x0a | 0x0b => Some(4),
        0x05 | 0x06 | 0x07 | 0x14 | 0x40 => Some(8),
        0x48 => Some(16),
        _ => None,
    }
}

/// A named property brings its set and its name or number. §2.1.3.4
fn skip_property_name(rest: &mut Reader<'_>) -> Option<()> {
    rest.take(16)?;
    if rest.u32()? == 0 {
        rest.take(4)?;
        return Some(());
    }
    let length = usize::try_from(rest.u32()?).ok()?;
    rest.take(length)?;
    rest.take(length.checked_next_multiple_of(4)? - length)?;
    Some(())
}

fn narrow(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

fn wide(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .map(|pair| {
            pair.iter()
                .rev()
                .fold(0, |unit, byte| unit << 8 | u16::from(*byte))
        })
        .take_while(|unit| *unit != 0);
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Little-endian numbers and runs of bytes, as long as there are some.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?.try_into().ok()?;
        Some(u16::from_le_bytes(bytes))
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.take(4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put(container: &mut Vec<u8>, kind: u32, content: &[u8]) {
        container.push(2);
        container.extend(kind.to_le_bytes());
        container.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        container.extend(content);
        container.extend([0, 0]);
    }

    fn container() -> Vec<u8> {
        let mut container = SIGNATURE.to_le_bytes().to_vec();
        container.extend([1, 0]);
        put(&mut container, 0x0008_9006, &[0, 0, 1, 0]);
        put(&mut container, FILE_BEGINS, &[0; 14]);
        put(&mut container, FILE_NAME, b"PLAN~1.TXT\0");
        put(&mut container, FILE_DATA, b"the plan");
        let mut properties = 2_u32.to_le_bytes().to_vec();
        properties.extend([0x03, 0, 0x05, 0x37, 1, 0, 0, 0]);
        properties.extend([0x1f, 0, 0x07, 0x37, 1, 0, 0, 0]);
        let name: Vec<u8> = "Plän für Bob.txt\0"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        properties.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        properties.extend(&name);
        properties.extend([0, 0]);
        put(&mut container, FILE_PROPERTIES, &properties);
        put(&mut container, FILE_BEGINS, &[0; 14]);
        put(&mut container, FILE_NAME, b"b.bin\0");
        put(&mut container, FILE_DATA, &[7; 9]);
        container
    }

    #[test]
    fn files_come_out_with_their_long_names() {
        let files = files(&container().into());
        let seen: Vec<_> = files
            .iter()
            .map(|file| (file.name.as_str(), file.content.len()))
            .collect();
        assert_eq!(seen, [("Plän für Bob.txt", 8), ("b.bin", 9)]);
    }

    #[test]
    fn a_cut_container_gives_what_came_before_the_cut() {
        let whole = container();
        for end in 0..whole.len() {
            let files = files(&Bytes::copy_from_slice(&whole[..end]));
            assert!(files.len() <= 2, "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            files(&Bytes::copy_from_slice(&bytes));
            long_name(&bytes);
            bytes.splice(0..0, SIGNATURE.to_le_bytes());
            files(&bytes.into());
        }
    }
}
