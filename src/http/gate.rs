//! What every request passes: it is counted, bounded in number, caught when it panics, and answered with safe headers.

use std::{any::Any, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    response::Response,
};

use super::{reply::plain, site::Site};
use crate::metrics::Metrics;

/// What a request is counted as when nobody waited for its answer, as nginx does.
const CLIENT_LEFT: u16 = 499;

/// Counts the request and puts the headers on its answer.
pub(super) async fn count(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let mut counted = Counted {
        metrics: &site.state.metrics,
        route: path.map_or("other", |path| word(path.as_str())),
        status: CLIENT_LEFT,
    };
    let mut response = next.run(request).await;
    counted.status = response.status().as_u16();
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Lets a request in unless too many are under way.
pub(super) async fn admit(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let Ok(_under_way) = site.requests.try_acquire() else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once");
    };
    next.run(request).await
}

/// The answer of a handler that panicked; the panic itself was reported by the process's hook.
pub(super) fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    tracing::error!("A request's handler panicked.");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "something broke here")
}

/// Counts when it is dropped: also a request whose caller hung up before the answer.
struct Counted<'a> {
    metrics: &'a Metrics,
    route: &'static str,
    status: u16,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.metrics.http_request(self.route, self.status);
    }
}

/// The fixed word of a route, never what the caller wrote.
fn word(route: &str) -> &'static str {
    match route.split('/').nth(1) {
        Some("webhook") => "webhook",
        Some("healthz") => "healthz",
        Some("readyz") => "readyz",
        Some("metrics") => "metrics",
        Some("simulator") => "simulator",
        Some("files") => "files",
        Some("admin") => "admin",
        _ => "other",
    }
}
