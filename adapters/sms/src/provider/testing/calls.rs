//! What holds for the calls of every provider that calls us: one is accepted, changed it is refused, too late it is refused where a
//! time is signed, and again it is the same text.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use transom_adapter::{AccountName, Refused, Repeats};
use url::form_urlencoded::Serializer;

use super::{Call, NOW, TOKEN, client, env, hmac_sha256, jwt, one_message, section, sha256_hex};
use crate::provider::built_in;

const SECRET: &str = "a secret of thirty-two characters";
const URL: &str = "https://gw.example.org/webhook/sms/main";

/// The body of a text with this id, or the query where there is no body.
type Text = fn(&str) -> String;
/// The call with this body, made at this second.
type Sign = fn(&str, i64) -> Call;

/// One provider that calls us.
struct Caller {
    kind: &'static str,
    section: Value,
    text: Text,
    call: Sign,
    /// Whether a proof covers the text; else the token alone opens the door.
    covers_text: bool,
    /// Whether a proof ends.
    ends: bool,
}

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn base64(mac: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(mac)
}

fn bearer(call: Call, claims: &Value) -> Call {
    let token = jwt("HS256", claims, SECRET);
    call.with("authorization", &format!("Bearer {token}"))
}

fn telnyx_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn signed_by_twilio(body: &str, _: i64) -> Call {
    let mut fields: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).collect();
    fields.sort();
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(URL.as_bytes());
    for (name, value) in &fields {
        mac.update(format!("{name}{value}").as_bytes());
    }
    let mac = base64(mac.finalize().into_bytes());
    Call::post("", body).with("x-twilio-signature", &mac)
}

fn signed_by_plivo(body: &str, _: i64) -> Call {
    let mut fields: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).collect();
    fields.sort();
    let fields: Vec<String> = fields.iter().map(|(n, v)| format!("{n}{v}")).collect();
    let mac = hmac_sha256(SECRET, format!("{URL}?{}.n1", fields.concat()).as_bytes());
    Call::post("", body)
        .with_token(TOKEN)
        .with("x-plivo-signature-v3", &base64(mac))
        .with("x-plivo-signature-v3-nonce", "n1")
}

fn signed_by_vonage(body: &str, second: i64) -> Call {
    let hash = sha256_hex(body.as_bytes());
    let claims = json!({ "iat": second, "exp": second + 300, "payload_hash": hash });
    let call = Call::post("", body).with("content-type", "application/json");
    bearer(call, &claims)
}

fn signed_by_telnyx(body: &str, second: i64) -> Call {
    let mac = telnyx_key().sign(format!("{second}|{body}").as_bytes());
    Call::post("", body)
        .with("telnyx-signature-ed25519", &base64(mac))
        .with("telnyx-timestamp", &second.to_string())
}

fn signed_by_sinch(body: &str, second: i64) -> Call {
    let mac = hmac_sha256(SECRET, format!("{body}.n1.{second}").as_bytes());
    Call::post("", body)
        .with("x-sinch-webhook-signature", &base64(mac))
        .with("x-sinch-webhook-signature-nonce", "n1")
        .with("x-sinch-webhook-signature-timestamp", &second.to_string())
}

fn signed_by_android(body: &str, second: i64) -> Call {
    let mac = hmac_sha256(SECRET, format!("{body}{second}").as_bytes());
    Call::post("", body)
        .with("x-signature", &hex::encode(mac))
        .with("x-timestamp", &second.to_string())
}

fn signed_by_httpsms(body: &str, second: i64) -> Call {
    let audience = format!("{URL}/{TOKEN}");
    let claims = json!({ "iss": "api.httpsms.com", "aud": [audience], "exp": second + 600 });
    bearer(Call::post("", body).with_token(TOKEN), &claims)
}

fn with_token(body: &str, _: i64) -> Call {
    Call::post("", body).with_token(TOKEN)
}

fn by_query(query: &str, _: i64) -> Call {
    Call::post(&format!("?{query}"), "").with_token(TOKEN)
}

fn signed(kind: &'static str, call: Sign, ends: bool) -> Caller {
    let (section, text): (Value, Text) = match kind {
        "twilio" => (
            json!({ "account_sid": "AC1", "auth_token": SECRET }),
            |id| {
                let to = [("From", "+12025550147"), ("To", "+12025550100")];
                form(&[("MessageSid", id), to[0], to[1], ("Body", "hello")])
            },
        ),
        "plivo" => (
            json!({ "auth_id": "MA1", "auth_token": SECRET, "webhook_token": TOKEN }),
            |id| {
                let to = [("From", "12025550147"), ("To", "12025550100")];
                form(&[("MessageUUID", id), to[0], to[1], ("Text", "hello")])
            },
        ),
        "vonage" => (
            json!({ "api_key": "k", "api_secret": "s", "signature_secret": SECRET }),
            |id| {
                json!({ "message_uuid": id, "channel": "sms", "message_type": "text", "from": "12025550147",
                    "to": "12025550100", "text": "hello" })
                .to_string()
            },
        ),
        "telnyx" => (
            json!({ "api_key": "k", "public_key": base64(telnyx_key().public_key().as_ref()) }),
            |id| {
                let payload = json!({ "id": id, "from": { "phone_number": "+12025550147" },
                    "to": [{ "phone_number": "+12025550100" }], "text": "hello" });
                json!({ "data": { "event_type": "message.received", "id": id, "payload": payload } })
                    .to_string()
            },
        ),
        "sinch" => (
            json!({ "service_plan_id": "p", "api_token": "t", "webhook_secret": SECRET }),
            |id| {
                json!({ "type": "mo_text", "id": id, "from": "12025550147", "to": "12025550100", "body": "hello" })
                    .to_string()
            },
        ),
        _ => (
            json!({ "base_url": "http://127.0.0.1:8080", "username": "u", "password": "p", "signing_key": SECRET,
                "sims": ["+12025550100"] }),
            |id| {
                let payload = json!({ "messageId": id, "sender": "+12025550147", "simNumber": 1, "message": "hello",
                    "receivedAt": "2026-09-21T16:13:20.000+02:00" });
                json!({ "id": id, "event": "sms:received", "payload": payload }).to_string()
            },
        ),
    };
    Caller {
        kind,
        section,
        text,
        call,
        covers_text: true,
        ends,
    }
}

