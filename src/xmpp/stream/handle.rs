//! The ends of a link that the rest of the program holds: [`LinkHandle`] to send, [`LinkEvent`] to receive.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Counters, LinkConfig, LinkError, Refusal, Remedy, outgoing::write_checked};
use crate::xmpp::{
    jid::{DomainPart, Jid},
    stanza::{Invalid, Iq, Presence, Stanza, StanzaError},
};

/// What a link tells, in order.
#[derive(Debug)]
pub enum LinkEvent {
    /// The server accepted the handshake; sends go through from now on.
    Up,
    /// Stanzas came.
    Batch(Batch),
    /// The connection could not be made, or was lost. The link goes on trying.
    Down(LinkError),
    /// Another process has the gateway now: the connection was closed, and none is made until it comes back.
    Elsewhere,
}

/// Stanzas that were read together, at most 64 or 256 KiB.
///
/// Nothing more is read before the batch is acknowledged, answers to pings and requests included: do not wait for
/// [`LinkHandle::send_tracked`] or [`LinkHandle::request`] in between. Commit first, then send.
#[derive(Debug)]
pub struct Batch {
    /// What came, in its order.
    pub stanzas: Vec<Received>,
    pub(crate) commit: Commit,
}

impl Batch {
    /// Says that everything in the batch is stored.
    pub fn committed(self) {
        self.commit.committed();
    }

    /// The stanzas, and the acknowledgement apart from them.
    pub fn split(self) -> (Vec<Received>, Commit) {
        (self.stanzas, self.commit)
    }
}

/// The acknowledgement of a [`Batch`]. Dropped, it counts as not committed, and the link reads on all the same.
#[derive(Debug)]
#[must_use = "dropping it says that the batch was not stored"]
pub struct Commit(pub(crate) oneshot::Sender<()>);

impl Commit {
    /// Says that everything in the batch is stored.
    pub fn committed(self) {
        // A link that is gone no longer cares.
        self.0.send(()).ok();
    }
}

/// One thing that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Something that is no stanza for us; to be counted, and answered with its `error_reply`.
    Invalid(Box<Invalid>),
    /// A stanza.
    Stanza(Stanza),
}

/// Where a link stands.
#[derive(Clone, Debug)]
pub enum LinkState {
    /// An attempt is under way.
    Connecting,
    /// The last attempt failed, or the connection was lost; what is on its way to us may still be read.
    Down {
        /// Why.
        error: LinkError,
        /// When the next attempt begins, at the latest while it is still read.
        retry_at: Instant,
    },
    /// Another process has it.
    Elsewhere,
    /// The link ended for good, because it was asked to.
    Stopped,
    /// Logged in.
    Up {
        /// Since when.
        since: Instant,
    },
}

/// Why a stanza was not queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no connection.
    #[error("the link is down")]
    Down,
    /// Too much waits already.
    #[error("too many presences wait to be sent")]
    Full,
    /// It would never be accepted.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Why nobody can say that the server has the stanzas.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The stream ended first, or there was none: write them again, with the same ids.
    #[error("the link was lost before the server answered")]
    Link,
    /// One of them would never be accepted; none was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Why a request brought no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no connection, or it was lost before the answer.
    #[error("the link was lost before the answer")]
    Lost,
    /// The answer was an error.
    #[error("the request was refused: {0}")]
    Refused(StanzaError),
    /// It would never be accepted.
    #[error(transparent)]
    Unsendable(#[from] Refusal),
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
}

/// Sends through a link. Clones are the same link.
#[derive(Clone, Debug)]
pub struct LinkHandle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    domain: DomainPart,
    port: u16,
    stanza_bytes_max: usize,
    targets: Vec<DomainPart>,
    live: watch::Receiver<Option<Live>>,
    state: watch::Receiver<LinkState>,
    counters: Arc<Counters>,
    stop: CancellationToken,
    request_prefix: String,
}

/// The queues of the connection that is up; a new connection has new ones, so that nothing old is written on it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) messages: mpsc::Sender<Command>,
    pub(crate) presences: mpsc::Sender<Vec<u8>>,
}

#[derive(Debug)]
pub(crate) enum Command {
    Send(Vec<u8>),
    Tracked {
        stanzas: Vec<Vec<u8>>,
        targets: Vec<usize>,
        done: oneshot::Sender<()>,
    },
    Request {
        stanza: Vec<u8>,
        id: String,
        from: Jid,
        answer: oneshot::Sender<Iq>,
    },
}

impl LinkHandle {
    /// Whether everybody of a domain is let in.
    pub fn is_home(&self, domain: &str) -> bool {
        let mut targets = self.shared.targets.iter();
        targets.any(|home| home.as_str() == domain)
    }

