//! Contents that come with messages: kept before the commit that refers to them, removed when there was none.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use transom_adapter::{Busy, Event};

use super::Intake;
use crate::{
    files::PutError,
    gateway::files,
    hooks::{Step, step},
    store::{
        Write,
        write::{Done, FileState, NewFile},
    },
};

/// So many files are written at once for one call of an account.
const AT_ONCE: usize = 8;

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
    let policy = &intake.gateway.files;
    let mut wanted = Vec::new();
    for (event, share) in events.iter().zip(shares) {
        let (Event::Message(message) | Event::Sent(message), Some(share)) = (event, share) else {
            continue;
        };
        for write in writes.get_mut(share.clone()).unwrap_or_default() {
            let tokens = stored(write).map(|row| row.token.clone());
            wanted.extend(tokens.zip(files::contents(policy, message)));
        }
    }
    let put = async |(token, content): (String, Bytes)| {
        let put = intake.files.blobs.put(&token, content).await;
        step(Step::FileKept);
        (token, put)
    };
    // Some at a time: the disk syncs them together.
    let kept = stream::iter(wanted).map(put).buffer_unordered(AT_ONCE);
    let mut kept: HashMap<String, Result<String, PutError>> = kept.collect().await;
    for row in writes.iter_mut().flat_map(stored) {
        match kept.remove(&row.token) {
            Some(Ok(digest)) => row.digest = Some(digest),
            Some(Err(PutError::Full)) => {
                tracing::error!(
                    "A file is not kept: files.quota is used up. Raise it, or lower keep.files."
                );
                row.state = FileState::Failed;
            }
            Some(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(
                    error,
                    "A file cannot be kept; its message has to come again."
                );
                return Err(Busy);
            }
            None => {}
        }
    }
    Ok(())
}

/// The files of a write whose contents are at hand.
fn stored(write: &mut Write) -> impl Iterator<Item = &mut NewFile> {
    let files = match write {
        Write::In(new) => &mut *new.files,
        _ => &mut [],
    };
    files
        .iter_mut()
        .filter(|row| row.state == FileState::Stored)
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
