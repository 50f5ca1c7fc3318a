//! The operator's page, `/admin/`, and what is behind one-time links: HTML without scripts.
//!
//! - [`entry`]: signing in and out, and the links that work once.
//! - [`sections`]: what is shown; [`actions`]: what buttons do: the same operations as everywhere.
//! - [`mailbox`]: where a user enters the password of a mail account.
//! - [`frame`]: what every page has; [`sessions`]: who is signed in.
//!
//! Everything is escaped by `maud`; the headers forbid scripts, frames and foreign origins; a session is a cookie that scripts and other
//! sites do not get; each form carries the session's own token. No text of a message is ever shown.

mod actions;
mod entry;
mod frame;
mod mailbox;
mod sections;
mod sessions;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT_LANGUAGE, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, COOKIE, LOCATION,
        REFERRER_POLICY, SET_COOKIE,
    },
};
use secrecy::SecretString;
use transom_adapter::{UnixMillis, WebReply};

use crate::{
    http::{Page, PageReply},
    operations::Operations,
    texts::{self, Lang},
};
use frame::Frame;
use sessions::{Session, Sessions};

/// Nothing but our own style sheet, forms to ourselves, and no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page of one process.
pub struct OperatorPage {
    operations: Arc<Operations>,
    /// `http.admin_token`.
    token: Option<SecretString>,
    /// Whether people reach it by https: then the cookie goes by nothing else.
    is_secure: bool,
    sessions: Mutex<Sessions>,
}

/// One request, taken apart.
struct Asked<'a> {
    is_post: bool,
    /// Behind `/admin/`, without a slash at its end.
    path: &'a str,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    lang: Lang,
    now: UnixMillis,
    cookie: Option<String>,
    /// Whether the browser says that another site made the request.
    is_foreign: bool,
}

impl Asked<'_> {
    fn field(&self, name: &str) -> &str {
        value(&self.form, name)
    }

    fn parameter(&self, name: &str) -> &str {
        value(&self.query, name)
    }
}

/// The longest token, id or word of a request.
const FIELD_BYTES_MAX: usize = 2000;
/// Fields of one form that are read.
const FIELDS_MAX: usize = 200;

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.map_or("", |(_, value)| value.as_str())
}

fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes)
        .take(FIELDS_MAX)
        .filter(|(_, value)| value.len() <= FIELD_BYTES_MAX)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

impl OperatorPage {
    /// The page; nobody is signed in.
    pub fn new(operations: Arc<Operations>, token: Option<SecretString>, is_secure: bool) -> Self {
        Self {
            operations,
            token,
            is_secure,
            sessions: Mutex::default(),
        }
    }

    fn with_sessions<T>(&self, action: impl FnOnce(&mut Sessions) -> T) -> T {
        action(&mut self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn answer(&self, asked: &Asked<'_>) -> PageReply {
        if asked.path == "style.css" {
            return typed(StatusCode::OK, "text/css; charset=utf-8", frame::STYLE);
        }
        if asked.is_post && asked.is_foreign {
            return notice(asked, StatusCode::FORBIDDEN, texts::Page::FormIsOld);
        }
        let (folder, rest) = asked.path.split_once('/').unwrap_or((asked.path, ""));
        match (folder, rest) {
            ("in" | "get", _) => return self.enter(asked, folder, rest),
            ("own", "") => return self.mailbox_back(asked).await,
            ("own", token) => {
                return match self.operations.once.mailbox(token, asked.now) {
                    Some(ticket) => self.mailbox(asked, &ticket).await,
                    None => notice(asked, StatusCode::GONE, texts::Page::LinkIsOver),
                };
            }
            ("out", "") if asked.is_post => return self.leave(asked),
            _ => {}
        }
        let session = asked.cookie.as_deref();
        let session = session
            .and_then(|cookie| self.with_sessions(|sessions| sessions.find(cookie, asked.now)));
        let Some(session) = session else {
            return self.sign_in(asked, None);
        };
        if asked.is_post {
            return self.act(asked, &session).await;
        }
        self.section(asked, &session).await
    }
}

#[async_trait]
impl Page for OperatorPage {
    async fn handle(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> PageReply {
        let Some(path) = path.strip_prefix("/admin/") else {
            return redirect("admin/");
        };
        let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let foreign = headers
            .get("sec-fetch-site")
            .and_then(|value| value.to_str().ok());
        let asked = Asked {
            is_post: *method == Method::POST,
            path: path.trim_end_matches('/'),
            query: pairs(query.as_bytes()),
            form: pairs(body),
            lang: lang(header(ACCEPT_LANGUAGE)),
            now: self.operations.clock.now(),
            cookie: header(COOKIE).and_then(sessions::cookie),
            is_foreign: foreign.is_some_and(|site| !matches!(site, "same-origin" | "none")),
        };
        let mut reply = match *method {
            Method::GET | Method::HEAD | Method::POST => self.answer(&asked).await,
            _ => notice(&asked, StatusCode::METHOD_NOT_ALLOWED, texts::Page::Nothing),
        };
        reply.add(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        reply.add(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        reply.add(
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        );
        reply
    }
}

/// A page with one sentence.
fn notice(asked: &Asked<'_>, status: StatusCode, text: texts::Page) -> PageReply {
    let frame = Frame::outside(asked);
    let body = maud::html! { p.notice { (frame.say(text)) } };
    frame.reply(status, &body)
}

/// The first language of the list that there is (RFC 9110 §12.5.4; browsers list the best first).
fn lang(accepted: Option<&str>) -> Lang {
    let tags = accepted.unwrap_or_default().split(',').take(20);
    let mut known = tags.filter_map(|tag| Lang::from_tag(tag.split(';').next()?.trim()));
    known.next().unwrap_or_default()
}

fn typed(status: StatusCode, content_type: &'static str, body: impl Into<String>) -> PageReply {
    let body = body.into().into();
    PageReply::from(WebReply {
        status,
        content_type,
        body,
    })
}

/// To another page, by GET.
fn redirect(to: &str) -> PageReply {
    let mut reply = typed(StatusCode::SEE_OTHER, "text/plain", "");
    if let Ok(to) = HeaderValue::from_str(to) {
        reply.add(LOCATION, to);
    }
    reply
}

/// Sets the cookie; an empty one is taken away.
fn with_cookie(mut reply: PageReply, cookie: &str) -> PageReply {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        reply.add(SET_COOKIE, value);
    }
    reply
}

/// A file to be saved.
fn attachment(name: &str, bytes: Vec<u8>) -> PageReply {
    let mut reply = PageReply::from(WebReply {
        status: StatusCode::OK,
        content_type: "application/json",
        body: bytes.into(),
    });
    // The name is ours: a gateway's name has nothing that a header could not hold.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        reply.add(CONTENT_DISPOSITION, value);
    }
    reply
}