    pub(crate) fn new(
        config: &LinkConfig,
        live: watch::Receiver<Option<Live>>,
        state: watch::Receiver<LinkState>,
        counters: Arc<Counters>,
        stop: CancellationToken,
    ) -> Self {
        let shared = Shared {
            domain: config.domain.clone(),
            port: config.endpoint.port(),
            stanza_bytes_max: config.limits.stanza_bytes,
            targets: config.home_domains.clone(),
            live,
            state,
            counters,
            stop,
            request_prefix: format!("q{:08x}", rand::random::<u32>()),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Queues a stanza behind all others; waits while the queue is full. `Ok` says that it will be written if the
    /// connection lives, nothing more.
    ///
    /// # Errors
    ///
    /// [`SendError::Down`] without a connection, [`SendError::Refused`] for a stanza that must not be written.
    pub async fn send(&self, stanza: impl Into<Stanza>) -> Result<(), SendError> {
        let bytes = self.write(&stanza.into())?;
        self.queue(Command::Send(bytes))
            .await
            .map_err(|Gone| SendError::Down)
    }

    /// Sends stanzas and waits until the server has answered a ping that was written after the last of them on the
    /// same stream. Queued when first polled.
    ///
    /// # Errors
    ///
    /// [`Lost::Link`] when the stream ended first: they may or may not have arrived. [`Lost::Refused`] when one of
    /// them must not be written: none was.
    pub async fn send_tracked(&self, stanzas: Vec<Stanza>) -> Result<(), Lost> {
        for written in self.send_groups([stanzas.as_slice()]).await? {
            written?;
        }
        Ok(())
    }

    /// The same for several groups of stanzas at once. One that holds a stanza which must not be written is left out as a
    /// whole, and the others go all the same; the answer has a place for each.
    ///
    /// # Errors
    ///
    /// [`Lost::Link`] when the stream ended first: they may or may not have arrived.
    pub async fn send_groups<'a>(
        &self,
        groups: impl IntoIterator<Item = &'a [Stanza]>,
    ) -> Result<Vec<Result<(), Refusal>>, Lost> {
        let (mut stanzas, mut targets, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
        for group in groups {
            let written: Result<Vec<_>, _> =
                group.iter().map(|stanza| self.write(stanza)).collect();
            outcomes.push(written.map(|written| {
                stanzas.extend(written);
                targets.extend(group.iter().map(|stanza| self.target(stanza)));
            }));
        }
        if stanzas.is_empty() {
            return Ok(outcomes);
        }
        targets.sort_unstable();
        targets.dedup();
        let (done, is_done) = oneshot::channel();
        let command = Command::Tracked {
            stanzas,
            targets,
            done,
        };
        self.queue(command).await.map_err(|Gone| Lost::Link)?;
        is_done.await.map_err(|_| Lost::Link)?;
        Ok(outcomes)
    }

    /// Queues a presence: written when no message waits, at a limited pace.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] when too many wait, else like [`send`](Self::send).
    pub fn send_presence(&self, presence: Presence) -> Result<(), SendError> {
        let bytes = self.write(&presence.into())?;
        let live = self.live().ok_or(SendError::Down)?;
        live.presences.try_send(bytes).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Full,
            mpsc::error::TrySendError::Closed(_) => SendError::Down,
        })
    }

    /// Sends a request and waits for its answer, known by its id and sender. Without id it gets one.
    ///
    /// # Errors
    ///
    /// [`RequestError`]; an error for an answer is [`RequestError::Refused`].
    pub async fn request(&self, mut iq: Iq, deadline: Duration) -> Result<Iq, RequestError> {
        let id = iq.id.get_or_insert_with(|| self.next_id()).clone();
        let Some(from) = iq.to.clone() else {
            return Err(Refusal::MissingTo.into());
        };
        let stanza = self.write(&iq.into())?;
        let (answer, answered) = oneshot::channel();
        let waiting = async {
            let command = Command::Request {
                stanza,
                id,
                from,
                answer,
            };
            self.queue(command)
                .await
                .map_err(|Gone| RequestError::Lost)?;
            answered.await.map_err(|_| RequestError::Lost)
        };
        let iq = timeout(deadline, waiting)
            .await
            .map_err(|_| RequestError::TimedOut)??;
        match iq.error() {
            Some(error) => Err(RequestError::Refused(error)),
            None => Ok(iq),
        }
    }

    /// What to change at the server when this keeps the link down.
    pub fn remedy(&self, error: &LinkError) -> Remedy {
        error.remedy(self.shared.domain.as_str(), self.shared.port)
    }

    /// The component's own domain.
    pub fn domain(&self) -> &DomainPart {
        &self.shared.domain
    }

    /// Where the link stands, now and whenever that changes.
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.shared.state.clone()
    }

    /// Whether the link is up: what is sent now is taken.
    pub fn is_up(&self) -> bool {
        matches!(*self.shared.state.borrow(), LinkState::Up { .. })
    }

    /// What went through so far.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Ends the link gently: what is queued is written, the stream is closed and read to its end.
    pub fn stop(&self) {
        self.shared.stop.cancel();
    }

    fn write(&self, stanza: &Stanza) -> Result<Vec<u8>, Refusal> {
        write_checked(stanza, &self.shared.domain, self.shared.stanza_bytes_max)
    }

    /// Semantics 2: to the recipient's own domain if it is at home, else to the home server; the index after the
    /// last stands for the latter.
    fn target(&self, stanza: &Stanza) -> usize {
        let targets = &self.shared.targets;
        let domain = stanza.recipient().map(Jid::domain);
        let own = targets
            .iter()
            .position(|target| domain.is_some_and(|domain| **target == *domain));
        own.unwrap_or(targets.len())
    }

    async fn queue(&self, command: Command) -> Result<(), Gone> {
        let live = self.live().ok_or(Gone)?;
        live.messages.send(command).await.map_err(|_| Gone)
    }

    fn live(&self) -> Option<Live> {
        self.shared.live.borrow().clone()
    }

    fn next_id(&self) -> String {
        let number = self
            .shared
            .counters
            .requests
            .fetch_add(1, Ordering::Relaxed);
        format!("{}-{number:x}", self.shared.request_prefix)
    }
}

/// The connection is gone.
struct Gone;
