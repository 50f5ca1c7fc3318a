//! The upload service of a user's server: found, asked for a slot, given the file (XEP-0363). A server may refuse components:
//! ejabberd does; then files are given out by ourselves.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use transom_adapter::{FetchFailure, HttpClient, UnixMillis};

use super::kind::Kind;
use crate::xmpp::{
    jid::Jid,
    ns,
    stanza::{Element, ErrorType, Iq},
    stream::{LinkHandle, RequestError},
    xep::{
        disco::{Query, Topic},
        upload::{self, Slot},
    },
};

/// For one answer of the server.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// What was found is looked for again after this.
const FOUND_FOR: Duration = Duration::from_hours(1);
/// And what was not found, or refused.
const MISSING_FOR: Duration = Duration::from_mins(10);
/// Services of a server that are asked whether they take uploads.
const ITEMS_MAX: usize = 32;

/// What is known of the upload services, by the domain of the users.
#[derive(Debug)]
pub struct Uploads {
    http: HttpClient,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    service: Option<Service>,
    until: UnixMillis,
}

#[derive(Clone, Debug)]
struct Service {
    jid: Jid,
    bytes_max: Option<u64>,
}

/// Why a file is not with an upload service.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotUploaded {
    /// There is no service that takes it from us.
    #[error("no upload service takes it")]
    NoService,
    /// The service was out of order.
    #[error("the upload service is out of order: {0}")]
    Transient(String),
}

impl Uploads {
    /// Nothing is known yet.
    pub fn new(http: HttpClient) -> Self {
        Self {
            http,
            known: Mutex::default(),
        }
    }

