//! A bound connection, until it ends.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    pin::Pin,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    frame::{BadLength, Frame, command},
    message::{Deliver, message_id},
    open::{Session, Stream},
    overdue::Overdue,
    requests::{Mark, Outcome, Request, Requests},
    status,
};

/// What is done with what comes.
pub trait Handler: Sync {
    /// Takes a message or a receipt, and says by which status it is answered. May be called again before it returned.
    fn deliver(&self, deliver: Deliver) -> impl Future<Output = u32> + Send;

    /// Takes the answer to a `submit_sm` of which it was said that nobody knows: it came in this session, but too late.
    fn late(&self, mark: Mark, status: u32, message_id: String) -> impl Future<Output = ()> + Send;

    /// Something that is worth counting happened, a fixed word.
    fn count(&self, what: &'static str);
}

/// How patient a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Requests of ours that wait for their answer at once.
    pub window: usize,
    /// How long an answer may take.
    pub response: Duration,
    /// After so long without a word from the other side it is asked whether it is there.
    pub enquire: Duration,
}

/// Why a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Ended {
    /// We wanted it to.
    #[error("unbound")]
    Stopped,
    /// The other side said so.
    #[error("the SMSC ended the session")]
    Unbound,
    /// The connection broke.
    #[error("the connection broke")]
    Lost,
    /// It did not answer whether it is there, or did not read.
    #[error("the SMSC does not answer")]
    Silent,
    /// It sent what is no SMPP.
    #[error("{0}")]
    Garbage(#[from] BadLength),
}

/// Messages that are being taken in at once; what comes beyond is told to come again.
const TAKING_MAX: usize = 64;
/// Answered when a `submit_sm` of theirs, or another request that an ESME does not serve, comes.
const BODY_NONE: &[u8] = b"";
/// The `message_id` in a `deliver_sm_resp` is empty. 3.4 §4.6.2
const BODY_EMPTY_ID: &[u8] = b"\0";

impl Session {
    /// Carries both directions until it ends, which is at the latest when `stop` is done: then what was asked is still waited for,
    /// what was taken in is still answered, and the session is unbound.
    pub async fn run<H: Handler>(
        self,
        requests: &mut Requests,
        handler: &H,
        limits: Limits,
        stop: impl Future<Output = ()>,
    ) -> Ended {
        let mut running = Running {
            wire: Wire {
                stream: self.stream,
                read: self.read,
                limits,
            },
            pending: HashMap::new(),
            order: VecDeque::new(),
            overdue: Overdue::default(),
            taking: FuturesUnordered::new(),
            sequence: 1,
            heard: Instant::now(),
            asked: None,
            stopping: false,
            handler,
        };
        let ended = running.carry(requests, stop).await;
        running.pending.clear();
        drop(timeout(Duration::from_secs(1), running.wire.stream.shutdown()).await);
        ended
    }
}

struct Wire {
    stream: Box<dyn Stream>,
    read: BytesMut,
    limits: Limits,
}

/// A request that was written. Whatever becomes of it, whoever asked is told: nobody knows, where no answer came, also when the
/// whole session is dropped.
struct Waiting {
    mark: Option<Mark>,
    until: Instant,
    answer: Option<oneshot::Sender<Outcome>>,
}

impl Waiting {
    fn tell(&mut self, outcome: Outcome) {
        if let Some(answer) = self.answer.take() {
            answer.send(outcome).ok();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.tell(Outcome::Unknown);
    }
}

/// What the handler is at, each with the answer that follows if there is one.
type Taking<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = Option<Frame>> + Send + 'a>>>;

struct Running<'a, H> {
    wire: Wire,
    /// Our requests by sequence number, and their order, which is that of their deadlines.
    pending: HashMap<u32, Waiting>,
    order: VecDeque<(Instant, u32)>,
    overdue: Overdue,
    taking: Taking<'a>,
    sequence: u32,
    heard: Instant,
    /// When the `enquire_link` under way was sent.
    asked: Option<Instant>,
    stopping: bool,
    handler: &'a H,
}

