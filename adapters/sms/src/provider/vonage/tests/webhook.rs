//! What Vonage calls with: signed by token or by field, texts, parts, states.

use super::*;

fn token(body: &str, more: &Value) -> String {
    let now = NOW.0 / 1000;
    let mut claims = json!({ "iss": "Vonage", "iat": now, "exp": now + 300, "jti": "1", "api_key": "key1", "payload_hash": sha256_hex(body.as_bytes()) });
    claims
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    jwt("HS256", &claims, SECRET)
}

fn signed(body: &str, more: &Value) -> Call {
    let token = token(body, more);
    Call::post("", body)
        .with("authorization", &format!("Bearer {token}"))
        .with("content-type", "application/json")
}

fn call(body: &Value) -> Result<Handled, Refused> {
    signed(&body.to_string(), &json!({})).send(&offline())
}

#[test]
fn a_token_is_of_now_of_this_account_and_of_this_body() {
    let body = r#"{"channel":"none","status":"new"}"#;
    assert!(signed(body, &json!({})).send(&offline()).is_ok());
    for (more, want) in [
        (json!({ "api_key": "key2" }), Refused::Forged),
        (
            json!({ "payload_hash": sha256_hex(b"{}") }),
            Refused::Forged,
        ),
        (json!({ "payload_hash": null }), Refused::Forged),
        (json!({ "exp": NOW.0 / 1000 - 61 }), Refused::Replayed),
        (json!({ "iat": NOW.0 / 1000 + 61 }), Refused::Replayed),
    ] {
        assert_eq!(signed(body, &more).send(&offline()), Err(want), "{more}");
    }
    let mut changed = signed(body, &json!({}));
    changed.body.push(b' ');
    assert_eq!(changed.send(&offline()), Err(Refused::Forged));
    let forged = Call::post("", body).with(
        "authorization",
        &format!("Bearer {}x", token(body, &json!({}))),
    );
    assert_eq!(forged.send(&offline()), Err(Refused::Forged));
    let basic = Call::post("", body).with("authorization", "Basic AAAA");
    assert_eq!(basic.send(&offline()), Err(Refused::Unsigned));
    assert_eq!(
        Call::post("", "type=text").send(&offline()),
        Err(Refused::Unsigned)
    );
}

#[test]
fn texts_and_pictures_come_in() {
    let handled = call(&json!({ "message_uuid": "u1", "from": "12025550147", "to": "12025550100", "channel": "sms", "message_type": "text",
        "text": "héllo", "timestamp": "2026-09-21T14:13:20Z", "sms": { "num_messages": "1", "keyword": "HÉLLO" }, "usage": {} })).unwrap();
    let message = one_message(&handled);
    assert_eq!(
        message.repeats,
        Repeats::ById(ExternalId::new("vonage", "u1"))
    );
    assert_eq!(
        (message.from.as_str(), message.to.as_str()),
        ("+12025550147", "+12025550100")
    );
    assert_eq!(
        (&*message.text, message.sent_at, message.part),
        ("héllo", Some(NOW), None)
    );
    let handled = call(&json!({ "message_uuid": "u2", "from": "12025550147", "to": "12025550100", "channel": "mms", "message_type": "image",
        "image": { "url": "https://api.nexmo.com/v3/media/1", "name": "1.png", "caption": "look" } })).unwrap();
    let message = one_message(&handled);
    assert_eq!((&*message.text, message.media.len()), ("look", 1));
    for broken in [
        json!({ "channel": "sms" }),
        json!({ "channel": "sms", "message_uuid": "u1", "from": "1" }),
    ] {
        assert_eq!(call(&broken), Err(Refused::Malformed), "{broken}");
    }
    assert_eq!(call(&json!({})).unwrap().events, []);
    assert_eq!(call(&json!(7)).unwrap().events, []);
}

