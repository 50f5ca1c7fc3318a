//! The URL of a request as the provider wrote it, which is what signatures cover.

use axum::http::{HeaderMap, Uri, header::HOST, uri::Authority};
use url::{Position, Url};

/// `http.public_url`, without the slash at its end.
#[derive(Clone, Debug)]
pub(super) struct PublicUrl {
    base: String,
    prefix: String,
}

impl PublicUrl {
    pub(super) fn new(url: &Url) -> Self {
        Self {
            base: url[..Position::AfterPath].trim_end_matches('/').to_owned(),
            prefix: url.path().trim_end_matches('/').to_owned(),
        }
    }

    /// The request's URI without the path of the public URL, where a proxy left it there.
    pub(super) fn without_prefix(&self, uri: &Uri) -> Option<Uri> {
        let rest = uri.path_and_query()?.as_str();
        let rest = rest.strip_prefix(self.prefix.as_str())?;
        if self.prefix.is_empty() || !rest.starts_with('/') {
            return None;
        }
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(rest.parse().ok()?);
        Uri::from_parts(parts).ok()
    }
}

/// The URL that was called, path and query byte for byte as they were received. Without a configured one, scheme and host are
/// the request's; a proxy that is trusted may name the scheme.
pub(super) fn called(
    public: Option<&PublicUrl>,
    by_proxy: bool,
    uri: &Uri,
    headers: &HeaderMap,
) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if let Some(public) = public {
        return format!("{}{path}", public.base);
    }
    let tls_ended_before = by_proxy
        && headers
            .get("x-forwarded-proto")
            .is_some_and(|scheme| scheme == "https");
    let scheme = if tls_ended_before { "https" } else { "http" };
    let host = uri.authority().cloned().or_else(|| host(headers));
    let host = host.as_ref().map_or("localhost", Authority::as_str);
    format!("{scheme}://{host}{path}")
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    headers.get(HOST)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(public: Option<&str>, uri: &str, headers: &[(&'static str, &str)], want: &str) {
        let public = public.map(|url| PublicUrl::new(&url.parse().unwrap()));
        let uri: Uri = uri.parse().unwrap();
        let uri = public
            .as_ref()
            .and_then(|public| public.without_prefix(&uri))
            .unwrap_or(uri);
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        assert_eq!(called(public.as_ref(), true, &uri, &headers), want);
    }

    #[test]
    fn the_configured_url_is_joined_with_what_was_received() {
        let gw = Some("https://gw.example.org");
        check(
            gw,
            "/webhook/sms/main",
            &[],
            "https://gw.example.org/webhook/sms/main",
        );
        check(
            Some("https://gw.example.org:443/"),
            "/w?a=%20+b&&c=%2f",
            &[("host", "evil.example")],
            "https://gw.example.org/w?a=%20+b&&c=%2f",
        );
        check(
            Some("https://gw.example.org:8443/x?y#z"),
            "/w?",
            &[],
            "https://gw.example.org:8443/x/w?",
        );
        check(
            gw,
            "/%E2%82%ac//./..",
            &[],
            "https://gw.example.org/%E2%82%ac//./..",
        );
    }

    #[test]
    fn a_path_of_the_public_url_may_be_left_or_removed_by_the_proxy() {
        let gw = Some("https://example.org/transom/");
        let want = "https://example.org/transom/webhook/sms/main?x=1";
        check(gw, "/webhook/sms/main?x=1", &[], want);
        check(gw, "/transom/webhook/sms/main?x=1", &[], want);
        check(
            gw,
            "/transomx/y",
            &[],
            "https://example.org/transom/transomx/y",
        );
    }

    #[test]
    fn without_a_configured_url_the_request_says_it() {
        check(
            None,
            "/w?x",
            &[("host", "a.example:8480")],
            "http://a.example:8480/w?x",
        );
        check(None, "/w", &[], "http://localhost/w");
        check(None, "/w", &[("host", "a b/c")], "http://localhost/w");
        check(None, "http://b.example/w", &[], "http://b.example/w");
        check(
            None,
            "/w",
            &[("host", "a.example"), ("x-forwarded-proto", "https")],
            "https://a.example/w",
        );
    }
}
