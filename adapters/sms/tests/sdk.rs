//! Calls that providers' own libraries made or accept, verified by us. `tests/run` installs the libraries and names their folder
//! in `TRANSOM_TEST_SDK`.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failing test panics, and a skipped one says so"
)]

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use transom_adapter::{
    Account, Adapter, Event, HttpClient, HttpLimits, Section, UnixMillis, WebRequest,
    testkit::signer,
};
use transom_sms::{Encoding, Segments, SmsAdapter};

/// What a script printed of this input; `None` where the libraries are not there.
fn printed_by(script: &str, input: &Value) -> Option<Value> {
    let Some(folder) = std::env::var_os("TRANSOM_TEST_SDK") else {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "CI skips nothing, and TRANSOM_TEST_SDK is not set");
        println!("skipped: TRANSOM_TEST_SDK is not set; tests/run installs what it names");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/sdk")
        .join(script);
    let mut node = Command::new("node")
        .arg(script)
        .env("NODE_PATH", Path::new(&folder).join("node_modules"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node starts");
    let mut pipe = node.stdin.take().expect("a pipe");
    pipe.write_all(input.to_string().as_bytes())
        .expect("node reads");
    drop(pipe);
    let output = node.wait_with_output().expect("node ends");
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
        "sinch": { "kind": "sinch", "service_plan_id": "plan1", "api_token": "t", "webhook_secret": secret },
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
    let Some(signed) = printed_by("sign.cjs", &Value::Null) else {
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
    assert_eq!(providers, ["twilio", "plivo", "telnyx", "vonage", "sinch"]);
}

/// Texts of a few signs each, at every length around the limits: plain, of two septets, of one and of two units, of several
/// characters that are read as one.
fn texts() -> Vec<String> {
    const SIGNS: [&str; 9] = ["a", "€", "я", "😀", "🇮🇹", "é", "ç", "\n", "“"];
    let mut texts: Vec<String> = Vec::new();
    for sign in SIGNS {
        let long = (1..330).step_by(7).chain(64..72).chain(130..140);
        texts.extend(
            long.chain(150..163)
                .chain(304..309)
                .map(|count| sign.repeat(count)),
        );
    }
    let mut seed = 20_261_127_u32;
    for _ in 0..1500 {
        let mut text = String::new();
        for _ in 0..seed >> 23 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // The first signs more often, so that not every text is Unicode.
            let sign = (seed >> 28).min(seed >> 8 & 0xf).min(seed >> 16 & 0xf);
            text.push_str(SIGNS[usize::try_from(sign).expect("small") % SIGNS.len()]);
        }
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        texts.push(text);
    }
    texts
}

#[test]
fn segments_are_counted_as_the_public_calculator_counts_them() {
    let texts: Vec<String> = texts()
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    let Some(counted) = printed_by("count.cjs", &json!(texts)) else {
        return;
    };
    let counted = counted.as_array().expect("a list");
    assert_eq!(counted.len(), texts.len());
    for (text, wanted) in texts.iter().zip(counted) {
        let ours = Segments::of(text);
        let name = match ours.encoding {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        };
        assert_eq!(&json!([ours.count, name]), wanted, "{text:?}");
    }
}
