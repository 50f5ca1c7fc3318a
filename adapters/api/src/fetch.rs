//! Files from elsewhere: how one is fetched, and what comes of it.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use url::{Origin, Url};

use crate::{HttpClient, guard};

/// A longer chain of redirects is a loop or a game.
const REDIRECTS_MAX: usize = 5;

/// For the whole of it, redirects included: 20 MiB at 1.4 Mbit/s.
const FETCH_MAX: Duration = Duration::from_mins(2);

/// A longer URL is none that anybody serves.
const URL_BYTES_MAX: usize = 8192;

/// A file that was fetched, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// What its server says it is.
    pub content_type: Option<String>,
    /// Its content.
    pub content: Bytes,
}

/// A file that could not be fetched.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FetchFailure {
    /// It is not there, or not any more, or its server refuses us: trying again is of no use.
    #[error("it is not there")]
    Gone,
    /// Its URL leads to where nothing may be fetched from: a private address, another scheme than https.
    #[error("it may not be fetched from there")]
    Forbidden,
    /// It is larger than what is taken.
    #[error("it is larger than {bytes_max} bytes")]
    TooLarge {
        /// What is taken.
        bytes_max: u64,
    },
    /// Its server did not answer, or is out of order: try again.
    #[error("its server is out of order: {0}")]
    Transient(String),
}

/// The origin that an admin configured as `base_url`, with the login for it. It may be http and have a private address.
///
/// The login is shown to this origin alone, and not any more once a redirect has left it.
#[derive(Clone, Debug)]
pub struct TrustedOrigin {
    origin: Origin,
    login: HeaderMap,
}

impl TrustedOrigin {
    /// The origin of a `base_url`; `None` when that is no URL of a host.
    pub fn new(base_url: &str) -> Option<Self> {
        let origin = Url::parse(base_url).ok()?.origin();
        origin.is_tuple().then(|| Self {
            origin,
            login: HeaderMap::new(),
        })
    }

    /// Signs in with a name and a password. RFC 7617
    #[must_use]
    pub fn basic(self, user: &str, password: &str) -> Self {
        let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.header(header::AUTHORIZATION, &format!("Basic {pair}"))
    }

    /// Signs in with a token. RFC 6750
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// Signs in with a header of the provider's own. A value that no header can hold is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.login.insert(name, value);
        }
        self
    }
}

/// How far a fetch has come.
struct Hop<'a> {
    trusted: Option<&'a TrustedOrigin>,
    /// A redirect has left the trusted origin: its login is not shown any more, to nobody.
    left: bool,
    bytes_max: u64,
}

enum Step {
    Done(Fetched),
    Redirect(Url),
}

impl HttpClient {
    /// Fetches a file from a URL that came from outside, under the guard: https alone, no address that is not public, looked at
    /// again after each of a few redirects. What is of the `trusted` origin, or of a host that the admin excepted, may be http and private.
    ///
    /// Ends within two minutes and holds no more than `bytes_max` of it.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`], which says whether trying again is of use.
    pub async fn fetch(
        &self,
        url: &str,
        bytes_max: u64,
        trusted: Option<&TrustedOrigin>,
    ) -> Result<Fetched, FetchFailure> {
        let whole = self.follow(url, bytes_max, trusted);
        tokio::time::timeout(FETCH_MAX, whole)
            .await
            .unwrap_or_else(|_| Err(FetchFailure::Transient("timed out".to_owned())))
    }

    /// POSTs a form to a URL that came from outside, under the same guard: no login, no cookie, and no redirect, for what it leads to
    /// was not named. Fine when the answer is a success.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`], which says whether trying again is of use.
    pub async fn post_form(&self, url: &str, form: &'static str) -> Result<(), FetchFailure> {
        let (url, may_be_private) = self.guarded_url(url, false)?;
        let request = self
            .client(may_be_private)
            .post(url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let response = request.send().await.map_err(|error| failure(&error))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(refused(status)),
        }
    }

