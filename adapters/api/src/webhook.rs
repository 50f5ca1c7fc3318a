//! HTTP calls that a provider makes to us.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::Event;

/// One call, whole.
#[derive(Clone, Debug)]
pub struct WebRequest<'a> {
    /// GET or POST, as the provider does it.
    pub method: &'a Method,
    /// The URL as the provider wrote it, query included: `http.public_url` and the path; what signatures cover.
    pub public_url: &'a str,
    /// The query string without the question mark, still escaped; empty when there is none.
    pub query: &'a str,
    /// The `{token}` behind `/webhook/{gateway}/{provider}/`, if there was one.
    pub token: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, at most what the server reads (1 MiB).
    pub body: &'a [u8],
    /// Who calls, after `http.trusted_proxies`.
    pub peer: Option<IpAddr>,
}

/// A call that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handled {
    /// What it told us; may be empty (a verified event that we have no use for is answered 2xx all the same).
    pub events: Vec<Event>,
    /// The answer once the events are committed.
    pub stored: WebReply,
    /// The answer when they could not be: it makes this provider try again.
    pub busy: WebReply,
}

/// An answer in the provider's own form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebReply {
    /// The status.
    pub status: StatusCode,
    /// The content type, `text/plain` where nothing needs another.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

impl WebReply {
    /// 200 without a body.
    pub fn ok() -> Self {
        Self {
            status: StatusCode::OK,
            content_type: "text/plain",
            body: Bytes::new(),
        }
    }

    /// 503 without a body.
    pub fn busy() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            content_type: "text/plain",
            body: Bytes::new(),
        }
    }

    /// The same with a body.
    #[must_use]
    pub fn with_body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.content_type = content_type;
        self.body = body.into();
        self
    }
}

/// A call that is refused; nothing was stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Refused {
    /// This account takes no webhooks: 404.
    #[error("this account takes no webhooks")]
    NoWebhook,
    /// There is no signature or token where one is needed: 403.
    #[error("the call carries no signature")]
    Unsigned,
    /// The signature or token is wrong: 403.
    #[error("the signature is wrong")]
    Forged,
    /// Signed, but too old to be believed: 403.
    #[error("the signature is too old")]
    Replayed,
    /// Rightly signed, and not to be understood: 400, so that it shows at the provider.
    #[error("the call cannot be understood")]
    Malformed,
}

impl Refused {
    /// The word for the metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoWebhook => "webhook_unknown",
            Self::Unsigned => "webhook_unsigned",
            Self::Forged => "webhook_forged",
            Self::Replayed => "webhook_replayed",
            Self::Malformed => "webhook_malformed",
        }
    }

    /// The HTTP status to answer with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoWebhook => StatusCode::NOT_FOUND,
            Self::Unsigned | Self::Forged | Self::Replayed => StatusCode::FORBIDDEN,
            Self::Malformed => StatusCode::BAD_REQUEST,
        }
    }
}
