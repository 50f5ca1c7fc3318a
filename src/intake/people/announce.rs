//! One presence to each subscribed user at start and stop (semantics 10).

use std::time::Duration;

use super::PAUSE;
use crate::{
    gateway::presence,
    intake::{Intake, STORE_PAUSE},
    store::StoreError,
    xmpp::{
        jid::BareJid,
        stanza::Presence,
        stream::{LinkState, SendError},
    },
};

/// Users read at a time.
const PAGE: i64 = 500;
/// Stopping must not take longer; servers find out by themselves that we are gone.
const FAREWELL_MAX: Duration = Duration::from_secs(5);

/// The link is up: says so to the users who see the gateway. Returns at once; a task of its own goes through them.
pub(in crate::intake) fn announce(intake: &Intake) {
    intake
        .lifecycle
        .spawn("intake.announce", run(intake.clone()));
}

/// The link is about to end: says so. Takes five seconds at most.
pub(in crate::intake) async fn farewell(intake: &Intake) {
    let ours = &intake.gateway.config.domain;
    let all = async {
        let mut after = String::new();
        while let Ok(Some(page)) = next_page(intake, &mut after).await {
            for user in page {
                if intake.link.send(presence::absent(ours, user)).await == Err(SendError::Down) {
                    return;
                }
            }
        }
    };
    if tokio::time::timeout(FAREWELL_MAX, all).await.is_err() {
        intake.count("farewell_cut_short");
    }
}

async fn run(intake: Intake) {
    let gateway = &intake.gateway;
    // The same for everybody but for whom it is to.
    let template = presence::present(gateway, gateway.config.domain.clone());
    let mut after = String::new();
    let mut link = intake.link.state();
    if !matches!(*link.borrow_and_update(), LinkState::Up { .. }) {
        return;
    }
    loop {
        let page = match next_page(&intake, &mut after).await {
            Ok(Some(page)) => page,
            Ok(None) => return,
            // It goes on from there, unless the next connection begins anew.
            Err(_) => {
                tokio::select! {
                    () = tokio::time::sleep(STORE_PAUSE) => continue,
                    _ = link.changed() => return,
                    () = intake.lifecycle.draining() => return,
                }
            }
        };
        for user in page {
            let mut presence = template.clone();
            presence.to = Some(user.into());
            if !present(&intake, presence).await {
                return;
            }
        }
    }
}

/// Sends a presence behind all messages, however long that takes; `false` when it cannot be: the next connection begins anew.
pub(in crate::intake) async fn present(intake: &Intake, presence: Presence) -> bool {
    while let Err(error) = intake.link.send_presence(presence.clone()) {
        match error {
            SendError::Full => {}
            SendError::Down => return false,
            SendError::Refused(_) => return true,
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = intake.lifecycle.draining() => return false,
        }
    }
    true
}

/// The next users, or nothing behind the last.
async fn next_page(
    intake: &Intake,
    after: &mut String,
) -> Result<Option<Vec<BareJid>>, StoreError> {
    let gateway_id = intake.gateway.id;
    let read = intake.store.subscribers(gateway_id, after, PAGE).await;
    let page = read.inspect_err(|error| {
        let error: &dyn std::error::Error = error;
        tracing::error!(error, "Cannot read who sees the gateway.");
    })?;
    let Some(last) = page.last() else {
        return Ok(None);
    };
    after.clone_from(last);
    let users = page.iter().filter_map(|jid| BareJid::new(jid).ok());
    Ok(Some(users.collect()))
}
