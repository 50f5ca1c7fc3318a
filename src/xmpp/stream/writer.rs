//! The outgoing side of a connection: what is queued meanwhile goes out in one write.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncWrite, WriteHalf},
    time::Instant,
};

use super::endpoint::Connection;

pub(crate) struct Writer {
    half: WriteHalf<Box<dyn Connection>>,
    buffer: Vec<u8>,
    written: usize,
    /// Since when the server takes nothing.
    stalled: Option<Instant>,
    dead: bool,
}

impl Writer {
    /// No more is gathered for one write.
    pub(crate) const BYTES_MAX: usize = 64 * 1024;

    pub(crate) fn new(half: WriteHalf<Box<dyn Connection>>) -> Self {
        Self {
            half,
            buffer: Vec::new(),
            written: 0,
            stalled: None,
            dead: false,
        }
    }

    /// Queues bytes for the next write.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if !self.dead {
            self.stalled.get_or_insert_with(Instant::now);
            self.buffer.extend_from_slice(bytes);
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        !self.dead && self.buffer.len() < Self::BYTES_MAX
    }

    pub(crate) fn is_pending(&self) -> bool {
        !self.dead && !self.buffer.is_empty()
    }

    /// When the server must have taken something.
    pub(crate) fn deadline(&self, patience: Duration) -> Option<Instant> {
        self.stalled
            .filter(|_| self.is_pending())
            .map(|since| since + patience)
    }

    /// Time passed in which the server may have waited for us.
    pub(crate) fn postpone(&mut self, by: Duration) {
        self.stalled = self.stalled.map(|since| since + by);
    }

    /// After an error nothing is written any more.
    pub(crate) fn give_up(&mut self) {
        self.dead = true;
        self.buffer = Vec::new();
    }

    /// Writes and flushes everything; gives the number of bytes. Dropped half-way it has lost nothing.
    pub(crate) async fn flush(&mut self) -> io::Result<usize> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some(rest) = self
            .buffer
            .get(self.written..)
            .filter(|rest| !rest.is_empty())
        {
            match ready!(Pin::new(&mut self.half).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                bytes => self.written += bytes,
            }
            self.stalled = Some(Instant::now());
        }
        ready!(Pin::new(&mut self.half).poll_flush(cx))?;
        let bytes = std::mem::take(&mut self.written);
        self.buffer.clear();
        self.buffer.shrink_to(2 * Self::BYTES_MAX);
        self.stalled = None;
        Poll::Ready(Ok(bytes))
    }
}
