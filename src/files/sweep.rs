//! What is not kept any longer: files whose time is over, and contents that no message knows of.

use std::time::Duration;

use transom_adapter::{Clock, Lifecycle};

use super::Files;
use crate::store::{Write, Writer};

/// Between two looks at what has expired.
const EVERY: Duration = Duration::from_mins(1);
/// The folder is read once in so many passes.
const ORPHANS_EVERY: u32 = 60;
/// What is younger may belong to a message that is being committed.
const ORPHAN_AGE: Duration = Duration::from_hours(1);
/// Files of one pass: retention must not hold up messages.
const A_PASS: i64 = 200;

/// Runs until the lifecycle drains.
pub async fn run(
    files: Files,
    writer: Writer,
    clock: std::sync::Arc<dyn Clock>,
    lifecycle: Lifecycle,
) {
    let mut passes = 0_u32;
    loop {
        if passes.is_multiple_of(ORPHANS_EVERY) {
            orphans(&files, &*clock).await;
        }
        passes = passes.wrapping_add(1);
        while expired(&files, &writer, &*clock).await && !lifecycle.is_draining() {}
        while gone(&files, &writer).await && !lifecycle.is_draining() {}
        let next = clock.now().after(EVERY);
        tokio::select! {
            () = clock.sleep_until(next) => {}
            () = lifecycle.draining() => return,
        }
    }
}

/// Removes what has expired; true when there may be more at once.
async fn expired(files: &Files, writer: &Writer, clock: &dyn Clock) -> bool {
    let now_ms = clock.now().0;
    let Ok(rows) = files.store.expired_files(now_ms, A_PASS).await else {
        return false;
    };
    if rows.is_empty() {
        return false;
    }
    let full = rows.len() >= usize::try_from(A_PASS).unwrap_or(usize::MAX);
    let (keys, tokens): (Vec<i64>, Vec<String>) = rows.into_iter().unzip();
    tracing::info!(count = keys.len(), "Files have expired.");
    // The row first: whoever asks is told that it is gone, never given half of it. What a kill leaves is an orphan.
    if writer.commit_one(Write::FilesExpired(keys)).await.is_err() {
        return false;
    }
    files.blobs.remove(tokens).await;
    full
}

/// Removes the contents of users who are gone; true when there may be more at once.
async fn gone(files: &Files, writer: &Writer) -> bool {
    let Ok(tokens) = files.store.gone_files(A_PASS).await else {
        return false;
    };
    if tokens.is_empty() {
        return false;
    }
    let full = tokens.len() >= usize::try_from(A_PASS).unwrap_or(usize::MAX);
    // The content first: after a kill in between it is looked for again, and not found.
    files.blobs.remove(tokens.clone()).await;
    writer.commit_one(Write::FilesGone(tokens)).await.is_ok() && full
}

/// Removes contents that no message knows of: of messages that were removed, or not committed after all.
async fn orphans(files: &Files, clock: &dyn Clock) {
    let age_ms = i64::try_from(ORPHAN_AGE.as_millis()).unwrap_or(i64::MAX);
    let before = transom_adapter::UnixMillis(clock.now().0 - age_ms);
    let tokens = match files.blobs.older_than(before).await {
        Ok(tokens) => tokens,
        Err(error) => {
            tracing::warn!(%error, "The folder of files cannot be read.");
            return;
        }
    };
    for some in tokens.chunks(500) {
        let Ok(known) = files.store.known_tokens(some).await else {
            return;
        };
        let orphans: Vec<String> = some
            .iter()
            .filter(|token| !known.contains(token))
            .cloned()
            .collect();
        if !orphans.is_empty() {
            tracing::info!(count = orphans.len(), "Files of no message are removed.");
            files.blobs.remove(orphans).await;
        }
    }
}
