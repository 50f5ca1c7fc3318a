//! Files from elsewhere: what comes of fetching one.

use bytes::Bytes;

/// A file that was fetched, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// What its server says it is.
    pub content_type: Option<String>,
    /// Its content.
    pub content: Bytes,
}

/// A file that could not be fetched.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FetchFailure {
    /// It is not there, or not any more, or its server refuses us: trying again is of no use.
    #[error("it is not there")]
    Gone,
    /// Its URL leads to where nothing may be fetched from: a private address, another scheme than https.
    #[error("it may not be fetched from there")]
    Forbidden,
    /// It is larger than what is taken.
    #[error("it is larger than {bytes_max} bytes")]
    TooLarge {
        /// What is taken.
        bytes_max: u64,
    },
    /// Its server did not answer, or is out of order: try again.
    #[error("its server is out of order: {0}")]
    Transient(String),
}
