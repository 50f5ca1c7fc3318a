//! What the user sent elsewhere, by httpSMS's own page: it shows as the user's own where the server allows that (XEP-0356).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use transom_test_servers::{
    Answer, Element, Feature, HttpDouble, Server, Transom, XmppServer, free_port, post_with,
    skipped,
};

use crate::world::{LINE, SMS, chat, contact, link_up};

on_each_server! {
    without_privilege_it_is_told_in_the_chat,
}

const PEER: &str = "+12025550147";
const KEY: &str = "signing-key";
const TOKEN: &str = "0123456789abcdef0123";

struct Phone {
    transom: Transom,
    server: XmppServer,
    api: HttpDouble,
    webhook: std::net::SocketAddr,
}

impl Phone {
    async fn start(on: Server, features: &[Feature]) -> Self {
        let components = [(SMS, "secret")];
        let server = XmppServer::start(on, features, &components, &["alice"]).await;
        let (http, api) = (free_port(), HttpDouble::start().await);
        api.answer_by(|_| {
            Answer::json(
                200,
                r#"{"status":"success","data":{"id":"u-1","status":"pending"}}"#,
            )
        });
        let config = format!(
            r#"
[xmpp]
server = "{server}"
allow = ["example.org"]
[http]
listen = "{http}"
public_url = "http://{http}"
[gateway.sms]
adapter = "sms"
domain = "{SMS}"
secret = "secret"
region = "US"
[gateway.sms.provider.main]
kind = "httpsms"
api_key = "k"
signing_key = "{KEY}"
webhook_token = "{TOKEN}"
numbers = ["{LINE}"]
base_url = "{api}"
[[gateway.sms.line]]
number = "{LINE}"
owner = "alice@example.org"
"#,
            server = server.component_addr(),
            api = api.url(""),
        );
        let mut transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
            .config(&config)
            .http(http)
            .prepare();
        transom.start().await;
        link_up(&transom, "sms").await;
        Self {
            transom,
            server,
            api,
            webhook: http,
        }
    }

    /// httpSMS says that the phone sent this.
    async fn sent(&self, id: &str, request_id: Option<&str>, text: &str) -> Result<u16, String> {
        let path = format!("/webhook/sms/main/{TOKEN}");
        let claims = json!({
            "iss": "api.httpsms.com", "aud": [format!("http://{}{path}", self.webhook)], "sub": "u", "exp": 4_000_000_000_u64,
        });
        let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            part(&json!({ "alg": "HS256", "typ": "JWT" })),
            part(&claims)
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        let body = json!({
            "type": "message.phone.sent",
            "data": { "id": id, "request_id": request_id, "owner": LINE, "contact": PEER, "content": text, "sim": "SIM1" },
        });
        let bearer = format!("Bearer {signed}.{signature}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        let answer = post_with(self.webhook, &path, &headers, body.to_string().as_bytes()).await;
        answer.map(|response| response.status)
    }

    fn texts(&self) -> usize {
        let requests = self.api.requests();
        requests
            .iter()
            .filter(|request| request.path() == "/v1/messages/send")
            .count()
    }
}

#[tokio::test]
async fn what_was_sent_elsewhere_is_the_users_own_and_is_not_sent_again() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    proves!(
        "XEP-0356: what the user sent elsewhere shows as the user's own",
        Prosody
    );
    let mut phone = Phone::start(Server::Prosody, &[Feature::Offline, Feature::Privilege]).await;
    let mut alice = phone.server.client("alice", "desk").await;
    alice
        .iq(
            "set",
            "alice@example.org",
            "<enable xmlns='urn:xmpp:carbons:2'/>",
        )
        .await;
    // Alice has written, so that the chat is hers; that is no news of hers.
    alice.send(&chat(&contact(PEER), "m1", "by transom")).await;
    let request = phone
        .api
        .request("the text", |request| request.method == "POST")
        .await;
    let key = serde_json::from_str::<serde_json::Value>(&request.text()).unwrap();
    let key = key["request_id"].as_str().unwrap().to_owned();
    assert_eq!(phone.sent("u-1", Some(&key), "by transom").await, Ok(200));
    assert_eq!(phone.sent("u-2", None, "on my way").await, Ok(200));
    assert_eq!(
        phone.sent("u-2", None, "on my way").await,
        Ok(200),
        "twice the same"
    );
    let own = |text: &'static str| {
        move |stanza: &Element| {
            let sent = stanza.find("message", "jabber:client").or(Some(stanza));
            sent.is_some_and(|inner| {
                inner.body().as_deref() == Some(text) && inner.attr("to") == Some(&contact(PEER))
            })
        }
    };
    let carbon = alice.expect("a carbon of it", own("on my way")).await;
    assert!(
        carbon.child_in("sent", "urn:xmpp:carbons:2").is_some(),
        "{carbon}"
    );
    // Kill and start again: it was handed over, comes back no more, and was not sent to the phone.
    phone.transom.kill9();
    phone.transom.start().await;
    link_up(&phone.transom, "sms").await;
    alice.send(&chat(&contact(PEER), "m2", "the last")).await;
    phone
        .api
        .request("the last", |request| request.text().contains("the last"))
        .await;
    assert_eq!(phone.texts(), 2, "{:?}", phone.api.requests());
    let again = alice
        .received()
        .iter()
        .filter(|stanza| own("on my way")(stanza))
        .count();
    assert_eq!(again, 1);
    assert!(
        !alice
            .received()
            .iter()
            .any(|stanza| stanza.attr("type") == Some("error"))
    );
}

async fn without_privilege_it_is_told_in_the_chat(on: Server) {
    proves!(
        "what the user sent elsewhere is told where it cannot show as the user's own",
        Prosody,
        Ejabberd
    );
    is_told(on, &[Feature::Offline]).await;
}

#[tokio::test]
async fn where_the_server_makes_no_copies_it_is_told_in_the_chat() {
    if skipped(&[Server::Ejabberd]) {
        return;
    }
    proves_instead!(
        "XEP-0356: what the user sent elsewhere shows as the user's own",
        "a line in the chat tells it",
        Ejabberd
    );
    is_told(Server::Ejabberd, &[Feature::Offline, Feature::Privilege]).await;
}

async fn is_told(on: Server, features: &[Feature]) {
    let phone = Phone::start(on, features).await;
    let mut alice = phone.server.client("alice", "desk").await;
    alice.send(&chat(&contact(PEER), "m1", "hello")).await;
    phone
        .api
        .request("the text", |request| request.method == "POST")
        .await;
    assert_eq!(phone.sent("u-2", None, "on my way").await, Ok(200));
    let told = alice
        .expect("the line", |stanza| {
            stanza.body().is_some_and(|body| body.contains("on my way"))
        })
        .await;
    assert_eq!(told.attr("from"), Some(contact(PEER).as_str()));
    assert_eq!(
        told.body().as_deref(),
        Some("You wrote from elsewhere: on my way")
    );
}
