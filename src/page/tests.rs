//! The page as a browser asks it.

use std::path::Path;

use super::*;
use crate::{
    app::App,
    config::{Config, Environment},
    operations::{OnceLink, once::Once},
};

const CONFIG: &str = r#"
[store]
url = "sqlite://transom.db"
[xmpp]
allow = ["example.org"]
[gateway.sms]
adapter = "sms"
domain = "sms.example.org"
secret = "component"
region = "US"
[gateway.sms.provider.main]
kind = "simulator"
[[gateway.sms.line]]
number = "+12025550100"
owner = "alice@example.org"
"#;

struct Browser {
    page: OperatorPage,
    cookie: Option<String>,
    _folder: tempfile::TempDir,
}

async fn operations(folder: &Path) -> Operations {
    std::fs::write(folder.join("transom.db"), "").unwrap();
    let file = folder.join("transom.toml");
    let config = Config::parse(CONFIG, &file, &Environment::default()).unwrap();
    let mut operations = App::builder()
        .build(config.config)
        .alone()
        .await
        .unwrap()
        .operations;
    operations.once = Arc::new(Once::new(
        Some("https://gw.example.org".parse().unwrap()),
        None,
    ));
    operations
}

impl Browser {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let operations = Arc::new(operations(folder.path()).await);
        Self {
            page: OperatorPage::new(operations, Some("a long enough token".into()), true),
            cookie: None,
            _folder: folder,
        }
    }

    fn link(&self, purpose: crate::operations::once::Purpose) -> String {
        let now = self.page.operations.clock.now();
        let OnceLink { url, .. } = self.page.operations.once.link(purpose, now).unwrap();
        url.strip_prefix("https://gw.example.org")
            .unwrap()
            .to_owned()
    }

    async fn ask(&mut self, method: Method, path: &str, form: &str, site: &str) -> (u16, String) {
        let mut headers = HeaderMap::new();
        headers.insert("sec-fetch-site", site.parse().unwrap());
        if let Some(cookie) = &self.cookie {
            headers.insert(COOKIE, format!("other=1; {cookie}").parse().unwrap());
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let reply = self
            .page
            .handle(&method, path, query, &headers, form.as_bytes())
            .await;
        let header = |name: HeaderName| reply.headers.iter().find(|(known, _)| *known == name);
        let policy = header(CONTENT_SECURITY_POLICY).unwrap().1.to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(header(REFERRER_POLICY).unwrap().1, "no-referrer");
        if let Some((_, cookie)) = header(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(
                cookie.contains("HttpOnly")
                    && cookie.contains("SameSite=Strict")
                    && cookie.contains("Secure"),
                "{cookie}"
            );
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let body = String::from_utf8(reply.reply.body.to_vec()).unwrap();
        assert!(
            !body.contains("<script") && !body.contains("onclick"),
            "{body}"
        );
        (reply.reply.status.as_u16(), body)
    }

    async fn get(&mut self, path: &str) -> (u16, String) {
        self.ask(Method::GET, path, "", "same-origin").await
    }

    async fn post(&mut self, path: &str, form: &str) -> (u16, String) {
        self.ask(Method::POST, path, form, "same-origin").await
    }

    async fn sign_in(&mut self) {
        let link = self.link(crate::operations::once::Purpose::SignIn);
        assert_eq!(self.post(&link, "").await.0, 303);
    }

    async fn csrf(&mut self) -> String {
        let (_, page) = self.get("/admin/blocks").await;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_sees_nothing() {
    let mut browser = Browser::new().await;
    for path in [
        "/admin/",
        "/admin/users",
        "/admin/queue",
        "/admin/user?jid=alice@example.org",
    ] {
        let (status, page) = browser.get(path).await;
        assert_eq!(status, 401, "{path}");
        assert!(
            page.contains("transom admin-link") && !page.contains("+12025550100"),
            "{page}"
        );
    }
    assert_eq!(
        browser
            .post("/admin/do", "do=block&peer=%2B12025550147")
            .await
            .0,
        401
    );
    browser.cookie = Some("transom_admin=guessed".to_owned());
    assert_eq!(browser.get("/admin/lines").await.0, 401);
}

#[tokio::test]
async fn a_link_signs_in_once_by_its_button() {
    let mut browser = Browser::new().await;
    let link = browser.link(crate::operations::once::Purpose::SignIn);
    for _ in 0..2 {
        let (status, page) = browser.get(&link).await;
        assert!(
            status == 200 && page.contains("Open the page"),
            "looking does not use it up"
        );
    }
    assert_eq!(
        browser.ask(Method::POST, &link, "", "cross-site").await.0,
        403
    );
    assert_eq!(browser.post(&link, "").await.0, 303);
    let (status, page) = browser.get("/admin/").await;
    assert!(status == 200 && page.contains("sms.example.org"), "{page}");
    assert_eq!(browser.post(&link, "").await.0, 410, "a second time");
    let csrf = browser.csrf().await;
    assert_eq!(
        browser.post("/admin/out", &format!("csrf={csrf}")).await.0,
        303
    );
    assert_eq!(browser.get("/admin/").await.0, 401);
}

#[tokio::test]
async fn the_token_signs_in_and_cannot_be_guessed() {
    let mut browser = Browser::new().await;
    let (status, page) = browser.post("/admin/in", "token=wrong").await;
    assert!(status == 401 && page.contains("not the token"), "{page}");
    assert_eq!(
        browser
            .post("/admin/in", "token=a+long+enough+token")
            .await
            .0,
        303
    );
    assert_eq!(browser.get("/admin/").await.0, 200);
    let mut other = Browser::new().await;
    for _ in 0..10 {
        other.post("/admin/in", "token=guess").await;
    }
    assert_eq!(
        other.post("/admin/in", "token=a+long+enough+token").await.0,
        429,
        "even the right one"
    );
}

#[tokio::test]
async fn whoever_makes_links_up_keeps_nobody_out() {
    let mut browser = Browser::new().await;
    for _ in 0..20 {
        assert_eq!(browser.post("/admin/in/guess", "").await.0, 410);
        assert_eq!(browser.post("/admin/get/guess", "").await.0, 410);
    }
    browser.sign_in().await;
    let token = "token=a+long+enough+token";
    assert_eq!(browser.post("/admin/in", token).await.0, 303);
}

#[tokio::test]
async fn buttons_need_the_forms_token_and_say_what_came_of_it() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    let csrf = browser.csrf().await;
    for wrong in ["", "csrf=", "csrf=0123456789abcdef0123456789abcdef"] {
        let (status, _) = browser
            .post(
                "/admin/do",
                &format!("{wrong}&do=block&peer=%2B12025550147"),
            )
            .await;
        assert_eq!(status, 403, "{wrong}");
    }
    let form = format!("csrf={csrf}&do=block&peer=%2B12025550147");
    assert_eq!(
        browser
            .ask(Method::POST, "/admin/do", &form, "cross-site")
            .await
            .0,
        403
    );
    assert_eq!(browser.post("/admin/do", &form).await.0, 303);
    let (_, page) = browser.get("/admin/blocks").await;
    assert!(
        page.contains("+12025550147 is blocked at sms.") && page.contains("Unblock"),
        "{page}"
    );
    let (_, page) = browser.get("/admin/blocks").await;
    assert!(!page.contains("is blocked at"), "said once");
    let form = format!("csrf={csrf}&do=cancel&id=5");
    assert_eq!(browser.post("/admin/do", &form).await.0, 303);
    assert!(
        browser
            .get("/admin/queue")
            .await
            .1
            .contains("There is no message")
    );
}

#[tokio::test]
async fn what_comes_from_outside_is_escaped() {
    let mut browser = Browser::new().await;
    browser.sign_in().await;
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in [
        format!("/admin/trace?id={hostile}"),
        format!("/admin/user?jid={hostile}"),
        format!("/admin/{hostile}"),
    ] {
        let (_, page) = browser.get(&path).await;
        assert!(!page.contains("<script"), "{path}: {page}");
    }
    for path in [
        "/admin/",
        "/admin/users",
        "/admin/lines",
        "/admin/queue",
        "/admin/blocks",
        "/admin/trace",
    ] {
        assert_eq!(browser.get(path).await.0, 200, "{path}");
    }
    assert_eq!(browser.get("/admin/nothing").await.0, 404);
    assert_eq!(
        browser
            .ask(Method::DELETE, "/admin/", "", "same-origin")
            .await
            .0,
        405
    );
}

#[tokio::test]
async fn a_file_is_fetched_once() {
    let mut browser = Browser::new().await;
    let purpose = crate::operations::once::Purpose::Download {
        user_id: 1,
        name: "transom-sms.json".to_owned(),
        bytes: b"{}".to_vec(),
    };
    let link = browser.link(purpose);
    assert!(browser.get(&link).await.1.contains("Download"));
    assert_eq!(browser.post(&link, "").await, (200, "{}".to_owned()));
    assert_eq!(browser.post(&link, "").await.0, 410);
    assert_eq!(browser.get("/admin/").await.0, 401, "it signs nobody in");
}
