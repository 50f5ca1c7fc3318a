//! A page that answers by itself, behind `/simulator/`.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::X_FRAME_OPTIONS},
    response::Response,
};
use transom_adapter::WebReply;

use super::{
    body,
    reply::{plain, web},
    routes::Site,
};

/// Something that answers whole requests and knows no HTTP server.
#[async_trait]
pub trait Page: Send + Sync {
    /// Answers one request; `path` is the whole path, `query` what stands behind the question mark.
    async fn handle(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> WebReply;
}

/// Forwards a request to the simulator's page; without a page there is nothing.
pub(super) async fn simulator(State(site): State<Arc<Site>>, request: Request) -> Response {
    let Some(page) = &site.state.simulator else {
        return plain(StatusCode::NOT_FOUND, "there is no simulator here");
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
    let query = uri.query().unwrap_or_default();
    let answer = page.handle(&method, uri.path(), query, &headers, &body.bytes);
    let Ok(answer) = tokio::time::timeout(site.limits.commit, answer).await else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "the store is busy");
    };
    let mut response = web(answer);
    let deny = HeaderValue::from_static("DENY");
    response.headers_mut().insert(X_FRAME_OPTIONS, deny);
    response
}
