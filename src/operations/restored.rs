//! A database that was put back from a copy: what it has queued may have been sent since (semantics 36).

use crate::store::{
    Store, StoreError, Write, WriteError, Writer,
    write::{Done, Operation},
};

/// Holds what waits to be sent, if this database is a copy that has not run yet; says how many sends are held by that.
///
/// Has to run before the queue does. The copy's mark is taken away by the same commit.
///
/// # Errors
///
/// [`NotHeld`]; then nothing may be sent.
pub async fn hold_if_copy(store: &Store, writer: &Writer) -> Result<Option<i64>, NotHeld> {
    match writer
        .commit_one(Write::Operation(Operation::HoldCopy))
        .await?
    {
        Done::Unchanged => Ok(None),
        Done::Written | Done::Tells(_) | Done::Swept(_) => Ok(Some(store.held_since_copy().await?)),
    }
}

/// Why nobody can say whether what waits is held.
#[derive(Debug, thiserror::Error)]
pub enum NotHeld {
    /// It was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// It cannot be counted.
    #[error(transparent)]
    Store(#[from] StoreError),
}
