//! Files on phones, such as the picture of an MMS. Their contents are kept within bounds, the oldest makes room; what a text says of
//! its files stays with it.

use std::{collections::VecDeque, io, path::Path, sync::Arc};

use bytes::Bytes;
use serde::Serialize;
use tokio::io::AsyncReadExt;
use transom_adapter::{Attachment, Failure, FileLimits, Outcome, Outgoing, Reason};

/// What a simulated phone takes with one text, and sends.
pub(crate) const LIMITS: FileLimits = FileLimits {
    count_max: 10,
    bytes_max: 1_000_000,
    total_bytes_max: 2_000_000,
    types: &[
        "image/*",
        "audio/*",
        "video/*",
        "text/vcard",
        "application/pdf",
    ],
};

/// What the contents of all files together may take.
const GALLERY_BYTES_MAX: usize = 32 * 1024 * 1024;
const NAME_CHARS_MAX: usize = 120;
const UNKNOWN: &str = "application/octet-stream";

/// A file of a text on a phone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct File {
    /// Names it in this run of the process.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// Its media type, as it was said.
    pub content_type: String,
    /// Its size.
    pub bytes: usize,
}

/// A file that was handed over, not yet on a phone.
#[derive(Clone, Debug)]
pub(crate) struct Handed {
    name: String,
    content_type: String,
    content: Bytes,
}

/// The contents of the latest files, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Gallery {
    kept: VecDeque<Bytes>,
    /// The number of the first that is kept.
    first: u64,
    bytes: usize,
}

impl Gallery {
    /// Keeps the contents of a text's files; the oldest make room.
    pub(crate) fn keep(&mut self, files: &[Handed]) -> Arc<[File]> {
        files.iter().map(|file| self.keep_one(file)).collect()
    }

    /// The content of a file; `None` when it had to make room, or never was.
    pub(crate) fn content(&self, number: u64) -> Option<Bytes> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.kept.get(place).cloned()
    }

    fn keep_one(&mut self, file: &Handed) -> File {
        let number = self.first + self.kept.len() as u64;
        self.bytes += file.content.len();
        self.kept.push_back(file.content.clone());
        while self.bytes > GALLERY_BYTES_MAX
            && let Some(oldest) = self.kept.pop_front()
        {
            self.first += 1;
            self.bytes -= oldest.len();
        }
        File {
            number,
            name: file.name.clone(),
            content_type: file.content_type.clone(),
            bytes: file.content.len(),
        }
    }
}

impl Handed {
    fn new(name: &str, content_type: &str, content: Bytes) -> Self {
        let is_type = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-.".contains(&byte);
        let known = content_type.len() <= NAME_CHARS_MAX && content_type.bytes().all(is_type);
        let known = known && content_type.contains('/');
        Self {
            name: name.chars().take(NAME_CHARS_MAX).collect(),
            content_type: if known { content_type } else { UNKNOWN }.to_owned(),
            content,
        }
    }

    /// As the gateway is given it.
    pub(crate) fn attachment(self) -> Attachment {
        Attachment {
            name: self.name,
            content_type: self.content_type,
            bytes: self.content.len() as u64,
            content: Some(self.content),
        }
    }
}

/// The files that are written on a phone, if it takes them.
pub(crate) fn written(files: Vec<Attachment>) -> Option<Vec<Handed>> {
    let handed: Vec<_> = files
        .into_iter()
        .map(|file| {
            let content = file.content.unwrap_or_default();
            Handed::new(&file.name, &file.content_type.to_ascii_lowercase(), content)
        })
        .collect();
    fit(&handed).then_some(handed)
}

/// The files of a message that is sent, read whole.
///
/// # Errors
///
/// The outcome, when one of them cannot be had or is more than a phone takes.
pub(crate) async fn sent(message: &Outgoing) -> Result<Vec<Handed>, Outcome> {
    let mut handed = Vec::with_capacity(message.files.len());
    for file in &message.files {
        let missing =
            |detail: String| Outcome::Rejected(Failure::new(Reason::FileGone).with_detail(detail));
        let stored = file.stored.as_ref();
        let stored = stored.ok_or_else(|| missing("a file was not prepared".to_owned()))?;
        let content = read(&stored.path).await;
        let content =
            content.map_err(|error| missing(format!("a file cannot be read: {error}")))?;
        handed.push(Handed::new(&file.name, &file.content_type, content));
    }
    if fit(&handed) {
        Ok(handed)
    } else {
        Err(Outcome::Rejected(Failure::new(Reason::FileTooLarge)))
    }
}

/// At most one byte more than what is taken, which shows that it is too large.
async fn read(path: &Path) -> io::Result<Bytes> {
    let mut content = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(LIMITS.bytes_max + 1)
        .read_to_end(&mut content)
        .await?;
    Ok(content.into())
}

fn fit(files: &[Handed]) -> bool {
    let sizes = || files.iter().map(|file| file.content.len() as u64);
    files.len() <= usize::from(LIMITS.count_max)
        && sizes().all(|bytes| bytes <= LIMITS.bytes_max)
        && sizes().sum::<u64>() <= LIMITS.total_bytes_max
}

/// The type that a browser is told: that of a picture that it shows, else one that it does not look into.
pub(crate) fn type_shown(content: &[u8]) -> &'static str {
    match content {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_contents_make_room() {
        let mut gallery = Gallery::default();
        let file = Handed::new("a.png", "image/png", vec![7; 1_000_000].into());
        let first = gallery.keep(std::slice::from_ref(&file));
        assert!(gallery.content(first[0].number).is_some());
        for _ in 0..40 {
            gallery.keep(std::slice::from_ref(&file));
        }
        assert_eq!(gallery.content(first[0].number), None);
        assert!(gallery.content(40).is_some());
        assert_eq!(gallery.content(41), None);
        assert_eq!(gallery.kept.len(), GALLERY_BYTES_MAX / 1_000_000);
        assert_eq!(gallery.bytes, gallery.kept.len() * 1_000_000);
    }

    #[test]
    fn a_browser_is_told_of_pictures_alone() {
        assert_eq!(type_shown(b"\x89PNG\r\n\x1a\n"), "image/png");
        assert_eq!(type_shown(b"RIFF\0\0\0\0WEBPVP8 "), "image/webp");
        for other in [&b""[..], b"<svg onload='alert(1)'/>", b"<html>", b"RIFF"] {
            assert_eq!(type_shown(other), UNKNOWN);
        }
    }
}
