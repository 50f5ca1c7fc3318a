//! Twilio's calls to us.

use http::{HeaderMap, Method};
use proptest::prelude::*;
use transom_adapter::{
    Event, ExternalId, Failure, Handled, Key, MessageRef, Progress, Reason, Refused, Repeats,
    Report, UnixMillis, WebRequest,
};

use super::{
    super::{Account, TwilioAccount, events},
    offline,
};
use crate::provider::testing::soup;

/// A call as the server hands it over.
struct Call<'a> {
    method: Method,
    url: &'a str,
    body: &'a [u8],
    headers: HeaderMap,
}

impl<'a> Call<'a> {
    fn post(url: &'a str, body: &'a str, signature: &str) -> Self {
        let headers = [
            ("x-twilio-signature", signature),
            (
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            ),
        ];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Self {
            method: Method::POST,
            url,
            body: body.as_bytes(),
            headers: HeaderMap::from_iter(headers),
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    fn request(&self) -> WebRequest<'_> {
        WebRequest {
            method: &self.method,
            public_url: self.url,
            query: self.url.split_once('?').map_or("", |(_, query)| query),
            token: None,
            headers: &self.headers,
            body: self.body,
            peer: None,
        }
    }

    fn send(&self) -> Result<Handled, Refused> {
        offline().webhook(&self.request(), UnixMillis(0))
    }

    fn verify(&self) -> Result<(), Refused> {
        offline().secrets.verify(&self.request()).map(drop)
    }
}

const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const FORM: &str = "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";

#[test]
fn twilios_own_signatures_verify() {
    for (url, form, signature) in [
        (URL, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (
            "http://mycompany.com:80/myapp.php?foo=1&bar=2",
            FORM,
            "0ZXoZLH/DfblKGATFgpif+LLRf4=",
        ),
        (
            "http://mycompany.com/myapp.php?foo=1&bar=2",
            FORM,
            "0ZXoZLH/DfblKGATFgpif+LLRf4=",
        ),
        (
            "https://mycompany.com:443/myapp.php?foo=1&bar=2",
            FORM,
            "kvajT1Ptam85bY51eRf/AJRuM3w=",
        ),
        (URL, FORM, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (
            "https://mycompany.com:443/myapp.php?foo=1&bar=2",
            FORM,
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
            FORM,
            "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
        ),
        (
            URL,
            "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        ),
    ] {
        assert_eq!(
            Call::post(url, form, signature).verify(),
            Ok(()),
            "{url} {form}"
        );
    }
}

#[test]
fn a_json_body_is_covered_by_its_hash() {
    let url = format!(
        "{URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    );
    let (body, signature) = (
        r#"{"property": "value", "boolean": true}"#,
        "a9nBmqA0ju/hNViExpshrM61xv4=",
    );
    let call = |body| {
        Call::post(&url, body, signature)
            .with("content-type", "application/json")
            .send()
    };
    let handled = call(body).unwrap();
    assert_eq!(handled.events, [], "verified, and of no use");
    assert_eq!(call(r#"{"property": "other"}"#), Err(Refused::Forged));
}

#[test]
fn the_sha_256_variant_is_verified_with_the_shared_key() {
    // HMAC-SHA-256 over the same string as ever; Twilio publishes no vector, this one was made with Python's hmac module.
    let signature = "KsDM1TaUaD3zgC1znRg16Ev1YKZza+BBNZfOn7e5P/E=";
    let call = |settings: &str| {
        Call::post(URL, FORM, signature)
            .with("x-twilio-webhooks-signature-settings", settings)
            .verify()
    };
    assert_eq!(call("key=key1,algorithm=HMAC_SHA256"), Ok(()));
    assert_eq!(call("algorithm=hmac_sha256, key=key1"), Ok(()));
    for settings in [
        "key=key2,algorithm=HMAC_SHA256",
        "algorithm=HMAC_SHA256",
        "key=key1,algorithm=HMAC_MD5",
        "",
        "key=key1",
    ] {
        assert_eq!(call(settings), Err(Refused::Forged), "{settings}");
    }
}

#[test]
fn whatever_is_changed_is_noticed() {
    let good = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    for (url, form, signature) in [
        ("https://mycompany.com/myapp.php?foo=1&bar=3", FORM, good),
        ("https://mycompany.org/myapp.php?foo=1&bar=2", FORM, good),
        (URL, "CallSid=CA1234567890ABCDE", good),
        (URL, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B9="),
        (URL, FORM, "RSOYDt4T1cUTdK1PDd93"),
        (URL, FORM, ""),
        (URL, FORM, "not base64!"),
    ] {
        assert_eq!(
            Call::post(url, form, signature).verify(),
            Err(Refused::Forged),
            "{url} {signature}"
        );
    }
    let mut unsigned = Call::post(URL, FORM, good);
    unsigned.headers.remove("x-twilio-signature");
    assert_eq!(unsigned.verify(), Err(Refused::Unsigned));
}

/// Signs as Twilio does.
fn sign(url: &str, form: &str) -> String {
    use base64::Engine as _;
    use hmac::{KeyInit as _, Mac as _};
    let mut mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(b"12345").unwrap();
    mac.update(url.as_bytes());
    for (name, value) in crate::provider::fields::Fields::parse(form.as_bytes())
        .unwrap()
        .sorted()
    {
        mac.update(name);
        mac.update(value);
    }
    base64::prelude::BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

fn post(query: &str, form: &str) -> Result<Handled, Refused> {
    let url = format!("https://gw.example.org/webhook/sms/main{query}");
    Call::post(&url, form, &sign(&url, form)).send()
}

#[test]
fn a_message_with_a_picture_comes_in() {
    let handled = post(
        "",
        "ToCountry=US&MessageSid=MM1&SmsStatus=received&From=%2B12025550147&To=%2B12025550100&Body=&NumMedia=1\
         &MediaUrl0=https%3A%2F%2Fapi.twilio.com%2Fm&MediaContentType0=image%2Fjpeg&SomethingNew=x",
    )
    .unwrap();
    assert_eq!(handled.stored.content_type, "text/xml");
    assert_eq!(&handled.stored.body[..], b"<Response/>");
    assert_eq!(handled.busy.status, 503);
    let [Event::Message(message)] = &handled.events[..] else {
        panic!("{handled:?}")
    };
    assert_eq!(
        message.repeats,
        Repeats::ById(ExternalId::new("sid", "MM1"))
    );
    assert_eq!(
        (message.from.as_str(), message.to.as_str()),
        ("+12025550147", "+12025550100")
    );
    assert_eq!(message.text, "");
    assert_eq!(message.media.len(), 1);
    assert_eq!(message.media[0].content_type.as_deref(), Some("image/jpeg"));
}

#[test]
fn a_message_comes_by_get_too() {
    let url = "https://gw.example.org/webhook/sms/main?MessageSid=SM1&From=ACME&To=%2B12025550100&Body=h%C3%A9+there";
    let mut call = Call::post(url, "", &sign(url, ""));
    call.method = Method::GET;
    let handled = call.send().unwrap();
    let [Event::Message(message)] = &handled.events[..] else {
        panic!("{handled:?}")
    };
    assert_eq!(message.text, "hé there");
    assert_eq!(message.from.as_str(), "acme;phone-context=alpha");
    assert_eq!(message.from_name.as_deref(), Some("ACME"));
}

#[test]
fn every_status_has_its_meaning() {
    let key = Key(7);
    let failed = |reason, code: &str| Some(Failure::new(reason).with_code(code));
    for (rest, progress, failure) in [
        ("accepted", Progress::Accepted, None),
        ("scheduled", Progress::Accepted, None),
        ("queued", Progress::Accepted, None),
        ("sending", Progress::Accepted, None),
        ("sent", Progress::Sent, None),
        ("delivered", Progress::Delivered, None),
        ("read", Progress::Read, None),
        (
            "undelivered&ErrorCode=30003",
            Progress::Failed,
            failed(Reason::Unreachable, "30003"),
        ),
        (
            "failed&ErrorCode=30610",
            Progress::Failed,
            failed(Reason::NotPermitted, "30610"),
        ),
        (
            "failed&ErrorCode=12",
            Progress::Failed,
            failed(Reason::Unspecified, "12"),
        ),
        (
            "undelivered&ErrorCode=30036",
            Progress::Expired,
            failed(Reason::Expired, "30036"),
        ),
        (
            "canceled",
            Progress::Failed,
            Some(Failure::new(Reason::Unspecified)),
        ),
        (
            "partially_delivered",
            Progress::Unknown,
            Some(Failure::new(Reason::Unspecified)),
        ),
    ] {
        let form = format!("MessageSid=SM1&SmsStatus=x&To=%2B12025550147&MessageStatus={rest}");
        let handled = post(&format!("?key={key}"), &form).unwrap();
        let about = vec![
            MessageRef::External(ExternalId::new("sid", "SM1")),
            MessageRef::Key(key, 0),
        ];
        let report = Report {
            about,
            progress,
            failure,
            at: None,
        };
        assert_eq!(handled.events, [Event::Report(report)], "{rest}");
    }
}

#[test]
fn what_is_of_no_use_is_taken_and_what_is_broken_is_not() {
    assert_eq!(
        post("", "MessageSid=SM1&MessageStatus=teleported")
            .unwrap()
            .events,
        []
    );
    assert_eq!(post("", "CallSid=CA1").unwrap().events, []);
    for form in [
        "MessageSid=SM1",
        "MessageSid=SM1&From=%2B12025550147",
        "MessageSid=SM1&To=1&From=",
    ] {
        assert_eq!(post("", form), Err(Refused::Malformed), "{form}");
    }
    let many = "a=1&".repeat(600);
    let url = "https://gw.example.org/";
    assert_eq!(
        Call::post(url, &many, "aaaa").send(),
        Err(Refused::Malformed)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn nothing_that_is_called_makes_it_panic(
        get in any::<bool>(),
        query in soup(TOKENS),
        body in soup(TOKENS),
        signature in soup(&["AAAA", "=", "/", "+", "a"]),
        url in soup(&["https", "://", "http://", "h", ":443", ":", "/", "?", "#", "[::1]", "@"]),
    ) {
        let method = if get { Method::GET } else { Method::POST };
        let query = String::from_utf8_lossy(&query);
        let url = String::from_utf8_lossy(&url);
        drop(events(&method, &query, &body, "US".parse().unwrap()));
        let value = http::HeaderValue::from_bytes(&signature);
        let headers = value.map(|value| HeaderMap::from_iter([("x-twilio-signature".parse().unwrap(), value)]));
        let headers = headers.unwrap_or_default();
        let request = WebRequest {
            method: &method, public_url: &url, query: &query, token: None, headers: &headers, body: &body, peer: None,
        };
        SUBJECT.with(|account| assert!(account.webhook(&request, UnixMillis(0)).is_err()));
    }
}

const TOKENS: &[&str] = &[
    "MessageSid=",
    "SmsSid=",
    "From=",
    "To=",
    "Body=",
    "NumMedia=",
    "MediaUrl0=",
    "MessageStatus=",
    "SmsStatus=",
    "ErrorCode=",
    "bodySHA256=",
    "key=",
    "&",
    "&",
    "&",
    "=",
    "%",
    "+",
    "%2B",
    "received",
    "sent",
    "failed",
    "+12025550147",
    "30003",
    "ACME",
    "é",
];

thread_local! {
    static SUBJECT: TwilioAccount = offline();
}
