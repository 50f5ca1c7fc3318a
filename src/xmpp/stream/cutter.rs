//! Cuts a stream of bytes into stanzas.
//!
//! The cutter looks at `<`, `>`, quotes and CDATA only; what lies between is the parser's. Its whole state is in
//! itself, so a read may be cancelled at any time, and bytes are looked at once however they arrive. A stanza that
//! grows beyond the limit is skipped, not kept: its size is the fault of whoever wrote it, and the stream is not.

use bytes::{Buf, BytesMut};
use memchr::{memchr, memchr3, memmem};

use crate::xmpp::stanza::{Limits, ParseError};

/// A piece of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cut<'a> {
    /// The stream's open tag.
    Open(&'a str),
    /// A whole element.
    Stanza(&'a str),
    /// An element was bigger than allowed; its open tag, if that was not.
    TooBig(Option<String>),
    /// The stream's close tag.
    Close,
}

#[derive(Debug)]
pub(crate) struct Cutter {
    buffer: BytesMut,
    stanza_bytes_max: usize,
    /// What the last cut lent out and the next call drops.
    lent: usize,
    /// Everything before this has been looked at.
    seen: usize,
    state: State,
    stage: Stage,
    depth: usize,
    /// Where the open tag of the current stanza ends.
    head_end: Option<usize>,
    skipped: Option<Skipped>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Outside of tags.
    Content,
    /// After `<`. `last` is the byte before `seen`.
    Tag {
        closing: bool,
        quote: Option<u8>,
        last: u8,
    },
    /// After `<![CDATA[`.
    CData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before the stream's open tag; an XML declaration may come.
    New,
    /// An XML declaration came.
    Declared,
    Open,
    Closed,
}

#[derive(Debug)]
struct Skipped {
    head: Option<String>,
    bytes: usize,
}

/// The stream's open tag, and that of a stanza that is skipped.
const HEAD_BYTES_MAX: usize = 4096;
/// A server that sends more than this for one stanza is broken.
const SKIPPED_BYTES_MAX: usize = 64 * 1024 * 1024;
const CDATA: &[u8] = b"<![CDATA[";

type Result<T> = std::result::Result<T, ParseError>;

impl Cutter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            buffer: BytesMut::new(),
            stanza_bytes_max: limits.stanza_bytes,
            lent: 0,
            seen: 0,
            state: State::Content,
            stage: Stage::New,
            depth: 0,
            head_end: None,
            skipped: None,
        }
    }

    /// Where to read to.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        self.release();
        &mut self.buffer
    }

    /// The next piece, if it is there as a whole.
    pub(crate) fn next(&mut self) -> Result<Option<Cut<'_>>> {
        self.release();
        loop {
            let Some(end) = self.next_tag()? else {
                self.bound()?;
                return Ok(None);
            };
            match self.count(end)? {
                None => {}
                Some(Whole::Open) => return Ok(Some(Cut::Open(self.lend(end)?))),
                Some(Whole::Close) => {
                    self.lent = end;
                    return Ok(Some(Cut::Close));
                }
                Some(Whole::Stanza) => {
                    let head_end = self.head_end.take();
                    if let Some(skipped) = self.skipped.take() {
                        self.lent = end;
                        return Ok(Some(Cut::TooBig(skipped.head)));
                    }
                    if end > self.stanza_bytes_max {
                        self.lent = end;
                        return Ok(Some(Cut::TooBig(self.head(head_end))));
                    }
                    return Ok(Some(Cut::Stanza(self.lend(end)?)));
                }
            }
        }
    }

    /// Looks for the end of the next tag; where it is found, everything up to there has been seen.
    fn next_tag(&mut self) -> Result<Option<usize>> {
        loop {
            let found = match self.state {
                State::Content => self.scan_content()?,
                State::CData => self.scan_cdata(),
                State::Tag { .. } => self.scan_tag(),
            };
            match found {
                Scan::More => return Ok(None),
                Scan::On => {}
                Scan::TagEnd => return Ok(Some(self.seen)),
            }
        }
    }

    fn scan_content(&mut self) -> Result<Scan> {
        let between = self.depth == 0;
        let rest = self.buffer.get(self.seen..).unwrap_or_default();
        let text = memchr(b'<', rest).unwrap_or(rest.len());
        if between {
            if self.stage == Stage::Closed {
                self.drop_seen(self.buffer.len());
                return Ok(Scan::More);
            }
            if !rest[..text].iter().all(u8::is_ascii_whitespace) {
                return Err(ParseError::NotWellFormed("text between stanzas".into()));
            }
            self.drop_seen(text);
        } else {
            self.seen += text;
        }
        let rest = self.buffer.get(self.seen..).unwrap_or_default();
        match rest {
            [] | [_] => return Ok(Scan::More),
            [_, b'?', ..] => return self.scan_declaration(),
            [_, b'!', ..]
                if !between && CDATA.starts_with(&rest[..rest.len().min(CDATA.len())]) =>
            {
                if rest.len() < CDATA.len() {
                    return Ok(Scan::More);
                }
                self.seen += CDATA.len();
                self.state = State::CData;
            }
            [_, b'!', ..] => return Err(ParseError::Restricted("a comment or a document type")),
            [_, next, ..] => {
                self.state = State::Tag {
                    closing: *next == b'/',
                    quote: None,
                    last: b'<',
                };
                self.seen += 1;
            }
        }
        Ok(Scan::On)
    }

    /// RFC 6120 §11.5: an XML declaration may precede the stream; no other processing instruction exists.
    fn scan_declaration(&mut self) -> Result<Scan> {
        let rest = self.buffer.get(self.seen..).unwrap_or_default();
        let start = b"<?xml ";
        let known = rest.len().min(start.len());
        if self.stage != Stage::New || rest[..known] != start[..known] {
            return Err(ParseError::Restricted("a processing instruction"));
        }
        match memmem::find(rest, b"?>") {
            Some(end) if end < HEAD_BYTES_MAX => {
                let lower = rest[..end].to_ascii_lowercase();
                if memmem::find(&lower, b"encoding").is_some()
                    && memmem::find(&lower, b"utf-8").is_none()
                {
                    return Err(ParseError::NotUtf8);
                }
                self.drop_seen(end + 2);
                self.stage = Stage::Declared;
                Ok(Scan::On)
            }
            None if rest.len() < HEAD_BYTES_MAX => Ok(Scan::More),
            _ => Err(ParseError::Restricted("a processing instruction")),
        }
    }

    fn scan_cdata(&mut self) -> Scan {
        let rest = self.buffer.get(self.seen..).unwrap_or_default();
        if let Some(end) = memmem::find(rest, b"]]>") {
            self.seen += end + 3;
            self.state = State::Content;
            return Scan::On;
        }
        self.seen += rest.len().saturating_sub(2);
        Scan::More
    }

    fn scan_tag(&mut self) -> Scan {
        let State::Tag {
            closing,
            quote,
            last,
        } = self.state
        else {
            return Scan::On;
        };
        let rest = self.buffer.get(self.seen..).unwrap_or_default();
        let found = match quote {
            Some(quote) => memchr(quote, rest),
            None => memchr3(b'>', b'\'', b'"', rest),
        };
        let Some(at) = found else {
            let last = rest.last().copied().unwrap_or(last);
            self.seen = self.buffer.len();
            self.state = State::Tag {
                closing,
                quote,
                last,
            };
            return Scan::More;
        };
        let last = if at == 0 { last } else { rest[at - 1] };
        let byte = rest[at];
        self.seen += at + 1;
        self.state = match (quote, byte) {
            (None, b'>') => {
                self.state = State::Tag {
                    closing,
                    quote: None,
                    last,
                };
                return Scan::TagEnd;
            }
            (None, quote) => State::Tag {
                closing,
                quote: Some(quote),
                last: quote,
            },
            (Some(quote), _) => State::Tag {
                closing,
                quote: None,
                last: quote,
            },
        };
        Scan::On
    }

    /// Counts a tag that is there as a whole, and tells what it completes.
    fn count(&mut self, end: usize) -> Result<Option<Whole>> {
        let State::Tag { closing, last, .. } = self.state else {
            return Ok(None);
        };
        self.state = State::Content;
        let empty = last == b'/' && !closing;
        match (self.stage, self.depth) {
            (Stage::New | Stage::Declared, _) if closing || empty => {
                return Err(ParseError::NotWellFormed("no stream header".into()));
            }
            (Stage::New | Stage::Declared, _) => {
                self.stage = Stage::Open;
                return Ok(Some(Whole::Open));
            }
            (_, 0) if closing => {
                self.stage = Stage::Closed;
                return Ok(Some(Whole::Close));
            }
            (_, 0) if self.skipped.is_none() => self.head_end = Some(end),
            _ => {}
        }
        if closing {
            self.depth -= 1;
        } else if !empty {
            self.depth += 1;
        }
        Ok((self.depth == 0).then_some(Whole::Stanza))
    }

    /// Keeps what is not whole yet within bounds.
    fn bound(&mut self) -> Result<()> {
        if matches!(self.stage, Stage::New | Stage::Declared) {
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(ParseError::TooBig {
                    what: "bytes in the stream's header",
                    max: HEAD_BYTES_MAX,
                });
            }
            return Ok(());
        }
        if self.skipped.is_none() && self.buffer.len() > self.stanza_bytes_max {
            let head = self.head(self.head_end);
            self.skipped = Some(Skipped { head, bytes: 0 });
        }
        if let Some(skipped) = &mut self.skipped {
            skipped.bytes += self.seen;
            if skipped.bytes > SKIPPED_BYTES_MAX {
                return Err(ParseError::TooBig {
                    what: "bytes in a stanza",
                    max: SKIPPED_BYTES_MAX,
                });
            }
            self.drop_seen(self.seen);
        }
        Ok(())
    }

    fn head(&self, end: Option<usize>) -> Option<String> {
        // Below the limit of a stanza too, so that it does not matter where reads end.
        let max = HEAD_BYTES_MAX.min(self.stanza_bytes_max);
        let head = self.buffer.get(..end.filter(|end| *end <= max)?)?;
        str::from_utf8(head).ok().map(str::to_owned)
    }

    fn lend(&mut self, end: usize) -> Result<&str> {
        self.lent = end;
        let bytes = self.buffer.get(..end).unwrap_or_default();
        str::from_utf8(bytes).map_err(|_| ParseError::NotUtf8)
    }

    fn release(&mut self) {
        if self.lent > 0 {
            let lent = std::mem::take(&mut self.lent);
            self.drop_seen(lent);
        }
    }

    fn drop_seen(&mut self, bytes: usize) {
        self.buffer.advance(bytes);
        self.seen = self.seen.saturating_sub(bytes);
    }
}

enum Scan {
    /// More bytes are needed.
    More,
    /// The state changed.
    On,
    TagEnd,
}

enum Whole {
    Open,
    Stanza,
    Close,
}

#[cfg(test)]
#[path = "cutter_tests.rs"]
mod tests;
