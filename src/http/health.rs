//! `/healthz` and `/readyz` (semantics 35).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use url::form_urlencoded;

use super::{reply::plain, routes::Site};

/// However many ask, the store is asked this often.
const STORE_ANSWER_HOLDS: Duration = Duration::from_secs(1);

/// What decides whether we are ready.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Whether the store commits, found out by a commit. May take its time: there is a deadline, after which it goes on unheard.
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

/// What the store answered last. Shared by all who ask, so that nobody can make us commit more than once a second.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreProbe(Arc<Mutex<Option<(Instant, bool)>>>);

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
    if site.lifecycle.is_draining() {
        wrong.push("stopping".to_owned());
    }
    match timeout(site.limits.ready, store_commits(site)).await {
        Ok(true) => {}
        Ok(false) => wrong.push("the store does not commit".to_owned()),
        Err(_) => wrong.push(format!(
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

/// Asks the store, unless it has answered just now. The question runs to its end even when this is dropped, and until then
/// nobody else asks.
async fn store_commits(site: &Site) -> bool {
    let mut last = Arc::clone(&site.store_probe.0).lock_owned().await;
    if let Some((at, commits)) = *last
        && at.elapsed() < STORE_ANSWER_HOLDS
    {
        return commits;
    }
    let ready = Arc::clone(&site.state.ready);
    let question = async move {
        let commits = ready.store_commits().await;
        *last = Some((Instant::now(), commits));
        commits
    };
    site.lifecycle.detached(question).await.unwrap_or(false)
}
