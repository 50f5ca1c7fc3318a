//! `/healthz` and `/readyz` (semantics 35).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use tokio::time::{Instant, timeout};
use url::form_urlencoded;

use super::{
    reply::plain,
    site::{Site, StoreAnswer},
};

/// However many ask, the store is asked this often.
const STORE_ANSWER_HOLDS: Duration = Duration::from_secs(1);

/// What decides whether we are ready.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Whether the store commits, found out by a commit. Dropped when it takes too long; the commit itself has to survive that.
    async fn store_commits(&self) -> bool;

    /// Whether every other listener (LMTP, SMPP) accepts.
    fn listeners_accept(&self) -> bool;

    /// How each gateway's link is.
    fn links(&self) -> Vec<LinkHealth>;
}

/// How one gateway's link is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkHealth {
    /// The gateway's name.
    pub gateway: String,
    /// Whether it is up, with traffic or a ping answer in the last minute.
    pub up: bool,
    /// Why not, in plain words.
    pub detail: String,
}

/// `/healthz`: whoever reads this knows that the process answers.
pub(super) async fn alive() -> Response {
    plain(StatusCode::OK, "alive")
}

/// `/readyz`, with `?links=1` also for the links.
pub(super) async fn ready(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let links = form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "links" && value == "1");
    let wrong = faults(&site, links).await;
    if wrong.is_empty() {
        plain(StatusCode::OK, "ready")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, wrong.join("\n"))
    }
}

/// What is wrong, one line each.
async fn faults(site: &Site, links: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let answer = timeout(site.limits.ready, ask_store(site)).await;
    match answer.ok().flatten() {
        Some(true) => {}
        Some(false) => wrong.push("the store does not commit".to_owned()),
        None => wrong.push(format!(
            "the store did not commit within {:?}",
            site.limits.ready
        )),
    }
    let ready = &site.state.ready;
    if !ready.listeners_accept() {
        wrong.push("a listener does not accept".to_owned());
    }
    if links {
        let down = ready.links().into_iter().filter(|link| !link.up);
        wrong.extend(down.map(|link| {
            let line = format!("the link of {} is down: {}", link.gateway, link.detail);
            line.replace(char::is_control, " ")
        }));
    }
    wrong
}

/// Asks the store, unless it has answered just now. The question goes on when its asker hangs up, and until it ends nobody else
/// asks.
async fn ask_store(site: &Site) -> StoreAnswer {
    let mut last = Arc::clone(&site.store_probe.0).lock_owned().await;
    if let Some((at, answer)) = *last
        && at.elapsed() < STORE_ANSWER_HOLDS
    {
        return answer;
    }
    let (ready, deadline) = (Arc::clone(&site.state.ready), site.limits.ready);
    let question = async move {
        let answer = timeout(deadline, ready.store_commits()).await.ok();
        *last = Some((Instant::now(), answer));
        answer
    };
    site.lifecycle.detached(question).await.flatten()
}
