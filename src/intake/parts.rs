//! Parts of longer texts: joined when all are there, delivered as they are when their time is over.

use std::time::Duration;

use transom_adapter::{Event, UnixMillis};

use super::{Intake, inward};
use crate::{
    gateway::parts,
    store::{Write, read::PartsOf, write::PartGone},
};

/// How often it is looked for texts whose time is over.
pub(super) const SWEEP: Duration = Duration::from_secs(30);
/// Texts that one look takes.
const A_PASS: i64 = 1_000;

/// Delivers what waits since before `parts_after` ago, and what is whole: the database may not have taken it when its last part came.
pub(super) async fn sweep(intake: &Intake) {
    let before = before(intake);
    let found = intake
        .store
        .parts_due(intake.gateway.id, before.0, A_PASS)
        .await;
    match found {
        Ok(texts) => join(intake, texts).await,
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "Cannot read which texts wait for parts."
        ),
    }
}

/// What a killed process had taken in and not joined.
pub(super) async fn recover(intake: &Intake) {
    sweep(intake).await;
}

fn before(intake: &Intake) -> UnixMillis {
    let after = intake.gateway.config.parts_after;
    let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
    UnixMillis(intake.clock.now().0.saturating_sub(after))
}

/// Joins the texts of which a part was just committed.
pub(super) async fn join_committed(intake: &Intake, texts: &[PartsOf]) {
    let mut texts = texts.to_vec();
    texts.sort();
    texts.dedup();
    join(intake, texts).await;
}

/// Joins what of these is whole. What fails here is found again by the next look: the parts are kept until their text is.
async fn join(intake: &Intake, texts: Vec<PartsOf>) {
    if texts.is_empty() {
        return;
    }
    let kept = match intake.store.parts(intake.gateway.id, &texts).await {
        Ok(kept) => kept,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "Cannot read the parts of a text."
            );
            return;
        }
    };
    for whole in parts::wholes(&intake.gateway, &kept, before(intake)) {
        let gone = whole
            .parts
            .iter()
            .map(|part_id| Write::PartGone(PartGone { part_id: *part_id }));
        let event = Event::Message(Box::new(whole.message));
        inward::take_whole(intake, &whole.account, event, gone.collect()).await;
    }
}

/// The text that a committed write is a part of.
pub(super) fn parts_of(write: &Write) -> Option<PartsOf> {
    let Write::Part(row) = write else { return None };
    Some(PartsOf {
        line: row.line.clone(),
        peer: row.peer.clone(),
        reference: row.reference,
        total: row.total,
    })
}

#[cfg(test)]
mod tests;
