//! Contents that come with messages: kept before the commit that refers to them, removed when there was none.

use transom_adapter::{Busy, Event};

use super::Intake;
use crate::{
    files::PutError,
    gateway::files,
    hooks::{Step, step},
    store::{
        Write,
        write::{Done, FileState},
    },
};

/// Keeps the contents of the files that `writes` refer to. `shares` says which writes belong to which event.
///
/// # Errors
///
/// [`Busy`] when the disk is full or out of order: the source comes again, and nothing is lost. A full quota is no such case: the
/// file is then named in the text.
pub(super) async fn keep(
    intake: &Intake,
    events: &[Event],
    writes: &mut [Write],
    shares: &[Option<std::ops::Range<usize>>],
) -> Result<(), Busy> {
    for (event, share) in events.iter().zip(shares) {
        let (Event::Message(message) | Event::Sent(message), Some(share)) = (event, share) else {
            continue;
        };
        for write in writes.get_mut(share.clone()).unwrap_or_default() {
            let Write::In(new) = write else { continue };
            let contents = files::contents(&intake.gateway.files, message);
            let rows = new.files.iter_mut();
            let rows = rows.filter(|row| row.state == FileState::Stored);
            for (row, content) in rows.zip(contents) {
                match intake.files.blobs.put(&row.token, content).await {
                    Ok(digest) => row.digest = Some(digest),
                    Err(PutError::Full) => {
                        tracing::error!(
                            "A file is not kept: files.quota is used up. Raise it, or lower keep.files."
                        );
                        row.state = FileState::Failed;
                    }
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(
                            error,
                            "A file cannot be kept; its message has to come again."
                        );
                        return Err(Busy);
                    }
                }
                step(Step::FileKept);
            }
        }
    }
    Ok(())
}

/// What each write keeps, by token.
pub(super) fn tokens(writes: &[Write]) -> Vec<Vec<String>> {
    let of_write = |write: &Write| match write {
        Write::In(new) => new.files.iter().map(|file| file.token.clone()).collect(),
        _ => Vec::new(),
    };
    writes.iter().map(of_write).collect()
}

/// Removes what was kept for writes that did not come about: repeats.
pub(super) async fn forget(intake: &Intake, tokens: Vec<Vec<String>>, done: &[Done]) {
    let repeated = tokens
        .into_iter()
        .zip(done)
        .filter(|(_, done)| **done == Done::Unchanged);
    let tokens: Vec<String> = repeated.flat_map(|(tokens, _)| tokens).collect();
    if !tokens.is_empty() {
        intake.files.blobs.remove(tokens).await;
    }
}