#[test]
fn every_status_and_every_code_has_its_meaning() {
    let report = |status: &str, code: u32| {
        let error = json!({ "type": format!("https://developer.vonage.com/api-errors/messages#{code}"), "title": code.to_string() });
        let body = json!({ "message_uuid": "u1", "status": status, "channel": "sms", "client_ref": "aaaaaaaaaaaaa",
            "timestamp": "2026-09-21T14:13:20Z", "error": if code == 0 { Value::Null } else { error } });
        one_report(&call(&body).unwrap()).clone()
    };
    for (status, progress) in [
        ("submitted", Progress::Sent),
        ("delivered", Progress::Delivered),
        ("read", Progress::Read),
        ("rejected", Progress::Failed),
        ("undeliverable", Progress::Failed),
    ] {
        let report = report(status, 0);
        assert_eq!(report.progress, progress, "{status}");
        let id = MessageRef::External(ExternalId::new("vonage", "u1"));
        let key = MessageRef::Key("aaaaaaaaaaaaa".parse().unwrap(), 0);
        assert_eq!((report.about, report.at), (vec![id, key], Some(NOW)));
    }
    for row in codes::TABLE {
        let report = report("rejected", row.code);
        let failure = Failure::new(row.reason).with_code(row.code.to_string());
        assert_eq!(report.failure, Some(failure));
        assert_eq!(
            report.progress == Progress::Expired,
            row.code == codes::EXPIRED
        );
    }
    let future = json!({ "message_uuid": "u1", "status": "teleported" });
    assert_eq!(call(&future).unwrap().events, []);
}

/// From the tests of Vonage's Python library.
#[test]
fn vonages_own_signature_verifies() {
    let fields = Fields::parse(b"param1=value1&param2=value2&timestamp=1234567890").unwrap();
    let mac = hex::encode(hmac_sha256(SECRET, &signature::signed(&fields)));
    assert_eq!(
        mac,
        "280c4320703dbc98bfa22db676655ed2acfbfe8792b062ff7622e67f1183c287"
    );
    // Those by MD5 prove what is signed; as a signature none of them is taken.
    for (form, mac) in [
        (
            "param1=value1&param2=value2&timestamp=1234567890",
            "724c2bf6ca423c36e20631b11d1c5753",
        ),
        (
            "param1=value%261&param2=value%3D2&timestamp=1234567890",
            "2bbf0abafb2c55e5af6231513896a2ac",
        ),
        (
            "param=value&timestamp=1234567890",
            "655a4d0b7f064dff438defc52b012cf5",
        ),
    ] {
        let fields = Fields::parse(form.as_bytes()).unwrap();
        let signed = signature::signed(&fields);
        let mac = hex::decode(mac).unwrap();
        let secret = SECRET.into();
        assert!(hmac::<Hmac<Md5>>(&secret, [&*signed], &mac), "{form}");
        let call = Call::post("", format!("{form}&sig={}", hex::encode(&mac)));
        let call = call.with("content-type", "application/x-www-form-urlencoded");
        assert_eq!(
            offline().webhook(&call.request(), NOW),
            Err(Refused::Forged)
        );
    }
    let fields = Fields::parse(b"param2=value%3D2&sig=x&param1=value%261").unwrap();
    assert_eq!(
        signature::signed(&fields),
        b"&param1=value_1&param2=value_2"
    );
}

#[test]
fn a_text_of_a_group_names_the_others() {
    let body = json!({ "message_uuid": "u1", "channel": "mms", "message_type": "text", "from": "12025550147",
        "to": "12025550100", "text": "hi", "mms": { "participants": ["12025550148", 7, ""] } });
    let handled = call(&body).unwrap();
    let others: Vec<&str> = one_message(&handled)
        .others
        .iter()
        .map(|other| other.address.as_str())
        .collect();
    assert_eq!(others[0], "+12025550148");
}

fn sms(form: &str) -> String {
    let mac = hmac_sha256(
        SECRET,
        &signature::signed(&Fields::parse(form.as_bytes()).unwrap()),
    );
    format!("{form}&sig={}", hex::encode(mac))
}