    /// PUTs a file to a URL that a server named, under the same guard unless that server is `trusted`, and follows no redirect. Says
    /// what was answered.
    ///
    /// Ends within two minutes.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`]: [`Forbidden`](FetchFailure::Forbidden), or nobody answered.
    pub async fn put_file(
        &self,
        (url, trusted): (&str, bool),
        headers: HeaderMap,
        content: Bytes,
    ) -> Result<StatusCode, FetchFailure> {
        let (url, may_be_private) = self.guarded_url(url, trusted)?;
        let request = self
            .client(may_be_private)
            .put(url)
            .timeout(FETCH_MAX)
            .headers(headers)
            .body(content);
        let response = request.send().await.map_err(|error| failure(&error))?;
        Ok(response.status())
    }

    /// A URL from outside as far as it can be told before its name is looked up, and whether the admin excepted its host.
    fn guarded_url(&self, url: &str, trusted: bool) -> Result<(Url, bool), FetchFailure> {
        if url.len() > URL_BYTES_MAX {
            return Err(FetchFailure::Forbidden);
        }
        let url = Url::parse(url).map_err(|_| FetchFailure::Forbidden)?;
        let may_be_private = trusted || self.may_be_private(&url);
        if has_login(&url) || !(may_be_private || guard::admits(&url)) {
            return Err(FetchFailure::Forbidden);
        }
        Ok((url, may_be_private))
    }

    /// Whether the admin excepted its host.
    fn may_be_private(&self, url: &Url) -> bool {
        matches!(url.scheme(), "http" | "https") && self.allowed_hosts().contain(url)
    }

    async fn follow(
        &self,
        url: &str,
        bytes_max: u64,
        trusted: Option<&TrustedOrigin>,
    ) -> Result<Fetched, FetchFailure> {
        if url.len() > URL_BYTES_MAX {
            return Err(FetchFailure::Forbidden);
        }
        let mut url = Url::parse(url).map_err(|_| FetchFailure::Forbidden)?;
        let mut hop = Hop {
            trusted,
            left: false,
            bytes_max,
        };
        for _ in 0..=REDIRECTS_MAX {
            match self.step(&url, &hop).await? {
                Step::Done(fetched) => return Ok(fetched),
                Step::Redirect(next) => {
                    hop.left |= next.origin() != url.origin();
                    url = next;
                }
            }
        }
        Err(FetchFailure::Gone)
    }

    async fn step(&self, url: &Url, hop: &Hop<'_>) -> Result<Step, FetchFailure> {
        let login = hop.trusted.filter(|trusted| trusted.origin == url.origin());
        let may_be_private = login.is_some() || self.may_be_private(url);
        if has_login(url) || !(may_be_private || guard::admits(url)) {
            return Err(FetchFailure::Forbidden);
        }
        let mut request = self
            .client(may_be_private)
            .get(url.clone())
            .timeout(FETCH_MAX);
        if let Some(trusted) = login.filter(|_| !hop.left) {
            request = request.headers(trusted.login.clone());
        }
        let response = request.send().await.map_err(|error| failure(&error))?;
        match response.status() {
            StatusCode::OK => read(response, hop.bytes_max).await.map(Step::Done),
            status if status.is_redirection() => {
                let location = response.headers().get(header::LOCATION);
                let next = location.and_then(|value| url.join(value.to_str().ok()?).ok());
                next.map(Step::Redirect).ok_or(FetchFailure::Gone)
            }
            status => Err(refused(status)),
        }
    }
}

/// A login in the URL itself would be shown to whoever the sender named.
fn has_login(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

async fn read(mut response: reqwest::Response, bytes_max: u64) -> Result<Fetched, FetchFailure> {
    let too_large = FetchFailure::TooLarge { bytes_max };
    if response
        .content_length()
        .is_some_and(|length| length > bytes_max)
    {
        return Err(too_large);
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let mut content = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if (content.len() + chunk.len()) as u64 > bytes_max {
            return Err(too_large);
        }
        content.extend_from_slice(&chunk);
    }
    Ok(Fetched {
        content_type,
        content: content.freeze(),
    })
}

fn refused(status: StatusCode) -> FetchFailure {
    let passes = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
    if passes {
        FetchFailure::Transient(format!("it answers {}", status.as_u16()))
    } else {
        FetchFailure::Gone
    }
}

fn failure(error: &reqwest::Error) -> FetchFailure {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<guard::NotPublic>() {
            return FetchFailure::Forbidden;
        }
        cause = error.source();
    }
    FetchFailure::Transient(crate::http_client::describe(error))
}

#[cfg(test)]
mod tests;