fn by_token(kind: &'static str) -> Caller {
    let gateway = json!({ "base_url": "http://127.0.0.1:1401", "username": "u", "password": "p", "webhook_token": TOKEN });
    let (section, text, call): (Value, Text, Sign) = match kind {
        "bandwidth" => (
            json!({ "account_id": "5500", "client_id": "c", "client_secret": "s", "application_id": "app",
                "webhook_token": TOKEN }),
            |id| {
                let message = json!({ "id": id, "owner": "+12025550100", "applicationId": "app", "direction": "in",
                    "to": ["+12025550100"], "from": "+12025550147", "text": "hello" });
                json!([{ "type": "message-received", "to": "+12025550100", "message": message }])
                    .to_string()
            },
            with_token,
        ),
        "httpsms" => (
            json!({ "api_key": "k", "signing_key": SECRET, "webhook_token": TOKEN, "numbers": ["+12025550100"] }),
            |id| {
                let data = json!({ "message_id": id, "owner": "+12025550100", "contact": "+12025550147",
                    "content": "hello", "encrypted": false, "timestamp": "2026-09-21T14:13:20Z" });
                json!({ "id": id, "type": "message.phone.received", "data": data }).to_string()
            },
            signed_by_httpsms,
        ),
        "kannel" => (
            gateway,
            |id| {
                format!(
                    "id={id}&from=%2B12025550147&to=%2B12025550100&bin=hello&charset=UTF-8&coding=0"
                )
            },
            by_query,
        ),
        "jasmin" => (
            gateway,
            |id| {
                format!(
                    "id={id}&from=12025550147&to=12025550100&coding=0&content=hello&binary=68656c6c6f"
                )
            },
            with_token,
        ),
        _ => (
            json!({ "webhook_token": TOKEN, "webhook": { "from": "/from", "to": "/to", "text": "/text", "id": "/id" },
                "send": { "url": "https://api.acme.example/sms", "body": "{{ text }}", "id": "/id" } }),
            |id| {
                json!({ "id": id, "from": "+12025550147", "to": "+12025550100", "text": "hello" })
                    .to_string()
            },
            with_token,
        ),
    };
    Caller {
        kind,
        section,
        text,
        call,
        covers_text: false,
        ends: kind == "httpsms",
    }
}

fn callers() -> [Caller; 11] {
    [
        signed("twilio", signed_by_twilio, false),
        signed("plivo", signed_by_plivo, false),
        signed("vonage", signed_by_vonage, true),
        signed("telnyx", signed_by_telnyx, true),
        signed("sinch", signed_by_sinch, true),
        signed("android", signed_by_android, true),
        by_token("bandwidth"),
        by_token("httpsms"),
        by_token("kannel"),
        by_token("jasmin"),
        by_token("http"),
    ]
}

#[test]
fn a_call_is_accepted_and_changed_or_too_late_refused_and_again_the_same() {
    let kinds = built_in();
    for caller in callers() {
        let kind = caller.kind;
        let factory = kinds.iter().find(|factory| factory.kind() == kind);
        let name = AccountName::new("sms", "main");
        let account = factory
            .unwrap()
            .build(name, &section(caller.section), &env(client()));
        let account = account.unwrap_or_else(|faults| panic!("{kind}: {faults:?}"));
        let now = NOW.0 / 1000;
        let at = |id: &str, second| (caller.call)(&(caller.text)(id), second);
        let repeats = |id: &str| {
            let handled = at(id, now).send(&*account);
            let handled = handled.unwrap_or_else(|refused| panic!("{kind}: {refused}"));
            let message = one_message(&handled);
            let addresses = (message.from.as_str(), message.to.as_str(), &*message.text);
            assert_eq!(
                addresses,
                ("+12025550147", "+12025550100", "hello"),
                "{kind}"
            );
            message.repeats.clone()
        };

        let accepted = repeats("m1");
        assert!(matches!(accepted, Repeats::ById(_)), "{kind}: {accepted:?}");
        assert_eq!(repeats("m1"), accepted, "{kind}: again it is the same");
        assert_ne!(repeats("m2"), accepted, "{kind}: another is another");

        let mut changed = at("m1", now);
        if caller.covers_text {
            let body = String::from_utf8(changed.body).unwrap();
            changed.body = body.replace("hello", "hellp").into_bytes();
        } else {
            changed.token = Some("0123456789abcdeF");
        }
        assert_eq!(changed.send(&*account), Err(Refused::Forged), "{kind}");
        let mut naked = at("m1", now);
        naked.headers.clear();
        naked.token = None;
        assert_eq!(naked.send(&*account), Err(Refused::Unsigned), "{kind}");
        let old = at("m1", now - 3600).send(&*account);
        let wanted = if caller.ends {
            Some(Refused::Replayed)
        } else {
            None
        };
        assert_eq!(old.err(), wanted, "{kind}");
    }
}