const PART: &str = "type=unicode&to=12025550100&msisdn=12025550147&messageId=i2&text=part&concat=true&concat-ref=07&concat-total=3&concat-part=2&timestamp=1790000000&nonce=n";

#[test]
fn parts_of_the_sms_api_come_in_by_every_way() {
    let form = sms(PART);
    let mut get = Call::post(&format!("?{form}"), "");
    get.method = Method::GET;
    let post =
        Call::post("", form.clone()).with("content-type", "application/x-www-form-urlencoded");
    let fields = Fields::parse(form.as_bytes()).unwrap();
    let object: serde_json::Map<_, _> = fields
        .sorted()
        .iter()
        .map(|(name, value)| {
            (
                String::from_utf8(name.to_vec()).unwrap(),
                String::from_utf8(value.to_vec()).unwrap().into(),
            )
        })
        .collect();
    let json = Value::Object(object).to_string();
    let by_json = Call::post("", json.clone()).with("content-type", "application/json");
    for call in [get, post, by_json, signed(&json, &json!({}))] {
        let handled = call.send(&offline()).unwrap();
        let message = one_message(&handled);
        assert_eq!(
            message.part,
            Some(Part {
                reference: 7,
                total: 3,
                number: 2
            })
        );
        assert_eq!(
            message.repeats,
            Repeats::ById(ExternalId::new("vonage", "i2"))
        );
        assert_eq!((&*message.text, message.sent_at), ("part", Some(NOW)));
    }
}

#[test]
fn a_field_signs_the_others_for_five_minutes() {
    let send = |form: String, now| {
        let mut call = Call::post("", form);
        call.now = now;
        call.send(&offline())
    };
    assert!(send(sms(PART), NOW).is_ok());
    assert_eq!(
        send(sms(PART), NOW.after(Duration::from_secs(301))),
        Err(Refused::Replayed)
    );
    assert_eq!(
        send(sms("type=text&text=a"), NOW),
        Err(Refused::Replayed),
        "without a time it is of no time"
    );
    assert_eq!(
        send(sms(PART).replace("part=2", "part=1"), NOW),
        Err(Refused::Forged)
    );
    assert_eq!(send(format!("{PART}&sig=00"), NOW), Err(Refused::Forged));
    assert_eq!(send(format!("{PART}&sig=xx"), NOW), Err(Refused::Forged));
    let receipt = sms("msisdn=1&to=2&messageId=3&status=delivered&timestamp=1790000000");
    assert_eq!(send(receipt, NOW).unwrap().events, []);
    assert_eq!(
        send(sms("type=text&timestamp=1790000000"), NOW),
        Err(Refused::Malformed)
    );
    for odd in ["concat-part=4", "concat-part=0", "concat-part=x"] {
        let handled = send(sms(&PART.replace("concat-part=2", odd)), NOW).unwrap();
        assert_eq!(one_message(&handled).part, None, "{odd} is shown by itself");
    }
}

const WORDS: &[&str] = &[
    "message_uuid",
    "from",
    "to",
    "channel",
    "sms",
    "message_type",
    "image",
    "text",
    "url",
    "caption",
    "status",
    "rejected",
    "error",
    "type",
    "title",
    "client_ref",
    "timestamp",
    "msisdn",
    "concat",
];
const FIELDS: &[&str] = &[
    "type=text&",
    "messageId=1&",
    "msisdn=",
    "to=",
    "text=",
    "concat=true&",
    "concat-ref=",
    "concat-total=",
    "concat-part=",
    "&",
    "&",
    "9",
    "70000",
    "%",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_that_is_signed_makes_it_panic(body in json_soup(WORDS), query in soup(FIELDS)) {
        let (query, home) = (String::from_utf8_lossy(&query), "US".parse().unwrap());
        drop(events(&Method::POST, &query, body.to_string().as_bytes(), home));
        drop(events(&Method::GET, &query, b"", home));
    }
}
