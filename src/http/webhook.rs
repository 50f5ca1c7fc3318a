//! `/webhook/{gateway}/{provider}` and the same with `/{token}`: stored, then answered.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::StatusCode,
    response::Response,
};
use transom_adapter::{
    Account, AccountName, Busy, Event, Handled, Meter, Refused, WebReply, WebRequest,
};

use super::{
    body,
    peer::ConnectedFrom,
    public_url,
    reply::{plain, web},
    site::Site,
};
use crate::hooks::{Step, step};

/// Receives one call of a provider.
pub(super) async fn receive(
    State(site): State<Arc<Site>>,
    Extension(ConnectedFrom(connected)): Extension<ConnectedFrom>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let named = params.ok().and_then(|params| named(&site, &params));
    let Some((account, token)) = named else {
        return plain(StatusCode::NOT_FOUND, "there is no such webhook");
    };
    let (method, uri, headers) = (
        request.method().clone(),
        request.uri().clone(),
        request.headers().clone(),
    );
    let body = match body::read(request, &site).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let caller = site.proxies.caller(connected, &headers);
    let public = site.public_url.as_ref();
    let call = WebRequest {
        method: &method,
        public_url: &public_url::called(public, caller.by_proxy, &uri, &headers),
        query: uri.query().unwrap_or_default(),
        token: token.as_deref(),
        headers: &headers,
        body: &body.bytes,
        peer: caller.ip,
    };
    match account.webhook(&call, site.state.clock.now()) {
        Ok(handled) => web(stored(&site, account.name(), handled).await),
        Err(refused) => {
            let metrics = &site.state.metrics;
            metrics.refused(account.name(), refused.as_str(), caller.ip);
            tell_refused(account.name(), refused)
        }
    }
}

/// The account and the token that a path names.
fn named(site: &Site, params: &RawPathParams) -> Option<(Arc<dyn Account>, Option<String>)> {
    let mut values = params.iter().map(|(_, value)| value);
    let name = AccountName::new(values.next()?, values.next()?);
    let account = site.state.accounts.get(&name)?;
    Some((Arc::clone(account), values.next().map(str::to_owned)))
}

/// Commits what was understood; what to answer then.
async fn stored(site: &Site, account: &AccountName, handled: Handled) -> WebReply {
    if handled.events.is_empty() {
        site.state.metrics.count(account, "webhook_unused");
        return handled.stored;
    }
    step(Step::EventReceived);
    let committed = commit(site, account, handled.events).await;
    step(Step::BeforeAnswer);
    if committed.is_ok() {
        return handled.stored;
    }
    site.state.metrics.count(account, "webhook_busy");
    handled.busy
}

/// Runs the commit to its end whatever becomes of the caller, and waits for it as long as a provider would.
async fn commit(site: &Site, account: &AccountName, events: Vec<Event>) -> Result<(), Busy> {
    let (inbox, name) = (Arc::clone(&site.state.inbox), account.clone());
    let work = async move { inbox.commit(&name, events, None).await };
    let work = site.lifecycle.detached(work);
    match tokio::time::timeout(site.limits.commit, work).await {
        Ok(Some(done)) => done.map(drop),
        Ok(None) => {
            tracing::error!(%account, "The commit of a webhook panicked.");
            Err(Busy)
        }
        Err(_) => {
            tracing::warn!(%account, "The store took too long for a webhook.");
            Err(Busy)
        }
    }
}

fn tell_refused(account: &AccountName, refused: Refused) -> Response {
    tracing::debug!(%account, why = refused.as_str(), "Refused a webhook.");
    plain(refused.status(), refused.to_string())
}
