//! What `/readyz`, `STATUS=` and the operator learn of the state of things.

use std::time::Duration;

use async_trait::async_trait;
use transom_adapter::{Failure, Lifecycle};

use super::notify;
use crate::{
    http::{LinkHealth, Readiness},
    store::Store,
    xmpp::stream::{LinkHandle, LinkState},
};

/// A link is healthy with traffic or a ping's answer within this.
const TRAFFIC: Duration = Duration::from_mins(1);

/// The state of the store and of the links.
pub(super) struct Ready {
    store: Store,
    links: Vec<(String, LinkHandle)>,
}

impl Ready {
    pub(super) fn new(store: Store, links: Vec<(String, LinkHandle)>) -> Self {
        Self { store, links }
    }
}

#[async_trait]
impl Readiness for Ready {
    async fn store_commits(&self) -> bool {
        self.store.can_commit().await.is_ok()
    }

    fn listeners_accept(&self) -> bool {
        // Whoever reads this has been accepted.
        true
    }

    fn links(&self) -> Vec<LinkHealth> {
        let health = |(gateway, link): &(String, LinkHandle)| {
            let recent = link
                .counters()
                .since_last_traffic()
                .is_some_and(|ago| ago <= TRAFFIC);
            LinkHealth {
                gateway: gateway.clone(),
                up: link.is_up() && recent,
                detail: describe(&link.state().borrow()),
            }
        };
        // Where several processes run, one of them has the link, and answers for it.
        let is_here = |(_, link): &&(String, LinkHandle)| {
            !matches!(*link.state().borrow(), LinkState::Elsewhere)
        };
        self.links.iter().filter(is_here).map(health).collect()
    }
}

/// Tells the service manager of each change of a link.
pub(super) fn watch_links(links: &[(String, LinkHandle)], lifecycle: &Lifecycle) {
    for (gateway, link) in links {
        let (gateway, mut state) = (gateway.clone(), link.state());
        let life = lifecycle.clone();
        lifecycle.spawn("app.status", async move {
            loop {
                let text = format!("{gateway}: {}", describe(&state.borrow_and_update()));
                notify::status(&text).await;
                tokio::select! {
                    changed = state.changed() => if changed.is_err() { return },
                    () = life.draining() => return,
                }
            }
        });
    }
}

/// `our-account 14: the SMSC refuses the password`
pub(super) fn words(failure: &Failure) -> String {
    let code = failure.code.as_ref().map(|code| format!(" {code}"));
    let detail = failure.detail.as_ref().map(|detail| format!(": {detail}"));
    let (code, detail) = (code.unwrap_or_default(), detail.unwrap_or_default());
    format!("{}{code}{detail}", failure.reason.as_str())
}

pub(super) fn describe(state: &LinkState) -> String {
    match state {
        LinkState::Connecting => "connecting".to_owned(),
        LinkState::Up { .. } => "up".to_owned(),
        LinkState::Down { error, .. } => format!("down: {error}"),
        LinkState::Elsewhere => "another process has it".to_owned(),
        LinkState::Stopped => "stopped".to_owned(),
    }
}
