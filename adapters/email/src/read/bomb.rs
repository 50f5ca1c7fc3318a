//! Mails that are made to cost the parser a multiple of their size. Small ones cannot: all of this is about mails above
//! [`HEADER_BYTES_MAX`].

use std::{borrow::Cow, ops::Range};

/// The header of a mail; hosts stop at a tenth of it.
pub(super) const HEADER_BYTES_MAX: usize = 1024 * 1024;
/// All headers together, those of parts and of mails inside too. A field of three bytes costs the parser more than a hundred.
const HEADERS_BYTES_MAX: usize = 2 * HEADER_BYTES_MAX;
/// Lines that may divide parts. Each part costs the parser some hundred bytes, however empty it is.
const DIVIDERS_MAX: usize = 20_000;

/// The subtype that the parser gets for a mail inside that it must not read; as long as those that it knows.
pub(super) const UNREAD: &str = "x-mail";

/// The mail for the parser; `None` when it would cost a multiple of its size.
pub(super) fn harmless(raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    (!is_bomb(raw)).then(|| with_encoded_mails_unread(raw.into()))
}

/// Headers without end, or parts without number.
fn is_bomb(raw: &[u8]) -> bool {
    if raw.len() <= HEADER_BYTES_MAX {
        return false;
    }
    let mut bytes = 0;
    for header in Headers::of(raw) {
        bytes += header.len();
        if header.start == 0 && header.len() > HEADER_BYTES_MAX || bytes > HEADERS_BYTES_MAX {
            return true;
        }
    }
    let dividers = raw.windows(3).filter(|three| *three == b"\n--").count();
    dividers > DIVIDERS_MAX && holds(raw, b"boundary")
}

/// A mail inside that is encoded is a file that nobody reads: RFC 2046 §5.2.1 forbids the encoding, which would hide all that
/// [`is_bomb`] looks for.
fn with_encoded_mails_unread(mut raw: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if raw.len() <= HEADER_BYTES_MAX {
        return raw;
    }
    let (mut types, mut digests, mut is_hidden) = (Vec::new(), Vec::new(), false);
    for header in Headers::of(&raw) {
        let block = raw.get(header.clone()).unwrap_or_default();
        let is_encoded = is_encoded(block);
        let fields = content_types(block);
        let fields = fields.map(|field| header.start + field.start..header.start + field.end);
        let fields: Vec<Range<usize>> = fields.collect();
        // In a digest a part is a mail unless it says something else.
        is_hidden |= is_encoded && fields.is_empty();
        digests.extend(fields.iter().cloned());
        types.extend(fields.into_iter().filter(|_| is_encoded));
    }
    let mut found = Vec::new();
    for word in [b"rfc822", b"global"] {
        found.extend(types.iter().flat_map(|field| places(&raw, field, word)));
    }
    if is_hidden {
        found.extend(
            digests
                .iter()
                .flat_map(|field| places(&raw, field, b"digest")),
        );
    }
    for place in found {
        if let Some(subtype) = raw.to_mut().get_mut(place) {
            subtype.copy_from_slice(UNREAD.as_bytes());
        }
    }
    raw
}

fn is_encoded(header: &[u8]) -> bool {
    holds(header, b"base64") || holds(header, b"quoted-printable")
}

/// The Content-Type fields of a header with what is folded of them.
fn content_types(header: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let (mut at, mut fields) = (0, Vec::<Range<usize>>::new());
    let mut goes_on = false;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
        let name = line.get(..12).unwrap_or_default();
        if is_folded && goes_on {
            if let Some(field) = fields.last_mut() {
                field.end = at + line.len();
            }
        } else if !is_folded {
            goes_on = name.eq_ignore_ascii_case(b"content-type");
            fields.extend(goes_on.then_some(at..at + line.len()));
        }
        at += line.len();
    }
    fields.into_iter()
}

fn places(raw: &[u8], field: &Range<usize>, word: &[u8]) -> Vec<Range<usize>> {
    let bytes = raw.get(field.clone()).unwrap_or_default();
    let windows = bytes.windows(word.len()).enumerate();
    let found = windows.filter(|(_, window)| window.eq_ignore_ascii_case(word));
    let place = |(at, _)| field.start + at..field.start + at + word.len();
    found.map(place).collect()
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    let mut windows = bytes.windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word))
}

/// What may be a header: the mail's; what stands behind a line that may divide parts; and what follows a header that announces a mail,
/// which in a digest is one of no type. Each goes up to an empty line.
struct Headers<'a> {
    raw: &'a [u8],
    at: usize,
    is_header: bool,
    is_digest: bool,
}

