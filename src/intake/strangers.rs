//! Tells users whose mail waits for their word (semantics 30): one quiet line, and not again for ten minutes; who knocks meanwhile is told
//! of together.
//!
//! What has to be said stands in the database until the server has it, so that a kill loses no question.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::Intake;
use crate::{
    gateway::{settings::Settings, text_in},
    store::{StoreError, Write, read::Unsaid, write::StrangersSaid},
    xmpp::{jid::BareJid, stream::Lost},
};

/// Between two lines to one user.
const QUIET_MS: i64 = 10 * 60_000;
/// Between two looks.
const EVERY: Duration = Duration::from_secs(30);
/// Users of one look.
const USERS_MAX: i64 = 50;
/// People named in one line.
const NAMED_MAX: i64 = 10;

/// Wakes the task. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Strangers(Arc<Notify>);

impl Strangers {
    /// Somebody's mail waits, or the link is up again.
    pub(super) fn look(&self) {
        self.0.notify_one();
    }

    /// Starts the task; it ends when the process drains.
    pub(super) fn start(&self, intake: &Intake) {
        let (intake, wake) = (intake.clone(), Arc::clone(&self.0));
        let lifecycle = intake.lifecycle.clone();
        lifecycle.spawn("intake.strangers", async move {
            loop {
                if let Err(error) = tell(&intake).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "Cannot read who waits for a word."
                    );
                }
                let next = intake.clock.now().after(EVERY);
                tokio::select! {
                    () = wake.notified() => {}
                    () = intake.clock.sleep_until(next) => {}
                    () = intake.lifecycle.draining() => return,
                }
            }
        });
    }
}

async fn tell(intake: &Intake) -> Result<(), StoreError> {
    let quiet_since = intake.clock.now().0 - QUIET_MS;
    let users = intake
        .store
        .unsaid_strangers(intake.gateway.id, quiet_since, USERS_MAX)
        .await?;
    for user in users {
        tell_one(intake, &user).await?;
    }
    Ok(())
}

async fn tell_one(intake: &Intake, user: &Unsaid) -> Result<(), StoreError> {
    let people = intake
        .store
        .strangers(user.user_id, (user.until_ms, true), NAMED_MAX + 1)
        .await?;
    let Ok(jid) = BareJid::new(&user.jid) else {
        return Ok(());
    };
    let chosen = Settings::from_json(&user.settings).lang();
    let lang = chosen.unwrap_or_else(|| intake.gateway.lang(user.lang.as_deref()));
    let named = usize::try_from(NAMED_MAX).unwrap_or(usize::MAX);
    let now = intake.clock.now();
    let line = text_in::knocking(&intake.gateway, &jid, (&people, named), lang, now);
    match intake.link.send_tracked(line).await {
        Ok(()) => {}
        // Without a link it is tried again when there is one.
        Err(Lost::Link) => return Ok(()),
        // It would be refused again each time: it counts as said.
        Err(Lost::Refused(refusal)) => {
            let error = &refusal as &dyn std::error::Error;
            tracing::error!(error, "A user cannot be told who waits to be let in.");
            intake.count("tell_refused");
        }
    }
    let said = Write::StrangersSaid(StrangersSaid {
        user_id: user.user_id,
        until_ms: user.until_ms,
        at_ms: intake.clock.now().0,
    });
    // The database is out of order: it is said again rather than never.
    intake.writer.commit_one(said).await.ok();
    Ok(())
}
