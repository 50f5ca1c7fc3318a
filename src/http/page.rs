//! Pages that answer by themselves, behind `/simulator/` and `/admin/`.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::X_FRAME_OPTIONS},
    response::Response,
};
use transom_adapter::WebReply;

use super::{
    body,
    reply::{plain, web},
    site::Site,
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
    ) -> PageReply;
}

/// What a page answers.
#[derive(Clone, Debug)]
pub struct PageReply {
    /// Status, type and body.
    pub reply: WebReply,
    /// Headers besides.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl PageReply {
    /// Adds a header.
    pub fn add(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.push((name, value));
    }
}

impl From<WebReply> for PageReply {
    fn from(reply: WebReply) -> Self {
        let headers = Vec::new();
        Self { reply, headers }
    }
}

/// The simulator's page, where there is one.
pub(super) async fn simulator(State(site): State<Arc<Site>>, request: Request) -> Response {
    match &site.state.simulator {
        Some(page) => forward(&**page, &site, request).await,
        None => plain(StatusCode::NOT_FOUND, "there is no simulator here"),
    }
}

/// The operator's page, where there is one.
pub(super) async fn admin(State(site): State<Arc<Site>>, request: Request) -> Response {
    match &site.state.admin {
        Some(page) => forward(&**page, &site, request).await,
        None => plain(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

async fn forward(page: &dyn Page, site: &Site, request: Request) -> Response {
    let (method, uri, headers) = (
        request.method().clone(),
        request.uri().clone(),
        request.headers().clone(),
    );
    let body = match body::read(request, site).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let query = uri.query().unwrap_or_default();
    let answer = page.handle(&method, uri.path(), query, &headers, &body.bytes);
    let Ok(answer) = tokio::time::timeout(site.limits.commit, answer).await else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "the store is busy");
    };
    let mut response = web(answer.reply);
    for (name, value) in answer.headers {
        response.headers_mut().append(name, value);
    }
    let deny = HeaderValue::from_static("DENY");
    response.headers_mut().insert(X_FRAME_OPTIONS, deny);
    response
}
