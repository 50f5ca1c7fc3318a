//! What goes out to Vonage, and its login.

mod webhook;

use hmac::Hmac;
use http::Method;
use md5::Md5;
use proptest::prelude::*;
use transom_adapter::{
    ExternalId, MessageRef, Part, Progress, Repeats,
    testkit::{
        Reply, ScriptedHttp,
        conformance::{self, HttpSubject},
    },
};

use super::*;
use crate::provider::{
    fields::Fields,
    signature::hmac,
    testing::{
        Call, FIRST, NOW, check_table, client, env, hmac_sha256, json_soup, jwt, message,
        one_message, one_report, outcome_of, rsa_pem, section, sha256_hex, soup, text_and_picture,
        to_group,
    },
};

const SECRET: &str = "signature_secret";

fn account(base_url: &str, http: HttpClient) -> VonageAccount {
    let table = json!({
        "api_key": "key1", "api_secret": "secret1", "signature_secret": SECRET, "base_url": base_url, "validity": "2m",
    });
    config::account(AccountName::new("sms", "main"), &section(table), &env(http)).unwrap()
}

fn at(base_url: &str) -> VonageAccount {
    account(base_url, client())
}

fn offline() -> VonageAccount {
    at("https://api.nexmo.com")
}

#[tokio::test]
async fn it_is_a_good_account() {
    conformance::http_account(&HttpSubject {
        build: &|url, http| Arc::new(account(url, http)),
        accepted: Reply::json(
            202,
            r#"{"message_uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab"}"#,
        ),
        message: message("hello"),
    })
    .await;
}

#[tokio::test]
async fn a_text_is_sent_with_all_that_vonage_needs() {
    let server = ScriptedHttp::start([Reply::json(202, r#"{"message_uuid":"u1"}"#)]).await;
    let message = message("hello\r\nthere");
    let account = at(server.base_url());
    let id = ExternalId::new("vonage", "u1");
    let [text, picture] = text_and_picture(&account, &server, &message, id).await;
    assert!(text.head.starts_with("POST /v1/messages HTTP/1.1"));
    // key1:secret1
    assert!(
        text.head.contains("Basic a2V5MTpzZWNyZXQx"),
        "{}",
        text.head
    );
    let common = json!({
        "from": "12025550100", "to": "12025550147", "client_ref": message.key.to_string(),
        "webhook_url": "https://gw.example.org/webhook/sms/main", "webhook_version": "v1",
    });
    let with = |more: Value| {
        let mut wanted = common.clone();
        wanted
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        wanted
    };
    let wanted = with(
        json!({ "channel": "sms", "message_type": "text", "text": "hello\nthere", "ttl": 120 }),
    );
    assert_eq!(serde_json::from_slice::<Value>(&text.body).unwrap(), wanted);
    let image = json!({ "url": "https://gw.example.org/files/x/a.png", "caption": "hello\nthere" });
    let wanted =
        with(json!({ "channel": "mms", "message_type": "image", "image": image, "ttl": 300 }));
    assert_eq!(
        serde_json::from_slice::<Value>(&picture.body).unwrap(),
        wanted
    );
}

#[tokio::test]
async fn an_application_signs_each_call() {
    let table = |base: &str| json!({ "application_id": "app1", "private_key": rsa_pem(), "signature_secret": SECRET, "base_url": base });
    let server = ScriptedHttp::start([Reply::json(202, r#"{"message_uuid":"u1"}"#)]).await;
    let section = section(table(server.base_url()));
    let account =
        config::account(AccountName::new("sms", "main"), &section, &env(client())).unwrap();
    account.send(&message("a"), FIRST).await;
    let head = server.requests().pop().unwrap().head;
    let token = head
        .split_once("Bearer ")
        .unwrap()
        .1
        .lines()
        .next()
        .unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let now = NOW.0 / 1000;
    assert_eq!(
        (&claims["application_id"], &claims["iat"], &claims["exp"]),
        (&json!("app1"), &json!(now), &json!(now + 900))
    );
}

#[test]
fn every_row_of_the_error_table_is_obeyed() {
    for status in [422, 403] {
        let body = |code: u32| {
            json!({ "type": format!("https://developer.vonage.com/api-errors/messages#{code}"), "title": "secret", "detail": "secret" }).to_string()
        };
        check_table(codes::TABLE, status, body, outcome);
        check_table(
            codes::TABLE,
            status,
            |code| json!({ "title": code }).to_string(),
            outcome,
        );
    }
}

#[tokio::test]
async fn what_is_not_in_the_table_is_judged_by_its_status() {
    for (status, body, want) in [
        (202, "{}", "Unknown"),
        (401, r#"{"type":"https://x#unauthorized"}"#, "Misconfigured"),
        (402, r#"{"title":"Low balance"}"#, "Misconfigured"),
        (403, "", "Misconfigured"),
        (422, r#"{"type":"https://x#9999"}"#, "Rejected"),
        (429, r#"{"title":"Rate Limit Hit"}"#, "Throttled"),
        (500, "", "Unknown"),
    ] {
        let outcome = format!("{:?}", outcome_of(at, Reply::json(status, body)).await);
        assert!(outcome.starts_with(want), "{status} gave {outcome}");
    }
}

#[tokio::test]
async fn each_of_a_group_gets_an_mms_that_names_the_others() {
    let server = ScriptedHttp::start([Reply::json(202, r#"{"message_uuid":"u1"}"#)]).await;
    let mut message = to_group(&message("hello all"));
    let group = message.group.as_mut().unwrap();
    group.at_once = false;
    assert!(
        group
            .members
            .iter()
            .any(|member| member.address == message.to)
    );
    let outcome = at(server.base_url()).send(&message, FIRST).await;
    let ids = vec![ExternalId::new("vonage", "u1")];
    assert_eq!(outcome, Outcome::Accepted { ids }, "of this member alone");
    let body: Value = serde_json::from_slice(&server.requests()[0].body).unwrap();
    let wanted = json!({
        "channel": "mms", "message_type": "text", "from": "12025550100", "to": "12025550147", "text": "hello all",
        "mms": { "participants": ["12025550148"] }, "client_ref": message.key.to_string(), "ttl": 300,
        "webhook_url": "https://gw.example.org/webhook/sms/main", "webhook_version": "v1",
    });
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn a_check_tells_a_wrong_login_from_a_right_one() {
    let server = ScriptedHttp::start([Reply::json(422, "{}"), Reply::json(401, "{}")]).await;
    assert_eq!(
        at(server.base_url()).check().await.faults,
        Vec::<String>::new()
    );
    assert_eq!(at(server.base_url()).check().await.faults.len(), 1);
}

#[test]
fn there_has_to_be_a_login() {
    for (table, key) in [
        (json!({}), "application_id"),
        (json!({ "api_key": "k" }), "application_id"),
        (
            json!({ "application_id": "a", "private_key": "no key" }),
            "private_key",
        ),
    ] {
        let mut table = table;
        table["signature_secret"] = SECRET.into();
        let faults = config::account(
            AccountName::new("sms", "main"),
            &section(table),
            &env(client()),
        );
        let faults = faults.map(drop).unwrap_err();
        assert_eq!(faults[0].key, format!("gateway.sms.provider.main.{key}"));
    }
}
