//! One login at an outside service.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    AccountName, ConfigFault, Context, Failure, FetchFailure, Fetched, Handled, MediaRef, Outcome,
    Outgoing, Refused, Sockets, UnixMillis, WebRequest,
};

/// One login at an outside service: a provider's, an SMPP bind, a mailbox.
///
/// Only [`name`](Self::name), [`capabilities`](Self::capabilities) and [`send`](Self::send) are required.
#[async_trait]
pub trait Account: Send + Sync {
    /// The account's name; never changes.
    fn name(&self) -> &AccountName;

    /// What the core must know of it; never changes.
    fn capabilities(&self) -> Capabilities;

    /// How it sends to several people who see each other; never changes.
    fn groups(&self) -> Groups {
        Groups::None
    }

    /// Tries once to hand over one unit of a message.
    ///
    /// Must not retry, must not store anything, must end within [`Capabilities::send_seconds_max`]. When it is dropped half-way
    /// the core treats the attempt as unknown.
    async fn send(&self, message: &Outgoing, attempt: Attempt) -> Outcome;

    /// Asks the network what became of an attempt whose outcome is unknown; `None` when it cannot be asked or does not know.
    async fn reconcile(&self, _message: &Outgoing, _attempt: Attempt) -> Option<Outcome> {
        None
    }

    /// Takes from the listeners that the service manager opened the one that [`bind`](Self::bind) would open. Called before it.
    fn inherit(&self, _sockets: &Sockets) {}

    /// The user has read what came in by this account: the network's own mark for that is set, where it has one. Tried once; false when
    /// there is none, or it could not be set.
    async fn mark_read(&self, _message_ids: &[String]) -> bool {
        false
    }

    /// Opens what [`run`](Self::run) will listen on, so that a taken port shows before the process says that it is ready.
    /// Called at most once, before `run`; a `run` without it opens the same by itself.
    ///
    /// # Errors
    ///
    /// The key of the configuration that cannot be kept, and what to do about it.
    async fn bind(&self) -> Result<(), ConfigFault> {
        Ok(())
    }

    /// The long-lived side: a listener, IDLE, an SMPP session, polling. It handles its own reconnects, and says where it stands by
    /// [`Context::report_state`]: a login that is refused is reported and tried again, for the other side may mend it.
    ///
    /// Returns when the lifecycle drains, or at once where there is nothing to do.
    ///
    /// # Errors
    ///
    /// A fault that nothing but another configuration can mend; the core reports the account as down for this reason.
    async fn run(&self, _context: &Context) -> Result<(), Failure> {
        Ok(())
    }

    /// Understands one webhook call. Synchronous and pure: it verifies before it parses, and `now` is handed in.
    ///
    /// # Errors
    ///
    /// [`Refused`] when the call is not the provider's, or is none that can be understood.
    fn webhook(&self, _request: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        Err(Refused::NoWebhook)
    }

    /// Fetches a file that stayed with the provider: with the account's own login from the origin of its `base_url`, from anywhere
    /// else without it and past the guard against private addresses ([`HttpClient::fetch`](crate::HttpClient::fetch)).
    ///
    /// # Errors
    ///
    /// [`FetchFailure`], which says whether trying again is of use.
    async fn fetch(&self, _media: &MediaRef, _bytes_max: u64) -> Result<Fetched, FetchFailure> {
        Err(FetchFailure::Gone)
    }

    /// Asks what is left of its credit; `None` where none runs out, or nobody can tell now. Must end within half a minute.
    async fn balance(&self) -> Option<Balance> {
        None
    }

    /// Logs in for real and says in plain lines what it found, for `transom check --live`.
    async fn check(&self) -> CheckReport {
        CheckReport::default()
    }
}

/// What is left of an account's credit.
#[derive(Clone, PartialEq, Debug)]
pub struct Balance {
    /// How much, in whole units of the currency; below zero for what is owed.
    pub amount: f64,
    /// Which currency, `USD`; empty where the provider does not say.
    pub currency: String,
}

