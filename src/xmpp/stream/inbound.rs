//! The incoming side of a connection: cuts, parses, sorts out answers to ourselves, and hands over batches.

use std::{io, mem, sync::atomic::Ordering, time::Duration};

use bytes::BufMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::oneshot,
    time::Instant,
};

use super::{
    Counters, LinkError, Phase,
    barrier::Barriers,
    cutter::{Cut, Cutter},
    handle::{Batch, Commit, Received},
    login::LoggedIn,
    requests::Requests,
};
use crate::xmpp::{
    jid::DomainPart,
    ns,
    stanza::{Element, Fault, Head, Invalid, ParseError, Parser, Stanza},
};

pub(crate) struct Inbound<'a> {
    cutter: Cutter,
    parser: Parser,
    domain: &'a DomainPart,
    counters: &'a Counters,
    gate: Gate,
    shut_at: Instant,
    foreign_seen: bool,
    /// What lies in the buffer cannot be read.
    broken: bool,
    /// Nothing more will come.
    pub(crate) ended: bool,
}

/// Semantics 1: nothing is read while a batch is not acknowledged.
enum Gate {
    Open,
    Full(Vec<Received>),
    Committing {
        stanzas: usize,
        ack: oneshot::Receiver<()>,
    },
}

/// What [`Inbound::progress`] did.
pub(crate) enum Progress {
    /// Bytes came, or the connection's end.
    Read(io::Result<usize>),
    /// The consumer is done with a batch.
    Committed {
        /// For how long nothing was read.
        shut_for: Duration,
    },
}

/// What the server said about the stream itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Close,
    Error(LinkError),
}

const BATCH_STANZAS_MAX: usize = 64;
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// One read; small, since what was read and not committed is what a kill loses.
const READ_BYTES: usize = 32 * 1024;

impl<'a> Inbound<'a> {
    pub(crate) fn new(
        cutter: Cutter,
        parser: Parser,
        domain: &'a DomainPart,
        counters: &'a Counters,
    ) -> Self {
        let (gate, shut_at) = (Gate::Open, Instant::now());
        Self {
            cutter,
            parser,
            domain,
            counters,
            gate,
            shut_at,
            foreign_seen: false,
            broken: false,
            ended: false,
        }
    }

    /// Reads once, or waits for the consumer's acknowledgement. Dropped half-way it has lost nothing.
    pub(crate) async fn progress(&mut self, from: &mut (impl AsyncRead + Unpin)) -> Progress {
        match &mut self.gate {
            Gate::Open if !self.ended => {
                let buffer = self.cutter.buffer();
                buffer.reserve(READ_BYTES);
                Progress::Read(from.read_buf(&mut buffer.limit(READ_BYTES)).await)
            }
            Gate::Open | Gate::Full(_) => std::future::pending().await,
            Gate::Committing { stanzas, ack } => {
                if ack.await.is_err() {
                    tracing::warn!(domain = %self.domain, stanzas, "A batch was dropped without a commit.");
                    Counters::add(&self.counters.dropped, *stanzas);
                }
                self.counters
                    .uncommitted
                    .fetch_sub(*stanzas as u64, Ordering::Relaxed);
                self.gate = Gate::Open;
                Progress::Committed {
                    shut_for: self.shut_at.elapsed(),
                }
            }
        }
    }

