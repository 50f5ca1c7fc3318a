//! Calls that providers' own libraries made or accept, verified by us. `tests/run` installs the libraries and names their folder
//! in `TRANSOM_TEST_SDK`.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failing test panics, and a skipped one says so"
)]

use std::{path::Path, process::Command};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use transom_adapter::{
    Account, Adapter, Event, HttpClient, HttpLimits, Section, UnixMillis, WebRequest,
    testkit::signer,
};
use transom_sms::SmsAdapter;

/// What the script printed; `None` where the libraries are not there.
fn signed_calls() -> Option<Value> {
    let Some(folder) = std::env::var_os("TRANSOM_TEST_SDK") else {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "CI skips nothing, and TRANSOM_TEST_SDK is not set");
        println!("skipped: TRANSOM_TEST_SDK is not set; tests/run installs what it names");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/sign.cjs");
    let output = Command::new("node")
        .arg(script)
        .env("NODE_PATH", Path::new(&folder).join("node_modules"))
        .output()
        .expect("node starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn adapter(signed: &Value) -> SmsAdapter {
    let (secret, token) = (&signed["secret"], &signed["token"]);
    let calls = signed["calls"].as_array().expect("a list");
    let key = calls.iter().find_map(|call| call["key"].as_str());
    let table = json!({ "region": "US", "provider": {
        "twilio": { "kind": "twilio", "account_sid": "AC1", "auth_token": secret },
        "plivo": { "kind": "plivo", "auth_id": "MA1", "auth_token": secret, "webhook_token": token },
        "telnyx": { "kind": "telnyx", "api_key": "KEY1", "public_key": key },
        "vonage": { "kind": "vonage", "api_key": "key1", "api_secret": "s", "signature_secret": secret },
    } });
    let Value::Object(table) = table else {
        unreachable!()
    };
    let section = Section {
        key: "gateway.sms".into(),
        table,
        base_dir: ".".into(),
    };
    let http = HttpClient::new(HttpLimits::default()).expect("a client");
    SmsAdapter::from_section("sms", &section, http, signer(), None, &[]).expect("a good section")
}

/// The text that a call brings; or why it is refused.
fn text_of(account: &dyn Account, call: &Value, body: &str) -> Result<String, String> {
    let headers = call["headers"].as_object().expect("headers");
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().expect("a text");
            let name: HeaderName = name.parse().expect("a name");
            (name, HeaderValue::from_str(value).expect("a value"))
        })
        .collect();
    let url = call["url"].as_str().expect("a URL");
    let request = WebRequest {
        method: &Method::POST,
        public_url: url,
        query: url.split_once('?').map_or("", |(_, query)| query),
        token: call["token"].as_str(),
        headers: &headers,
        body: body.as_bytes(),
        peer: None,
    };
    let now = UnixMillis(call["now"].as_i64().expect("a time") * 1000);
    let handled = account.webhook(&request, now);
    match &handled.map_err(|refused| refused.to_string())?.events[..] {
        [Event::Message(message)] => Ok(message.text.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_providers_own_libraries_sign_is_taken_and_changed_it_is_not() {
    let Some(signed) = signed_calls() else {
        return;
    };
    let adapter = adapter(&signed);
    let mut providers = Vec::new();
    for call in signed["calls"].as_array().expect("a list") {
        let provider = call["provider"].as_str().expect("a name");
        let accounts = adapter.accounts();
        let account = accounts.iter().find(|a| a.name().short() == provider);
        let account = account.expect("an account");
        let body = call["body"].as_str().expect("a body");
        let text = text_of(&**account, call, body);
        assert!(
            text.is_ok_and(|text| text.starts_with("héllo")),
            "{provider}"
        );
        // Plivo signs no bodies.
        let mut other = call.clone();
        other["url"] = format!("{}x", call["url"].as_str().expect("a URL")).into();
        let changed = text_of(&**account, &other, &body.replace("llo", "lp"));
        assert!(changed.is_err(), "{provider}: {changed:?}");
        providers.push(provider);
    }
    assert_eq!(providers, ["twilio", "plivo", "telnyx", "vonage"]);
}