impl<H: Handler> Running<'_, H> {
    async fn carry(&mut self, requests: &mut Requests, stop: impl Future<Output = ()>) -> Ended {
        let mut stop = std::pin::pin!(stop);
        let mut stop_until = None;
        loop {
            match self.read_frames().await {
                Ok(()) => {}
                Err(ended) => return ended,
            }
            let idle = self.pending.is_empty() && self.taking.is_empty();
            if stop_until.is_some_and(|until| idle || until <= Instant::now()) {
                return self.unbind().await;
            }
            let wake = self.next_wake().min(stop_until.unwrap_or_else(far));
            let result = tokio::select! {
                read = self.wire.stream.read_buf(&mut self.wire.read) => match read {
                    Ok(0) | Err(_) => Err(Ended::Lost),
                    Ok(_) => {
                        self.heard = Instant::now();
                        self.asked = None;
                        Ok(())
                    }
                },
                Some(answer) = self.taking.next(), if !self.taking.is_empty() => match answer {
                    Some(answer) => self.wire.write(&answer).await,
                    None => Ok(()),
                },
                request = requests.0.recv(), if self.takes_requests() => match request {
                    Some(request) => self.send(request).await,
                    // The client is gone: nobody will ask again.
                    None => Err(Ended::Stopped),
                },
                () = &mut stop, if stop_until.is_none() => {
                    self.stopping = true;
                    stop_until = Some(Instant::now() + self.wire.limits.response);
                    Ok(())
                },
                () = sleep_until(wake) => self.wake().await,
            };
            if let Err(ended) = result {
                return ended;
            }
        }
    }

    fn takes_requests(&self) -> bool {
        !self.stopping && self.pending.len() < self.wire.limits.window
    }

    async fn send(&mut self, request: Request) -> Result<(), Ended> {
        // Whoever asked has gone: it was not sent, and need not be.
        if request.answer.is_closed() {
            return Ok(());
        }
        let sequence = self.next_sequence();
        let until = Instant::now() + self.wire.limits.response;
        let waiting = Waiting {
            mark: request.mark,
            until,
            answer: Some(request.answer),
        };
        self.order.push_back((until, sequence));
        self.pending.insert(sequence, waiting);
        let frame = Frame::new(request.command, sequence, request.body);
        self.wire.write(&frame).await
    }

    /// 3.4 §3.2: 1 to 0x7FFFFFFF; the bind was 1.
    fn next_sequence(&mut self) -> u32 {
        self.sequence = if self.sequence >= 0x7fff_ffff {
            1
        } else {
            self.sequence + 1
        };
        self.sequence
    }

    async fn read_frames(&mut self) -> Result<(), Ended> {
        while let Some(frame) = Frame::take(&mut self.wire.read)? {
            self.frame(frame).await?;
        }
        Ok(())
    }

    async fn frame(&mut self, frame: Frame) -> Result<(), Ended> {
        if frame.is_answer() {
            self.answered(frame);
            return Ok(());
        }
        let answer = match frame.command {
            command::ENQUIRE_LINK => frame.answer(status::OK, BODY_NONE),
            command::UNBIND => {
                self.wire
                    .write(&frame.answer(status::OK, BODY_NONE))
                    .await?;
                return Err(Ended::Unbound);
            }
            command::DELIVER_SM | command::DATA_SM => match self.take(&frame) {
                Some(answer) => answer,
                None => return Ok(()),
            },
            // 3.4 §4.12: has no answer.
            command::ALERT_NOTIFICATION | command::OUTBIND => return Ok(()),
            _ => {
                self.handler.count("smpp_unknown_pdu");
                let mut nack = frame.answer(status::INVALID_COMMAND, BODY_NONE);
                nack.command = command::GENERIC_NACK;
                nack
            }
        };
        self.wire.write(&answer).await
    }

    /// Begins to take in a message; the answer at once when it cannot be.
    fn take(&mut self, frame: &Frame) -> Option<Frame> {
        let deliver = match frame.command {
            command::DATA_SM => Deliver::read_data(&frame.body),
            _ => Deliver::read(&frame.body),
        };
        let Some(deliver) = deliver else {
            self.handler.count("smpp_broken_pdu");
            return Some(frame.answer(status::INVALID_LENGTH, BODY_EMPTY_ID));
        };
        if self.stopping || self.taking.len() >= TAKING_MAX {
            self.handler.count("smpp_busy");
            return Some(frame.answer(status::TEMPORARY, BODY_EMPTY_ID));
        }
        let (request, handler) = (frame.answer(status::OK, BODY_EMPTY_ID), self.handler);
        self.taking.push(Box::pin(async move {
            let status = handler.deliver(deliver).await;
            Some(Frame { status, ..request })
        }));
        None
    }

    fn answered(&mut self, frame: Frame) {
        if let Some(mut waiting) = self.pending.remove(&frame.sequence) {
            waiting.tell(Outcome::Answered(frame.status, frame.body));
            return;
        }
        // Else an answer to what we never asked, or to our enquire_link.
        if let Some(mark) = self.overdue.take(frame.sequence) {
            self.handler.count("smpp_late_response");
            let id = message_id(&frame.body);
            let late = self.handler.late(mark, frame.status, id);
            self.taking.push(Box::pin(async move {
                late.await;
                None
            }));
        }
    }

    fn next_wake(&self) -> Instant {
        let limits = self.wire.limits;
        let link = self
            .asked
            .map_or(self.heard + limits.enquire, |asked| asked + limits.response);
        let oldest = self.order.front().map(|(until, _)| *until);
        link.min(oldest.unwrap_or_else(far))
    }

    async fn wake(&mut self) -> Result<(), Ended> {
        let (now, limits) = (Instant::now(), self.wire.limits);
        while let Some((until, sequence)) = self.order.front().copied() {
            if until > now {
                break;
            }
            self.order.pop_front();
            let late = self
                .pending
                .get(&sequence)
                .is_some_and(|waiting| waiting.until <= now);
            let waiting = late.then(|| self.pending.remove(&sequence)).flatten();
            if let Some(waiting) = waiting {
                self.handler.count("smpp_no_response");
                if let Some(mark) = waiting.mark {
                    self.overdue.add(sequence, mark);
                }
            }
        }
        match self.asked {
            Some(asked) if asked + limits.response <= now => Err(Ended::Silent),
            None if self.heard + limits.enquire <= now => {
                self.asked = Some(now);
                let sequence = self.next_sequence();
                self.wire
                    .write(&Frame::new(command::ENQUIRE_LINK, sequence, Bytes::new()))
                    .await
            }
            _ => Ok(()),
        }
    }

    async fn unbind(&mut self) -> Ended {
        let sequence = self.next_sequence();
        let unbind = Frame::new(command::UNBIND, sequence, Bytes::new());
        if self.wire.write(&unbind).await.is_ok() {
            // What comes now was not taken in, and comes again to whoever binds next.
            let answered = async {
                while let Ok(frame) = Frame::take(&mut self.wire.read) {
                    match frame {
                        Some(frame) if frame.sequence == sequence && frame.is_answer() => return,
                        Some(_) => {}
                        None => match self.wire.stream.read_buf(&mut self.wire.read).await {
                            Ok(0) | Err(_) => return,
                            Ok(_) => {}
                        },
                    }
                }
            };
            drop(
                timeout(
                    self.wire.limits.response.min(Duration::from_secs(5)),
                    answered,
                )
                .await,
            );
        }
        Ended::Stopped
    }
}

impl Wire {
    async fn write(&mut self, frame: &Frame) -> Result<(), Ended> {
        let mut wire = BytesMut::new();
        frame.write(&mut wire);
        let written = timeout(self.limits.response, self.stream.write_all(&wire)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Ended::Lost),
            Err(_) => return Err(Ended::Silent),
        }
        // TLS keeps what was written until it is flushed.
        match timeout(self.limits.response, self.stream.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::Lost),
            Err(_) => Err(Ended::Silent),
        }
    }
}

/// Later than anything here.
fn far() -> Instant {
    Instant::now() + Duration::from_hours(24)
}