    /// Gives a file to the service of this domain; where the user gets it.
    ///
    /// # Errors
    ///
    /// [`NotUploaded`], which says whether trying again is of use.
    pub async fn put(
        &self,
        link: &LinkHandle,
        domain: &str,
        kind: &Kind,
        content: Bytes,
        now: UnixMillis,
    ) -> Result<String, NotUploaded> {
        let bytes = content.len() as u64;
        let service = self.service(link, domain, now).await?;
        let service = service.ok_or(NotUploaded::NoService)?;
        if service.bytes_max.is_some_and(|max| bytes > max) {
            return Err(NotUploaded::NoService);
        }
        let from = Jid::from(link.domain().clone());
        let payload = upload::request(&kind.name, bytes, &kind.content_type);
        let request = Iq::get(from, service.jid, payload);
        let answer = match link.request(request, ANSWER_MAX).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.refused(domain, error, now)),
        };
        let Some(slot) = Slot::parse(&answer) else {
            return Err(NotUploaded::NoService);
        };
        // A domain that is let in as a whole is one that the admin knows; any other server may name any place.
        let trusted = link.is_home(domain);
        self.upload((domain, trusted), &slot, (kind, content), now)
            .await?;
        Ok(slot.get)
    }

    async fn upload(
        &self,
        (domain, trusted): (&str, bool),
        slot: &Slot,
        (kind, content): (&Kind, Bytes),
        now: UnixMillis,
    ) -> Result<(), NotUploaded> {
        let mut headers = HeaderMap::new();
        let content_type = (CONTENT_TYPE.as_str().to_owned(), kind.content_type.clone());
        for (name, value) in std::iter::once(&content_type).chain(&slot.headers) {
            let name = HeaderName::try_from(name.as_str());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                headers.append(name, value);
            }
        }
        match self
            .http
            .put_file((&slot.put, trusted), headers, content)
            .await
        {
            Ok(StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT) => Ok(()),
            Ok(status) => Err(NotUploaded::Transient(format!(
                "it answers {}",
                status.as_u16()
            ))),
            // files.allow_hosts says which private places are meant.
            Err(FetchFailure::Forbidden) => {
                tracing::warn!(
                    domain,
                    "The upload service is at a private address or without TLS; if that is meant, name its host in files.allow_hosts."
                );
                self.remember(domain, None, now);
                Err(NotUploaded::NoService)
            }
            Err(FetchFailure::Transient(problem)) => Err(NotUploaded::Transient(problem)),
            Err(error) => Err(NotUploaded::Transient(error.to_string())),
        }
    }

    /// A service that says no is not asked again for a while; one that is busy is.
    fn refused(&self, domain: &str, error: RequestError, now: UnixMillis) -> NotUploaded {
        match error {
            RequestError::Refused(why) if why.kind == ErrorType::Wait => {
                NotUploaded::Transient(why.to_string())
            }
            RequestError::Refused(why) => {
                tracing::info!(domain, %why, "The upload service does not take files from us.");
                self.remember(domain, None, now);
                NotUploaded::NoService
            }
            error => NotUploaded::Transient(error.to_string()),
        }
    }

    async fn service(
        &self,
        link: &LinkHandle,
        domain: &str,
        now: UnixMillis,
    ) -> Result<Option<Service>, NotUploaded> {
        let known = self.lock().get(domain).cloned();
        if let Some(known) = known.filter(|known| now < known.until) {
            return Ok(known.service);
        }
        let found = find(link, domain).await;
        if let Err(NotUploaded::Transient(problem)) = &found {
            tracing::warn!(domain, problem, "Cannot look for an upload service.");
        }
        let service = found?;
        self.remember(domain, service.clone(), now);
        Ok(service)
    }

    fn remember(&self, domain: &str, service: Option<Service>, now: UnixMillis) {
        let lasts = if service.is_some() {
            FOUND_FOR
        } else {
            MISSING_FOR
        };
        let known = Known {
            service,
            until: now.after(lasts),
        };
        let mut all = self.lock();
        // Domains of strangers must not pile up.
        all.retain(|_, known| now < known.until);
        all.insert(domain.to_owned(), known);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The upload service of a server, and the most bytes that it says a file may have; asked now.
///
/// # Errors
///
/// What went wrong, where the server does not answer.
pub(crate) async fn service_of(
    link: &LinkHandle,
    domain: &str,
) -> Result<Option<(String, Option<u64>)>, String> {
    let found = find(link, domain)
        .await
        .map_err(|error| error.to_string())?;
    Ok(found.map(|service| (service.jid.to_string(), service.bytes_max)))
}

/// The first of a server's services that takes uploads.
async fn find(link: &LinkHandle, domain: &str) -> Result<Option<Service>, NotUploaded> {
    let Ok(host) = Jid::new(domain) else {
        return Ok(None);
    };
    let items = match ask(link, &host, Topic::Items).await {
        Ok(items) => items,
        Err(RequestError::Refused(_)) => return Ok(None),
        Err(error) => return Err(NotUploaded::Transient(error.to_string())),
    };
    let query = items.child("query", ns::DISCO_ITEMS);
    let jids = query.into_iter().flat_map(Element::children);
    let jids = jids.filter_map(|item| Jid::new(item.attr("jid")?).ok());
    let all: Vec<Jid> = std::iter::once(host).chain(jids.take(ITEMS_MAX)).collect();
    let infos = all
        .iter()
        .map(|jid| async move { (jid, ask(link, jid, Topic::Info).await) });
    for (jid, info) in futures_util::future::join_all(infos).await {
        let Ok(info) = info else { continue };
        let Some(query) = info.child("query", ns::DISCO_INFO) else {
            continue;
        };
        let takes = |child: &Element| child.attr("var") == Some(ns::UPLOAD);
        if query.children().any(takes) {
            return Ok(Some(Service {
                jid: jid.clone(),
                bytes_max: upload::size_max(query),
            }));
        }
    }
    Ok(None)
}

async fn ask(link: &LinkHandle, jid: &Jid, topic: Topic) -> Result<Iq, RequestError> {
    let query = Query { topic, node: None };
    let from = Jid::from(link.domain().clone());
    let request = Iq::get(from, jid.clone(), query.to_element());
    link.request(request, ANSWER_MAX).await
}

#[cfg(test)]
mod tests {
    use transom_adapter::{
        AllowedHosts, HttpLimits,
        testkit::{Reply, ScriptedHttp},
    };

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    async fn upload(http: &HttpClient, put: String) -> (Result<(), NotUploaded>, bool) {
        let uploads = Uploads::new(http.clone());
        let slot = Slot {
            put,
            headers: vec![("authorization".to_owned(), "Basic x".to_owned())],
            get: "https://upload.other.net/1".to_owned(),
        };
        let kind = crate::files::kind::of("a.txt", Some("text/plain"), b"hello");
        let file = (&kind, Bytes::from_static(b"hello"));
        let done = uploads.upload(("other.net", false), &slot, file, NOW).await;
        let is_given_up = uploads.lock().contains_key("other.net");
        (done, is_given_up)
    }

    #[tokio::test]
    async fn a_slot_at_a_private_address_is_used_only_where_the_admin_excepts_it() {
        let server = ScriptedHttp::start([Reply::text(201, "")]).await;
        let base = server.base_url();
        let http = HttpClient::new(HttpLimits::default()).unwrap();
        for put in [
            format!("{base}/1"),
            format!(
                "{}/1",
                base.replace("http://127.0.0.1", "https://localhost")
            ),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
        ] {
            let refused = (Err(NotUploaded::NoService), true);
            assert_eq!(upload(&http, put.clone()).await, refused, "{put}");
        }
        assert!(server.requests().is_empty());
        let http = http.except(AllowedHosts::new([base.replace("http://", "")]));
        assert_eq!(upload(&http, format!("{base}/1")).await, (Ok(()), false));
        let head = server.requests()[0].head.to_lowercase();
        assert!(
            head.contains("content-type: text/plain") && head.contains("authorization: basic x"),
            "{head}"
        );
    }
}
