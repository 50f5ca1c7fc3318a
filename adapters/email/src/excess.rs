//! What a server may say at once. A user may have named it, and the libraries take what comes until it is whole: the one by SMTP looks at the
//! length of a line behind its end, the one by IMAP makes room for all that is announced before it is there.

use std::io;

/// Of one reply by SMTP, in bytes since something was last written. The library takes 100,000 of whole lines, and reads a few ahead.
const REPLY_BYTES_MAX: usize = 128 * 1024;

/// Of one answer by IMAP, in bytes, where nothing large was asked for: capabilities, names, flags, news. The library keeps a hundred of them
/// for whoever asks for news.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Opening brackets in one answer by IMAP. The library goes as deep as they do, until its stack is full and the process ends: with
/// sixty or more in a build for tests. What is asked for here has three, and a name or a word some more.
const BRACKETS_MAX: usize = 32;

/// More than is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Excess {
    #[error("the server wrote a reply of more than {REPLY_BYTES_MAX} bytes")]
    Reply,
    #[error("the server wrote an answer of more than {bytes_max} bytes")]
    Answer { bytes_max: usize },
    #[error("the server announces {bytes} bytes in an answer that may have {bytes_max} altogether")]
    Announced { bytes: usize, bytes_max: usize },
    #[error("the server announces {bytes} bytes behind a line that has nothing behind it")]
    Misplaced { bytes: usize },
    #[error("the server wrote an answer with more than {BRACKETS_MAX} brackets")]
    Brackets,
    #[error("the server found more than {mails_max} mails")]
    Found { mails_max: usize },
}

impl Excess {
    /// Whether this is why reading failed.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<Excess> for io::Error {
    fn from(excess: Excess) -> Self {
        Self::new(io::ErrorKind::InvalidData, excess)
    }
}

/// Looks at what is read from a connection before a library does.
#[derive(Debug)]
pub(crate) enum Watch {
    /// SMTP: how many bytes were read since something was written.
    Replies(usize),
    /// IMAP, where much may follow one command, and news none.
    Answers(Answers),
}

impl Watch {
    pub(crate) fn wrote(&mut self) {
        if let Self::Replies(bytes) = self {
            *bytes = 0;
        }
    }

    /// These bytes came.
    ///
    /// # Errors
    ///
    /// When they are too many, or announce too many.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<(), Excess> {
        match self {
            Self::Replies(read) => {
                *read = read.saturating_add(bytes.len());
                let fits = *read <= REPLY_BYTES_MAX;
                fits.then_some(()).ok_or(Excess::Reply)
            }
            Self::Answers(answers) => answers.read(bytes),
        }
    }
}

/// Follows the answers of an IMAP server: lines, with strings of announced length between them. RFC 3501 §4.3
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) bytes_max: usize,
    /// Of the answer that is being read, with what it announces.
    bytes: usize,
    /// How it begins.
    start: [u8; START_BYTES],
    last: u8,
    brackets: usize,
    length: Length,
    /// What is still to come of an announced string.
    string: usize,
}

/// `* PREAUTH`
const START_BYTES: usize = 9;

/// An announcement, `{123}` or `{123+}` at the end of a line, as far as it was read.
#[derive(Clone, Copy, Debug)]
enum Length {
    None,
    Open(usize),
    Closed(usize),
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            bytes_max: ANSWER_BYTES_MAX,
            bytes: 0,
            start: [0; START_BYTES],
            last: 0,
            brackets: 0,
            length: Length::None,
            string: 0,
        }
    }
}

impl Answers {
    fn read(&mut self, mut bytes: &[u8]) -> Result<(), Excess> {
        while let Some((byte, behind)) = bytes.split_first() {
            if self.string == 0 {
                self.next(*byte)?;
                bytes = behind;
            } else {
                let now = self.string.min(bytes.len());
                self.string -= now;
                bytes = bytes.get(now..).unwrap_or_default();
            }
        }
        Ok(())
    }

    fn next(&mut self, byte: u8) -> Result<(), Excess> {
        let bytes_max = self.bytes_max;
        if self.bytes >= bytes_max {
            return Err(Excess::Answer { bytes_max });
        }
        if let Some(place) = self.start.get_mut(self.bytes) {
            *place = byte;
        }
        self.bytes += 1;
        self.brackets += usize::from(byte == b'(');
        if self.brackets > BRACKETS_MAX {
            return Err(Excess::Brackets);
        }
        self.length = self.length.then(byte);
        let ends = self.last == b'\r' && byte == b'\n';
        self.last = byte;
        match self.length {
            _ if !ends => Ok(()),
            Length::Closed(bytes) => self.announced(bytes),
            Length::None | Length::Open(_) => {
                *self = Self {
                    bytes_max,
                    ..Self::default()
                };
                Ok(())
            }
        }
    }

    fn announced(&mut self, bytes: usize) -> Result<(), Excess> {
        let bytes_max = self.bytes_max;
        // The library may take it for words and what follows for an answer, which would then be one that nobody looked at.
        if self.is_words() {
            return Err(Excess::Misplaced { bytes });
        }
        if bytes > bytes_max.saturating_sub(self.bytes) {
            return Err(Excess::Announced { bytes, bytes_max });
        }
        self.bytes += bytes;
        self.string = bytes;
        (self.last, self.length) = (0, Length::None);
        Ok(())
    }

