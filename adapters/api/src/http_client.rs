//! Calls to providers: limits on everything, and a failure that tells whether the request may have gone out.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

use crate::guard::{AllowedHosts, GuardedResolver};

/// An HTTP client for providers' APIs. Follows no redirects, keeps connections, reads bounded bodies. Cheap to clone.
///
/// Calls go only to what the admin configured (`base_url`). What URLs from outside name is fetched by [`fetch`](Self::fetch), under a guard.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    /// Resolves names to public addresses alone.
    guarded: reqwest::Client,
    allowed_hosts: AllowedHosts,
    limits: HttpLimits,
}

/// The bounds of one call.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// For connecting, TLS included.
    pub connect: Duration,
    /// For the whole call.
    pub total: Duration,
    /// Of an answer's body; more is a failure.
    pub body_bytes_max: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        // Providers answer in under a second; half a minute is what their own SDKs wait.
        Self {
            connect: Duration::from_secs(10),
            total: Duration::from_secs(30),
            body_bytes_max: 1024 * 1024,
        }
    }
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct HttpReply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpFailure {
    /// The request surely did not reach anybody: refused, no route, no name, TLS failed.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have.
    #[error("no answer: {0}")]
    MaybeSent(String),
}

impl HttpClient {
    /// A client with these limits.
    ///
    /// # Errors
    ///
    /// When the TLS trust store cannot be read.
    pub fn new(limits: HttpLimits) -> Result<Self, rustls::Error> {
        let tls = crate::client_config()?;
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured((*tls).clone())
                .connect_timeout(limits.connect)
                .timeout(limits.total)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .tcp_nodelay(true)
                .user_agent(concat!("transom/", env!("CARGO_PKG_VERSION")))
        };
        let general = |error: reqwest::Error| rustls::Error::General(error.to_string());
        Ok(Self {
            client: builder().build().map_err(general)?,
            guarded: builder()
                .dns_resolver(Arc::new(GuardedResolver))
                .build()
                .map_err(general)?,
            allowed_hosts: AllowedHosts::default(),
            limits,
        })
    }

    /// The same client, which fetches from these hosts even where they are private.
    #[must_use]
    pub fn except(mut self, hosts: AllowedHosts) -> Self {
        self.allowed_hosts = hosts;
        self
    }

    pub(crate) fn allowed_hosts(&self) -> &AllowedHosts {
        &self.allowed_hosts
    }

    /// What carries a request past the guard, or under it.
    pub(crate) fn client(&self, may_be_private: bool) -> &reqwest::Client {
        if may_be_private {
            &self.client
        } else {
            &self.guarded
        }
    }

    /// Starts a POST; finish it with [`call`](Self::call).
    pub fn post(&self, url: &str) -> reqwest::RequestBuilder {
        self.client.post(url)
    }

    /// Starts a GET; finish it with [`call`](Self::call).
    pub fn get(&self, url: &str) -> reqwest::RequestBuilder {
        self.client.get(url)
    }

    /// Makes the call once and reads the whole answer.
    ///
    /// # Errors
    ///
    /// [`HttpFailure`], which tells whether the request may have been acted on.
    pub async fn call(&self, request: reqwest::RequestBuilder) -> Result<HttpReply, HttpFailure> {
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            if body.len() + chunk.len() > self.limits.body_bytes_max {
                let limit = self.limits.body_bytes_max;
                return Err(HttpFailure::MaybeSent(format!(
                    "the answer is longer than {limit} bytes"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpReply {
            status,
            headers,
            body: body.freeze(),
        })
    }
}

fn classify(error: &reqwest::Error) -> HttpFailure {
    let text = describe(error);
    if error.is_connect() || error.is_builder() {
        HttpFailure::NotSent(text)
    } else {
        HttpFailure::MaybeSent(text)
    }
}

/// The causes without the URL: query strings hold numbers and secrets.
pub(crate) fn describe(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "timed out".to_owned()
    } else {
        "failed".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
