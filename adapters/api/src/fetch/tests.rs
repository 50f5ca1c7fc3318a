use super::*;
use crate::{
    AllowedHosts, HttpLimits,
    testkit::{Reply, ScriptedHttp},
};

const LIMIT: u64 = 1000;

fn client() -> HttpClient {
    HttpClient::new(HttpLimits::default()).unwrap()
}

fn allowing(server: &ScriptedHttp) -> HttpClient {
    client().except(AllowedHosts::new([host(server)]))
}

fn host(server: &ScriptedHttp) -> String {
    server.base_url().replace("http://", "")
}

fn redirect(to: impl Into<String>) -> Reply {
    Reply::Http {
        status: 302,
        headers: vec![("Location", to.into())],
        body: String::new(),
    }
}

fn trusted(server: &ScriptedHttp) -> TrustedOrigin {
    TrustedOrigin::new(server.base_url())
        .unwrap()
        .basic("AC1", "secret")
}

fn shows_login(server: &ScriptedHttp) -> Vec<bool> {
    let heads = server.requests().into_iter().map(|request| request.head);
    heads
        .map(|head| head.to_lowercase().contains("authorization:"))
        .collect()
}

#[tokio::test]
async fn a_private_server_is_not_asked() {
    let server = ScriptedHttp::start([Reply::text(200, "secret")]).await;
    for url in [
        format!("{}/x", server.base_url()),
        format!("{}/x", server.base_url().replace("http:", "https:")),
        format!("{}/x", server.base_url().replace("127.0.0.1", "2130706433")),
        format!(
            "{}/x",
            server
                .base_url()
                .replace("http://127.0.0.1", "https://localhost")
        ),
        format!(
            "{}/x",
            server
                .base_url()
                .replace("http://127.0.0.1", "https://LOCALHOST")
        ),
    ] {
        let fetched = client().fetch(&url, LIMIT, None).await;
        assert_eq!(fetched, Err(FetchFailure::Forbidden), "{url}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_excepted_host_may_be_private() {
    let server = ScriptedHttp::start([Reply::json(200, "{}")]).await;
    let url = format!("{}/x", server.base_url());
    let fetched = allowing(&server).fetch(&url, LIMIT, None).await.unwrap();
    assert_eq!(fetched.content, "{}");
    assert_eq!(fetched.content_type.as_deref(), Some("application/json"));
}

#[tokio::test]
async fn a_redirect_does_not_lead_past_the_guard() {
    let inside = ScriptedHttp::start([Reply::text(200, "secret")]).await;
    for target in [
        inside.base_url().to_owned(),
        inside.base_url().replace("http:", "https:"),
        "file:///etc/passwd".to_owned(),
        "https://[::1]/".to_owned(),
        "//169.254.169.254/".to_owned(),
    ] {
        let server = ScriptedHttp::start([redirect(target.clone())]).await;
        let url = format!("{}/x", server.base_url());
        let fetched = allowing(&server).fetch(&url, LIMIT, None).await;
        assert_eq!(fetched, Err(FetchFailure::Forbidden), "{target}");
    }
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn a_login_is_shown_to_its_origin_alone() {
    let server = ScriptedHttp::start([redirect("/media/1"), Reply::text(200, "x")]).await;
    let url = format!("{}/x", server.base_url());
    let fetched = client().fetch(&url, LIMIT, Some(&trusted(&server))).await;
    assert!(fetched.is_ok());
    assert_eq!(shows_login(&server), [true, true]);
}

#[tokio::test]
async fn a_login_is_not_shown_after_a_redirect_elsewhere_and_back() {
    let provider = ScriptedHttp::start([Reply::text(200, "x")]).await;
    let other = ScriptedHttp::start([redirect(format!("{}/2", provider.base_url()))]).await;
    let start = ScriptedHttp::start([redirect(other.base_url())]).await;
    let client = client().except(AllowedHosts::new([host(&start), host(&other)]));
    let url = format!("{}/1", start.base_url());
    // The login belongs to a third origin: nobody sees it.
    let fetched = client.fetch(&url, LIMIT, Some(&trusted(&provider))).await;
    assert!(fetched.is_ok());
    for server in [&start, &other, &provider] {
        assert_eq!(shows_login(server), [false]);
    }
}

#[tokio::test]
async fn a_login_is_not_shown_again_once_a_redirect_has_left_its_origin() {
    let provider = ScriptedHttp::start([]).await;
    let other = ScriptedHttp::start([redirect(format!("{}/2", provider.base_url()))]).await;
    provider.then(redirect(other.base_url()));
    provider.then(Reply::text(200, "x"));
    let client = allowing(&other);
    let url = format!("{}/1", provider.base_url());
    let fetched = client.fetch(&url, LIMIT, Some(&trusted(&provider))).await;
    assert!(fetched.is_ok());
    assert_eq!(shows_login(&provider), [true, false]);
    assert_eq!(shows_login(&other), [false]);
}

#[tokio::test]
async fn a_login_in_the_url_is_refused() {
    let server = ScriptedHttp::start([Reply::text(200, "x")]).await;
    let url = server
        .base_url()
        .replace("http://", "http://user:password@");
    let fetched = allowing(&server).fetch(&url, LIMIT, None).await;
    assert_eq!(fetched, Err(FetchFailure::Forbidden));
}

#[tokio::test]
async fn redirects_that_do_not_end_are_given_up() {
    let server = ScriptedHttp::start([redirect("/again")]).await;
    let url = format!("{}/x", server.base_url());
    let fetched = allowing(&server).fetch(&url, LIMIT, None).await;
    assert_eq!(fetched, Err(FetchFailure::Gone));
    assert_eq!(server.requests().len(), REDIRECTS_MAX + 1);
}

#[tokio::test]
async fn what_is_too_large_is_not_read_to_its_end() {
    let too_large = Err(FetchFailure::TooLarge { bytes_max: LIMIT });
    let body = "x".repeat(1001);
    // Announced; and without a length, so that only counting helps.
    for reply in [
        Reply::text(200, body.clone()),
        Reply::Raw(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}").into_bytes()),
    ] {
        let server = ScriptedHttp::start([reply]).await;
        let fetched = allowing(&server)
            .fetch(server.base_url(), LIMIT, None)
            .await;
        assert_eq!(fetched, too_large);
    }
}

#[tokio::test]
async fn failures_say_whether_trying_again_is_of_use() {
    for (status, is_transient) in [
        (404, false),
        (403, false),
        (410, false),
        (206, false),
        (304, false),
        (408, true),
        (429, true),
        (500, true),
        (503, true),
    ] {
        let server = ScriptedHttp::start([Reply::text(status, "x")]).await;
        let failure = allowing(&server)
            .fetch(server.base_url(), LIMIT, None)
            .await
            .unwrap_err();
        assert_eq!(
            matches!(failure, FetchFailure::Transient(_)),
            is_transient,
            "{status}: {failure}"
        );
    }
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx".to_vec();
    for reply in [
        Reply::Close,
        Reply::Raw(cut),
        Reply::Raw(b"nonsense\r\n\r\n".to_vec()),
    ] {
        let server = ScriptedHttp::start([reply]).await;
        let failure = allowing(&server)
            .fetch(server.base_url(), LIMIT, None)
            .await
            .unwrap_err();
        assert!(matches!(failure, FetchFailure::Transient(_)), "{failure}");
    }
}

#[tokio::test]
async fn broken_urls_are_refused() {
    let long = format!("https://example.org/{}", "x".repeat(URL_BYTES_MAX));
    for url in ["", "x", "https://", "https://[::1%eth0]/", long.as_str()] {
        assert_eq!(
            client().fetch(url, LIMIT, None).await,
            Err(FetchFailure::Forbidden),
            "{url}"
        );
    }
}

#[tokio::test]
async fn rfc8058_a_form_is_posted_once_under_the_guard_and_follows_nobody() {
    const FORM: &str = "List-Unsubscribe=One-Click";
    let server = ScriptedHttp::start([
        Reply::text(200, "gone"),
        redirect("/elsewhere"),
        Reply::text(503, "later"),
    ])
    .await;
    let url = format!("{}/u/1", server.base_url());
    assert_eq!(
        client().post_form(&url, FORM).await,
        Err(FetchFailure::Forbidden)
    );
    let with_login = url.replace("http://", "http://me:secret@");
    let client = allowing(&server);
    assert_eq!(
        client.post_form(&with_login, FORM).await,
        Err(FetchFailure::Forbidden)
    );
    assert!(server.requests().is_empty());
    assert_eq!(client.post_form(&url, FORM).await, Ok(()));
    assert_eq!(client.post_form(&url, FORM).await, Err(FetchFailure::Gone));
    let later = client.post_form(&url, FORM).await;
    assert!(
        matches!(later, Err(FetchFailure::Transient(_))),
        "{later:?}"
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 3, "no redirect is followed");
    let first = requests.first().unwrap();
    assert!(first.head.starts_with("POST /u/1 "), "{}", first.head);
    assert!(
        !first.head.to_lowercase().contains("cookie"),
        "{}",
        first.head
    );
    assert_eq!(first.body, FORM.as_bytes());
}

#[tokio::test]
async fn xep0363_a_file_is_put_under_the_guard_and_follows_nobody() {
    let server = ScriptedHttp::start([Reply::text(201, ""), redirect("/elsewhere")]).await;
    let url = format!("{}/slot/1", server.base_url());
    let put = async |client: &HttpClient, url: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic x"));
        client
            .put_file((url, false), headers, "content".into())
            .await
    };
    for url in [
        url.clone(),
        url.replace("http:", "https:"),
        url.replace("http://127.0.0.1", "https://localhost"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let refused = put(&client(), &url).await;
        assert_eq!(refused, Err(FetchFailure::Forbidden), "{url}");
    }
    let with_login = url.replace("http://", "http://me:secret@");
    let client = allowing(&server);
    let refused = put(&client, &with_login).await;
    assert_eq!(refused, Err(FetchFailure::Forbidden));
    assert!(server.requests().is_empty());
    assert_eq!(put(&client, &url).await, Ok(StatusCode::CREATED));
    assert_eq!(put(&client, &url).await, Ok(StatusCode::FOUND));
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "no redirect is followed");
    let first = requests.first().unwrap();
    assert!(first.head.starts_with("PUT /slot/1 "), "{}", first.head);
    assert_eq!(first.body, b"content");
    assert_eq!(shows_login(&server), [true, true]);
}
