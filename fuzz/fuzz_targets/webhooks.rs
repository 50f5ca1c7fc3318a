//! What providers tell us, after the signature or token was right.

#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use transom_sms::provider::{
    android, bandwidth, httpsms, jasmin, kannel, plivo, sinch, telnyx, templated, twilio, vonage,
};

fuzz_target!(|data: &[u8]| {
    let home = "US".parse().expect("a country");
    let text = String::from_utf8_lossy(data);
    let (query, body) = text.split_once('\n').unwrap_or(("", &text));
    twilio::events(&Method::GET, query, b"", home).ok();
    twilio::events(&Method::POST, query, body.as_bytes(), home).ok();
    twilio::events(&Method::POST, "", data, home).ok();
    telnyx::events(query, body.as_bytes(), home).ok();
    bandwidth::events(body.as_bytes(), home).ok();
    sinch::events(body.as_bytes(), home).ok();
    for method in [Method::GET, Method::POST] {
        plivo::events(&method, query, body.as_bytes(), home).ok();
        vonage::events(&method, query, body.as_bytes(), home).ok();
    }
    kannel::events(query, home).ok();
    kannel::events(&text, home).ok();
    jasmin::events(query, body.as_bytes(), home).ok();
    jasmin::events("", data, home).ok();
    android::events(data, &["+12025550100".to_owned()], home).ok();
    httpsms::events(data, home).ok();
    let at = |pointer: &str| Some(pointer.to_owned());
    let mapping = templated::Mapping {
        items: text.starts_with(' ').then(|| "/0".to_owned()),
        from: at("/a"),
        to: at("/b"),
        text: at("/c"),
        id: at("/d"),
        ..templated::Mapping::default()
    };
    mapping.events(query, body.as_bytes(), home).ok();
    mapping.events("", data, home).ok();
});
