//! Answers in the form that the server sends.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use transom_adapter::WebReply;

/// A short sentence as plain text.
pub(super) fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    let mut text = text.into();
    text.push('\n');
    typed(status, "text/plain; charset=utf-8", Body::from(text))
}

/// An answer that an account or a page gave.
pub(super) fn web(reply: WebReply) -> Response {
    typed(reply.status, reply.content_type, Body::from(reply.body))
}

/// An answer of this content type.
pub(super) fn typed(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}