    /// Whether the answer ends with words for people: a tagged one, one that asks to go on, a status. RFC 3501 §7.1
    fn is_words(&self) -> bool {
        let Some(word) = self.start.strip_prefix(b"* ") else {
            return true;
        };
        let statuses = ["OK", "NO", "BAD", "BYE", "PREAUTH"];
        statuses.iter().any(|status| {
            word.get(..status.len())
                .is_some_and(|word| word.eq_ignore_ascii_case(status.as_bytes()))
        })
    }
}

impl Length {
    /// With this byte behind it.
    fn then(self, byte: u8) -> Self {
        match (self, byte) {
            (_, b'{') => Self::Open(0),
            (Self::Open(bytes), b'0'..=b'9') => Self::Open(
                bytes
                    .saturating_mul(10)
                    .saturating_add(usize::from(byte - b'0')),
            ),
            (Self::Open(_), b'+') | (Self::Closed(_), b'\r' | b'\n') => self,
            (Self::Open(bytes), b'}') => Self::Closed(bytes),
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(bytes_max: usize) -> Answers {
        Answers {
            bytes_max,
            ..Answers::default()
        }
    }

    /// The same, however the network cuts it.
    fn read(bytes_max: usize, text: &str) -> Result<(), Excess> {
        let whole = answers(bytes_max).read(text.as_bytes());
        for size in 1..text.len().min(80) {
            let mut cut = answers(bytes_max);
            let read = text.as_bytes().chunks(size).try_for_each(|at| cut.read(at));
            assert_eq!(read, whole, "cut after every {size}: {text}");
        }
        whole
    }

    #[test]
    fn rfc3501_answers_pass_however_many_they_are() {
        let fetch = "* 1 FETCH (UID 1 BODY[HEADER]<0> {8}\r\na: {9}\r\n BODY[]<0> {5}\r\n* {9}FLAGS ())\r\n";
        let some = "* OK [ALERT] {1} of {2}.\r\n* CAPABILITY IMAP4rev1 IDLE\r\n* LIST () \"/\" {3}\r\na\r\n\r\n+ idling\r\nA1 OK\r\n";
        assert_eq!(read(100, &[fetch, some].concat().repeat(50)), Ok(()));
    }

    #[test]
    fn an_announced_string_is_refused_before_its_first_byte() {
        let huge = "* LIST () \"/\" ";
        for (length, bytes) in [
            ("{500000000}", 500_000_000),
            ("{500000000+}", 500_000_000),
            ("{00000000000000000000000000000500000000}", 500_000_000),
            ("{99999999999999999999999999}", usize::MAX),
            ("{980}", 980),
        ] {
            let want = Excess::Announced {
                bytes,
                bytes_max: 1000,
            };
            let read = read(1000, &format!("{huge}{length}\r\n"));
            assert_eq!(read, Err(want), "for {length}");
        }
    }

    #[test]
    fn many_strings_of_one_answer_count_together() {
        let part = format!("BODY[] {{300}}\r\n{} ", "a".repeat(300));
        let text = format!("* 1 FETCH ({}", part.repeat(4));
        assert!(matches!(
            read(1000, &text),
            Err(Excess::Announced { bytes: 300, .. })
        ));
    }

    #[test]
    fn words_hide_no_announcement() {
        for line in [
            "* OK {30}",
            "* no [BADCHARSET ({30}",
            "* PREAUTH {30}",
            "A1 BAD {30}",
            "+ {30}",
            "{30}",
        ] {
            let text = format!("{line}\r\n* LIST () \"/\" {{500000000}}\r\n");
            let want = Excess::Misplaced { bytes: 30 };
            assert_eq!(read(1000, &text), Err(want), "for {line}");
        }
    }

    #[test]
    fn brackets_have_an_end() {
        let text = |brackets| format!("* 1 FETCH ({}\r\n", "(".repeat(brackets - 1));
        assert_eq!(read(1000, &text(BRACKETS_MAX).repeat(3)), Ok(()));
        assert_eq!(read(1000, &text(BRACKETS_MAX + 1)), Err(Excess::Brackets));
    }

    #[test]
    fn a_line_has_to_end() {
        let want = Err(Excess::Answer { bytes_max: 1000 });
        for endless in ["a", "\n", "\r", "{", "{9}\n"] {
            let text = format!("* OK {}", endless.repeat(1000));
            assert_eq!(read(1000, &text), want, "for {endless:?}");
        }
    }

    #[test]
    fn a_reply_is_counted_from_what_was_asked() {
        let mut watch = Watch::Replies(0);
        let most = vec![b'a'; REPLY_BYTES_MAX];
        for _ in 0..3 {
            assert_eq!(watch.read(&most), Ok(()));
            watch.wrote();
        }
        assert_eq!(watch.read(&most), Ok(()));
        assert_eq!(watch.read(b"a"), Err(Excess::Reply));
    }
}