    /// Whether everything that came has been handed over and acknowledged.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.gate, Gate::Open)
    }

    pub(crate) fn has_batch(&self) -> bool {
        matches!(self.gate, Gate::Full(_))
    }

    /// Looks at what was read, up to one batch.
    pub(crate) fn cut(
        &mut self,
        barriers: &mut Barriers,
        requests: &mut Requests,
    ) -> Result<Option<Word>, ParseError> {
        if !self.is_open() || self.broken {
            return Ok(None);
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut word = None;
        let mut fault = None;
        while batch.len() < BATCH_STANZAS_MAX && bytes < BATCH_BYTES_MAX && word.is_none() {
            match self.next() {
                Ok(Some(Piece::Stanza(stanza, size))) => {
                    let ours = barriers
                        .take_answer(stanza)
                        .and_then(|stanza| requests.take_answer(stanza));
                    if let Some(stanza) = ours {
                        batch.push(Received::Stanza(stanza));
                        bytes += size;
                    }
                }
                Ok(Some(Piece::Invalid(invalid, size))) => {
                    batch.push(Received::Invalid(invalid));
                    bytes += size;
                }
                Ok(Some(Piece::Word(heard))) => word = Some(heard),
                Ok(None) => break,
                Err(error) => {
                    self.broken = true;
                    fault = Some(error);
                    break;
                }
            }
        }
        self.hand_over(batch);
        fault.map_or(Ok(word), Err)
    }

    /// The batch for the consumer.
    pub(crate) fn take_batch(&mut self) -> Option<Batch> {
        let Gate::Full(stanzas) = &mut self.gate else {
            return None;
        };
        let stanzas = mem::take(stanzas);
        let (commit, ack) = oneshot::channel();
        self.gate = Gate::Committing {
            stanzas: stanzas.len(),
            ack,
        };
        Some(Batch {
            stanzas,
            commit: Commit(commit),
        })
    }

    fn hand_over(&mut self, batch: Vec<Received>) {
        if batch.is_empty() {
            return;
        }
        let invalid = batch
            .iter()
            .filter(|received| matches!(received, Received::Invalid(_)))
            .count();
        Counters::add(&self.counters.invalid, invalid);
        Counters::add(&self.counters.stanzas_in, batch.len() - invalid);
        Counters::add(&self.counters.uncommitted, batch.len());
        self.gate = Gate::Full(batch);
        self.shut_at = Instant::now();
    }

    fn next(&mut self) -> Result<Option<Piece>, ParseError> {
        let (text, element) = match self.cutter.next()? {
            None => return Ok(None),
            Some(Cut::Open(_)) => {
                return Err(ParseError::NotWellFormed("a second stream header".into()));
            }
            Some(Cut::Close) => return Ok(Some(Piece::Word(Word::Close))),
            Some(Cut::TooBig(head)) => {
                let fault = ParseError::TooBig {
                    what: "bytes in a stanza",
                    max: self.parser.limits().stanza_bytes,
                };
                return Ok(Some(unreadable(
                    fault,
                    &self.parser,
                    head.as_deref().unwrap_or_default(),
                )));
            }
            Some(Cut::Stanza(text)) => (text, self.parser.parse(text)),
        };
        let size = text.len();
        let element = match element {
            Ok(element) => element,
            Err(fault) if fault.breaks_stream() => return Err(fault),
            Err(fault) => return Ok(Some(unreadable(fault, &self.parser, text))),
        };
        if element.is("error", ns::STREAM) {
            return Ok(Some(Piece::Word(Word::Error(
                LinkError::from_stream_error(&element, Phase::Live),
            ))));
        }
        Ok(Some(self.sort(element, size)))
    }

    fn sort(&mut self, element: Element, size: usize) -> Piece {
        let stanza = match Stanza::try_from(element) {
            Ok(stanza) => stanza,
            Err(invalid) => return Piece::Invalid(invalid, size),
        };
        if stanza
            .recipient()
            .is_none_or(|to| *to.domain() == **self.domain)
        {
            return Piece::Stanza(stanza, size);
        }
        if !mem::replace(&mut self.foreign_seen, true) {
            tracing::error!(
                domain = %self.domain,
                to = stanza.recipient().map(|to| to.domain().as_str()),
                "The server hands over stanzas of another domain; in ejabberd's listener set `global_routes: false`."
            );
        }
        Piece::Invalid(Invalid::boxed(Fault::NotOurs, &stanza.to_element()), size)
    }
}

impl Drop for Inbound<'_> {
    fn drop(&mut self) {
        let stanzas = match &self.gate {
            Gate::Open => return,
            Gate::Full(stanzas) => stanzas.len(),
            Gate::Committing { stanzas, .. } => *stanzas,
        };
        self.counters
            .uncommitted
            .fetch_sub(stanzas as u64, Ordering::Relaxed);
    }
}

enum Piece {
    Stanza(Stanza, usize),
    Invalid(Box<Invalid>, usize),
    Word(Word),
}

/// A stanza whose end is known but that cannot be read as a whole: only its open tag is looked at.
fn unreadable(fault: ParseError, parser: &Parser, text: &str) -> Piece {
    let head = parser
        .head(text)
        .map(|element| Head::of(&element))
        .unwrap_or_default();
    Piece::Invalid(
        Box::new(Invalid {
            fault: Fault::Unreadable(fault),
            head,
        }),
        text.len(),
    )
}

impl LoggedIn {
    /// Splits off the incoming side.
    pub(crate) fn inbound<'a>(
        self,
        domain: &'a DomainPart,
        counters: &'a Counters,
    ) -> (Inbound<'a>, Box<dyn super::endpoint::Connection>) {
        (
            Inbound::new(self.cutter, self.parser, domain, counters),
            self.stream,
        )
    }
}
