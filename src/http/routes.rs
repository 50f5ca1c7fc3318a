//! Which path is answered by what.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::StatusCode,
    middleware::from_fn_with_state,
    response::Response,
    routing::{MethodRouter, any, get},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    files, gate, health, page,
    reply::{plain, typed},
    site::Site,
    webhook,
};
use crate::metrics::CONTENT_TYPE;

/// The routes with their gate.
pub(super) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/webhook/{gateway}/{provider}", called_by_providers())
        .route(
            "/webhook/{gateway}/{provider}/{token}",
            called_by_providers(),
        )
        .route("/readyz", read_only(get(health::ready)))
        .route("/metrics", read_only(get(metrics)))
        .route("/files/{token}/{name}", read_only(get(files::give)))
        .route("/simulator", any(page::simulator))
        .route("/simulator/", any(page::simulator))
        .route("/simulator/{*rest}", any(page::simulator))
        .route("/admin", any(page::admin))
        .route("/admin/", any(page::admin))
        .route("/admin/{*rest}", any(page::admin))
        .layer(from_fn_with_state(Arc::clone(&site), gate::admit))
        // Outside the bound: being busy is no reason to be taken for dead.
        .route("/healthz", read_only(get(health::alive)))
        .fallback(nothing_here)
        .layer(CatchPanicLayer::custom(gate::panicked))
        .layer(from_fn_with_state(Arc::clone(&site), gate::count))
        .with_state(site)
}

/// GET and POST. HEAD is refused: asking is not telling, and for an account a call means what it says.
fn called_by_providers() -> MethodRouter<Arc<Site>> {
    let route = get(webhook::receive).post(webhook::receive);
    read_only(route.head(wrong_method))
}

fn read_only(route: MethodRouter<Arc<Site>>) -> MethodRouter<Arc<Site>> {
    route.fallback(wrong_method)
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let text = site.state.metrics.render();
    typed(StatusCode::OK, CONTENT_TYPE, Body::from(text))
}

async fn wrong_method() -> Response {
    plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method",
    )
}

async fn nothing_here() -> Response {
    plain(StatusCode::NOT_FOUND, "there is nothing here")
}