/// Which attempt this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Counted from 1, over all accounts.
    pub number: u32,
    /// Which unit of the route, counted from 0.
    pub unit: u16,
    /// When it began: what the network shows from before cannot be this attempt.
    pub started_at: UnixMillis,
}

/// What the core must know of an account: data, not code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Whether an attempt that may have gone out can be made again.
    pub repeat: Repeat,
    /// What reports can be expected.
    pub reports: Reports,
    /// How many sends may be under way at once, at least 1.
    pub concurrency: u16,
    /// After this many seconds a send that has not ended is dropped and its outcome is unknown.
    pub send_seconds_max: u16,
    /// What files it takes; `None`: text alone.
    pub files: Option<FileLimits>,
    /// Who may use it at the same time.
    pub holder: Holder,
}

/// Who may use an account at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// Any number of logins stand side by side.
    Anyone,
    /// Any process may [`send`](Account::send); [`run`](Account::run) reads a source, and one does that at a time.
    OneReader,
    /// One: a second login throws the first out, or is refused. [`run`](Account::run) and [`send`](Account::send) belong to the same
    /// process, and a live check beside a running process asks that process.
    One,
}

/// How an account sends one message to several people who see each other: data, like [`Capabilities`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Groups {
    /// It does not: whoever gets a message sees nobody else.
    None,
    /// One send reaches them all; what becomes of it is told for each, as the part that is its place among the members.
    AtOnce {
        /// How many.
        members_max: u8,
    },
    /// A send each, and each says who the others are.
    Each {
        /// How many.
        members_max: u8,
    },
}

/// Where an account stands, as far as it knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountState {
    /// It works.
    Up,
    /// It does not now; it is tried again.
    Down(Failure),
    /// It was refused: a wrong password, a number that is not allowed. It is tried again, but somebody has to act.
    LoggedOut(Failure),
}

/// What files an account takes with one message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileLimits {
    /// How many.
    pub count_max: u8,
    /// Each of them, in bytes; pictures that are larger are scaled down.
    pub bytes_max: u64,
    /// All together, in bytes.
    pub total_bytes_max: u64,
    /// Media types: `image/png`, `image/*`, `*/*`.
    pub types: &'static [&'static str],
}

impl FileLimits {
    /// Whether a file of this media type is taken.
    pub fn takes(&self, content_type: &str) -> bool {
        let kind = content_type.split('/').next().unwrap_or_default();
        self.types.iter().any(|known| {
            *known == "*/*" || *known == content_type || known.strip_suffix("/*") == Some(kind)
        })
    }
}

/// Whether a send can be made again without doubling it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// The network recognises a repeat (an idempotency key): after a crash, repeat.
    Safe,
    /// The network recognises a repeat for so long (a key that it forgets): a start mark is committed before each attempt, and after a
    /// crash it is repeated within that time, later unknown.
    Within(Duration),
    /// The other side recognises a repeat where it cares to (a stable Message-ID): a start mark is committed before each attempt, and
    /// one of unknown outcome is repeated once (semantics 4).
    Once,
    /// It does not: a start mark is committed before each attempt, and after a crash those few are unknown.
    Unsafe,
}

impl Repeat {
    /// Whether the network itself recognises a repeat, as long as it knows the first.
    pub fn is_recognised(self) -> bool {
        matches!(self, Self::Safe | Self::Within(_))
    }
}

/// What an account's network tells after it accepted a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reports {
    /// Nothing, ever.
    None,
    /// Failures only, and delivery where the other side cares to say so: mail.
    Failures,
    /// Whether the handset has it.
    Delivery,
}

/// What a live check found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CheckReport {
    /// What works, one sentence each.
    pub findings: Vec<String>,
    /// What is neither proven nor a fault, and what an admin may want to know or do.
    pub notes: Vec<String>,
    /// What does not, with what to do about it.
    pub faults: Vec<String>,
}