impl<'a> Headers<'a> {
    fn of(raw: &'a [u8]) -> Self {
        Self {
            raw,
            at: 0,
            is_header: true,
            is_digest: false,
        }
    }

    fn announces_a_mail(&mut self, header: &[u8]) -> bool {
        let (mut is_mail, mut is_typed) = (false, false);
        for field in content_types(header) {
            let field = header.get(field).unwrap_or_default();
            is_typed = true;
            is_mail |= holds(field, b"rfc822") || holds(field, b"global");
            self.is_digest |= holds(field, b"digest");
        }
        // One that is encoded is never read.
        (is_mail || self.is_digest && !is_typed) && !is_encoded(header)
    }
}

impl Iterator for Headers<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let mut start = self.is_header.then_some(self.at);
        while let Some(rest) = self.raw.get(self.at..).filter(|rest| !rest.is_empty()) {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let line = rest.get(..end).unwrap_or(rest);
            self.at += end;
            if line.starts_with(b"--") && start.is_none() {
                start = Some(self.at);
            }
            if let Some(start) = start
                && matches!(line, b"\n" | b"\r\n")
            {
                let raw = self.raw;
                self.is_header = self.announces_a_mail(raw.get(start..self.at).unwrap_or_default());
                return Some(start..self.at);
            }
        }
        self.is_header = false;
        start
            .filter(|start| *start < self.at)
            .map(|start| start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Behind [`HEADER_BYTES_MAX`], where mails are looked at.
    fn large(mail: &str) -> Vec<u8> {
        let filling =
            "dGV4dCBvZiBhIGZpbGUgdGhhdCBpcyBqdXN0IGxvbmcsIHdpdGhvdXQgYW4gZW1wdHkgbGluZQ==\n";
        format!(
            "{mail}{}",
            filling.repeat(2 * HEADER_BYTES_MAX / filling.len())
        )
        .into_bytes()
    }

    fn unread(mail: &str) -> String {
        let raw = large(mail);
        assert!(!is_bomb(&raw), "{mail}");
        let unread = with_encoded_mails_unread(raw.into());
        String::from_utf8_lossy(&unread[..mail.len()]).into_owned()
    }

    #[test]
    fn headers_without_end_are_found_wherever_they_stand() {
        let fields = "a:\n".repeat(HEADERS_BYTES_MAX / 3 + 1);
        let addresses = format!("To: {}\n", "a,".repeat(HEADERS_BYTES_MAX / 2));
        for endless in [fields, addresses] {
            for before in [
                "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n",
                "Subject: x\nContent-Type: message/rfc822\n\n",
                "Subject: x\nContent-Type:\n message/(a comment)\n\tGlobal\n\n",
                "Content-Type: multipart/digest; boundary=b\n\n--b\n\n",
            ] {
                assert!(
                    is_bomb(format!("{before}{endless}\nx\n").as_bytes()),
                    "{before}"
                );
            }
        }
    }

    #[test]
    fn long_files_are_no_headers() {
        for before in [
            "Message-ID: <a@b>\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n",
            "Subject: no type at all\n\n",
            "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/csv\n\n",
            "Subject: x\n\n-- \nBob\n\n",
        ] {
            assert!(!is_bomb(&large(before)), "{before}");
        }
    }

    #[test]
    fn an_encoded_mail_inside_is_a_file_for_the_parser() {
        for (subtype, encoding) in [("rfc822", "base64"), ("Global", "Quoted-Printable")] {
            let head = "Subject: rfc822 goes global, a digest\n";
            let part = format!(
                "Content-Transfer-Encoding:\n {encoding}\nContent-Type: message/\n {subtype}; name=a.eml\n\n"
            );
            let mail = format!("{head}Content-Type: multipart/mixed; boundary=b\n\n--b\n{part}");
            assert_eq!(
                unread(&mail),
                mail.replacen(&format!("\n {subtype};"), "\n x-mail;", 1)
            );
        }
        let digest = "Subject: a digest\nContent-Type: multipart/digest; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\n";
        assert_eq!(unread(digest), digest.replace("t/digest", "t/x-mail"));
    }

    #[test]
    fn what_is_not_encoded_stays_as_it_is() {
        for mail in [
            "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: y\n\nx\n--b\n\n",
            "Subject: rfc822\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n",
        ] {
            assert_eq!(unread(mail), mail);
        }
    }
}
