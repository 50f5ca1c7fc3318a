//! Why a connection ends, and the deadline that ends it.

use std::{future::Future, time::Duration};

use async_imap::error::Error;
use tokio::time::timeout;

use crate::{excess::Excess, status::for_log};

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The password, most likely.
    #[error("the login is refused: {0}; check username and password")]
    Login(String),
    /// A token that was kept from an earlier login; the next one is new.
    #[error("a token of an earlier login is refused")]
    Stale,
    /// The provider gives no token any more: its user has to sign in again.
    #[error("{0}")]
    Provider(String),
    /// The mailbox cannot be opened.
    #[error("the mailbox cannot be opened: {0}; check mailbox")]
    Mailbox(String),
    /// The server lacks what is needed.
    #[error("{0}")]
    Unfit(&'static str),
    /// The host is not public, and nobody excepted it.
    #[error("the server is not on the public Internet")]
    Forbidden,
    /// It does not do what it was asked for.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// Cut in the middle.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// It said nothing, or not enough.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// It said something that the library cannot read. What it was stays out of the log: it may be a mail.
    #[error("an answer cannot be understood")]
    Garbled,
    /// It said more than was asked for.
    #[error("{0}")]
    Excess(Excess),
}

impl Trouble {
    /// What whoever owns the mailbox can do something with.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Login(text)
            | Self::Mailbox(text)
            | Self::Provider(text)
            | Self::Refused(text) => text.clone(),
            other => other.to_string(),
        }
    }

    pub(super) fn opening(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => Self::Forbidden,
            _ => Self::Broken(for_log(&error.to_string())),
        }
    }

    /// The library cannot read what the server said, or the connection is gone.
    pub(super) fn reading(error: std::io::Error) -> Self {
        Error::Io(error).into()
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        if let Error::Io(io) = &error
            && let Some(excess) = Excess::of(io)
        {
            return Self::Excess(excess);
        }
        match error {
            Error::Io(io) if io.kind() == std::io::ErrorKind::Other => Self::Garbled,
            Error::Parse(_) | Error::Bad(_) => Self::Garbled,
            error => Self::Broken(for_log(&error.to_string())),
        }
    }
}

/// The work, or [`Trouble::Silent`].
pub(super) async fn within<T, E: Into<Trouble>>(
    deadline: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Trouble> {
    match timeout(deadline, work).await {
        Ok(result) => result.map_err(E::into),
        Err(_) => Err(late(deadline)),
    }
}

pub(super) fn late(deadline: Duration) -> Trouble {
    Trouble::Silent(deadline)
}
