//! The bytes of a connection: lines in, replies out, bounds on both.

use std::{io, time::Duration};

use smtp_proto::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::listener::Stream;

/// RFC 5321 §4.5.3.1.4 asks for 512, extensions for a few more.
const LINE_BYTES_MAX: usize = 4096;
const CHUNK_BYTES: usize = 16 * 1024;
/// For the other side to take our replies.
const WRITE: Duration = Duration::from_mins(1);

/// A connection with what was read ahead and what is not yet written: replies to pipelined commands leave together. RFC 2920 §3.2
pub(crate) struct Wire {
    stream: Stream,
    input: Vec<u8>,
    used: usize,
    output: Vec<u8>,
}

/// One line, or why there is none.
pub(crate) enum Line {
    Whole(Vec<u8>),
    /// It was longer than a command can be; it has been read past.
    TooLong,
    Late,
    End,
}

impl Wire {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: Vec::new(),
            used: 0,
            output: Vec::new(),
        }
    }

    /// Adds a reply; it is written before the next read.
    pub(crate) fn say(&mut self, reply: &str) {
        self.output.extend_from_slice(reply.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    /// What was read and not yet used.
    pub(crate) fn unread(&self) -> &[u8] {
        self.input.get(self.used..).unwrap_or_default()
    }

    /// Counts everything as used but the last `bytes`.
    pub(crate) fn keep_last(&mut self, bytes: usize) {
        self.used = self.input.len().saturating_sub(bytes);
    }

    /// The next line with its end. Safe to drop: nothing that was read is lost.
    pub(crate) async fn line(&mut self, deadline: Duration) -> io::Result<Line> {
        let mut too_long = false;
        loop {
            if let Some(end) = self.unread().iter().position(|byte| *byte == b'\n') {
                let line = self.unread().get(..=end).unwrap_or_default().to_vec();
                self.used += end + 1;
                let fits = !too_long && line.len() <= LINE_BYTES_MAX;
                return Ok(if fits {
                    Line::Whole(line)
                } else {
                    Line::TooLong
                });
            }
            if self.unread().len() > LINE_BYTES_MAX {
                too_long = true;
                self.used = self.input.len();
            }
            self.flush().await?;
            match timeout(deadline, self.read_more()).await {
                Ok(more) => {
                    if !more? {
                        return Ok(Line::End);
                    }
                }
                Err(_) => return Ok(Line::Late),
            }
        }
    }

    /// Reads once; false at the end of the stream.
    pub(crate) async fn read_more(&mut self) -> io::Result<bool> {
        self.input.drain(..self.used.min(self.input.len()));
        self.used = 0;
        self.input.reserve(CHUNK_BYTES);
        Ok(self.stream.read_buf(&mut self.input).await? > 0)
    }

    /// Writes what was said.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let written = timeout(WRITE, self.stream.write_all(&self.output)).await;
        written.map_err(late)??;
        self.output.clear();
        timeout(WRITE, self.stream.flush()).await.map_err(late)?
    }
}

/// What is said to a command that cannot be understood.
pub(super) fn refusal(error: &Error) -> &'static str {
    match error {
        Error::UnknownCommand => "500 5.5.1 unknown command",
        Error::InvalidSenderAddress => "501 5.1.7 the sender is no address",
        Error::InvalidRecipientAddress => "501 5.1.3 the recipient is no address",
        Error::InvalidParameter { .. } => "501 5.5.4 a parameter is wrong",
        Error::UnsupportedParameter { .. } => "555 5.5.4 a parameter is not known here",
        _ => "501 5.5.2 not understood",
    }
}
