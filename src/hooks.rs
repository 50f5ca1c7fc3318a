//! The gaps of both directions, by name, for tests that kill the process in each of them.
//!
//! With the feature `test-hooks` the environment variable `TRANSOM_ABORT_AT=NAME:N` aborts the process at the n-th pass of the step.
//! `TRANSOM_CLOCK_AHEAD=FILE` names a file with the milliseconds that [`clock`] is ahead of the machine's: a test turns it.
//! `TRANSOM_NEXT_MIGRATION=OLDEST_READER:FILE` names a migration that the binary knows besides its own, as the next version's would.
//! Without the feature [`step`] is nothing, and the packaged binary provably lacks the names of the variables.

use std::sync::Arc;

use transom_adapter::{Clock, SystemClock};

/// Every gap between two durable or visible effects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Out: stanzas were read and nothing is stored.
    StanzaRead,
    /// Both: the transaction is written and not committed.
    BeforeCommit,
    /// Both: committed, and nobody was told.
    AfterCommit,
    /// Out: it is held no longer, and nothing is sent.
    AfterRelease,
    /// Out: the start mark is committed, and nothing is sent.
    BeforeSend,
    /// Out: the network answered, and the outcome is not committed.
    AfterSend,
    /// Out: a receipt or an error is due, and not written to the link.
    BeforeTell,
    /// Out: it was written and its barrier answered, and that is not committed.
    AfterTell,
    /// In: the source called, and nothing is stored.
    EventReceived,
    /// In: stored, and the source has no answer.
    BeforeAnswer,
    /// Both: a file's content is on the disk, and its row is not committed.
    FileKept,
    /// In: a file is with the upload service, and its URL is not committed.
    FileUploaded,
    /// Some logins are sealed with a new key, others with the old one.
    Resealed,
    /// A user's login is marked as refused, and the user is not told.
    LoginRefused,
    /// The next login of a user's account is stored, and nobody has used what was given with it.
    LoginRenewed,
    /// In: about to be written to the link.
    BeforeHandOver,
    /// In: the barrier was answered, and that is not committed.
    AfterHandOver,
}

impl Step {
    /// Every step on the way of a message.
    pub const ALL: [Self; 14] = [
        Self::StanzaRead,
        Self::BeforeCommit,
        Self::AfterCommit,
        Self::AfterRelease,
        Self::BeforeSend,
        Self::AfterSend,
        Self::BeforeTell,
        Self::AfterTell,
        Self::EventReceived,
        Self::BeforeAnswer,
        Self::FileKept,
        Self::FileUploaded,
        Self::BeforeHandOver,
        Self::AfterHandOver,
    ];

    /// Every step beside it.
    pub const BESIDE: [Self; 3] = [Self::Resealed, Self::LoginRefused, Self::LoginRenewed];
}

/// Passes a step.
#[cfg(not(feature = "test-hooks"))]
#[inline]
pub fn step(_step: Step) {}

/// Passes a step; aborts if this is the pass that the test asked for.
#[cfg(feature = "test-hooks")]
pub fn step(step: Step) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    static PASSES: AtomicU64 = AtomicU64::new(0);
    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("TRANSOM_ABORT_AT").ok()?;
        let (name, pass) = text.split_once(':')?;
        Some((name.to_owned(), pass.parse().ok()?))
    });
    if let Some((name, pass)) = wanted
        && format!("{step:?}") == *name
        && PASSES.fetch_add(1, Ordering::Relaxed) + 1 == *pass
    {
        std::process::abort();
    }
}

/// A migration beyond those that there are: the oldest that its readers know, and its text.
#[cfg(not(feature = "test-hooks"))]
pub fn next_migration() -> Option<(i64, &'static str)> {
    None
}

/// A migration beyond those that there are, if a test plays the next version: the oldest that its readers know, and its text.
#[cfg(feature = "test-hooks")]
pub fn next_migration() -> Option<(i64, &'static str)> {
    static NEXT: std::sync::OnceLock<Option<(i64, String)>> = std::sync::OnceLock::new();
    let next = NEXT.get_or_init(|| {
        let named = std::env::var("TRANSOM_NEXT_MIGRATION").ok()?;
        let (oldest_reader, file) = named.split_once(':')?;
        Some((
            oldest_reader.parse().ok()?,
            std::fs::read_to_string(file).ok()?,
        ))
    });
    next.as_ref()
        .map(|(oldest_reader, text)| (*oldest_reader, text.as_str()))
}

/// The clock of a running process.
#[cfg(not(feature = "test-hooks"))]
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The clock of a running process; ahead of the machine's if the test says so.
#[cfg(feature = "test-hooks")]
pub fn clock() -> Arc<dyn Clock> {
    match std::env::var_os("TRANSOM_CLOCK_AHEAD") {
        Some(file) => Arc::new(ahead::Ahead::new(file.into())),
        None => Arc::new(SystemClock),
    }
}

#[cfg(feature = "test-hooks")]
mod ahead {
    use std::{path::PathBuf, time::Duration};

    use async_trait::async_trait;
    use transom_adapter::{Clock, SystemClock, UnixMillis, sleep_by};

    /// How soon whoever sleeps notices that the clock was turned.
    const LOOK: Duration = Duration::from_millis(20);

    pub(super) struct Ahead {
        file: PathBuf,
    }

    impl Ahead {
        pub(super) fn new(file: PathBuf) -> Self {
            Self { file }
        }
    }

    #[async_trait]
    impl Clock for Ahead {
        fn now(&self) -> UnixMillis {
            let text = std::fs::read_to_string(&self.file).unwrap_or_default();
            let ahead = text.trim().parse().unwrap_or(0);
            SystemClock.now().after(Duration::from_millis(ahead))
        }

        async fn sleep_until(&self, deadline: UnixMillis) {
            sleep_by(self, deadline, LOOK).await;
        }
    }
}
